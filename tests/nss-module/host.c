/* SPDX-License-Identifier: MIT */
/* Options and scenes of the test host, see host.h. */
#include "config.h"

#include "tests/nss-module/host.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {.address = "127.0.0.1", .count = 1};

static const struct {
    const char *name;
    int (*run)(void);
} scenes[] = {
    {"connect", scene_connect},
    {"loop", scene_loop},
    {"threads", scene_threads},
    {"serve", scene_serve},
    {"hook-before", scene_hook_before},
    {"hook-after", scene_hook_after},
    {"bury", scene_bury},
    {"restart", scene_restart},
    {"errors", scene_errors},
    {"listen", scene_listen},
    {"fork", scene_fork},
    {"renegotiate", scene_renegotiate},
    {"copy", scene_copy},
    {"ways", scene_ways},
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},   {"module", required_argument, NULL, 'm'},
    {"db", required_argument, NULL, 'd'},     {"cert", required_argument, NULL, 'e'},
    {"name", required_argument, NULL, 'h'},   {"address", required_argument, NULL, 'A'},
    {"before", required_argument, NULL, 'b'}, {"count", required_argument, NULL, 'N'},
    {"nonblocking", no_argument, NULL, 'n'},  {"tls12", no_argument, NULL, '2'},
    {"import", no_argument, NULL, 'i'},       {"overrule", no_argument, NULL, 'o'},
    {"step", no_argument, NULL, 's'},         {NULL, 0, NULL, 0},
};

static void add_target(const char *port)
{
    if (options.targets == HOST_TARGETS_MAX)
        exit(2);
    options.target[options.targets++] = (struct target){(uint16_t)atoi(port), options.name};
}

static bool *flag_of(int option)
{
    switch (option) {
    case 'n':
        return &options.nonblocking;
    case '2':
        return &options.tls12;
    case 'i':
        return &options.import;
    case 'o':
        return &options.overrule;
    case 's':
        return &options.step;
    default:
        return NULL;
    }
}

static const char **text_of(int option)
{
    switch (option) {
    case 'm':
        return &options.module;
    case 'd':
        return &options.db;
    case 'e':
        return &options.cert;
    case 'h':
        return &options.name;
    case 'A':
        return &options.address;
    case 'b':
        return &options.before;
    default:
        exit(2);
    }
}

static void set_option(int option, const char *text)
{
    bool *flag = flag_of(option);

    if (flag)
        *flag = true;
    else if (option == 'p')
        add_target(text);
    else if (option == 'N')
        options.count = (unsigned)atoi(text);
    else
        *text_of(option) = text;
}

int main(int argc, char **argv)
{
    int option;

    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        set_option(option, optarg);
    if (argc - optind != 1)
        return 2;
    for (unsigned i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
        if (strcmp(scenes[i].name, argv[optind]) == 0)
            return scenes[i].run();
    fprintf(stderr, "%s: no such scene\n", argv[optind]);
    return 2;
}
