/* SPDX-License-Identifier: MIT */
/* All that is kept in memory about one target: what was seen, what is being done about it, and the
 * answers that were made from it. Plain data under its shard's lock; its parts belong to memory.c
 * (existence, order), inquiry.c and flight.c (flight, times, observations) and answer.c (answers).
 */
#ifndef CVG_NOTARY_TARGET_H
#define CVG_NOTARY_TARGET_H

#include "notary/blob.h"
#include "notary/list.h"
#include "notary/observations.h"

/* The forms of an answer that are made once and kept until something changes. */
enum cvg_answer_form {
    CVG_ANSWER_V2_SEEN = 0,
    CVG_ANSWER_V2_FAILED,
    CVG_ANSWER_V1,
    CVG_ANSWER_FORMS
};

struct cvg_kept_answer {
    struct cvg_blob *blob; /* the body of an answer about this target alone; NULL: none is kept */
    unsigned generation;   /* of the keys that signed it */
    int64_t from_s;        /* when it was made: a clock that is set back beyond it ends it */
    int64_t until_s;       /* the first second at which it no longer holds */
};

#define CVG_TARGET_KEY_MAX (CVG_HOST_MAX + 3)

struct cvg_flight;
struct cvg_shard;

struct cvg_target {
    struct cvg_node node;    /* in the shard's table */
    struct cvg_link used;    /* in the shard's order of use */
    struct cvg_shard *shard; /* whose lock everything here is under */
    struct cvg_observations observations;
    struct cvg_kept_answer answer[CVG_ANSWER_FORMS];
    struct cvg_flight *flight;  /* what is under way, or NULL: single-flight, in one of the loops;
                                   while it is, nobody else changes the observations */
    unsigned pins;              /* of those who let go of the lock for a moment and come back */
    bool fetched;               /* the store has said what it knows */
    enum cvg_v2_status failure; /* how the newest probe failed; 0: it saw something, or there was
                                   none */
    bool looked;                /* a probe has ended that looked as hard as it can, at looked_ms */
    uint64_t looked_ms;
    int64_t looked_s;    /* the same by the other clock */
    uint64_t used_ms;    /* the last question */
    uint64_t refresh_ms; /* when what everybody lives on is looked at again; 0: it is not */
    unsigned version;    /* counts what has changed */
    size_t key_len;
    uint8_t key[]; /* u16 port, u8 hint, the host */
};

/* The endpoint and hint that the target's key stands for. */
CVG_MUST_USE enum cvg_error cvg_target_endpoint(const struct cvg_target *target,
                                                struct cvg_endpoint *ret_endpoint);
static inline uint8_t cvg_target_hint(const struct cvg_target *target)
{
    return target->key[2];
}

/* Forgets the kept answers: what they said has changed. */
void cvg_target_changed(struct cvg_target *target);

CVG_MUST_USE enum cvg_error cvg_target_new(const uint8_t *key, size_t key_len,
                                           struct cvg_target **ret_target);
void cvg_target_free(struct cvg_target *target);

/* Writes the key; returns its length. */
size_t cvg_target_key(const struct cvg_endpoint *endpoint, uint8_t hint,
                      uint8_t ret_key[static CVG_TARGET_KEY_MAX]);

#endif
