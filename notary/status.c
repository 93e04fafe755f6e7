/* SPDX-License-Identifier: MIT */
/* What one notary tells of itself. */
#include "notary/status.h"

#include <stdio.h>
#include <string.h>

#include "notary/identity-check.h"

static void take_bundle(struct cvg_about *about, const struct cvg_buffer *text)
{
    struct cvg_bundle *bundle = NULL;
    about->region[0] = about->operator_name[0] = '\0';
    if (cvg_bundle_parse((const char *)text->data, text->len, &bundle, NULL) != CVG_OK)
        return;
    memcpy(about->region, bundle->region, sizeof(about->region));
    memcpy(about->operator_name, bundle->operator_name, sizeof(about->operator_name));
    cvg_bundle_free(bundle);
}

void cvg_about_take(struct cvg_about *about, const char *name, const struct cvg_identity *identity)
{
    snprintf(about->name, sizeof(about->name), "%s", name);
    take_bundle(about, &identity->bundle);
    if (identity->tls != NULL)
        about->not_after_s = cvg_identity_end_s(identity);
    if (identity->signing_key != NULL)
        cvg_fingerprint_format(cvg_signing_key_id(identity->signing_key), CVG_SHA256_LEN,
                               about->fingerprint, sizeof(about->fingerprint));
}

double cvg_status_hit_ratio(const struct cvg_metrics_sum *sum)
{
    int64_t hits = sum->value[CVG_METRIC_TARGETS_HIT];
    int64_t all = hits + sum->value[CVG_METRIC_TARGETS_STORE] + sum->value[CVG_METRIC_TARGETS_MISS];
    return all > 0 ? (double)hits / (double)all : 0;
}

bool cvg_status_health(const struct cvg_status *status, struct cvg_buffer *ret_line)
{
    unsigned silent = status->workers - status->workers_answering;
    bool away = status->store != NULL && status->sum.value[CVG_METRIC_STORE_UP] == 0;
    if (status->ending)
        cvg_buffer_put_text(ret_line, "failing: the notary is ending\n");
    else if (silent > 0)
        cvg_buffer_printf(ret_line, "failing: %u of %u workers do not answer\n", silent,
                          status->workers);
    else if (status->store_full)
        cvg_buffer_put_text(ret_line,
                            "degraded: the journal is full and nothing new is looked at\n");
    else if (away)
        cvg_buffer_printf(ret_line, "degraded: the store (%s) is away\n", status->store);
    else
        cvg_buffer_put_text(ret_line, "ok\n");
    return !status->ending && silent == 0;
}
