/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, RFC 3720): finds accidents in stored data, not malice. Any thread. */
#ifndef CVG_ENGINE_CRC32C_H
#define CVG_ENGINE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t cvg_crc32c(const void *data, size_t len);

#endif
