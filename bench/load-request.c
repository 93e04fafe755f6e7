/* SPDX-License-Identifier: MIT */
/* Requests to a notary, in both versions. */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_number(const struct load_plan *plan)
{
    static uint64_t given;
    if (plan->first != UINT64_MAX)
        return plan->first + given++ % plan->count;
    return ((uint64_t)random() << 31 ^ (uint64_t)random()) % plan->count;
}

/* The next host; false if it is no host's length. */
static bool next_host(const struct load_plan *plan, char *ret_host, size_t size)
{
    const char *mark = strchr(plan->names, '%');
    int len = mark == NULL ? snprintf(ret_host, size, "%s", plan->names)
                           : snprintf(ret_host, size, "%.*s%llu%s", (int)(mark - plan->names),
                                      plan->names, (unsigned long long)next_number(plan), mark + 1);
    return len > 0 && (size_t)len < size;
}

static size_t request_v1(const struct load_plan *plan, char *ret_octets, size_t size)
{
    char host[254], form[64 + 3 * 20] = "fingerprint=";
    if (!next_host(plan, host, sizeof(host)))
        return 0;
    size_t form_len = strlen(form);
    for (size_t i = 0; i < 20; i++)
        form_len += (size_t)snprintf(form + form_len, sizeof(form) - form_len, "%s%02X",
                                     i == 0 ? "" : ":", plan->leaf[i]);
    int len = snprintf(ret_octets, size,
                       "POST /target/%s+%u HTTP/1.1\r\nHost: notary\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       host, plan->target, form_len, form);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static size_t request_v2(const struct load_plan *plan, char *ret_octets, size_t size)
{
    uint8_t body[8192] = {2, (uint8_t)plan->targets};
    size_t body_len = 2;
    for (unsigned i = 0; i < plan->targets; i++) {
        char host[254];
        if (!next_host(plan, host, sizeof(host)))
            return 0;
        size_t host_len = strlen(host);
        body[body_len++] = (uint8_t)host_len;
        memcpy(body + body_len, host, host_len);
        body_len += host_len;
        body[body_len++] = (uint8_t)(plan->target >> 8);
        body[body_len++] = (uint8_t)plan->target;
        body[body_len++] = 0;
        memcpy(body + body_len, plan->leaf, sizeof(plan->leaf));
        body_len += sizeof(plan->leaf);
    }
    int len = snprintf(ret_octets, size,
                       "POST /v2/query HTTP/1.1\r\nHost: notary\r\n"
                       "Content-Type: application/vnd.converge.v2\r\nContent-Length: %zu\r\n\r\n",
                       body_len);
    if (len <= 0 || (size_t)len + body_len > size)
        return 0;
    memcpy(ret_octets + len, body, body_len);
    return (size_t)len + body_len;
}

size_t load_request(const struct load_plan *plan, char *ret_octets, size_t size)
{
    return plan->v1 ? request_v1(plan, ret_octets, size) : request_v2(plan, ret_octets, size);
}
