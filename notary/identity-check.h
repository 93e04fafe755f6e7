/* SPDX-License-Identifier: MIT */
/* Whether certificate, keys and bundle belong together, and how long the certificate lasts. */
#ifndef CVG_NOTARY_IDENTITY_CHECK_H
#define CVG_NOTARY_IDENTITY_CHECK_H

#include "notary/identity.h"

/* Whether an identity that was loaded without its keys may go on with those in use: the certificate
 * on disk is still theirs, and the bundle still names the signing key. CONFIG otherwise: clients
 * would be told of keys that the notary does not have. */
CVG_MUST_USE enum cvg_error cvg_identity_check_kept(const struct cvg_identity *in_use,
                                                    const struct cvg_identity *loaded,
                                                    struct cvg_why *ret_why);

/* Logs a warning for what an operator should mend: a certificate that ends soon or has ended, a
 * bundle by which clients do not recognise this notary. The identity has its keys. */
void cvg_identity_warn(const struct cvg_identity *identity, int64_t now_s);

/* The first of these alone; a certificate whose end is not known (0) has none. */
void cvg_certificate_warn(int64_t end_s, int64_t now_s);

/* The last second of the certificate; 0: not known. */
int64_t cvg_identity_end_s(const struct cvg_identity *identity);

#endif
