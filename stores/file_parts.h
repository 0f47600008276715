/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STORE_FILE_PARTS_H
#define SS_STORE_FILE_PARTS_H

/* What the parts of the store `file` share; nobody else needs it. */

#include <dirent.h>

#include "mod_signed_session_store.h"

#define FILE_FOLDERS 256

/** The file of counts, in the directory of a store. */
#define FILE_SPACE ".space"
#define FILE_NAME_LEN                                                                              \
    (2 * SIGNED_SESSION_ID_SIZE - 2) /* digits of a record's name in its folder                    \
                                      */
#define FILE_DIR_MAX 1000            /* bytes of DIR */
/** DIR, "/xx/", the name and a NUL. */
#define FILE_PATH_ROOM (FILE_DIR_MAX + 4 + FILE_NAME_LEN + 1)

/** A folder that is looked through: by one thread of a process at a time. */
typedef struct file_sweep_t {
    int folder;          /* which */
    DIR *stream;         /* NULL: it has not been begun */
    apr_int64_t counted; /* what it holds, as far as it was looked through */
    apr_int64_t before;  /* what was noted when that began */
} file_sweep_t;

typedef struct file_store_t {
    const char *dir; /* absolute */
    apr_size_t dir_len;
    apr_uid_t uid;
    apr_gid_t gid;
    apr_uint64_t space;

    /* of this process */
    apr_uint32_t temporary; /* atomic: how many temporary files it has made */
    apr_uint32_t due;       /* atomic: the second from which on somebody is to sweep */
    file_sweep_t sweep;
    volatile void *idle; /* atomic: &sweep while nobody sweeps */
} file_store_t;

/** Bytes that a file of so many takes. */
static inline apr_int64_t file_room_for(apr_uint64_t len)
{
    return (apr_int64_t)((len + 4095) & ~(apr_uint64_t)4095);
}

/** Write the path of a folder, and a NUL; `path` has FILE_PATH_ROOM bytes. Returns its end. */
char *file_folder_path(char *path, const file_store_t *store, int folder);

/** Write the name of a record in its folder, and a NUL: FILE_NAME_LEN + 1 bytes. */
void file_record_name(char *out, const unsigned char *id);

/** A directory, which is no symbolic link; -1 and errno. */
int file_directory_open(const char *path);

/** Open a folder, and make it before if `make`. -1 and errno. */
int file_folder_open(const file_store_t *store, int folder, int make);

/**
 * Lock the folder that is open as `fd`.
 *
 * @return  what to close when that is to end, or -1 and errno; ETIMEDOUT: others held the lock
 * until `deadline`. It is asked for once when that has passed
 */
int file_folder_lock(int fd, apr_time_t deadline);

/** close(), which leaves errno alone. */
void file_close(int fd);

/*
 * How much lies in DIR, counted for all processes. Whoever adds to the count of a folder, or sets
 * it, has locked that folder.
 */

/** The file of the counts, or -1 and errno. */
int file_space_open(const file_store_t *store);

/** All that is there. */
apr_int64_t file_space_used(int fd);

/** What is noted of a folder. */
apr_int64_t file_space_of(int fd, int folder);

/** So much has come to a folder, or gone. A count that cannot be written is set right by the next
 * sweep. */
void file_space_add(int fd, int folder, apr_int64_t change);

/** Is it a minute since a process took it upon itself to sweep this folder? If so, `now` is noted
 * as the time of that. */
int file_space_claim(int fd, int folder, apr_time_t now);

/*
 * At a start: as in mod_signed_session_store.h
 */

const char *file_configure(void **store, const signed_session_place_t *place, apr_pool_t *pconf);
const char *file_prepare(void *store, apr_pool_t *ptemp);

/*
 * Sweeping
 */

/** In a new process. */
void file_sweep_open(file_store_t *store, apr_pool_t *pchild);

/** Sweep for a moment, if it is time to. */
void file_sweep(file_store_t *store);

/** The store is full: do not wait for a second between folders. */
void file_sweep_hurry(file_store_t *store);

#endif
