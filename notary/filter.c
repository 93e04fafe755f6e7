/* SPDX-License-Identifier: MIT */
/* The address filter of probes and relay. */
#include "notary/filter.h"

#include <ifaddrs.h>
#include <stdlib.h>

#include "common/base/special.h"

#define OWN_MAX 256

struct cvg_filter {
    struct cvg_networks allowed;
    struct cvg_address own[OWN_MAX];
    size_t own_count;
};

static void add_own(struct cvg_filter *filter, const struct cvg_address *address)
{
    if (filter->own_count < OWN_MAX)
        filter->own[filter->own_count++] = *address;
}

static enum cvg_error add_interfaces(struct cvg_filter *filter)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return CVG_ERR_IO;
    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        struct cvg_address address;
        if (i->ifa_addr != NULL && cvg_address_of(i->ifa_addr, &address) == CVG_OK)
            add_own(filter, &address);
    }
    freeifaddrs(list);
    return CVG_OK;
}

enum cvg_error cvg_filter_new(const struct cvg_settings *settings, struct cvg_filter **ret_filter)
{
    struct cvg_filter *filter = calloc(1, sizeof(*filter));
    if (filter == NULL)
        return CVG_ERR_NOMEM;
    filter->allowed = settings->allow_targets;
    for (size_t i = 0; i < settings->own_addresses.count; i++)
        add_own(filter, &settings->own_addresses.address[i]);
    enum cvg_error err = add_interfaces(filter);
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
    if (address->family == 4 ? cvg_special_ipv4(address->bytes) : cvg_special_ipv6(address->bytes))
        return false;
    return !is_own(filter, address);
}

bool cvg_filter_inside(const struct cvg_filter *filter)
{
    return filter->allowed.count > 0;
}
