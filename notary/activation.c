/* SPDX-License-Identifier: MIT */
/* Being started by a service manager. */
#include "notary/activation.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD 3
#define FDS_MOST 4096

static bool number_of(const char *text, long min, long max, long *ret_number)
{
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *ret_number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_number >= min && *ret_number <= max;
}

/* How many descriptors are for this very process. */
static enum cvg_error passed(long *ret_count, struct cvg_why *why)
{
    const char *for_pid = secure_getenv("LISTEN_PID"), *count = secure_getenv("LISTEN_FDS");
    long pid = 0;
    if (for_pid == NULL || count == NULL)
        return CVG_ERR_NOT_FOUND;
    if (!number_of(for_pid, 1, INT32_MAX, &pid) || pid != (long)getpid())
        return CVG_ERR_NOT_FOUND;
    if (!number_of(count, 1, FDS_MOST, ret_count))
        return cvg_fail(why, CVG_ERR_CONFIG, "LISTEN_FDS: a number from 1 to %d is expected",
                        FDS_MOST);
    return CVG_OK;
}

static bool service_of(const char *name, size_t len, enum cvg_service *ret_service)
{
    for (int i = 0; i < CVG_SERVICES; i++) {
        const char *known = cvg_service_name((enum cvg_service)i);
        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            *ret_service = (enum cvg_service)i;
            return true;
        }
    }
    return false;
}

static enum cvg_error add(int fd, const char *name, size_t len, struct cvg_sockets *sockets,
                          struct cvg_why *why)
{
    enum cvg_service service;
    if (!service_of(name, len, &service))
        return cvg_fail(why, CVG_ERR_CONFIG,
                        "the service manager's socket %d is named \"%.*s\": ssl, bounce, relay "
                        "and status are known (FileDescriptorName=)",
                        fd - FIRST_FD, (int)len, name);
    if (!cvg_socket_adopt(fd))
        return cvg_fail(why, CVG_ERR_CONFIG,
                        "the service manager's socket %d (%s) is not a listening TCP socket",
                        fd - FIRST_FD, cvg_service_name(service));
    return cvg_sockets_add(sockets, fd, service);
}

static enum cvg_error add_all(long count, const char *names, struct cvg_sockets *sockets,
                              struct cvg_why *why)
{
    enum cvg_error err = CVG_OK;
    for (long i = 0; i < count && err == CVG_OK; i++) {
        size_t len = strcspn(names, ":");
        err = add(FIRST_FD + (int)i, names, len, sockets, why);
        names += len + (names[len] == ':' ? 1 : 0);
    }
    return err;
}

enum cvg_error cvg_activation_sockets(struct cvg_sockets *ret_sockets, struct cvg_why *ret_why)
{
    struct cvg_sockets sockets = {.socket = NULL};
    const char *names = secure_getenv("LISTEN_FDNAMES");
    long count = 0;
    enum cvg_error err = passed(&count, ret_why);
    if (err == CVG_OK)
        err = add_all(count, names == NULL ? "" : names, &sockets, ret_why);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (err == CVG_OK)
        *ret_sockets = sockets;
    else
        cvg_sockets_close(&sockets);
    return err;
}

/* "@name" is an abstract address. */
static bool manager_address(struct sockaddr_un *ret_address, socklen_t *ret_len)
{
    const char *path = secure_getenv("NOTIFY_SOCKET");
    size_t len = path == NULL ? 0 : strlen(path);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len < 2 || len >= sizeof(ret_address->sun_path) || (*path != '/' && *path != '@'))
        return false;
    memcpy(ret_address->sun_path, path, len);
    if (*path == '@')
        ret_address->sun_path[0] = '\0';
    *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

void cvg_activation_notify(const char *state)
{
    struct sockaddr_un address;
    socklen_t len = 0;
    if (!manager_address(&address, &len))
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
    close(fd);
}

void cvg_activation_notify_reloading(void)
{
    struct timespec now;
    char state[64];
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return;
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    cvg_activation_notify(state);
}
