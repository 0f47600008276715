/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "stores/file_parts.h"

/* NULL: fit to hold sessions. `gone`: out, it is not there. */
static const char *judge(const file_store_t *store, int *gone, apr_pool_t *pool)
{
    struct stat info;
    apr_status_t rv;

    *gone = 0;
    if (stat(store->dir, &info) != 0) {
        rv = errno;
        *gone = rv == ENOENT;
        return *gone ? NULL : apr_psprintf(pool, "cannot look at %s: %pm", store->dir, &rv);
    }
    if (!S_ISDIR(info.st_mode)) {
        return apr_psprintf(pool, "%s is not a directory", store->dir);
    }
    if (info.st_uid != store->uid) {
        return apr_psprintf(
            pool,
            "%s belongs to user id %ld, and sessions to the one that httpd runs as, "
            "which is %ld: hand it over with chown, or remove it and let httpd "
            "make it",
            store->dir, (long)info.st_uid, (long)store->uid);
    }
    if ((info.st_mode & 07777 & ~S_ISGID) != 0700) {
        return apr_psprintf(pool,
                            "%s has the mode %04o, and sessions are for httpd alone: use "
                            "chmod 0700",
                            store->dir, (unsigned)(info.st_mode & 07777));
    }
    return NULL;
}

/* Without slashes behind it; DIR of ServerRoot, where it is relative. */
static const char *directory_of(const signed_session_place_t *place, apr_pool_t *pool)
{
    const char *words = place->words;
    char *dir;
    apr_size_t len;

    if (words[0] == '\0') {
        dir = apr_pstrcat(pool, place->runtime_dir, "/sessions", NULL);
    }
    else if (words[0] == '/') {
        dir = apr_pstrdup(pool, words);
    }
    else {
        dir = apr_pstrcat(pool, place->server_root, "/", words, NULL);
    }
    for (len = strlen(dir); len > 1 && dir[len - 1] == '/'; len--) {
        dir[len - 1] = '\0';
    }
    return dir;
}

const char *file_configure(void **out, const signed_session_place_t *place, apr_pool_t *pconf)
{
    file_store_t *store = apr_pcalloc(pconf, sizeof(*store));
    int gone;

    *out = store;
    store->dir = directory_of(place, pconf);
    store->dir_len = strlen(store->dir);
    store->uid = place->uid;
    store->gid = place->gid;
    store->space = place->space;
    if (store->dir_len > FILE_DIR_MAX) {
        return apr_psprintf(pconf, "the path of the directory has more than %d bytes",
                            FILE_DIR_MAX);
    }
    return judge(store, &gone, pconf);
}

static int hand_over(const file_store_t *store, int fd)
{
    return fd >= 0 && (geteuid() != 0 || fchown(fd, store->uid, store->gid) == 0);
}

/* A file in it: a rename takes the place of an empty directory, which another httpd may have made
 * at the same moment and may be about to write into. */
static int furnish(const file_store_t *store, int dir)
{
    int fd = openat(dir, FILE_SPACE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int done = hand_over(store, fd) && hand_over(store, dir);

    file_close(fd);
    return done;
}

/* Made under a name of its own, which nobody can foresee, and whole before it gets the one it is to
 * have: a start that is killed on the way leaves no directory that the next one refuses. */
static int make_directory(const file_store_t *store, char *temporary)
{
    int dir, done, saved;

    if (mkdtemp(temporary) == NULL) {
        return -1;
    }
    dir = file_directory_open(temporary);
    done = dir >= 0 && furnish(store, dir) && rename(temporary, store->dir) == 0;
    saved = errno;
    if (!done) {
        unlinkat(dir, FILE_SPACE, 0);
        rmdir(temporary);
    }
    file_close(dir);
    errno = saved;
    return done ? 0 : -1;
}

const char *file_prepare(void *data, apr_pool_t *ptemp)
{
    const file_store_t *store = data;
    const char *why;
    int gone;

    why = judge(store, &gone, ptemp);
    if (why != NULL || !gone) {
        return why;
    }
    if (make_directory(store, apr_pstrcat(ptemp, store->dir, ".XXXXXX", NULL)) != 0) {
        apr_status_t rv = errno;

        /* another httpd may have made it, and have put something into it, at the same moment */
        why = judge(store, &gone, ptemp);
        return why == NULL && gone ? apr_psprintf(ptemp, "cannot make %s: %pm", store->dir, &rv)
                                   : why;
    }
    return judge(store, &gone, ptemp);
}
