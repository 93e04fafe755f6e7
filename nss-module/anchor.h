/* SPDX-License-Identifier: MIT */
/* The anchor that a leaf's chain ends in, so that private PKIs are exempt. */
#ifndef CVG_NSS_MODULE_ANCHOR_H
#define CVG_NSS_MODULE_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/fingerprint.h"
#include "nss-module/nss.h"

/* Fills ret_sha256 with the DER anchor's SHA-256, and returns true, only if every signature of the
 * chain verifies and its end is trusted by this NSS to issue servers' certificates. A root of
 * Mozilla's programme (CKA_NSS_MOZILLA_CA_POLICY in any slot) is never told: it is public whatever
 * a directory of the distribution says; nor is what lies behind one that another cross-signed. What
 * was found is kept for the leaf, a bounded number of them and for a minute. Searches tokens, but
 * never asks for a PIN; never from within a C_ function. Any thread. Leaves NSS's error changed. */
bool cvg_anchor_find(struct cvg_nss *nss, CERTCertificate *leaf,
                     uint8_t ret_sha256[static CVG_SHA256_LEN]);

/* Forgets what was kept for this NSS, whose databases may be others from now on. Calls no NSS. */
void cvg_anchor_forget(const struct cvg_nss *nss);

#endif
