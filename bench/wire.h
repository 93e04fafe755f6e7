/* SPDX-License-Identifier: MIT */
/* What crossed a TCP connection, by the kernel's own figures. */
#ifndef CVG_BENCH_WIRE_H
#define CVG_BENCH_WIRE_H

#include <stdint.h>

struct wire {
    uint64_t connections, payload_in, payload_out, segments_in, segments_out;
};

/* Adds the connection behind the descriptor to the sums. */
void wire_add(struct wire *wire, int fd);

#endif
