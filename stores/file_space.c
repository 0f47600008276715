/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/file_parts.h"

#define AGAIN apr_time_from_sec(60) /* between two sweeps of a folder */
#define BYTES_MAX ((apr_int64_t)1 << 50)

/* The file is an array of these, one for each folder. It never leaves the machine, and may be
 * removed: what is missing reads as 0, until the folder is swept. */
typedef struct entry_t {
    apr_int64_t bytes;
    apr_int64_t swept; /* an apr_time_t */
} entry_t;

static off_t place_of(int folder)
{
    return (off_t)folder * (off_t)sizeof(entry_t);
}

/* Nobody says that it was we who wrote the file. */
static apr_int64_t judged(apr_int64_t bytes)
{
    return bytes < 0 || bytes > BYTES_MAX ? 0 : bytes;
}

static entry_t read_entry(int fd, int folder)
{
    entry_t entry = { 0, 0 };

    (void)!pread(fd, &entry, sizeof(entry), place_of(folder)); /* the file may end within it */
    entry.bytes = judged(entry.bytes);
    return entry;
}

int file_space_open(const file_store_t *store)
{
    char path[FILE_PATH_ROOM];

    memcpy(path, store->dir, store->dir_len);
    memcpy(path + store->dir_len, "/" FILE_SPACE, sizeof("/" FILE_SPACE));
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

apr_int64_t file_space_used(int fd)
{
    entry_t entries[FILE_FOLDERS];
    apr_int64_t sum = 0;

    memset(entries, 0, sizeof(entries));
    if (pread(fd, entries, sizeof(entries), 0) < 0) {
        return 0;
    }
    for (int i = 0; i < FILE_FOLDERS; i++) {
        sum += judged(entries[i].bytes);
    }
    return sum;
}

apr_int64_t file_space_of(int fd, int folder)
{
    return read_entry(fd, folder).bytes;
}

void file_space_add(int fd, int folder, apr_int64_t change)
{
    apr_int64_t bytes = judged(read_entry(fd, folder).bytes + change);

    (void)!pwrite(fd, &bytes, sizeof(bytes), place_of(folder));
}

int file_space_claim(int fd, int folder, apr_time_t now)
{
    entry_t entry = read_entry(fd, folder);

    /* one in the future is of a clock that was set back since */
    if (entry.swept <= now && entry.swept > now - AGAIN) {
        return 0;
    }
    entry.swept = now;
    return pwrite(fd, &entry, sizeof(entry), place_of(folder)) == sizeof(entry);
}
