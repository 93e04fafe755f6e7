/* SPDX-License-Identifier: MIT */
/* Names to addresses. A and AAAA are asked for together; what one of them says is not held back for
 * long by a server that never answers for the other. */
#include "notary/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/special.h"

#define OTHER_FAMILY_MS 250 /* waited for the other family once one has answered */

enum { V6, V4, FAMILIES };

struct cvg_resolver {
    uv_loop_t *loop;
    struct cvg_hosts *hosts;
    struct cvg_dns *dns;
    struct cvg_dns *before; /* what the last change has left to end, or NULL */
};

/* What one family's question has come to. */
struct half {
    struct cvg_lookup *lookup;
    struct cvg_dns_question *question; /* under way, or NULL */
    bool known; /* it was answered in full: with all addresses, or with there being none */
    struct cvg_found_addresses found;
};

struct cvg_lookup {
    uv_timer_t timer; /* first: casts */
    const struct cvg_filter *filter;
    struct half half[FAMILIES];
    cvg_lookup_done *done;
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
    cvg_dns_free(resolver->dns);
    cvg_dns_free(resolver->before);
    free(resolver);
}

void cvg_resolver_set_hosts(struct cvg_resolver *resolver, struct cvg_hosts *hosts)
{
    cvg_hosts_free(resolver->hosts);
    resolver->hosts = hosts;
}

void cvg_resolver_set_dns(struct cvg_resolver *resolver, struct cvg_dns *dns)
{
    struct cvg_dns *former = resolver->dns;
    resolver->dns = dns;
    cvg_dns_free(resolver->before);
    cvg_dns_retire(former, &resolver->before);
}

struct cvg_dns *cvg_resolver_dns(const struct cvg_resolver *resolver)
{
    return resolver->dns;
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

void cvg_lookup_cancel(struct cvg_lookup *lookup)
{
    if (lookup == NULL)
        return;
    for (int i = 0; i < FAMILIES; i++)
        cvg_dns_cancel(lookup->half[i].question);
    uv_close((uv_handle_t *)&lookup->timer, closed);
}

/* Alternately of both families, so that a first attempt that fails costs little (RFC 8305). */
static void merge(const struct half *half, struct cvg_found_addresses *ret_addresses)
{
    ret_addresses->count = 0;
    ret_addresses->partial = !half[V6].known || !half[V4].known ||
                             half[V6].found.count + half[V4].found.count > CVG_NAME_ADDRESSES;
    for (size_t i = 0; i < CVG_NAME_ADDRESSES; i++)
        for (int family = 0; family < FAMILIES; family++)
            if (i < half[family].found.count && ret_addresses->count < CVG_NAME_ADDRESSES)
                ret_addresses->address[ret_addresses->count++] = half[family].found.address[i];
}

static void finish(struct cvg_lookup *lookup)
{
    struct cvg_found_addresses addresses;
    cvg_lookup_done *done = lookup->done;
    void *user = lookup->user;
    merge(lookup->half, &addresses);
    cvg_lookup_cancel(lookup);
    done(addresses.count > 0 ? CVG_OK : CVG_ERR_UNREACHABLE, &addresses, user);
}

static void waited(uv_timer_t *timer)
{
    finish((struct cvg_lookup *)(void *)timer);
}

static void take(struct half *half, const struct cvg_dns_answer *answer, size_t octets)
{
    half->known = (answer->err == CVG_OK || answer->err == CVG_ERR_NOT_FOUND) &&
                  answer->count <= CVG_NAME_ADDRESSES;
    for (size_t i = 0; i < answer->count && half->found.count < CVG_NAME_ADDRESSES; i++) {
        struct cvg_address address = {.family = octets == 4 ? 4 : 6};
        if (answer->record[i].len != octets)
            continue;
        memcpy(address.bytes, answer->record[i].rdata, octets);
        half->found.address[half->found.count++] = address;
    }
}

static bool is_of_use(const struct half *half)
{
    for (size_t i = 0; i < half->found.count; i++)
        if (cvg_filter_allows(half->lookup->filter, &half->found.address[i]))
            return true;
    return false;
}

static void answered(const struct cvg_dns_answer *answer, void *user)
{
    struct half *half = user;
    struct cvg_lookup *lookup = half->lookup;
    half->question = NULL;
    take(half, answer, half == &lookup->half[V4] ? 4 : 16);
    if (lookup->half[V4].question == NULL && lookup->half[V6].question == NULL)
        finish(lookup);
    else if (is_of_use(half))
        uv_timer_start(&lookup->timer, waited, OTHER_FAMILY_MS, 0);
}

static enum cvg_error ask(struct cvg_resolver *resolver, struct cvg_lookup *lookup,
                          const char *name)
{
    static const enum cvg_dns_type type[FAMILIES] = {[V6] = CVG_DNS_AAAA, [V4] = CVG_DNS_A};
    enum cvg_error err = resolver->dns == NULL ? CVG_ERR_BUSY : CVG_OK;
    for (int i = 0; i < FAMILIES && err == CVG_OK; i++) {
        lookup->half[i].lookup = lookup;
        err = cvg_dns_start(resolver->dns, name, type[i], answered, &lookup->half[i],
                            &lookup->half[i].question);
    }
    return err;
}

/* What needs no DNS: addresses, and the hosts file's names. */
static bool known_at_once(const struct cvg_resolver *resolver, const struct cvg_endpoint *endpoint,
                          struct cvg_found_addresses *ret_addresses)
{
    if (endpoint->kind == CVG_HOST_NAME)
        return resolver->hosts != NULL &&
               cvg_hosts_find(resolver->hosts, endpoint->host, ret_addresses);
    struct cvg_address address = {.family = endpoint->kind == CVG_HOST_IPV4 ? 4 : 6};
    memcpy(address.bytes, endpoint->address, address.family == 4 ? 4 : 16);
    *ret_addresses = (struct cvg_found_addresses){.address = {address}, .count = 1};
    return true;
}

enum cvg_error cvg_lookup_start(struct cvg_resolver *resolver, const struct cvg_filter *filter,
                                const struct cvg_endpoint *endpoint, cvg_lookup_done *done,
                                void *user, struct cvg_found_addresses *ret_addresses,
                                struct cvg_lookup **ret_lookup)
{
    if (known_at_once(resolver, endpoint, ret_addresses)) {
        *ret_lookup = NULL;
        return CVG_OK;
    }
    if (cvg_special_name(endpoint->host) && !cvg_filter_inside(filter))
        return CVG_ERR_REFUSED;
    struct cvg_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return CVG_ERR_NOMEM;
    lookup->filter = filter;
    lookup->done = done;
    lookup->user = user;
    uv_timer_init(resolver->loop, &lookup->timer);
    enum cvg_error err = ask(resolver, lookup, endpoint->host);
    if (err != CVG_OK) {
        cvg_lookup_cancel(lookup);
        return err;
    }
    *ret_lookup = lookup;
    return CVG_OK;
}
