/* SPDX-License-Identifier: MIT */
/* Why no notary could be reached: a check that must be refused for it waits, within its own
 * deadline, for the look for a captive portal, so that its asker reads the true reason at once.
 * What is found changes no verdict. */
#include <stdio.h>

#include "common/engine/check-state.h"
#include "common/engine/check-text.h"

void cvg_checks_set_portal(struct cvg_checks *checks, const struct cvg_portal_watch *watch)
{
    checks->portal = *watch;
}

/* That no notary had a part in the answer is what a captive portal looks like. */
static bool nobody_answered(const struct cvg_answer *answer)
{
    for (size_t i = 0; i < answer->vote_count; i++)
        if (answer->vote[i].kind != CVG_VOTE_SILENT || answer->vote[i].error == CVG_ERR_REFUSED)
            return false;
    return answer->vote_count > 0;
}

/* Who is let through all the same need not wait to learn why nobody answered. */
bool cvg_check_looks(struct cvg_check *check)
{
    const struct cvg_portal_watch *portal = &check->owner->portal;

    return portal->url != NULL && nobody_answered(&check->answer) &&
           portal->url(portal->user) == NULL && portal->look(portal->user) &&
           check->electorate->config.on_unreachable != CVG_UNREACHABLE_ALLOW &&
           !cvg_check_known_key(check);
}

/* Whoever is not answered by half of the time will hardly be answered in time: the look begins, or
 * its end would come too late for this asker. */
void cvg_check_wonder(struct cvg_check *check)
{
    struct cvg_answer so_far = check->answer;

    check->wonder_ms = UINT64_MAX;
    for (size_t i = 0; i < check->question.port_count; i++)
        if (check->candidate[i].verdict == CVG_VERDICT_NONE)
            so_far.vote_count += cvg_ballot_votes(cvg_flight_ballot(&check->candidate[i].seat),
                                                  so_far.vote + so_far.vote_count,
                                                  CVG_MESSAGE_VOTES_MAX - so_far.vote_count);
    if (check->owner->portal.look != NULL && nobody_answered(&so_far))
        check->owner->portal.look(check->owner->portal.user);
}

/* Where no notary's answer arrived and a portal is known of, that is the reason to be told. */
void cvg_check_blame_portal(struct cvg_check *check)
{
    struct cvg_answer *answer = &check->answer;
    const struct cvg_portal_watch *portal = &check->owner->portal;
    const char *url;

    if (portal->url == NULL || answer->verdict != CVG_VERDICT_UNDECIDED ||
        (answer->reason != CVG_REASON_UNREACHABLE && answer->reason != CVG_REASON_DEADLINE) ||
        !nobody_answered(answer))
        return;
    url = portal->url(portal->user);
    if (url == NULL)
        return;
    answer->reason = CVG_REASON_CAPTIVE_PORTAL;
    cvg_answer_describe(answer);
    if (url[0] != '\0')
        snprintf(answer->text, sizeof answer->text,
                 "a captive portal is in the way: log in to this network first, at %s", url);
}

static struct cvg_check *find_looking(const struct cvg_checks *checks)
{
    struct cvg_check *check = checks->pending;

    while (check != NULL && !check->looking)
        check = check->next;
    return check;
}

void cvg_checks_looked(struct cvg_checks *checks)
{
    struct cvg_check *check;

    while ((check = find_looking(checks)) != NULL)
        cvg_check_looked(check);
}
