/* SPDX-License-Identifier: MIT */
/* A report for a person, or for a program. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/agent-command.h"
#include "tools/doctor-report.h"
#include "tools/tools.h"
#include "tools/wrap.h"

#define INDENT     8 /* "  BAD   " */
#define COLUMNS    80
#define LEAST      40
#define MOST       100
#define LINES_MAX  16384
#define WORD_WIDTH 6

/* A terminal's width within reason; a file's readers are given the usual one. */
static size_t columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS;
    return size.ws_col < LEAST ? LEAST : size.ws_col > MOST ? MOST : size.ws_col;
}

static void print_wrapped(const char *text, size_t column, size_t indent)
{
    struct cvg_buffer lines;

    cvg_buffer_init(&lines, LINES_MAX);
    if (cvg_wrap(text, column, indent, columns(), &lines) == CVG_OK && lines.len > 0)
        fwrite(lines.data, 1, lines.len, stdout);
    putchar('\n');
    cvg_buffer_free(&lines);
}

static void print_entry(const json_t *finding, const char *last)
{
    static const enum cvg_paint paints[] = {CVG_PAINT_GOOD, CVG_PAINT_NONE, CVG_PAINT_WARN,
                                            CVG_PAINT_BAD};
    static const char *const words[] = {"good", "note", "warn", "BAD"};
    const char *state = cvg_reply_text(finding, "state"), *about = cvg_reply_text(finding, "about");
    const char *remedy = cvg_reply_text(finding, "do");
    char line[LINES_MAX];
    size_t i = 0;

    while (i < CVG_DOCTOR_BAD &&
           strcmp(state, cvg_doctor_state_word((enum cvg_doctor_state)i)) != 0)
        i++;
    printf("  ");
    cvg_output_word(paints[i], WORD_WIDTH, words[i]);
    snprintf(line, sizeof line, "%s%s%s", about, about[0] != '\0' ? ": " : "",
             cvg_reply_text(finding, "text"));
    print_wrapped(line, INDENT, INDENT);
    if (strcmp(remedy, last) != 0 && remedy[0] != '\0') {
        printf("%*sdo: ", INDENT, "");
        print_wrapped(remedy, INDENT + 4, INDENT + 4);
    }
}

static void print_group(const struct cvg_doctor_report *report, const char *word, bool quiet)
{
    static const char good[] = "good";
    const json_t *entry;
    size_t index;
    const char *last = ""; /* what is to be done is not repeated from line to line */
    bool begun = false;

    json_array_foreach(report->findings, index, entry) {
        if (strcmp(cvg_reply_text(entry, "group"), word) != 0 ||
            (quiet && strcmp(cvg_reply_text(entry, "state"), good) == 0))
            continue;
        if (!begun)
            puts(word);
        begun = true;
        print_entry(entry, last);
        last = cvg_reply_text(entry, "do");
    }
}

static void print_count(size_t count, const char *one, const char *many, bool *begun)
{
    if (count == 0)
        return;
    printf("%s%zu %s", *begun ? ", " : "", count, count == 1 ? one : many);
    *begun = true;
}

static void print_closing(const struct cvg_doctor_report *report)
{
    bool begun = false;

    print_count(report->count[CVG_DOCTOR_BAD], "bad", "bad", &begun);
    print_count(report->count[CVG_DOCTOR_WARNING], "warning", "warnings", &begun);
    print_count(report->count[CVG_DOCTOR_NOTE], "note", "notes", &begun);
    print_count(report->count[CVG_DOCTOR_GOOD], "good", "good", &begun);
    puts(begun ? "." : "Nothing was found.");
}

static json_t *counts(const struct cvg_doctor_report *report)
{
    json_t *object = json_object();

    for (size_t i = 0; i < CVG_DOCTOR_STATES; i++)
        json_object_set_new(object, cvg_doctor_state_word((enum cvg_doctor_state)i),
                            json_integer((json_int_t)report->count[i]));
    return object;
}

int cvg_doctor_report_print(const struct cvg_doctor_report *report, bool quiet)
{
    int code = cvg_doctor_report_code(report);

    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:i, s:o, s:O, s:O*}", "ok", 1, "code", code,
                                         "counts", counts(report), "findings", report->findings,
                                         "programs", report->programs),
                               code);
    for (size_t i = 0; i < CVG_DOCTOR_GROUPS; i++)
        print_group(report, cvg_doctor_group_word((enum cvg_doctor_group)i), quiet);
    print_closing(report);
    return code;
}
