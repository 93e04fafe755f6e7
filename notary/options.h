/* SPDX-License-Identifier: MIT */
/* The command line of converge-notaryd. */
#ifndef CVG_NOTARY_OPTIONS_H
#define CVG_NOTARY_OPTIONS_H

#include <stdbool.h>

#include "notary/init.h"
#include "notary/rotate.h"

enum cvg_command {
    CVG_COMMAND_SERVE = 1,
    CVG_COMMAND_CHECK,
    CVG_COMMAND_INIT,
    CVG_COMMAND_NEXT_KEYS,
    CVG_COMMAND_ROTATE,
    CVG_COMMAND_HELP,
    CVG_COMMAND_VERSION
};

struct cvg_options {
    enum cvg_command command;
    const char *config;       /* --config FILE */
    int ready_fd;             /* --ready-fd N; -1: none */
    bool verbose;             /* --verbose */
    bool take_over;           /* --take-over */
    struct cvg_init init;     /* --init DIR and what belongs to it */
    struct cvg_rotate rotate; /* --next-keys DIR, --rotate DIR and what belongs to them */
};

extern const char cvg_options_help[];

/* ret_why tells what is wrong and what is allowed. The texts point into argv. */
CVG_MUST_USE enum cvg_error
cvg_options_parse(int argc, char **argv, struct cvg_options *ret_options, struct cvg_why *ret_why);

#endif
