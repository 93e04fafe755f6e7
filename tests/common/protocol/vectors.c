/* SPDX-License-Identifier: MIT */
/* Finds a fenced block by its name. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/common/protocol/vectors.h"

static FILE *block_open(const char *document, const char *kind, const char *name)
{
    const char *top = getenv("top_srcdir");
    char path[4096], fence[128], line[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/doc/%s", top ? top : ".", document);
    snprintf(fence, sizeof fence, "```%s %s\n", kind, name);
    file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    while (file && fgets(line, sizeof line, file))
        if (strcmp(line, fence) == 0)
            return file;
    fail_msg("%s has no block %s", path, fence);
    return NULL;
}

static int is_end(const char *line)
{
    return strncmp(line, "```", 3) == 0;
}

static void hex_add(const char *line, struct vector *vector)
{
    unsigned octet;

    for (; *line != '\0' && *line != '#'; line++) {
        if (isspace((unsigned char)*line))
            continue;
        if (sscanf(line, "%2x", &octet) != 1 || vector->len == sizeof vector->octets)
            fail_msg("bad hex: %s", line);
        vector->octets[vector->len++] = (uint8_t)octet;
        line++;
    }
}

void vector_hex(const char *name, struct vector *ret_vector)
{
    FILE *file = block_open("protocol.md", "hex", name);
    char line[4096];

    ret_vector->len = 0;
    while (fgets(line, sizeof line, file) && !is_end(line))
        hex_add(line, ret_vector);
    fclose(file);
}

void vector_text(const char *document, const char *kind, const char *name,
                 struct vector *ret_vector)
{
    FILE *file = block_open(document, kind, name);
    char line[4096];
    size_t len = 0;

    while (fgets(line, sizeof line, file) && !is_end(line)) {
        size_t n = strlen(line);

        assert_true(len + n < sizeof ret_vector->octets);
        memcpy(ret_vector->octets + len, line, n);
        len += n;
    }
    fclose(file);
    assert_true(len > 0);
    ret_vector->len = len - 1;
    ret_vector->octets[ret_vector->len] = '\0';
}
