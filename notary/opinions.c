/* SPDX-License-Identifier: MIT */
/* Opinions, told. */
#include "notary/opinions.h"

#include <string.h>

static const enum cvg_verifier_id others[CVG_OPINIONS] = {CVG_VERIFIER_DANE, CVG_VERIFIER_CT,
                                                          CVG_VERIFIER_PINS};

static bool chosen(unsigned verifiers, enum cvg_verifier_id verifier)
{
    return (verifiers & 1U << verifier) != 0;
}

static uint8_t opinion_of(const struct cvg_observations *observations, size_t index,
                          const struct cvg_leaf *leaf)
{
    for (size_t i = 0; i < observations->count; i++)
        if (memcmp(observations->record[i].leaf.sha256, leaf->sha256, CVG_SHA256_LEN) == 0)
            return observations->record[i].opinion[index];
    return CVG_V2_OPINION_NONE;
}

void cvg_opinions_tell(const struct cvg_observations *observations, unsigned verifiers,
                       struct cvg_v2_statement *statement)
{
    statement->opinions_count = 0;
    for (size_t k = 0; k < CVG_OPINIONS && statement->status == CVG_V2_SEEN; k++) {
        size_t index = cvg_opinion_index(others[k]);
        struct cvg_v2_opinions *opinions = &statement->opinions[statement->opinions_count];
        if (!chosen(verifiers, others[k]))
            continue;
        *opinions = (struct cvg_v2_opinions){
            .verifier = (uint8_t)others[k],
            .checked_s = observations->checked_s[index],
        };
        for (size_t i = 0; i < statement->count; i++)
            if (statement->record[i].current)
                opinions->opinion[i] = opinion_of(observations, index, &statement->record[i].leaf);
        statement->opinions_count++;
    }
}

struct tally {
    unsigned yes;
    unsigned no;
};

static void count(struct tally *tally, unsigned opinion)
{
    tally->yes += opinion == CVG_V2_OPINION_YES;
    tally->no += opinion == CVG_V2_OPINION_NO;
}

/* A tie, like any doubt, is no "yes". */
static bool agreed(enum cvg_v1_verdict verdict, const struct tally *tally)
{
    switch (verdict) {
    case CVG_V1_VERDICT_ANY:
        return tally->yes > 0;
    case CVG_V1_VERDICT_MAJORITY:
        return tally->yes > tally->no;
    case CVG_V1_VERDICT_NETWORK:
    case CVG_V1_VERDICT_ALL:
        break;
    }
    return tally->yes > 0 && tally->no == 0;
}

unsigned cvg_opinions_v1_status(enum cvg_v1_verdict verdict, unsigned verifiers,
                                enum cvg_v2_status status, bool found,
                                const uint8_t opinion[static CVG_OPINIONS])
{
    struct tally tally = {0};
    if (status != CVG_V2_SEEN && status != CVG_V2_ASIDE)
        return 503;
    if (status == CVG_V2_SEEN)
        count(&tally, found ? CVG_V2_OPINION_YES : CVG_V2_OPINION_NO);
    for (size_t k = 0; k < CVG_OPINIONS && verdict != CVG_V1_VERDICT_NETWORK; k++)
        if (chosen(verifiers, others[k]))
            count(&tally, opinion[cvg_opinion_index(others[k])]);
    if (tally.yes == 0 && tally.no == 0)
        return 303;
    return agreed(verdict, &tally) ? 200 : 409;
}
