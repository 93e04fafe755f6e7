/* SPDX-License-Identifier: MIT */
/* What an environment takes from the programs that have it: this one's, or that of a process. */
#include "tools/doctor-environment.h"

#include <stdio.h>
#include <string.h>

#define ANYTHING NULL

/* Each is looked at by itself; where it has the value, that follows. */
static const struct hole {
    const char *name, *value; /* NULL: any but the empty one */
    enum cvg_doctor_state state;
    const char *text;
} holes[] = {
    {"CONVERGE_CONFIG_DIR", ANYTHING, CVG_DOCTOR_NOTE,
     "an installation of its own counts there, with other notaries, another agent and another "
     "cache"},
    {"SSL_CERT_FILE", ANYTHING, CVG_DOCTOR_NOTE,
     "OpenSSL believes the authorities of that file; sites of those that public_anchors does not "
     "have are not asked about"},
    {"SSL_CERT_DIR", ANYTHING, CVG_DOCTOR_NOTE,
     "OpenSSL believes the authorities of that directory; sites of those that public_anchors does "
     "not have are not asked about"},
    {"NODE_TLS_REJECT_UNAUTHORIZED", "0", CVG_DOCTOR_WARNING,
     "node goes on whatever a check says, also ours"},
    {"PYTHONHTTPSVERIFY", "0", CVG_DOCTOR_WARNING, "python goes on whatever a check says"},
};

static void tell(struct cvg_doctor_report *report, const char *name, const char *value,
                 enum cvg_doctor_state state, const char *text)
{
    char remedy[64];

    snprintf(remedy, sizeof remedy, "unset %s", name);
    cvg_doctor_add(report, CVG_DOCTOR_HOLES, "environment", name, state, remedy, "%.200s: %s",
                   value, text);
}

void cvg_doctor_environment(const struct cvg_config *config, const char *system_conf,
                            cvg_environment_fn *get, const void *context,
                            struct cvg_doctor_report *report)
{
    const char *value = get("CONVERGE", context);

    if (value != NULL && strcmp(value, "off") == 0)
        tell(report, "CONVERGE", value, config->allow_off ? CVG_DOCTOR_WARNING : CVG_DOCTOR_NOTE,
             config->allow_off ? "programs with this environment are not checked"
                               : "it changes nothing here: allow_off = no");
    value = get("OPENSSL_CONF", context);
    if (value != NULL && strcmp(value, system_conf) != 0)
        tell(report, "OPENSSL_CONF", value, CVG_DOCTOR_NOTE,
             "OpenSSL reads that file, not the system's");
    for (size_t i = 0; i < sizeof holes / sizeof holes[0]; i++) {
        value = get(holes[i].name, context);
        if (value != NULL && value[0] != '\0' &&
            (holes[i].value == NULL || strcmp(holes[i].value, value) == 0))
            tell(report, holes[i].name, value, holes[i].state, holes[i].text);
    }
}
