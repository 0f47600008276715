/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/keyring.h"

#include <apr_atomic.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define DIFFERENT_MIN 8 /* fewer different bytes than this are no secret */
#define UNIT_MAX 8      /* nor is a unit of at most this many bytes, again and again */

/* What documentation, tutorials and generators of projects write where a secret belongs, without
 * case and punctuation. */
/* clang-format off */
static const char *const known_texts[] = {
    "changeme", "changethis", "changethissecret", "changethisinproduction",
    "pleasechangeme", "replaceme", "replacethis", "replacewithyoursecret",
    "fixme", "todo", "placeholder", "default", "example", "examplekey", "examplesecret",
    "insertsecrethere", "putyoursecrethere", "putyoursecretkeyhere", "yoursecrethere",
    "yoursecret", "yoursecretkey", "yoursecretkeyhere", "yoursupersecretkey",
    "your256bitsecret", "astringsecretatleast256bitslong",
    "secret", "secretkey", "secretsecret", "somesecret", "mysecret", "mysecretkey", "mysupersecret",
    "mysupersecretkey", "supersecret", "supersecretkey", "topsecret", "topsecretkey",
    "verysecret", "verysecretkey", "notsosecret", "notasecret", "thisisasecret",
    "thisisasecretkey", "thisisnotasecret", "shhhh", "shhhhh",
    "sessionsecret", "sessionkey", "cookiesecret", "signingkey", "signedsessionsecret",
    "password", "passphrase", "letmein", "admin", "keyboardcat", "hunter2",
    "dev", "devkey", "development", "developmentkey", "donotuseinproduction", "insecure",
    "djangoinsecure", "test", "testing", "testkey", "testsecret",
    "qwerty", "qwertyuiop", "qwertyuiopasdfghjklzxcvbnm",
    "0123456789", "1234567890", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz",
    "abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz123456",
    "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz1234567890",
    /* printed whole in the tutorials of web frameworks */
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
};
/* clang-format on */

/* Words with which a text says itself that it is no secret: an example file's, a generator's. A
 * random text may hold one by accident, and is then refused: of 43 letters and digits of base64 (as
 * ssctl keygen prints, whose `-` and `_` can only shorten it) one in 350 million, because a place
 * begins a word of seven letters, in any case, with (2/62)^7, there are two of them and at most 37
 * places, and longer words add less than a tenth. Of 43 lower-case letters it is one in 100
 * million; of hexadecimal digits never. No shorter word may stand here: each letter less makes it
 * thirty times likelier. */
static const char *const telling_words[] = {
    "changeme", "changethis", "changeit",    "replace", "yoursecret",
    "donotuse", "insecure",   "placeholder", "example",
};

/* Is `plain` this word, whole and perhaps padded with one character, or again and again? */
static int is_made_of(const char *plain, apr_size_t len, const char *word)
{
    apr_size_t word_len = strlen(word);
    int padded = 1, repeated = 1;

    if (len < word_len || memcmp(plain, word, word_len) != 0) {
        return 0;
    }
    for (apr_size_t i = word_len; i < len; i++) {
        padded = padded && plain[i] == plain[word_len];
        repeated = repeated && plain[i] == plain[i - word_len];
    }
    return padded || repeated;
}

static int contains(const char *plain, apr_size_t len, const char *word)
{
    apr_size_t word_len = strlen(word);

    for (apr_size_t at = 0; at + word_len <= len; at++) {
        if (memcmp(plain + at, word, word_len) == 0) {
            return 1;
        }
    }
    return 0;
}

typedef int is_fn(const char *plain, apr_size_t len, const char *word);

/* Is one of the words so, for `text` without case and punctuation? */
static int is_any(is_fn *is, const char *const words[], apr_size_t count, ss_bytes_t text,
                  apr_pool_t *pool)
{
    char *plain = apr_palloc(pool, text.len);
    apr_size_t len = 0;
    int found = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        if (apr_isalnum(text.data[i])) {
            plain[len++] = apr_tolower(text.data[i]);
        }
    }
    for (apr_size_t i = 0; !found && i < count; i++) {
        found = is(plain, len, words[i]);
    }
    ss_wipe(plain, text.len);
    return found;
}

static int is_known(ss_bytes_t text, apr_pool_t *pool)
{
    return is_any(is_made_of, known_texts, sizeof(known_texts) / sizeof(known_texts[0]), text,
                  pool);
}

static int says_so_itself(ss_bytes_t text, apr_pool_t *pool)
{
    return is_any(contains, telling_words, sizeof(telling_words) / sizeof(telling_words[0]), text,
                  pool);
}

static int different_bytes(ss_bytes_t text)
{
    char seen[256] = { 0 };
    int count = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        char *byte = &seen[(unsigned char)text.data[i]];

        count += !*byte;
        *byte = 1;
    }
    return count;
}

/* For `text` of at least SS_SECRET_MIN bytes. Only the longest unit is looked for: units of 1, 2
 * and 4 bytes repeat at its length as well, others have too few different bytes. */
static int is_monotonous(ss_bytes_t text)
{
    return different_bytes(text) < DIFFERENT_MIN ||
           memcmp(text.data, text.data + UNIT_MAX, text.len - UNIT_MAX) == 0;
}

static const char *judge_one(const ss_secret_t *secret, apr_pool_t *pool)
{
    if (is_known(secret->text, pool)) {
        return apr_psprintf(pool,
                            "SS0104: the secret from %s is a text known from documentation, which "
                            "anybody can guess (try: ssctl keygen)",
                            secret->origin);
    }
    if (says_so_itself(secret->text, pool)) {
        return apr_psprintf(
            pool,
            "SS0104: the secret from %s says itself that it is none, with words "
            "such as \"change me\", \"example\" or \"insecure\": put a random one in "
            "its place (try: ssctl keygen)",
            secret->origin);
    }
    if (secret->text.len < SS_SECRET_MIN) {
        return apr_psprintf(pool,
                            "SS0102: the secret from %s is too short: %" APR_SIZE_T_FMT
                            " bytes, at least %d are needed (try: ssctl keygen)",
                            secret->origin, secret->text.len, SS_SECRET_MIN);
    }
    if (is_monotonous(secret->text)) {
        return apr_psprintf(pool,
                            "SS0103: the secret from %s has almost no entropy: it has fewer than "
                            "%d different bytes, or repeats a few of them (try: ssctl keygen)",
                            secret->origin, DIFFERENT_MIN);
    }
    return NULL;
}

static int is_same(const ss_secret_t *a, const ss_secret_t *b)
{
    return a->text.len == b->text.len && ss_equal(a->text.data, b->text.data, a->text.len);
}

const char *ss_keyring_judge(const apr_array_header_t *secrets, apr_pool_t *pool)
{
    const ss_secret_t *all = (const ss_secret_t *)secrets->elts;

    for (int i = 0; i < secrets->nelts; i++) {
        const char *wrong = judge_one(&all[i], pool);

        for (int j = 0; wrong == NULL && j < i; j++) {
            if (is_same(&all[i], &all[j])) {
                wrong = apr_psprintf(pool, "SS0105: the same secret appears twice: %s and %s",
                                     all[j].origin, all[i].origin);
            }
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

apr_status_t ss_keyring_create(ss_keyring_t **ring, const apr_array_header_t *secrets,
                               ss_derive_fn *derive, const ss_binding_t *binding, apr_pool_t *pool)
{
    ss_key_t *keys = apr_pcalloc(pool, secrets->nelts * sizeof(*keys));

    *ring = NULL;
    for (int i = 0; i < secrets->nelts; i++) {
        apr_status_t rv =
            derive(&keys[i], APR_ARRAY_IDX(secrets, i, ss_secret_t).text, binding, pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *ring = apr_palloc(pool, sizeof(**ring));
    (*ring)->count = secrets->nelts;
    (*ring)->keys = keys;
    (*ring)->last = apr_pcalloc(pool, sizeof(*(*ring)->last));
    return APR_SUCCESS;
}

int ss_keyring_verify(int *key, const ss_keyring_t *ring, ss_bytes_t text, ss_bytes_t signature)
{
    int last = (int)apr_atomic_read32(ring->last);

    for (int i = 0; i < ring->count; i++) {
        int tried = i == 0 ? last : i <= last ? i - 1 : i;

        if (ss_mac_verify(ring->keys[tried].mac, text, signature)) {
            if (tried != last) {
                apr_atomic_set32(ring->last, (apr_uint32_t)tried);
            }
            *key = tried;
            return 1;
        }
    }
    return 0;
}

int ss_keyring_share(const apr_array_header_t *a, const apr_array_header_t *b)
{
    for (int i = 0; i < a->nelts; i++) {
        for (int j = 0; j < b->nelts; j++) {
            if (is_same(&APR_ARRAY_IDX(a, i, ss_secret_t), &APR_ARRAY_IDX(b, j, ss_secret_t))) {
                return 1;
            }
        }
    }
    return 0;
}
