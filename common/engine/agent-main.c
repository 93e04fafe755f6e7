/* SPDX-License-Identifier: MIT */
/* converge-agent: asks notaries on behalf of this machine's or this user's programs. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/agent-process.h"
#include "common/engine/agent.h"
#include "common/engine/notary-client.h"

#define AWAIT_MS 6000 /* for another agent that is only beginning, or about to end */

struct options {
    bool foreground;
    int ready_fd;
};

struct start {
    int socket_fd; /* from the service manager, or -1 */
    int lock_fd;
    int report; /* to the waiting parent, or -1 */
    struct cvg_verdict_log *log;
    struct cvg_agent *agent;
};

static void usage(FILE *to)
{
    fputs("Usage: converge-agent [OPTION]...\n"
          "Ask notaries on behalf of programs; everything else is in converge.conf.\n"
          "\n"
          "      --foreground   stay in the foreground\n"
          "      --ready-fd N   write \"ready\" and a newline to descriptor N when listening\n"
          "      --help         show this help and exit\n"
          "      --version      show the version and exit\n",
          to);
}

static int parse_descriptor(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    return *text != '\0' && *end == '\0' && value >= 0 && value < 65536 ? (int)value : -1;
}

/* Fills in the options, or exits. */
static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"foreground", no_argument, NULL, 'f'},
        {"ready-fd", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.ready_fd = -1};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'f') {
            options.foreground = true;
        } else if (option == 'r' && (options.ready_fd = parse_descriptor(optarg)) >= 0) {
            continue;
        } else if (option == 'h') {
            usage(stdout);
            exit(EXIT_SUCCESS);
        } else if (option == 'v') {
            puts("converge-agent " PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        } else {
            usage(stderr);
            exit(2);
        }
    }
    if (optind == argc)
        return options;
    usage(stderr);
    exit(2);
}

static void say_ready(const struct options *options)
{
    if (options->ready_fd < 0)
        return;
    if (write(options->ready_fd, "ready\n", 6) != 6)
        cvg_log(CVG_LOG_WARNING, "nobody reads --ready-fd");
    close(options->ready_fd);
}

/* The log is opened with the starter's rights, everything else is done with the agent's. */
static enum cvg_error open_log(struct start *start, const struct cvg_electorate *electorate,
                               struct cvg_why *ret_why)
{
    enum cvg_error err =
        cvg_verdict_log_new(electorate->config.log, cvg_clock_system(), &start->log, ret_why);

    if (err == CVG_OK) {
        openlog("converge-agent", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
        cvg_log_set_handler(cvg_verdict_log_line, CVG_LOG_INFO, start->log);
    }
    return err;
}

static enum cvg_error take_place(struct start *start, struct cvg_agent_setup *setup,
                                 struct cvg_why *ret_why)
{
    enum cvg_error err = cvg_process_lock(&setup->paths, AWAIT_MS, &start->lock_fd, ret_why);

    if (err != CVG_OK)
        return err;
    setup->activated = start->socket_fd >= 0;
    setup->listen_fd = start->socket_fd;
    if (setup->activated)
        return CVG_OK;
    return cvg_process_listen(&setup->paths, &setup->listen_fd, ret_why);
}

static enum cvg_error begin(struct start *start, struct cvg_paths *ret_paths,
                            struct cvg_why *ret_why)
{
    struct cvg_agent_setup setup = {.listen_fd = -1};
    enum cvg_error err = cvg_electorate_load(&setup.paths, &setup.electorate, ret_why);

    if (err != CVG_OK)
        return err;
    *ret_paths = setup.paths;
    err = open_log(start, setup.electorate, ret_why);
    if (err == CVG_OK)
        err = cvg_process_make_directories(&setup.paths, ret_why);
    if (err == CVG_OK)
        err = cvg_process_drop(&setup.paths, ret_why);
    if (err == CVG_OK)
        err = take_place(start, &setup, ret_why);
    if (err != CVG_OK) {
        cvg_electorate_unref(setup.electorate);
        return err;
    }
    setup.log = start->log;
    return cvg_agent_new(&setup, &start->agent, ret_why);
}

static int serve(struct start *start, const struct options *options)
{
    struct cvg_paths paths;
    struct cvg_why why = {""};
    enum cvg_error err = begin(start, &paths, &why);

    /* Another agent that listens is as good as this one. */
    if (err == CVG_ERR_EXISTS)
        err = CVG_OK;
    if (err == CVG_OK)
        say_ready(options);
    else if (start->report < 0)
        fprintf(stderr, "converge-agent: %s\n", why.text);
    if (start->report >= 0)
        cvg_process_report(start->report, err == CVG_OK ? NULL : why.text);
    if (start->agent != NULL) {
        cvg_log(CVG_LOG_NOTICE, "converge-agent " PACKAGE_VERSION " is listening in %s",
                paths.runtime_dir);
        if (!options->foreground)
            cvg_process_close_stdio();
        cvg_agent_run(start->agent);
        cvg_agent_free(start->agent);
    }
    cvg_log_set_handler(NULL, CVG_LOG_ERROR, NULL);
    cvg_verdict_log_free(start->log);
    return err == CVG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct start start = {.socket_fd = -1, .lock_fd = -1, .report = -1};
    struct cvg_why why = {""};
    enum cvg_error err = cvg_process_activated_socket(&start.socket_fd, &why);

    if (err == CVG_ERR_NOT_FOUND)
        err = CVG_OK;
    cvg_process_close_others(start.socket_fd, options.ready_fd);
    if (err == CVG_OK)
        err = cvg_process_clean_environment();
    if (err == CVG_OK)
        err = cvg_process_harden(&why);
    if (err == CVG_OK && !options.foreground)
        err = cvg_process_detach(&start.report, &why);
    if (err == CVG_OK)
        err = cvg_notary_client_init();
    if (err != CVG_OK) {
        fprintf(stderr, "converge-agent: %s\n", why.text[0] != '\0' ? why.text : cvg_strerror(err));
        return EXIT_FAILURE;
    }
    return serve(&start, &options);
}
