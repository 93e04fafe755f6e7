/* SPDX-License-Identifier: MIT */
/* Base64 as JSON members carry it: RFC 4648's standard alphabet, padded, nothing else in between.
 * Pure; any thread. */
#ifndef CVG_PROTOCOL_BASE64_H
#define CVG_PROTOCOL_BASE64_H

#include <stddef.h>

#include "common/base/buffer.h"

/* Appends the text of the octets. */
enum cvg_error cvg_base64_put(struct cvg_buffer *buffer, const void *data, size_t len);

/* Appends the octets of the text. SYNTAX, with nothing appended, for anything but the one text that
 * cvg_base64_put would write for them. */
CVG_MUST_USE enum cvg_error cvg_base64_parse(const char *text, size_t len,
                                             struct cvg_buffer *ret_buffer);

#endif
