/* SPDX-License-Identifier: MIT */
/* The octets of a page (see cache-page.h), for cache-page*.c only. */
#ifndef CVG_ENGINE_CACHE_PAGE_LAYOUT_H
#define CVG_ENGINE_CACHE_PAGE_LAYOUT_H

#include <string.h>

#include "common/engine/cache-page.h"

#define HEAD_LEN    14
#define CRC_FROM    8 /* what the checksum covers begins here */
#define ITEM_VOTER  0x01
#define ITEM_UID    0x02
#define RECORD      0x80
#define RECORD_DEAD 0x40
#define RECORD_443  0x20
#define RECORD_RAW  0x10
#define RECORD_KEY  0x08
#define RECORD_UIDS 0x07
#define UIDS_MAX    RECORD_UIDS
#define SPKI_LEN    CVG_CACHE_SPKI_LEN
#define HASHES_LEN  (CVG_SHA256_LEN + CVG_SHA1_LEN + SPKI_LEN)
#define VOTER_MAX   (CVG_MESSAGE_NAME_MAX - 1)
#define VOTER_HEAD  (2 + CVG_VOTER_IDENTITY_LEN)

static inline uint8_t *cvg_put_u16(uint8_t *at, unsigned value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *cvg_put_u32(uint8_t *at, uint32_t value)
{
    return cvg_put_u16(cvg_put_u16(at, value >> 16), value & 0xffff);
}

static inline uint8_t *cvg_put(uint8_t *at, const void *data, size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

#endif
