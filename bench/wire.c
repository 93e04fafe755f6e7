/* SPDX-License-Identifier: MIT */
/* TCP_INFO, read with the kernel's own header: libc's lacks the octet counters, and the two
 * headers do not go together in one file. */
#include "bench/wire.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

void wire_add(struct wire *wire, int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    memset(&info, 0, sizeof info);
    wire->connections++;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return;
    wire->payload_in += info.tcpi_bytes_received;
    wire->payload_out += info.tcpi_bytes_sent;
    wire->segments_in += info.tcpi_segs_in;
    wire->segments_out += info.tcpi_segs_out;
}
