/* SPDX-License-Identifier: MIT */
/* Changing a notary's keys on disk, in two steps: the next ones are made and announced; later they
 * become the current ones. Each step, interrupted anywhere, is finished by running it again, and at
 * every instant keys, certificate and bundle on disk are ones that clients accept; but for the
 * moment in which only one of TLS key and certificate is changed, when no notary takes them. */
#ifndef CVG_NOTARY_ROTATE_H
#define CVG_NOTARY_ROTATE_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/fingerprint.h"

struct cvg_rotate {
    const char *directory; /* where notary.conf is */
    bool tls;              /* a next TLS key and certificate */
    bool signing;          /* a next signing key */
    bool keep_key;         /* the former signing key stays in the bundle */
};

/* Makes what is missing of FILE.next beside tls_key, tls_certificate and signing_key, overwriting
 * nothing, and replaces the bundle with one that announces it. Fine if all that is done already. */
CVG_MUST_USE enum cvg_error cvg_rotate_announce(const struct cvg_rotate *rotate,
                                                struct cvg_why *ret_why);

/* Makes what is announced the current keys, and rewrites both bundles. The former files stay as
 * FILE.old-SERIAL, the serial being that of the bundle they were last in. NOT_FOUND: there is
 * nothing to change. */
CVG_MUST_USE enum cvg_error cvg_rotate_finish(const struct cvg_rotate *rotate,
                                              struct cvg_why *ret_why);

/* What people compare: SHA-256 of a signing key and of a certificate; "": not changed. */
struct cvg_rotate_told {
    char signing[CVG_FINGERPRINT_TEXT_MAX];
    char certificate[CVG_FINGERPRINT_TEXT_MAX];
};

/* After one of the two: of the next keys that were asked for, or of the current ones. */
CVG_MUST_USE enum cvg_error cvg_rotate_tell(const struct cvg_rotate *rotate, bool next,
                                            struct cvg_rotate_told *ret_told,
                                            struct cvg_why *ret_why);

#endif
