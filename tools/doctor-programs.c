/* SPDX-License-Identifier: MIT */
/* The programs of this machine, and whose TLS can be watched. */
#include <limits.h>
#include <stdio.h>

#include "tools/doctor.h"

/* Whether those that read an NSS database are covered is told with the databases. */
void cvg_doctor_known_programs(struct cvg_doctor_report *report)
{
    static const char *const names[] = {
        "git",  "wget", "apt",   "lftp",     "mutt",          "cargo", "rustup", "go",
        "java", "erl",  "emacs", "chromium", "google-chrome", "finch", "pidgin", "firefox"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX], reason[CVG_DOCTOR_TEXT_MAX];

        if (cvg_doctor_is_uncovered(names[i], path, reason))
            cvg_doctor_add(report, CVG_DOCTOR_PROGRAMS, "not-covered", names[i], CVG_DOCTOR_NOTE,
                           CVG_DOCTOR_ELSEWHERE, "not covered: %s", reason);
    }
}
