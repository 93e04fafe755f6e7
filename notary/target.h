/* SPDX-License-Identifier: MIT */
/* All that is kept in memory about one target: what was seen, what is being done about it, and the
 * answers that were made from it. Plain data; its parts belong to memory.c (existence, order,
 * store), inquiry.c (flight and times) and answer.c (answers). */
#ifndef CVG_NOTARY_TARGET_H
#define CVG_NOTARY_TARGET_H

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
    uint8_t *bytes; /* NULL: none is kept */
    size_t len;
    int64_t until_s; /* the first second at which it no longer holds */
};

#define CVG_TARGET_KEY_MAX (CVG_HOST_MAX + 3)

struct cvg_flight;

struct cvg_target {
    struct cvg_node node;    /* in memory's table */
    struct cvg_link used;    /* in memory's order of use */
    struct cvg_link unsaved; /* in memory's list of what the store does not have yet */
    struct cvg_observations observations;
    struct cvg_kept_answer answer[CVG_ANSWER_FORMS];
    struct cvg_flight *flight;  /* the probe under way, or NULL: single-flight */
    enum cvg_v2_status failure; /* how the newest probe failed; 0: it saw something, or there was
                                   none */
    bool looked;                /* a probe has ended that looked as hard as it can, at looked_ms */
    uint64_t looked_ms;
    bool tried; /* any probe has ended, at tried_ms */
    uint64_t tried_ms;
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
