/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>

#include <apr_file_info.h>

#include "tests/fuzz/fuzz.h"

/* Gives a fuzz target every file of the directories that are its arguments, without a fuzzer. */

static void give_file(const char *path)
{
    uint8_t *data;
    FILE *file;
    long size;

    file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }

    /* not a byte to spare: a sanitizer sees each one that is read beyond */
    data = malloc(size);
    if ((data == NULL && size > 0) || fread(data, 1, size, file) != (size_t)size) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);

    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int give_directory(const char *path, apr_pool_t *pool)
{
    apr_finfo_t entry;
    apr_dir_t *directory;
    int count = 0;

    if (apr_dir_open(&directory, path, pool) != APR_SUCCESS) {
        return 0;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS) {
        if (entry.name[0] != '.') {
            give_file(apr_pstrcat(pool, path, "/", entry.name, NULL));
            count++;
        }
    }
    apr_dir_close(directory);

    return count;
}

int main(int argc, char *argv[])
{
    apr_pool_t *pool = fuzz_pool();
    int status = argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    int i;

    for (i = 1; i < argc; i++) {
        int count = give_directory(argv[i], pool);

        printf("%s: %d inputs\n", argv[i], count);
        if (count == 0) {
            status = EXIT_FAILURE;
        }
    }

    apr_pool_destroy(pool);
    apr_terminate();
    return status;
}
