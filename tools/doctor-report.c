/* SPDX-License-Identifier: MIT */
/* Collects findings, and draws the exit code from them. */
#include "tools/doctor-report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

static const char *const state_words[CVG_DOCTOR_STATES] = {"good", "note", "warning", "bad"};
static const char *const group_words[CVG_DOCTOR_GROUPS] = {
    "agent", "notaries", "modules", "openssl.cnf", "nss", "programs", "configuration", "holes"};

const char *cvg_doctor_state_word(enum cvg_doctor_state state)
{
    return state_words[state];
}

const char *cvg_doctor_group_word(enum cvg_doctor_group group)
{
    return group_words[group];
}

bool cvg_doctor_group_exists(const char *word)
{
    for (size_t i = 0; i < CVG_DOCTOR_GROUPS; i++)
        if (strcmp(group_words[i], word) == 0)
            return true;
    return false;
}

bool cvg_doctor_wants(const struct cvg_doctor_report *report, enum cvg_doctor_group group)
{
    return report->only == NULL || strcmp(report->only, group_words[group]) == 0;
}

void cvg_doctor_report_init(const char *only, struct cvg_doctor_report *ret_report)
{
    memset(ret_report, 0, sizeof *ret_report);
    ret_report->code = -1;
    ret_report->only = only;
    ret_report->findings = json_array();
}

void cvg_doctor_report_free(struct cvg_doctor_report *report)
{
    json_decref(report->findings);
    json_decref(report->programs);
    report->programs = NULL;
    report->findings = NULL;
}

void cvg_doctor_add_finding(struct cvg_doctor_report *report, enum cvg_doctor_group group,
                            const char *id, const char *about,
                            const struct cvg_doctor_finding *finding)
{
    json_t *entry;

    if (!cvg_doctor_wants(report, group))
        return;
    entry = json_pack("{s:s, s:s, s:o, s:s, s:o, s:o}", "group", group_words[group], "id", id,
                      "about", cvg_output_text(about), "state", state_words[finding->state], "text",
                      cvg_output_text(finding->text), "do", cvg_output_text(finding->remedy));
    json_array_append_new(report->findings, entry);
    report->count[finding->state]++;
    if (finding->state > report->worst[group])
        report->worst[group] = finding->state;
}

void cvg_doctor_add(struct cvg_doctor_report *report, enum cvg_doctor_group group, const char *id,
                    const char *about, enum cvg_doctor_state state, const char *remedy,
                    const char *fmt, ...)
{
    struct cvg_doctor_finding finding = {.state = state};
    va_list args;

    va_start(args, fmt);
    vsnprintf(finding.text, sizeof finding.text, fmt, args);
    va_end(args);
    if (remedy != NULL)
        cvg_doctor_remedy(&finding, "%s", remedy);
    cvg_doctor_add_finding(report, group, id, about, &finding);
}

void cvg_doctor_set(struct cvg_doctor_finding *finding, enum cvg_doctor_state state,
                    const char *fmt, ...)
{
    va_list args;

    finding->state = state;
    finding->remedy[0] = '\0';
    va_start(args, fmt);
    vsnprintf(finding->text, sizeof finding->text, fmt, args);
    va_end(args);
}

void cvg_doctor_remedy(struct cvg_doctor_finding *finding, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(finding->remedy, sizeof finding->remedy, fmt, args);
    va_end(args);
}

int cvg_doctor_report_code(const struct cvg_doctor_report *report)
{
    bool reached = report->worst[CVG_DOCTOR_AGENT] < CVG_DOCTOR_BAD &&
                   report->worst[CVG_DOCTOR_NOTARIES] < CVG_DOCTOR_BAD;

    if (report->code >= 0)
        return report->code;
    for (size_t i = CVG_DOCTOR_NOTARIES + 1; i < CVG_DOCTOR_GROUPS; i++)
        if (report->worst[i] == CVG_DOCTOR_BAD)
            return CVG_EXIT_FAULT;
    if (!reached)
        return CVG_EXIT_UNDECIDED;
    return report->count[CVG_DOCTOR_WARNING] > 0 ? CVG_EXIT_REFUSED : CVG_EXIT_OK;
}
