/* SPDX-License-Identifier: MIT */
/* What cvg_gate_vouch() needs of the gate: which connection a thread is busy with, and for which
 * leaves a trust object was ever given. */
#ifndef CVG_NSS_MODULE_VOUCH_H
#define CVG_NSS_MODULE_VOUCH_H

#include <stdbool.h>

#include "nss-module/connection.h"
#include "nss-module/nss.h"

/* This thread has read from this connection; it is in no C_ function. */
void cvg_vouch_read(struct cvg_nss *nss, PRFileDesc *tcp, struct cvg_connection connection);

/* This thread writes or closes; it is in no C_ function. */
void cvg_vouch_settle(void);

/* Whether a trust object was given for this leaf, in this process. Never forgotten. */
bool cvg_vouched(const struct cvg_leaf *leaf);

#endif
