/* SPDX-License-Identifier: MIT */
/* The chain of a leaf, walked and verified; anchor.h keeps what is found. */
#ifndef CVG_NSS_MODULE_ANCHOR_WALK_H
#define CVG_NSS_MODULE_ANCHOR_WALK_H

#include "nss-module/anchor.h"

/* As cvg_anchor_find(), each time anew. */
bool cvg_anchor_walk(struct cvg_nss *nss, CERTCertificate *leaf,
                     uint8_t ret_sha256[static CVG_SHA256_LEN]);

#endif
