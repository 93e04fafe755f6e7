/* SPDX-License-Identifier: MIT */
/* The machine: agent, notaries, module, openssl.cnf, and what stays uncovered. */
#include <stdarg.h>
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
#define TEXT_MAX          600

enum state { GOOD, WARNING, BAD };

struct finding {
    enum state state;
    char text[TEXT_MAX];
};

struct report {
    struct finding agent, notaries, module, system;
    json_t *uncovered;
};

static void set(struct finding *finding, enum state state, const char *fmt, ...) CVG_PRINTF(3, 4);

static void set(struct finding *finding, enum state state, const char *fmt, ...)
{
    va_list args;

    finding->state = state;
    va_start(args, fmt);
    vsnprintf(finding->text, sizeof finding->text, fmt, args);
    va_end(args);
}

static void look_at_notaries(const struct cvg_installation *installation, struct finding *finding)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    const json_t *notary;
    size_t index, answering = 0, configured;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "notary-test"),
                      installation->config.deadline_ms + TEST_MARGIN_MS, &reply, &why);

    if (err != CVG_OK) {
        set(finding, BAD, "%s", why.text);
        return;
    }
    json_array_foreach(json_object_get(reply, "notaries"), index, notary)
        answering += json_is_true(json_object_get(notary, "answered")) ? 1 : 0;
    configured = json_array_size(json_object_get(reply, "notaries"));
    set(finding,
        answering < NOTARIES_NEEDED ? BAD
        : answering < configured    ? WARNING
                                    : GOOD,
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
        set(&report->agent, BAD, "%s%s", why.text,
            err == CVG_ERR_UNREACHABLE ? " (`converge run` or `converge check` starts it)" : "");
        set(&report->notaries, BAD, "cannot be tried without an agent");
        return;
    }
    if (cvg_reply_text(reply, "config_error")[0] != '\0')
        set(&report->agent, WARNING, "runs on an old configuration: %s",
            cvg_reply_text(reply, "config_error"));
    else
        set(&report->agent, GOOD, "runs (pid %lld), mode %s", cvg_reply_number(reply, "pid"),
            cvg_reply_text(reply, "mode"));
    json_decref(reply);
    look_at_notaries(installation, &report->notaries);
}

static void look_at_module(const struct cvg_installation *installation, struct finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    char conf[CVG_PATH_MAX];
    enum cvg_error err = cvg_program_conf(&installation->paths, conf, &why);

    if (err == CVG_OK)
        err = cvg_canary_run(conf, &canary, &why);
    if (err != CVG_OK)
        set(finding, BAD, "%s", why.text);
    else if (!cvg_canary_good(&canary))
        set(finding, BAD, "%s", canary.text);
    else
        set(finding, GOOD, "%s",
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

static void look_at_system(struct finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    char *conf = cvg_openssl_conf_in_use();

    if (conf == NULL)
        set(finding, BAD, "out of memory");
    else if (cvg_canary_run(conf, &canary, &why) != CVG_OK)
        set(finding, BAD, "%s", why.text);
    else if (cvg_canary_good(&canary))
        set(finding, GOOD, "enabled in %s", conf);
    else if (canary.loaded || has_our_lines(conf))
        set(finding, BAD, "enabled in %s, but: %s", conf, canary.text);
    else
        set(finding, WARNING, "not enabled in %s: only `converge run` protects", conf);
    free(conf);
}

/* Well-known programs that are here, and whose TLS library nobody can watch. */
static json_t *find_uncovered(void)
{
    static const char *const names[] = {"git",    "wget", "apt",  "lftp", "mutt",    "cargo",
                                        "rustup", "go",   "java", "erl",  "firefox", "emacs"};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cvg_linkage linkage;

        if (cvg_linkage_find(names[i], &linkage, NULL) != CVG_OK ||
            (linkage.openssl3 && !linkage.curl_gnutls))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "program", names[i], "path",
                                              linkage.path, "reason", cvg_doctor_reason(&linkage)));
    }
    return list;
}

static int code_of(const struct report *report)
{
    if (report->module.state == BAD || report->system.state == BAD)
        return CVG_EXIT_FAULT;
    if (report->agent.state == BAD || report->notaries.state == BAD)
        return CVG_EXIT_UNDECIDED;
    return report->system.state == WARNING ? CVG_EXIT_REFUSED : CVG_EXIT_OK;
}

static json_t *finding_json(const struct finding *finding)
{
    static const char *const words[] = {"good", "warning", "bad"};

    return json_pack("{s:s, s:s}", "state", words[finding->state], "text", finding->text);
}

static int print_json(struct report *report, int code)
{
    return cvg_output_json(json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "ok", 1, "agent",
                                     finding_json(&report->agent), "notaries",
                                     finding_json(&report->notaries), "module",
                                     finding_json(&report->module), "system",
                                     finding_json(&report->system), "uncovered", report->uncovered),
                           code);
}

static void print_finding(const char *label, const struct finding *finding)
{
    static const enum cvg_paint paints[] = {CVG_PAINT_GOOD, CVG_PAINT_WARN, CVG_PAINT_BAD};
    static const char *const words[] = {"good", "note", "BAD"};

    printf("  %-12s ", label);
    cvg_output_word(paints[finding->state], 6, words[finding->state]);
    cvg_output_word(CVG_PAINT_NONE, 0, finding->text);
    putchar('\n');
}

static void print_text(const struct report *report)
{
    const json_t *entry;
    size_t index;

    print_finding("agent", &report->agent);
    print_finding("notaries", &report->notaries);
    print_finding("module", &report->module);
    print_finding("openssl.cnf", &report->system);
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
    report.uncovered = find_uncovered();
    code = code_of(&report);
    if (cvg_output_is_json())
        return print_json(&report, code);
    print_text(&report);
    json_decref(report.uncovered);
    return code;
}
