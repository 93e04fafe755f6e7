/* SPDX-License-Identifier: MIT */
/* Which trust object a lookup of NSS gets: in replace mode, for the self-signed certificate of the
 * connection this thread is busy with, once the notaries confirmed it. Never one that takes trust
 * away. */
#ifndef CVG_NSS_MODULE_TRUST_H
#define CVG_NSS_MODULE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* issuer: DER name; serial: DER INTEGER, or its contents alone (NSS asks both ways). Blocks for the
 * deadline at most, and only if the lookup is about that certificate. */
bool cvg_trust_lookup(const void *issuer, size_t issuer_len, const void *serial, size_t serial_len,
                      uint8_t ret_leaf_sha1[static 20]);

#endif
