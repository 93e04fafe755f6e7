/* SPDX-License-Identifier: MIT */
/* Which TLS library a program file has, by the libraries it names, theirs in turn, and what lies
 * inside it. Nothing is run. */
#ifndef CVG_TOOLS_TLS_KIND_H
#define CVG_TOOLS_TLS_KIND_H

#include <stdbool.h>

enum cvg_tls_kind {
    CVG_TLS_NONE = 0, /* no TLS library is seen */
    CVG_TLS_LATER,    /* names one only in its texts: it may load it at run time */
    CVG_TLS_FOREIGN,  /* of another byte order: not looked into */
    CVG_TLS_OPENSSL3, /* the system's: the only one that converge.so watches */
    CVG_TLS_NSS,      /* watched where its database has our module */
    CVG_TLS_SEVERAL,  /* one of the two above, and no farther off another that is not watched */
    CVG_TLS_OPENSSL1,
    CVG_TLS_OPENSSL_BUNDLED, /* OpenSSL 3 as a library that is not the system's */
    CVG_TLS_OPENSSL_OTHER,   /* the system's for another machine, as of 32 bits */
    CVG_TLS_OPENSSL_INSIDE,  /* bundled in the program file itself */
    CVG_TLS_GNUTLS,
    CVG_TLS_MBEDTLS,
    CVG_TLS_WOLFSSL,
    CVG_TLS_BORINGSSL,
    CVG_TLS_RUSTLS,
    CVG_TLS_GO,
    CVG_TLS_JAVA
};
#define CVG_TLS_KINDS 17

struct cvg_tls_look {
    enum cvg_tls_kind kind;
    bool quic; /* HTTP/3 is linked, too */
};

/* What has been looked at is remembered between calls. */
struct cvg_tls_finder;
struct cvg_tls_finder *cvg_tls_finder_new(void);
void cvg_tls_finder_free(struct cvg_tls_finder *finder);

/* false: the file is no ELF program, or cannot be read. */
bool cvg_tls_look(struct cvg_tls_finder *finder, const char *path, struct cvg_tls_look *ret_look);

/* The library that lies inside the file itself, whatever it links: OPENSSL_INSIDE, MBEDTLS,
 * BORINGSSL, RUSTLS or GO; else NONE. */
enum cvg_tls_kind cvg_tls_inside(struct cvg_tls_finder *finder, const char *path);

#endif
