/* SPDX-License-Identifier: MIT */
/* Host and port of a TLS client's connection over NSPR. */
#ifndef CVG_NSS_MODULE_PEER_H
#define CVG_NSS_MODULE_PEER_H

#include "common/base/config.h"
#include "common/protocol/message.h"
#include "nss-module/connection.h"
#include "nss-module/nss.h"

enum cvg_peer_found {
    CVG_PEER_BAD = 0, /* somebody is meant, but nobody can say who: counts as unanswered */
    CVG_PEER_FOUND,
    CVG_PEER_NOT_APPLICABLE /* neither a name nor an internet socket */
};

/* Fills host, have_name, port, peer and how they were found. Host: SSL_RevealURL, else the peer's
 * address. Port, first that there is: the CONNECT request that was seen; the top layer's peer,
 * where it differs from the socket's (SOCKS); the socket's peer, unless the kernel counts octets
 * that we did not see (a tunnel that the program opened by itself: then common/client/ports.h
 * decides). */
enum cvg_peer_found cvg_nss_peer_find(struct cvg_nss *nss, PRFileDesc *tcp, PRFileDesc *ssl,
                                      const struct cvg_spoken *spoken,
                                      const struct cvg_config *config,
                                      struct cvg_question *ret_question);

#endif
