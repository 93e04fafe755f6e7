/* SPDX-License-Identifier: MIT */
/* The canary: a process of our own that loads a given openssl.cnf and shakes hands with itself on
 * the loopback, while we play its agent. What it asks, and whether it obeys, shows whether
 * converge.so is loaded there and at work. No notary and no real agent is involved. */
#ifndef CVG_TOOLS_CANARY_H
#define CVG_TOOLS_CANARY_H

#include <stdbool.h>

#include "common/base/error.h"

struct cvg_canary {
    bool loaded;        /* OpenSSL has activated the provider */
    bool watching;      /* it says that it hooks */
    bool asked;         /* it asked about the right host, port and certificate */
    bool obeys;         /* "refuse" failed the handshake, "accept" let it pass */
    bool private_agent; /* false: the administrator's `lock = yes` leaves no room for one; then
                           asked and obeys cannot be known and stay false */
    char text[256];     /* what went wrong, for a person; else "" */
};

/* CVG_OK means that the canary ran, whatever it found. */
CVG_MUST_USE enum cvg_error cvg_canary_run(const char *openssl_conf, struct cvg_canary *ret_canary,
                                           struct cvg_why *ret_why);

/* Whether that is as good as can be known. */
bool cvg_canary_good(const struct cvg_canary *canary);

/* The process itself: `converge canary`, which main() starts before OpenSSL is told to leave the
 * configuration alone. Writes its findings to standard output. */
int cvg_canary_main(void);

#endif
