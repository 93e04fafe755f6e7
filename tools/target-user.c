/* SPDX-License-Identifier: MIT */
/* The steps of enabling and disabling for one user: an openssl.cnf that includes the system's, what
 * tells programs of it, and an agent of the user's where the machine has no notaries. */
#include "tools/target-user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tools/bundle-files.h"
#include "tools/openssl-conf.h"
#include "tools/openssl-try.h"
#include "tools/openssl-where.h"
#include "tools/plain-file.h"
#include "tools/rehearsal.h"
#include "tools/service.h"
#include "tools/standby.h"
#include "tools/user-files.h"

#define TEXT_MAX  65536
#define UNIT_NOTE "# Switched on for it: " CVG_USER_UNIT "\n"
#define MODE_LINE                                                                                  \
    CVG_USER_HEAD "# See converge.conf(5). Nothing is refused yet: `converge report`, then "       \
                  "`converge mode augment`.\nmode = "
#define MONITOR MODE_LINE "monitor\n"

struct user_job {
    const struct cvg_target_options *options;
    struct cvg_installation installation;
    struct cvg_user_places places;
    struct cvg_canary canary;
    bool own;     /* the notaries are the user's own: CONVERGE_CONFIG_DIR names them */
    bool manager; /* the user's systemd is here */
    bool unit;    /* ... and has the agent's socket */
    bool noted;   /* ... which was not on before us: disable switches it off */
    bool changed;
};

static int check_usage(const struct cvg_command *command, const struct cvg_target_options *options)
{
    if (options->file != NULL || options->create || options->profiles || options->firefox ||
        options->thunderbird)
        return cvg_output_usage(command, "--user goes with no other place");
    if (geteuid() == 0)
        return cvg_output_fail(CVG_EXIT_FAULT,
                               "root's programs, and those that root starts for others, read the "
                               "machine's openssl.cnf: converge %s openssl",
                               command->name);
    return CVG_GO_ON;
}

static int check_environment(const struct cvg_user_places *places)
{
    const char *variable = secure_getenv("OPENSSL_CONF");

    if (variable == NULL || strcmp(variable, places->conf) == 0 || access(variable, F_OK) != 0)
        return CVG_GO_ON;
    return cvg_output_fail(CVG_EXIT_FAULT,
                           "OPENSSL_CONF is %s already: converge enable openssl --file %s",
                           variable, variable);
}

static bool has_notaries(const struct cvg_installation *installation)
{
    struct cvg_bundle_files files;
    bool has;

    if (cvg_bundle_files_load(&installation->paths, &files, NULL) != CVG_OK)
        return true;
    has = files.count > 0;
    cvg_bundle_files_free(&files);
    return has;
}

/* Whose notaries: the machine's or the user's that are configured already, else a directory of the
 * user's own, which this process and all programs are told of. */
static int choose_installation(struct user_job *job)
{
    struct cvg_installation *installation = &job->installation;
    struct cvg_why why = {""};
    int code = cvg_installation_load(installation);

    if (code != CVG_GO_ON)
        return code;
    job->own = secure_getenv("CONVERGE_CONFIG_DIR") != NULL &&
               strcmp(secure_getenv("CONVERGE_CONFIG_DIR"), installation->paths.config_dir) == 0;
    if (job->own && !cvg_user_path_is_plain(installation->paths.config_dir))
        return cvg_output_fail(CVG_EXIT_FAULT,
                               "CONVERGE_CONFIG_DIR is %.300s: this name would need quoting, which "
                               "shells, systemd and OpenSSL do in ways of their own",
                               installation->paths.config_dir);
    if (job->own || installation->paths.kind == CVG_AGENT_USER || installation->config.lock ||
        has_notaries(installation))
        return CVG_GO_ON;
    job->own = true;
    if (cvg_rehearsal_is_on() && access(job->places.directory, F_OK) != 0) {
        snprintf(installation->paths.config_dir, sizeof installation->paths.config_dir, "%.511s",
                 job->places.directory);
        return CVG_GO_ON;
    }
    if (cvg_directory_make(job->places.directory, geteuid(), 0700, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    setenv("CONVERGE_CONFIG_DIR", job->places.directory, 1);
    code = cvg_installation_load(installation);
    if (code == CVG_GO_ON && !has_notaries(installation) && !job->options->anyway)
        cvg_output_note("this machine has no notaries; yours come into %s: "
                        "CONVERGE_CONFIG_DIR=%s converge notary add BUNDLE",
                        job->places.directory, job->places.directory);
    return code;
}

static enum cvg_error compose_conf(const struct user_job *job, struct cvg_buffer *ret_text,
                                   struct cvg_why *ret_why)
{
    char system[PATH_MAX];
    const char *module = NULL;
    struct cvg_buffer included, block;
    enum cvg_error err = cvg_module_path(&module, ret_why);

    cvg_openssl_own_conf(system);
    cvg_buffer_init(&included, CVG_OPENSSL_CONF_MAX);
    cvg_buffer_init(&block, CVG_OPENSSL_CONF_MAX);
    if (err == CVG_OK)
        err = cvg_plain_file_read(system, &included, ret_why);
    cvg_buffer_put_text(ret_text, CVG_USER_HEAD);
    if (job->noted)
        cvg_buffer_put_text(ret_text, UNIT_NOTE);
    if (err == CVG_OK) {
        cvg_buffer_put_text(ret_text, ".include ");
        cvg_openssl_put_path(ret_text, system);
        cvg_buffer_put_text(ret_text, "\n");
    }
    err = err == CVG_ERR_NOT_FOUND && module != NULL ? CVG_OK : err;
    if (err == CVG_OK)
        err = cvg_openssl_block(included.data != NULL ? (const char *)included.data : "",
                                included.len, system, module, &block, ret_why);
    if (err == CVG_OK)
        err = cvg_buffer_put(ret_text, block.data, block.len);
    cvg_buffer_free(&included);
    cvg_buffer_free(&block);
    return err;
}

static enum cvg_error put_file(struct user_job *job, const char *path,
                               const struct cvg_buffer *text, struct cvg_why *ret_why)
{
    return cvg_user_file_put(path, text, &job->changed, ret_why);
}

static enum cvg_error put_environment(struct user_job *job, struct cvg_why *ret_why)
{
    const char *directory = job->installation.paths.config_dir;
    struct cvg_buffer text, block;
    enum cvg_error err;

    cvg_buffer_init(&text, TEXT_MAX);
    cvg_buffer_init(&block, TEXT_MAX);
    cvg_buffer_printf(&text, CVG_USER_HEAD "OPENSSL_CONF=\"%s\"\n", job->places.conf);
    cvg_buffer_printf(&block,
                      "if [ -r \"%s\" ]; then\n    OPENSSL_CONF=\"%s\"; export OPENSSL_CONF\n",
                      job->places.conf, job->places.conf);
    if (job->own) {
        cvg_buffer_printf(&text, "CONVERGE_CONFIG_DIR=\"%s\"\n", directory);
        cvg_buffer_printf(&block, "    CONVERGE_CONFIG_DIR=\"%s\"; export CONVERGE_CONFIG_DIR\n",
                          directory);
    }
    cvg_buffer_put_text(&block, "fi\n");
    err = cvg_buffer_error(&text) == CVG_OK ? cvg_buffer_error(&block) : cvg_buffer_error(&text);
    if (err == CVG_OK)
        err = put_file(job, job->places.environment, &text, ret_why);
    if (err == CVG_OK)
        err = cvg_user_profiles_change(&job->places, &block, &job->changed, ret_why);
    cvg_buffer_free(&text);
    cvg_buffer_free(&block);
    return err;
}

/* The user's own directory has its socket below itself, where no unit of the machine's listens. */
static enum cvg_error put_units(struct user_job *job, struct cvg_why *ret_why)
{
    const char *directory = job->installation.paths.config_dir;
    struct cvg_buffer socket, service;
    enum cvg_error err;

    cvg_buffer_init(&socket, TEXT_MAX);
    cvg_buffer_init(&service, TEXT_MAX);
    cvg_buffer_printf(&socket,
                      CVG_USER_HEAD "[Unit]\nDescription=Converge: certificate checks by your "
                                    "notaries, the socket programs ask at\n\n[Socket]\n"
                                    "ListenSequentialPacket=%s/run/agent.sock\nSocketMode=0600\n"
                                    "DirectoryMode=0700\n\n[Install]\nWantedBy=sockets.target\n",
                      directory);
    cvg_buffer_printf(&service,
                      CVG_USER_HEAD "[Unit]\nDescription=Converge: certificate checks by your "
                                    "notaries\nRequires=converge-agent.socket\n\n[Service]\n"
                                    "Environment=\"CONVERGE_CONFIG_DIR=%s\"\n"
                                    "ExecStart=" CVG_LIBEXECDIR "/converge-agent --foreground\n"
                                    "ExecReload=/bin/sh -c 'kill -HUP $$MAINPID'\n",
                      directory);
    err = put_file(job, job->places.service_unit, &service, ret_why);
    if (err == CVG_OK)
        err = put_file(job, job->places.socket_unit, &socket, ret_why);
    cvg_buffer_free(&socket);
    cvg_buffer_free(&service);
    return err;
}

static enum cvg_error switch_on(struct user_job *job, struct cvg_why *ret_why)
{
    enum cvg_error err = job->own ? put_units(job, ret_why) : CVG_OK;

    if (err == CVG_OK && job->own)
        err = cvg_service_reload(CVG_SERVICE_USER, ret_why);
    if (err != CVG_OK || cvg_service_is_enabled(CVG_SERVICE_USER, CVG_USER_UNIT))
        return err;
    if (!cvg_rehearsal_is_on())
        cvg_standby_end_agent(&job->installation);
    return cvg_service_enable(CVG_SERVICE_USER, CVG_USER_UNIT, ret_why);
}

/* A directory of the user's own begins, like the machine's, with watching only. */
static enum cvg_error put_mode(struct user_job *job, struct cvg_why *ret_why)
{
    char path[PATH_MAX];
    struct cvg_buffer text;
    enum cvg_error err;

    snprintf(path, sizeof path, "%s/converge.conf", job->installation.paths.config_dir);
    if (!job->own || access(path, F_OK) == 0)
        return CVG_OK;
    cvg_buffer_init(&text, TEXT_MAX);
    err = cvg_buffer_put_text(&text, MONITOR);
    if (err == CVG_OK)
        err = put_file(job, path, &text, ret_why);
    if (err == CVG_OK)
        job->installation.config.mode = CVG_MODE_MONITOR;
    cvg_buffer_free(&text);
    return err;
}

static int report_enabled(const struct user_job *job)
{
    struct cvg_standby standby = {.installation = &job->installation,
                                  .state = job->options->no_agent ? CVG_STANDBY_LEFT
                                           : job->unit            ? CVG_STANDBY_UNIT
                                                                  : CVG_STANDBY_MANUAL};

    if (cvg_output_is_json()) {
        cvg_standby_report(&standby, "");
        return cvg_output_json(json_pack("{s:b, s:o, s:b, s:b, s:b}", "ok", 1, "file",
                                         cvg_output_text(job->places.conf), "changed", job->changed,
                                         "watching", job->canary.watching, "handshake",
                                         job->canary.obeys),
                               CVG_EXIT_OK);
    }
    printf("%s: %s\n", job->places.conf,
           job->changed ? cvg_rehearsal_word("enabled", "would be enabled") : "enabled already");
    printf("Login shells and what they start: from the next login on (~/.profile).\n"
           "The systemd user session, its services and the desktop: from the next login on "
           "(environment.d).\n"
           "Terminals that are open: not, until you say there: . ~/.profile\n");
    if (job->unit || job->own || job->options->no_agent ||
        job->installation.paths.kind == CVG_AGENT_USER)
        cvg_standby_report(&standby, "converge disable --user");
    else
        printf("Notaries and agent: the machine's (%s), mode %s.\nBack: converge disable --user\n",
               job->installation.paths.config_dir, cvg_mode_name(job->installation.config.mode));
    return CVG_EXIT_OK;
}

/* What cannot be written is met before anything is switched on. */
static enum cvg_error check_places(const struct user_job *job, struct cvg_why *ret_why)
{
    const struct cvg_user_places *places = &job->places;
    const char *const paths[] = {places->conf, places->environment, places->service_unit,
                                 places->socket_unit};
    size_t count = job->unit && job->own ? 4 : 2;
    enum cvg_error err = CVG_OK;

    for (size_t i = 0; err == CVG_OK && i < count; i++)
        err = cvg_user_file_check(paths[i], ret_why);
    return err;
}

static bool is_noted(const struct cvg_user_places *places)
{
    struct cvg_buffer conf;
    bool noted;

    cvg_buffer_init(&conf, TEXT_MAX);
    noted = cvg_user_file_read(places->conf, &conf) &&
            strstr((const char *)conf.data, UNIT_NOTE) != NULL;
    cvg_buffer_free(&conf);
    return noted;
}

/* Programs are told last, when everything they need is there. */
static int write_all(struct user_job *job, const struct cvg_buffer *conf)
{
    struct cvg_why why = {""};
    enum cvg_error err = put_mode(job, &why);
    int code;

    if (err == CVG_OK && job->unit)
        err = switch_on(job, &why);
    if (err == CVG_OK)
        err = put_file(job, job->places.conf, conf, &why);
    if (err == CVG_OK)
        err = put_environment(job, &why);
    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT,
                               "%s (converge disable --user takes back what was done)", why.text);
    code = cvg_target_set_mode(job->options, &job->installation);
    return code == CVG_GO_ON ? report_enabled(job) : code;
}

int cvg_user_enable(const struct cvg_command *command, const struct cvg_target_options *options)
{
    struct user_job job = {.options = options};
    struct cvg_buffer conf;
    struct cvg_why why = {""};
    int code = check_usage(command, options);

    if (code != CVG_GO_ON)
        return code;
    if (cvg_user_places_find(&job.places, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    code = check_environment(&job.places);
    if (code == CVG_GO_ON)
        code = choose_installation(&job);
    if (code == CVG_GO_ON && !(cvg_rehearsal_is_on() && job.own))
        code = cvg_target_check_notaries(options, &job.installation);
    if (code != CVG_GO_ON)
        return code;
    job.manager = cvg_service_here(CVG_SERVICE_USER);
    job.unit = job.manager && !options->no_agent &&
               (job.own || job.installation.paths.kind == CVG_AGENT_USER);
    cvg_buffer_init(&conf, CVG_OPENSSL_CONF_MAX);
    job.noted = job.unit &&
                (is_noted(&job.places) || !cvg_service_is_enabled(CVG_SERVICE_USER, CVG_USER_UNIT));
    if (check_places(&job, &why) != CVG_OK || compose_conf(&job, &conf, &why) != CVG_OK)
        code = cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (code == CVG_GO_ON)
        code = cvg_openssl_try(&conf, &job.canary);
    if (code == CVG_GO_ON)
        code = write_all(&job, &conf);
    cvg_buffer_free(&conf);
    return code;
}

/* Without a manager that runs, what `systemctl enable` made is taken away by hand. */
static enum cvg_error switch_off(const struct cvg_user_places *places, struct cvg_why *ret_why)
{
    char wants[PATH_MAX + 64];

    if (!is_noted(places))
        return CVG_OK;
    if (cvg_service_here(CVG_SERVICE_USER))
        return cvg_service_disable(CVG_SERVICE_USER, CVG_USER_UNIT, ret_why);
    snprintf(wants, sizeof wants, "%.4000s/systemd/user/sockets.target.wants/" CVG_USER_UNIT,
             places->config);
    if (cvg_rehearsal_is_on())
        cvg_rehearsal_step("remove %s", wants);
    else
        unlink(wants);
    return CVG_OK;
}

/* Our own text, whatever `converge mode` made of its last line. */
static bool is_only_mode(const struct cvg_buffer *text)
{
    size_t len = strlen(MODE_LINE);
    const uint8_t *end;

    if (text->len <= len || memcmp(text->data, MODE_LINE, len) != 0)
        return false;
    end = memchr(text->data + len, '\n', text->len - len);
    return end == NULL || end == text->data + text->len - 1;
}

static enum cvg_error remove_settings(const char *path, bool *ret_changed, struct cvg_why *ret_why)
{
    struct cvg_buffer text;
    bool ours;

    cvg_buffer_init(&text, TEXT_MAX);
    ours = cvg_user_file_read(path, &text);
    if (ours && !is_only_mode(&text)) {
        cvg_output_note("%s: kept, for the settings that you made there", path);
        ours = false;
    }
    cvg_buffer_free(&text);
    return ours ? cvg_user_file_remove(path, ret_changed, ret_why) : CVG_OK;
}

static enum cvg_error remove_all(const struct cvg_user_places *places, bool *ret_changed,
                                 struct cvg_why *ret_why)
{
    const char *own = secure_getenv("CONVERGE_CONFIG_DIR");
    char mode[PATH_MAX];
    enum cvg_error err = cvg_user_profiles_change(places, NULL, ret_changed, ret_why);

    snprintf(mode, sizeof mode, "%.4000s/converge.conf", own != NULL ? own : places->directory);
    if (err == CVG_OK)
        err = cvg_user_file_remove(places->environment, ret_changed, ret_why);
    if (err == CVG_OK)
        err = switch_off(places, ret_why);
    if (err == CVG_OK)
        err = cvg_user_file_remove(places->socket_unit, ret_changed, ret_why);
    if (err == CVG_OK)
        err = cvg_user_file_remove(places->service_unit, ret_changed, ret_why);
    if (err == CVG_OK)
        err = remove_settings(mode, ret_changed, ret_why);
    return err == CVG_OK ? cvg_user_file_remove(places->conf, ret_changed, ret_why) : err;
}

int cvg_user_disable(const struct cvg_command *command, const struct cvg_target_options *options)
{
    struct cvg_user_places places;
    struct cvg_why why = {""};
    bool changed = false;
    int code = check_usage(command, options);

    if (code != CVG_GO_ON)
        return code;
    if (cvg_user_places_find(&places, &why) != CVG_OK ||
        remove_all(&places, &changed, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (cvg_output_is_json())
        return cvg_output_json(json_pack("{s:b, s:o, s:b}", "ok", 1, "file",
                                         cvg_output_text(places.conf), "changed", changed),
                               CVG_EXIT_OK);
    printf("%s: %s\n", places.conf,
           changed ? cvg_rehearsal_word("disabled", "would be disabled") : "was not enabled");
    if (changed)
        printf("A terminal that is open and has OPENSSL_CONF set goes on without; or: unset "
               "OPENSSL_CONF CONVERGE_CONFIG_DIR\n");
    return CVG_EXIT_OK;
}
