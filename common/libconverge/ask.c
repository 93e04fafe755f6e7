/* SPDX-License-Identifier: MIT */
/* Asking with an agent started on the way, within one deadline. */
#include "common/libconverge/ask.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/libconverge/agent-start.h"

/* OpenSSL's numbers are part of its ABI; this library does not link OpenSSL. */
enum {
    V_OK = 0,
    V_UNABLE_TO_GET_ISSUER_CERT = 2,
    V_DEPTH_ZERO_SELF_SIGNED_CERT = 18,
    V_SELF_SIGNED_CERT_IN_CHAIN = 19,
    V_UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20,
    V_UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21,
    V_CERT_UNTRUSTED = 27,
};

enum cvg_pki cvg_pki_of_x509(int x509_v_result)
{
    switch (x509_v_result) {
    case V_OK:
        return CVG_PKI_OK;
    case V_UNABLE_TO_GET_ISSUER_CERT:
    case V_DEPTH_ZERO_SELF_SIGNED_CERT:
    case V_SELF_SIGNED_CERT_IN_CHAIN:
    case V_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case V_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case V_CERT_UNTRUSTED:
        return CVG_PKI_TRUST_ERROR;
    default:
        return CVG_PKI_OTHER_ERROR;
    }
}

static void answer_fault(const struct cvg_why *why, struct cvg_answer *ret_answer)
{
    memset(ret_answer, 0, sizeof *ret_answer);
    ret_answer->verdict = CVG_VERDICT_NONE;
    ret_answer->action = CVG_ACTION_REFUSE;
    ret_answer->reason = CVG_REASON_INTERNAL;
    snprintf(ret_answer->text, sizeof ret_answer->text, "%.*s", (int)sizeof ret_answer->text - 1,
             why->text);
}

/* Asks again after starting the agent, in the time that is left; without success, ret_answer keeps
 * the first answer, with the reason why there is no agent. */
static void start_and_ask(struct cvg_config *config, const struct cvg_paths *paths,
                          struct cvg_question *question, uint64_t deadline_ms,
                          struct cvg_answer *ret_answer)
{
    const struct cvg_clock *clock = cvg_clock_system();
    uint64_t now = cvg_clock_ms(clock);
    struct cvg_why why = {""};

    if (now >= deadline_ms)
        return;
    if (cvg_agent_start(paths, (unsigned)(deadline_ms - now), &why) != CVG_OK) {
        snprintf(ret_answer->text, sizeof ret_answer->text, "%.*s",
                 (int)sizeof ret_answer->text - 1, why.text);
        return;
    }
    now = cvg_clock_ms(clock);
    if (now >= deadline_ms)
        return;
    config->deadline_ms = (unsigned)(deadline_ms - now);
    cvg_client_ask(config, paths, question, ret_answer);
}

void cvg_ask(struct cvg_question *question, bool start_agent, unsigned timeout_ms,
             struct cvg_answer *ret_answer)
{
    struct cvg_config config;
    struct cvg_paths paths;
    struct cvg_why why = {""};
    enum cvg_mode mode;
    uint64_t deadline_ms;

    if (cvg_config_load(&config, &paths, &why) != CVG_OK) {
        answer_fault(&why, ret_answer);
        return;
    }
    if (timeout_ms != 0)
        config.deadline_ms = timeout_ms;
    deadline_ms = cvg_clock_ms(cvg_clock_system()) + config.deadline_ms;
    mode = config.mode;
    if (mode == CVG_MODE_MONITOR) /* in that mode the client part would not wait */
        config.mode = CVG_MODE_AUGMENT;
    cvg_client_ask(&config, &paths, question, ret_answer);
    if (ret_answer->reason == CVG_REASON_NO_AGENT && start_agent)
        start_and_ask(&config, &paths, question, deadline_ms, ret_answer);
    if (mode == CVG_MODE_MONITOR)
        ret_answer->action =
            cvg_action_of(mode, ret_answer->verdict, config.on_unreachable,
                          question->pki == CVG_PKI_OK, question->pki == CVG_PKI_TRUST_ERROR, false);
}
