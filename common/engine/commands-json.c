/* SPDX-License-Identifier: MIT */
/* Verdicts, cache records and the agent's state as JSON, as doc/commands.md says. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "common/engine/bundle-updates.h"
#include "common/engine/commands-state.h"
#include "common/engine/portal.h"

static json_t *text_of(const uint8_t *bytes, size_t len)
{
    char text[CVG_FINGERPRINT_TEXT_MAX] = "";

    if (len > 0)
        cvg_fingerprint_format(bytes, len, text, sizeof text);
    return json_string(text);
}

static json_t *opinions_of(const struct cvg_vote *vote)
{
    json_t *opinions = json_object();

    for (size_t i = 0; i < CVG_SAYERS; i++)
        if (vote->said[i] != CVG_SAID_NOTHING)
            json_object_set_new(opinions, cvg_sayer_word((enum cvg_sayer)i),
                                json_string(cvg_said_word((enum cvg_said)vote->said[i])));
    return opinions;
}

static json_t *votes_of(const struct cvg_verdict_entry *entry)
{
    json_t *votes = json_array();

    for (size_t i = 0; i < entry->vote_count; i++) {
        const struct cvg_vote *vote = &entry->vote[i];

        json_array_append_new(
            votes, json_pack("{s:s, s:s, s:I, s:b, s:s, s:o}", "notary", vote->notary, "answer",
                             cvg_vote_word(vote->kind), "elapsed_ms", (json_int_t)vote->elapsed_ms,
                             "bounced", (int)vote->bounced, "error",
                             vote->error == CVG_OK ? "" : cvg_error_word(vote->error), "opinions",
                             opinions_of(vote)));
    }
    return votes;
}

json_t *cvg_json_entry(const struct cvg_verdict_entry *entry, const char *source)
{
    bool sha256 = entry->fingerprint.len == CVG_SHA256_LEN;

    return json_pack("{s:s, s:I, s:s, s:i, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o}",
                     "source", source, "time_s", (json_int_t)entry->time_s, "host", entry->host,
                     "port", (int)entry->port, "sha256",
                     text_of(entry->fingerprint.bytes, sha256 ? CVG_SHA256_LEN : 0), "verdict",
                     cvg_verdict_name(entry->verdict), "action", cvg_action_name(entry->action),
                     "reason", cvg_reason_name(entry->reason), "pki", cvg_pki_word(entry->pki),
                     "text", entry->text != NULL ? entry->text : "", "program", entry->program,
                     "pid", (int)entry->pid, "uid", (json_int_t)entry->uid, "elapsed_ms",
                     (json_int_t)entry->elapsed_ms, "votes", votes_of(entry));
}

json_t *cvg_json_cached_entry(const struct cvg_cache_record *record)
{
    json_t *votes = json_array();

    for (size_t i = 0; i < record->voter_count; i++)
        json_array_append_new(votes, json_pack("{s:s, s:s, s:i, s:b, s:s}", "notary",
                                               record->voter[i].name, "answer", "yes", "elapsed_ms",
                                               0, "bounced", 0, "error", ""));
    return json_pack("{s:s, s:I, s:s, s:i, s:o, s:s, s:s, s:o}", "source", "cache", "time_s",
                     (json_int_t)record->verified_s, "host", record->endpoint.host, "port",
                     (int)record->endpoint.port, "sha256",
                     text_of(record->leaf_sha256, CVG_SHA256_LEN), "verdict", "agree", "text",
                     "remembered from an earlier vote", "votes", votes);
}

json_t *cvg_json_record(const struct cvg_cache_record *record, uint64_t ttl_s)
{
    json_t *voters = json_array();

    for (size_t i = 0; i < record->voter_count; i++)
        json_array_append_new(voters, json_string(record->voter[i].name));
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:I, s:I, s:o}", "host", record->endpoint.host,
                     "port", (int)record->endpoint.port, "sha256",
                     text_of(record->leaf_sha256, CVG_SHA256_LEN), "sha1",
                     text_of(record->leaf_sha1, CVG_SHA1_LEN), "spki_sha256",
                     text_of(record->spki_sha256, CVG_CACHE_SPKI_LEN), "verified_s",
                     (json_int_t)record->verified_s, "expires_s",
                     (json_int_t)(record->verified_s + (int64_t)ttl_s), "voters", voters);
}

static json_t *notary_status(const struct cvg_agent *agent, const struct cvg_bundle *bundle,
                             const struct cvg_notary_state *state)
{
    static const char *const words[] = {
        [CVG_NOTARY_UNTRIED] = "untried", [CVG_NOTARY_OK] = "ok", [CVG_NOTARY_FAILING] = "failing"};
    json_t *hosts = json_array();

    for (size_t i = 0; i < bundle->host_count; i++)
        json_array_append_new(
            hosts, json_sprintf("%s:%u", bundle->host[i].host, (unsigned)bundle->host[i].ssl_port));
    return json_pack("{s:s, s:s, s:i, s:o, s:s, s:I, s:s, s:I, s:b, s:I, s:I}", "name",
                     bundle->name, "region", bundle->region, "protocol", (int)bundle->protocol,
                     "hosts", hosts, "state", words[state->health], "last_ms",
                     (json_int_t)state->last_ms, "last_error",
                     state->last_error == CVG_OK ? "" : cvg_error_word(state->last_error), "serial",
                     (json_int_t)bundle->serial, "updates",
                     agent->electorate->config.bundle_update && cvg_bundle_updates_itself(bundle),
                     "looked_s", (json_int_t)cvg_bundle_looked_s(&agent->paths, bundle),
                     "changed_s", (json_int_t)cvg_bundle_changed_s(&agent->paths, bundle));
}

static json_t *threshold_text(const struct cvg_electorate *electorate)
{
    switch (electorate->policy.threshold) {
    case CVG_THRESHOLD_MAJORITY:
        return json_string("majority");
    case CVG_THRESHOLD_CONSENSUS:
        return json_string("consensus");
    case CVG_THRESHOLD_COUNT:
        break;
    }
    return json_sprintf("%u", electorate->policy.count);
}

static json_t *cache_status(struct cvg_agent *agent)
{
    struct cvg_cache_status status = {0};

    if (agent->cache != NULL)
        cvg_cache_status(agent->cache, &status);
    return json_pack("{s:I, s:I, s:b}", "records", (json_int_t)status.records, "octets",
                     (json_int_t)status.file_octets, "writing", (int)status.writing);
}

static json_t *check_status(struct cvg_agent *agent)
{
    struct cvg_check_counts counts = cvg_checks_counts(agent->checks);

    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "agree", (json_int_t)counts.agree, "disagree",
                     (json_int_t)counts.disagree, "undecided", (json_int_t)counts.undecided,
                     "exempt", (json_int_t)counts.exempt, "cached", (json_int_t)counts.cached);
}

static json_t *portal_status(struct cvg_agent *agent)
{
    const char *url = cvg_portal_url(agent->portal);

    return json_pack("{s:b, s:s}", "found", url != NULL, "url", url != NULL ? url : "");
}

static json_t *releases_status(struct cvg_agent *agent)
{
    const struct cvg_releases *releases = &agent->releases;
    json_t *list = json_array();

    for (size_t i = 0; i < releases->count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:I}", "release", releases->release[i].name,
                                        "questions", (json_int_t)releases->release[i].questions));
    return json_pack("{s:o, s:I, s:b}", "heard", list, "others", (json_int_t)releases->others,
                     "foreign", (int)releases->foreign);
}

json_t *cvg_json_status(struct cvg_agent *agent)
{
    const struct cvg_electorate *electorate = agent->electorate;
    const struct cvg_config *config = &electorate->config;
    json_t *notaries = json_array();

    for (size_t i = 0; i < electorate->bundles.count; i++)
        json_array_append_new(notaries,
                              notary_status(agent, electorate->bundles.bundle[i],
                                            &electorate->state[i]));
    return json_pack(
        "{s:b, s:s, s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:i, s:b, s:s, s:o, s:o, "
        "s:o, s:o, s:i, s:o}",
        "ok", 1, "version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
        (json_int_t)(cvg_clock_wall_s(agent->world.clock) - agent->started_s), "kind",
        agent->paths.kind == CVG_AGENT_SYSTEM ? "system" : "user", "config_dir",
        agent->paths.config_dir, "mode", cvg_mode_name(config->mode), "on_unreachable",
        cvg_unreachable_name(config->on_unreachable), "match",
        config->match == CVG_MATCH_PUBLIC_KEY ? "public-key" : "certificate", "threshold",
        threshold_text(electorate), "quorum", (int)config->quorum, "min_votes",
        (int)electorate->policy.min_votes, "deadline_ms", (int)config->deadline_ms, "bounce",
        (int)cvg_electorate_bounces(electorate), "config_error", agent->config_error, "notaries",
        notaries, "cache", cache_status(agent), "checks", check_status(agent), "portal",
        portal_status(agent), "protocol", CVG_MESSAGE_VERSION, "releases", releases_status(agent));
}
