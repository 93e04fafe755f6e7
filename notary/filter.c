/* SPDX-License-Identifier: MIT */
/* The address filter of probes and relay. */
#include "notary/filter.h"

#include <ifaddrs.h>
#include <stdlib.h>

#include "common/base/special.h"

#define OWN_MAX 1024

struct cvg_filter {
    struct cvg_networks allowed;
    struct cvg_address own[OWN_MAX];
    size_t own_count;
};

static bool is_special(const struct cvg_address *address)
{
    return address->family == 4 ? cvg_special_ipv4(address->bytes)
                                : cvg_special_ipv6(address->bytes);
}

/* Special ones are refused as such, and a machine may have very many of them. */
static enum cvg_error add_own(struct cvg_filter *filter, const struct cvg_address *address)
{
    if (is_special(address))
        return CVG_OK;
    if (filter->own_count == OWN_MAX)
        return CVG_ERR_RANGE;
    filter->own[filter->own_count++] = *address;
    return CVG_OK;
}

static enum cvg_error add_interfaces(struct cvg_filter *filter)
{
    struct ifaddrs *list = NULL;
    enum cvg_error err = CVG_OK;
    if (getifaddrs(&list) != 0)
        return CVG_ERR_IO;
    for (const struct ifaddrs *i = list; i != NULL && err == CVG_OK; i = i->ifa_next) {
        struct cvg_address address;
        if (i->ifa_addr != NULL && cvg_address_of(i->ifa_addr, &address) == CVG_OK)
            err = add_own(filter, &address);
    }
    freeifaddrs(list);
    return err;
}

enum cvg_error cvg_filter_new(const struct cvg_settings *settings, struct cvg_filter **ret_filter)
{
    struct cvg_filter *filter = calloc(1, sizeof(*filter));
    enum cvg_error err = CVG_OK;
    if (filter == NULL)
        return CVG_ERR_NOMEM;
    filter->allowed = settings->allow_targets;
    for (size_t i = 0; i < settings->own_addresses.count && err == CVG_OK; i++)
        err = add_own(filter, &settings->own_addresses.address[i]);
    if (err == CVG_OK)
        err = add_interfaces(filter);
    if (err != CVG_OK) {
        cvg_filter_free(filter);
        return err;
    }
    *ret_filter = filter;
    return CVG_OK;
}

void cvg_filter_free(struct cvg_filter *filter)
{
    free(filter);
}

void cvg_filter_copy(const struct cvg_filter *from, struct cvg_filter *ret_to)
{
    *ret_to = *from;
}

static bool is_own(const struct cvg_filter *filter, const struct cvg_address *address)
{
    for (size_t i = 0; i < filter->own_count; i++)
        if (cvg_address_equal(&filter->own[i], address))
            return true;
    return false;
}

bool cvg_filter_allows(const struct cvg_filter *filter, const struct cvg_address *address)
{
    for (size_t i = 0; i < filter->allowed.count; i++)
        if (cvg_network_contains(&filter->allowed.network[i], address))
            return true;
    return !is_special(address) && !is_own(filter, address);
}

bool cvg_filter_inside(const struct cvg_filter *filter)
{
    return filter->allowed.count > 0;
}
