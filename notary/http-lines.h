/* SPDX-License-Identifier: MIT */
/* The lines of an HTTP head, octet by octet, more strictly than llhttp takes them: where two
 * parsers may disagree about where a line or a request ends, there is no request. Pure. */
#ifndef CVG_NOTARY_HTTP_LINES_H
#define CVG_NOTARY_HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct cvg_http_lines {
    bool begun;      /* a line that is not empty has begun */
    bool first_done; /* the request line is complete */
    bool cr;         /* the last octet was CR */
    bool blank;      /* ... a blank */
    bool colon;      /* the line has one */
    size_t line_len;
    size_t len; /* octets so far */
};

enum cvg_http_lines_state {
    CVG_HTTP_LINES_MORE = 0,
    CVG_HTTP_LINES_END, /* the empty line has come */
    CVG_HTTP_LINES_BAD  /* bare CR or LF, a control character, a folded line */
};

/* Looks at octets; ret_good says how many belong to the head and are good. */
enum cvg_http_lines_state cvg_http_lines_scan(struct cvg_http_lines *lines, const char *data,
                                              size_t len, size_t *ret_good);

#endif
