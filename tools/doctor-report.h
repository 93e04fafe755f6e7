/* SPDX-License-Identifier: MIT */
/* What doctor found: findings in groups, each with a state, a sentence and what to do about it. */
#ifndef CVG_TOOLS_DOCTOR_REPORT_H
#define CVG_TOOLS_DOCTOR_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

#define CVG_DOCTOR_TEXT_MAX 600
#define CVG_DOCTOR_DO_MAX   400

enum cvg_doctor_state {
    CVG_DOCTOR_GOOD = 0,
    CVG_DOCTOR_NOTE,    /* worth knowing; nothing is weaker for it than was decided */
    CVG_DOCTOR_WARNING, /* something goes unprotected, or could be stronger */
    CVG_DOCTOR_BAD      /* what should protect does not work */
};
#define CVG_DOCTOR_STATES 4

enum cvg_doctor_group {
    CVG_DOCTOR_AGENT = 0,
    CVG_DOCTOR_NOTARIES,
    CVG_DOCTOR_MODULES,
    CVG_DOCTOR_OPENSSL,
    CVG_DOCTOR_NSS,
    CVG_DOCTOR_PROGRAMS,
    CVG_DOCTOR_CONFIGURATION,
    CVG_DOCTOR_HOLES
};
#define CVG_DOCTOR_GROUPS 8

/* One thing by itself, before it is part of a report. */
struct cvg_doctor_finding {
    enum cvg_doctor_state state;
    char text[CVG_DOCTOR_TEXT_MAX];
    char remedy[CVG_DOCTOR_DO_MAX]; /* a command or a setting; "": there is nothing to do */
};

struct cvg_doctor_report {
    int code;         /* the exit code, where it is not by the states; else negative */
    const char *only; /* findings of other groups are left out; NULL: none is */
    json_t *programs; /* for JSON, each program by itself; NULL: not looked at */
    json_t *findings; /* [{"group", "id", "about", "state", "text", "do"}] */
    size_t count[CVG_DOCTOR_STATES];
    enum cvg_doctor_state worst[CVG_DOCTOR_GROUPS];
};

/* only: a group's word, or NULL for all. */
void cvg_doctor_report_init(const char *only, struct cvg_doctor_report *ret_report);
void cvg_doctor_report_free(struct cvg_doctor_report *report);

/* Whether findings of that group are not left out. */
bool cvg_doctor_wants(const struct cvg_doctor_report *report, enum cvg_doctor_group group);

/* id: a word for scripts, unique to the kind of finding. about: which notary, file or program; ""
 * if there is only one of the kind. remedy: NULL or "" for none. */
void cvg_doctor_add(struct cvg_doctor_report *report, enum cvg_doctor_group group, const char *id,
                    const char *about, enum cvg_doctor_state state, const char *remedy,
                    const char *fmt, ...) CVG_PRINTF(7, 8);
void cvg_doctor_add_finding(struct cvg_doctor_report *report, enum cvg_doctor_group group,
                            const char *id, const char *about,
                            const struct cvg_doctor_finding *finding);

/* Without a remedy. */
void cvg_doctor_set(struct cvg_doctor_finding *finding, enum cvg_doctor_state state,
                    const char *fmt, ...) CVG_PRINTF(3, 4);
void cvg_doctor_remedy(struct cvg_doctor_finding *finding, const char *fmt, ...) CVG_PRINTF(2, 3);

/* "good", "note", "warning" or "bad". */
const char *cvg_doctor_state_word(enum cvg_doctor_state state);
const char *cvg_doctor_group_word(enum cvg_doctor_group group);
bool cvg_doctor_group_exists(const char *word);

/* The exit code (doc/commands.md): by the worst state, and for agent and notaries another. */
int cvg_doctor_report_code(const struct cvg_doctor_report *report);
/* Prints the report, as text or JSON; quiet: only what is not good. Returns the exit code. */
int cvg_doctor_report_print(const struct cvg_doctor_report *report, bool quiet);

#endif
