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
#include "notary/activation.h"
#include "notary/options.h"
#include "notary/privileges.h"
#include "notary/ready.h"
#include "notary/seccomp.h"
#include "notary/server.h"

static int complain(const struct cvg_why *why, enum cvg_error err, int status)
{
    fprintf(stderr, "converge-notaryd: %s\n", why->text[0] != '\0' ? why->text : cvg_strerror(err));
    return status;
}

static enum cvg_error tell_ready(int fd, struct cvg_why *why)
{
    static const char ready[] = "ready\n";
    cvg_activation_notify("READY=1");
    if (fd < 0)
        return CVG_OK;
    if (write(fd, ready, sizeof(ready) - 1) != (ssize_t)sizeof(ready) - 1)
        return cvg_fail(why, CVG_ERR_IO, "--ready-fd %d cannot be written to", fd);
    close(fd);
    return CVG_OK;
}

/* Keys are read and ports are bound first, then privileges go; the store, which others' answers end
 * up in, is opened after that, and whatever can go wrong has done so before anybody is told. */
static enum cvg_error start(const struct cvg_options *options, struct cvg_server **ret_server,
                            struct cvg_why *why)
{
    struct cvg_settings settings;
    struct cvg_server *server = NULL;
    bool serves = options->command == CVG_COMMAND_SERVE;
    enum cvg_error err = cvg_settings_load(options->config, &settings, why);
    if (err == CVG_OK)
        err = cvg_limits_set(&settings, why);
    if (err == CVG_OK)
        err = cvg_server_new(options->config, &settings, &server, why);
    if (err == CVG_OK && serves)
        err = cvg_server_listen(server, options->take_over, why);
    if (err == CVG_OK && serves)
        err = cvg_privileges_drop(&settings, why);
    if (err == CVG_OK && serves)
        err = cvg_server_open_keeper(server, why);
    if (err == CVG_OK && serves)
        cvg_ready_user(server);
    if (err == CVG_OK && serves && settings.seccomp)
        err = cvg_seccomp_install(why);
    if (err == CVG_OK && serves)
        err = cvg_server_succeed(server, why);
    if (err == CVG_OK && serves)
        err = cvg_server_start(server, why);
    if (err != CVG_OK) {
        cvg_server_free(server);
        return err;
    }
    *ret_server = server;
    return CVG_OK;
}

static int serve(const struct cvg_options *options)
{
    static int log_fd = STDERR_FILENO;
    struct cvg_server *server = NULL;
    struct cvg_why why = {.text = ""};
    cvg_log_set_handler(cvg_log_to_fd, options->verbose ? CVG_LOG_DEBUG : CVG_LOG_NOTICE, &log_fd);
    enum cvg_error err = start(options, &server, &why);
    if (err == CVG_OK && options->command == CVG_COMMAND_SERVE) {
        cvg_ready_log(server);
        err = tell_ready(options->ready_fd, &why);
        if (err != CVG_OK)
            cvg_server_drain(server);
        cvg_server_run(server);
    }
    cvg_server_free(server);
    return err == CVG_OK ? EXIT_SUCCESS : complain(&why, err, EXIT_FAILURE);
}

/* The commands that end at once. */
static int change_keys(const struct cvg_options *options)
{
    struct cvg_why why = {.text = ""};
    struct cvg_rotate_told told;
    bool announce = options->command == CVG_COMMAND_NEXT_KEYS;
    enum cvg_error err = announce ? cvg_rotate_announce(&options->rotate, &why)
                                  : cvg_rotate_finish(&options->rotate, &why);
    if (err == CVG_OK)
        err = cvg_rotate_tell(&options->rotate, announce, &told, &why);
    if (err != CVG_OK)
        return complain(&why, err, EXIT_FAILURE);
    if (told.signing[0] != '\0')
        printf("Signing key: %s%s\n", told.signing,
               announce ? "" : " (what users compare from now on)");
    if (told.certificate[0] != '\0')
        printf("Certificate: %s\n", told.certificate);
    return puts(announce ? "The next keys are there and the bundle announces them; reload the "
                           "notary, and give clients time to fetch the bundle before --rotate."
                         : "The next keys are the current ones; reload the notary.") < 0
               ? EXIT_FAILURE
               : EXIT_SUCCESS;
}

/* Where the service unit looks for its notary. */
static bool is_service_place(const char *directory)
{
    static const char place[] = CVG_SYSCONFDIR "-notary";
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/')
        len--;
    return len == sizeof(place) - 1 && memcmp(directory, place, len) == 0;
}

/* Clients are asked to compare the fingerprint, so whoever runs the notary has to know it. */
static int make_notary(const struct cvg_init *init)
{
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];
    struct cvg_why why = {.text = ""};
    enum cvg_error err = cvg_init_write(init, fingerprint, &why);
    if (err != CVG_OK)
        return complain(&why, err, EXIT_FAILURE);
    bool told = printf("Give to your users: %s/%s.notary\n"
                       "and, by another way, its fingerprint:\n"
                       "  %s\n",
                       init->directory, init->name, fingerprint) >= 0;
    if (is_service_place(init->directory))
        told = told && printf("To start it: systemctl enable --now converge-notaryd.socket \\\n"
                              "    converge-notaryd-bounce.socket converge-notaryd-relay.socket "
                              "converge-notaryd.service\n"
                              "(with other ports than 443, 4242 and 80: systemctl edit the sockets "
                              "first)\n") >= 0;
    else
        told = told && printf("To start it: converge-notaryd --config %s/notary.conf\n",
                              init->directory) >= 0;
    return told ? EXIT_SUCCESS : EXIT_FAILURE;
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
        return make_notary(&options.init);
    case CVG_COMMAND_NEXT_KEYS:
    case CVG_COMMAND_ROTATE:
        return change_keys(&options);
    case CVG_COMMAND_SERVE:
    case CVG_COMMAND_CHECK:
        return serve(&options);
    }
    return EXIT_FAILURE;
}
