/* SPDX-License-Identifier: MIT */
/* A load generator for notaries, and for whatever answers the same requests (nginx).
 *
 *   notary-load --port N [--mode kept|new|resumed] [--tls 12|13] [--connections N] [--requests N]
 *               [--seconds N] [--rate N] [--names h%.example --count N [--first N]]
 *               [--target PORT] [--targets N] [--v1] [--leaf HEX] [--hold]
 *
 * --hold: opens every connection first, prints "holding" and waits for a line on standard input;
 * the connections stay open until its end. Prints one line of JSON: answers, ok (200), refused
 * (429, 503), failed (no answer), resumed (handshakes), octets, wall_ns, cpu_ns (its own), and
 * latencies in microseconds. */
#include "bench/load.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static _Noreturn void usage(const char *what)
{
    fprintf(stderr, "notary-load: %s; see the head of bench/notary-load.c\n", what);
    exit(2);
}

static enum load_mode mode_of(const char *text)
{
    static const char *const modes[] = {
        [LOAD_KEPT] = "kept", [LOAD_NEW] = "new", [LOAD_RESUMED] = "resumed"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(text, modes[i]) == 0)
            return (enum load_mode)i;
    usage("--mode kept, new or resumed");
}

static void leaf_of(const char *text, uint8_t ret_leaf[static 32])
{
    for (size_t i = 0; i < 32 && text[2 * i] != '\0'; i++)
        if (sscanf(text + 2 * i, "%2hhx", &ret_leaf[i]) != 1)
            usage("--leaf wants hexadecimal octets");
}

static const struct option options[] = {
    {"port", required_argument, NULL, 'p'},     {"mode", required_argument, NULL, 'm'},
    {"tls", required_argument, NULL, 't'},      {"connections", required_argument, NULL, 'c'},
    {"requests", required_argument, NULL, 'n'}, {"seconds", required_argument, NULL, 's'},
    {"rate", required_argument, NULL, 'r'},     {"names", required_argument, NULL, 'N'},
    {"count", required_argument, NULL, 'C'},    {"first", required_argument, NULL, 'f'},
    {"target", required_argument, NULL, 'T'},   {"targets", required_argument, NULL, 'k'},
    {"leaf", required_argument, NULL, 'l'},     {"v1", no_argument, NULL, '1'},
    {"hold", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
};

static void set(struct load_plan *plan, int option)
{
    unsigned long number = optarg == NULL ? 0 : strtoul(optarg, NULL, 10);
    switch (option) {
    case 'p':
        plan->port = (int)number;
        break;
    case 'm':
        plan->mode = mode_of(optarg);
        break;
    case 't':
        plan->tls = (int)number;
        break;
    case 'c':
        plan->connections = (unsigned)number;
        break;
    case 'n':
        plan->requests = number;
        break;
    case 's':
        plan->seconds = (unsigned)number;
        break;
    case 'r':
        plan->rate = (unsigned)number;
        break;
    case 'N':
        plan->names = optarg;
        break;
    case 'C':
        plan->count = (unsigned)number;
        break;
    case 'f':
        plan->first = number;
        break;
    case 'T':
        plan->target = (unsigned)number;
        break;
    case 'k':
        plan->targets = (unsigned)number;
        break;
    case 'l':
        leaf_of(optarg, plan->leaf);
        break;
    case '1':
        plan->v1 = true;
        break;
    case 'h':
        plan->hold = true;
        break;
    default:
        usage("an option that does not exist");
    }
}

static void print(const struct load_result *result, uint64_t wall_ns, uint64_t cpu_ns)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 0.9999999}};
    printf("{\"answers\": %" PRIu64 ", \"ok\": %" PRIu64 ", \"refused\": %" PRIu64
           ", \"failed\": %" PRIu64 ", \"resumed\": %" PRIu64 ", \"octets\": %" PRIu64
           ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64,
           result->answers, result->ok, result->refused, result->failed, result->resumed,
           result->octets, wall_ns, cpu_ns);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        printf(", \"%s_us\": %.1f", shares[i].name,
               (double)load_latency_at(&result->latency, shares[i].share) / 1e3);
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct load_result result;
    struct load_plan plan = {.connections = 1,
                             .names = "site.example",
                             .count = 1,
                             .first = UINT64_MAX,
                             .target = 443,
                             .targets = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        set(&plan, option);
    if (optind != argc || plan.port == 0 || plan.connections == 0 || plan.count == 0 ||
        plan.targets == 0 || plan.targets > 16 || (plan.requests == 0 && plan.seconds == 0))
        usage("--port, and --requests or --seconds, are needed");
    struct load *load = load_new(&plan);
    if (load == NULL) {
        fprintf(stderr, "notary-load: out of memory or descriptors\n");
        return 1;
    }
    if (!plan.hold || load_hold(load)) {
        uint64_t wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        load_run(load, &result);
        print(&result, clock_ns(CLOCK_MONOTONIC) - wall, clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    }
    if (plan.hold) /* what hanging up costs the server is not in its measure: wait to be ended */
        while (getchar() != EOF)
            continue;
    load_free(load);
    return 0;
}
