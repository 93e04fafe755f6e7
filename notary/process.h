/* SPDX-License-Identifier: MIT */
/* What the kernel says of this process. Any thread. */
#ifndef CVG_NOTARY_PROCESS_H
#define CVG_NOTARY_PROCESS_H

#include <stdint.h>

/* Negative: the kernel does not tell, for example where /proc is hidden. */
struct cvg_process {
    double cpu_s; /* of all threads, user and system */
    int64_t resident_octets;
    int64_t descriptors;
    int64_t descriptors_max;
};

void cvg_process_read(struct cvg_process *ret_process);

#endif
