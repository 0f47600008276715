/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_errno.h>
#include <apr_general.h>

#include "lib/crypto.h"
#include "lib/encode.h"

#define SECRET_SIZE 32 /* bytes; 43 characters of base64url */

typedef enum result_e { DONE = 0, REFUSED = 1, MISUSED = 2 } result_e;

/** One command: the first word behind "ssctl". */
typedef struct command_t {
    const char *name;
    const char *help;
    result_e (*run)(int argc, const char *const argv[]); /* what stands behind its name */
} command_t;

static result_e keygen(int argc, const char *const argv[])
{
    unsigned char random[SECRET_SIZE];
    char secret[2 * SECRET_SIZE];
    apr_size_t len;

    (void)argv;
    if (argc > 0) {
        return MISUSED;
    }
    if (ss_random(random, sizeof(random)) != APR_SUCCESS) {
        fputs("ssctl: libcrypto has no random bytes\n", stderr);
        return REFUSED;
    }
    len = ss_base64_encode(SS_BASE64URL, secret, ss_bytes((const char *)random, sizeof(random)));
    printf("%.*s\n", (int)len, secret);
    ss_wipe(random, sizeof(random));
    ss_wipe(secret, sizeof(secret));
    return DONE;
}

static result_e version(int argc, const char *const argv[])
{
    (void)argv;
    if (argc > 0) {
        return MISUSED;
    }
    puts("ssctl " SS_VERSION);
    return DONE;
}

/* clang-format off */
static const command_t commands[] = {
    { "keygen",    "print a new secret",      keygen },
    { "--version", "print the version",       version },
    { NULL,        NULL,                      NULL }
};
/* clang-format on */

static void print_usage(void)
{
    fputs("usage: ssctl COMMAND\n", stderr);
    for (const command_t *command = commands; command->name != NULL; command++) {
        fprintf(stderr, "  %-10s %s\n", command->name, command->help);
    }
}

static const command_t *command_named(const char *name)
{
    for (const command_t *command = commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

/* A secret that went into a full disk is none: whoever asked must hear of it. */
static result_e flush(void)
{
    if (ferror(stdout) || fflush(stdout) != 0) {
        perror("ssctl: cannot write");
        return REFUSED;
    }
    return DONE;
}

int main(int argc, const char *const argv[])
{
    const command_t *command = argc > 1 ? command_named(argv[1]) : NULL;
    result_e result = MISUSED;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS) {
        return REFUSED;
    }
    atexit(apr_terminate);
    if (command != NULL) {
        result = command->run(argc - 2, argv + 2);
    }
    if (result == MISUSED) {
        print_usage();
    }
    return result == DONE ? flush() : result;
}
