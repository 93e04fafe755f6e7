/* SPDX-License-Identifier: MIT */
/* What the parts of `doctor --pid` share: the process, as it was read, and what was seen of it. */
#ifndef CVG_TOOLS_DOCTOR_PID_H
#define CVG_TOOLS_DOCTOR_PID_H

#include <limits.h>

#include "common/base/buffer.h"
#include "tools/doctor-report.h"
#include "tools/installation.h"

/* What a mapped file says of the process's TLS. */
enum cvg_process_library {
    CVG_PROCESS_NONE = 0,
    CVG_PROCESS_OPENSSL3,    /* the system's */
    CVG_PROCESS_OPENSSL_OLD, /* 1.x */
    CVG_PROCESS_OPENSSL_OWN, /* a copy that is not the system's, as a file or inside one */
    CVG_PROCESS_OPENSSL_EXE, /* one inside the program file itself */
    CVG_PROCESS_OWN_TLS,     /* another TLS library inside the program file itself */
    CVG_PROCESS_NSS,
    CVG_PROCESS_OTHER,
    CVG_PROCESS_QUIC,
    CVG_PROCESS_OURS,    /* converge.so */
    CVG_PROCESS_OURS_NSS /* libconverge-nss.so */
};
#define CVG_PROCESS_LIBRARIES 11

struct cvg_doctor_process {
    const char *pid;
    struct cvg_buffer maps, status, stat, environ, auxv;
    bool seen[CVG_PROCESS_LIBRARIES];
    bool unchecked; /* the checks are off for it, though the module may be there */
    bool quic;      /* it talks HTTP/3 just now */
    bool elsewhere; /* what is at the agent's place for it is not what is there for us */
    struct cvg_doctor_report *report;
};

/* Reads /proc/PID/name whole. */
CVG_MUST_USE enum cvg_error cvg_doctor_process_read(const char *pid, const char *name,
                                                    struct cvg_buffer *ret_text,
                                                    struct cvg_why *ret_why);
/* "" for what could not be read. */
const char *cvg_doctor_process_text(const struct cvg_buffer *buffer);
void cvg_doctor_process_tell(const struct cvg_doctor_process *process, const char *id,
                             const char *about, enum cvg_doctor_state state, const char *remedy,
                             const char *text);

/* The program file as the process names it, also where an upgrade has replaced it; "" if that
 * cannot be told. */
void cvg_doctor_process_exe(const char *pid, char ret_path[static PATH_MAX]);

/* doctor-pid-maps.c: the libraries that it has mapped, what is inside its program file, and which
 * of our modules' files it has. */
void cvg_doctor_process_libraries(struct cvg_doctor_process *process);

/* doctor-pid-view.c: whether it sees the same agent as we do, and would believe it: its file
 * system, its namespaces, seccomp and security modules. */
void cvg_doctor_process_view(struct cvg_doctor_process *process, const struct cvg_paths *paths);

#endif
