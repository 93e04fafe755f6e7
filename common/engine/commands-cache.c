/* SPDX-License-Identifier: MIT */
/* Commands about what was decided and is remembered. */
#include <string.h>

#include "common/engine/commands-state.h"

#define PAGE_RECORDS 48 /* even the longest ones fit in one message */

/* With every quotation mark of a name and a text escaped: what a program calls itself must not cut
 * off an administrator's list. */
size_t cvg_json_entry_octets(size_t votes)
{
    return 800 + CVG_HOST_MAX + 2 * (CVG_MESSAGE_NAME_MAX + CVG_MESSAGE_TEXT_MAX) +
           votes * (200 + 2 * CVG_MESSAGE_NAME_MAX);
}

static bool visible(const struct cvg_verdict_entry *entry, uint32_t view,
                    const struct cvg_endpoint *target)
{
    return (view == CVG_EVERYBODY || entry->uid == view) &&
           strcmp(entry->host, target->host) == 0 &&
           (target->port == 0 || target->port == entry->port);
}

struct gathering {
    const struct cvg_endpoint *target;
    json_t *entries;
    size_t octets;
    uint64_t ttl_s;
};

static bool gather_cached(const struct cvg_cache_record *record, void *user)
{
    struct gathering *gathering = user;
    const struct cvg_endpoint *target = gathering->target;

    if (strcmp(record->endpoint.host, target->host) != 0 ||
        (target->port != 0 && target->port != record->endpoint.port))
        return true;
    gathering->octets += cvg_json_entry_octets(record->voter_count);
    if (gathering->octets > CVG_REPLY_OCTETS)
        return false;
    json_array_append_new(gathering->entries, cvg_json_cached_entry(record));
    return true;
}

bool cvg_command_why(struct command *command)
{
    struct cvg_agent *agent = command->agent;
    const struct cvg_verdict_entry *entry;
    struct cvg_endpoint target;
    struct gathering gathering = {.target = &target};
    bool given;

    if (!cvg_command_target(command, true, &target, &given))
        return false;
    gathering.entries = json_array();
    for (size_t i = 0; (entry = cvg_verdict_log_recent(agent->log, i)) != NULL; i++) {
        if (!visible(entry, command->view, &target))
            continue;
        gathering.octets += cvg_json_entry_octets(entry->vote_count);
        if (gathering.octets > CVG_REPLY_OCTETS)
            break;
        json_array_append_new(gathering.entries, cvg_json_entry(entry, "recent"));
    }
    if (agent->cache != NULL)
        cvg_cache_each(agent->cache, command->view, gather_cached, &gathering);
    return cvg_reply(command, json_pack("{s:b, s:o}", "ok", 1, "entries", gathering.entries));
}

static json_t *new_page(void)
{
    return json_pack("{s:b, s:[]}", "ok", 1, "records");
}

static bool list_record(const struct cvg_cache_record *record, void *user)
{
    struct gathering *gathering = user;
    size_t pages = json_array_size(gathering->entries);
    json_t *records = json_object_get(json_array_get(gathering->entries, pages - 1), "records");

    if (json_array_size(records) >= PAGE_RECORDS) {
        if (json_array_append_new(gathering->entries, new_page()) != 0)
            return false;
        records = json_object_get(json_array_get(gathering->entries, pages), "records");
    }
    return json_array_append_new(records, cvg_json_record(record, gathering->ttl_s)) == 0;
}

bool cvg_command_cache_list(struct command *command)
{
    struct cvg_agent *agent = command->agent;
    struct errand *errand = cvg_errand_new(command);
    struct gathering gathering = {.ttl_s = agent->electorate->config.cache_ttl_s};

    if (errand == NULL)
        return false;
    errand->pages = json_array();
    json_array_append_new(errand->pages, new_page());
    gathering.entries = errand->pages;
    if (agent->cache != NULL)
        cvg_cache_each(agent->cache, command->view, list_record, &gathering);
    return cvg_errand_pages(errand);
}

static bool reply_forgotten(struct command *command, size_t count)
{
    return cvg_reply(command, json_pack("{s:b, s:I}", "ok", 1, "forgotten", (json_int_t)count));
}

bool cvg_command_cache_forget(struct command *command)
{
    struct cvg_cache *cache = command->agent->cache;
    struct cvg_endpoint target;
    bool given;

    if (!cvg_command_target(command, true, &target, &given))
        return false;
    return reply_forgotten(
        command,
        cache == NULL ? 0 : cvg_cache_forget(cache, target.host, target.port, command->view));
}

bool cvg_command_cache_clear(struct command *command)
{
    struct cvg_cache *cache = command->agent->cache;

    return reply_forgotten(command,
                           cache == NULL ? 0 : cvg_cache_forget(cache, NULL, 0, command->view));
}
