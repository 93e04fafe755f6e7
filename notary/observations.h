/* SPDX-License-Identifier: MIT */
/* What a notary has seen of one target: certificates, with the first and the last time, and which
 * of them are current.
 *
 * A certificate is current while some observation of it is the newest for its (key type, address),
 * not older than any other of that address, and younger than the maximum age. All that one probe
 * sees has one time, so a site may have certificates of several key types, but a certificate shown
 * for a short while, of whatever type, is endorsed only until the next look at that address, and
 * never longer than the maximum age. Where others were seen before, it is on trial until probes
 * have seen it that are CVG_TRIAL_S apart: so long each sighting counts for CVG_TRIAL_S only, and
 * then whoever asks for it makes the notary look again. History stays: up to CVG_V2_RECORDS_MAX
 * certificates. Pure, with the time given; not thread-safe. */
#ifndef CVG_NOTARY_OBSERVATIONS_H
#define CVG_NOTARY_OBSERVATIONS_H

#include "common/protocol/v2.h"
#include "notary/address.h"

#define CVG_VIEWS_MAX 64
#define CVG_TRIAL_S   10

/* Whose opinions are kept: all verifiers but the network perspective, whose opinion is what is
 * current. */
#define CVG_OPINIONS 3
static inline size_t cvg_opinion_index(enum cvg_verifier_id verifier)
{
    return (size_t)verifier - CVG_VERIFIER_DANE;
}

struct cvg_seen {
    struct cvg_leaf leaf;
    int64_t first_s;
    int64_t last_s;
    uint8_t opinion[CVG_OPINIONS]; /* enum cvg_v2_opinion, as of when it was last asked for */
};

/* The newest observation at one (key type, address). */
struct cvg_view {
    struct cvg_address address;
    uint8_t key_type; /* enum cvg_key_type */
    uint8_t record;   /* index of what was seen */
    int64_t last_s;
};

struct cvg_observations {
    struct cvg_seen *record; /* owned */
    size_t count;
    struct cvg_view *view; /* owned */
    size_t view_count;
    int64_t checked_s[CVG_OPINIONS]; /* when that verifier was last asked; 0: never */
};

void cvg_observations_free(struct cvg_observations *observations); /* the content; NULL allowed */

/* A copy of the content; NOMEM leaves *ret_copy as it was. */
CVG_MUST_USE enum cvg_error cvg_observations_copy(const struct cvg_observations *observations,
                                                  struct cvg_observations *ret_copy);

/* The time that all sightings of a probe are to have which ends at now_s: later than what earlier
 * ones saw, even within the same second. */
int64_t cvg_observations_time(const struct cvg_observations *observations, int64_t now_s);

/* Takes in that the leaf was seen at the address. What claims to have been seen later (the clock
 * was wrong) is history. NOMEM leaves everything as it was. */
CVG_MUST_USE enum cvg_error cvg_observations_add(struct cvg_observations *observations,
                                                 const struct cvg_leaf *leaf,
                                                 const struct cvg_address *address, int64_t now_s);

/* Takes in what a verifier says of a certificate (NONE: it stands aside), if that is among the
 * records. */
void cvg_observations_judge(struct cvg_observations *observations, enum cvg_verifier_id verifier,
                            const uint8_t sha256[static CVG_SHA256_LEN],
                            enum cvg_v2_opinion opinion, int64_t now_s);

/* Whether that record is current at now_s. An observation from the future (the clock was set back)
 * is not, beyond a minute. */
bool cvg_observations_current(const struct cvg_observations *observations, size_t record,
                              int64_t now_s, int64_t max_age_s);

/* Whether that record is on trial, nothing has taken its place, and only another look can tell. */
bool cvg_observations_untried(const struct cvg_observations *observations, size_t record,
                              int64_t now_s);

/* The first second at which some record that is current now no longer is; INT64_MAX if none is. */
int64_t cvg_observations_expiry(const struct cvg_observations *observations, int64_t now_s,
                                int64_t max_age_s);

/* The last time anything was seen; 0 if nothing was. */
int64_t cvg_observations_newest(const struct cvg_observations *observations);

/* All records for version 2, newest first; ret_record holds CVG_V2_RECORDS_MAX. Returns how many.
 */
size_t cvg_observations_list(const struct cvg_observations *observations, int64_t now_s,
                             int64_t max_age_s, struct cvg_v2_record *ret_record);

/* Takes in what others saw, or the same notary at another time: all certificates, each with its
 * first and its last time; of each (key type, address) the newest view, and of two that are equally
 * new the other's. Views that are older than what bounds may have dropped on either side, and
 * those from the future (a clock was wrong), are left out, so that nothing that was replaced is
 * current again. Of each verifier the opinions of whoever asked it last. NOMEM leaves everything as
 * it was. */
CVG_MUST_USE enum cvg_error cvg_observations_merge(struct cvg_observations *into,
                                                   const struct cvg_observations *from,
                                                   int64_t now_s);

/* Whether newer holds all that older holds of certificates and times, so that it was made from it,
 * and its views count whatever the clock said: where one notary writes alone, it replaces older. */
bool cvg_observations_supersede(const struct cvg_observations *newer,
                                const struct cvg_observations *older);

/* The form they are stored in (without checksum), and back. SYNTAX, RANGE, VERSION: nothing is
 * taken. Where no verifier was ever asked it is what earlier releases wrote; else a tail follows:
 * u8 its version (1), u64 checked per verifier, and per record an octet with two bits per verifier.
 */
CVG_MUST_USE enum cvg_error cvg_observations_write(const struct cvg_observations *observations,
                                                   struct cvg_buffer *ret_buffer);
CVG_MUST_USE enum cvg_error cvg_observations_parse(const void *data, size_t len,
                                                   struct cvg_observations *ret_observations);

#endif
