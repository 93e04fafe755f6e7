/* SPDX-License-Identifier: MIT */
/* A redis-server of its own for a test, on loopback, in a directory that goes with it; and a plain
 * client's look into it. */
#ifndef CVG_TESTS_NOTARY_REDIS_SERVER_H
#define CVG_TESTS_NOTARY_REDIS_SERVER_H

#include <hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
    char directory[64];
    uint16_t port;
    pid_t pid;        /* 0: it does not run */
    redisContext *in; /* the test's own connection */
};

bool redis_server_is_there(void); /* the program is installed */
/* extra: lines of its configuration. It answers when this returns. */
void redis_server_make(struct redis_server *server, const char *extra);
void redis_server_start(struct redis_server *server); /* again, on the same port */
void redis_server_kill(struct redis_server *server);  /* -9 */
void redis_server_free(struct redis_server *server);

#endif
