/* SPDX-License-Identifier: MIT */
/* The lines of an HTTP head. */
#include "notary/http-lines.h"

/* An octet inside the request line, whose words single blanks separate. */
static bool in_first(const struct cvg_http_lines *lines, unsigned char octet)
{
    if (octet == ' ')
        return lines->line_len > 0 && !lines->blank;
    return octet > ' ' && octet != 0x7f;
}

/* An octet inside a field. A line that begins with a blank would be a folded one. */
static bool in_field(const struct cvg_http_lines *lines, unsigned char octet)
{
    if (octet == ' ' || octet == '\t')
        return lines->colon;
    return octet > ' ' && octet != 0x7f && (octet != ':' || lines->line_len > 0);
}

static void add(struct cvg_http_lines *lines, unsigned char octet)
{
    lines->begun = true;
    lines->blank = octet == ' ';
    lines->colon = lines->colon || octet == ':';
    lines->line_len++;
}

/* The end of a line; true: it was the empty one that ends the head. */
static bool end_line(struct cvg_http_lines *lines)
{
    bool end = lines->line_len == 0 && lines->first_done;
    lines->first_done = lines->first_done || lines->line_len > 0;
    lines->line_len = 0;
    lines->cr = lines->blank = lines->colon = false;
    return end;
}

/* How many octets from data on are plain ones: allowed everywhere, and without a meaning. */
static size_t plain_run(const char *data, size_t len)
{
    size_t count = 0;
    for (; count < len; count++) {
        unsigned char octet = (unsigned char)data[count];
        if (octet <= ' ' || octet == 0x7f || octet == ':')
            break;
    }
    return count;
}

static size_t take_plain(struct cvg_http_lines *lines, const char *data, size_t len)
{
    size_t count = lines->cr ? 0 : plain_run(data, len);
    if (count > 0) {
        lines->begun = true;
        lines->blank = false;
        lines->line_len += count;
        lines->len += count;
    }
    return count;
}

enum cvg_http_lines_state cvg_http_lines_scan(struct cvg_http_lines *lines, const char *data,
                                              size_t len, size_t *ret_good)
{
    for (size_t i = take_plain(lines, data, len); i < len;
         i++, i += take_plain(lines, data + i, len - i)) {
        unsigned char octet = (unsigned char)data[i];
        *ret_good = i;
        if (lines->cr != (octet == '\n'))
            return CVG_HTTP_LINES_BAD;
        if (octet == '\r' && lines->first_done && lines->line_len > 0 && !lines->colon)
            return CVG_HTTP_LINES_BAD;
        if (octet == '\r')
            lines->cr = true;
        else if (octet != '\n' &&
                 !(lines->first_done ? in_field(lines, octet) : in_first(lines, octet)))
            return CVG_HTTP_LINES_BAD;
        else if (octet != '\n')
            add(lines, octet);
        lines->len++;
        if (octet == '\n' && end_line(lines)) {
            *ret_good = i + 1;
            return CVG_HTTP_LINES_END;
        }
    }
    *ret_good = len;
    return CVG_HTTP_LINES_MORE;
}
