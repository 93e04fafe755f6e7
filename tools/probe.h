/* SPDX-License-Identifier: MIT */
/* Runs a program with converge.so and ourselves as its agent, and sees whether it asks. */
#ifndef CVG_TOOLS_PROBE_H
#define CVG_TOOLS_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/endpoint.h"
#include "common/base/error.h"

struct cvg_probe {
    bool ran;                /* the program was started */
    bool connected;          /* it reached our TLS server (only where we chose what it does) */
    bool asked;              /* converge.so asked in it */
    bool right;              /* ... about our server's very host and port (only then, too) */
    char host[CVG_HOST_MAX]; /* what it asked about first */
    uint16_t port;
};

/* Whether we know arguments that make this program connect to our TLS server. */
bool cvg_probe_knows(const char *program);

/* arguments: the whole command (NULL: those we know). Every question is answered with "refuse", so
 * nothing is done over a connection that was not checked. The program's output is thrown away. */
CVG_MUST_USE enum cvg_error cvg_probe_run(const char *program, char *const arguments[],
                                          const char *openssl_conf, struct cvg_probe *ret_probe,
                                          struct cvg_why *ret_why);

#endif
