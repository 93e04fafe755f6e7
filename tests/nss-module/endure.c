/* SPDX-License-Identifier: MIT */
/* Options and scenes, see endure.h. */
#include "config.h"

#include "tests/nss-module/endure.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {.count = 1, .host = "site.example"};

static const struct {
    const char *name;
    int (*run)(void);
} scenes[] = {
    {"connect", scene_connect},
    {"growth", scene_growth},
    {"many", scene_many},
    {"memory", scene_memory},
    {"threads", scene_threads},
    {"fork", scene_fork},
    {"children", scene_children},
    {"spawn", scene_spawn},
    {"restart", scene_restart},
    {"contexts", scene_contexts},
    {"stop-alive", scene_stop_alive},
    {"delete", scene_delete},
    {"pause", scene_pause},
    {"exit", scene_exit},
    {"close-sockets", scene_close_sockets},
    {"close-all", scene_close_all},
    {"no-descriptors", scene_no_descriptors},
    {"signals", scene_signals},
    {"cancel", scene_cancel},
    {"other-user", scene_other_user},
    {"chroot", scene_chroot},
    {"no-proc", scene_no_proc},
    {"closed-standard", scene_closed_standard},
};

static const struct option long_options[] = {
    {"database", required_argument, NULL, 'd'},
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'N'},
    {"stack", required_argument, NULL, 's'},
    {"nonblocking", no_argument, NULL, 'n'},
    {"resume", no_argument, NULL, 'r'},
    {"tls12", no_argument, NULL, '2'},
    {NULL, 0, NULL, 0},
};

static void set_option(int option, const char *text)
{
    switch (option) {
    case 'd':
        options.database = text;
        break;
    case 'h':
        options.host = text;
        break;
    case 'p':
        options.port = (uint16_t)atoi(text);
        break;
    case 'N':
        options.count = (unsigned)atoi(text);
        break;
    case 's':
        options.stack_kib = (unsigned)atoi(text);
        break;
    case 'n':
        options.nonblocking = true;
        break;
    case 'r':
        options.resume = true;
        break;
    case '2':
        options.tls12 = true;
        break;
    default:
        exit(2);
    }
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        set_option(option, optarg);
    if (argc - optind != 1 || !options.database)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
        if (strcmp(scenes[i].name, argv[optind]) == 0)
            return scenes[i].run();
    fprintf(stderr, "%s: no such scene\n", argv[optind]);
    return 2;
}
