/* SPDX-License-Identifier: MIT */
/* Puts a question together and asks it, see inquiry.h. Whatever goes wrong here ends in what
 * follows from a check that nobody answered, never in "trusted". */
#include "config.h"

#include "nss-module/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "common/client/client.h"
#include "common/client/settings.h"
#include "nss-module/anchor.h"
#include "nss-module/peer.h"

/* Too large for a stranger's stack, so it is on the heap. */
struct inquiry {
    struct cvg_settings settings;
    struct cvg_question question;
    struct cvg_answer answer;
};

static enum cvg_pki pki_of(const struct cvg_subject *subject)
{
    return subject->vouched ? CVG_PKI_TRUST_ERROR : CVG_PKI_OK;
}

static enum cvg_decision decision_of(const struct cvg_subject *subject, enum cvg_action action)
{
    if (action == CVG_ACTION_ACCEPT || (action == CVG_ACTION_UNCHANGED && !subject->vouched))
        return CVG_DECISION_OPEN;
    return CVG_DECISION_REFUSED;
}

/* The action, where there is nothing to ask; else NONE, and the question is ready. */
static enum cvg_action prepare(struct inquiry *inquiry, const struct cvg_subject *subject)
{
    struct cvg_question *question = &inquiry->question;
    enum cvg_pki pki = pki_of(subject);
    struct cvg_spoken spoken;
    enum cvg_peer_found found;

    cvg_settings_get(&inquiry->settings);
    /* First, as the provider does: the shipped list holds whatever became of the configuration, or
     * the programs that bring up the network could not. */
    if (inquiry->settings.excluded)
        return CVG_ACTION_UNCHANGED;
    if (inquiry->settings.broken || subject->leaf.len > CVG_MESSAGE_LEAF_MAX)
        return cvg_settings_unanswered(&inquiry->settings, pki);
    memset(question, 0, sizeof *question);
    cvg_connection_spoken(subject->connection, &spoken);
    found = cvg_nss_peer_find(subject->nss, subject->tcp, subject->ssl, &spoken,
                              &inquiry->settings.config, question);
    if (found == CVG_PEER_NOT_APPLICABLE)
        return CVG_ACTION_UNCHANGED;
    if (found != CVG_PEER_FOUND)
        return cvg_settings_unanswered(&inquiry->settings, pki);
    question->pki = pki;
    question->leaf = subject->leaf.der;
    question->leaf_len = subject->leaf.len;
    memcpy(question->program, inquiry->settings.program, sizeof question->program);
    if (subject->searchable && pki == CVG_PKI_OK)
        question->have_anchor =
            cvg_anchor_find(subject->nss, subject->cert, question->anchor_sha256);
    return CVG_ACTION_NONE;
}

static enum cvg_action ask(const struct cvg_subject *subject, struct cvg_pending **ret_pending)
{
    struct inquiry *inquiry = malloc(sizeof *inquiry);
    enum cvg_action action;

    if (!inquiry)
        return cvg_settings_unanswered(NULL, pki_of(subject));
    action = prepare(inquiry, subject);
    if (action == CVG_ACTION_NONE && ret_pending) {
        *ret_pending = cvg_pending_start(&inquiry->settings.config, &inquiry->settings.paths,
                                         &inquiry->question, &inquiry->answer);
        action = *ret_pending ? CVG_ACTION_NONE : inquiry->answer.action;
    } else if (action == CVG_ACTION_NONE) {
        cvg_client_ask(&inquiry->settings.config, &inquiry->settings.paths, &inquiry->question,
                       &inquiry->answer);
        action = inquiry->answer.action;
    }
    free(inquiry);
    return action;
}

enum cvg_decision cvg_inquiry_ask(const struct cvg_subject *subject)
{
    return decision_of(subject, ask(subject, NULL));
}

enum cvg_decision cvg_inquiry_start(const struct cvg_subject *subject,
                                    struct cvg_pending **ret_pending)
{
    struct cvg_pending *pending = NULL;
    enum cvg_action action = ask(subject, &pending);

    *ret_pending = pending;
    return pending ? CVG_DECISION_NONE : decision_of(subject, action);
}

enum cvg_decision cvg_inquiry_look(const struct cvg_subject *subject, struct cvg_pending *pending)
{
    struct cvg_answer answer;

    if (!cvg_pending_look(pending, &answer))
        return CVG_DECISION_NONE;
    return decision_of(subject, answer.action);
}

enum cvg_action cvg_inquiry_vouch(const struct cvg_subject *subject)
{
    enum cvg_action action = ask(subject, NULL);

    return action == CVG_ACTION_NONE ? CVG_ACTION_REFUSE : action;
}
