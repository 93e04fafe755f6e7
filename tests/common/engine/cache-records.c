/* SPDX-License-Identifier: MIT */
/* For tests of the cache: the records. */
#include "tests/common/engine/cache-records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct cvg_voter records_notaries[4] = {
    {"alpha", {1}}, {"beta", {2}}, {"gamma", {3}}, {"delta", {4}}};

static void octets(unsigned i, unsigned salt, uint8_t *ret_octets, size_t len)
{
    uint64_t mix = ((uint64_t)salt << 32 | i) * 0x9e3779b97f4a7c15u + 1;

    for (size_t k = 0; k < len; k++) {
        mix ^= mix >> 29;
        mix *= 0xbf58476d1ce4e5b9u;
        ret_octets[k] = (uint8_t)(mix >> 40);
    }
}

static void make_endpoint(unsigned i, struct cvg_endpoint *ret_endpoint)
{
    static const struct {
        const char *before, *after;
        unsigned port;
    } forms[] = {{"www.shop-", ".example.com", 443},
                 {"api", ".cdn.example.net", 443},
                 {"mail.company", ".co.uk", 443},
                 {"static-", ".media.example.org", 8443},
                 {"m.news", ".com", 443},
                 {"2001:db8::", "", 993}};
    size_t form = i % (sizeof forms / sizeof forms[0]);
    char host[64];

    /* Decimal digits are hexadecimal ones, too; four of them fit a group of an address. */
    snprintf(host, sizeof host, "%s%u%s", forms[form].before, form == 5 ? i % 10000 : i,
             forms[form].after);
    if (cvg_endpoint_set(host, strlen(host), forms[form].port + (form == 5 ? i / 10000 : 0),
                         ret_endpoint, NULL) != CVG_OK)
        abort();
}

void records_make(unsigned i, struct cvg_cache_record *ret_record)
{
    memset(ret_record, 0, sizeof *ret_record);
    make_endpoint(i, &ret_record->endpoint);
    octets(i, 1, ret_record->leaf_sha256, CVG_SHA256_LEN);
    octets(i, 2, ret_record->leaf_sha1, CVG_SHA1_LEN);
    octets(i, 3, ret_record->spki_sha256, CVG_SHA256_LEN);
    ret_record->verified_s = RECORDS_TIME_S;
    for (size_t v = 0; v < 3; v++)
        ret_record->voter[v] = records_notaries[(i + v) % 4];
    ret_record->voter_count = ret_record->electorate = 3;
    ret_record->uid[0] = 1000;
    ret_record->uid_count = 1;
}

bool records_is(unsigned i, const struct cvg_cache_record *found)
{
    struct cvg_cache_record record;

    records_make(i, &record);
    return cvg_endpoint_cmp(&record.endpoint, &found->endpoint) == 0 &&
           memcmp(record.leaf_sha256, found->leaf_sha256, CVG_SHA256_LEN) == 0 &&
           memcmp(record.leaf_sha1, found->leaf_sha1, CVG_SHA1_LEN) == 0 &&
           memcmp(record.spki_sha256, found->spki_sha256, CVG_CACHE_SPKI_LEN) == 0 &&
           record.verified_s == found->verified_s && record.voter_count == found->voter_count &&
           record.electorate == found->electorate &&
           memcmp(record.voter, found->voter, sizeof record.voter) == 0;
}

bool records_is_one(const struct cvg_cache_record *found, unsigned *ret_i)
{
    const char *host = found->endpoint.host, *colons = strstr(host, "::");
    unsigned i;

    if (colons != NULL)
        i = (unsigned)strtoul(colons + 2, NULL, 10) + (found->endpoint.port - 993U) * 10000;
    else
        i = (unsigned)strtoul(host + strcspn(host, "0123456789"), NULL, 10);
    if (ret_i != NULL)
        *ret_i = i;
    return records_is(i, found);
}
