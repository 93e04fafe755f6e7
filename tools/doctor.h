/* SPDX-License-Identifier: MIT */
/* The two halves of `converge doctor`; each returns the exit code. */
#ifndef CVG_TOOLS_DOCTOR_H
#define CVG_TOOLS_DOCTOR_H

#include "tools/installation.h"

int cvg_doctor_machine(const struct cvg_installation *installation);

/* argv: the program and its arguments, NULL-terminated. */
int cvg_doctor_program(const struct cvg_installation *installation, int argc, char **argv);

/* Why a program that is not watched is not, for a person. */
struct cvg_linkage;
const char *cvg_doctor_reason(const struct cvg_linkage *linkage);

#endif
