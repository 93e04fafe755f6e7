/* SPDX-License-Identifier: MIT */
/* Two stored values of one target become one. */
#include "notary/values.h"

#include <stdbool.h>

#include "notary/observations.h"

enum cvg_error cvg_values_merge(struct cvg_stored older, struct cvg_stored newer, int64_t now_s,
                                struct cvg_buffer *buffer, struct cvg_stored *ret_value)
{
    struct cvg_observations old = {.count = 0}, new = {.count = 0};
    enum cvg_error old_err = cvg_observations_parse(older.octets, older.len, &old);
    enum cvg_error new_err = cvg_observations_parse(newer.octets, newer.len, &new);
    bool has_old = old_err == CVG_OK, has_new = new_err == CVG_OK;
    enum cvg_error err = CVG_OK;
    if (old_err == CVG_ERR_NOMEM || new_err == CVG_ERR_NOMEM) {
        err = CVG_ERR_NOMEM;
    } else if (has_old && has_new && !cvg_observations_supersede(&new, &old)) {
        cvg_buffer_clear(buffer);
        err = cvg_observations_merge(&old, &new, now_s);
        if (err == CVG_OK)
            err = cvg_observations_write(&old, buffer);
        if (err == CVG_OK)
            *ret_value = (struct cvg_stored){.octets = buffer->data, .len = buffer->len};
    } else {
        *ret_value = has_new ? newer : older;
    }
    cvg_observations_free(&old);
    cvg_observations_free(&new);
    return err;
}
