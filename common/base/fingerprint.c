/* SPDX-License-Identifier: MIT */
/* Fingerprints between text and octets; nothing is computed here. */
#include "common/base/fingerprint.h"

#include <stdbool.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The number of octets that text of this length holds, 0 if none fits. */
static size_t octets_of(size_t len, bool *ret_colons)
{
    static const size_t known[] = {CVG_SHA1_LEN, CVG_SHA256_LEN};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (len == 2 * known[i] || len == 3 * known[i] - 1) {
            *ret_colons = len != 2 * known[i];
            return known[i];
        }
    }
    return 0;
}

enum cvg_error cvg_fingerprint_parse(const char *text, size_t len,
                                     struct cvg_fingerprint *ret_fingerprint,
                                     struct cvg_why *ret_why)
{
    struct cvg_fingerprint parsed = {0};
    bool colons = false;
    size_t octets = octets_of(len, &colons);
    size_t step = colons ? 3 : 2;

    if (octets == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                        "fingerprint: %zu characters; a SHA-1 has 40 (59 with colons), "
                        "a SHA-256 64 (95)",
                        len);
    for (size_t i = 0; i < octets; i++) {
        int high = hex_value(text[i * step]);
        int low = hex_value(text[i * step + 1]);

        if (high < 0 || low < 0 || (colons && i > 0 && text[i * step - 1] != ':'))
            return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                            "fingerprint: octet %zu is not two hexadecimal digits%s", i + 1,
                            colons ? " between colons" : "");
        parsed.bytes[i] = (uint8_t)(high * 16 + low);
    }
    parsed.len = (uint8_t)octets;
    *ret_fingerprint = parsed;
    return CVG_OK;
}

char *cvg_fingerprint_format(const uint8_t *bytes, size_t len, char *buf, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    char *p = buf;

    if (size == 0)
        return buf;
    for (size_t i = 0; i < len && 3 * (i + 1) <= size; i++) {
        if (i > 0)
            *p++ = ':';
        *p++ = digits[bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
    }
    *p = '\0';
    return buf;
}
