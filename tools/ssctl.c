/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>

#include "tools/ssctl.h"

/* clang-format off */
static const command_t commands[] = {
    { "keygen",  0, NULL,
      "print a new secret", run_keygen },
    { "seal",    TAKES_KEYS | TAKES_NAME | TAKES_FORMAT | TAKES_LIFE | TAKES_ENCRYPT | TAKES_NOW
                 | TAKES_JSON | TAKES_OPERAND, "JSON",
      "make a cookie of a JSON object", run_seal },
    { "open",    TAKES_KEYS | TAKES_NAME | TAKES_FORMAT | TAKES_LIFE | TAKES_NOW | TAKES_JSON
                 | TAKES_OPERAND, "COOKIE",
      "verify a cookie and print its session", run_open },
    { "inspect", TAKES_NAME | TAKES_NOW | TAKES_JSON | TAKES_OPERAND, "COOKIE",
      "show what a cookie tells without a secret", run_inspect },
    { "convert", TAKES_KEYS | TAKES_NAME | TAKES_FROM_TO | TAKES_LIFE | TAKES_ENCRYPT | TAKES_NOW
                 | TAKES_JSON | TAKES_OPERAND, "COOKIE",
      "open a cookie in one format, seal it in another", run_convert },
    { "formats", TAKES_JSON, NULL,
      "list the formats", run_formats },
    { "states",  TAKES_JSON, NULL,
      "list what a cookie may turn out to be, and what to do about it", run_states },
    { "revoke",  TAKES_LOG | TAKES_REVOKED | TAKES_NOW, NULL,
      "end sessions on all devices, by a line in the revocation log", run_revoke },
    { "revoked", TAKES_LOG | TAKES_NOW | TAKES_JSON, NULL,
      "list what the revocation log says", run_revoked },
    { NULL,      0, NULL, NULL, NULL }
};
/* clang-format on */

static void print_usage(FILE *out)
{
    fputs("usage: ssctl COMMAND [OPTION...] [ARGUMENT]\n"
          "       ssctl COMMAND --help\n"
          "       ssctl --version\n\n"
          "commands:\n",
          out);
    for (const command_t *command = commands; command->name != NULL; command++) {
        fprintf(out, "  %-8s %s\n", command->name, command->help);
    }
}

static result_e misused(const char *why)
{
    print_usage(stderr);
    complain("%s", why);
    return SSCTL_USAGE;
}

static void print_help(const command_t *command)
{
    printf("usage: ssctl %s [OPTION...]%s%s\n\n%s\n", command->name,
           command->operand != NULL ? " " : "", command->operand != NULL ? command->operand : "",
           command->help);
    if (command->operand != NULL) {
        printf("%s is read from standard input when it is not an argument.\n", command->operand);
    }
    if (command->takes != 0) {
        puts("\noptions:");
        options_print(command->takes);
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

static int is_word(int argc, const char *const argv[], int at, const char *word)
{
    return argc == at + 1 && strcmp(argv[at], word) == 0;
}

static result_e run(int argc, const char *const argv[], apr_pool_t *pool)
{
    const command_t *command = argc > 1 ? command_named(argv[1]) : NULL;
    options_t options;
    const char *why;

    if (is_word(argc, argv, 1, "--version")) {
        puts("ssctl " SS_VERSION);
        return SSCTL_DONE;
    }
    if (is_word(argc, argv, 1, "--help")) {
        print_usage(stdout);
        return SSCTL_DONE;
    }
    if (command == NULL) {
        /* not repeated: it may be a secret in the wrong place */
        return misused(argc > 1 ? "there is no such command" : "a command is missing");
    }
    if (is_word(argc, argv, 2, "--help")) {
        print_help(command);
        return SSCTL_DONE;
    }
    why = options_read(&options, command, argc - 1, argv + 1, pool);
    return why == NULL ? command->run(&options) : misused(why);
}

/* A secret that went into a full disk is none: whoever asked must hear of it. */
static result_e flush(void)
{
    if (ferror(stdout) || fflush(stdout) != 0) {
        perror("ssctl: cannot write");
        return SSCTL_REFUSED;
    }
    return SSCTL_DONE;
}

int main(int argc, const char *const argv[])
{
    apr_pool_t *pool;
    result_e result;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return SSCTL_REFUSED;
    }
    atexit(apr_terminate);
    result = run(argc, argv, pool);
    return result == SSCTL_DONE ? flush() : result;
}
