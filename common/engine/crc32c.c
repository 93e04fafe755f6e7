/* SPDX-License-Identifier: MIT */
/* CRC-32C, half an octet at a time: the table stays small and constant. */
#include "common/engine/crc32c.h"

/* Entry i is i shifted out bit by bit through the reflected polynomial 82F63B78. */
static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t cvg_crc32c(const void *data, size_t len)
{
    const uint8_t *octet = data;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        crc ^= octet[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
