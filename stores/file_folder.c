/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stores/file_parts.h"

#define PAUSE 200 /* microseconds between two attempts to get a lock */

/*
 * Names
 */

static char *write_hex(char *out, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

char *file_folder_path(char *path, const file_store_t *store, int folder)
{
    char *end = path + store->dir_len;

    memcpy(path, store->dir, store->dir_len);
    *end++ = '/';
    end = write_hex(end, (unsigned)folder);
    *end = '\0';
    return end;
}

void file_record_name(char *out, const unsigned char *id)
{
    for (int i = 1; i < SIGNED_SESSION_ID_SIZE; i++) {
        out = write_hex(out, id[i]);
    }
    *out = '\0';
}

/*
 * Folders
 */

void file_close(int fd)
{
    int saved = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
}

int file_directory_open(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int file_folder_open(const file_store_t *store, int folder, int make)
{
    char path[FILE_PATH_ROOM];
    int fd;

    file_folder_path(path, store, folder);
    fd = file_directory_open(path);
    if (fd < 0 && errno == ENOENT && make && (mkdir(path, 0700) == 0 || errno == EEXIST)) {
        fd = file_directory_open(path);
    }
    return fd;
}

static int wait_for(int lock, apr_time_t deadline)
{
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            if (apr_time_now() >= deadline) {
                errno = ETIMEDOUT;
                return -1;
            }
            apr_sleep(PAUSE);
        }
        else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/* Opened by each call, so that it keeps threads apart as well. An administrator may have removed
 * the file while we waited: then another one is what others lock now. */
int file_folder_lock(int fd, apr_time_t deadline)
{
    struct stat info = { 0 };

    while (info.st_nlink == 0) {
        int lock =
            openat(fd, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

        if (lock < 0) {
            return -1;
        }
        if (wait_for(lock, deadline) != 0 || fstat(lock, &info) != 0) {
            file_close(lock);
            return -1;
        }
        if (info.st_nlink > 0) {
            return lock;
        }
        file_close(lock);
    }
    return -1;
}
