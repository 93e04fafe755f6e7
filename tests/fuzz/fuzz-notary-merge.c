/* SPDX-License-Identifier: MIT */
/* Two stored observations of one target, merged: within bounds, in a form that can be stored, and
 * current is only what was current on one side, or on trial on both and seen twice. The input: u16
 * length of the first, both. */
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

/* Whether it is the newest somewhere, but was still on trial. */
static bool is_untried(const struct cvg_observations *seen, const uint8_t *sha256)
{
    for (size_t i = 0; i < seen->count; i++)
        if (memcmp(seen->record[i].leaf.sha256, sha256, CVG_SHA256_LEN) == 0 &&
            cvg_observations_untried(seen, i, NOW))
            return true;
    return false;
}

/* What was current on one side may stay so; what was on trial there has passed if both together
 * have seen it long enough apart. */
static bool may_be_current(const struct cvg_observations *one, const struct cvg_observations *other,
                           const struct cvg_seen *merged)
{
    const uint8_t *sha256 = merged->leaf.sha256;
    bool passed = merged->last_s - merged->first_s >= CVG_TRIAL_S;
    return is_current(one, sha256) || is_current(other, sha256) ||
           (passed && (is_untried(one, sha256) || is_untried(other, sha256)));
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
            FUZZ_CHECK(may_be_current(into, from, &all->record[i]));
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
