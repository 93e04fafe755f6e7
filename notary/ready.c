/* SPDX-License-Identifier: MIT */
/* The line with which a notary that serves tells its operator what it is. */
#include "notary/ready.h"

#include <openssl/x509.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

#define LIST_MAX 512 /* octets; with two fingerprints it is still one line of the log */

void cvg_ready_user(struct cvg_server *server)
{
    const struct passwd *user = getpwuid(geteuid());
    if (user != NULL)
        snprintf(server->user, sizeof(server->user), "%s", user->pw_name);
    else
        snprintf(server->user, sizeof(server->user), "%u", (unsigned)geteuid());
}

static bool describe(const struct cvg_socket *socket, char *ret_text, size_t size)
{
    union cvg_socket_address bound;
    struct cvg_address address;
    char text[CVG_ADDRESS_TEXT_MAX];
    socklen_t len = sizeof(bound);
    if (getsockname(socket->fd, &bound.any, &len) != 0 ||
        cvg_address_of(&bound.any, &address) != CVG_OK)
        return false;
    bool v6 = bound.any.sa_family == AF_INET6;
    snprintf(ret_text, size, " %s %s%s%s:%u,", cvg_service_name(socket->service), v6 ? "[" : "",
             cvg_address_format(&address, text, sizeof(text)), v6 ? "]" : "",
             (unsigned)ntohs(v6 ? bound.v6.sin6_port : bound.v4.sin_port));
    return true;
}

/* Each address and port once, however many workers listen there. */
static void list_sockets(const struct cvg_sockets *sockets, char ret_list[static LIST_MAX])
{
    size_t len = 0;
    ret_list[0] = '\0';
    for (size_t i = 0; i < sockets->count; i++) {
        char text[CVG_ADDRESS_TEXT_MAX + 24];
        if (!describe(&sockets->socket[i], text, sizeof(text)) || strstr(ret_list, text) != NULL)
            continue;
        if (len + strlen(text) >= LIST_MAX - sizeof(" ...")) {
            snprintf(ret_list + len, LIST_MAX - len, " ...,");
            len += strlen(ret_list + len);
            break;
        }
        snprintf(ret_list + len, LIST_MAX - len, "%s", text);
        len += strlen(text);
    }
    if (len > 0)
        ret_list[len - 1] = '\0';
}

static void certificate_text(const struct cvg_identity *identity,
                             char ret_text[static CVG_FINGERPRINT_TEXT_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    ret_text[0] = '\0';
    if (X509_digest(SSL_CTX_get0_certificate(identity->tls), EVP_sha256(), digest, &len) == 1)
        cvg_fingerprint_format(digest, len, ret_text, CVG_FINGERPRINT_TEXT_MAX);
}

void cvg_ready_log(const struct cvg_server *server)
{
    const struct cvg_identity *identity = server->worker[0]->identity;
    char signing[CVG_FINGERPRINT_TEXT_MAX], certificate[CVG_FINGERPRINT_TEXT_MAX], list[LIST_MAX];
    cvg_fingerprint_format(cvg_signing_key_id(identity->signing_key), CVG_SHA256_LEN, signing,
                           sizeof(signing));
    certificate_text(identity, certificate);
    list_sockets(&server->sockets, list);
    cvg_log(CVG_LOG_NOTICE, "ready: notary %s, user %s, signing key %s, certificate %s, at%s",
            server->settings.name, server->user, signing, certificate, list);
}
