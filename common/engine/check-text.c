/* SPDX-License-Identifier: MIT */
/* Putting an answer in words. */
#include "common/engine/check-text.h"

#include <stdio.h>

static const char *const sentences[CVG_REASON_COUNT] = {
    [CVG_REASON_NONE] = "nothing was decided",
    [CVG_REASON_CACHE] = "the notaries confirmed this certificate before",
    [CVG_REASON_KNOWN_KEY] = "too few notaries answered; the public key was confirmed before",
    [CVG_REASON_PKI_FAILED] = "the certificate was refused before any notary was asked",
    [CVG_REASON_EXEMPT_NAME] = "the name is local, of special use or exempt by configuration",
    [CVG_REASON_EXEMPT_ADDRESS] = "the address is not a public one",
    [CVG_REASON_EXEMPT_PORT] = "encryption to this port is opportunistic",
    [CVG_REASON_EXEMPT_PRIVATE_PKI] = "the chain ends in an anchor that is not public",
    [CVG_REASON_EXEMPT_NOT_PUBLIC] = "the notaries say that the name is not public",
    [CVG_REASON_EXCLUDED_PROGRAM] = "the program is on the exclusion list",
    [CVG_REASON_NOT_APPLICABLE] = "there is no name or port to ask about",
    [CVG_REASON_NO_NOTARIES] = "no notary is configured",
    [CVG_REASON_NO_AGENT] = "there is no agent",
    [CVG_REASON_BUDGET] = "this user has asked too many new questions within a minute",
    [CVG_REASON_DEADLINE] = "the deadline passed before enough notaries had answered",
    [CVG_REASON_BAD_QUESTION] = "the question could not be understood",
    [CVG_REASON_INTERNAL] = "the agent could not do its work",
    [CVG_REASON_CAPTIVE_PORTAL] = "a captive portal is in the way: log in to this network first",
};

struct tally {
    unsigned yes, no, aside, silent;
};

static struct tally count(const struct cvg_answer *answer)
{
    struct tally tally = {0};

    for (size_t i = 0; i < answer->vote_count; i++) {
        switch (answer->vote[i].kind) {
        case CVG_VOTE_YES:
            tally.yes++;
            break;
        case CVG_VOTE_NO:
            tally.no++;
            break;
        case CVG_VOTE_ASIDE:
            tally.aside++;
            break;
        case CVG_VOTE_SILENT:
            tally.silent++;
            break;
        }
    }
    return tally;
}

static void describe_vote(struct cvg_answer *answer)
{
    struct tally tally = count(answer);
    size_t size = sizeof answer->text;

    if (answer->verdict == CVG_VERDICT_AGREE)
        snprintf(answer->text, size, "enough notaries see this certificate there: %u yes, %u no",
                 tally.yes, tally.no);
    else if (answer->verdict == CVG_VERDICT_DISAGREE)
        snprintf(answer->text, size,
                 "the notaries see another certificate there: %u yes, %u no, %u without an answer",
                 tally.yes, tally.no, tally.silent);
    else
        snprintf(answer->text, size,
                 "too few notaries answered: %u yes, %u no, %u no opinion, %u without an answer",
                 tally.yes, tally.no, tally.aside, tally.silent);
}

void cvg_answer_describe(struct cvg_answer *answer)
{
    if (answer->reason == CVG_REASON_VOTE || answer->reason == CVG_REASON_UNREACHABLE ||
        !cvg_reason_valid(answer->reason))
        describe_vote(answer);
    else
        snprintf(answer->text, sizeof answer->text, "%s", sentences[answer->reason]);
}
