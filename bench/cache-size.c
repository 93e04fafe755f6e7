/* SPDX-License-Identifier: MIT */
/* How large the agent's cache file is with COUNT records of three voters each.
 *
 *   cache-size FILE COUNT
 *
 * Prints "RECORDS OCTETS PUT_NS FIND_NS": the file's size, and the mean time of a put and of a
 * lookup in the file just written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/engine/cache.h"

static const struct cvg_voter notaries[] = {
    {"alpha.notary.example", {1}}, {"beta.notary.example", {2}}, {"gamma.notary.example", {3}}};

static unsigned long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

/* Names as the study saw them: most have three or four labels and some twenty octets. */
static void make_record(unsigned long i, struct cvg_cache_record *record)
{
    char host[64];
    uint64_t mix = (i + 1) * 0x9e3779b97f4a7c15u;

    memset(record, 0, sizeof *record);
    snprintf(host, sizeof host, "www%lu.service-%lu.com", i % 7, i);
    if (cvg_endpoint_set(host, strlen(host), 443, &record->endpoint, NULL) != CVG_OK)
        exit(1);
    for (size_t k = 0; k < CVG_SHA256_LEN; k++) {
        mix ^= mix >> 29;
        mix *= 0xbf58476d1ce4e5b9u;
        record->leaf_sha256[k] = (uint8_t)(mix >> 33);
        record->spki_sha256[k] = (uint8_t)(mix >> 41);
        if (k < CVG_SHA1_LEN)
            record->leaf_sha1[k] = (uint8_t)(mix >> 49);
    }
    record->verified_s = cvg_clock_wall_s(cvg_clock_system());
    record->voter_count = 2 + i % 2;
    record->electorate = 3;
    for (size_t v = 0; v < record->voter_count; v++)
        record->voter[v] = notaries[(i + v) % 3];
    record->uid[0] = 1000;
    record->uid_count = 1;
}

int main(int argc, char **argv)
{
    static struct cvg_cache_record record;
    struct cvg_cache_status status;
    struct cvg_cache *cache;
    struct cvg_why why;
    unsigned long long put_ns, find_ns;
    unsigned long count, found = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: cache-size FILE COUNT\n");
        return 2;
    }
    count = strtoul(argv[2], NULL, 10);
    if (cvg_cache_open(argv[1], 90 * 86400, cvg_clock_system(), &cache, &why) != CVG_OK) {
        fprintf(stderr, "cache-size: %s\n", why.text);
        return 1;
    }
    cvg_cache_set_notaries(cache, notaries, 3);
    put_ns = now_ns();
    for (unsigned long i = 0; i < count; i++) {
        make_record(i, &record);
        cvg_cache_put(cache, &record);
    }
    cvg_cache_flush(cache);
    put_ns = now_ns() - put_ns;
    find_ns = now_ns();
    for (unsigned long i = 0; i < count; i++) {
        make_record(i, &record);
        found += cvg_cache_find(cache, &record.endpoint, record.leaf_sha256, 1000, NULL) == CVG_OK;
    }
    find_ns = now_ns() - find_ns;
    cvg_cache_status(cache, &status);
    cvg_cache_close(cache);
    printf("%llu %llu %llu %llu\n", (unsigned long long)status.records,
           (unsigned long long)status.file_octets, put_ns / count, find_ns / count);
    return found == count ? 0 : 1;
}
