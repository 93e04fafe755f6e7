/* SPDX-License-Identifier: MIT */
/* converge-notaryd: the order in which a notary starts. */
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "config.h"
#include "notary/identity-check.h"
#include "notary/listener.h"
#include "notary/options.h"
#include "notary/privileges.h"
#include "notary/worker.h"

static int complain(const struct cvg_why *why, enum cvg_error err, int status)
{
    fprintf(stderr, "converge-notaryd: %s\n", why->text[0] != '\0' ? why->text : cvg_strerror(err));
    return status;
}

/* SIGHUP: reads everything again; on any error all stays as it is. Keys that the process, no longer
 * root, cannot read any more are kept. */
static const char *config_path;

static void reload(struct cvg_worker *worker)
{
    struct cvg_settings settings;
    struct cvg_identity *identity = NULL;
    struct cvg_why why = {.text = ""};
    enum cvg_error err = cvg_settings_load(config_path, &settings, &why);
    bool keys = err == CVG_OK && access(settings.tls_key, R_OK) == 0 &&
                access(settings.signing_key, R_OK) == 0;
    if (err == CVG_OK)
        err = cvg_identity_load(&settings, keys, &identity, &why);
    if (err == CVG_OK && keys)
        cvg_identity_warn(identity, cvg_clock_wall_s(worker->clock));
    else if (err == CVG_OK)
        err = cvg_identity_check_kept(worker->identity, identity, &why);
    if (err == CVG_OK) {
        err = cvg_worker_replace(worker, &settings, identity, &why);
    }
    if (err != CVG_OK)
        cvg_identity_free(identity);
    if (err != CVG_OK)
        cvg_log(CVG_LOG_ERROR, "not reloaded: %s", why.text[0] ? why.text : cvg_strerror(err));
    else
        cvg_log(CVG_LOG_NOTICE, "reloaded %s%s", config_path,
                keys ? "" : "; the keys are not readable any more and stay");
}

/* Binds the ports and gives them to the worker. */
static enum cvg_error listen_at(struct cvg_worker *worker, struct cvg_why *why)
{
    struct cvg_sockets sockets;
    enum cvg_error err = cvg_sockets_open(&worker->settings, 1, &sockets, why);
    if (err != CVG_OK)
        return err;
    for (size_t i = 0; err == CVG_OK && i < sockets.count; i++) {
        err = cvg_listener_add(worker, &sockets.socket[i]);
        if (err == CVG_OK)
            sockets.socket[i].fd = -1;
    }
    cvg_sockets_close(&sockets);
    return err;
}

static enum cvg_error tell_ready(int fd, struct cvg_why *why)
{
    static const char ready[] = "ready\n";
    if (fd < 0)
        return CVG_OK;
    if (write(fd, ready, sizeof(ready) - 1) != (ssize_t)sizeof(ready) - 1)
        return cvg_fail(why, CVG_ERR_IO, "--ready-fd %d cannot be written to", fd);
    close(fd);
    return CVG_OK;
}

/* Keys are read and ports are bound first, then privileges go; the database, which others' answers
 * end up in, is opened after that. */
static enum cvg_error start(const struct cvg_options *options, struct cvg_worker **ret_worker,
                            struct cvg_why *why)
{
    struct cvg_settings settings;
    struct cvg_identity *identity = NULL;
    struct cvg_worker *worker = NULL;
    enum cvg_error err = cvg_settings_load(options->config, &settings, why);
    if (err == CVG_OK)
        err = cvg_identity_load(&settings, true, &identity, why);
    if (err == CVG_OK) {
        cvg_identity_warn(identity, cvg_clock_wall_s(cvg_clock_system()));
        err = cvg_limits_set(&settings, why);
    }
    if (err == CVG_OK) {
        err = cvg_worker_new(&settings, identity, &worker, why);
        if (err != CVG_OK)
            cvg_identity_free(identity);
    }
    if (err == CVG_OK && options->command == CVG_COMMAND_SERVE)
        err = listen_at(worker, why);
    if (err == CVG_OK && options->command == CVG_COMMAND_SERVE)
        err = cvg_privileges_drop(&settings, why);
    if (err == CVG_OK && options->command == CVG_COMMAND_SERVE)
        err = cvg_worker_open_store(worker, why);
    if (err != CVG_OK) {
        cvg_worker_free(worker);
        return err;
    }
    *ret_worker = worker;
    return CVG_OK;
}

static int serve(const struct cvg_options *options)
{
    static int log_fd = STDERR_FILENO;
    struct cvg_worker *worker = NULL;
    struct cvg_why why = {.text = ""};
    cvg_log_set_handler(cvg_log_to_fd, options->verbose ? CVG_LOG_DEBUG : CVG_LOG_NOTICE, &log_fd);
    enum cvg_error err = start(options, &worker, &why);
    if (err == CVG_OK && options->command == CVG_COMMAND_SERVE) {
        config_path = options->config;
        worker->reload = reload;
        err = tell_ready(options->ready_fd, &why);
        if (err == CVG_OK)
            cvg_worker_run(worker);
    }
    cvg_worker_free(worker);
    return err == CVG_OK ? EXIT_SUCCESS : complain(&why, err, EXIT_FAILURE);
}

/* The commands that end at once. */
static int change_keys(const struct cvg_options *options)
{
    struct cvg_why why = {.text = ""};
    bool announce = options->command == CVG_COMMAND_NEXT_KEYS;
    enum cvg_error err = announce ? cvg_rotate_announce(&options->rotate, &why)
                                  : cvg_rotate_finish(&options->rotate, &why);
    if (err != CVG_OK)
        return complain(&why, err, EXIT_FAILURE);
    return puts(announce ? "The next keys are there and the bundle announces them; reload the "
                           "notary, and give clients time to fetch the bundle before --rotate."
                         : "The next keys are the current ones; reload the notary.") < 0
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct cvg_options options;
    struct cvg_why why = {.text = ""};
    /* Before anything else touches OpenSSL: no configuration, so no provider of ours or others'. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return EXIT_FAILURE;
    enum cvg_error err = cvg_options_parse(argc, argv, &options, &why);
    if (err != CVG_OK)
        return complain(&why, err, 2);
    switch (options.command) {
    case CVG_COMMAND_HELP:
        return fputs(cvg_options_help, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    case CVG_COMMAND_VERSION:
        return puts("converge-notaryd " VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    case CVG_COMMAND_INIT:
        err = cvg_init_write(&options.init, &why);
        return err == CVG_OK ? EXIT_SUCCESS : complain(&why, err, EXIT_FAILURE);
    case CVG_COMMAND_NEXT_KEYS:
    case CVG_COMMAND_ROTATE:
        return change_keys(&options);
    case CVG_COMMAND_SERVE:
    case CVG_COMMAND_CHECK:
        return serve(&options);
    }
    return EXIT_FAILURE;
}
