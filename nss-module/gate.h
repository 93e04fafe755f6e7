/* SPDX-License-Identifier: MIT */
/* The gate: no octet leaves a TLS client's connection, once the server's certificate is there,
 * before the question about (host, port, leaf) is answered, and what comes in meanwhile is not
 * read; after a refusal neither ever is. */
#ifndef CVG_NSS_MODULE_GATE_H
#define CVG_NSS_MODULE_GATE_H

#include <stddef.h>

#include "nss-module/nss.h"

enum cvg_pass {
    CVG_PASS_REFUSED = 0, /* fail the write with SEC_ERROR_UNTRUSTED_CERT */
    CVG_PASS_FAILED,      /* fail it with SSL_ERROR_HANDSHAKE_UNEXPECTED_ALERT; gecko.h */
    CVG_PASS_WAIT,        /* fail it with PR_WOULD_BLOCK_ERROR: only for non-blocking sockets */
    CVG_PASS_OPEN
};

/* Before a write of these octets. A blocking socket waits here, for the deadline at most; many
 * non-blocking ones that come round in a thread's loop wait a few milliseconds once a round, all
 * together. Keeps errno and NSPR's error. */
enum cvg_pass cvg_gate_write(struct cvg_nss *nss, PRFileDesc *tcp, const void *data, size_t len);

/* Before a read: waits, or is refused, once a write was. The handshake's own reads come before. */
enum cvg_pass cvg_gate_read(struct cvg_nss *nss, PRFileDesc *tcp);

/* After a read of so many octets: they are counted, and this thread is busy with the connection. */
void cvg_gate_have_read(struct cvg_nss *nss, PRFileDesc *tcp, size_t len);

/* After these octets went out; data NULL: only their number is known. */
void cvg_gate_have_written(struct cvg_nss *nss, PRFileDesc *tcp, const void *data, size_t len);

/* Before the connection is closed: forgets it, with a question that is not answered. */
void cvg_gate_close(PRFileDesc *tcp);

struct cvg_lookup;

/* For trust.h: the client connection whose octets this thread read last, if it is in a handshake
 * and its leaf is what is looked up, but not decided: asks (blocking, for the deadline at most)
 * with PKI's result "trust error", and remembers the answer for this connection. true: ACCEPT, in
 * replace mode, for exactly this leaf at exactly this endpoint; and whenever another endpoint shows
 * this leaf, the gate asks with "trust error" again. The first lookup comes before NSS has the
 * connection's certificate: then the leaf is the certificate that the lookup points into. Takes no
 * NSS call that searches tokens. */
bool cvg_gate_vouch(const struct cvg_lookup *lookup, uint8_t ret_leaf_sha1[static 20]);

#endif
