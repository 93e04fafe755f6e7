/* SPDX-License-Identifier: MIT */
/* What an environment's variables take from the protection of whoever has them. */
#ifndef CVG_TOOLS_DOCTOR_ENVIRONMENT_H
#define CVG_TOOLS_DOCTOR_ENVIRONMENT_H

#include "common/base/config.h"
#include "tools/doctor-report.h"

/* A variable's value, or NULL. */
typedef const char *cvg_environment_fn(const char *name, const void *context);

/* system_conf: the openssl.cnf that is read where nothing names another. Pure but for get. */
void cvg_doctor_environment(const struct cvg_config *config, const char *system_conf,
                            cvg_environment_fn *get, const void *context,
                            struct cvg_doctor_report *report);

#endif
