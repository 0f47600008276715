/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Memory that runs out: whatever lib/ does is done again and again while the first allocation
 * fails, then the second, and so on until it succeeds. A pool must then end in its abort function,
 * as it does in httpd, and libraries that answer with NULL must lead there, or to a status of
 * failure; what is returned as done must be done whole.
 *
 * APR offers no seam below its pools, zlib none that lib/ uses, and libcrypto's would not cover
 * them. So this program defines what all of them call. The functions that are called in turn are
 * the next in the order of libraries: the sanitizers' where there are some.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "lib/cookie_option.h"
#include "lib/draft.h"
#include "lib/deflate.h"
#include "lib/field.h"
#include "lib/form.h"
#include "lib/jws.h"
#include "lib/memory.h"
#include "lib/proof.h"
#include "tests/unit/formats.h"

/*
 * The seam
 */

typedef enum seam_e {
    MALLOC, /* of all libraries; a pool asks for 8 KB at a time */
    PALLOC, /* each small piece of a pool */
    SEAMS
} seam_e;

/* Which allocation from now on fails, and at which seam. 0: none does. */
static seam_e seam;
static unsigned countdown;
static int failed; /* has one? */
static jmp_buf abort_function;

/* The thread sanitizer asks for memory before it is ready for code that it watches. */
#define UNWATCHED __attribute__((no_sanitize("thread")))

UNWATCHED static int is_to_fail(seam_e where)
{
    if (where != seam || countdown == 0 || --countdown > 0) {
        return 0;
    }
    failed = 1;
    return 1;
}

/* Looking a function up may itself ask for memory, and copes without. */
#define NEXT(function, nothing)                                                                    \
    static __typeof__(&function) next;                                                             \
    static int looking;                                                                            \
    if (next == NULL) {                                                                            \
        if (looking) {                                                                             \
            return nothing;                                                                        \
        }                                                                                          \
        looking = 1;                                                                               \
        *(void **)&next = dlsym(RTLD_NEXT, #function);                                             \
    }

UNWATCHED void *malloc(size_t size)
{
    NEXT(malloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(size);
}

UNWATCHED void *calloc(size_t count, size_t size)
{
    NEXT(calloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(count, size);
}

UNWATCHED void *realloc(void *data, size_t size)
{
    NEXT(realloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(data, size);
}

/* What APR's allocator asks where it was built with --enable-allocator-uses-mmap, as Debian's. */
UNWATCHED void *mmap(void *where, size_t size, int protection, int flags, int file, off_t offset)
{
    NEXT(mmap, MAP_FAILED)
    if (is_to_fail(MALLOC)) {
        return MAP_FAILED;
    }
    return next(where, size, protection, flags, file, offset);
}

static int end_of_memory(int status)
{
    (void)status;
    longjmp(abort_function, 1);
}

UNWATCHED void *apr_palloc(apr_pool_t *from, apr_size_t size)
{
    NEXT(apr_palloc, NULL)
    if (is_to_fail(PALLOC)) {
        end_of_memory(APR_ENOMEM);
    }
    return next(from, size);
}

/*
 * Attempts
 */

/** What an attempt comes to, beside the abort function. */
typedef enum outcome_e { DONE, REFUSED, WRONG } outcome_e;

/** One operation on `data`, made with memory from `from` alone. */
typedef outcome_e operation_fn(const void *data, apr_pool_t *from);

#define SECONDS_MAX 90
#define NODE_FILL 7900 /* bytes of a pool's first 8 KB, so that it soon asks for more */

/* From here on there is memory again: for looking at what was done. */
static void relent(void)
{
    countdown = 0;
}

static apr_pool_t *small_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *small;

    ck_assert_int_eq(apr_allocator_create(&allocator), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create_ex(&small, NULL, end_of_memory, allocator), APR_SUCCESS);
    apr_allocator_owner_set(allocator, small);
    apr_palloc(small, NODE_FILL);
    return small;
}

/* Every allocation of an operation fails in turn, at each seam. */
static void exhaust(const char *what, operation_fn *operation, const void *data)
{
    static unsigned nth, failures;
    static apr_pool_t *small;

    ck_assert_msg(operation(data, pool) == DONE, "%s: not even with memory", what);
    failures = 0;
    for (seam = 0; seam < SEAMS; seam++) {
        nth = 0;
        do {
            volatile outcome_e outcome = REFUSED;

            small = small_pool();
            failed = 0;
            countdown = ++nth;
            if (setjmp(abort_function) == 0) {
                outcome = operation(data, small);
            }
            relent();
            apr_pool_destroy(small);
            ck_assert_msg(outcome != WRONG && (outcome == DONE || failed),
                          "%s: wrong when allocation %u fails at seam %d", what, nth, seam);
            failures += failed;
        } while (failed);
    }
    ck_assert_msg(failures > 0, "%s: no allocation was seen", what);
    ck_assert_msg(operation(data, pool) == DONE, "%s: no more afterwards", what);
}

/* Without this, the tests below would prove nothing. */
START_TEST(the_seam_is_seen)
{
    void *volatile got; /* so that the compiler does not know better */
    apr_pool_t *small;

    seam = MALLOC;
    countdown = 1;
    got = malloc(1);
    ck_assert_ptr_null(got);
    countdown = 1;
    got = calloc(1, 1);
    ck_assert_ptr_null(got);
    countdown = 1;
    got = realloc(NULL, 1);
    ck_assert_ptr_null(got);

    small = small_pool();
    countdown = 1;
    if (setjmp(abort_function) == 0) {
        apr_palloc(small, NODE_FILL);
        ck_abort_msg("APR has memory of its own");
    }
    seam = PALLOC;
    countdown = 1;
    if (setjmp(abort_function) == 0) {
        apr_pstrdup(small, "text");
        ck_abort_msg("APR calls its own function");
    }
    apr_pool_destroy(small);
}
END_TEST

/*
 * Keys
 */

static outcome_e make_keys(const void *format, apr_pool_t *from)
{
    static const ss_binding_t binding = { "session", "" };
    apr_array_header_t *formats = apr_array_make(from, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets = apr_array_make(from, 2, sizeof(ss_secret_t));
    static const char *const texts[] = { SECRET_1, SECRET_2 };
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };

    APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    for (int i = 0; i < COUNT(texts); i++) {
        ss_secret_t *secret = apr_array_push(secrets);

        secret->text = ss_bytes_of(texts[i]);
        secret->origin = "a test";
    }
    if (ss_sealing_init(&how, formats, secrets, &binding, from) != APR_SUCCESS) {
        return REFUSED;
    }
    relent();
    return seal_text("{\"a\":1}", &how, NOW).value.len > 0 ? DONE : WRONG;
}

START_TEST(keys)
{
    exhaust(FORMAT, make_keys, ss_formats[_i]);
}
END_TEST

static outcome_e judge(const void *secrets, apr_pool_t *from)
{
    return ss_keyring_judge(secrets, from) == NULL ? DONE : WRONG;
}

/* A cookie whose key is said to be none would be overwritten. */
static outcome_e check_key(const void *point, apr_pool_t *from)
{
    return ss_point_is_valid(point, from) ? DONE : WRONG;
}

static outcome_e make_point(const void *point, apr_pool_t *from)
{
    unsigned char made[SS_POINT_SIZE];
    static const unsigned char y[SS_FIELD_SIZE] = {
        0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e, 0x87, 0x2c, 0xdf,
        0xed, 0xb9, 0xee, 0xb9, 0xf4, 0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b,
        0x24, 0xad, 0x8a, 0x46, 0x23, 0x28, 0x85, 0x88, 0xe5, 0xad
    };

    return ss_point_of(made, (const unsigned char *)point + 1, y, from) ? DONE : WRONG;
}

START_TEST(keys_of_browsers)
{
    static const unsigned char point[SS_POINT_SIZE] = { 0x03, 0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6,
                                                        0xc4, 0x5d, 0x41, 0x83, 0xcb, 0xee, 0x6f,
                                                        0xdb, 0x4b, 0x7b, 0x58, 0x07, 0x33, 0x35,
                                                        0x7b, 0xe9, 0xef, 0x13, 0xba, 0xcf, 0x6e,
                                                        0x3c, 0x7b, 0xd1, 0x54, 0x45 };

    exhaust("ss_point_is_valid", check_key, point);
    exhaust("ss_point_of", make_point, point);
}
END_TEST

/* What a browser has signed, with its key in it. */
#define JWS                                                                                        \
    "eyJhbGciOiAiRVMyNTYiLCAidHlwIjogImRic2Mrand0IiwgImp3ayI6IHsia3R5IjogIkVDIiwgImNy"             \
    "diI6ICJQLTI1NiIsICJ4IjogIkd2eWo4eERVMTJ6UjRiOWZzeHBZX2dDWVJicm5uVVhhZ285MU1QdnBo"             \
    "YlUiLCAieSI6ICJLQ3dra1B5SGZhWF8xbWRibVZzSFd5cVo3ZFJZNDVXRkRKdjJJRHI4VlpzIn19.eyJ"             \
    "qdGkiOiAiQWJDLV85In0.RrDf1coM10WDmnxXizBTgAhmnhkedAitrlvKHyMTMvZ_pupcY17iOlM6ru4"             \
    "Xcwq0wP58KNWI4fv-aq5zcP-p4w"

static outcome_e read_jws(const void *text, apr_pool_t *from)
{
    ss_jws_t jws;

    if (ss_jws_read(&jws, ss_bytes_of(text), from) != NULL || !jws.has_key) {
        return WRONG;
    }
    return ss_jws_verify(&jws, jws.point) ? DONE : REFUSED;
}

/** What is made for a bound session, and its keys. */
typedef struct bound_t {
    const ss_keyring_t *keys;
    ss_stamp_t stamp;
} bound_t;

static outcome_e prove(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    const ss_proof_time_t time = { NOW, apr_time_from_sec(600), 0 };
    ss_bytes_t value;

    if (ss_proof_make(&value, &bound->stamp, bound->keys, NOW, from) != APR_SUCCESS) {
        return REFUSED;
    }
    return ss_proof_holds(value, &bound->stamp, bound->keys, &time, NULL, from) ? DONE : WRONG;
}

static outcome_e challenge(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    const ss_proof_time_t time = { NOW, 0, 0 };
    ss_bytes_t value;

    if (ss_challenge_make(&value, SS_CHALLENGE_REFRESH, &bound->stamp, bound->keys, NOW, from) !=
        APR_SUCCESS) {
        return REFUSED;
    }
    return ss_challenge_holds(value, SS_CHALLENGE_REFRESH, &bound->stamp, bound->keys, &time, from)
               ? DONE
               : WRONG;
}

static outcome_e identify(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    ss_stamp_t stamp;
    ss_bytes_t value;

    if (ss_identifier_make(&value, &bound->stamp, bound->keys, from) != APR_SUCCESS) {
        return REFUSED;
    }
    return ss_identifier_open(&stamp, value, bound->keys, from) ? DONE : WRONG;
}

START_TEST(bindings)
{
    const ss_sealing_t how = one("native");
    bound_t bound = { APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys, { .point = { 2, 1 } } };

    exhaust("ss_jws_read", read_jws, JWS);
    exhaust("proof", prove, &bound);
    exhaust("challenge", challenge, &bound);
    exhaust("identifier", identify, &bound);
}
END_TEST

START_TEST(judging_secrets)
{
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));
    ss_secret_t *secret = apr_array_push(secrets);

    secret->text = ss_bytes_of(SECRET_1);
    secret->origin = "a test";
    exhaust("ss_keyring_judge", judge, secrets);
}
END_TEST

/*
 * Cookies
 */

/* Long enough that zlib makes it shorter, and for more than one node of a pool. */
#define UNIT "\"0123456789\xc3\xa9\",{\"n\":1.50,\"t\":[true,null]},"
#define DOCUMENT                                                                                   \
    "{\"user\":\"Ann\",\"list\":[" UNIT UNIT UNIT UNIT UNIT UNIT UNIT UNIT "0],\"last\":{}}"
#define PATCH "{\"user\":null,\"list\":[1,{\"a\":\"b\"}],\"last\":{\"n\":{\"x\":1}}}"

/** A cookie and what opens it. */
typedef struct jar_t {
    ss_sealing_t how;
    ss_candidates_t found;
    const char *text;
} jar_t;

static jar_t filled_jar(const char *format, int encrypt, const char *text)
{
    jar_t jar = { .how = one(format), .text = text };
    ss_sealed_t cookie;

    apr_pool_abort_set(end_of_memory, pool); /* which the keys are in */
    jar.how.encrypt = encrypt;
    cookie = seal_text(text, &jar.how, NOW);
    jar.found = candidates(&cookie, 1);
    return jar;
}

/* A value, found without memory; absent when there is none. */
static ss_json_t json_of(const char *text)
{
    ss_json_t value;

    return ss_json_check(&value, ss_bytes_of(text), SS_JSON_STRICT, NULL) == APR_SUCCESS
               ? value
               : ss_json_absent;
}

static outcome_e open_jar(const void *jar_, apr_pool_t *from)
{
    const jar_t *jar = jar_;
    ss_opened_t source;
    ss_state_e state = ss_candidates_open(&source, &jar->found, &jar->how, NOW, from);

    relent();
    if (state != SS_VALID || source.format != ss_sealing_written(&jar->how)) {
        return WRONG; /* a valid cookie: whoever hears something else begins a new session */
    }
    return ss_json_equal(ss_session_json(source.session), json_of(jar->text), pool) ? DONE : WRONG;
}

/* With a memory for this attempt alone, which nobody has to give back. */
static outcome_e open_remembering(const void *jar_, apr_pool_t *from)
{
    jar_t jar = *(const jar_t *)jar_;

    jar.how.memory = ss_memory_create(from);
    return open_jar(&jar, from);
}

static outcome_e open_twice(const void *jar_, apr_pool_t *from)
{
    jar_t jar = *(const jar_t *)jar_;
    ss_opened_t source;

    jar.how.memory = ss_memory_create(from);
    if (ss_candidates_open(&source, &jar.found, &jar.how, NOW, from) != SS_VALID) {
        return WRONG;
    }
    return open_jar(&jar, from);
}

static outcome_e seal_jar(const void *jar_, apr_pool_t *from)
{
    const jar_t *jar = jar_;
    ss_session_t *session = ss_session_create(from), *again;
    ss_sealing_result_t result;
    apr_status_t rv;

    ss_session_replace(session, json_of(jar->text));
    rv = ss_sealing_seal(&result, session, &jar->how, NOW, from);
    relent();
    if (rv != APR_SUCCESS) {
        return result.cookie.value.data == NULL && result.cookie.companion.data == NULL &&
                       result.over == 0
                   ? REFUSED
                   : WRONG;
    }
    return open_one(&again, result.cookie, &jar->how, NOW) == SS_VALID &&
                   ss_json_equal(ss_session_json(again), json_of(jar->text), pool)
               ? DONE
               : WRONG;
}

START_TEST(cookies)
{
    static const char *const texts[] = { "{\"a\":1}", DOCUMENT };

    for (int encrypt = 0; encrypt <= HAS_TRAIT(SS_FORMAT_SECRECY); encrypt++) {
        for (int i = 0; i < COUNT(texts); i++) {
            jar_t jar = filled_jar(FORMAT, encrypt, texts[i]);

            exhaust("open", open_jar, &jar);
            exhaust("open and remember", open_remembering, &jar);
            exhaust("open what is remembered", open_twice, &jar);
            exhaust("seal", seal_jar, &jar);
        }
    }
}
END_TEST

/*
 * Changes
 */

typedef struct changing_t {
    const char *what;
    ss_change_e kind;
    const char *name, *value;
} changing_t;

/* clang-format off */
static const changing_t changings[] = {
    { "a member is set",        SS_CHANGE_SET,     "last",   "[1, {\"a\" : \"b\"}]" },
    { "a member is new",        SS_CHANGE_SET,     "n\"ew", "\"text\"" },
    { "a member goes",          SS_CHANGE_UNSET,   "list",   "" },
    { "members are updated",    SS_CHANGE_UPDATE,  "",       PATCH },
    { "a patch is merged",      SS_CHANGE_MERGE,   "",       PATCH },
    { "the document is new",    SS_CHANGE_REPLACE, "",       PATCH },
    { "the document stays",     SS_CHANGE_REPLACE, "",       DOCUMENT },
    { "the session ends",       SS_CHANGE_END,     "",       "" },
};
/* clang-format on */

/** A change, and the document that it leads to. */
typedef struct wanted_t {
    ss_change_t change;
    ss_bytes_t text;
} wanted_t;

static ss_session_t *loaded(apr_pool_t *from)
{
    static const ss_stamp_t stamp = { 1, 1, { 0 }, 1, { 0 } };
    ss_session_t *session;

    return ss_session_load(&session, ss_bytes_of(DOCUMENT), &stamp, from) == APR_SUCCESS ? session
                                                                                         : NULL;
}

static outcome_e change_copy(const void *wanted_, apr_pool_t *from)
{
    const wanted_t *wanted = wanted_;
    ss_session_t *before = loaded(from), *session = ss_session_copy(before, from);
    ss_change_t change = ss_change_copy(&wanted->change, from);
    int is_possible = ss_change_make(session, &change);
    ss_bytes_t text = ss_session_text(session);

    ss_session_view(session);
    relent();
    return is_possible && ss_bytes_equal(text, wanted->text) &&
                   ss_bytes_equal(ss_session_text(before), ss_bytes_of(DOCUMENT))
               ? DONE
               : WRONG;
}

static outcome_e take_back(const void *wanted_, apr_pool_t *from)
{
    const wanted_t *wanted = wanted_;
    ss_draft_t *draft = ss_draft_create(loaded(from), ss_bytes_of("user"), from);

    ss_draft_make(draft, &wanted->change);
    ss_draft_revert(draft);
    relent();
    return !ss_session_is_changed(ss_draft_session(draft)) &&
                   ss_bytes_equal(ss_session_text(ss_draft_session(draft)), ss_bytes_of(DOCUMENT))
               ? DONE
               : WRONG;
}

START_TEST(changes)
{
    const changing_t *row = &changings[_i];
    ss_session_t *session = loaded(pool);
    wanted_t wanted = { { row->kind, ss_bytes_of(row->name), json_of(row->value) }, { NULL, 0 } };

    ck_assert_msg(ss_change_make(session, &wanted.change), "%s", row->what);
    wanted.text = ss_session_text(session);
    exhaust(row->what, change_copy, &wanted);
    exhaust(row->what, take_back, &wanted);
}
END_TEST

/*
 * What else a request goes through
 */

static outcome_e check_input(const void *text, apr_pool_t *from)
{
    ss_json_error_t error;

    return ss_json_check_input(NULL, ss_bytes_of(text), &error, from) == APR_SUCCESS ? DONE : WRONG;
}

static outcome_e compact(const void *text, apr_pool_t *from)
{
    ss_json_t ascii = ss_json_compact(json_of(text), SS_JSON_ASCII_AND_FINITE, from);

    relent();
    return ss_json_equal(ascii, json_of(text), pool) ? DONE : WRONG;
}

static outcome_e look_up(const void *text, apr_pool_t *from)
{
    ss_json_t item = ss_json_at(json_of(text), ss_bytes_of("list.1.t"), from);

    return ss_bytes_equal(item.raw, ss_bytes_of("[true,null]")) ? DONE : WRONG;
}

static outcome_e pack(const void *text, apr_pool_t *from)
{
    ss_bytes_t packed, again;

    if (ss_deflate(&packed, ss_bytes_of(text), from) != APR_SUCCESS) {
        return packed.data == NULL ? REFUSED : WRONG;
    }
    if (ss_inflate(&again, packed, from) != APR_SUCCESS) {
        return again.data == NULL ? REFUSED : WRONG;
    }
    return ss_bytes_equal(again, ss_bytes_of(text)) ? DONE : WRONG;
}

static outcome_e strip(const void *text, apr_pool_t *from)
{
    const char *left =
        ss_cookie_strip("a=1; session=2; b=3; session=4", "session", NULL, NULL, from);

    (void)text;
    return strcmp(left, "a=1; b=3") == 0 ? DONE : WRONG;
}

static outcome_e print_cookie(const void *text, apr_pool_t *from)
{
    static const char *const words[] = { "name", "Path=/x", "Domain=example.org", "Priority=High" };
    ss_cookie_t cookie;
    const char *line;

    (void)text;
    if (ss_cookie_option_parse(&cookie, COUNT(words), words, from) != NULL) {
        return WRONG;
    }
    line = ss_cookie_print(&cookie, ss_bytes_of("value"), 60, 1, from);
    return strncmp(line, "name=value; ", 12) == 0 &&
                   ss_cookie_is_deletion(ss_cookie_print_deletion(&cookie, 1, from), NOW)
               ? DONE
               : WRONG;
}

static outcome_e join_fields(const void *text, apr_pool_t *from)
{
    const char *list = ss_field_join("public, max-age=60", "s-maxage=3", from);

    (void)text;
    return strcmp(ss_field_private(list, from), "private, max-age=60") == 0 ? DONE : WRONG;
}

static outcome_e read_form(const void *text, apr_pool_t *from)
{
    apr_array_header_t *fields;
    const char *why;

    (void)text;
    if (ss_form_parse(&fields, &why, ss_bytes_of("a=1&b=%41+c&d"), from) != APR_SUCCESS) {
        return WRONG;
    }
    return fields->nelts == 3 ? DONE : WRONG;
}

static const struct {
    const char *what;
    operation_fn *run;
} others[] = {
    { "input is checked", check_input },       { "JSON becomes ASCII", compact },
    { "a path is followed", look_up },         { "packed and unpacked", pack },
    { "our cookies are taken out", strip },    { "a cookie is printed", print_cookie },
    { "a list becomes private", join_fields }, { "a form is read", read_form },
};

START_TEST(other_work)
{
    exhaust(others[_i].what, others[_i].run, DOCUMENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allocation");
    TCase *tcase = unit_case(suite, "memory that runs out");

    /* Check's four seconds are over where others work on the machine, too: each test runs once for
     * every allocation that it makes */
    tcase_set_timeout(tcase, SECONDS_MAX);
    tcase_add_test(tcase, the_seam_is_seen);
    tcase_add_loop_test(tcase, keys, 0, formats_count());
    tcase_add_test(tcase, keys_of_browsers);
    tcase_add_test(tcase, bindings);
    tcase_add_test(tcase, judging_secrets);
    tcase_add_loop_test(tcase, cookies, 0, formats_count());
    tcase_add_loop_test(tcase, changes, 0, COUNT(changings));
    tcase_add_loop_test(tcase, other_work, 0, COUNT(others));
    return unit_run(suite);
}
