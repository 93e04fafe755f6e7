/* SPDX-License-Identifier: MIT */
/* Parses texts of /proc. */
#include "tools/proc-text.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELETED    " (deleted)"
#define START_TIME 22 /* the field's number in stat (proc(5)) */

/* The line from *offset on, without its newline; moves *offset behind it. */
static bool next_line(const char *text, size_t len, size_t *offset, const char **ret_line,
                      size_t *ret_len)
{
    const char *end;

    if (*offset >= len)
        return false;
    *ret_line = text + *offset;
    end = memchr(*ret_line, '\n', len - *offset);
    *ret_len = end != NULL ? (size_t)(end - *ret_line) : len - *offset;
    *offset += *ret_len + (end != NULL ? 1 : 0);
    return true;
}

/* "7f01-7f02 r-xp 00000000 08:01 123   /usr/lib/x.so": what follows the inode, if it is a path. */
static bool take_map(const char *line, size_t len, struct cvg_proc_map *ret_map)
{
    const char *path = memchr(line, '/', len);
    size_t path_len = path != NULL ? len - (size_t)(path - line) : 0;
    size_t suffix = strlen(DELETED);

    if (path == NULL || path == line || path[-1] != ' ')
        return false;
    ret_map->deleted = path_len > suffix && memcmp(path + path_len - suffix, DELETED, suffix) == 0;
    path_len -= ret_map->deleted ? suffix : 0;
    if (path_len >= sizeof ret_map->path)
        return false;
    memcpy(ret_map->path, path, path_len);
    ret_map->path[path_len] = '\0';
    return true;
}

bool cvg_proc_maps_next(const char *text, size_t len, size_t *offset, struct cvg_proc_map *ret_map)
{
    const char *line;
    size_t line_len;

    while (next_line(text, len, offset, &line, &line_len))
        if (take_map(line, line_len, ret_map))
            return true;
    return false;
}

bool cvg_proc_status_number(const char *text, const char *key, unsigned long long *ret_number)
{
    size_t key_len = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, key_len) == 0 && line[key_len] == ':')
            return sscanf(line + key_len + 1, "%llu", ret_number) == 1;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}

bool cvg_proc_stat_start(const char *text, unsigned long long *ret_ticks)
{
    const char *at = strrchr(text, ')');

    for (int field = 2; at != NULL && field < START_TIME; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL && sscanf(at, "%llu", ret_ticks) == 1;
}

const char *cvg_proc_environ_get(const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name);

    for (size_t at = 0; at < len; at += strlen(text + at) + 1)
        if (strncmp(text + at, name, name_len) == 0 && text[at + name_len] == '=')
            return text + at + name_len + 1;
    return NULL;
}

bool cvg_proc_auxv_secure(const void *octets, size_t len)
{
    unsigned long pair[2];

    for (size_t at = 0; at + sizeof pair <= len; at += sizeof pair) {
        memcpy(pair, (const char *)octets + at, sizeof pair);
        if (pair[0] == AT_SECURE)
            return pair[1] != 0;
    }
    return false;
}

/* "  INSIDE  OUTSIDE  COUNT". */
bool cvg_proc_uid_map_has(const char *text, size_t len, unsigned long uid)
{
    const char *line;
    size_t offset = 0, line_len;

    while (next_line(text, len, &offset, &line, &line_len)) {
        unsigned long long outside = 0, count = 0;
        char copy[128];

        snprintf(copy, sizeof copy, "%.*s", line_len < sizeof copy ? (int)line_len : 0, line);
        if (sscanf(copy, " %*u %llu %llu", &outside, &count) == 2 && uid >= outside &&
            uid - outside < count)
            return true;
    }
    return false;
}

/* "  12: 0100007F:0035 08080808:01BB 01 ... uid timeout inode ...": one with a peer. */
static bool take_udp(const char *line, size_t len, struct cvg_proc_udp *ret_udp)
{
    char copy[256];
    unsigned port = 0;
    unsigned long long inode = 0;

    snprintf(copy, sizeof copy, "%.*s", (int)len, line);
    if (sscanf(copy,
               " %*[0-9]: %*[0-9A-Fa-f]:%*x %*[0-9A-Fa-f]:%x %*x %*x:%*x %*x:%*x %*x %*u %*u "
               "%llu",
               &port, &inode) != 2 ||
        port == 0)
        return false;
    ret_udp->port = port;
    ret_udp->inode = inode;
    return true;
}

bool cvg_proc_udp_next(const char *text, size_t len, size_t *offset, struct cvg_proc_udp *ret_udp)
{
    const char *line;
    size_t line_len;

    while (next_line(text, len, offset, &line, &line_len))
        if (line_len < 256 && take_udp(line, line_len, ret_udp))
            return true;
    return false;
}
