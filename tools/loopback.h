/* SPDX-License-Identifier: MIT */
/* TLS on the loopback, for the canary and for programs that doctor looks at. */
#ifndef CVG_TOOLS_LOOPBACK_H
#define CVG_TOOLS_LOOPBACK_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

/* A fresh self-signed certificate for the host, good for an hour. The caller frees both, also after
 * a failure. */
bool cvg_loopback_certificate(const char *host, EVP_PKEY **ret_key, X509 **ret_cert);

/* A TLS server for localhost in a process of its own, until it is ended. */
struct cvg_loopback {
    pid_t pid;
    uint16_t port;
    int visits; /* readable once somebody has connected */
};

CVG_MUST_USE enum cvg_error cvg_loopback_start(struct cvg_loopback *ret_server,
                                               struct cvg_why *ret_why);
void cvg_loopback_end(struct cvg_loopback *server);

#endif
