/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_rwlock.h>

#include "lib/revocation_follow.h"
#include "lib/revocation_log.h"
#include "lib/siphash.h"

#define BLOCK (64 * 1024) /* bytes that are read at a time: more than any line has */
#define REMEMBERED 64     /* bytes before those that are read next */

/* How the file was when it was read. */
typedef struct seen_t {
    dev_t dev;
    ino_t ino;
    apr_int64_t size; /* -1: it was not */
    struct timespec changed;
} seen_t;

/* What was read of a file. */
typedef struct content_t {
    ss_revocation_t *set;
    ss_revocation_count_t count;
    apr_int64_t next; /* from where to go on: behind a newline */
    char before[REMEMBERED];
    apr_size_t before_len;
} content_t;

struct ss_followed_t {
    const char *path;
    unsigned char key[SS_SIPHASH_KEY_SIZE];
    apr_pool_t *pool;
    apr_thread_rwlock_t *lock; /* of what follows */
    seen_t seen;
    content_t content;
};

static apr_status_t fail(const char **why, const char *what, const char *path, apr_status_t rv,
                         apr_pool_t *pool)
{
    *why = apr_psprintf(pool, "%s %s: %pm", what, path, &rv);
    return rv;
}

/*
 * Reading
 */

static void begin_content(ss_followed_t *log)
{
    content_t *content = &log->content;

    if (content->set != NULL) {
        ss_revocation_destroy(content->set);
    }
    memset(content, 0, sizeof(*content));
    content->set = ss_revocation_create(log->key, SS_REVOCATION_MAX, log->pool);
}

/* Does the file still say what it said before `next`? Then what follows is new; otherwise somebody
 * has written it anew. */
static int goes_on(const content_t *content, int fd)
{
    char bytes[REMEMBERED];
    apr_size_t len = content->before_len;

    return content->next > 0 &&
           ss_revocation_log_read(fd, bytes, &len, content->next - (apr_int64_t)len) ==
               APR_SUCCESS &&
           ss_bytes_equal(ss_bytes(bytes, len), ss_bytes(content->before, content->before_len));
}

static apr_status_t remember(content_t *content, int fd)
{
    content->before_len =
        content->next < REMEMBERED ? (apr_size_t)content->next : (apr_size_t)REMEMBERED;
    return ss_revocation_log_read(fd, content->before, &content->before_len,
                                  content->next - (apr_int64_t)content->before_len);
}

/* How much of a block to take. All of it at the end of the file, else whole lines; all of it,
 * again, where a line is longer than any of ours. */
static apr_size_t whole_lines(const char *block, apr_size_t len)
{
    apr_size_t whole = len;

    while (len == BLOCK && whole > 0 && block[whole - 1] != '\n') {
        whole--;
    }
    return whole > 0 ? whole : len;
}

/* Read on from `next`. `end`: out, where the file ended. */
static apr_status_t read_on(content_t *content, int fd, apr_time_t now, apr_int64_t *end,
                            apr_pool_t *pool)
{
    char *block = apr_palloc(pool, BLOCK);
    apr_size_t len = BLOCK;

    while (len == BLOCK) {
        apr_size_t used, before = content->count.read;
        apr_status_t rv = ss_revocation_log_read(fd, block, &len, content->next);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        *end = content->next + (apr_int64_t)len;
        used = whole_lines(block, len);
        rv = ss_revocation_read(content->set, ss_bytes(block, used), now, &content->count);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        content->next += (apr_int64_t)(len == BLOCK ? used : content->count.read - before);
    }
    return remember(content, fd);
}

/* What stat says of the file as it is, and how far it was read. */
static seen_t seen_of(const struct stat *info, apr_int64_t size)
{
    const seen_t seen = { info->st_dev, info->st_ino, size, info->st_ctim };

    return seen;
}

static int is_same_file(const seen_t *seen, const struct stat *info)
{
    return seen->size >= 0 && seen->dev == info->st_dev && seen->ino == info->st_ino;
}

/* Not one byte more, and not written anew. */
static int is_current(const seen_t *seen, const struct stat *info)
{
    return is_same_file(seen, info) && seen->size == info->st_size &&
           seen->changed.tv_sec == info->st_ctim.tv_sec &&
           seen->changed.tv_nsec == info->st_ctim.tv_nsec;
}

static apr_status_t refresh_from(ss_followed_t *log, int fd, apr_time_t now, const char **why,
                                 apr_pool_t *pool)
{
    apr_int64_t end = 0;
    apr_status_t rv;
    struct stat info;

    rv = ss_revocation_log_check_first(why, fd, log->path, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (fstat(fd, &info) != 0) {
        return fail(why, "cannot look at", log->path, errno, pool);
    }
    if (!is_same_file(&log->seen, &info) || info.st_size < log->seen.size ||
        !goes_on(&log->content, fd)) {
        begin_content(log);
    }
    log->seen.size = -1;
    rv = read_on(&log->content, fd, now, &end, pool);
    if (rv != APR_SUCCESS) {
        return fail(why, "cannot read", log->path, rv, pool);
    }
    log->seen = seen_of(&info, end);
    return APR_SUCCESS;
}

static apr_status_t refresh(ss_followed_t *log, apr_time_t now, const char **why, apr_pool_t *pool)
{
    int fd = open(log->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    apr_status_t rv;

    if (fd < 0) {
        return fail(why, "cannot open", log->path, errno, pool);
    }
    rv = refresh_from(log, fd, now, why, pool);
    close(fd);
    return rv;
}

/*
 * Following. What changes the content holds the lock for itself: who finds the file changed waits
 * for it, and looks again.
 */

/* Look whether the file has changed, and read what is new. On success the lock is held. */
static apr_status_t begin_question(ss_followed_t *log, apr_time_t now, const char **why,
                                   apr_pool_t *pool)
{
    struct stat info;
    apr_status_t rv = APR_SUCCESS;

    if (stat(log->path, &info) != 0) {
        return fail(why, "cannot look at", log->path, errno, pool);
    }
    apr_thread_rwlock_rdlock(log->lock);
    if (is_current(&log->seen, &info)) {
        return APR_SUCCESS;
    }
    apr_thread_rwlock_unlock(log->lock);
    apr_thread_rwlock_wrlock(log->lock);
    if (stat(log->path, &info) != 0 || !is_current(&log->seen, &info)) {
        rv = refresh(log, now, why, pool);
    }
    if (rv != APR_SUCCESS) {
        apr_thread_rwlock_unlock(log->lock);
    }
    return rv;
}

static void end_question(ss_followed_t *log)
{
    apr_thread_rwlock_unlock(log->lock);
}

static apr_status_t end_content(void *data)
{
    ss_followed_t *log = data;

    ss_revocation_destroy(log->content.set);
    return APR_SUCCESS;
}

ss_followed_t *ss_revocation_follow(const char *path, const unsigned char *key, apr_time_t now,
                                    apr_pool_t *pool)
{
    ss_followed_t *log = apr_pcalloc(pool, sizeof(*log));
    const char *why;

    log->path = apr_pstrdup(pool, path);
    memcpy(log->key, key, sizeof(log->key));
    log->pool = pool;
    log->seen.size = -1;
    if (apr_thread_rwlock_create(&log->lock, pool) != APR_SUCCESS) {
        ss_out_of_memory(pool);
    }
    begin_content(log);
    apr_pool_cleanup_register(pool, log, end_content, apr_pool_cleanup_null);
    (void)!refresh(log, now, &why, pool);
    return log;
}

ss_state_e ss_followed_judge(ss_followed_t *log, const ss_revocable_t *session, apr_time_t now,
                             const char **why, apr_pool_t *pool)
{
    ss_state_e state;

    if (begin_question(log, now, why, pool) != APR_SUCCESS) {
        return SS_UNAVAILABLE;
    }
    state = ss_revocation_covers(log->content.set, session, now) ? SS_REVOKED : SS_VALID;
    end_question(log);
    return state;
}

typedef apr_int64_t time_fn(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now);

static apr_int64_t ask_time(ss_followed_t *log, time_fn *ask, ss_bytes_t subject, apr_time_t now,
                            const char **why, apr_pool_t *pool)
{
    apr_int64_t time;

    if (begin_question(log, now, why, pool) != APR_SUCCESS) {
        return -1;
    }
    time = ask(log->content.set, subject, now);
    end_question(log);
    return time;
}

apr_int64_t ss_followed_earliest(ss_followed_t *log, ss_bytes_t subject, apr_time_t now,
                                 const char **why, apr_pool_t *pool)
{
    return ask_time(log, ss_revocation_earliest, subject, now, why, pool);
}

apr_int64_t ss_followed_latest(ss_followed_t *log, ss_bytes_t subject, apr_time_t now,
                               const char **why, apr_pool_t *pool)
{
    return ask_time(log, ss_revocation_latest, subject, now, why, pool);
}

ss_bytes_t ss_followed_text(ss_followed_t *log, apr_time_t now, const char **why, apr_pool_t *pool)
{
    ss_bytes_t text;

    if (begin_question(log, now, why, pool) != APR_SUCCESS) {
        return ss_absent;
    }
    text = ss_revocation_text(log->content.set, now, pool);
    end_question(log);
    return text;
}

apr_size_t ss_followed_unknown(ss_followed_t *log)
{
    apr_size_t unknown;

    apr_thread_rwlock_rdlock(log->lock);
    unknown = log->content.count.unknown;
    apr_thread_rwlock_unlock(log->lock);
    return unknown;
}
