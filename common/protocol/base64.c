/* SPDX-License-Identifier: MIT */
/* Base64, strictly: libcrypto's decoder takes white space and several spellings of the same octets,
 * which has no place in what decides about trust. */
#include "common/protocol/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum cvg_error cvg_base64_put(struct cvg_buffer *buffer, const void *data, size_t len)
{
    const uint8_t *octets = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)octets[i] << 16;
        char text[4];

        if (n > 1)
            group |= (uint32_t)octets[i + 1] << 8;
        if (n > 2)
            group |= octets[i + 2];
        text[0] = alphabet[group >> 18];
        text[1] = alphabet[group >> 12 & 63];
        text[2] = n > 1 ? alphabet[group >> 6 & 63] : '=';
        text[3] = n > 2 ? alphabet[group & 63] : '=';
        cvg_buffer_put(buffer, text, sizeof text);
    }
    return cvg_buffer_error(buffer);
}

static int digit(char c)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);

    return at ? (int)(at - alphabet) : -1;
}

/* One group of four characters, of which the last `pad` are '='. The bits that the padding leaves
 * over must be zero, or one signature would have many texts. */
static bool group_parse(const char *text, size_t pad, uint32_t *ret_group)
{
    uint32_t group = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - pad ? digit(text[i]) : text[i] == '=' ? 0 : -1;

        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
    }
    *ret_group = group;
    return (group & ((1U << (8 * pad)) - 1)) == 0;
}

static size_t padding(const char *text, size_t len, size_t at)
{
    if (at + 4 < len || text[at + 3] != '=')
        return 0;
    return text[at + 2] == '=' ? 2 : 1;
}

enum cvg_error cvg_base64_parse(const char *text, size_t len, struct cvg_buffer *ret_buffer)
{
    uint32_t group;

    if (len % 4 != 0)
        return CVG_ERR_SYNTAX;
    for (size_t i = 0; i < len; i += 4)
        if (!group_parse(text + i, padding(text, len, i), &group))
            return CVG_ERR_SYNTAX;
    for (size_t i = 0; i < len; i += 4) {
        size_t pad = padding(text, len, i);
        uint8_t octets[3];

        if (!group_parse(text + i, pad, &group))
            return CVG_ERR_SYNTAX;
        octets[0] = (uint8_t)(group >> 16);
        octets[1] = (uint8_t)(group >> 8);
        octets[2] = (uint8_t)group;
        cvg_buffer_put(ret_buffer, octets, sizeof octets - pad);
    }
    return cvg_buffer_error(ret_buffer);
}
