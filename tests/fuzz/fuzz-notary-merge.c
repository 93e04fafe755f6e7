/* SPDX-License-Identifier: MIT */
/* Two stored observations of one target, merged: within bounds, in a form that can be stored, and
 * current is only what was current on one side. The input: u16 length of the first, both. */
#include "notary/observations.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1800000000)
#define AGE 86400

static bool is_current(const struct cvg_observations *seen, const uint8_t *sha256)
{
    for (size_t i = 0; i < seen->count; i++)
        if (memcmp(seen->record[i].leaf.sha256, sha256, CVG_SHA256_LEN) == 0 &&
            cvg_observations_current(seen, i, NOW, AGE))
            return true;
    return false;
}

static void check(const struct cvg_observations *into, const struct cvg_observations *from,
                  struct cvg_observations *all)
{
    struct cvg_buffer form;
    struct cvg_observations again = {.count = 0};
    FUZZ_CHECK(cvg_observations_merge(all, from, NOW) == CVG_OK);
    FUZZ_CHECK(all->count <= CVG_V2_RECORDS_MAX && all->view_count <= CVG_VIEWS_MAX);
    for (size_t i = 0; i < all->count; i++)
        if (cvg_observations_current(all, i, NOW, AGE))
            FUZZ_CHECK(is_current(into, all->record[i].leaf.sha256) ||
                       is_current(from, all->record[i].leaf.sha256));
    cvg_buffer_init(&form, 65536);
    FUZZ_CHECK(cvg_observations_write(all, &form) == CVG_OK);
    FUZZ_CHECK(cvg_observations_parse(form.data, form.len, &again) == CVG_OK);
    (void)cvg_observations_supersede(all, into);
    cvg_observations_free(&again);
    cvg_buffer_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cvg_observations into = {.count = 0}, from = {.count = 0}, all = {.count = 0};
    if (size < 2)
        return 0;
    size_t first = (size_t)data[0] << 8 | data[1];
    if (first > size - 2)
        return 0;
    if (cvg_observations_parse(data + 2, first, &into) == CVG_OK &&
        cvg_observations_parse(data + 2, first, &all) == CVG_OK &&
        cvg_observations_parse(data + 2 + first, size - 2 - first, &from) == CVG_OK)
        check(&into, &from, &all);
    cvg_observations_free(&into);
    cvg_observations_free(&from);
    cvg_observations_free(&all);
    return 0;
}
