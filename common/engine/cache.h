/* SPDX-License-Identifier: MIT */
/* The agent's memory: positive verdicts, who voted for them, and who asked. The only user of GDBM.
 * Records are versioned and checksummed, and several share a GDBM key so that 100,000 fit in 10 MB.
 *
 * A file that is damaged is moved aside (NAME.damaged), told in the log, and a fresh one begun; a
 * disk that is full stops the writing, not the answering. Used by the agent's one thread. */
#ifndef CVG_ENGINE_CACHE_H
#define CVG_ENGINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/endpoint.h"
#include "common/base/fingerprint.h"
#include "common/engine/policy.h"
#include "common/engine/voter.h"
#include "common/protocol/message.h"

#define CVG_CACHE_VOTERS_MAX CVG_QUORUM_MAX
#define CVG_CACHE_UIDS_MAX   8
#define CVG_CACHE_SPKI_LEN   16 /* octets of spki_sha256 that are stored and compared */

struct cvg_cache;

struct cvg_cache_record {
    struct cvg_endpoint endpoint;
    uint8_t leaf_sha256[CVG_SHA256_LEN];
    uint8_t leaf_sha1[CVG_SHA1_LEN];
    uint8_t spki_sha256[CVG_SHA256_LEN]; /* in a record that was found: its first
                                            CVG_CACHE_SPKI_LEN octets, then zeros */
    bool by_key;        /* the vote was with match = public-key: about the key alone */
    int64_t verified_s; /* when the vote was */
    struct cvg_voter voter[CVG_CACHE_VOTERS_MAX]; /* the notaries that said yes */
    size_t voter_count;
    size_t electorate; /* how many slots that vote had without the asides; at least voter_count */
    uint32_t uid[CVG_CACHE_UIDS_MAX]; /* whose programs asked; UINT32_MAX: more than fit */
    size_t uid_count;
};

/* Opens or makes the file at path (NULL: memory only). ttl_s: records of that age and older are not
 * found, nor are any from the future (the clock was set back). A file that is damaged, of another
 * version or not this user's own is moved to "PATH.damaged"; one that cannot be made, or that
 * another process holds, leaves the cache in memory only: both are told in the log. Fails only
 * without memory. Nothing is found until cvg_cache_set_notaries has been called. */
CVG_MUST_USE enum cvg_error cvg_cache_open(const char *path, uint64_t ttl_s,
                                           const struct cvg_clock *clock,
                                           struct cvg_cache **ret_cache, struct cvg_why *ret_why);
void cvg_cache_close(struct cvg_cache *cache);

/* The record of exactly this certificate at this endpoint; NOT_FOUND if there is none, or it is too
 * old, or one of its voters is not in `notaries` (removed: trust agility; such a record is
 * dropped). Notes uid as an asker. ret_record may be NULL. */
CVG_MUST_USE enum cvg_error cvg_cache_find(struct cvg_cache *cache,
                                           const struct cvg_endpoint *endpoint,
                                           const uint8_t leaf_sha256[static CVG_SHA256_LEN],
                                           uint32_t uid, struct cvg_cache_record *ret_record);
/* The same by SHA-1 or SHA-256 fingerprint (the API's question), or by public key. */
CVG_MUST_USE enum cvg_error cvg_cache_find_fingerprint(struct cvg_cache *cache,
                                                       const struct cvg_endpoint *endpoint,
                                                       const struct cvg_fingerprint *fingerprint,
                                                       uint32_t uid,
                                                       struct cvg_cache_record *ret_record);
bool cvg_cache_knows_key(struct cvg_cache *cache, const struct cvg_endpoint *endpoint,
                         const uint8_t spki_sha256[static CVG_SHA256_LEN]);

/* Stores, in place of a record of the same certificate at the same endpoint. A record with a voter
 * that is not configured, or without voters, is not taken. The file is written later, together with
 * others (cvg_cache_flush); a disk error is logged once and the record kept in memory. */
void cvg_cache_put(struct cvg_cache *cache, const struct cvg_cache_record *record);

/* The policy from now on: the ttl as of cvg_cache_open; when a vote agrees, for a record is found
 * only if its vote would agree still (at first: one voter is enough); and whether votes about the
 * key alone count (at first not). A record from a laxer time stays, for the policy may change back,
 * but is not found. */
void cvg_cache_set_policy(struct cvg_cache *cache, uint64_t ttl_s, const struct cvg_policy *policy,
                          bool keys_count);

/* The notaries configured now; records with another voter are gone from here on, and so are those
 * of a former notary of the same name. */
void cvg_cache_set_notaries(struct cvg_cache *cache, const struct cvg_voter *notary, size_t count);

/* Forgets all records of the host (port 0: of all its ports); NULL host: everything. Returns how
 * many. uid: only records that this uid alone asked for; UINT32_MAX: all. */
size_t cvg_cache_forget(struct cvg_cache *cache, const char *host, uint16_t port, uint32_t uid);

/* Calls each live record that uid may see (UINT32_MAX: all) until the callback returns false. The
 * callback must not change the cache. */
void cvg_cache_each(struct cvg_cache *cache, uint32_t uid,
                    bool (*each)(const struct cvg_cache_record *record, void *user), void *user);

struct cvg_cache_status {
    uint64_t records;
    uint64_t file_octets;
    bool writing; /* false: the disk refused, memory only */
};
void cvg_cache_status(struct cvg_cache *cache, struct cvg_cache_status *ret_status);

/* Writes out what is pending; called when idle and at exit. */
void cvg_cache_flush(struct cvg_cache *cache);

#endif
