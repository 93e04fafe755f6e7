/* SPDX-License-Identifier: MIT */
/* What a result says, as words and numbers. */
#include "common/libconverge/result.h"

#include <stdlib.h>

static const struct cvg_vote *vote_at(const converge_result *result, size_t index)
{
    return index < result->answer.vote_count ? &result->answer.vote[index] : NULL;
}

void converge_result_free(converge_result *result)
{
    free(result);
}

const char *converge_result_verdict(const converge_result *result)
{
    return cvg_verdict_name(result->answer.verdict);
}

const char *converge_result_action(const converge_result *result)
{
    return cvg_action_name(result->answer.action);
}

const char *converge_result_reason(const converge_result *result)
{
    return cvg_reason_name(result->answer.reason);
}

const char *converge_result_text(const converge_result *result)
{
    return result->answer.text;
}

unsigned converge_result_elapsed_ms(const converge_result *result)
{
    return result->answer.elapsed_ms;
}

size_t converge_result_vote_count(const converge_result *result)
{
    return result->answer.vote_count;
}

const char *converge_result_vote_notary(const converge_result *result, size_t index)
{
    const struct cvg_vote *vote = vote_at(result, index);

    return vote != NULL ? vote->notary : NULL;
}

const char *converge_result_vote_answer(const converge_result *result, size_t index)
{
    const struct cvg_vote *vote = vote_at(result, index);

    return vote != NULL ? cvg_vote_word(vote->kind) : NULL;
}

unsigned converge_result_vote_elapsed_ms(const converge_result *result, size_t index)
{
    const struct cvg_vote *vote = vote_at(result, index);

    return vote != NULL ? vote->elapsed_ms : 0;
}

const char *converge_result_vote_error(const converge_result *result, size_t index)
{
    const struct cvg_vote *vote = vote_at(result, index);

    if (vote == NULL)
        return NULL;
    return vote->kind == CVG_VOTE_SILENT ? cvg_error_word(vote->error) : "";
}

int converge_result_vote_bounced(const converge_result *result, size_t index)
{
    const struct cvg_vote *vote = vote_at(result, index);

    return vote != NULL && vote->bounced;
}
