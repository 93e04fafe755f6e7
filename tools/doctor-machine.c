/* SPDX-License-Identifier: MIT */
/* The machine: agent, notaries, module, openssl.cnf, and what stays uncovered. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/agent-command.h"
#include "tools/canary.h"
#include "tools/conf-file.h"
#include "tools/doctor.h"
#include "tools/linkage.h"
#include "tools/openssl-conf.h"
#include "tools/program-conf.h"
#include "tools/tools.h"

#define STATUS_TIMEOUT_MS 3000
#define TEST_MARGIN_MS    3000
#define NOTARIES_NEEDED   2

struct report {
    struct cvg_doctor_finding agent, notaries, module, system;
    enum cvg_doctor_state nss_worst;
    json_t *nss, *uncovered;
};

static void look_at_notaries(const struct cvg_installation *installation,
                             struct cvg_doctor_finding *finding)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    const json_t *notary;
    size_t index, answering = 0, configured;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "notary-test"),
                      installation->config.deadline_ms + TEST_MARGIN_MS, &reply, &why);

    if (err != CVG_OK) {
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", why.text);
        return;
    }
    json_array_foreach(json_object_get(reply, "notaries"), index, notary)
        answering += json_is_true(json_object_get(notary, "answered")) ? 1 : 0;
    configured = json_array_size(json_object_get(reply, "notaries"));
    cvg_doctor_set(finding,
                   answering < NOTARIES_NEEDED ? CVG_DOCTOR_BAD
                   : answering < configured    ? CVG_DOCTOR_WARNING
                                               : CVG_DOCTOR_GOOD,
                   "%zu of %zu answer%s", answering, configured,
                   answering < NOTARIES_NEEDED ? "; at least two must" : "");
    json_decref(reply);
}

static void look_at_agent(const struct cvg_installation *installation, struct report *report)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "status"),
                      STATUS_TIMEOUT_MS, &reply, &why);

    if (err != CVG_OK) {
        cvg_doctor_set(
            &report->agent, CVG_DOCTOR_BAD, "%s%s", why.text,
            err == CVG_ERR_UNREACHABLE ? " (`converge run` or `converge check` starts it)" : "");
        cvg_doctor_set(&report->notaries, CVG_DOCTOR_BAD, "cannot be tried without an agent");
        return;
    }
    if (cvg_reply_text(reply, "config_error")[0] != '\0')
        cvg_doctor_set(&report->agent, CVG_DOCTOR_WARNING, "runs on an old configuration: %s",
                       cvg_reply_text(reply, "config_error"));
    else
        cvg_doctor_set(&report->agent, CVG_DOCTOR_GOOD, "runs (pid %lld), mode %s",
                       cvg_reply_number(reply, "pid"), cvg_reply_text(reply, "mode"));
    json_decref(reply);
    look_at_notaries(installation, &report->notaries);
}

static void look_at_module(const struct cvg_installation *installation,
                           struct cvg_doctor_finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    char conf[CVG_PATH_MAX];
    enum cvg_error err = cvg_program_conf(&installation->paths, conf, &why);

    if (err == CVG_OK)
        err = cvg_canary_run(conf, &canary, &why);
    if (err != CVG_OK)
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", why.text);
    else if (!cvg_canary_good(&canary))
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", canary.text);
    else
        cvg_doctor_set(finding, CVG_DOCTOR_GOOD, "%s",
                       canary.obeys ? "a canary handshake was watched, refused and accepted as told"
                                    : "loaded and watching (lock = yes leaves no room for more)");
}

/* A module that does not load is ignored silently by most programs: the worst case. */
static bool has_our_lines(const char *conf)
{
    struct cvg_conf_file file;
    bool had;

    if (conf[0] == '\0' || cvg_conf_file_read(conf, &file, NULL) != CVG_OK)
        return false;
    had = file.had_lines;
    cvg_conf_file_free(&file);
    return had;
}

static void look_at_system(struct cvg_doctor_finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    char *conf = cvg_openssl_conf_in_use();

    if (conf == NULL)
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "out of memory");
    else if (cvg_canary_run(conf, &canary, &why) != CVG_OK)
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", why.text);
    else if (cvg_canary_good(&canary))
        cvg_doctor_set(finding, CVG_DOCTOR_GOOD, "enabled in %s", conf);
    else if (canary.loaded || has_our_lines(conf))
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "enabled in %s, but: %s", conf, canary.text);
    else
        cvg_doctor_set(finding, CVG_DOCTOR_WARNING,
                       "not enabled in %s: only `converge run` protects", conf);
    free(conf);
}

/* Well-known programs that are here, and whose TLS library nobody can watch. Whether those that
 * read an NSS database are covered is told with the databases. */
static json_t *find_uncovered(void)
{
    static const char *const names[] = {
        "git",  "wget", "apt",   "lftp",     "mutt",          "cargo", "rustup", "go",
        "java", "erl",  "emacs", "chromium", "google-chrome", "finch", "pidgin", "firefox"};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX], reason[CVG_DOCTOR_TEXT_MAX];

        if (cvg_doctor_is_uncovered(names[i], path, reason))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "program", names[i], "path",
                                                  path, "reason", reason));
    }
    return list;
}

static int code_of(const struct report *report)
{
    if (report->module.state == CVG_DOCTOR_BAD || report->system.state == CVG_DOCTOR_BAD ||
        report->nss_worst == CVG_DOCTOR_BAD)
        return CVG_EXIT_FAULT;
    if (report->agent.state == CVG_DOCTOR_BAD || report->notaries.state == CVG_DOCTOR_BAD)
        return CVG_EXIT_UNDECIDED;
    return report->system.state == CVG_DOCTOR_WARNING ? CVG_EXIT_REFUSED : CVG_EXIT_OK;
}

static int print_json(struct report *report, int code)
{
    return cvg_output_json(json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "ok", 1, "agent",
                                     cvg_doctor_finding_json(&report->agent), "notaries",
                                     cvg_doctor_finding_json(&report->notaries), "module",
                                     cvg_doctor_finding_json(&report->module), "system",
                                     cvg_doctor_finding_json(&report->system), "nss", report->nss,
                                     "uncovered", report->uncovered),
                           code);
}

static void print_nss(const json_t *entry)
{
    const char *state = cvg_reply_text(entry, "state");
    bool bad = strcmp(state, "bad") == 0, good = strcmp(state, "good") == 0;

    printf("    %s, %s\n      ", cvg_reply_text(entry, "what"), cvg_reply_text(entry, "path"));
    cvg_output_word(bad    ? CVG_PAINT_BAD
                    : good ? CVG_PAINT_GOOD
                           : CVG_PAINT_WARN,
                    6,
                    bad    ? "BAD"
                    : good ? "good"
                           : "note");
    cvg_output_word(CVG_PAINT_NONE, 0, cvg_reply_text(entry, "text"));
    putchar('\n');
}

static void print_text(const struct report *report)
{
    const json_t *entry;
    size_t index;

    cvg_doctor_finding_print("agent", &report->agent);
    cvg_doctor_finding_print("notaries", &report->notaries);
    cvg_doctor_finding_print("module", &report->module);
    cvg_doctor_finding_print("openssl.cnf", &report->system);
    if (json_array_size(report->nss) > 0)
        puts("  programs over NSS:");
    json_array_foreach(report->nss, index, entry)
        print_nss(entry);
    if (json_array_size(report->uncovered) > 0)
        puts("  not covered here:");
    json_array_foreach(report->uncovered, index, entry)
        printf("    %-10s %s\n", cvg_reply_text(entry, "program"), cvg_reply_text(entry, "reason"));
}

int cvg_doctor_machine(const struct cvg_installation *installation)
{
    struct report report;
    int code;

    memset(&report, 0, sizeof report);
    look_at_agent(installation, &report);
    look_at_module(installation, &report.module);
    look_at_system(&report.system);
    report.nss = cvg_doctor_nss_machine(&report.nss_worst);
    report.uncovered = find_uncovered();
    code = code_of(&report);
    if (cvg_output_is_json())
        return print_json(&report, code);
    print_text(&report);
    json_decref(report.nss);
    json_decref(report.uncovered);
    return code;
}
