/* SPDX-License-Identifier: MIT */
/* notary-update: looks for updates of the bundles now, and tells what came of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/engine/commands-state.h"

/* Who waits; abandoned, it is told no more. */
struct looking {
    struct errand *errand;
    json_t *notaries;
};

static const char *result_word(enum cvg_look_result result)
{
    switch (result) {
    case CVG_LOOK_UNCHANGED:
        return "unchanged";
    case CVG_LOOK_OLDER:
        return "older";
    case CVG_LOOK_UPDATED:
        return "updated";
    case CVG_LOOK_NOT_TAKEN:
        return "not-taken";
    case CVG_LOOK_FAILED:
        return "failed";
    case CVG_LOOK_NOWHERE:
        break;
    }
    return "nowhere";
}

static void on_look(const struct cvg_bundle *bundle, const struct cvg_look *look, void *user)
{
    struct looking *looking = user;
    char why[sizeof look->why];

    /* A sentence may quote what came, cut within a character: JSON takes none of that. */
    snprintf(why, sizeof why, "%s", look->why);
    for (char *octet = why; *octet != '\0'; octet++)
        if (*octet < ' ' || *octet > '~')
            *octet = '?';
    json_array_append_new(looking->notaries,
                          json_pack("{s:s, s:s, s:I, s:s}", "name", bundle->name, "result",
                                    result_word(look->result), "serial", (json_int_t)look->serial,
                                    "message", why));
}

/* The errand's end calls abandon, which frees what is looking. */
static void on_end(void *user)
{
    struct looking *looking = user;

    cvg_errand_finish(looking->errand,
                      json_pack("{s:b, s:O}", "ok", 1, "notaries", looking->notaries));
}

static void abandon(struct errand *errand)
{
    struct looking *looking = errand->extra;

    cvg_updates_leave(errand->commands->agent->updates, looking);
    json_decref(looking->notaries);
    free(looking);
}

static bool begin(struct command *command, const char *name)
{
    struct errand *errand = cvg_errand_new(command);
    struct looking *looking;

    if (errand == NULL)
        return false;
    looking = calloc(1, sizeof *looking);
    if (looking == NULL) {
        cvg_errand_finish(errand, NULL);
        return false;
    }
    *looking = (struct looking){.errand = errand, .notaries = json_array()};
    errand->extra = looking;
    errand->abandon = abandon;
    if (cvg_updates_look(command->agent->updates, name, on_look, on_end, looking) == CVG_OK)
        return true;
    cvg_errand_finish(errand,
                      json_pack("{s:b, s:s, s:s}", "ok", 0, "error", "busy", "message",
                                "updates are being looked for already: ask again in a moment"));
    return false;
}

bool cvg_command_notary_update(struct command *command)
{
    const struct cvg_agent *agent = command->agent;
    const struct cvg_bundles *bundles = &agent->electorate->bundles;
    const char *name = json_string_value(json_object_get(command->body, "name"));
    bool known = name == NULL;

    if (agent->paths.kind == CVG_AGENT_SYSTEM && command->view != CVG_EVERYBODY)
        return cvg_reply_error(command, "denied",
                               "only root may have the system's agent look for updates");
    for (size_t i = 0; i < bundles->count && !known; i++)
        known = strcmp(name, bundles->bundle[i]->name) == 0;
    if (!known)
        return cvg_reply_error(command, "not-found", "there is no notary of that name");
    return begin(command, name);
}
