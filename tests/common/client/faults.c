/* SPDX-License-Identifier: MIT */
/* The wrappers behind faults.h. */
#include "tests/common/client/faults.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

static enum fault planned;
static int left, planned_errno;
static bool happened;

void fault_plan(enum fault call, int nth, int err)
{
    planned = call;
    left = nth;
    planned_errno = err;
    happened = false;
}

bool fault_happened(void)
{
    return happened;
}

static bool fails(enum fault call)
{
    if (call != planned || left == 0)
        return false;
    if (left > 1 || call != FAULT_GETRANDOM)
        left--;
    if (left > (call == FAULT_GETRANDOM))
        return false;
    happened = true;
    errno = planned_errno;
    return true;
}

#define WRAP(type, name, params, args, fault)                                                      \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        return fails(fault) ? (type)-1 : __real_##name args;                                       \
    }

WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), FAULT_SOCKET)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len),
     FAULT_CONNECT)
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), FAULT_GETSOCKOPT)
WRAP(ssize_t, getrandom, (void *data, size_t len, unsigned flags), (data, len, flags),
     FAULT_GETRANDOM)
WRAP(ssize_t, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags),
     FAULT_SEND)
WRAP(ssize_t, recv, (int fd, void *data, size_t len, int flags), (fd, data, len, flags), FAULT_RECV)
WRAP(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout), FAULT_POLL)

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(FAULT_MALLOC) ? NULL : __real_realloc(old, size);
}
