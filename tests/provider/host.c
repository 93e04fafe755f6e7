/* SPDX-License-Identifier: MIT */
/* Options and scenes of the test host, see host.h. */
#include "config.h"

#include "tests/provider/host.h"

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
    {"threads", scene_threads},
    {"interleave", scene_interleave},
    {"gather", scene_gather},
    {"fork", scene_fork},
    {"close-fds", scene_close_fds},
    {"exit", scene_exit},
    {"contexts", scene_contexts},
    {"default-context", scene_default_context},
    {"reload", scene_reload},
    {"unload", scene_unload},
    {"late", scene_late},
    {"second", scene_second},
    {"resume", scene_resume},
    {"pair", scene_pair},
    {"verify", scene_verify},
    {"sockets", scene_sockets},
    {"trickle", scene_trickle},
    {"growth", scene_growth},
    {"no-proc", scene_no_proc},
    {"allocations", scene_allocations},
    {"time", scene_time},
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},    {"param", required_argument, NULL, 'h'},
    {"ip", required_argument, NULL, 'i'},      {"sni", required_argument, NULL, 's'},
    {"ca", required_argument, NULL, 'a'},      {"transport", required_argument, NULL, 't'},
    {"verify-none", no_argument, NULL, 'n'},   {"callback", required_argument, NULL, 'c'},
    {"own", required_argument, NULL, 'o'},     {"preamble", required_argument, NULL, 'r'},
    {"cert", required_argument, NULL, 'e'},    {"count", required_argument, NULL, 'N'},
    {"spread", no_argument, NULL, 'S'},        {"tls12", no_argument, NULL, '2'},
    {"address", required_argument, NULL, 'A'}, {NULL, 0, NULL, 0},
};

static enum transport transport_of(const char *name)
{
    static const char *const names[] = {"fd", "memory", "custom", "connect"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return (enum transport)i;
    exit(2);
}

static void add_port(const char *text)
{
    if (options.ports == HOST_PORTS_MAX)
        exit(2);
    options.port[options.ports++] = (uint16_t)atoi(text);
}

static void set_option(int option, char *text)
{
    switch (option) {
    case 'p':
        add_port(text);
        break;
    case 'h':
        options.param = text;
        break;
    case 'i':
        options.ip = text;
        break;
    case 's':
        options.sni = text;
        break;
    case 'a':
        options.ca = text;
        break;
    case 't':
        options.transport = transport_of(text);
        break;
    case 'n':
        options.verify_none = true;
        break;
    case 'c':
        options.callback = text;
        break;
    case 'o':
        options.own = text;
        break;
    case 'r':
        options.preamble = text;
        break;
    case 'e':
        options.cert = text;
        break;
    case 'N':
        options.count = (unsigned)atoi(text);
        break;
    case 'S':
        options.spread = true;
        break;
    case '2':
        options.tls12 = true;
        break;
    case 'A':
        options.address = text;
        break;
    default:
        exit(2);
    }
}

int main(int argc, char **argv)
{
    int option;

    signal(SIGPIPE, SIG_IGN);
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
