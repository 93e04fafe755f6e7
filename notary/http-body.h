/* SPDX-License-Identifier: MIT */
/* The body of an HTTP request: where it ends, by length or by chunks, and its octets. Stricter than
 * llhttp, which lets other octets than LF follow a chunk line's CR. Pure. */
#ifndef CVG_NOTARY_HTTP_BODY_H
#define CVG_NOTARY_HTTP_BODY_H

#include "common/base/buffer.h"
#include "notary/http-lines.h"

#define CVG_HTTP_BODY_MAX  8192
#define CVG_HTTP_CHUNK_MAX 8192 /* octets of chunk lines and trailers together */

struct cvg_http_body {
    int state;
    size_t left; /* of the body, or of this chunk */
    size_t digits;
    size_t overhead;
    struct cvg_http_lines trailers;
};

enum cvg_http_body_state {
    CVG_HTTP_BODY_MORE = 0, /* all octets were taken */
    CVG_HTTP_BODY_END,      /* complete; what was not taken is the next request's */
    CVG_HTTP_BODY_BAD,      /* 400 */
    CVG_HTTP_BODY_LARGE     /* 413 */
};

void cvg_http_body_by_length(struct cvg_http_body *body, size_t len);
void cvg_http_body_by_chunks(struct cvg_http_body *body);

/* Takes octets, appends those of the body; ret_taken says how many were taken. */
enum cvg_http_body_state cvg_http_body_feed(struct cvg_http_body *body, const char *data,
                                            size_t len, struct cvg_buffer *ret_data,
                                            size_t *ret_taken);

#endif
