/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Not an assertion of Check's: a server may be started outside of a test. */
#define REDIS_SERVER_MUST(condition)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "redis-server: not so: %s\n", #condition);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A redis-server for as long as a test program, or a case of it, needs it: on a free port of
 * 127.0.0.1 and on a socket, with nothing on the disk. It is the one that scripts/deps has unpacked
 * or the system's; where there is none, `redis_server_start` says so and the case is left out. */

#define REDIS_SERVER_WORDS 24

/** A server that runs. */
typedef struct redis_server_t {
    pid_t pid; /* 0: none */
    int port;
    char dir[64];
    char socket[80];
} redis_server_t;

static inline const char *redis_server_program(void)
{
    static char found[2048], here[1024]; /* absolute: it is started in another directory */
    static const char *const installed[] = { "/usr/bin", "/usr/local/bin", "/opt/redis/bin" };
    const char *named = getenv("SS_REDIS_SERVER"), *top = getenv("SS_SRCDIR");

    if (named != NULL) {
        return named;
    }
    REDIS_SERVER_MUST(getcwd(here, sizeof(here)) != NULL);
    apr_snprintf(found, sizeof(found), "%s/%s/tests/httpd/unpacked/usr/bin/redis-server",
                 top != NULL && top[0] == '/' ? "" : here, top == NULL ? "." : top);
    for (int i = 0; i < COUNT(installed) && access(found, X_OK) != 0; i++) {
        apr_snprintf(found, sizeof(found), "%s/redis-server", installed[i]);
    }
    return access(found, X_OK) == 0 ? found : NULL;
}

/** A port that nobody has just now. */
static inline int redis_server_free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REDIS_SERVER_MUST(bind(fd, (struct sockaddr *)&address, size) == 0);
    REDIS_SERVER_MUST(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline void redis_server_await(const redis_server_t *server)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    apr_cpystrn(address.sun_path, server->socket, sizeof(address.sun_path));
    for (int tries = 0; tries < 1000; tries++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        int rv = connect(fd, (struct sockaddr *)&address, sizeof(address));

        close(fd);
        if (rv == 0) {
            return;
        }
        REDIS_SERVER_MUST(waitpid(server->pid, NULL, WNOHANG) == 0);
        usleep(10000);
    }
    REDIS_SERVER_MUST(!"redis-server answers");
}

/**
 * Start one.
 *
 * @param conf     a file of its configuration, or NULL
 * @param options  further words of its command line, until NULL
 * @return         whether there is one to start
 */
static inline int redis_server_start_with(redis_server_t *server, const char *conf,
                                          const char *const *options)
{
    const char *program = redis_server_program();
    char port[6];
    const char *const common[] = { "--port", port, "--bind",       "127.0.0.1",
                                   "--save", "",   "--unixsocket", server->socket };
    const char *words[REDIS_SERVER_WORDS] = { program, conf };
    int count = conf == NULL ? 1 : 2;

    for (int i = 0; i < COUNT(common); i++) {
        words[count++] = common[i];
    }
    server->pid = 0;
    if (program == NULL) {
        printf("NOT RUN: there is no redis-server (scripts/deps test unpacks one)\n");
        return 0;
    }
    apr_cpystrn(server->dir, "/tmp/signed-session-redis.XXXXXX", sizeof(server->dir));
    REDIS_SERVER_MUST(mkdtemp(server->dir) != NULL);
    apr_snprintf(server->socket, sizeof(server->socket), "%s/socket", server->dir);
    server->port = redis_server_free_port();
    apr_snprintf(port, sizeof(port), "%d", server->port);
    while (options != NULL && *options != NULL) {
        words[count++] = *options++;
        REDIS_SERVER_MUST(count < REDIS_SERVER_WORDS);
    }
    words[count] = NULL;
    fflush(stdout);
    server->pid = fork();
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) == NULL || chdir(server->dir) != 0) {
            _exit(1);
        }
        execv(program, (char *const *)words);
        _exit(1);
    }
    redis_server_await(server);
    return 1;
}

static inline int redis_server_start(redis_server_t *server, const char *const *options)
{
    return redis_server_start_with(server, NULL, options);
}

static inline void redis_server_stop(redis_server_t *server)
{
    if (server->pid != 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
        unlink(server->socket);
        rmdir(server->dir);
        server->pid = 0;
    }
}

#endif
