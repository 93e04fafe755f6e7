/* SPDX-License-Identifier: MIT */
/* The parts of `converge doctor`, and what they share. */
#ifndef CVG_TOOLS_DOCTOR_H
#define CVG_TOOLS_DOCTOR_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "tools/application.h"
#include "tools/doctor-report.h"
#include "tools/installation.h"
#include "tools/linkage.h"
#include "tools/mozilla-profiles.h"

/* What is left to do where nothing covers a program. */
#define CVG_DOCTOR_ELSEWHERE                                                                       \
    "use a program over OpenSSL 3 or NSS for what matters, or ask first: converge check HOST"

enum cvg_coverage { CVG_COVERED, CVG_NOT_COVERED, CVG_COVERAGE_UNKNOWN };

/* What the machine is asked. */
struct cvg_doctor_options {
    bool quiet;       /* only what is not good */
    const char *only; /* one group's word; NULL: all */
};

/* Of the machine; each of these two returns the exit code. */
int cvg_doctor_machine(const struct cvg_doctor_options *options);
/* doctor-scan.c: of every program of this system; returns the exit code. */
int cvg_doctor_scan(bool quiet);

/* doctor-pid.c: of a running process; returns the exit code. */
int cvg_doctor_pid(const struct cvg_installation *installation, const char *pid);

/* argv: the program and its arguments, NULL-terminated. */
int cvg_doctor_program(const struct cvg_installation *installation, int argc, char **argv);

/* doctor-agent.c: whether an agent answers; tells of it, its cache and its mode. */
bool cvg_doctor_agent(const struct cvg_installation *installation,
                      struct cvg_doctor_report *report);
/* doctor-notaries.c: asks them, if there is an agent, and returns how many are configured. */
size_t cvg_doctor_notaries(const struct cvg_installation *installation, bool agent,
                           struct cvg_doctor_report *report);
/* doctor-openssl.c: whether converge.so works here, and whether openssl.cnf has it. */
void cvg_doctor_modules(const struct cvg_paths *paths, struct cvg_doctor_report *report);
void cvg_doctor_openssl(struct cvg_doctor_report *report);
/* doctor-config.c: what the configuration lets pass, weakens or can never reach. Pure but for a
 * look at public_anchors. notaries: how many are configured. */
void cvg_doctor_config(const struct cvg_config *config, size_t notaries,
                       struct cvg_doctor_report *report);
/* doctor-programs.c: well-known programs that are here, and that nothing can cover. */
void cvg_doctor_known_programs(struct cvg_doctor_report *report);

/* Whether this program is here and cannot be covered, whatever is configured; fills in where it is,
 * and why for a person. */
bool cvg_doctor_is_uncovered(const char *program, char ret_path[static PATH_MAX],
                             char ret_reason[static CVG_DOCTOR_TEXT_MAX]);

/* doctor-database.c: whether our module is in the NSS database of that directory, once, and at work
 * with the NSS in nss_directory ("": the system's). *ret_listed: it is in the list of modules. */
void cvg_doctor_database(const char *nss_directory, const char *database, bool *ret_listed,
                         struct cvg_doctor_finding *ret_finding);

/* doctor-nss.c: whether a program whose TLS looks like NSS's cannot be covered, whatever is
 * configured, and why. */
bool cvg_doctor_nss_never(const struct cvg_linkage *linkage,
                          const struct cvg_application *application,
                          char ret_reason[static CVG_DOCTOR_TEXT_MAX]);

/* One program that uses NSS, or seems to. */
struct cvg_doctor_nss {
    bool never; /* cvg_doctor_nss_never() */
    enum cvg_coverage coverage;
    char reason[CVG_DOCTOR_TEXT_MAX];
    char remedy[CVG_DOCTOR_DO_MAX];
    json_t
        *databases; /* [{"path", "state", "text", "do"}]: those it reads; the caller releases it */
};
/* Whether the program's TLS is NSS's; fills in what that means then. Takes argv, since a database
 * may be named there. */
bool cvg_doctor_nss_program(const struct cvg_installation *installation,
                            const struct cvg_linkage *linkage,
                            const struct cvg_application *application, int argc, char **argv,
                            struct cvg_doctor_nss *ret_nss);

/* doctor-mozilla.c: the same for Firefox, Thunderbird and what is made of them, by the profiles of
 * this user. */
void cvg_doctor_mozilla(const struct cvg_application *application, struct cvg_doctor_nss *nss);

/* One profile, with the NSS of its application; *ret_listed: the module is in its database. */
void cvg_doctor_profile(const struct cvg_mozilla_profile *profile, const char *nss_directory,
                        bool *ret_listed, struct cvg_doctor_finding *ret_finding);
/* What the system says for all users of it; false: nothing of us. */
bool cvg_doctor_all_users(const struct cvg_mozilla_app *app,
                          struct cvg_doctor_finding *ret_finding);
/* All profiles of this user; the caller frees them. */
struct cvg_mozilla_profile *cvg_doctor_profiles(size_t *ret_count);

/* Fills in a judgement, and adds a database to what was looked at. */
void cvg_doctor_nss_judge(struct cvg_doctor_nss *nss, enum cvg_coverage coverage, const char *fmt,
                          ...) CVG_PRINTF(3, 4);
void cvg_doctor_nss_add(struct cvg_doctor_nss *nss, const char *path,
                        const struct cvg_doctor_finding *finding);

/* doctor-nss-machine.c: the NSS databases that this user's programs read, the system's and the
 * profiles of browsers. */
void cvg_doctor_nss_machine(struct cvg_doctor_report *report);

#endif
