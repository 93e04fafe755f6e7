/* SPDX-License-Identifier: MIT */
/* The scene of a program that does not link OpenSSL and opens libssl when it needs it, and
 * closes it again. Usable without host.h. */
#include "config.h"

#include "tests/provider/scene-dl.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define FUNCTIONS(X)                                                                               \
    X(SSL_CTX_free)                                                                                \
    X(SSL_CTX_load_verify_file)                                                                    \
    X(SSL_CTX_new)                                                                                 \
    X(SSL_CTX_set_verify)                                                                          \
    X(SSL_connect)                                                                                 \
    X(SSL_free)                                                                                    \
    X(SSL_get_verify_result)                                                                       \
    X(SSL_new)                                                                                     \
    X(SSL_set1_host)                                                                               \
    X(SSL_set_fd)                                                                                  \
    X(TLS_client_method)

#define FIELD(name) __typeof__(&name) name;

struct library {
    FUNCTIONS(FIELD)
};

static bool load(void *handle, struct library *ret_library)
{
    void *address;

#define LOAD(name)                                                                                 \
    address = dlsym(handle, #name);                                                                \
    if (!address)                                                                                  \
        return false;                                                                              \
    memcpy(&ret_library->name, &address, sizeof address);

    FUNCTIONS(LOAD)
    return true;
}

static int connect_tcp(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static void handshake(const struct library *library, const char *ca, const char *host,
                      uint16_t port)
{
    SSL_CTX *ctx = library->SSL_CTX_new(library->TLS_client_method());
    SSL *ssl;
    int fd = connect_tcp(port);

    library->SSL_CTX_load_verify_file(ctx, ca);
    library->SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    ssl = library->SSL_new(ctx);
    library->SSL_set1_host(ssl, host);
    library->SSL_set_fd(ssl, fd);
    printf("port=%u ok=%d", port, library->SSL_connect(ssl) == 1);
    printf(" result=%ld\n", library->SSL_get_verify_result(ssl));
    fflush(stdout);
    library->SSL_free(ssl);
    library->SSL_CTX_free(ctx);
    close(fd);
}

bool scene_dl(const char *path, const char *ca, const char *host, uint16_t port)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    struct library library;

    if (!handle || !load(handle, &library)) {
        printf("%s\n", dlerror());
        return false;
    }
    handshake(&library, ca, host, port);
    return dlclose(handle) == 0;
}
