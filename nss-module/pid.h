/* SPDX-License-Identifier: MIT */
/* The process's id without a system call: NSS searches tokens some fifty times in a handshake, and
 * each call must know whether the process forked. */
#ifndef CVG_NSS_MODULE_PID_H
#define CVG_NSS_MODULE_PID_H

#include <sys/types.h>

/* As getpid(), also in a child that was cloned behind the C library's back. Any thread; errno is
 * kept. */
pid_t cvg_pid(void);

#endif
