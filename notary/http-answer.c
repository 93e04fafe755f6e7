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

enum cvg_error cvg_http_head(unsigned status, bool http_1_0, bool keep_alive,
                             const char *content_type, size_t content_len, unsigned retry_after_s,
                             struct cvg_buffer *ret_head)
{
    cvg_buffer_printf(ret_head, "HTTP/1.%d %u %s\r\nServer: converge-notaryd\r\n", http_1_0 ? 0 : 1,
                      status, cvg_http_phrase(status));
    if (content_type != NULL)
        cvg_buffer_printf(ret_head, "Content-Type: %s\r\n", content_type);
    if (status == 405)
        cvg_buffer_put_text(ret_head, "Allow: GET, HEAD, POST\r\n");
    if (retry_after_s > 0)
        cvg_buffer_printf(ret_head, "Retry-After: %u\r\n", retry_after_s);
    return cvg_buffer_printf(ret_head, "Content-Length: %zu\r\nConnection: %s\r\n\r\n", content_len,
                             keep_alive ? "keep-alive" : "close");
}
