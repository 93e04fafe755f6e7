/* SPDX-License-Identifier: MIT */
/* What doctor found of one thing, as text and as JSON. */
#include <stdarg.h>
#include <stdio.h>

#include "tools/doctor.h"
#include "tools/tools.h"

void cvg_doctor_set(struct cvg_doctor_finding *finding, enum cvg_doctor_state state,
                    const char *fmt, ...)
{
    va_list args;

    finding->state = state;
    va_start(args, fmt);
    vsnprintf(finding->text, sizeof finding->text, fmt, args);
    va_end(args);
}

const char *cvg_doctor_state_word(enum cvg_doctor_state state)
{
    static const char *const words[] = {"good", "warning", "bad"};

    return words[state];
}

json_t *cvg_doctor_finding_json(const struct cvg_doctor_finding *finding)
{
    return json_pack("{s:s, s:o}", "state", cvg_doctor_state_word(finding->state), "text",
                     cvg_output_text(finding->text));
}

void cvg_doctor_finding_print(const char *label, const struct cvg_doctor_finding *finding)
{
    static const enum cvg_paint paints[] = {CVG_PAINT_GOOD, CVG_PAINT_WARN, CVG_PAINT_BAD};
    static const char *const words[] = {"good", "note", "BAD"};

    printf("  %-12s ", label);
    cvg_output_word(paints[finding->state], 6, words[finding->state]);
    cvg_output_word(CVG_PAINT_NONE, 0, finding->text);
    putchar('\n');
}
