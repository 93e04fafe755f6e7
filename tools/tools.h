/* SPDX-License-Identifier: MIT */
/* What the files of the command line share: the table's entry, exit codes, options and output. */
#ifndef CVG_TOOLS_TOOLS_H
#define CVG_TOOLS_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/attr.h"
#include "common/base/endpoint.h"
#include "common/base/error.h"

/* The exit codes of every command; `run` ends with its command's own. */
enum cvg_exit {
    CVG_EXIT_OK = 0,        /* agreed, or done */
    CVG_EXIT_REFUSED = 1,   /* the notaries disagree, PKI refuses, or the answer is no */
    CVG_EXIT_USAGE = 2,     /* the command line is wrong */
    CVG_EXIT_UNDECIDED = 3, /* too few answers, or something cannot be reached */
    CVG_EXIT_FAULT = 4      /* a local fault: configuration, files, memory */
};

struct cvg_command {
    const char *name;
    const char *synopsis; /* one line per form, without "converge " */
    const char *summary;
    const char *help; /* options and exit codes, whole lines */
    int (*run)(const struct cvg_command *command, int argc, char **argv);
};

extern const struct cvg_command cvg_cmd_run, cvg_cmd_check, cvg_cmd_why, cvg_cmd_watch,
    cvg_cmd_log, cvg_cmd_report, cvg_cmd_mode, cvg_cmd_status, cvg_cmd_notary, cvg_cmd_cache, cvg_cmd_enable, cvg_cmd_disable, cvg_cmd_doctor;

/* options.c */
struct cvg_option {
    const char *name;   /* without "--"; NULL ends the list */
    bool *flag;         /* set by an option without a value */
    const char **value; /* set by one with a value */
};
#define CVG_GO_ON (-1)
/* Reads the options of a command; argv[0] is its name. --help and --json are every command's own.
 * Returns CVG_GO_ON with *ret_first at the first operand, or the exit code to end with. With
 * `in_order` the first operand ends the options, as for a command to run. */
int cvg_options_parse(const struct cvg_command *command, int argc, char **argv, bool in_order,
                      const struct cvg_option *options, int *ret_first);

/* A HOST or HOST:PORT of the command line; *ret_any_port: without a port. CVG_GO_ON, or the exit
 * code. */
int cvg_operand_endpoint(const struct cvg_command *command, const char *operand,
                         struct cvg_endpoint *ret_endpoint, bool *ret_any_port);

/* The moment that an option's value names; untouched where text is NULL. CVG_GO_ON, or the exit
 * code. */
int cvg_option_when(const struct cvg_command *command, const char *option, const char *text,
                    int64_t *ret_time_s);

/* output.c */
void cvg_output_begin(const char *command_name);
void cvg_output_set_json(bool json);
bool cvg_output_is_json(void);
/* Says on standard error what went wrong (and on standard output, with --json) and returns code. */
int cvg_output_fail(enum cvg_exit code, const char *fmt, ...) CVG_PRINTF(2, 3);
int cvg_output_usage(const struct cvg_command *command, const char *fmt, ...) CVG_PRINTF(2, 3);
/* A remark on standard error that changes nothing. */
void cvg_output_note(const char *fmt, ...) CVG_PRINTF(1, 2);
void cvg_output_help(const struct cvg_command *command);
/* Keep a member, or an element of a member that is a list, for the object that is printed last;
 * what that has itself stays. The value is released here. */
void cvg_output_add(const char *name, json_t *value);
void cvg_output_append(const char *name, json_t *value);
/* Prints the object and releases it; NULL is out of memory. Returns code, or a fault's. */
int cvg_output_json(json_t *object, int code);
/* A string of JSON, also of what is no UTF-8, such as a path may be: then with "?" in it. */
json_t *cvg_output_text(const char *text);

enum cvg_paint { CVG_PAINT_NONE = 0, CVG_PAINT_GOOD, CVG_PAINT_BAD, CVG_PAINT_WARN, CVG_PAINT_DIM };
/* Whether a person looks, who wants colours. */
bool cvg_output_in_colour(void);
/* Prints a word padded to width, coloured only where a person looks. Control characters become '?':
 * names come from notaries. */
void cvg_output_word(enum cvg_paint paint, int width, const char *word);
/* "  label      text". */
void cvg_output_field(const char *label, const char *fmt, ...) CVG_PRINTF(2, 3);

/* A paragraph; as a field's value, it is broken into lines where a terminal reads it. */
void cvg_output_prose(const char *text);

#endif
