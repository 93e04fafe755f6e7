/* SPDX-License-Identifier: MIT */
/* The configuration while the agent runs: read anew on SIGHUP, on a command and when its files
 * change, and put to work. A configuration that is wrong changes nothing. */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"
#include "common/engine/notary-client.h"

#define TEND_MS   30000  /* how often it is looked whether connections are still there */
#define TENDED_MS 600000 /* how long after the last question */
#define SETTLE_MS 50     /* writers of files do so in several steps */

/* Any of those that can, until it fails a question. */
static size_t draw_relay(struct cvg_agent *agent)
{
    const struct cvg_bundles *bundles = &agent->electorate->bundles;
    size_t able[CVG_BUNDLES_MAX], count = 0;

    for (size_t i = 0; i < bundles->count; i++)
        if (cvg_notary_can_relay(bundles->bundle[i]))
            able[count++] = i;
    return count == 0 ? CVG_NO_NOTARY
                      : able[agent->world.below(agent->world.user, (uint32_t)count)];
}

/* Connects ahead to every notary, so that a first visit costs one round trip. */
static void warm_up(struct cvg_agent *agent)
{
    struct cvg_electorate *electorate = agent->electorate;
    const struct cvg_bundles *bundles = &electorate->bundles;
    const struct cvg_bundle *relay = NULL;

    if (cvg_electorate_bounces(electorate)) {
        if (electorate->relay == CVG_NO_NOTARY)
            electorate->relay = draw_relay(agent);
        if (electorate->relay != CVG_NO_NOTARY)
            relay = bundles->bundle[electorate->relay];
    }
    for (size_t i = 0; i < bundles->count; i++)
        if (i != electorate->relay)
            cvg_notary_client_warm(agent->transport, bundles->bundle[i], relay);
}

static void on_tend(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    if (uv_now(&agent->loop) - agent->busy_ms < TENDED_MS)
        warm_up(agent);
    uv_timer_start(&agent->tend, on_tend, TEND_MS, TEND_MS);
}

void cvg_agent_apply(struct cvg_agent *agent)
{
    cvg_breaker_reset(agent->world.breaker);
    cvg_checks_set_electorate(agent->checks, agent->electorate);
    warm_up(agent);
    uv_timer_start(&agent->tend, on_tend, TEND_MS, TEND_MS);
}

enum cvg_error cvg_agent_reload(struct cvg_agent *agent, struct cvg_why *ret_why)
{
    struct cvg_electorate *electorate;
    struct cvg_paths paths;
    struct cvg_why why;
    enum cvg_error err = cvg_electorate_load(&paths, &electorate, &why);

    if (err == CVG_OK && strcmp(paths.runtime_dir, agent->paths.runtime_dir) != 0) {
        cvg_electorate_unref(electorate);
        err = cvg_fail(&why, CVG_ERR_CONFIG, "the configuration is for another agent now");
    }
    if (err != CVG_OK) {
        snprintf(agent->config_error, sizeof agent->config_error, "%s", why.text);
        cvg_log(CVG_LOG_ERROR, "configuration not taken: %s", why.text);
        return cvg_fail(ret_why, err, "%s", why.text);
    }
    agent->config_error[0] = '\0';
    if (cvg_verdict_log_reopen(agent->log, electorate->config.log, &why) != CVG_OK)
        cvg_log(CVG_LOG_WARNING, "%s; the old one is used", why.text);
    if (agent->history != NULL)
        cvg_history_set_max(agent->history, electorate->config.history);
    agent->transport->reset(agent->transport);
    cvg_electorate_unref(agent->electorate);
    agent->electorate = electorate;
    cvg_agent_apply(agent);
    cvg_log(CVG_LOG_NOTICE, "configuration read: %zu notaries", electorate->bundles.count);
    return CVG_OK;
}

static void on_settled(uv_timer_t *timer)
{
    struct cvg_agent *agent = timer->data;

    /* The directories themselves may have been replaced. */
    cvg_agent_watch(agent);
    if (cvg_agent_reload(agent, NULL) != CVG_OK)
        return;
}

void cvg_agent_reload_soon(struct cvg_agent *agent)
{
    uv_timer_start(&agent->reload, on_settled, SETTLE_MS, 0);
}
