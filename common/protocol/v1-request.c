/* SPDX-License-Identifier: MIT */
/* Version 1's request: a path that names the target and a form with one fingerprint, as clients
 * write them and notaries read them. */
#include "common/protocol/v1.h"

#include <stdbool.h>
#include <string.h>

static const char path_start[] = "/target/";
static const char field_name[] = "fingerprint";

enum cvg_error cvg_v1_request_write(const struct cvg_endpoint *target,
                                    const uint8_t sha1[static CVG_SHA1_LEN],
                                    struct cvg_buffer *ret_path, struct cvg_buffer *ret_body)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];

    cvg_fingerprint_format(sha1, CVG_SHA1_LEN, text, sizeof text);
    cvg_buffer_printf(ret_path, "%s%s+%u", path_start, target->host, (unsigned)target->port);
    cvg_buffer_printf(ret_body, "%s=%s", field_name, text);
    if (cvg_buffer_error(ret_path) != CVG_OK)
        return cvg_buffer_error(ret_path);
    return cvg_buffer_error(ret_body);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Takes off percent-encoding into at most size octets. '+' stays: in a path it is itself, and no
 * value of ours holds a space. Once only, so that %252e stays text that no host has. */
static enum cvg_error percent_decode(const char *text, size_t len, char *ret_octets, size_t size,
                                     size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        int octet = (unsigned char)text[i];

        if (n == size)
            return CVG_ERR_RANGE;
        if (text[i] == '%') {
            int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return CVG_ERR_SYNTAX;
            octet = high << 4 | low;
            i += 2;
        }
        ret_octets[n++] = (char)octet;
    }
    *ret_len = n;
    return CVG_OK;
}

static enum cvg_error port_parse(const char *text, size_t len, unsigned *ret_port,
                                 struct cvg_why *ret_why)
{
    unsigned port = 0;

    if (len == 0 || len > 5 || text[0] == '0')
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the port is not a number within 1..65535");
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the port is not a number within 1..65535");
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port > 65535)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "port %u is not within 1..65535", port);
    *ret_port = port;
    return CVG_OK;
}

static size_t last_plus(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] != '+')
        len--;
    return len;
}

enum cvg_error cvg_v1_path_parse(const char *path, size_t len, struct cvg_endpoint *ret_target,
                                 struct cvg_why *ret_why)
{
    char target[CVG_HOST_MAX + 8]; /* a host, perhaps a dot or brackets, '+', a port */
    size_t start_len = sizeof path_start - 1, target_len = 0, port_at;
    unsigned port = 0;
    enum cvg_error err;

    if (len < start_len || memcmp(path, path_start, start_len) != 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the path does not begin with %s", path_start);
    err = percent_decode(path + start_len, len - start_len, target, sizeof target, &target_len);
    if (err != CVG_OK)
        return cvg_fail(ret_why, err, "the target is too long or wrongly percent-encoded");
    port_at = last_plus(target, target_len);
    if (port_at == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the target has no +port");
    err = port_parse(target + port_at, target_len - port_at, &port, ret_why);
    if (err != CVG_OK)
        return err;
    return cvg_endpoint_set(target, port_at - 1, port, ret_target, ret_why);
}

static enum cvg_error fingerprint_read(const char *value, size_t len,
                                       struct cvg_fingerprint *ret_fingerprint,
                                       struct cvg_why *ret_why)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];
    size_t text_len = 0;
    enum cvg_error err = percent_decode(value, len, text, sizeof text, &text_len);

    if (err != CVG_OK)
        return cvg_fail(ret_why, err, "the fingerprint is too long or wrongly percent-encoded");
    err = cvg_fingerprint_parse(text, text_len, ret_fingerprint, ret_why);
    if (err == CVG_OK && ret_fingerprint->len != CVG_SHA1_LEN)
        err = cvg_fail(ret_why, CVG_ERR_SYNTAX, "the fingerprint is not a SHA-1");
    return err;
}

enum cvg_error cvg_v1_body_parse(const char *body, size_t len,
                                 uint8_t ret_sha1[static CVG_SHA1_LEN], struct cvg_why *ret_why)
{
    struct cvg_fingerprint fingerprint = {.len = 0};
    size_t name_len = sizeof field_name - 1;
    const char *end = body + len;

    if (len > CVG_V1_BODY_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a form of %zu octets, at most %d are allowed", len,
                        CVG_V1_BODY_MAX);
    for (const char *field = body; field < end;) {
        const char *amp = memchr(field, '&', (size_t)(end - field));
        const char *field_end = amp ? amp : end;
        size_t field_len = (size_t)(field_end - field);

        if (field_len > name_len && memcmp(field, field_name, name_len) == 0 &&
            field[name_len] == '=') {
            enum cvg_error err;

            if (fingerprint.len > 0)
                return cvg_fail(ret_why, CVG_ERR_SYNTAX, "two fingerprints in one form");
            err = fingerprint_read(field + name_len + 1, field_len - name_len - 1, &fingerprint,
                                   ret_why);
            if (err != CVG_OK)
                return err;
        }
        field = amp ? amp + 1 : end;
    }
    if (fingerprint.len == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the form has no fingerprint");
    memcpy(ret_sha1, fingerprint.bytes, CVG_SHA1_LEN);
    return CVG_OK;
}
