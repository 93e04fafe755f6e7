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

static void put_field(struct cvg_buffer *head, const char *name, const char *value)
{
    cvg_buffer_put_text(head, name);
    cvg_buffer_put_text(head, value);
    cvg_buffer_put_text(head, "\r\n");
}

/* Without printf: this is done for every answer. */
enum cvg_error cvg_http_head(const struct cvg_http_answer *answer, struct cvg_buffer *ret_head)
{
    cvg_buffer_put_text(ret_head, answer->http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
    put_number(ret_head, answer->status);
    cvg_buffer_put_text(ret_head, " ");
    cvg_buffer_put_text(ret_head, cvg_http_phrase(answer->status));
    cvg_buffer_put_text(ret_head, "\r\nServer: converge-notaryd\r\n");
    cvg_buffer_put_text(ret_head, answer->date);
    if (answer->content_type != NULL)
        put_field(ret_head, "Content-Type: ", answer->content_type);
    if (answer->allow != NULL)
        put_field(ret_head, "Allow: ", answer->allow);
    if (answer->retry_after_s > 0) {
        cvg_buffer_put_text(ret_head, "Retry-After: ");
        put_number(ret_head, answer->retry_after_s);
        cvg_buffer_put_text(ret_head, "\r\n");
    }
    cvg_buffer_put_text(ret_head, "Content-Length: ");
    put_number(ret_head, answer->content_len);
    return cvg_buffer_put_text(ret_head, answer->keep_alive ? "\r\nConnection: keep-alive\r\n\r\n"
                                                            : "\r\nConnection: close\r\n\r\n");
}
