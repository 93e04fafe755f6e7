/* SPDX-License-Identifier: MIT */
/* The notaries: whether each answers, under its pin and with a clock like ours, and how far apart
 * they stand. */
#include <stdio.h>
#include <string.h>

#include "tools/agent-command.h"
#include "tools/bundle-files.h"
#include "tools/diversity.h"
#include "tools/doctor.h"

#define TEST_MARGIN_MS  3000
#define NOTARIES_NEEDED 2
#define NOTARIES_WANTED 3
#define CLOCK_OFF_S     60 /* beyond what delays and whole seconds explain */

/* What a notary's fault asks for, by the agent's word for it. */
static const char *remedy_for(const char *error)
{
    static const struct {
        const char *error, *remedy;
    } remedies[] = {
        {"pin", "somebody else answers in its place, or it has a new key: get its new bundle from "
                "its operator by a way you trust, then converge notary remove and add"},
        {"signature", "get its bundle anew from its operator by a way you trust, then converge "
                      "notary remove and add"},
        {"timeout", "see whether a firewall lets this machine reach it; ask its operator"},
        {"unreachable", "see whether this machine is on the network, and whether a firewall lets "
                        "it reach the notary; ask its operator"},
        {"captive-portal", "log in to this network first"},
        {"busy", "ask its operator whether this network has used up its budget"},
    };

    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (strcmp(remedies[i].error, error) == 0)
            return remedies[i].remedy;
    return "ask its operator, or choose another: converge notary remove";
}

static bool is_off(const json_t *notary)
{
    const json_t *offset = json_object_get(notary, "clock_offset_s");
    long long seconds = json_integer_value(offset);

    return json_is_integer(offset) && (seconds > CLOCK_OFF_S || seconds < -CLOCK_OFF_S);
}

static void tell_notary(const json_t *notary, struct cvg_doctor_report *report)
{
    const char *name = cvg_reply_text(notary, "name"), *error = cvg_reply_text(notary, "error");

    if (!json_is_true(json_object_get(notary, "answered")))
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "notary", name, CVG_DOCTOR_WARNING,
                       remedy_for(error), "no good answer from %s (%s): %s",
                       cvg_reply_text(notary, "host"), error, cvg_reply_text(notary, "message"));
    else
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "notary", name, CVG_DOCTOR_GOOD, NULL,
                       "%s answers under its pin in %lld ms", cvg_reply_text(notary, "host"),
                       cvg_reply_number(notary, "elapsed_ms"));
}

static size_t count_if(const json_t *notaries, bool (*holds)(const json_t *notary))
{
    const json_t *notary;
    size_t index, count = 0;

    json_array_foreach(notaries, index, notary)
        count += holds(notary) ? 1 : 0;
    return count;
}

static bool answered(const json_t *notary)
{
    return json_is_true(json_object_get(notary, "answered"));
}

/* One clock that differs is the notary's; where most differ, it is ours. */
static void tell_clocks(const json_t *notaries, struct cvg_doctor_report *report)
{
    size_t index, off = count_if(notaries, is_off);
    const json_t *notary;

    if (off > 1 && 2 * off > count_if(notaries, answered)) {
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "clock", "", CVG_DOCTOR_WARNING,
                       "sudo timedatectl set-ntp true",
                       "this machine's clock differs from that of most notaries");
        return;
    }
    json_array_foreach(notaries, index, notary)
        if (is_off(notary))
            cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "notary-clock",
                           cvg_reply_text(notary, "name"), CVG_DOCTOR_NOTE, "tell its operator",
                           "its clock is %lld s from ours",
                           cvg_reply_number(notary, "clock_offset_s"));
}

static void tell_count(size_t answering, size_t configured, struct cvg_doctor_report *report)
{
    if (answering < NOTARIES_NEEDED)
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "answering", "", CVG_DOCTOR_BAD,
                       configured < NOTARIES_NEEDED ? "converge notary add FILE-OR-URL"
                                                    : "see above, then: converge notary test",
                       "%zu of %zu answer; at least two must", answering, configured);
    else
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "answering", "",
                       answering < configured ? CVG_DOCTOR_WARNING : CVG_DOCTOR_GOOD,
                       answering < configured ? "see above, then: converge notary test" : NULL,
                       "%zu of %zu answer", answering, configured);
    if (configured >= NOTARIES_NEEDED && configured < NOTARIES_WANTED)
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "few", "", CVG_DOCTOR_NOTE,
                       "converge notary add FILE-OR-URL",
                       "with two notaries both must answer: where one fails, programs are refused");
}

static void tell_axis(const struct cvg_diversity_axis *axis, size_t count, const char *id,
                      const char *what, enum cvg_doctor_state state,
                      struct cvg_doctor_report *report)
{
    if (cvg_diversity_decides_alone(axis, count))
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, id, "", state,
                       "converge notary add one that stands elsewhere",
                       "%zu of %zu notaries are in one %s (%s): whoever controls that decides "
                       "alone",
                       axis->largest, count, what, axis->shared);
}

static void tell_diversity(const struct cvg_diversity *found, struct cvg_doctor_report *report)
{
    size_t count = found->count;

    if (count < NOTARIES_NEEDED)
        return;
    tell_axis(&found->network, count, "one-network", "network", CVG_DOCTOR_WARNING, report);
    tell_axis(&found->country, count, "one-country", "country", CVG_DOCTOR_NOTE, report);
    tell_axis(&found->operators, count, "one-operator", "hand", CVG_DOCTOR_NOTE, report);
    if (found->near > 0)
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "near", "", CVG_DOCTOR_WARNING,
                       "run it where an attacker near you is not: another network, another house",
                       "%zu of %zu notaries are on this machine or its own network: they see what "
                       "you see, also when that is forged",
                       found->near, count);
    cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "diversity", "", CVG_DOCTOR_NOTE, NULL,
                   "%zu networks (%zu not told), %zu countries (%zu not told), %zu operators (%zu "
                   "not told)",
                   found->network.groups, found->network.unknown, found->country.groups,
                   found->country.unknown, found->operators.groups, found->operators.unknown);
}

static void tell_bundle(const struct cvg_bundle *bundle, struct cvg_doctor_report *report)
{
    for (size_t i = 0; i < bundle->host_count; i++)
        if (bundle->host[i].next_certificate != NULL) {
            cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "next-certificate", bundle->name,
                           CVG_DOCTOR_NOTE, NULL,
                           "it has announced its next certificate, and is recognised by either");
            break;
        }
    if (bundle->protocol == 1)
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "protocol", bundle->name, CVG_DOCTOR_NOTE,
                       "ask its operator for a bundle of version 2",
                       "it speaks version 1: its answers carry no signature of their own, and its "
                       "bundle is never updated");
    else if (bundle->location[0] == '\0')
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "no-updates", bundle->name, CVG_DOCTOR_NOTE,
                       "ask its operator for a bundle with a bundle_location",
                       "its bundle does not say where updates are: its next key has to be brought "
                       "by hand");
}

/* What the bundles say, with or without an agent. Returns how many there are. */
static size_t look_at_bundles(const struct cvg_installation *installation,
                              struct cvg_doctor_report *report)
{
    static struct cvg_diversity_place places[CVG_DIVERSITY_MAX];
    struct cvg_bundle_files files;
    struct cvg_diversity found;
    struct cvg_why why = {""};
    size_t count;

    if (cvg_bundle_files_load(&installation->paths, &files, &why) != CVG_OK) {
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "bundles", "", CVG_DOCTOR_BAD,
                       "mend or remove that file: until then nobody is asked", "%s", why.text);
        return 0;
    }
    count = files.count;
    for (size_t i = 0; i < count; i++)
        tell_bundle(files.bundle[i], report);
    for (size_t i = 0; i < count && i < CVG_DIVERSITY_MAX; i++)
        cvg_diversity_place_of(files.bundle[i], &places[i]);
    cvg_diversity_judge(places, count, &found);
    tell_diversity(&found, report);
    cvg_bundle_files_free(&files);
    return count;
}

static void ask(const struct cvg_installation *installation, struct cvg_doctor_report *report)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    const json_t *notaries, *notary;
    size_t index;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "notary-test"),
                      installation->config.deadline_ms + TEST_MARGIN_MS, &reply, &why);

    if (err != CVG_OK) {
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "answering", "", CVG_DOCTOR_BAD,
                       "converge notary add FILE-OR-URL; then: converge notary test", "%s",
                       why.text);
        return;
    }
    notaries = json_object_get(reply, "notaries");
    json_array_foreach(notaries, index, notary)
        tell_notary(notary, report);
    tell_count(count_if(notaries, answered), json_array_size(notaries), report);
    tell_clocks(notaries, report);
    json_decref(reply);
}

size_t cvg_doctor_notaries(const struct cvg_installation *installation, bool agent,
                           struct cvg_doctor_report *report)
{
    if (agent)
        ask(installation, report);
    else
        cvg_doctor_add(report, CVG_DOCTOR_NOTARIES, "answering", "", CVG_DOCTOR_BAD,
                       "start the agent, see above", "they cannot be tried without an agent");
    return look_at_bundles(installation, report);
}
