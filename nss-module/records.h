/* SPDX-License-Identifier: MIT */
/* The little that the gate reads of TLS records (RFC 8446, 5.1). Pure. */
#ifndef CVG_NSS_MODULE_RECORDS_H
#define CVG_NSS_MODULE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "nss-module/connection.h"

/* Whether these octets, to be sent before a check is decided, are complete records that carry
 * nothing but change_cipher_spec and an alert (in clear, or of an encrypted alert's size): a
 * handshake that PKI ended must be able to say so, without a question about it. */
bool cvg_records_only_alert(const void *data, size_t len);

/* The role that the first handshake record which is *sent* tells: ClientHello or ServerHello. */
enum cvg_role cvg_records_role(const void *data, size_t len);

/* A proxy's "CONNECT host:port HTTP/1.x" at the beginning of data: fills in the CONNECT fields.
 * Returns false, and changes nothing, for anything else (a host that is no host, port 0 ...). */
bool cvg_records_connect(const void *data, size_t len, struct cvg_spoken *ret_spoken);

#endif
