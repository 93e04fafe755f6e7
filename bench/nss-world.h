/* SPDX-License-Identifier: MIT */
/* What the bench's NSS programs share: ordinary clients that know nothing of Converge. */
#ifndef CVG_BENCH_NSS_WORLD_H
#define CVG_BENCH_NSS_WORLD_H

#include <stdint.h>

#include <nspr.h>

/* Ends the program with a message that has NSPR's error, if there is none. */
void nss_must(int good, const char *what);

void nss_begin(const char *database);
void nss_end(void);

/* A TLS client's connection to 127.0.0.1, without session resumption; TLS has not begun. */
PRFileDesc *nss_dial(const char *host, int port);

uint64_t nss_wall_ns(void);
uint64_t nss_cpu_ns(void); /* of the process */

#endif
