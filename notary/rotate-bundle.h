/* SPDX-License-Identifier: MIT */
/* The bundles of a notary that changes its keys: one that announces the next ones, and one in which
 * they are the current ones (doc/bundle.md). Pure. */
#ifndef CVG_NOTARY_ROTATE_BUNDLE_H
#define CVG_NOTARY_ROTATE_BUNDLE_H

#include <stdbool.h>

#include "common/protocol/sign.h"

/* What is there and what follows it. */
struct cvg_succession {
    const char *certificate;          /* PEM */
    struct cvg_signing_key *key;      /* signs now; keys[0] of the bundle */
    const char *next_certificate;     /* PEM; NULL: the certificate stays */
    struct cvg_signing_key *next_key; /* NULL: the key stays */
};

/* Appends the version 2 bundle after `file` that announces what follows: as next_certificate of
 * each host that shows the certificate, and as one more key. Signed by the key that signs now.
 * EXISTS: all of it is announced already. */
CVG_MUST_USE enum cvg_error cvg_bundle_announce(const struct cvg_buffer *file,
                                                const struct cvg_succession *succession,
                                                struct cvg_buffer *ret_text,
                                                struct cvg_why *ret_why);

/* Appends the bundle after `file` in which what follows is current; CONFIG if `file` does not
 * announce it. keep_key: the former key stays the last of the keys and signs this bundle, so that
 * clients that never saw the announcement take it; else the next key signs. */
CVG_MUST_USE enum cvg_error cvg_bundle_succeed(const struct cvg_buffer *file,
                                               const struct cvg_succession *succession,
                                               bool keep_key, struct cvg_buffer *ret_text,
                                               struct cvg_why *ret_why);

/* The same for a version 1 bundle, which can announce nothing. */
CVG_MUST_USE enum cvg_error cvg_bundle_succeed_v1(const struct cvg_buffer *file,
                                                  const struct cvg_succession *succession,
                                                  struct cvg_buffer *ret_text,
                                                  struct cvg_why *ret_why);

#endif
