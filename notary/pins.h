/* SPDX-License-Identifier: MIT */
/* What the operator knows: which certificates or keys some endpoints have. A text file; '#' begins
 * a comment. Per line an endpoint and its pins, separated by blanks:
 *
 *     HOST[:PORT] PIN ...         PORT: 443 if it is not given; IPv6 addresses with a port in []
 *
 * PIN: the SHA-256 of a DER certificate in hexadecimal, with colons or without, or "spki:" and the
 * SHA-256 of a DER SubjectPublicKeyInfo. An endpoint stands on one line only. Pure; any thread once
 * it is read. */
#ifndef CVG_NOTARY_PINS_H
#define CVG_NOTARY_PINS_H

#include "common/base/endpoint.h"
#include "common/protocol/digest.h"
#include "common/protocol/v2.h"

#define CVG_PINS_FILE_MAX (16 << 20) /* octets of such a file */

struct cvg_pins;

/* CONFIG: what does not fit is told with file, line and what is allowed. */
CVG_MUST_USE enum cvg_error cvg_pins_parse(const char *text, size_t len, const char *file,
                                           struct cvg_pins **ret_pins, struct cvg_why *ret_why);
void cvg_pins_free(struct cvg_pins *pins); /* NULL is allowed */

/* NONE: the endpoint is not listed. */
enum cvg_v2_opinion cvg_pins_judge(const struct cvg_pins *pins, const struct cvg_endpoint *endpoint,
                                   const struct cvg_leaf *leaf);

#endif
