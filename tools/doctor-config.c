/* SPDX-License-Identifier: MIT */
/* What the settings let pass, and what they can never reach. A hole that somebody decided on is a
 * hole all the same, and told as one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor.h"

#define MIN_VOTES_DEFAULT 2
#define BOUNCE_FROM       4
#define LIST_MAX          256

static void tell_mode(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    if (config->mode == CVG_MODE_MONITOR)
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "mode-monitor", "", CVG_DOCTOR_NOTE,
                       "converge report tells what would have been refused; then: converge mode "
                       "augment",
                       "mode = monitor: nothing is refused, verdicts are only logged");
}

/* How many of the notaries can vote in one check. */
static unsigned slots(const struct cvg_config *config, size_t notaries)
{
    bool relay = config->bounce == CVG_BOUNCE_ON ||
                 (config->bounce == CVG_BOUNCE_AUTO && notaries >= BOUNCE_FROM);
    size_t voters = notaries - (relay && notaries > 0 ? 1 : 0);

    return voters < config->quorum ? (unsigned)voters : config->quorum;
}

/* How many must say yes, where each of that many answers. */
static unsigned needed(const struct cvg_config *config, unsigned voters, size_t notaries)
{
    unsigned least = config->min_votes != 0          ? config->min_votes
                     : notaries >= MIN_VOTES_DEFAULT ? MIN_VOTES_DEFAULT
                                                     : 1;
    unsigned members = voters > least ? voters : least;

    if (config->threshold == CVG_THRESHOLD_COUNT)
        return config->threshold_count;
    return config->threshold == CVG_THRESHOLD_CONSENSUS ? members : members / 2 + 1;
}

static void tell_vote(const struct cvg_config *config, size_t notaries,
                      struct cvg_doctor_report *report)
{
    unsigned voters = slots(config, notaries), need = needed(config, voters, notaries);

    if (notaries > 0 && need > voters)
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "never-reached", "", CVG_DOCTOR_BAD,
                       "converge notary add more of them, or set threshold = majority, min_votes = "
                       "0 and, with two notaries, bounce = off",
                       "an agreement needs %u votes, and at most %u notaries can vote: none is "
                       "ever reached",
                       need, voters);
    else if (notaries > 1 && need < MIN_VOTES_DEFAULT)
        cvg_doctor_add(report, CVG_DOCTOR_HOLES, "one-decides", "", CVG_DOCTOR_WARNING,
                       "quorum = 3, threshold = majority, min_votes = 0",
                       "a single notary's yes decides (quorum = %u): whoever deceives that one "
                       "deceives you",
                       config->quorum);
}

static void tell_unreachable(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    if (config->on_unreachable == CVG_UNREACHABLE_ALLOW)
        cvg_doctor_add(report, CVG_DOCTOR_HOLES, "on-unreachable", "", CVG_DOCTOR_WARNING,
                       "on_unreachable = deny, or known",
                       "on_unreachable = allow: an attacker who cuts off the notaries is let pass");
}

static void join(const struct cvg_words *words, char *ret_text, size_t size)
{
    size_t used = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < words->count && used < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i > 0 ? " " : "",
                                 words->word[i]);
}

static void tell_exempt(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    char list[LIST_MAX];

    for (size_t i = 0; i < config->exempt_names.count; i++) {
        const char *name = config->exempt_names.word[i];

        if (strncmp(name, "*.", 2) == 0 && strchr(name + 2, '.') == NULL)
            cvg_doctor_add(report, CVG_DOCTOR_HOLES, "exempt-wide", name, CVG_DOCTOR_WARNING,
                           "name your own domain in exempt_names, not the whole of its top level",
                           "exempt_names lets everything below a top level pass unasked");
    }
    join(&config->exempt_names, list, sizeof list);
    if (config->exempt_names.count > 0)
        cvg_doctor_add(report, CVG_DOCTOR_HOLES, "exempt-names", "", CVG_DOCTOR_NOTE, NULL,
                       "never asked about (exempt_names): %s", list);
    join(&config->exclude_programs, list, sizeof list);
    if (config->exclude_programs.count > 0)
        cvg_doctor_add(report, CVG_DOCTOR_HOLES, "exclude-programs", "", CVG_DOCTOR_NOTE, NULL,
                       "never checked (exclude_programs): %s", list);
}

static void tell_anchors(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    char part[CVG_PATH_MAX];

    for (const char *at = config->public_anchors; config->exempt_private_pki && *at != '\0';) {
        size_t len = strcspn(at, ":");

        snprintf(part, sizeof part, "%.*s", (int)len, at);
        if (part[0] != '\0' && access(part, R_OK) != 0)
            cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "public-anchors", part,
                           CVG_DOCTOR_WARNING,
                           "apt install ca-certificates, or set public_anchors to where this "
                           "system keeps the roots it ships",
                           "public_anchors cannot be read: no PKI counts as private, and your own "
                           "sites are refused where notaries cannot see them");
        at += len + (at[len] == ':' ? 1 : 0);
    }
}

static void tell_rest(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    if (config->cache_ttl_s == 0)
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "cache-ttl", "", CVG_DOCTOR_NOTE,
                       "cache_ttl = 90d",
                       "cache_ttl = 0: every connection waits for the notaries anew");
    if (!config->bundle_update)
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "bundle-update", "", CVG_DOCTOR_NOTE,
                       "bundle_update = yes",
                       "bundle_update = no: when a notary changes its key, you bring it by hand");
}

void cvg_doctor_config(const struct cvg_config *config, size_t notaries,
                       struct cvg_doctor_report *report)
{
    tell_mode(config, report);
    tell_vote(config, notaries, report);
    tell_anchors(config, report);
    tell_rest(config, report);
    tell_unreachable(config, report);
    tell_exempt(config, report);
}
