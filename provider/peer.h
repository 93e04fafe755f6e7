/* SPDX-License-Identifier: MIT */
/* Whom a TLS client is talking to: host and port, as well as they can be known. */
#ifndef CVG_PROVIDER_PEER_H
#define CVG_PROVIDER_PEER_H

#include "common/base/config.h"
#include "common/protocol/message.h"
#include "provider/ossl.h"

enum cvg_peer {
    CVG_PEER_BAD = 0,       /* the program means a name, but none that could be asked about */
    CVG_PEER_FOUND,         /* the question may be asked */
    CVG_PEER_NOT_APPLICABLE /* neither a name nor a TCP socket */
};

/* Fills host and ports of *ret_question (zeroed by the caller). Any thread. */
enum cvg_peer cvg_peer_find(struct cvg_ossl *ossl, X509_STORE_CTX *ctx, const SSL *ssl,
                            const struct cvg_config *config, struct cvg_question *ret_question);

#endif
