/* SPDX-License-Identifier: MIT */
/* What a value is worth, and what two of them become. */
#include "notary/redis-value.h"

#include <string.h>

#include "notary/observations.h"
#include "notary/segment.h"

enum cvg_error cvg_redis_lifetime(const void *value, size_t len, int64_t forget_after_s,
                                  int64_t now_s, int64_t *ret_lifetime_ms)
{
    struct cvg_observations seen = {.count = 0};
    enum cvg_error err = cvg_observations_parse(value, len, &seen);
    if (err == CVG_ERR_NOMEM)
        return err;
    *ret_lifetime_ms = 0;
    if (err != CVG_OK)
        return CVG_OK;
    int64_t newest_s = cvg_observations_newest(&seen);
    cvg_observations_free(&seen);
    if (newest_s > now_s)
        newest_s = now_s;
    *ret_lifetime_ms = (newest_s + forget_after_s - now_s) * 1000;
    return CVG_OK;
}

enum cvg_error cvg_redis_merge(struct cvg_buffer *value, const void *present, size_t len,
                               int64_t now_s)
{
    struct cvg_observations theirs = {.count = 0}, ours = {.count = 0};
    struct cvg_buffer merged;
    cvg_buffer_init(&merged, CVG_VALUE_MAX);
    enum cvg_error err = cvg_observations_parse(value->data, value->len, &ours);
    enum cvg_error their_err = cvg_observations_parse(present, len, &theirs);
    if (their_err == CVG_ERR_NOMEM)
        err = their_err;
    if (err == CVG_OK && their_err == CVG_OK) {
        err = cvg_observations_merge(&theirs, &ours, now_s);
        if (err == CVG_OK)
            err = cvg_observations_write(&theirs, &merged);
        if (err == CVG_OK && merged.len == len && memcmp(merged.data, present, len) == 0)
            err = CVG_ERR_EXISTS;
        if (err == CVG_OK) {
            cvg_buffer_clear(value);
            err = cvg_buffer_put(value, merged.data, merged.len);
        }
    }
    cvg_observations_free(&theirs);
    cvg_observations_free(&ours);
    cvg_buffer_free(&merged);
    return err;
}
