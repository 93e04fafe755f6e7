/* SPDX-License-Identifier: MIT */
/* The heads of HTTP answers. */
#include "notary/http.h"

const char *cvg_http_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {100, "Continue"},
        {200, "OK"},
        {303, "See Other"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Error";
}

static void put_number(struct cvg_buffer *head, size_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    cvg_buffer_put(head, digits + at, sizeof(digits) - at);
}

/* Without printf: this is done for every answer. */
enum cvg_error cvg_http_head(unsigned status, bool http_1_0, bool keep_alive,
                             const char *content_type, size_t content_len, unsigned retry_after_s,
                             struct cvg_buffer *ret_head)
{
    cvg_buffer_put_text(ret_head, http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
    put_number(ret_head, status);
    cvg_buffer_put_text(ret_head, " ");
    cvg_buffer_put_text(ret_head, cvg_http_phrase(status));
    cvg_buffer_put_text(ret_head, "\r\nServer: converge-notaryd\r\n");
    if (content_type != NULL) {
        cvg_buffer_put_text(ret_head, "Content-Type: ");
        cvg_buffer_put_text(ret_head, content_type);
        cvg_buffer_put_text(ret_head, "\r\n");
    }
    if (status == 405)
        cvg_buffer_put_text(ret_head, "Allow: GET, HEAD, POST\r\n");
    if (retry_after_s > 0) {
        cvg_buffer_put_text(ret_head, "Retry-After: ");
        put_number(ret_head, retry_after_s);
        cvg_buffer_put_text(ret_head, "\r\n");
    }
    cvg_buffer_put_text(ret_head, "Content-Length: ");
    put_number(ret_head, content_len);
    return cvg_buffer_put_text(ret_head, keep_alive ? "\r\nConnection: keep-alive\r\n\r\n"
                                                    : "\r\nConnection: close\r\n\r\n");
}
