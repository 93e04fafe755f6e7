/* SPDX-License-Identifier: MIT */
/* The negative cache: a ring of the newest few hundred votes that did not agree. They live for
 * seconds, so the oldest gives way to the newest and nothing is ever searched for long. */
#include "common/engine/negative.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 256

struct entry {
    uint64_t put_ms;
    struct cvg_endpoint endpoint;
    struct cvg_fingerprint fingerprint;
    struct cvg_answer answer;
};

struct cvg_negative {
    const struct cvg_clock *clock;
    uint64_t ttl_ms;
    struct entry *entry[ENTRIES_MAX];
    size_t next; /* the place that is taken next */
};

enum cvg_error cvg_negative_new(unsigned ttl_s, const struct cvg_clock *clock,
                                struct cvg_negative **ret_negative)
{
    struct cvg_negative *negative = calloc(1, sizeof *negative);

    if (negative == NULL)
        return CVG_ERR_NOMEM;
    negative->clock = clock;
    negative->ttl_ms = (uint64_t)ttl_s * 1000;
    *ret_negative = negative;
    return CVG_OK;
}

void cvg_negative_set(struct cvg_negative *negative, unsigned ttl_s)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        free(negative->entry[i]);
        negative->entry[i] = NULL;
    }
    negative->next = 0;
    negative->ttl_ms = (uint64_t)ttl_s * 1000;
}

void cvg_negative_free(struct cvg_negative *negative)
{
    if (negative == NULL)
        return;
    cvg_negative_set(negative, 0);
    free(negative);
}

void cvg_negative_put(struct cvg_negative *negative, const struct cvg_endpoint *endpoint,
                      const struct cvg_fingerprint *fingerprint, const struct cvg_answer *answer)
{
    struct entry **place = &negative->entry[negative->next];

    if (negative->ttl_ms == 0 ||
        (answer->verdict != CVG_VERDICT_DISAGREE && answer->verdict != CVG_VERDICT_UNDECIDED))
        return;
    if (*place == NULL)
        *place = malloc(sizeof **place);
    if (*place == NULL)
        return;
    (*place)->put_ms = cvg_clock_ms(negative->clock);
    (*place)->endpoint = *endpoint;
    (*place)->fingerprint = *fingerprint;
    (*place)->answer = *answer;
    negative->next = (negative->next + 1) % ENTRIES_MAX;
}

static bool is_of(const struct entry *entry, const struct cvg_endpoint *endpoint,
                  const struct cvg_fingerprint *fingerprint)
{
    return cvg_endpoint_cmp(&entry->endpoint, endpoint) == 0 &&
           entry->fingerprint.len == fingerprint->len &&
           memcmp(entry->fingerprint.bytes, fingerprint->bytes, fingerprint->len) == 0;
}

bool cvg_negative_find(const struct cvg_negative *negative, const struct cvg_endpoint *endpoint,
                       const struct cvg_fingerprint *fingerprint, struct cvg_answer *ret_answer)
{
    uint64_t now_ms = cvg_clock_ms(negative->clock);

    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        const struct entry *entry = negative->entry[i];

        if (entry == NULL || now_ms - entry->put_ms >= negative->ttl_ms ||
            !is_of(entry, endpoint, fingerprint))
            continue;
        *ret_answer = entry->answer;
        return true;
    }
    return false;
}
