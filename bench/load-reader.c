/* SPDX-License-Identifier: MIT */
/* Answers out of octets: enough of HTTP to know the status and where an answer ends. */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void load_reader_begin(struct load_reader *reader)
{
    reader->head_len = 0;
    reader->in_body = false;
    reader->left = 0;
    reader->status = 0;
}

/* The head is complete: its status and the body's length. */
static bool parse_head(struct load_reader *reader)
{
    char *line = strstr(reader->head, "\r\n");
    unsigned minor = 0;
    bool counted = false;
    if (sscanf(reader->head, "HTTP/1.%1u %3u", &minor, &reader->status) != 2)
        return false;
    while (line != NULL && line[2] != '\r') {
        static const char field[] = "\r\nContent-Length:";
        if (strncasecmp(line, field, sizeof(field) - 1) == 0) {
            reader->left = strtoull(line + sizeof(field) - 1, NULL, 10);
            counted = true;
        }
        line = strstr(line + 2, "\r\n");
    }
    return counted;
}

enum load_read load_reader_feed(struct load_reader *reader, const char *octets, size_t len)
{
    size_t taken = 0;
    while (!reader->in_body && taken < len) {
        if (reader->head_len + 1 == sizeof(reader->head))
            return LOAD_READ_BAD;
        reader->head[reader->head_len++] = octets[taken++];
        if (reader->head_len < 4 || memcmp(reader->head + reader->head_len - 4, "\r\n\r\n", 4) != 0)
            continue;
        reader->head[reader->head_len] = '\0';
        if (!parse_head(reader))
            return LOAD_READ_BAD;
        reader->in_body = true;
    }
    if (len - taken > reader->left)
        return LOAD_READ_BAD;
    reader->left -= len - taken;
    return reader->in_body && reader->left == 0 ? LOAD_READ_DONE : LOAD_READ_MORE;
}
