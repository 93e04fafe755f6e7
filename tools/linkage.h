/* SPDX-License-Identifier: MIT */
/* Which TLS library a program would use, as far as can be told without running it. */
#ifndef CVG_TOOLS_LINKAGE_H
#define CVG_TOOLS_LINKAGE_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "tools/tls-kind.h"

struct cvg_linkage {
    char path[PATH_MAX];        /* the program found on PATH */
    char interpreter[PATH_MAX]; /* of a script; else "" */
    char helper[PATH_MAX];      /* the program that does its TLS, if it is known to be another */
    bool openssl3;              /* libssl.so.3, the system's */
    bool openssl_own;           /* a copy that is not the system's, which has its own openssl.cnf */
    bool openssl_old;           /* libssl.so.1.x */
    bool gnutls;
    bool curl_gnutls; /* libcurl with GnuTLS inside: what does the HTTPS, whatever else is linked */
    bool nss;
    bool nss_tls;  /* libssl3.so, which is NSS's TLS; without it NSS only signs or hashes there */
    bool curl_nss; /* libcurl with NSS inside */
    bool purple;   /* libpurple, whose TLS is a plug-in */
    bool chromium; /* Qt's WebEngine: Chromium as a library */
    bool java;
    bool other;               /* mbedTLS, wolfSSL */
    bool is_static;           /* nothing is linked at run time */
    enum cvg_tls_kind inside; /* what lies in the program itself; CVG_TLS_NONE: nothing known */
    bool other_machine;       /* its OpenSSL 3 is for another machine than our module (32 bits) */
};

/* Finds a program on PATH, unless it has a slash. */
bool cvg_linkage_program(const char *program, char ret_path[static PATH_MAX]);

/* Whether this very file is a program that links NSS's TLS and not OpenSSL 3's: a look at its
 * beginning, without ldd. What its libraries bring along is not seen. */
bool cvg_linkage_names_nss(const char *path);

/* NOT_FOUND: there is no such program. */
CVG_MUST_USE enum cvg_error cvg_linkage_find(const char *program, struct cvg_linkage *ret_linkage,
                                             struct cvg_why *ret_why);

#endif
