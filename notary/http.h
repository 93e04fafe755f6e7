/* SPDX-License-Identifier: MIT */
/* HTTP requests out of octets, by llhttp, within limits; and the heads of answers. Knows nothing of
 * sockets. One request at a time: the next one's octets wait until the caller wants it. */
#ifndef CVG_NOTARY_HTTP_H
#define CVG_NOTARY_HTTP_H

#include <stdbool.h>

#include "notary/http-body.h"

#define CVG_HTTP_PATH_MAX       1024
#define CVG_HTTP_HEAD_MAX       8192 /* octets of a whole head, request line included */
#define CVG_HTTP_ALTERNATES_MAX 4
#define CVG_HTTP_ALTERNATE_MAX  264

enum cvg_http_method {
    CVG_HTTP_OTHER = 0,
    CVG_HTTP_GET,
    CVG_HTTP_HEAD,
    CVG_HTTP_POST,
    CVG_HTTP_CONNECT
};

struct cvg_http_request {
    enum cvg_http_method method;
    const char *path; /* percent-encoded, with its query string, without scheme and authority */
    size_t path_len;
    const uint8_t *body;
    size_t body_len;
    bool http_1_0;
    bool keep_alive;
    char alternate[CVG_HTTP_ALTERNATES_MAX][CVG_HTTP_ALTERNATE_MAX]; /* X-Convergence-Notary */
    size_t alternate_count;
};

enum cvg_http_state {
    CVG_HTTP_MORE = 0, /* all octets were taken; the request is not complete */
    CVG_HTTP_COMPLETE, /* cvg_http_request() has it; what was not taken is the next one's */
    CVG_HTTP_BAD       /* answer cvg_http_problem() and hang up */
};

struct cvg_http;

CVG_MUST_USE enum cvg_error cvg_http_new(struct cvg_http **ret_http);
void cvg_http_free(struct cvg_http *http);

/* Takes octets; ret_taken says how many. */
enum cvg_http_state cvg_http_feed(struct cvg_http *http, const void *data, size_t len,
                                  size_t *ret_taken);
/* The complete request; valid until cvg_http_next. */
const struct cvg_http_request *cvg_http_request(const struct cvg_http *http);
/* The status to answer with: 400, 405, 413, 414, 417, 431, 501 or 505. */
unsigned cvg_http_problem(const struct cvg_http *http);
/* Whether some octets of a request have come. */
bool cvg_http_begun(const struct cvg_http *http);
/* Whether the client waits for "100 Continue" before it sends the body; true once. */
bool cvg_http_expects(struct cvg_http *http);
/* Goes on to the next request, also after a bad one, of another client. */
void cvg_http_next(struct cvg_http *http);

#define CVG_HTTP_METHODS "GET, HEAD, POST" /* that any of a notary's resources takes */

struct cvg_http_answer {
    unsigned status;
    bool http_1_0;
    bool keep_alive;
    const char *content_type; /* may be NULL if content_len is 0 */
    size_t content_len;
    unsigned retry_after_s; /* when to come again, for 429 and 503; 0: nothing is said of it */
    const char *allow; /* of a 405: the methods that the resource takes; NULL: nothing is said */
    const char *date;  /* cvg_http_date()'s line */
};

/* Appends the head of an answer. */
CVG_MUST_USE enum cvg_error cvg_http_head(const struct cvg_http_answer *answer,
                                          struct cvg_buffer *ret_head);

/* A text of one line for a status; static. */
const char *cvg_http_phrase(unsigned status);

#endif
