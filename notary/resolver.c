/* SPDX-License-Identifier: MIT */
/* Names to addresses. getaddrinfo cannot be interrupted, so a lookup that nobody waits for any more
 * still holds one of libuv's threads: how many there are is bounded here. */
#include "notary/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS_MAX 256

struct cvg_resolver {
    uv_loop_t *loop;
    struct cvg_hosts *hosts;
    size_t under_way;
    bool freed; /* while lookups are under way */
};

struct cvg_lookup {
    uv_getaddrinfo_t request;
    struct cvg_resolver *resolver;
    cvg_lookup_done *done; /* NULL: cancelled */
    void *user;
};

enum cvg_error cvg_resolver_new(uv_loop_t *loop, struct cvg_resolver **ret_resolver)
{
    struct cvg_resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return CVG_ERR_NOMEM;
    resolver->loop = loop;
    *ret_resolver = resolver;
    return CVG_OK;
}

void cvg_resolver_free(struct cvg_resolver *resolver)
{
    if (resolver == NULL)
        return;
    cvg_hosts_free(resolver->hosts);
    resolver->hosts = NULL;
    resolver->freed = true;
    if (resolver->under_way == 0)
        free(resolver);
}

void cvg_resolver_set_hosts(struct cvg_resolver *resolver, struct cvg_hosts *hosts)
{
    cvg_hosts_free(resolver->hosts);
    resolver->hosts = hosts;
}

bool cvg_resolver_in_hosts(const struct cvg_resolver *resolver, const char *name)
{
    struct cvg_found_addresses addresses;
    return resolver->hosts != NULL && cvg_hosts_find(resolver->hosts, name, &addresses);
}

static void take(const struct addrinfo *list, struct cvg_found_addresses *ret_addresses)
{
    for (; list != NULL && ret_addresses->count < CVG_NAME_ADDRESSES; list = list->ai_next)
        if (cvg_address_of(list->ai_addr, &ret_addresses->address[ret_addresses->count]) == CVG_OK)
            ret_addresses->count++;
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct cvg_lookup *lookup = request->data;
    struct cvg_resolver *resolver = lookup->resolver;
    struct cvg_found_addresses addresses = {.count = 0};
    if (status == 0)
        take(list, &addresses);
    uv_freeaddrinfo(list);
    resolver->under_way--;
    if (lookup->done != NULL)
        lookup->done(addresses.count > 0 ? CVG_OK : CVG_ERR_UNREACHABLE, &addresses, lookup->user);
    free(lookup);
    if (resolver->freed && resolver->under_way == 0)
        free(resolver);
}

/* The name goes to DNS with its final dot, so that no search list makes another name of it. */
static enum cvg_error ask_system(struct cvg_resolver *resolver, const char *name,
                                 struct cvg_lookup *lookup)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char absolute[CVG_HOST_MAX + 1];
    snprintf(absolute, sizeof(absolute), "%s.", name);
    lookup->request.data = lookup;
    if (uv_getaddrinfo(resolver->loop, &lookup->request, looked_up, absolute, NULL, &hints) != 0)
        return CVG_ERR_UNREACHABLE;
    resolver->under_way++;
    return CVG_OK;
}

enum cvg_error cvg_lookup_start(struct cvg_resolver *resolver, const struct cvg_endpoint *endpoint,
                                cvg_lookup_done *done, void *user,
                                struct cvg_found_addresses *ret_addresses,
                                struct cvg_lookup **ret_lookup)
{
    if (endpoint->kind != CVG_HOST_NAME) {
        struct cvg_address address = {.family = endpoint->kind == CVG_HOST_IPV4 ? 4 : 6};
        memcpy(address.bytes, endpoint->address, address.family == 4 ? 4 : 16);
        *ret_addresses = (struct cvg_found_addresses){.address = {address}, .count = 1};
        *ret_lookup = NULL;
        return CVG_OK;
    }
    if (resolver->hosts != NULL && cvg_hosts_find(resolver->hosts, endpoint->host, ret_addresses)) {
        *ret_lookup = NULL;
        return CVG_OK;
    }
    if (resolver->under_way >= LOOKUPS_MAX)
        return CVG_ERR_BUSY;
    struct cvg_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return CVG_ERR_NOMEM;
    *lookup = (struct cvg_lookup){.resolver = resolver, .done = done, .user = user};
    enum cvg_error err = ask_system(resolver, endpoint->host, lookup);
    if (err != CVG_OK) {
        free(lookup);
        return err;
    }
    *ret_lookup = lookup;
    return CVG_OK;
}

/* A request that waits for a thread can still be taken back; one that runs cannot. */
void cvg_lookup_cancel(struct cvg_lookup *lookup)
{
    if (lookup == NULL)
        return;
    lookup->done = NULL;
    (void)uv_cancel((uv_req_t *)&lookup->request);
}
