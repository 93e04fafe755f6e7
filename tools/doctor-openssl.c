/* SPDX-License-Identifier: MIT */
/* The OpenSSL module: whether it works here at all, and where it is switched on. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/canary.h"
#include "tools/conf-file.h"
#include "tools/doctor.h"
#include "tools/openssl-conf.h"
#include "tools/program-conf.h"

static void tell_good(const struct cvg_canary *canary, struct cvg_doctor_report *report)
{
    cvg_doctor_add(report, CVG_DOCTOR_MODULES, "module", "converge.so", CVG_DOCTOR_GOOD, NULL,
                   "%s (%s)",
                   canary->obeys ? "a canary handshake was watched, refused and accepted as told"
                                 : "loaded and watching; lock = yes leaves no room for more",
                   OpenSSL_version(OPENSSL_VERSION));
}

static void look_at_module(const struct cvg_paths *paths, struct cvg_doctor_report *report)
{
    static const char remedy[] =
        "install it again (make install, or apt install --reinstall converge-openssl); built "
        "elsewhere: CONVERGE_MODULE names it";
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};
    char conf[CVG_PATH_MAX];
    enum cvg_error err = cvg_program_conf(paths, conf, &why);

    if (err == CVG_OK)
        err = cvg_canary_run(conf, &canary, &why);
    if (err == CVG_OK && cvg_canary_good(&canary))
        tell_good(&canary, report);
    else
        cvg_doctor_add(report, CVG_DOCTOR_MODULES, "module", "converge.so", CVG_DOCTOR_BAD, remedy,
                       "%s (%s)", err == CVG_OK ? canary.text : why.text,
                       OpenSSL_version(OPENSSL_VERSION));
}

/* The plug-in takes OpenSSL's own functions by name: those of a new major version are unknown. */
static void look_at_version(struct cvg_doctor_report *report)
{
    if (OPENSSL_version_major() != 3)
        cvg_doctor_add(report, CVG_DOCTOR_MODULES, "openssl-version", "", CVG_DOCTOR_WARNING,
                       "look for a newer Converge", "%s: only OpenSSL 3 is supported",
                       OpenSSL_version(OPENSSL_VERSION));
}

/* A module that does not load is ignored silently by most programs: the worst case. */
static bool has_our_lines(const char *conf)
{
    struct cvg_conf_file file;
    bool had;

    if (conf[0] == '\0' || cvg_conf_file_read(conf, &file, NULL) != CVG_OK)
        return false;
    had = file.had_lines;
    cvg_conf_file_free(&file);
    return had;
}

static void judge_system(const char *conf, struct cvg_doctor_finding *finding)
{
    struct cvg_canary canary = {.loaded = false};
    struct cvg_why why = {""};

    if (cvg_canary_run(conf, &canary, &why) != CVG_OK) {
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "%s", why.text);
        cvg_doctor_remedy(finding, "openssl version -d; openssl list -providers");
    } else if (cvg_canary_good(&canary)) {
        cvg_doctor_set(finding, CVG_DOCTOR_GOOD, "enabled in %s", conf);
    } else if (canary.loaded || has_our_lines(conf)) {
        cvg_doctor_set(finding, CVG_DOCTOR_BAD, "enabled in %s, but: %s", conf, canary.text);
        cvg_doctor_remedy(finding, "sudo converge disable openssl, then: sudo converge enable "
                                   "openssl");
    } else {
        cvg_doctor_set(finding, CVG_DOCTOR_WARNING,
                       "not enabled in %s: only `converge run` protects",
                       conf[0] != '\0' ? conf : "any file (OPENSSL_CONF is empty)");
        cvg_doctor_remedy(finding, "sudo converge enable openssl");
    }
}

void cvg_doctor_modules(const struct cvg_paths *paths, struct cvg_doctor_report *report)
{
    look_at_module(paths, report);
    look_at_version(report);
}

void cvg_doctor_openssl(struct cvg_doctor_report *report)
{
    struct cvg_doctor_finding finding = {.state = CVG_DOCTOR_BAD};
    char *conf = cvg_openssl_conf_in_use();

    if (conf == NULL)
        cvg_doctor_set(&finding, CVG_DOCTOR_BAD, "out of memory");
    else
        judge_system(conf, &finding);
    cvg_doctor_add_finding(report, CVG_DOCTOR_OPENSSL, "openssl.cnf", "", &finding);
    free(conf);
}
