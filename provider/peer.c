/* SPDX-License-Identifier: MIT */
/* The host a TLS client means, in the order of how much a source can be relied on; the ports are
 * port.c's. */
#include "config.h"

#include "provider/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/endpoint.h"
#include "provider/port.h"

/* Only the host counts here; the normaliser wants some port with it. */
#define ANY_PORT 443

struct naming {
    struct cvg_question *question;
    bool meant; /* the program named something, whether or not it could be used */
};

/* Takes the name if it is the first usable one. A leading dot makes a verify parameter match all
 * names below a domain: that is a pattern, not a name. */
static void offer(struct naming *naming, const char *name, enum cvg_found found)
{
    struct cvg_endpoint endpoint;
    struct cvg_why why;

    if (!name || !name[0] || name[0] == '.' || naming->question->host[0])
        return;
    naming->meant = true;
    if (cvg_endpoint_set(name, strlen(name), ANY_PORT, &endpoint, &why) != CVG_OK)
        return;
    memcpy(naming->question->host, endpoint.host, sizeof naming->question->host);
    naming->question->host_found = (uint8_t)found;
    naming->question->have_name = true;
}

static void name_host(const struct cvg_ossl *ossl, const struct cvg_ssl_functions *functions,
                      X509_STORE_CTX *ctx, const SSL *ssl, struct naming *naming)
{
    X509_VERIFY_PARAM *param = ossl->crypto.X509_STORE_CTX_get0_param(ctx);
    char *ip = NULL;

    if (param) {
        offer(naming, ossl->crypto.X509_VERIFY_PARAM_get0_host(param, 0), CVG_FOUND_PARAM);
        ip = ossl->crypto.X509_VERIFY_PARAM_get1_ip_asc(param);
        offer(naming, ip, CVG_FOUND_PARAM);
        ossl->crypto.CRYPTO_free(ip, __FILE__, __LINE__);
    }
    offer(naming, functions->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), CVG_FOUND_SNI);
    offer(naming, cvg_ossl_connect_bio(ossl, functions->SSL_get_rbio(ssl), 0), CVG_FOUND_BIO);
}

static void name_peer(struct cvg_question *question)
{
    char text[INET6_ADDRSTRLEN];
    struct naming naming = {.question = question};
    int family = question->peer_family == 4 ? AF_INET : AF_INET6;

    if (!inet_ntop(family, question->peer_address, text, sizeof text))
        return;
    offer(&naming, text, CVG_FOUND_PEER);
    question->have_name = false;
}

enum cvg_peer cvg_peer_find(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, const SSL *ssl,
                            const struct cvg_config *config, struct cvg_question *ret_question)
{
    struct naming naming = {.question = ret_question};
    struct cvg_ssl_functions room;
    const struct cvg_ssl_functions *functions = cvg_ossl_ssl(ossl, &room);

    if (!functions)
        return CVG_PEER_BAD;
    name_host(ossl, functions, ctx, ssl, &naming);
    if (naming.meant && !ret_question->host[0])
        return CVG_PEER_BAD;
    cvg_port_find(ossl, functions, ssl, config, naming.meant ? ret_question->host : NULL,
                  ret_question);
    if (!naming.meant && ret_question->peer_family != 0)
        name_peer(ret_question);
    if (!ret_question->host[0])
        return CVG_PEER_NOT_APPLICABLE;
    return ret_question->port_count > 0 ? CVG_PEER_FOUND : CVG_PEER_BAD;
}
