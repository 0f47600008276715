/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/lifetime.h"
#include "lib/revocation.h"

#define ID "000102030405060708090a0b0c0d0e0f"
#define OTHER_ID "ff0102030405060708090a0b0c0d0e0f"
#define NOW apr_time_from_sec(1000)

static const unsigned char key[16] = "an unlikely key";

/*
 * Lines
 */

/* clang-format off */
static const struct {
    const char *what, *text;
    ss_revoked_e kind;
    const char *value; /* NULL: none. An id as it is in the text */
    apr_int64_t before, until;
    const char *printed; /* NULL: as it was */
} lines[] = {
    { "an id",               "id " ID " 2000",                  SS_REVOKED_ID,      ID,         0,    2000, NULL },
    { "in capitals",         "id 0001020304050607080" "90A0B0C0D0E0F 2000", SS_REVOKED_ID, ID,  0,    2000, "id " ID " 2000" },
    { "a subject",           "subject alice 900 2000",          SS_REVOKED_SUBJECT, "alice",    900,  2000, NULL },
    { "an address",          "subject a.b+c@example.org 9 10",  SS_REVOKED_SUBJECT, "a.b+c@example.org", 9, 10, NULL },
    { "encoded",             "subject a%20b%25%0a%c3%ab 1 2",   SS_REVOKED_SUBJECT, "a b%\n\xc3\xab", 1, 2, NULL },
    { "encoded needlessly",  "subject %61%6C 1 2",              SS_REVOKED_SUBJECT, "al",       1,    2,    "subject al 1 2" },
    { "not encoded",         "subject Zo\xc3\xab\"* 1 2",       SS_REVOKED_SUBJECT, "Zo\xc3\xab\"*", 1, 2, "subject Zo%c3%ab%22%2a 1 2" },
    { "a comment's sign",    "subject #1 1 2",                  SS_REVOKED_SUBJECT, "#1",       1,    2,    "subject %231 1 2" },
    { "everybody",           "all 900 2000",                    SS_REVOKED_ALL,     NULL,       900,  2000, NULL },
    { "blanks",              " all\t900  2000 \r",              SS_REVOKED_ALL,     NULL,       900,  2000, "all 900 2000" },
    { "one that is replaced", "replaced " ID " 900 2000",        SS_REVOKED_REPLACED, ID,        900,  2000, NULL },
    { "zeros",               "all 0 0",                         SS_REVOKED_ALL,     NULL,       0,    0,    NULL },
    { "the latest time",     "all 1099511627775 1099511627775", SS_REVOKED_ALL,     NULL,       SS_REVOCATION_TIME_MAX, SS_REVOCATION_TIME_MAX, NULL },
};

static const struct {
    const char *what, *text;
    apr_status_t rv;
} no_lines[] = {
    { "nothing",                 "",                          APR_NOTFOUND },
    { "blanks",                  " \t\r",                     APR_NOTFOUND },
    { "a comment",               "# all 1 2",                 APR_NOTFOUND },
    { "another word",            "user alice 1 2",            APR_EINVAL },
    { "another case",            "All 1 2",                   APR_EINVAL },
    { "a word that begins so",   "ids " ID " 2000",           APR_EINVAL },
    { "an id without a time",    "id " ID,                    APR_EINVAL },
    { "an id with two",          "id " ID " 1 2",             APR_EINVAL },
    { "a short id",              "id 00 2",                   APR_EINVAL },
    { "replaced with one time",  "replaced " ID " 2000",      APR_EINVAL },
    { "replaced, and no id",     "replaced alice 900 2000",   APR_EINVAL },
    { "a long id",               "id " ID "00 2",             APR_EINVAL },
    { "no digit",                "id 000102030405060708090a0b0c0d0e0g 2", APR_EINVAL },
    { "a subject without",       "subject 1 2",               APR_EINVAL },
    { "with one time",           "subject alice 2",           APR_EINVAL },
    { "with three",              "subject alice 1 2 3",       APR_EINVAL },
    { "half a percent",          "subject a%2 1 2",           APR_EINVAL },
    { "no percent",              "subject a%zz 1 2",          APR_EINVAL },
    { "a percent alone",         "subject % 1 2",             APR_EINVAL },
    { "a control character",     "subject a\x01 1 2",         APR_EINVAL },
    { "all without",             "all",                       APR_EINVAL },
    { "with one",                "all 1",                     APR_EINVAL },
    { "a sign",                  "all -1 2",                  APR_EINVAL },
    { "a fraction",              "all 1.5 2",                 APR_EINVAL },
    { "too late",                "all 1 1099511627776",       APR_EINVAL },
    { "much too late",           "all 1 99999999999999999999", APR_EINVAL },
};
/* clang-format on */

static char room[SS_REVOCATION_SUBJECT_MAX];

START_TEST(test_what_a_line_says)
{
    ss_revocation_line_t line;
    const char *printed = lines[_i].printed == NULL ? lines[_i].text : lines[_i].printed;
    ss_bytes_t text, value = ss_absent;

    if (lines[_i].value != NULL) {
        value = lines[_i].kind == SS_REVOKED_SUBJECT ? ss_bytes_of(lines[_i].value)
                                                     : unhex(lines[_i].value);
    }
    ck_assert_msg(ss_revocation_parse(&line, exact_of(lines[_i].text), room) == APR_SUCCESS, "%s",
                  lines[_i].what);
    ck_assert_int_eq(line.kind, lines[_i].kind);
    ck_assert_int_eq(line.before, lines[_i].before);
    ck_assert_int_eq(line.until, lines[_i].until);
    assert_bytes(line.value, value, lines[_i].what);
    ck_assert_int_eq(ss_revocation_print(&text, &line, pool), APR_SUCCESS);
    assert_bytes(text, ss_bytes_of(apr_pstrcat(pool, printed, "\n", NULL)), lines[_i].what);
}
END_TEST

START_TEST(test_what_is_no_line)
{
    ss_revocation_line_t line;

    ck_assert_msg(ss_revocation_parse(&line, exact_of(no_lines[_i].text), room) == no_lines[_i].rv,
                  "%s", no_lines[_i].what);
}
END_TEST

START_TEST(test_the_longest_subject)
{
    const ss_bytes_t longest = ss_bytes_of(nested(SS_REVOCATION_SUBJECT_MAX, "\xff", "", ""));
    ss_revocation_line_t line = { SS_REVOKED_SUBJECT, longest, SS_REVOCATION_TIME_MAX,
                                  SS_REVOCATION_TIME_MAX };
    ss_bytes_t text;

    ck_assert_int_eq(ss_revocation_print(&text, &line, pool), APR_SUCCESS);
    ck_assert_uint_le(text.len, SS_REVOCATION_LINE_MAX);
    ck_assert_int_eq(ss_revocation_parse(&line, exact(text.data, text.len - 1), room), APR_SUCCESS);
    assert_bytes(line.value, longest, "the value");
    ck_assert_int_eq(
        ss_revocation_parse(
            &line, exact_of(apr_psprintf(pool, "subject x%.*s", (int)text.len - 9, text.data + 8)),
            room),
        APR_EINVAL);
    line.value = ss_bytes_of(nested(SS_REVOCATION_SUBJECT_MAX + 1, "x", "", ""));
    ck_assert_int_eq(ss_revocation_print(&text, &line, pool), APR_EINVAL);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    ss_revocation_line_t line;
} unprintable[] = {
    { "no id",         { SS_REVOKED_ID,      { NULL, 0 },    0,  1 } },
    { "a short id",    { SS_REVOKED_ID,      { "short", 5 }, 0,  1 } },
    { "no subject",    { SS_REVOKED_SUBJECT, { NULL, 0 },    1,  1 } },
    { "an empty one",  { SS_REVOKED_SUBJECT, { "", 0 },      1,  1 } },
    { "before 1970",   { SS_REVOKED_ALL,     { NULL, 0 },    -1, 1 } },
    { "until then",    { SS_REVOKED_ALL,     { NULL, 0 },    1,  -1 } },
    { "too late",      { SS_REVOKED_ALL,     { NULL, 0 },    1,  SS_REVOCATION_TIME_MAX + 1 } },
};
/* clang-format on */

START_TEST(test_what_cannot_be_written)
{
    ss_bytes_t text;

    ck_assert_msg(ss_revocation_print(&text, &unprintable[_i].line, pool) == APR_EINVAL, "%s",
                  unprintable[_i].what);
    ck_assert_ptr_null(text.data);
}
END_TEST

/*
 * Sets
 */

static ss_revocation_count_t count;

static apr_status_t end_set(void *set)
{
    ss_revocation_destroy(set);
    return APR_SUCCESS;
}

/* It ends with the test. */
static ss_revocation_t *new_set(apr_uint32_t limit)
{
    ss_revocation_t *set = ss_revocation_create(key, limit, pool);

    apr_pool_cleanup_register(pool, set, end_set, apr_pool_cleanup_null);
    return set;
}

static ss_revocation_t *set_of(const char *text, apr_time_t now)
{
    ss_revocation_t *set = new_set(SS_REVOCATION_MAX);

    memset(&count, 0, sizeof(count));
    ck_assert_int_eq(ss_revocation_read(set, exact_of(text), now, &count), APR_SUCCESS);
    return set;
}

static int covers(const ss_revocation_t *set, const char *id, const char *subject,
                  apr_int64_t created, apr_time_t now)
{
    ss_revocable_t session = { id == NULL ? NULL : (const unsigned char *)unhex(id).data,
                               subject == NULL ? ss_absent : exact_of(subject), created, 0 };

    return ss_revocation_covers(set, &session, now);
}

/* clang-format off */
static const struct {
    const char *what, *text, *id, *subject;
    apr_int64_t created;
    int now, want;
} covered[] = {
    { "nothing is said",              "",                          ID,   "alice", 100, 1000, 0 },
    { "its id",                       "id " ID " 2000",            ID,   "alice", 100, 1000, 1 },
    { "its id, whenever it began",    "id " ID " 2000",            ID,   NULL, SS_NO_TIME, 1000, 1 },
    { "another id",                   "id " OTHER_ID " 2000",      ID,   "alice", 100, 1000, 0 },
    { "it has no id",                 "id 00000000000000000000000000000000 2000", NULL, "alice", 100, 1000, 0 },
    { "in the last second",           "id " ID " 2000",            ID,   "alice", 100, 2000, 1 },
    { "after it",                     "id " ID " 2000",            ID,   "alice", 100, 2001, 0 },
    { "its subject, before",          "subject alice 900 2000",    ID,   "alice", 899, 1000, 1 },
    { "its subject, in that second",  "subject alice 900 2000",    ID,   "alice", 900, 1000, 1 },
    { "its subject, later",           "subject alice 900 2000",    ID,   "alice", 901, 1000, 0 },
    { "its subject, no time",         "subject alice 900 2000",    NULL, "alice", SS_NO_TIME, 1000, 0 },
    { "its subject, no id",           "subject alice 900 2000",    NULL, "alice", 100, 1000, 1 },
    { "its subject, past",            "subject alice 900 2000",    ID,   "alice", 100, 2001, 0 },
    { "another subject",              "subject alice 900 2000",    ID,   "bob",   100, 1000, 0 },
    { "a longer one",                 "subject alice 900 2000",    ID,   "alice2", 100, 1000, 0 },
    { "nobody",                       "subject alice 900 2000",    ID,   NULL,    100, 1000, 0 },
    { "nobody, by an empty text",     "subject alice 900 2000",    ID,   "",      100, 1000, 0 },
    { "everybody, before",            "all 900 2000",              ID,   "alice", 900, 1000, 1 },
    { "everybody, nobody, too",       "all 900 2000",              NULL, NULL,    900, 1000, 1 },
    { "everybody, later",             "all 900 2000",              ID,   "alice", 901, 1000, 0 },
    { "everybody, no time",           "all 900 2000",              NULL, NULL, SS_NO_TIME, 1000, 0 },
    { "everybody, past",              "all 900 2000",              ID,   "alice", 100, 2001, 0 },
    { "a subject that looks like an id", "subject %00%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f 900 2000", ID, "alice", 100, 1000, 0 },
    { "an id that is a subject's text",  "id 61616161616161616161616161616161 2000", NULL, "aaaaaaaaaaaaaaaa", 100, 1000, 0 },
    { "the later of two, first",      "subject alice 900 2000\nsubject alice 800 1500", ID, "alice", 850, 1800, 1 },
    { "the later of two, second",     "subject alice 800 1500\nsubject alice 900 2000", ID, "alice", 850, 1800, 1 },
    { "the later of each",            "subject alice 800 2000\nsubject alice 900 1500", ID, "alice", 850, 1800, 1 },
    { "all and subject",              "all 800 2000\nsubject alice 900 2000", ID, "alice", 850, 1000, 1 },
    { "subject and all",              "subject alice 800 2000\nall 900 2000", ID, "alice", 850, 1000, 1 },
    { "it is replaced, a moment ago",  "replaced " ID " 1001 2000", ID, "alice", 100, 1000, 0 },
    { "it was replaced",              "replaced " ID " 1000 2000", ID, "alice", 100, 1000, 1 },
    { "it was replaced, whenever it began", "replaced " ID " 1000 2000", ID, NULL, SS_NO_TIME, 1000, 1 },
    { "another one was replaced",     "replaced " OTHER_ID " 900 2000", ID, "alice", 100, 1000, 0 },
    { "it is replaced, and has ended", "replaced " ID " 1500 2000\nid " ID " 2000", ID, "alice", 100, 1000, 1 },
    { "among others",                 "nonsense\n\n# all 5000 5000\nid " OTHER_ID " 2000\r\nid " ID " 2000\nmore", ID, NULL, 100, 1000, 1 },
    { "a line without its end",       "id " ID " 2000",            ID,   NULL,    100, 1000, 1 },
};
/* clang-format on */

START_TEST(test_what_is_covered)
{
    const ss_revocation_t *set = set_of(covered[_i].text, apr_time_from_sec(950));

    ck_assert_msg(covers(set, covered[_i].id, covered[_i].subject, covered[_i].created,
                         apr_time_from_sec(covered[_i].now)) == covered[_i].want,
                  "%s", covered[_i].what);
}
END_TEST

START_TEST(test_what_is_replaced_is_known_as_such)
{
    const ss_revocation_t *set = set_of("replaced " ID " 1001 2000\n", apr_time_from_sec(950));
    ss_revocable_t session = { (const unsigned char *)unhex(ID).data, ss_absent, 100, 0 };

    ck_assert(!ss_revocation_covers(set, &session, apr_time_from_sec(1000)));
    ck_assert(session.is_replaced);
    ck_assert(ss_revocation_covers(set, &session, apr_time_from_sec(1001)));
    ck_assert(!session.is_replaced);
    session.id = (const unsigned char *)unhex(OTHER_ID).data;
    ck_assert(!ss_revocation_covers(set, &session, apr_time_from_sec(1000)));
    ck_assert(!session.is_replaced);
}
END_TEST

START_TEST(test_what_is_past_is_replaced)
{
    ss_revocation_t *set = set_of("subject alice 9999 1000\nall 9999 1000\n", NOW);
    const char *later = "subject alice 1500 3000\nall 1400 3000\n";

    ck_assert(covers(set, NULL, "alice", 9999, NOW));
    ck_assert_int_eq(ss_revocation_read(set, exact_of(later), apr_time_from_sec(2000), &count),
                     APR_SUCCESS);
    ck_assert_int_eq(ss_revocation_earliest(set, ss_bytes_of("alice"), apr_time_from_sec(2000)),
                     1501);
    ck_assert_int_eq(ss_revocation_earliest(set, ss_absent, apr_time_from_sec(2000)), 1401);
}
END_TEST

/* clang-format off */
static const struct {
    const char *text, *subject;
    apr_int64_t want;
} earliest[] = {
    { "",                                        "alice", 0 },
    { "subject alice 900 2000\n",                "alice", 901 },
    { "subject alice 900 2000\n",                "bob",   0 },
    { "subject alice 900 2000\n",                NULL,    0 },
    { "subject alice 900 2000\nall 950 2000\n",  "alice", 951 },
    { "subject alice 900 2000\nall 850 2000\n",  "alice", 901 },
    { "subject alice 900 2000\nall 850 2000\n",  NULL,    851 },
    { "subject alice 900 999\nall 850 999\n",    "alice", 0 },
    { "all 0 2000\n",                            NULL,    1 },
};
/* clang-format on */

/* Whoever begins at the earliest is not revoked, and a second before that is. */
START_TEST(test_when_a_new_session_may_begin)
{
    const ss_revocation_t *set = set_of(earliest[_i].text, 0);
    ss_bytes_t subject =
        earliest[_i].subject == NULL ? ss_absent : ss_bytes_of(earliest[_i].subject);
    apr_int64_t got = ss_revocation_earliest(set, subject, NOW);

    ck_assert_int_eq(got, earliest[_i].want);
    ck_assert(!covers(set, ID, earliest[_i].subject, got, NOW));
    ck_assert(got == 0 || covers(set, ID, earliest[_i].subject, got - 1, NOW));
}
END_TEST

/* clang-format off */
static const struct {
    const char *text, *subject;
    apr_int64_t want;
} latest[] = {
    { "",                                         NULL,    0 },
    { "id " ID " 2000\n",                         NULL,    0 },
    { "subject alice 900 999\n",                  NULL,    0 },
    { "subject alice 900 2000\n",                 NULL,    901 },
    { "subject alice 900 2000\nall 850 2000\n",   NULL,    901 },
    { "subject alice 900 2000\nall 950 2000\n",   NULL,    951 },
    { "subject alice 900 2000\nsubject bob 800 2000\n", NULL, 901 },
    { "subject alice 900 2000\n",                 "alice", 901 },
    { "subject alice 900 2000\n",                 "bob",   0 },
};
/* clang-format on */

/* A line that says this reaches whoever began at the earliest. */
START_TEST(test_what_the_next_line_must_say_at_least)
{
    ss_bytes_t subject = latest[_i].subject == NULL ? ss_absent : ss_bytes_of(latest[_i].subject);

    ck_assert_int_eq(ss_revocation_latest(set_of(latest[_i].text, NOW), subject, NOW),
                     latest[_i].want);
}
END_TEST

START_TEST(test_counting)
{
    ss_revocation_t *set = set_of("all 1 2000\n\n# x\nid " ID " 999\nwhat\nid 00 1\nall 5", NOW);

    ck_assert_uint_eq(count.lines, 2);
    ck_assert_uint_eq(count.past, 1);
    ck_assert_uint_eq(count.unknown, 2);
    ck_assert_uint_eq(count.read, strlen("all 1 2000\n\n# x\nid " ID " 999\nwhat\nid 00 1\n"));
    ck_assert_uint_eq(ss_revocation_size(set), 1);
}
END_TEST

/* Whatever a reader sees of a line that is being written, nothing is revoked by it that the whole
 * line does not revoke. */
START_TEST(test_a_text_may_come_in_any_pieces)
{
    const char *text = "subject alice 900 2000\nid " ID " 2000\nall 500 2000\n";
    apr_size_t len = strlen(text);

    for (apr_size_t cut = 0; cut <= len; cut++) {
        ss_revocation_t *set = new_set(SS_REVOCATION_MAX);

        memset(&count, 0, sizeof(count));
        ck_assert_int_eq(ss_revocation_read(set, exact(text, cut), NOW, &count), APR_SUCCESS);
        ck_assert_uint_le(count.read, cut);
        ck_assert(!covers(set, NULL, "alice", 901, NOW));
        ck_assert(!covers(set, NULL, NULL, 501, NOW));
        ck_assert(!covers(set, OTHER_ID, NULL, 501, NOW));
        ck_assert_int_eq(
            ss_revocation_read(set, exact(text + count.read, len - count.read), NOW, &count),
            APR_SUCCESS);
        ck_assert_uint_eq(count.read, len);
        ck_assert_uint_eq(count.lines, 3);
        ck_assert_uint_eq(count.unknown, 0);
        assert_bytes(ss_revocation_text(set, NOW, pool),
                     ss_bytes_of("all 500 2000\nsubject alice 900 2000\nid " ID " 2000\n"),
                     "all of it");
    }
}
END_TEST

static void add_subject(ss_revocation_t *set, unsigned number, apr_int64_t until, apr_status_t want)
{
    char text[16];
    ss_revocation_line_t line = { SS_REVOKED_SUBJECT, ss_absent, 500, until };

    apr_snprintf(text, sizeof(text), "user%u", number);
    line.value = ss_bytes_of(text);
    ck_assert_int_eq(ss_revocation_add(set, &line, NOW), want);
}

#define MANY 10000u

START_TEST(test_many)
{
    ss_revocation_t *set = set_of("", NOW);

    for (unsigned i = 0; i < MANY; i++) {
        add_subject(set, i, i % 4 == 0 ? 1500 : 3000, APR_SUCCESS);
    }
    ck_assert_uint_eq(ss_revocation_size(set), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        const char *user = apr_psprintf(pool, "user%u", i);

        ck_assert(covers(set, NULL, user, 500, NOW));
        ck_assert(!covers(set, NULL, user, 501, NOW));
        ck_assert_int_eq(covers(set, NULL, user, 500, apr_time_from_sec(2000)), i % 4 != 0);
        ck_assert(!covers(set, NULL, apr_psprintf(pool, "%u", i), 500, NOW));
    }
    ck_assert_uint_eq(ss_revocation_drop(set, apr_time_from_sec(2000)), MANY / 4);
    ck_assert_uint_eq(ss_revocation_drop(set, apr_time_from_sec(2000)), 0);
    ck_assert_uint_eq(ss_revocation_size(set), MANY - MANY / 4);
    ck_assert(covers(set, NULL, "user1", 500, apr_time_from_sec(2000)));
    ck_assert_uint_eq(ss_revocation_drop(set, apr_time_from_sec(4000)), MANY - MANY / 4);
    add_subject(set, 1, 5000, APR_SUCCESS);
    ck_assert(covers(set, NULL, "user1", 500, NOW));
}
END_TEST

/* A child makes one each second, as long as it lives, and other threads use its pool meanwhile. */
START_TEST(test_nothing_of_it_is_in_the_pool)
{
    const ss_revocation_line_t line = { SS_REVOKED_SUBJECT, { "alice", 5 }, 900, 2000 };
    const char *before = apr_palloc(pool, 8), *after;

    for (int i = 0; i < 3; i++) {
        ss_revocation_t *set = ss_revocation_create(key, SS_REVOCATION_MAX, pool);

        ck_assert_int_eq(ss_revocation_add(set, &line, NOW), APR_SUCCESS);
        ss_revocation_destroy(set);
    }
    after = apr_palloc(pool, 8);
    ck_assert(after > before && after - before < 100);
}
END_TEST

START_TEST(test_there_is_a_limit)
{
    ss_revocation_t *set = new_set(100);
    ss_revocation_line_t line = { SS_REVOKED_ALL, ss_absent, 5, 3000 };

    for (unsigned i = 0; i < 100; i++) {
        add_subject(set, i, i < 10 ? 1000 : 3000, APR_SUCCESS);
    }
    add_subject(set, 100, 3000, APR_ENOSPC);
    ck_assert(!covers(set, NULL, "user100", 500, NOW));
    ck_assert(covers(set, NULL, "user99", 500, NOW));
    memset(&count, 0, sizeof(count));
    ck_assert_int_eq(ss_revocation_read(
                         set, exact_of("id " ID " 999\nid " ID " 3000\nall 5 3000\n"), NOW, &count),
                     APR_ENOSPC);
    ck_assert_uint_eq(count.read, strlen("id " ID " 999\n"));
    ck_assert(!covers(set, ID, NULL, 5, NOW));
    add_subject(set, 99, 4000, APR_SUCCESS); /* one that is there */
    add_subject(set, 100, 999, APR_SUCCESS); /* one that holds no longer */
    ck_assert_int_eq(ss_revocation_add(set, &line, NOW), APR_SUCCESS);
    /* what is past makes room */
    line = (ss_revocation_line_t){ SS_REVOKED_SUBJECT, ss_bytes_of("new"), 5, 3000 };
    ck_assert_int_eq(ss_revocation_add(set, &line, apr_time_from_sec(1001)), APR_SUCCESS);
    ck_assert_uint_eq(ss_revocation_size(set), 92);
}
END_TEST

START_TEST(test_merging)
{
    ss_revocation_t *set = set_of("all 5 2000\nid " ID " 2000\nsubject alice 9 2000\n", NOW);
    const ss_revocation_t *other =
        set_of("all 4 1500\nid " OTHER_ID " 2000\nsubject alice 10 1500\nsubject bob 5 1200\n", 0);
    apr_size_t lacked;

    ck_assert_int_eq(ss_revocation_merge(set, other, apr_time_from_sec(1300), &lacked),
                     APR_SUCCESS);
    ck_assert_uint_eq(lacked, 2); /* the other id, and alice; bob's is past */
    assert_bytes(
        ss_revocation_text(set, apr_time_from_sec(1300), pool),
        ss_bytes_of("all 5 2000\nid " ID " 2000\nsubject alice 10 2000\nid " OTHER_ID " 2000\n"),
        "both");
    ck_assert_int_eq(ss_revocation_merge(set, other, apr_time_from_sec(1300), &lacked),
                     APR_SUCCESS);
    ck_assert_uint_eq(lacked, 0);
    ck_assert_int_eq(ss_revocation_merge(set, other, NOW, &lacked), APR_SUCCESS);
    ck_assert_uint_eq(lacked, 1);
    set = new_set(1);
    ck_assert_int_eq(ss_revocation_merge(set, other, NOW, &lacked), APR_ENOSPC);
    assert_bytes(ss_revocation_text(set_of("", NOW), NOW, pool), ss_bytes_of(""), "nothing");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("revocation");
    TCase *text = unit_case(suite, "lines"), *sets = unit_case(suite, "sets");

    tcase_add_loop_test(text, test_what_a_line_says, 0, COUNT(lines));
    tcase_add_loop_test(text, test_what_is_no_line, 0, COUNT(no_lines));
    tcase_add_test(text, test_the_longest_subject);
    tcase_add_loop_test(text, test_what_cannot_be_written, 0, COUNT(unprintable));

    tcase_add_loop_test(sets, test_what_is_covered, 0, COUNT(covered));
    tcase_add_test(sets, test_what_is_replaced_is_known_as_such);
    tcase_add_test(sets, test_what_is_past_is_replaced);
    tcase_add_loop_test(sets, test_when_a_new_session_may_begin, 0, COUNT(earliest));
    tcase_add_loop_test(sets, test_what_the_next_line_must_say_at_least, 0, COUNT(latest));
    tcase_add_test(sets, test_counting);
    tcase_add_test(sets, test_a_text_may_come_in_any_pieces);
    tcase_add_test(sets, test_many);
    tcase_add_test(sets, test_nothing_of_it_is_in_the_pool);
    tcase_add_test(sets, test_there_is_a_limit);
    tcase_add_test(sets, test_merging);

    return unit_run(suite);
}
