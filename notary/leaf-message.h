/* SPDX-License-Identifier: MIT */
/* The leaf and the chain inside a TLS Certificate message, as it came over the wire. Pure; any
 * thread. */
#ifndef CVG_NOTARY_LEAF_MESSAGE_H
#define CVG_NOTARY_LEAF_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "notary/blob.h"

#define CVG_HANDSHAKE_CERTIFICATE 11

/* message: a whole handshake message with its head of four octets. tls13: its certificate list
 * comes after a context (RFC 8446, 4.4.2), else not (RFC 5246, 7.4.2). SYNTAX if it is not such a
 * message or has no certificate. ret_der points into the message. */
CVG_MUST_USE enum cvg_error cvg_leaf_of_message(const uint8_t *message, size_t len, bool tls13,
                                                const uint8_t **ret_der, size_t *ret_der_len);

/* All certificates of such a message, each after its length in three octets. SYNTAX if any of it is
 * malformed. The caller gets a reference. */
CVG_MUST_USE enum cvg_error cvg_chain_of_message(const uint8_t *message, size_t len, bool tls13,
                                                 struct cvg_blob **ret_chain);

#endif
