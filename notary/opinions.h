/* SPDX-License-Identifier: MIT */
/* What verifiers have said of a target's certificates, told: as opinions in version 2's statements,
 * and combined into version 1's one status. They count only for what is current. Pure. */
#ifndef CVG_NOTARY_OPINIONS_H
#define CVG_NOTARY_OPINIONS_H

#include "notary/observations.h"
#include "notary/settings.h"

/* Gives a statement of status SEEN, whose records are there already, the opinions of each of the
 * verifiers (a set: 1 << enum cvg_verifier_id) but the network perspective. */
void cvg_opinions_tell(const struct cvg_observations *observations, unsigned verifiers,
                       struct cvg_v2_statement *statement);

/* Version 1's status about one certificate: 200 yes, 409 no, 303 all stand aside, 503 the network
 * perspective could not see the target. found: what was asked about is current; opinion: what the
 * others said of it, NONE where it is not. */
unsigned cvg_opinions_v1_status(enum cvg_v1_verdict verdict, unsigned verifiers,
                                enum cvg_v2_status status, bool found,
                                const uint8_t opinion[static CVG_OPINIONS]);

#endif
