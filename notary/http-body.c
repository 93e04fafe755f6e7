/* SPDX-License-Identifier: MIT */
/* The body of an HTTP request. */
#include "notary/http-body.h"

#include <string.h>

enum { LENGTH = 0, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILERS, DONE };

void cvg_http_body_by_length(struct cvg_http_body *body, size_t len)
{
    *body = (struct cvg_http_body){.state = len > 0 ? LENGTH : DONE, .left = len};
}

void cvg_http_body_by_chunks(struct cvg_http_body *body)
{
    *body = (struct cvg_http_body){.state = SIZE, .trailers = {.first_done = true}};
}

static int digit_of(char octet)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = octet == '\0' ? NULL : strchr(digits, octet);
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

static enum cvg_http_body_state take_size(struct cvg_http_body *body, char octet)
{
    int digit = digit_of(octet);
    if (digit >= 0) {
        body->digits++;
        body->left = body->left * 16 + (size_t)digit;
        return body->left > CVG_HTTP_BODY_MAX ? CVG_HTTP_BODY_LARGE : CVG_HTTP_BODY_MORE;
    }
    if (body->digits == 0 || (octet != ';' && octet != '\r'))
        return CVG_HTTP_BODY_BAD;
    body->state = octet == ';' ? EXTENSION : SIZE_LF;
    return CVG_HTTP_BODY_MORE;
}

static enum cvg_http_body_state take_extension(struct cvg_http_body *body, char octet)
{
    if (octet == '\r')
        body->state = SIZE_LF;
    else if (((unsigned char)octet < ' ' && octet != '\t') || octet == 0x7f)
        return CVG_HTTP_BODY_BAD;
    return CVG_HTTP_BODY_MORE;
}

/* The one octet that must come in this state. */
static enum cvg_http_body_state take_end(struct cvg_http_body *body, char octet)
{
    if (octet != (body->state == DATA_CR ? '\r' : '\n'))
        return CVG_HTTP_BODY_BAD;
    if (body->state == SIZE_LF)
        body->state = body->left > 0 ? DATA : TRAILERS;
    else if (body->state == DATA_CR)
        body->state = DATA_LF;
    else
        body->state = SIZE;
    body->digits = 0;
    return CVG_HTTP_BODY_MORE;
}

static enum cvg_http_body_state take_octet(struct cvg_http_body *body, char octet)
{
    if (++body->overhead > CVG_HTTP_CHUNK_MAX)
        return CVG_HTTP_BODY_LARGE;
    if (body->state == SIZE)
        return take_size(body, octet);
    return body->state == EXTENSION ? take_extension(body, octet) : take_end(body, octet);
}

static enum cvg_http_body_state take_data(struct cvg_http_body *body, const char *data, size_t len,
                                          struct cvg_buffer *ret_data, size_t *ret_taken)
{
    *ret_taken = len < body->left ? len : body->left;
    if (cvg_buffer_put(ret_data, data, *ret_taken) != CVG_OK)
        return CVG_HTTP_BODY_LARGE;
    body->left -= *ret_taken;
    if (body->left > 0)
        return CVG_HTTP_BODY_MORE;
    if (body->state == LENGTH)
        return CVG_HTTP_BODY_END;
    body->state = DATA_CR;
    return CVG_HTTP_BODY_MORE;
}

/* What stands in them is of no interest: nothing that matters may come so late. */
static enum cvg_http_body_state take_trailers(struct cvg_http_body *body, const char *data,
                                              size_t len, size_t *ret_taken)
{
    enum cvg_http_lines_state state = cvg_http_lines_scan(&body->trailers, data, len, ret_taken);
    if (body->overhead + body->trailers.len > CVG_HTTP_CHUNK_MAX)
        return CVG_HTTP_BODY_LARGE;
    return state == CVG_HTTP_LINES_MORE  ? CVG_HTTP_BODY_MORE
           : state == CVG_HTTP_LINES_END ? CVG_HTTP_BODY_END
                                         : CVG_HTTP_BODY_BAD;
}

enum cvg_http_body_state cvg_http_body_feed(struct cvg_http_body *body, const char *data,
                                            size_t len, struct cvg_buffer *ret_data,
                                            size_t *ret_taken)
{
    enum cvg_http_body_state state = body->state == DONE ? CVG_HTTP_BODY_END : CVG_HTTP_BODY_MORE;
    size_t at = 0;
    while (state == CVG_HTTP_BODY_MORE && at < len) {
        size_t taken = 1;
        if (body->state == LENGTH || body->state == DATA)
            state = take_data(body, data + at, len - at, ret_data, &taken);
        else if (body->state == TRAILERS)
            state = take_trailers(body, data + at, len - at, &taken);
        else
            state = take_octet(body, data[at]);
        at += taken;
    }
    *ret_taken = at;
    return state;
}
