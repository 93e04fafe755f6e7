/* SPDX-License-Identifier: MIT */
/* The canary: a process of our own that loads a given openssl.cnf, or opens a given NSS database,
 * and shakes hands with itself on the loopback, while we play its agent. What it asks, and whether
 * it obeys, shows whether our module is loaded there and at work. No notary and no real agent is
 * involved. */
#ifndef CVG_TOOLS_CANARY_H
#define CVG_TOOLS_CANARY_H

#include <stdbool.h>

#include "common/base/error.h"

struct cvg_canary {
    bool loaded;        /* OpenSSL has activated the provider; NSS has loaded the module */
    bool watching;      /* it says that it hooks; NSPR's sockets call it */
    bool asked;         /* it asked about the right host, port and certificate */
    bool obeys;         /* "refuse" failed the handshake, "accept" let it pass */
    bool private_agent; /* false: the administrator's `lock = yes` leaves no room for one; then
                           asked and obeys cannot be known and stay false */
    char text[256];     /* what went wrong, for a person; else "" */
};

/* CVG_OK means that the canary ran, whatever it found. */
CVG_MUST_USE enum cvg_error cvg_canary_run(const char *openssl_conf, struct cvg_canary *ret_canary,
                                           struct cvg_why *ret_why);

/* The same with the NSS database in that directory, opened read-only, and with the NSS libraries in
 * nss_directory ("": the system's). NOT_FOUND: NSS could not be loaded, or not open it. */
CVG_MUST_USE enum cvg_error cvg_canary_run_nss(const char *nss_directory, const char *database,
                                               struct cvg_canary *ret_canary,
                                               struct cvg_why *ret_why);

/* Whether that is as good as can be known. */
bool cvg_canary_good(const struct cvg_canary *canary);

/* The process itself: `converge canary`, which main() starts before OpenSSL is told to leave the
 * configuration alone. Writes its findings to standard output. */
int cvg_canary_main(void);
/* And `converge canary NSS-DIRECTORY DATABASE`. */
int cvg_canary_nss_main(const char *nss_directory, const char *database);
/* `converge canary create NSS-DIRECTORY DATABASE` makes an empty database without a password. */
int cvg_canary_nss_create(const char *nss_directory, const char *database);

#endif
