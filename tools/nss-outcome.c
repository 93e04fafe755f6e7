/* SPDX-License-Identifier: MIT */
/* What is said of a database. Nobody is told "protected" who is not. */
#include <stdio.h>
#include <string.h>

#include "tools/nss-change.h"
#include "tools/rehearsal.h"

static const char *http3_word(enum cvg_http3 http3)
{
    static const char *const words[] = {"none", "off", "locked"};

    return words[http3];
}

static int add_profile(json_t *object, const struct cvg_nss_outcome *outcome, bool enabling)
{
    int failed = json_object_set_new(object, "application", json_string(outcome->application));

    if (outcome->profile[0] != '\0')
        failed |= json_object_set_new(object, "profile", cvg_output_text(outcome->profile));
    if (outcome->confined != NULL)
        failed |= json_object_set_new(object, "confined", json_string(outcome->confined));
    if (enabling && outcome->http3 != CVG_HTTP3_NONE)
        failed |= json_object_set_new(object, "http3", json_string(http3_word(outcome->http3)));
    if (!enabling && outcome->returns)
        failed |= json_object_set_new(object, "returns", json_true());
    return failed;
}

static int add_enabled(json_t *object, const struct cvg_nss_outcome *outcome)
{
    int failed = json_object_set_new(object, "name", cvg_output_text(outcome->name));

    failed |= json_object_set_new(object, "watching", json_boolean(outcome->watching));
    failed |= json_object_set_new(object, "handshake", json_boolean(outcome->handshake));
    failed |= json_object_set_new(object, "protected", json_boolean(cvg_nss_is_protected(outcome)));
    return failed;
}

json_t *cvg_nss_outcome_json(const struct cvg_nss_outcome *outcome, bool enabling)
{
    json_t *object = json_pack("{s:b, s:o, s:b}", "ok", outcome->code == CVG_EXIT_OK, "database",
                               cvg_output_text(outcome->database), "changed", outcome->changed);
    int failed = object == NULL ? 1 : 0;

    if (outcome->code != CVG_EXIT_OK)
        failed |= json_object_set_new(object, "message", cvg_output_text(outcome->why.text));
    else if (outcome->confined == NULL)
        failed |= json_object_set_new(object, "file", cvg_output_text(outcome->file));
    if (outcome->application != NULL)
        failed |= add_profile(object, outcome, enabling);
    if (enabling)
        failed |= add_enabled(object, outcome);
    if (failed == 0)
        return object;
    json_decref(object);
    return NULL;
}

static const char *proof(const struct cvg_nss_outcome *outcome)
{
    if (!outcome->tried)
        return "NOT TRIED, since no NSS here could open it";
    return outcome->handshake ? "a canary handshake was watched, refused and accepted as told"
                              : "the module is loaded and watches";
}

static void print_enabled(const struct cvg_nss_outcome *outcome)
{
    printf("%s as \"%s\"; %s\n",
           outcome->changed ? cvg_rehearsal_word("enabled", "would be enabled") : "enabled already",
           outcome->name, proof(outcome));
    if (outcome->old_library[0] != '\0')
        printf("  it was there from another place: %s\n", outcome->old_library);
    if (outcome->http3 == CVG_HTTP3_LOCKED)
        printf("  HTTP/3 is off and locked\n");
    else if (outcome->application != NULL)
        printf("  NOT PROTECTED against HTTP/3: it is off in user.js, but not locked; as root: "
               "converge enable nss --%s\n",
               outcome->application);
}

static void print_disabled(const struct cvg_nss_outcome *outcome)
{
    printf("%s\n", outcome->changed ? cvg_rehearsal_word("disabled", "would be disabled")
                                    : "was not enabled");
    if (outcome->returns)
        printf("  it comes back at the next start, since the system says so; as root: converge "
               "disable "
               "nss --%s\n",
               outcome->application);
}

void cvg_nss_outcome_print(const struct cvg_nss_outcome *outcome, bool enabling)
{
    if (outcome->profile[0] != '\0')
        printf("%s profile %s: ", outcome->application, outcome->profile);
    printf("%s: ", outcome->file[0] != '\0' ? outcome->file : outcome->database);
    if (outcome->code != CVG_EXIT_OK)
        printf("FAILED: %s\n", outcome->why.text);
    else if (outcome->confined != NULL && enabling)
        printf("NOT PROTECTED: confined by %s, it reaches neither module nor agent\n",
               outcome->confined);
    else if (outcome->confined != NULL)
        printf("left alone: confined by %s\n", outcome->confined);
    else if (enabling)
        print_enabled(outcome);
    else
        print_disabled(outcome);
}
