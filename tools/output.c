/* SPDX-License-Identifier: MIT */
/* What people and programs get to read. */
#include "tools/tools.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "tools/terminal.h"
#include "tools/wrap.h"

#define LABEL_WIDTH  12
#define LINE_MAX_LEN 4096
#define HALF_SHA256  48 /* sixteen octets with their colons */

static const char *current = "";
static bool as_json;
static json_t *kept; /* members for the object that is printed last */

void cvg_output_begin(const char *command_name)
{
    current = command_name;
}

void cvg_output_set_json(bool json)
{
    as_json = json;
}

bool cvg_output_is_json(void)
{
    return as_json;
}

CVG_PRINTF(3, 0)
static void format_clean(char *line, size_t size, const char *fmt, va_list args)
{
    if (vsnprintf(line, size, fmt, args) < 0)
        line[0] = '\0';
    cvg_mask_controls(line);
}

static const char *exit_word(enum cvg_exit code)
{
    switch (code) {
    case CVG_EXIT_OK:
        return "ok";
    case CVG_EXIT_REFUSED:
        return "refused";
    case CVG_EXIT_USAGE:
        return "usage";
    case CVG_EXIT_UNDECIDED:
        return "unreachable";
    case CVG_EXIT_FAULT:
        break;
    }
    return "fault";
}

json_t *cvg_output_text(const char *text)
{
    json_t *string = json_string(text);
    char *plain = string == NULL ? strdup(text) : NULL;

    if (plain == NULL)
        return string;
    for (char *at = plain; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    string = json_string(plain);
    free(plain);
    return string;
}

static void print_failure(enum cvg_exit code, const char *line)
{
    json_t *object;

    fprintf(stderr, "converge%s%s: %s\n", current[0] != '\0' ? " " : "", current, line);
    if (!as_json)
        return;
    object = json_pack("{s:b, s:s, s:o}", "ok", 0, "error", exit_word(code), "message",
                       cvg_output_text(line));
    cvg_output_json(object, (int)code);
}

int cvg_output_fail(enum cvg_exit code, const char *fmt, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    format_clean(line, sizeof line, fmt, args);
    va_end(args);
    print_failure(code, line);
    return (int)code;
}

int cvg_output_usage(const struct cvg_command *command, const char *fmt, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    format_clean(line, sizeof line, fmt, args);
    va_end(args);
    print_failure(CVG_EXIT_USAGE, line);
    fprintf(stderr, "Try: converge %s --help\n", command->name);
    return CVG_EXIT_USAGE;
}

void cvg_output_note(const char *fmt, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    format_clean(line, sizeof line, fmt, args);
    va_end(args);
    fprintf(stderr, "converge %s: %s\n", current, line);
}

void cvg_output_help(const struct cvg_command *command)
{
    const char *line = command->synopsis;
    const char *label = "Usage:";

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");

        printf("%-6s converge %.*s\n", label, (int)len, line);
        label = "";
        line += len;
        line += *line == '\n' ? 1 : 0;
    }
    printf("\n%s\n\n%s", command->summary, command->help);
}

void cvg_output_add(const char *name, json_t *value)
{
    if (kept == NULL)
        kept = json_object();
    json_object_set_new(kept, name, value);
}

void cvg_output_append(const char *name, json_t *value)
{
    if (json_object_get(kept, name) == NULL)
        cvg_output_add(name, json_array());
    json_array_append_new(json_object_get(kept, name), value);
}

int cvg_output_json(json_t *object, int code)
{
    int failed;

    if (object != NULL && kept != NULL && json_object_update_missing(object, kept) != 0) {
        json_decref(object);
        object = NULL;
    }
    if (object == NULL) {
        fprintf(stderr, "converge %s: out of memory\n", current);
        return CVG_EXIT_FAULT;
    }
    failed = json_dumpf(object, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;
    json_decref(object);
    return failed ? CVG_EXIT_FAULT : code;
}

bool cvg_output_in_colour(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL && term != NULL &&
           strcmp(term, "dumb") != 0;
}

void cvg_output_word(enum cvg_paint paint, int width, const char *word)
{
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m"};
    char text[LINE_MAX_LEN];

    snprintf(text, sizeof text, "%-*s", width, word);
    cvg_mask_controls(text);
    if (paint != CVG_PAINT_NONE && cvg_output_in_colour())
        printf("%s%s\033[0m", codes[paint], text);
    else
        fputs(text, stdout);
}

/* Broken for a terminal only: what reads a pipe reads lines. */
static void print_wrapped(const char *text, size_t column)
{
    struct cvg_buffer lines;

    cvg_buffer_init(&lines, 2 * LINE_MAX_LEN * (LABEL_WIDTH + 4));
    if (isatty(STDOUT_FILENO) &&
        cvg_wrap(text, column, column, (size_t)cvg_terminal_columns(), &lines) == CVG_OK)
        printf("%.*s\n", (int)lines.len, lines.len > 0 ? (const char *)lines.data : "");
    else
        puts(text);
    cvg_buffer_free(&lines);
}

void cvg_output_prose(const char *text)
{
    print_wrapped(text, 0);
}

void cvg_output_field(const char *label, const char *fmt, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;

    va_start(args, fmt);
    format_clean(line, sizeof line - 1, fmt, args);
    va_end(args);
    printf("  %-*s ", LABEL_WIDTH, label);
    /* A fingerprint has no blank to be broken at. */
    if (isatty(STDOUT_FILENO) && strlen(line) == 2 * HALF_SHA256 - 1 && strchr(line, ' ') == NULL) {
        memmove(line + HALF_SHA256 + 1, line + HALF_SHA256, HALF_SHA256);
        line[HALF_SHA256] = ' ';
    }
    print_wrapped(line, LABEL_WIDTH + 3);
}
