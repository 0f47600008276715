/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/encode.h"

static const ss_base64_e variants[] = { SS_BASE64, SS_BASE64URL };

/* clang-format off */
static const struct {
    const char *bytes, *base64, *base64url;
} spellings[] = {
    /* RFC 4648 section 10 */
    { "",       "",         "" },
    { "f",      "Zg==",     "Zg" },
    { "fo",     "Zm8=",     "Zm8" },
    { "foo",    "Zm9v",     "Zm9v" },
    { "foob",   "Zm9vYg==", "Zm9vYg" },
    { "fooba",  "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    /* the two values whose characters differ */
    { "\xfb\xef\xbe", "++++", "----" },
    { "\xff\xff\xff", "////", "____" },
    { "\xff\xef",     "/+8=", "_-8" },
};

static const struct {
    const char *what;
    ss_base64_e variant;
    const char *text;
} refused[] = {
    { "no padding where it belongs",              SS_BASE64,    "Zg" },
    { "half of the padding",                      SS_BASE64,    "Zg=" },
    { "padding after a whole group",              SS_BASE64,    "Zm9v====" },
    { "a single =",                               SS_BASE64,    "=" },
    { "only padding",                             SS_BASE64,    "====" },
    { "two characters' worth of padding alone",   SS_BASE64,    "==" },
    { "three characters of padding",              SS_BASE64,    "Z===" },
    { "padding in the middle",                    SS_BASE64,    "Zg==Zg==" },
    { "padding before the end of the last group", SS_BASE64,    "Zg=a" },
    { "spare bits after one byte",                SS_BASE64,    "Zh==" },
    { "spare bits after two bytes",               SS_BASE64,    "Zm9=" },
    { "the other alphabet",                       SS_BASE64,    "----" },
    { "a line break at the end",                  SS_BASE64,    "Zm9v\n" },
    { "a group of blanks",                        SS_BASE64,    "Zm9v    " },
    { "padding",                                  SS_BASE64URL, "Zg==" },
    { "padding of one",                           SS_BASE64URL, "Zm8=" },
    { "one character alone",                      SS_BASE64URL, "Z" },
    { "one character after a group",              SS_BASE64URL, "Zm9vY" },
    { "spare bits after one byte",                SS_BASE64URL, "Zh" },
    { "spare bits after two bytes",               SS_BASE64URL, "Zm9" },
    { "the other alphabet",                       SS_BASE64URL, "++++" },
    { "a blank before",                           SS_BASE64URL, " Zm9" },
    { "a blank behind",                           SS_BASE64URL, "Zm8 " },
    { "a percent escape",                         SS_BASE64URL, "Zm%38" },
};

static const struct {
    const char *what, *text;
    int plus;
    const char *want; /* NULL: refused */
} escapes[] = {
    { "nothing to decode",            "user",         0, "user" },
    { "an empty text",                "",             0, "" },
    { "an escape alone",              "%41",          0, "A" },
    { "an escape at both ends",       "%41b%43",      0, "AbC" },
    { "digits of both cases",         "%6a%6A%e2%E2", 0, "jj\xe2\xe2" },
    { "an escaped percent is final",  "%2541",        0, "%41" },
    { "an escaped plus is a plus",    "%2B",          1, "+" },
    { "a plus in a form",             "a+b",          1, "a b" },
    { "a plus elsewhere",             "a+b",          0, "a+b" },
    { "a percent at the end",         "100%",         0, NULL },
    { "one digit at the end",         "%4",           0, NULL },
    { "a second digit that is none",  "%4g",          0, NULL },
    { "a first digit that is none",   "%g4",          0, NULL },
    { "a percent behind a percent",   "%%41",         0, NULL },
    { "a sign is no digit",           "%+1",          1, NULL },
    { "a blank is no digit",          "% 1",          0, NULL },
    { "a fault behind good escapes",  "%41%41%4",     0, NULL },
};

static const struct {
    const char *what, *text;
    int valid;
} texts[] = {
    { "nothing",                                   "",                       1 },
    { "ASCII",                                     "session",                1 },
    { "one, two, three and four bytes",            "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\xaa", 1 },
    { "U+0080, the first of two bytes",            "\xc2\x80",               1 },
    { "U+07FF, the last of two bytes",             "\xdf\xbf",               1 },
    { "U+0800, the first of three bytes",          "\xe0\xa0\x80",           1 },
    { "U+D7FF, before the surrogates",             "\xed\x9f\xbf",           1 },
    { "U+E000, behind the surrogates",             "\xee\x80\x80",           1 },
    { "U+FFFF, the last of three bytes",           "\xef\xbf\xbf",           1 },
    { "U+10000, the first of four bytes",          "\xf0\x90\x80\x80",       1 },
    { "U+10FFFF, the last of all",                 "\xf4\x8f\xbf\xbf",       1 },
    { "a byte order mark is a character",          "\xef\xbb\xbf",           1 },
    { "overlong, two bytes",                       "\xc0\x80",               0 },
    { "overlong, two bytes, the last of them",     "\xc1\xbf",               0 },
    { "overlong, three bytes",                     "\xe0\x9f\xbf",           0 },
    { "overlong, four bytes",                      "\xf0\x8f\xbf\xbf",       0 },
    { "the first surrogate",                       "\xed\xa0\x80",           0 },
    { "the last surrogate",                        "\xed\xbf\xbf",           0 },
    { "above U+10FFFF",                            "\xf4\x90\x80\x80",       0 },
    { "five bytes",                                "\xf8\x88\x80\x80\x80",   0 },
    { "a first byte that does not exist",          "\xff",                   0 },
    { "a following byte alone",                    "\x80",                   0 },
    { "two of three bytes",                        "\xe2\x82",               0 },
    { "three of four bytes",                       "\xf0\x9f\x8d",           0 },
    { "one of two bytes",                          "a\xc3",                  0 },
    { "ASCII where a byte should follow",          "\xc3" "a",               0 },
    { "ASCII as the third of three",               "\xe2\x82" "a",           0 },
    { "ASCII as the fourth of four",               "\xf0\x9f\x8d" "a",       0 },
    { "a first byte where one should follow",      "\xe2\x82\xc3\xa9",       0 },
    { "a fault behind good characters",            "ok\xc3\xa9\xc3",         0 },
};
/* clang-format on */

/* Into a buffer without a byte to spare. */
static ss_bytes_t encode(ss_base64_e variant, ss_bytes_t bytes)
{
    apr_size_t size = ss_base64_size(variant, bytes.len);
    ss_bytes_t text = exact(apr_pcalloc(pool, size + 1), size);

    ck_assert_uint_eq(ss_base64_encode(variant, (char *)text.data, bytes), size);
    return text;
}

START_TEST(encodes)
{
    ss_bytes_t bytes = exact_of(spellings[_i].bytes);

    assert_bytes(encode(SS_BASE64, bytes), ss_bytes_of(spellings[_i].base64), "base64");
    assert_bytes(encode(SS_BASE64URL, bytes), ss_bytes_of(spellings[_i].base64url), "base64url");
}
END_TEST

START_TEST(decodes)
{
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_base64_decode(SS_BASE64, &bytes, exact_of(spellings[_i].base64), pool),
                     APR_SUCCESS);
    ck_assert_ptr_nonnull(bytes.data);
    assert_bytes(bytes, ss_bytes_of(spellings[_i].bytes), spellings[_i].base64);

    ck_assert_int_eq(
        ss_base64_decode(SS_BASE64URL, &bytes, exact_of(spellings[_i].base64url), pool),
        APR_SUCCESS);
    ck_assert_ptr_nonnull(bytes.data);
    assert_bytes(bytes, ss_bytes_of(spellings[_i].bytes), spellings[_i].base64url);
}
END_TEST

START_TEST(refuses_other_spellings)
{
    ss_bytes_t bytes = ss_bytes("stale", 5);
    apr_status_t rv =
        ss_base64_decode(refused[_i].variant, &bytes, exact_of(refused[_i].text), pool);

    ck_assert_msg(rv == APR_EINVAL, "%s: %s", refused[_i].what, refused[_i].text);
    ck_assert_ptr_null(bytes.data);
    ck_assert_uint_eq(bytes.len, 0);
}
END_TEST

START_TEST(refuses_a_nul)
{
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_base64_decode(variants[_i], &bytes, exact("Zm9\0", 4), pool), APR_EINVAL);
}
END_TEST

/* All lengths up to a few groups, with bytes that reach every value. */
START_TEST(decodes_what_it_encodes)
{
    char bytes[100];

    for (apr_size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 151 + _i);
    }
    for (int v = 0; v < COUNT(variants); v++) {
        ss_bytes_t want = exact(bytes, (apr_size_t)_i);
        ss_bytes_t got;

        ck_assert_int_eq(ss_base64_decode(variants[v], &got, encode(variants[v], want), pool),
                         APR_SUCCESS);
        assert_bytes(got, want, "there and back");
    }
}
END_TEST

/* Every byte at every place of a group: 64 are digits, and each digit comes back. */
START_TEST(knows_its_alphabet)
{
    for (int place = 0; place < 4; place++) {
        int digits = 0;

        for (int byte = 0; byte < 256; byte++) {
            char group[] = { 'Z', 'm', '9', 'v' };
            ss_bytes_t bytes;

            group[place] = (char)byte;
            if (ss_base64_decode(variants[_i], &bytes, exact(group, 4), pool) == APR_SUCCESS &&
                bytes.len == 3) {
                digits++;
                assert_bytes(encode(variants[_i], bytes), ss_bytes(group, 4), "there and back");
            }
        }
        ck_assert_int_eq(digits, 64);
    }
}
END_TEST

/* Of all two-character texts, exactly one stands for each byte. */
START_TEST(has_one_spelling_for_each_byte)
{
    int count = 0;

    for (int text = 0; text < 256 * 256; text++) {
        char pair[] = { (char)(text >> 8), (char)text };
        ss_bytes_t bytes;

        if (ss_base64_decode(SS_BASE64URL, &bytes, ss_bytes(pair, 2), pool) == APR_SUCCESS) {
            count++;
        }
    }
    ck_assert_int_eq(count, 256);
}
END_TEST

START_TEST(decodes_percent_escapes)
{
    ss_bytes_t bytes = ss_bytes("stale", 5);
    apr_status_t rv = ss_percent_decode(&bytes, exact_of(escapes[_i].text), escapes[_i].plus, pool);

    if (escapes[_i].want == NULL) {
        ck_assert_msg(rv == APR_EINVAL, "%s: %s", escapes[_i].what, escapes[_i].text);
        ck_assert_ptr_null(bytes.data);
        ck_assert_uint_eq(bytes.len, 0);
    }
    else {
        ck_assert_msg(rv == APR_SUCCESS, "%s: %s", escapes[_i].what, escapes[_i].text);
        ck_assert_ptr_nonnull(bytes.data);
        assert_bytes(bytes, ss_bytes_of(escapes[_i].want), escapes[_i].what);
    }
}
END_TEST

START_TEST(decodes_an_escaped_nul)
{
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_percent_decode(&bytes, exact_of("a%00b"), 0, pool), APR_SUCCESS);
    assert_bytes(bytes, ss_bytes("a\0b", 3), "an escaped NUL");
}
END_TEST

START_TEST(judges_utf8)
{
    ck_assert_msg(ss_utf8_is_valid(exact_of(texts[_i].text)) == texts[_i].valid, "%s",
                  texts[_i].what);
}
END_TEST

START_TEST(takes_nul_for_a_character)
{
    ck_assert(ss_utf8_is_valid(exact("\0", 1)));
    ck_assert(!ss_utf8_is_valid(exact("\0\xff", 2)));
}
END_TEST

/* All texts of up to three bytes: as many are valid as there are characters to make them of. */
START_TEST(finds_all_of_utf8)
{
    const int of_one = 0x80, of_two = 0x800 - 0x80, of_three = 0x10000 - 0x800 - 0x800;
    char bytes[3];
    int found[] = { 0, 0, 0 };

    for (int number = 0; number < 1 << 24; number++) {
        bytes[0] = (char)(number >> 16);
        bytes[1] = (char)(number >> 8);
        bytes[2] = (char)number;
        found[2] += ss_utf8_is_valid(ss_bytes(bytes, 3));
        found[1] += number < 1 << 16 && ss_utf8_is_valid(ss_bytes(bytes + 1, 2));
        found[0] += number < 1 << 8 && ss_utf8_is_valid(ss_bytes(bytes + 2, 1));
    }
    ck_assert_int_eq(found[0], of_one);
    ck_assert_int_eq(found[1], of_one * of_one + of_two);
    ck_assert_int_eq(found[2], of_one * of_one * of_one + 2 * of_one * of_two + of_three);
}
END_TEST

/* clang-format off */
static const struct { apr_int64_t number; const char *text; } numbers[] = {
    { 0, "0" }, { 9, "9" }, { 10, "A" }, { 35, "Z" }, { 36, "a" }, { 61, "z" }, { 62, "10" },
    { 1767225600, "1vb66i" }, /* as Django writes 2026-01-01 */
    { APR_INT64_MAX, "AzL8n0Y58m7" },
};
/* clang-format on */

START_TEST(counts_in_base62)
{
    char out[SS_BASE62_MAX];
    apr_int64_t number;

    assert_bytes(ss_bytes(out, ss_base62_encode(out, numbers[_i].number)),
                 ss_bytes_of(numbers[_i].text), numbers[_i].text);
    ck_assert_int_eq(ss_base62_decode(&number, exact_of(numbers[_i].text)), APR_SUCCESS);
    ck_assert_int_eq(number, numbers[_i].number);
}
END_TEST

START_TEST(base62_has_one_spelling)
{
    const char *texts[] = { "",   "00", "01",          "-1",           " 1",           "1 ",
                            "a_", "1.", "AzL8n0Y58m8", "zzzzzzzzzzzz", "100000000000", "\xff" };

    for (int i = 0; i < COUNT(texts); i++) {
        apr_int64_t number = 7;

        ck_assert_int_eq(ss_base62_decode(&number, exact_of(texts[i])), APR_EINVAL);
        ck_assert_int_eq(number, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encode");
    TCase *tcase = unit_case(suite, "base64");

    tcase_add_loop_test(tcase, encodes, 0, COUNT(spellings));
    tcase_add_loop_test(tcase, decodes, 0, COUNT(spellings));
    tcase_add_loop_test(tcase, refuses_other_spellings, 0, COUNT(refused));
    tcase_add_loop_test(tcase, refuses_a_nul, 0, COUNT(variants));
    tcase_add_loop_test(tcase, decodes_what_it_encodes, 0, 100);
    tcase_add_loop_test(tcase, knows_its_alphabet, 0, COUNT(variants));
    tcase_add_test(tcase, has_one_spelling_for_each_byte);

    tcase = unit_case(suite, "percent escapes");
    tcase_add_loop_test(tcase, decodes_percent_escapes, 0, COUNT(escapes));
    tcase_add_test(tcase, decodes_an_escaped_nul);

    tcase = unit_case(suite, "UTF-8");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, judges_utf8, 0, COUNT(texts));
    tcase_add_test(tcase, takes_nul_for_a_character);
    tcase_add_test(tcase, finds_all_of_utf8);

    tcase = unit_case(suite, "base62");
    tcase_add_loop_test(tcase, counts_in_base62, 0, COUNT(numbers));
    tcase_add_test(tcase, base62_has_one_spelling);

    return unit_run(suite);
}
