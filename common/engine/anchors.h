/* SPDX-License-Identifier: MIT */
/* Which trust anchors are public. A chain that ends in any other anchor is a private PKI's, which
 * notaries know nothing about.
 *
 * Public is what is in `public_anchors`: files and directories, separated by colons. The default is
 * the directory that the distribution's package fills, not /etc/ssl/certs: on Debian,
 * update-ca-certificates puts the roots an administrator added there, too.
 *
 * If anything there cannot be read or is malformed, the set is not known, and then no anchor is
 * private: a public one that was missed would exempt whoever holds it. One thread. */
#ifndef CVG_ENGINE_ANCHORS_H
#define CVG_ENGINE_ANCHORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/fingerprint.h"

struct cvg_anchors;

/* Reads the anchors. Files and directories must belong to root or owner, and nobody else may write
 * them. A set that is not known is told in the log, not an error; NOMEM is the only one. */
CVG_MUST_USE enum cvg_error cvg_anchors_new(const char *paths, uid_t owner,
                                            struct cvg_anchors **ret_anchors);
void cvg_anchors_free(struct cvg_anchors *anchors);

/* Reads them again if a file or directory has changed; to be called now and then. */
void cvg_anchors_refresh(struct cvg_anchors *anchors);

/* Whether the set is known and the anchor, a SHA-256 of its DER certificate, is not in it. NULL
 * anchors: false. */
bool cvg_anchors_is_private(const struct cvg_anchors *anchors,
                            const uint8_t sha256[static CVG_SHA256_LEN]);

/* How many anchors are known; 0 if the set is not known. */
size_t cvg_anchors_count(const struct cvg_anchors *anchors);

#endif
