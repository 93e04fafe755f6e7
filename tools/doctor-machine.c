/* SPDX-License-Identifier: MIT */
/* The machine: which parts there are to look at, and in which order. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/doctor-environment.h"
#include "tools/doctor.h"

static const char *own_variable(const char *name, const void *context CVG_UNUSED)
{
    return getenv(name);
}

static void look_at_environment(const struct cvg_config *config, struct cvg_doctor_report *report)
{
    char system_conf[CVG_PATH_MAX];

    snprintf(system_conf, sizeof system_conf, "%s/openssl.cnf", X509_get_default_cert_area());
    cvg_doctor_environment(config, system_conf, own_variable, NULL, report);
}

/* What hangs on an installation that can be read. */
static void look_at_installation(const struct cvg_installation *installation,
                                 struct cvg_doctor_report *report)
{
    bool votes = cvg_doctor_wants(report, CVG_DOCTOR_CONFIGURATION) ||
                 cvg_doctor_wants(report, CVG_DOCTOR_HOLES);
    bool agent = false;
    size_t notaries = 0;

    if (cvg_doctor_wants(report, CVG_DOCTOR_AGENT) || cvg_doctor_wants(report, CVG_DOCTOR_NOTARIES))
        agent = cvg_doctor_agent(installation, report);
    if (cvg_doctor_wants(report, CVG_DOCTOR_NOTARIES) || votes)
        notaries = cvg_doctor_notaries(installation, agent, report);
    if (cvg_doctor_wants(report, CVG_DOCTOR_MODULES))
        cvg_doctor_modules(&installation->paths, report);
    if (votes) {
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "configuration", "", CVG_DOCTOR_GOOD, NULL,
                       "%s is read and believed", installation->paths.config_dir);
        cvg_doctor_config(&installation->config, notaries, report);
        look_at_environment(&installation->config, report);
    }
}

static void look(struct cvg_doctor_report *report)
{
    struct cvg_installation installation;
    struct cvg_why why = {""};

    if (cvg_config_load(&installation.config, &installation.paths, &why) == CVG_OK)
        look_at_installation(&installation, report);
    else
        cvg_doctor_add(report, CVG_DOCTOR_CONFIGURATION, "configuration", "", CVG_DOCTOR_BAD,
                       "mend what it names; until then programs are refused. converge disable "
                       "openssl works without it",
                       "%s", why.text);
    if (cvg_doctor_wants(report, CVG_DOCTOR_OPENSSL))
        cvg_doctor_openssl(report);
    if (cvg_doctor_wants(report, CVG_DOCTOR_NSS))
        cvg_doctor_nss_machine(report);
    if (cvg_doctor_wants(report, CVG_DOCTOR_PROGRAMS))
        cvg_doctor_known_programs(report);
}

int cvg_doctor_machine(const struct cvg_doctor_options *options)
{
    struct cvg_doctor_report report;
    int code;

    cvg_doctor_report_init(options->only, &report);
    look(&report);
    code = cvg_doctor_report_print(&report, options->quiet);
    cvg_doctor_report_free(&report);
    return code;
}
