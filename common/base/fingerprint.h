/* SPDX-License-Identifier: MIT */
/* Fingerprints as values: SHA-1 (20 octets) and SHA-256 (32) and their text forms. Computing
 * one needs a crypto library and is elsewhere (common/protocol/digest.h). */
#ifndef CVG_BASE_FINGERPRINT_H
#define CVG_BASE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CVG_SHA1_LEN   20
#define CVG_SHA256_LEN 32

struct cvg_fingerprint {
    uint8_t bytes[CVG_SHA256_LEN];
    uint8_t len; /* CVG_SHA1_LEN or CVG_SHA256_LEN */
};

/* Hexadecimal, either case, with colons between all octets or none; 20 or 32 octets. text is len
 * bytes, not NUL-terminated. */
CVG_MUST_USE enum cvg_error cvg_fingerprint_parse(const char *text, size_t len,
                                                  struct cvg_fingerprint *ret_fingerprint,
                                                  struct cvg_why *ret_why);

/* Upper-case hexadecimal with colons (version 1's form and what people see). size must be at least
 * 3 * len; CVG_FINGERPRINT_TEXT_MAX always suffices. Returns buf. */
#define CVG_FINGERPRINT_TEXT_MAX (3 * CVG_SHA256_LEN)
char *cvg_fingerprint_format(const uint8_t *bytes, size_t len, char *buf, size_t size);

#endif
