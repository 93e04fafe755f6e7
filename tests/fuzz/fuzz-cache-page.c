/* SPDX-License-Identifier: MIT */
/* A page of the agent's cache, with its checksum put right: what is taken can be read, changed and
 * taken again. Without the checksum nothing would get as far as the items. */
#include "common/engine/cache-page.h"
#include "common/engine/crc32c.h"
#include "tests/fuzz/fuzz.h"

static void put_right(uint8_t octets[static CVG_PAGE_LEN])
{
    static const uint8_t head[12] = {'C', 'V', 'G', '2', 0, 0, 0, 0, 0, 0, 0, 7};
    uint32_t crc;

    memcpy(octets, head, sizeof head);
    crc = cvg_crc32c(octets + 8, CVG_PAGE_LEN - 8);
    for (size_t i = 0; i < 4; i++)
        octets[4 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Reads every live record, and kills every second one; how many are left. */
static size_t use(struct cvg_page *page)
{
    struct cvg_cache_record record;
    size_t count = 0, left = 0;

    for (size_t at = cvg_page_next(page, 0); at != 0; at = cvg_page_next(page, at)) {
        if (cvg_page_read(page, at, &record))
            FUZZ_CHECK(record.voter_count >= 1 && record.voter_count <= CVG_CACHE_VOTERS_MAX &&
                       record.uid_count <= CVG_CACHE_UIDS_MAX);
        if (count++ % 2 == 0)
            cvg_page_kill(page, at);
        else
            left++;
    }
    return left;
}

static void add_one(struct cvg_page *page)
{
    struct cvg_cache_record record;
    size_t at;

    memset(&record, 0, sizeof record);
    FUZZ_CHECK(cvg_endpoint_parse("site.example.com:993", 443, &record.endpoint, NULL) == CVG_OK);
    strcpy(record.voter[0].name, "alpha");
    record.voter_count = 1;
    record.electorate = 3;
    record.uid[0] = 1000;
    record.uid_count = 1;
    if (cvg_page_add(page, &record, &at)) {
        FUZZ_CHECK(cvg_page_read(page, at, &record));
        FUZZ_CHECK(strcmp(record.endpoint.host, "site.example.com") == 0);
        FUZZ_CHECK(strcmp(record.voter[0].name, "alpha") == 0 && record.uid[0] == 1000);
        cvg_page_kill(page, at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_page page, again;
    static uint8_t octets[CVG_PAGE_LEN];
    size_t left = 0;

    FUZZ_CHECK(cvg_page_parse(&page, 7, data, size) != CVG_OK || size == CVG_PAGE_LEN);
    memset(octets, 0, sizeof octets);
    memcpy(octets, data, size < sizeof octets ? size : sizeof octets);
    put_right(octets);
    if (cvg_page_parse(&page, 7, octets, sizeof octets) != CVG_OK)
        return 0;
    left = use(&page);
    add_one(&page);
    cvg_page_seal(&page);
    FUZZ_CHECK(cvg_page_parse(&again, 7, page.octets, sizeof page.octets) == CVG_OK);
    for (size_t at = cvg_page_next(&again, 0); at != 0; at = cvg_page_next(&again, at))
        left--;
    FUZZ_CHECK(left == 0);
    return 0;
}
