/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "lib/revocation_line.h"
#include "lib/revocation_log.h"

#define FIRST_LEN (sizeof(SS_REVOCATION_FIRST) - 1)
#define PAUSE apr_time_from_msec(1)         /* between two attempts to get the lock */
#define START_PATIENCE apr_time_from_sec(2) /* at a start nobody appends for longer */

/*
 * System calls; errno says what is wrong
 */

static void close_file(int fd)
{
    int saved = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
}

apr_status_t ss_revocation_log_read(int fd, char *out, apr_size_t *len, apr_int64_t offset)
{
    apr_size_t room = *len;

    *len = 0;
    while (*len < room) {
        ssize_t n = pread(fd, out + *len, room - *len, (off_t)(offset + (apr_int64_t)*len));

        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        *len += n > 0 ? (apr_size_t)n : 0;
    }
    return APR_SUCCESS;
}

static int write_all(int fd, ss_bytes_t text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            text = ss_bytes(text.data + n, text.len - (apr_size_t)n);
        }
    }
    return 0;
}

/* What was renamed or linked is there after a crash of the machine as well. */
static int sync_directory_of(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL   ? "."
                       : slash == path ? "/"
                                       : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv;

    rv = fd < 0 ? -1 : fsync(fd);
    close_file(fd);
    return rv;
}

/* Lock what is open; ETIMEDOUT when others do not let go. */
static int lock_file(int fd, apr_interval_time_t patience)
{
    for (; flock(fd, LOCK_EX | LOCK_NB) != 0; patience -= PAUSE) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return -1;
        }
        if (patience <= 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        apr_sleep(PAUSE);
    }
    return 0;
}

/* Is the file that is open the one that the path leads to? */
static int is_there_still(int fd, const char *path)
{
    struct stat there, here;

    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Open a log that is there, and lock it: the new one, if another has taken its place meanwhile. */
static int open_locked(const char *path, apr_interval_time_t patience)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0 || lock_file(fd, patience) != 0) {
            close_file(fd);
            return -1;
        }
        if (is_there_still(fd, path)) {
            return fd;
        }
        close_file(fd);
    }
}

/*
 * What is wrong
 */

/* A reason, with what errno says. */
static apr_status_t fail(const char **why, const char *what, const char *path, apr_pool_t *pool)
{
    apr_status_t rv = errno;

    *why = apr_psprintf(pool, "%s %s: %pm", what, path, &rv);
    return rv;
}

static apr_status_t refuse(const char **why, const char *path, const char *what, apr_pool_t *pool)
{
    *why = apr_psprintf(pool, "%s %s", path, what);
    return APR_EGENERAL;
}

apr_status_t ss_revocation_log_check_first(const char **why, int fd, const char *path,
                                           apr_pool_t *pool)
{
    char first[FIRST_LEN];
    apr_size_t len = sizeof(first);
    apr_status_t rv;
    struct stat info;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return refuse(why, path, "is no plain file", pool);
    }
    rv = ss_revocation_log_read(fd, first, &len, 0);
    if (rv != APR_SUCCESS) {
        errno = rv;
        return fail(why, "cannot read", path, pool);
    }
    if (!ss_bytes_equal(ss_bytes(first, len), ss_bytes(SS_REVOCATION_FIRST, FIRST_LEN))) {
        return refuse(why, path, "does not begin as a revocation log does", pool);
    }
    return APR_SUCCESS;
}

static apr_status_t check_rights(const char **why, const struct stat *info,
                                 const ss_revocation_place_t *place, apr_pool_t *pool)
{
    if (!S_ISREG(info->st_mode)) {
        return refuse(why, place->path, "is no plain file", pool);
    }
    if (info->st_uid != place->uid) {
        *why = apr_psprintf(pool,
                            "%s belongs to user id %ld, and is to be of the one that httpd runs "
                            "as, which is %ld: hand it over with chown",
                            place->path, (long)info->st_uid, (long)place->uid);
        return APR_EGENERAL;
    }
    if ((info->st_mode & 07777) != 0600) {
        *why = apr_psprintf(pool, "%s has the mode %04o, and is for httpd alone: use chmod 0600",
                            place->path, (unsigned)(info->st_mode & 07777));
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

apr_status_t ss_revocation_log_check(const char **why, const ss_revocation_place_t *place,
                                     apr_pool_t *pool)
{
    struct stat info;
    apr_status_t rv;
    int fd;

    if (stat(place->path, &info) != 0) {
        return errno == ENOENT ? APR_SUCCESS : fail(why, "cannot look at", place->path, pool);
    }
    rv = check_rights(why, &info, place, pool);
    if (rv != APR_SUCCESS || info.st_size == 0) {
        return rv;
    }
    fd = open(place->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return fail(why, "cannot open", place->path, pool);
    }
    rv = ss_revocation_log_check_first(why, fd, place->path, pool);
    close_file(fd);
    return rv;
}

/*
 * New files: complete before they get their name
 */

/* An empty one beside the log, which only its user can read. */
static int create_beside(const char *name, const ss_revocation_place_t *place)
{
    int fd;

    unlink(name); /* of a start that was killed */
    fd = open(name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && geteuid() == 0 && fchown(fd, place->uid, place->gid) != 0) {
        close_file(fd);
        return -1;
    }
    return fd;
}

static int put_first(int fd)
{
    return write_all(fd, ss_bytes(SS_REVOCATION_FIRST, FIRST_LEN)) == 0 && fsync(fd) == 0 ? 0 : -1;
}

/* Never in the place of one that another start has made meanwhile. */
static int make_file(const ss_revocation_place_t *place, const char *name, apr_pool_t *pool)
{
    int fd = create_beside(name, place), rv, saved;

    rv = fd >= 0 && put_first(fd) == 0 && (link(name, place->path) == 0 || errno == EEXIST)
             ? sync_directory_of(place->path, pool)
             : -1;
    saved = errno;
    unlink(name);
    errno = saved;
    close_file(fd);
    return rv;
}

/* One that is there and empty. */
static int begin_file(const char *path)
{
    struct stat info;
    int fd = open_locked(path, START_PATIENCE), rv;

    rv = fd >= 0 && fstat(fd, &info) == 0 && (info.st_size > 0 || put_first(fd) == 0) ? 0 : -1;
    close_file(fd);
    return rv;
}

apr_status_t ss_revocation_log_make(const char **why, const ss_revocation_place_t *place,
                                    apr_pool_t *pool)
{
    const char *name = apr_psprintf(pool, "%s.%ld", place->path, (long)getpid());
    apr_status_t rv = ss_revocation_log_check(why, place, pool);
    struct stat info;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stat(place->path, &info) != 0) {
        if (make_file(place, name, pool) != 0) {
            return fail(why, "cannot make", place->path, pool);
        }
    }
    else if (info.st_size == 0 && begin_file(place->path) != 0) {
        return fail(why, "cannot write to", place->path, pool);
    }
    return ss_revocation_log_check(why, place, pool);
}

/*
 * Appending
 */

/* On a line of its own, even where an administrator has left one without its end. */
static ss_bytes_t on_new_line(int fd, off_t size, ss_bytes_t lines, apr_pool_t *pool)
{
    char last = '\n';
    apr_size_t len = 1;

    if (ss_revocation_log_read(fd, &last, &len, size - 1) == APR_SUCCESS && last != '\n') {
        char *text = apr_palloc(pool, lines.len + 1);

        text[0] = '\n';
        memcpy(text + 1, lines.data, lines.len);
        return ss_bytes(text, lines.len + 1);
    }
    return lines;
}

/* In one write: who appends without a lock, with >>, is not in the middle of it. What a full disk
 * has taken of it is taken back, unless that one has written behind it. */
static int append_once(int fd, off_t size, ss_bytes_t text)
{
    ssize_t n = write(fd, text.data, text.len);
    struct stat info;

    if (n == (ssize_t)text.len) {
        return fsync(fd);
    }
    if (n >= 0) {
        errno = ENOSPC;
    }
    if (n > 0 && fstat(fd, &info) == 0 && info.st_size == size + n) {
        (void)!ftruncate(fd, size);
        errno = ENOSPC;
    }
    return -1;
}

static apr_status_t append_locked(const char **why, int fd, const char *path, ss_bytes_t lines,
                                  apr_pool_t *pool)
{
    apr_status_t rv = ss_revocation_log_check_first(why, fd, path, pool);
    struct stat info;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (fstat(fd, &info) != 0) {
        return fail(why, "cannot look at", path, pool);
    }
    if (info.st_size + (off_t)lines.len >= SS_REVOCATION_LOG_MAX) {
        *why = apr_psprintf(pool, "%s would have more than %d bytes", path, SS_REVOCATION_LOG_MAX);
        return APR_ENOSPC;
    }
    lines = on_new_line(fd, info.st_size, lines, pool);
    if (append_once(fd, info.st_size, lines) != 0) {
        rv = fail(why, "cannot write to", path, pool);
        return rv == EDQUOT ? APR_ENOSPC : rv;
    }
    return APR_SUCCESS;
}

apr_status_t ss_revocation_log_append(const char **why, const char *path, ss_bytes_t lines,
                                      const ss_append_guard_t *guard, apr_interval_time_t patience,
                                      apr_pool_t *pool)
{
    int fd = open_locked(path, patience);
    apr_status_t rv = APR_SUCCESS;

    if (fd < 0 && errno == ETIMEDOUT) {
        *why = apr_psprintf(pool, "another process has locked %s for too long", path);
        return APR_TIMEUP;
    }
    if (fd < 0) {
        return fail(why, "cannot open", path, pool);
    }
    if (guard != NULL) {
        rv = guard->may_append(guard->baton, why, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = append_locked(why, fd, path, lines, pool);
    }
    close_file(fd);
    return rv;
}

/*
 * Compacting
 */

/* All of a file from an offset. */
static apr_status_t read_from(ss_bytes_t *text, int fd, off_t offset, apr_pool_t *pool)
{
    struct stat info;
    apr_size_t len;
    apr_status_t rv;
    char *data;

    *text = ss_bytes("", 0);
    if (fstat(fd, &info) != 0) {
        return errno;
    }
    if (info.st_size > SS_REVOCATION_LOG_MAX || info.st_size <= offset) {
        return info.st_size > SS_REVOCATION_LOG_MAX ? EFBIG : APR_SUCCESS;
    }
    len = (apr_size_t)(info.st_size - offset);
    data = apr_palloc(pool, len);
    rv = ss_revocation_log_read(fd, data, &len, offset);
    *text = ss_bytes(data, len);
    return rv;
}

/* The text without lines that hold no longer; ss_absent: these are no more than half of all. One
 * without its end may still be being written. */
static ss_bytes_t compacted(ss_bytes_t text, apr_time_t now, apr_pool_t *pool)
{
    char room[SS_REVOCATION_SUBJECT_MAX], *kept = apr_palloc(pool, text.len + 1), *out = kept;
    int lines = 0, past = 0;

    while (text.len > 0) {
        const char *newline = memchr(text.data, '\n', text.len);
        apr_size_t len = newline == NULL ? text.len : (apr_size_t)(newline - text.data) + 1;
        ss_revocation_line_t line;
        int is_line = ss_revocation_parse(&line, ss_bytes(text.data, len - (newline != NULL)),
                                          room) == APR_SUCCESS,
            is_past = is_line && newline != NULL && line.until < apr_time_sec(now);

        if (!is_past) {
            memcpy(out, text.data, len);
            out += len;
        }
        lines += is_line;
        past += is_past;
        text = ss_bytes(text.data + len, text.len - len);
    }
    return 2 * past > lines ? ss_bytes(kept, (apr_size_t)(out - kept)) : ss_absent;
}

/* Append to `to` what `from` has gained behind `*end`, which goes there. */
static int follow(int to, int from, off_t *end, apr_pool_t *pool)
{
    ss_bytes_t gained;
    apr_status_t rv = read_from(&gained, from, *end, pool);

    if (rv != APR_SUCCESS) {
        errno = rv;
        return -1;
    }
    *end += (off_t)gained.len;
    return gained.len == 0 || (write_all(to, gained) == 0 && fsync(to) == 0) ? 0 : -1;
}

/* Who appends without a lock may have opened the old file before the new one took its place. */
static int replace_file(int old, off_t end, const char *name, ss_bytes_t text,
                        const ss_revocation_place_t *place, apr_pool_t *pool)
{
    int fd = create_beside(name, place), rv;

    rv = fd >= 0 && write_all(fd, text) == 0 && fsync(fd) == 0 &&
                 follow(fd, old, &end, pool) == 0 && rename(name, place->path) == 0 &&
                 sync_directory_of(place->path, pool) == 0 && follow(fd, old, &end, pool) == 0
             ? 0
             : -1;
    close_file(fd);
    if (rv != 0) {
        int saved = errno;

        unlink(name);
        errno = saved;
    }
    return rv;
}

static apr_status_t compact_locked(const char **why, int fd, const ss_revocation_place_t *place,
                                   apr_time_t now, apr_pool_t *pool)
{
    const char *name = apr_pstrcat(pool, place->path, ".new", NULL);
    ss_bytes_t text, kept;
    apr_status_t rv = ss_revocation_log_check_first(why, fd, place->path, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_from(&text, fd, 0, pool);
    if (rv != APR_SUCCESS) {
        errno = rv;
        return fail(why, "cannot read", place->path, pool);
    }
    kept = compacted(text, now, pool);
    if (kept.data != NULL && replace_file(fd, (off_t)text.len, name, kept, place, pool) != 0) {
        return fail(why, "cannot compact", place->path, pool);
    }
    return APR_SUCCESS;
}

apr_status_t ss_revocation_log_compact(const char **why, const ss_revocation_place_t *place,
                                       apr_time_t now, apr_pool_t *pool)
{
    int fd = open_locked(place->path, START_PATIENCE);
    apr_status_t rv;

    if (fd < 0) {
        return fail(why, "cannot lock", place->path, pool);
    }
    rv = compact_locked(why, fd, place, now, pool);
    close_file(fd);
    return rv;
}
