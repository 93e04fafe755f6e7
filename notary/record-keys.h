/* SPDX-License-Identifier: MIT */
/* The keys of the records that a notary keeps where others can write: the one that signs, and those
 * that are believed, so that a change of the signing key loses no history. One thread at a time. */
#ifndef CVG_NOTARY_RECORD_KEYS_H
#define CVG_NOTARY_RECORD_KEYS_H

#include "common/protocol/sign.h"

struct cvg_record_keys;

struct cvg_record_sources {
    const struct cvg_signing_key *key; /* signs; NULL: it and the former ones are not readable */
    const char *path;                  /* its file; former keys are kept as PATH.old-SERIAL */
    const void *bundle;                /* its text: keys before, now and to come */
    size_t bundle_len;                 /* 0: there is none */
};

/* Believed are the key, all of the bundle's, and the former ones beside its file: of more than
 * CVG_RECORD_FORMER_MAX those with the highest serials; one that cannot be read is told and left
 * out. Everything is copied. */
#define CVG_RECORD_FORMER_MAX 32
CVG_MUST_USE enum cvg_error cvg_record_keys_new(const struct cvg_record_sources *sources,
                                                struct cvg_record_keys **ret_keys,
                                                struct cvg_why *ret_why);
void cvg_record_keys_free(struct cvg_record_keys *keys); /* NULL is allowed */

/* Makes the keys what the newer ones, which are used up, are. Newer ones without a signing key
 * leave it and the former keys as they are, and bring another bundle. */
void cvg_record_keys_take(struct cvg_record_keys *keys, struct cvg_record_keys *newer);

/* As cvg_sign and cvg_verify; a signature is good that is so under any of the keys. */
CVG_MUST_USE enum cvg_error cvg_record_keys_sign(struct cvg_record_keys *keys, const void *data,
                                                 size_t len, struct cvg_buffer *ret_signature);
CVG_MUST_USE enum cvg_error cvg_record_keys_verify(const struct cvg_record_keys *keys,
                                                   const void *data, size_t len,
                                                   const uint8_t *signature, size_t signature_len);

#endif
