/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "stores/file.h"
#include "stores/file_parts.h"

#define READING (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
/* File systems note when a file was read, at every read while it was changed later than that: which
 * all of ours were. */
#ifndef O_NOATIME
#define O_NOATIME 0
#endif

/* From the beginning. 0, or -1 and errno. */
static int read_bytes(int fd, unsigned char *out, apr_size_t len)
{
    for (apr_size_t got = 0; got < len;) {
        ssize_t n = pread(fd, out + got, len - got, (off_t)got);

        if (n == 0) {
            errno = EIO; /* somebody has cut it short */
            return -1;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        got += n > 0 ? (apr_size_t)n : 0;
    }
    return 0;
}

static int write_bytes(int fd, const signed_session_bytes_t *bytes)
{
    for (apr_size_t put = 0; put < bytes->len;) {
        ssize_t n = write(fd, bytes->data + put, bytes->len - put);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        put += n > 0 ? (apr_size_t)n : 0;
    }
    return 0;
}

/*
 * What is where, and what to say of it
 */

/* One load or one save. */
typedef struct call_t {
    file_store_t *store;
    const unsigned char *id;
    apr_time_t deadline;
    const char **why;
    apr_pool_t *pool;

    /* of a save */
    const unsigned char *expected;
    const signed_session_bytes_t *value;
    apr_time_t expiry;
    signed_session_bytes_t *current;
    char name[FILE_NAME_LEN + 1];
} call_t;

/* What stands under the name of a record. */
typedef struct found_t {
    int fd; /* -1: no record, or one that has expired */
    apr_size_t len;
    apr_int64_t room; /* of whatever is there */
} found_t;

static apr_time_t expiry_of(const struct stat *info)
{
    return apr_time_from_sec(info->st_mtim.tv_sec) + info->st_mtim.tv_nsec / 1000;
}

/* We write nothing but plain files of these lengths; a crash of the machine may leave others. */
static int is_record(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size >= SIGNED_SESSION_TOKEN_SIZE &&
           info->st_size <= SIGNED_SESSION_RECORD_MAX;
}

/* Files of others, and some file systems, are not read without a note. */
static int open_to_read(int folder, const char *path)
{
    int fd = openat(folder, path, READING | O_NOATIME);

    return fd < 0 && errno == EPERM ? openat(folder, path, READING) : fd;
}

/* `path` is looked for in `folder`. 0, or -1 and errno: nobody knows. */
static int find(found_t *found, int folder, const char *path)
{
    struct stat info;
    int fd = open_to_read(folder, path);

    found->fd = -1;
    found->len = 0;
    found->room = 0;
    if (fd < 0) {
        /* ELOOP: a symbolic link, which is no record */
        return errno == ENOENT || errno == ELOOP ? 0 : -1;
    }
    if (fstat(fd, &info) != 0) {
        file_close(fd);
        return -1;
    }
    if (is_record(&info)) {
        found->len = (apr_size_t)info.st_size;
        found->room = file_room_for(found->len);
        if (expiry_of(&info) > apr_time_now()) {
            found->fd = fd;
            return 0;
        }
    }
    file_close(fd);
    return 0;
}

/* Says it with the reason that errno is. */
static signed_session_store_e unavailable(const call_t *call, const char *what)
{
    apr_status_t rv = errno;

    *call->why =
        apr_psprintf(call->pool, "%s in %s/%02x: %pm", what, call->store->dir, call->id[0], &rv);
    return SIGNED_SESSION_STORE_UNAVAILABLE;
}

/* All of what was found. */
static signed_session_store_e read_found(const call_t *call, const found_t *found,
                                         signed_session_bytes_t *out, signed_session_store_e answer)
{
    unsigned char *data = apr_palloc(call->pool, found->len);

    if (read_bytes(found->fd, data, found->len) != 0) {
        return unavailable(call, "cannot read a record");
    }
    out->data = data;
    out->len = found->len;
    return answer;
}

static signed_session_store_e directory_gone(const call_t *call)
{
    *call->why = apr_psprintf(call->pool, "%s is gone: a start or a reload of httpd makes it again",
                              call->store->dir);
    return SIGNED_SESSION_STORE_UNAVAILABLE;
}

/* A disk without room for a change is full; nothing was replaced by then. */
static signed_session_store_e not_saved(const call_t *call, const char *what)
{
    signed_session_store_e answer;
    int is_full = errno == ENOSPC || errno == EDQUOT;

    answer = unavailable(call, what);
    return is_full ? SIGNED_SESSION_STORE_FULL : answer;
}

static int is_directory_there(const file_store_t *store)
{
    struct stat info;

    return stat(store->dir, &info) == 0;
}

/*
 * Loading
 */

/* A file that is not there is only missing where the directory is there. */
static signed_session_store_e not_found(const call_t *call)
{
    return is_directory_there(call->store) ? SIGNED_SESSION_STORE_ABSENT : directory_gone(call);
}

static signed_session_store_e load_record(const call_t *call, signed_session_bytes_t *value)
{
    char path[FILE_PATH_ROOM], *name = file_folder_path(path, call->store, call->id[0]);
    signed_session_store_e answer;
    found_t found;

    *name++ = '/';
    file_record_name(name, call->id);
    if (find(&found, AT_FDCWD, path) != 0) {
        return unavailable(call, "cannot open a record");
    }
    if (found.fd < 0) {
        return found.room > 0 ? SIGNED_SESSION_STORE_ABSENT : not_found(call);
    }
    answer = read_found(call, &found, value, SIGNED_SESSION_STORE_FOUND);
    file_close(found.fd);
    return answer;
}

static signed_session_store_e load(void *data, const unsigned char *id,
                                   signed_session_bytes_t *value, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool)
{
    call_t call = { .store = data, .id = id, .deadline = deadline, .why = why, .pool = pool };
    signed_session_store_e answer = load_record(&call, value);

    file_sweep(call.store);
    return answer;
}

/*
 * Saving
 */

static int is_token(const unsigned char *token)
{
    static const unsigned char nothing[SIGNED_SESSION_TOKEN_SIZE];

    return memcmp(token, nothing, sizeof(nothing)) != 0;
}

/* Is what was found what the caller expects? SAVED stands for yes. */
static signed_session_store_e compare(const call_t *call, const found_t *found)
{
    unsigned char token[SIGNED_SESSION_TOKEN_SIZE];

    if (call->expected == NULL) {
        return SIGNED_SESSION_STORE_SAVED;
    }
    if (found->fd < 0) {
        return is_token(call->expected) ? SIGNED_SESSION_STORE_ABSENT : SIGNED_SESSION_STORE_SAVED;
    }
    if (read_bytes(found->fd, token, sizeof(token)) != 0) {
        return unavailable(call, "cannot read a record");
    }
    if (memcmp(token, call->expected, sizeof(token)) == 0) {
        return SIGNED_SESSION_STORE_SAVED;
    }
    return read_found(call, found, call->current, SIGNED_SESSION_STORE_CONFLICT);
}

static char *write_number(char *out, apr_uint32_t number)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        *out++ = digits[--count];
    }
    *out = '\0';
    return out;
}

/* A new name for a file that is being written; one that a killed writer has left may have the
 * number of a process that is there again. */
static int create_temporary(const call_t *call, int folder, char *name)
{
    int fd;

    do {
        char *end = name + FILE_NAME_LEN;

        memcpy(name, call->name, FILE_NAME_LEN);
        *end++ = '.';
        end = write_number(end, (apr_uint32_t)getpid());
        *end++ = '.';
        write_number(end, apr_atomic_inc32(&call->store->temporary));
        fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

static int fill(const call_t *call, int fd)
{
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

    times[1].tv_sec = (time_t)apr_time_sec(call->expiry);
    times[1].tv_nsec = (long)apr_time_usec(call->expiry) * 1000;
    return write_bytes(fd, call->value) == 0 && futimens(fd, times) == 0 ? 0 : -1;
}

/* The record in the place of the one that is there. 0, or -1 and errno: all is as it was. */
static int replace(const call_t *call, int folder)
{
    char name[FILE_NAME_LEN + 2 * 11 + 1];
    int fd = create_temporary(call, folder, name), rv;

    if (fd < 0) {
        return -1;
    }
    rv = fill(call, fd);
    file_close(fd);
    if (rv == 0) {
        rv = renameat(folder, name, folder, call->name);
    }
    if (rv != 0) {
        int saved = errno;

        unlinkat(folder, name, 0);
        errno = saved;
    }
    return rv;
}

/* May there be a record more, which takes so much more than what is there? */
static int has_space(const call_t *call, int counts, apr_int64_t more)
{
    apr_int64_t used = file_space_used(counts);

    if (used + more <= 0 || (apr_uint64_t)(used + more) <= call->store->space) {
        return 1;
    }
    *call->why =
        apr_psprintf(call->pool, "%s holds %" APR_INT64_T_FMT " of %" APR_UINT64_T_FMT " bytes",
                     call->store->dir, used, call->store->space);
    file_sweep_hurry(call->store);
    return 0;
}

/* With its size counted, which has changed or is new. */
static signed_session_store_e replace_counted(const call_t *call, int folder, const found_t *found)
{
    apr_int64_t more = file_room_for(call->value->len) - found->room;
    int counts = file_space_open(call->store);
    signed_session_store_e answer = SIGNED_SESSION_STORE_SAVED;

    if (counts < 0) {
        return not_saved(call, "cannot open ../.space");
    }
    if (found->fd < 0 && !has_space(call, counts, more)) {
        answer = SIGNED_SESSION_STORE_FULL;
    }
    else if (replace(call, folder) != 0) {
        answer = not_saved(call, "cannot write a record");
    }
    else {
        file_space_add(counts, call->id[0], more);
    }
    file_close(counts);
    return answer;
}

static signed_session_store_e save_found(const call_t *call, int folder, const found_t *found)
{
    signed_session_store_e answer = compare(call, found);

    if (answer != SIGNED_SESSION_STORE_SAVED) {
        return answer;
    }
    if (found->fd < 0 || found->room != file_room_for(call->value->len)) {
        return replace_counted(call, folder, found);
    }
    return replace(call, folder) == 0 ? answer : not_saved(call, "cannot write a record");
}

static signed_session_store_e save_locked(const call_t *call, int folder)
{
    signed_session_store_e answer;
    found_t found;

    if (find(&found, folder, call->name) != 0) {
        return unavailable(call, "cannot open a record");
    }
    answer = save_found(call, folder, &found);
    file_close(found.fd);
    return answer;
}

static signed_session_store_e save_in(const call_t *call, int folder)
{
    int lock = file_folder_lock(folder, call->deadline);
    signed_session_store_e answer;

    if (lock < 0 && errno == ETIMEDOUT) {
        *call->why = apr_psprintf(call->pool, "another process has held %s/%02x/.lock too long",
                                  call->store->dir, call->id[0]);
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    if (lock < 0) {
        return not_saved(call, "cannot lock");
    }
    answer = save_locked(call, folder);
    file_close(lock);
    return answer;
}

static signed_session_store_e save_record(const call_t *call)
{
    int folder = file_folder_open(call->store, call->id[0], 1);
    signed_session_store_e answer;

    if (folder < 0 && errno == ENOENT) {
        return directory_gone(call);
    }
    if (folder < 0) {
        return not_saved(call, "cannot open the folder");
    }
    answer = save_in(call, folder);
    file_close(folder);
    return answer;
}

static signed_session_store_e save(void *data, const unsigned char *id,
                                   const unsigned char *expected,
                                   const signed_session_bytes_t *value, apr_interval_time_t ttl,
                                   signed_session_bytes_t *current, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool)
{
    call_t call = { .store = data,
                    .id = id,
                    .deadline = deadline,
                    .why = why,
                    .pool = pool,
                    .expected = expected,
                    .value = value,
                    .expiry = apr_time_now() + ttl,
                    .current = current };
    signed_session_store_e answer;

    file_record_name(call.name, id);
    answer = save_record(&call);
    file_sweep(call.store);
    return answer;
}

static void open_store(void *data, apr_pool_t *pchild)
{
    file_sweep_open(data, pchild);
}

const signed_session_store_t ss_store_file = { 0,          file_configure, file_prepare,
                                               open_store, load,           save };
