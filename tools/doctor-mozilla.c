/* SPDX-License-Identifier: MIT */
/* Firefox, Thunderbird and what is made of them: whether their profiles have our module. */
#include "tools/doctor.h"

void cvg_doctor_mozilla(const struct cvg_application *application, struct cvg_doctor_nss *nss)
{
    cvg_doctor_nss_judge(nss, CVG_COVERAGE_UNKNOWN,
                         "%s reads the NSS database of each of its profiles: say `converge doctor` "
                         "for what is there",
                         application->name);
}
