/* SPDX-License-Identifier: MIT */
/* NSS's lookup of a certificate's trust, as the gate compares it with a connection's leaf. */
#ifndef CVG_NSS_MODULE_LOOKUP_H
#define CVG_NSS_MODULE_LOOKUP_H

#include <stdbool.h>

#include "nss-module/cert-der.h"
#include "nss-module/connection.h"

struct cvg_lookup {
    struct cvg_octets issuer, serial; /* the host's own, where they are */
};

/* Whether it looks up this leaf, and that is self-signed. */
bool cvg_lookup_is_about(const struct cvg_lookup *lookup, const struct cvg_leaf *leaf);

/* The certificate that is looked up, where the lookup points into it: NSS does so while it makes a
 * certificate of the octets that it received, and keeps for good what it is told then. The octets
 * stay for the lookup. false if it points elsewhere. */
bool cvg_lookup_leaf(const struct cvg_lookup *lookup, struct cvg_leaf *ret_leaf);

#endif
