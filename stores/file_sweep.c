/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_atomic.h>

#include "stores/file_parts.h"

#define STEP apr_time_from_msec(5)      /* how long one call sweeps */
#define ABANDONED apr_time_from_sec(60) /* a temporary file so old has no writer any more */
#define IS_DUE 0                        /* at any time */

typedef enum name_e { FOREIGN, RECORD, TEMPORARY } name_e;

static name_e kind_of(const char *name)
{
    apr_size_t digits = strspn(name, "0123456789abcdef");
    const char *end = name + digits;

    if (digits != FILE_NAME_LEN) {
        return FOREIGN;
    }
    if (*end == '\0') {
        return RECORD;
    }
    for (int i = 0; i < 2; i++) {
        apr_size_t len = *end == '.' ? strspn(end + 1, "0123456789") : 0;

        if (len == 0) {
            return FOREIGN;
        }
        end += 1 + len;
    }
    return *end == '\0' ? TEMPORARY : FOREIGN;
}

/* `now`, in seconds: times of files are not judged finer. */
static int is_over(name_e kind, const struct stat *info, apr_time_t now)
{
    time_t second = (time_t)apr_time_sec(now);

    return kind == RECORD ? info->st_mtime < second
                          : info->st_ctime < second - (time_t)apr_time_sec(ABANDONED);
}

/* The folder is locked: what has expired is not replaced by somebody between the look and the end.
 */
static void sweep_entry(file_sweep_t *sweep, int folder, const char *name, apr_time_t now)
{
    name_e kind = kind_of(name);
    struct stat info;

    if (kind == FOREIGN || fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(info.st_mode)) {
        return;
    }
    if (!is_over(kind, &info, now) || unlinkat(folder, name, 0) != 0) {
        sweep->counted += file_room_for((apr_uint64_t)info.st_size);
    }
}

/* Look through what is left of the folder, or a part of it. Is that done? */
static int sweep_entries(file_sweep_t *sweep, int folder)
{
    apr_time_t started = apr_time_now(), now = started;

    while (now - started < STEP) {
        const struct dirent *entry = readdir(sweep->stream);

        if (entry == NULL) {
            return 1;
        }
        sweep_entry(sweep, folder, entry->d_name, now);
        now = apr_time_now();
    }
    return 0;
}

/* Begin with a folder, unless another process has done it lately. */
static int begin(file_sweep_t *sweep, int folder, int counts)
{
    int fd;

    if (!file_space_claim(counts, sweep->folder, apr_time_now())) {
        return 0;
    }
    fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sweep->stream = fd < 0 ? NULL : fdopendir(fd);
    if (sweep->stream == NULL) {
        file_close(fd);
        return 0;
    }
    sweep->counted = 0;
    sweep->before = file_space_of(counts, sweep->folder);
    return 1;
}

static void finish(file_sweep_t *sweep)
{
    if (sweep->stream != NULL) {
        closedir(sweep->stream);
        sweep->stream = NULL;
    }
    sweep->folder = (sweep->folder + 1) % FILE_FOLDERS;
}

/* Is this folder to be gone on with? */
static int sweep_folder(file_sweep_t *sweep, int folder, int counts)
{
    if (sweep->stream == NULL && !begin(sweep, folder, counts)) {
        return 0;
    }
    if (!sweep_entries(sweep, folder)) {
        return 1;
    }
    /* others have counted what they changed meanwhile */
    file_space_add(counts, sweep->folder, sweep->counted - sweep->before);
    return 0;
}

/* A folder that others have locked is left for another time. */
static int sweep_locked(file_sweep_t *sweep, int folder, int counts)
{
    int lock = file_folder_lock(folder, 0), goes_on;

    if (lock < 0) {
        return 0;
    }
    goes_on = sweep_folder(sweep, folder, counts);
    file_close(lock);
    return goes_on;
}

static int sweep_opened(const file_store_t *store, file_sweep_t *sweep, int counts)
{
    int folder = file_folder_open(store, sweep->folder, 0), goes_on = 0;

    if (folder >= 0) {
        goes_on = sweep_locked(sweep, folder, counts);
        file_close(folder);
    }
    else if (errno == ENOENT) {
        file_space_add(counts, sweep->folder, -file_space_of(counts, sweep->folder));
    }
    return goes_on;
}

static int sweep_counted(const file_store_t *store, file_sweep_t *sweep)
{
    int counts = file_space_open(store), goes_on = 0;

    if (counts >= 0) {
        goes_on = sweep_opened(store, sweep, counts);
        file_close(counts);
    }
    return goes_on;
}

void file_sweep(file_store_t *store)
{
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(apr_time_now());
    file_sweep_t *sweep;

    if (second < apr_atomic_read32(&store->due)) {
        return;
    }
    sweep = apr_atomic_xchgptr(&store->idle, NULL);
    if (sweep == NULL) {
        return;
    }
    if (sweep_counted(store, sweep)) {
        apr_atomic_set32(&store->due, IS_DUE);
    }
    else {
        finish(sweep);
        apr_atomic_set32(&store->due, second + 1);
    }
    apr_atomic_xchgptr(&store->idle, sweep);
}

void file_sweep_hurry(file_store_t *store)
{
    apr_atomic_set32(&store->due, IS_DUE);
}

static apr_status_t close_stream(void *data)
{
    file_store_t *store = data;
    file_sweep_t *sweep = apr_atomic_xchgptr(&store->idle, NULL);

    if (sweep != NULL) {
        finish(sweep);
    }
    return APR_SUCCESS;
}

void file_sweep_open(file_store_t *store, apr_pool_t *pchild)
{
    /* no two processes are to go the same way at the same time */
    store->sweep.folder = (int)((apr_uint32_t)getpid() * 97 % FILE_FOLDERS);
    apr_atomic_set32(&store->due, (apr_uint32_t)apr_time_sec(apr_time_now()) + 1);
    apr_atomic_xchgptr(&store->idle, &store->sweep);
    apr_pool_cleanup_register(pchild, store, close_stream, apr_pool_cleanup_null);
}
