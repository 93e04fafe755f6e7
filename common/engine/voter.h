/* SPDX-License-Identifier: MIT */
/* A voter as it is remembered: not only what a notary is called, but who it is. When a person puts
 * another operator's bundle under the same name, what the former one confirmed counts no more. */
#ifndef CVG_ENGINE_VOTER_H
#define CVG_ENGINE_VOTER_H

#include <stdint.h>

#include "common/engine/bundle.h"

#define CVG_VOTER_IDENTITY_LEN 16

struct cvg_voter {
    char name[CVG_MESSAGE_NAME_MAX];
    uint8_t identity[CVG_VOTER_IDENTITY_LEN];
};

/* The bundle's voter. The identity is the first octets of a SHA-256: of the signing key with which
 * the line of updates began, and where the format has no keys, of all certificates that are
 * accepted as the notary's. So neither a new address nor a key that was changed by an update
 * changes anybody's identity. */
CVG_MUST_USE enum cvg_error cvg_voter_of(const struct cvg_bundle *bundle,
                                         struct cvg_voter *ret_voter);

#endif
