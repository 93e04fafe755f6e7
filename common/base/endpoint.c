/* SPDX-License-Identifier: MIT */
/* The endpoint normaliser. Decides by the text alone what is an address and what is a name, so that
 * no two parts of the tree, nor the C library's lenient parsers, can disagree about it. */
#include "common/base/endpoint.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Locale and the sign of char must not matter here. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_name_char(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

/* Four decimal numbers of 0..255 without leading zeros, and nothing else. */
static bool parse_ipv4(const char *text, size_t len, uint8_t ret_address[static 4])
{
    size_t pos = 0;

    for (int i = 0; i < 4; i++) {
        size_t start;
        unsigned value = 0;

        if (i > 0 && (pos >= len || text[pos++] != '.'))
            return false;
        start = pos;
        while (pos < len && is_digit(text[pos]) && pos - start < 3)
            value = value * 10 + (unsigned)(text[pos++] - '0');
        if (pos == start || value > 255 || (pos - start > 1 && text[start] == '0'))
            return false;
        ret_address[i] = (uint8_t)value;
    }
    return pos == len;
}

static bool parse_ipv6(const char *text, size_t len, uint8_t ret_address[static 16])
{
    char copy[INET6_ADDRSTRLEN];

    if (len >= sizeof copy || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return inet_pton(AF_INET6, copy, ret_address) == 1;
}

static void format_ipv4(const uint8_t address[static 4], char *buf, size_t size)
{
    snprintf(buf, size, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

/* The first longest run of two or more zero groups; length 0 if there is none. */
static size_t longest_zero_run(const uint16_t group[static 8], size_t *ret_start)
{
    size_t best = 1, run = 0;

    *ret_start = 8;
    for (size_t i = 0; i < 8; i++) {
        run = group[i] == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *ret_start = i + 1 - run;
        }
    }
    return *ret_start == 8 ? 0 : best;
}

/* RFC 5952, in hexadecimal throughout: C libraries differ in when they write a dotted quad. */
static void format_ipv6(const uint8_t address[static 16], char *buf, size_t size)
{
    uint16_t group[8];
    size_t start, run, len = 0;

    for (size_t i = 0; i < 8; i++)
        group[i] = (uint16_t)(address[2 * i] << 8 | address[2 * i + 1]);
    run = longest_zero_run(group, &start);
    buf[0] = '\0';
    for (size_t i = 0; i < 8; i++) {
        if (run > 0 && i == start) {
            len += (size_t)snprintf(buf + len, size - len, "::");
            i += run - 1;
            continue;
        }
        len += (size_t)snprintf(buf + len, size - len, "%s%x",
                                i == 0 || (run > 0 && i == start + run) ? "" : ":", group[i]);
    }
}

static enum cvg_error set_ipv4(const uint8_t address[static 4], struct cvg_endpoint *out)
{
    out->kind = CVG_HOST_IPV4;
    memcpy(out->address, address, 4);
    format_ipv4(address, out->host, sizeof out->host);
    return CVG_OK;
}

static enum cvg_error set_ipv6(const char *host, size_t len, struct cvg_endpoint *out,
                               struct cvg_why *ret_why)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t address[16];

    if (!parse_ipv6(host, len, address))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                        "host: a name has no colon, and this is no IPv6 address: leave out "
                        "scheme, port and zone id");
    if (memcmp(address, mapped, sizeof mapped) == 0)
        return set_ipv4(address + 12, out);
    out->kind = CVG_HOST_IPV6;
    memcpy(out->address, address, 16);
    format_ipv6(address, out->host, sizeof out->host);
    return CVG_OK;
}

static enum cvg_error check_label(const char *host, size_t start, size_t end,
                                  struct cvg_why *ret_why)
{
    if (end == start)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "host: empty label at offset %zu", start);
    if (end - start > LABEL_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE,
                        "host: the label at offset %zu has %zu octets; at most %d are allowed",
                        start, end - start, LABEL_MAX);
    if (host[start] == '-' || host[end - 1] == '-')
        return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                        "host: the label at offset %zu begins or ends with '-'", start);
    return CVG_OK;
}

/* Others would read such a name as an address: 127.1, 0x7f000001, 10.0.0.010. */
static bool label_is_numeric(const char *label, size_t len)
{
    size_t digits = 0;

    if (len >= 2 && label[0] == '0' && lower(label[1]) == 'x')
        return true;
    while (digits < len && is_digit(label[digits]))
        digits++;
    return digits == len;
}

static enum cvg_error set_name(const char *host, size_t len, struct cvg_endpoint *out,
                               struct cvg_why *ret_why)
{
    size_t label = 0;
    enum cvg_error err;

    for (size_t i = 0; i <= len; i++) {
        if (i < len && host[i] != '.' && !is_name_char(host[i]))
            return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                            "host: byte 0x%02x at offset %zu; letters, digits, '-', '_' and '.' "
                            "are allowed",
                            (unsigned char)host[i], i);
        out->host[i] = i < len ? lower(host[i]) : '\0';
        if (i < len && host[i] != '.')
            continue;
        err = check_label(host, label, i, ret_why);
        if (err != CVG_OK)
            return err;
        if (i == len && label_is_numeric(host + label, len - label))
            return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                            "host: the last label is a number, but this is no IPv4 address of four "
                            "decimal octets without leading zeros");
        label = i + 1;
    }
    out->kind = CVG_HOST_NAME;
    return CVG_OK;
}

static enum cvg_error set_host(const char *host, size_t len, struct cvg_endpoint *out,
                               struct cvg_why *ret_why)
{
    uint8_t address[4];

    if (len == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "host: empty");
    if (host[0] == '[')
        return len > 2 && host[len - 1] == ']'
                   ? set_ipv6(host + 1, len - 2, out, ret_why)
                   : cvg_fail(ret_why, CVG_ERR_SYNTAX, "host: '[' without ']' at the end");
    if (memchr(host, ':', len) != NULL)
        return set_ipv6(host, len, out, ret_why);
    if (parse_ipv4(host, len, address))
        return set_ipv4(address, out);
    if (host[len - 1] == '.')
        len--;
    if (len >= CVG_HOST_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "host: %zu octets; at most %d are allowed", len,
                        CVG_HOST_MAX - 1);
    return set_name(host, len, out, ret_why);
}

enum cvg_error cvg_endpoint_set(const char *host, size_t len, unsigned port,
                                struct cvg_endpoint *ret_endpoint, struct cvg_why *ret_why)
{
    struct cvg_endpoint out;
    enum cvg_error err;

    memset(&out, 0, sizeof out);
    if (port < 1 || port > UINT16_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "port: %u; 1 to 65535 are allowed", port);
    err = set_host(host, len, &out, ret_why);
    if (err != CVG_OK)
        return err;
    out.port = (uint16_t)port;
    *ret_endpoint = out;
    return CVG_OK;
}

static bool parse_port(const char *text, unsigned *ret_port)
{
    size_t len = strlen(text);
    unsigned port = 0;

    if (len < 1 || len > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *ret_port = port;
    return true;
}

/* The colon before the port, or NULL: after ']', or the only one. */
static const char *port_colon(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (text[0] == '[')
        return colon != NULL && colon[-1] == ']' ? colon : NULL;
    return colon == strchr(text, ':') ? colon : NULL;
}

enum cvg_error cvg_endpoint_parse(const char *text, unsigned default_port,
                                  struct cvg_endpoint *ret_endpoint, struct cvg_why *ret_why)
{
    const char *colon = port_colon(text);
    unsigned port = default_port;
    size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);

    if (colon != NULL && !parse_port(colon + 1, &port))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                        "port: 1 to 65535 in decimal must follow the colon at offset %zu", len);
    return cvg_endpoint_set(text, len, port, ret_endpoint, ret_why);
}

char *cvg_endpoint_format(const struct cvg_endpoint *endpoint, char *buf, size_t size)
{
    bool ipv6 = endpoint->kind == CVG_HOST_IPV6;

    snprintf(buf, size, "%s%s%s:%u", ipv6 ? "[" : "", endpoint->host, ipv6 ? "]" : "",
             endpoint->port);
    return buf;
}

int cvg_endpoint_cmp(const struct cvg_endpoint *a, const struct cvg_endpoint *b)
{
    int order = strcmp(a->host, b->host);

    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}
