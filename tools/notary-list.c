/* SPDX-License-Identifier: MIT */
/* converge notary list: what the files say, and what the agent, if one runs, knows of their
 * updates. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/agent-command.h"
#include "tools/notary-command.h"
#include "tools/tools.h"

#define ASK_TIMEOUT_MS 2000

/* What the agent says of that notary, or NULL. */
static const json_t *known_of(const json_t *status, const char *name)
{
    const json_t *notary;
    size_t index;

    json_array_foreach(json_object_get(status, "notaries"), index, notary)
        if (strcmp(cvg_reply_text(notary, "name"), name) == 0 &&
            json_object_get(notary, "serial") != NULL)
            return notary;
    return NULL;
}

/* As only a bundle with a key and a location can; what an older agent does is not known. */
static bool updates_itself(const struct cvg_installation *installation,
                           const struct cvg_bundle *bundle)
{
    return installation->config.bundle_update && bundle->key_count > 0 &&
           bundle->location[0] != '\0';
}

static void print_moment(const char *label, long long time_s)
{
    char text[32];
    time_t moment = (time_t)time_s;
    struct tm parts;

    if (time_s == 0 || localtime_r(&moment, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0)
        snprintf(text, sizeof text, "never");
    cvg_output_field(label, "%s", text);
}

static void print_updates(const struct cvg_installation *installation,
                          const struct cvg_bundle *bundle, const json_t *known)
{
    unsigned long long serial = bundle->serial;
    long long in_force = known != NULL ? cvg_reply_number(known, "serial") : (long long)serial;

    if (in_force > 0 && (unsigned long long)in_force != serial)
        cvg_output_field("serial", "%lld (%llu in the file)", in_force, serial);
    else
        cvg_output_field("serial", "%llu", serial);
    if (bundle->key_count == 0 || bundle->location[0] == '\0') {
        cvg_output_field("updates", "none: %s",
                         bundle->key_count == 0 ? "it has no key to sign them with"
                                                : "it names no place for them");
        return;
    }
    cvg_output_field("updates", "%s, %s",
                     updates_itself(installation, bundle) ? "by itself" : "only when told to",
                     bundle->location);
    if (known == NULL)
        return;
    print_moment("looked for", cvg_reply_number(known, "looked_s"));
    print_moment("changed", cvg_reply_number(known, "changed_s"));
}

static json_t *one_json(const struct cvg_installation *installation,
                        const struct cvg_bundle *bundle, const char *path, const json_t *known)
{
    json_t *one = cvg_notary_json(bundle, path);

    json_object_set_new(one, "updates", json_boolean(updates_itself(installation, bundle)));
    if (known == NULL)
        return one;
    json_object_set_new(one, "serial_in_force", json_integer(cvg_reply_number(known, "serial")));
    json_object_set_new(one, "looked_s", json_integer(cvg_reply_number(known, "looked_s")));
    json_object_set_new(one, "changed_s", json_integer(cvg_reply_number(known, "changed_s")));
    return one;
}

static int tell_json(const struct cvg_installation *installation,
                     const struct cvg_bundle_files *files, const json_t *status)
{
    json_t *notaries = json_array();

    for (size_t i = 0; i < files->count; i++)
        json_array_append_new(notaries, one_json(installation, files->bundle[i], files->path[i],
                                                 known_of(status, files->bundle[i]->name)));
    return cvg_output_json(json_pack("{s:b, s:o}", "ok", 1, "notaries", notaries), CVG_EXIT_OK);
}

static int tell(const struct cvg_installation *installation, const struct cvg_bundle_files *files,
                const json_t *status)
{
    for (size_t i = 0; i < files->count; i++) {
        cvg_notary_print(files->bundle[i]);
        print_updates(installation, files->bundle[i], known_of(status, files->bundle[i]->name));
    }
    if (files->count == 0)
        puts("There is no notary: see `converge notary add --help`.");
    else if (status == NULL)
        cvg_output_note("no agent runs: when it last looked for updates is not known");
    return CVG_EXIT_OK;
}

int cvg_notary_list(const struct cvg_installation *installation)
{
    struct cvg_bundle_files files;
    struct cvg_why why = {""};
    json_t *status = NULL;
    int code;

    if (cvg_bundle_files_load(&installation->paths, &files, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "status"), ASK_TIMEOUT_MS,
                      &status, &why) != CVG_OK)
        status = NULL;
    if (cvg_output_is_json())
        code = tell_json(installation, &files, status);
    else
        code = tell(installation, &files, status);
    json_decref(status);
    cvg_bundle_files_free(&files);
    return code;
}
