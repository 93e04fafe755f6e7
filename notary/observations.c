/* SPDX-License-Identifier: MIT */
/* What a notary has seen of one target. */
#include "notary/observations.h"

#include <stdlib.h>
#include <string.h>

#define CLOCK_SLACK_S 60

void cvg_observations_free(struct cvg_observations *observations)
{
    if (observations == NULL)
        return;
    free(observations->record);
    free(observations->view);
    memset(observations, 0, sizeof(*observations));
}

enum cvg_error cvg_observations_copy(const struct cvg_observations *observations,
                                     struct cvg_observations *ret_copy)
{
    struct cvg_observations copy = *observations;
    copy.record = calloc(copy.count + 1, sizeof(*copy.record));
    copy.view = calloc(copy.view_count + 1, sizeof(*copy.view));
    if (copy.record == NULL || copy.view == NULL) {
        cvg_observations_free(&copy);
        return CVG_ERR_NOMEM;
    }
    if (copy.count > 0)
        memcpy(copy.record, observations->record, copy.count * sizeof(*copy.record));
    if (copy.view_count > 0)
        memcpy(copy.view, observations->view, copy.view_count * sizeof(*copy.view));
    *ret_copy = copy;
    return CVG_OK;
}

/* Room for one more record and one more view, so that what follows cannot fail. */
static enum cvg_error reserve(struct cvg_observations *observations)
{
    struct cvg_seen *record =
        realloc(observations->record, (observations->count + 1) * sizeof(*record));
    if (record == NULL)
        return CVG_ERR_NOMEM;
    observations->record = record;
    struct cvg_view *view =
        realloc(observations->view, (observations->view_count + 1) * sizeof(*view));
    if (view == NULL)
        return CVG_ERR_NOMEM;
    observations->view = view;
    return CVG_OK;
}

static void drop_view(struct cvg_observations *observations, size_t index)
{
    observations->view[index] = observations->view[--observations->view_count];
}

/* Forgets a record and the views of it. */
static void drop_record(struct cvg_observations *observations, size_t index)
{
    size_t last = --observations->count;
    for (size_t i = observations->view_count; i-- > 0;)
        if (observations->view[i].record == index)
            drop_view(observations, i);
    for (size_t i = 0; i < observations->view_count; i++)
        if (observations->view[i].record == last)
            observations->view[i].record = (uint8_t)index;
    observations->record[index] = observations->record[last];
}

static void drop_oldest_record(struct cvg_observations *observations)
{
    size_t oldest = 0;
    for (size_t i = 1; i < observations->count; i++)
        if (observations->record[i].last_s < observations->record[oldest].last_s)
            oldest = i;
    drop_record(observations, oldest);
}

static void drop_oldest_view(struct cvg_observations *observations)
{
    size_t oldest = 0;
    for (size_t i = 1; i < observations->view_count; i++)
        if (observations->view[i].last_s < observations->view[oldest].last_s)
            oldest = i;
    drop_view(observations, oldest);
}

static size_t record_of(struct cvg_observations *observations, const struct cvg_leaf *leaf,
                        int64_t now_s)
{
    for (size_t i = 0; i < observations->count; i++)
        if (memcmp(observations->record[i].leaf.sha256, leaf->sha256, CVG_SHA256_LEN) == 0)
            return i;
    if (observations->count == CVG_V2_RECORDS_MAX)
        drop_oldest_record(observations);
    observations->record[observations->count] =
        (struct cvg_seen){.leaf = *leaf, .first_s = now_s, .last_s = now_s};
    return observations->count++;
}

static struct cvg_view *view_of(struct cvg_observations *observations, enum cvg_key_type key_type,
                                const struct cvg_address *address)
{
    for (size_t i = 0; i < observations->view_count; i++) {
        struct cvg_view *view = &observations->view[i];
        if (view->key_type == key_type && cvg_address_equal(&view->address, address))
            return view;
    }
    if (observations->view_count == CVG_VIEWS_MAX)
        drop_oldest_view(observations);
    struct cvg_view *view = &observations->view[observations->view_count++];
    *view = (struct cvg_view){.address = *address, .key_type = (uint8_t)key_type};
    return view;
}

int64_t cvg_observations_time(const struct cvg_observations *observations, int64_t now_s)
{
    int64_t newest_s = INT64_MIN;
    for (size_t i = 0; i < observations->view_count; i++)
        if (observations->view[i].last_s > newest_s &&
            observations->view[i].last_s < now_s + CLOCK_SLACK_S)
            newest_s = observations->view[i].last_s;
    return newest_s < now_s ? now_s : newest_s + 1;
}

static void drop_future_views(struct cvg_observations *observations, int64_t now_s)
{
    for (size_t i = observations->view_count; i-- > 0;)
        if (observations->view[i].last_s > now_s + CLOCK_SLACK_S)
            drop_view(observations, i);
}

enum cvg_error cvg_observations_add(struct cvg_observations *observations,
                                    const struct cvg_leaf *leaf, const struct cvg_address *address,
                                    int64_t now_s)
{
    enum cvg_error err = reserve(observations);
    if (err != CVG_OK)
        return err;
    drop_future_views(observations, now_s);
    size_t record = record_of(observations, leaf, now_s);
    struct cvg_view *view = view_of(observations, leaf->key_type, address);
    view->record = (uint8_t)record;
    view->last_s = now_s;
    if (observations->record[record].last_s < now_s)
        observations->record[record].last_s = now_s;
    return CVG_OK;
}

void cvg_observations_judge(struct cvg_observations *observations, enum cvg_verifier_id verifier,
                            const uint8_t sha256[static CVG_SHA256_LEN],
                            enum cvg_v2_opinion opinion, int64_t now_s)
{
    size_t index = cvg_opinion_index(verifier);
    for (size_t i = 0; i < observations->count; i++) {
        struct cvg_seen *seen = &observations->record[i];
        if (memcmp(seen->leaf.sha256, sha256, CVG_SHA256_LEN) != 0)
            continue;
        seen->opinion[index] = (uint8_t)opinion;
        observations->checked_s[index] = now_s;
    }
}

/* Whether others were seen before it, and it was seen for a moment only. Where there are as many as
 * may be, those that were seen before may have gone. */
static bool is_on_trial(const struct cvg_observations *observations, const struct cvg_seen *seen)
{
    if (seen->last_s - seen->first_s >= CVG_TRIAL_S)
        return false;
    if (observations->count >= CVG_V2_RECORDS_MAX)
        return true;
    for (size_t i = 0; i < observations->count; i++)
        if (observations->record[i].first_s < seen->first_s)
            return true;
    return false;
}

/* For how long a view counts. */
static int64_t lifetime(const struct cvg_observations *observations, const struct cvg_view *view,
                        int64_t max_age_s)
{
    return max_age_s > CVG_TRIAL_S && is_on_trial(observations, &observations->record[view->record])
               ? CVG_TRIAL_S
               : max_age_s;
}

static bool view_is_newest(const struct cvg_observations *observations, const struct cvg_view *view,
                           int64_t now_s)
{
    if (view->last_s > now_s + CLOCK_SLACK_S)
        return false;
    for (size_t i = 0; i < observations->view_count; i++) {
        const struct cvg_view *other = &observations->view[i];
        if (other->last_s > view->last_s && other->last_s <= now_s + CLOCK_SLACK_S &&
            cvg_address_equal(&other->address, &view->address))
            return false;
    }
    return true;
}

static bool view_is_current(const struct cvg_observations *observations,
                            const struct cvg_view *view, int64_t now_s, int64_t max_age_s)
{
    return view->last_s > now_s - lifetime(observations, view, max_age_s) &&
           view_is_newest(observations, view, now_s);
}

bool cvg_observations_untried(const struct cvg_observations *observations, size_t record,
                              int64_t now_s)
{
    for (size_t i = 0; i < observations->view_count; i++) {
        const struct cvg_view *view = &observations->view[i];
        if (view->record == record && view->last_s <= now_s - CVG_TRIAL_S &&
            is_on_trial(observations, &observations->record[record]) &&
            view_is_newest(observations, view, now_s))
            return true;
    }
    return false;
}

bool cvg_observations_current(const struct cvg_observations *observations, size_t record,
                              int64_t now_s, int64_t max_age_s)
{
    for (size_t i = 0; i < observations->view_count; i++)
        if (observations->view[i].record == record &&
            view_is_current(observations, &observations->view[i], now_s, max_age_s))
            return true;
    return false;
}

int64_t cvg_observations_expiry(const struct cvg_observations *observations, int64_t now_s,
                                int64_t max_age_s)
{
    int64_t expiry = INT64_MAX;
    for (size_t i = 0; i < observations->view_count; i++) {
        const struct cvg_view *view = &observations->view[i];
        int64_t until_s = view->last_s + lifetime(observations, view, max_age_s);
        if (until_s < expiry && view_is_current(observations, view, now_s, max_age_s))
            expiry = until_s;
    }
    return expiry;
}

int64_t cvg_observations_newest(const struct cvg_observations *observations)
{
    int64_t newest = 0;
    for (size_t i = 0; i < observations->count; i++)
        if (observations->record[i].last_s > newest)
            newest = observations->record[i].last_s;
    return newest;
}

size_t cvg_observations_list(const struct cvg_observations *observations, int64_t now_s,
                             int64_t max_age_s, struct cvg_v2_record *ret_record)
{
    size_t count = 0;
    for (size_t i = 0; i < observations->count; i++) {
        const struct cvg_seen *seen = &observations->record[i];
        size_t at = count++;
        for (; at > 0 && ret_record[at - 1].last_s < seen->last_s; at--)
            ret_record[at] = ret_record[at - 1];
        ret_record[at] = (struct cvg_v2_record){
            .leaf = seen->leaf,
            .current = cvg_observations_current(observations, i, now_s, max_age_s),
            .first_s = seen->first_s,
            .last_s = seen->last_s,
        };
    }
    return count;
}

/* Of what is older than this it may have known more and dropped it, since it has as much as it may
 * hold. A certificate that goes takes views along that are no newer than any other certificate; a
 * view that goes is the oldest. */
static int64_t horizon(const struct cvg_observations *observations)
{
    bool all_records = observations->count == CVG_V2_RECORDS_MAX;
    int64_t records = INT64_MAX, views = INT64_MAX;
    if (!all_records && observations->view_count < CVG_VIEWS_MAX)
        return INT64_MIN;
    for (size_t i = 0; i < observations->count; i++)
        if (observations->record[i].last_s < records)
            records = observations->record[i].last_s;
    for (size_t i = 0; i < observations->view_count; i++)
        if (observations->view[i].last_s < views)
            views = observations->view[i].last_s;
    return all_records && records > views ? records : views;
}

/* Takes a record into the union, which has room; returns its index there. fresh: whose opinions
 * are newer than those of the union. */
static size_t unite_record(struct cvg_observations *all, const struct cvg_seen *seen,
                           const bool fresh[static CVG_OPINIONS])
{
    for (size_t i = 0; i < all->count; i++) {
        struct cvg_seen *had = &all->record[i];
        if (memcmp(had->leaf.sha256, seen->leaf.sha256, CVG_SHA256_LEN) != 0)
            continue;
        if (seen->first_s < had->first_s)
            had->first_s = seen->first_s;
        if (seen->last_s > had->last_s)
            had->last_s = seen->last_s;
        for (size_t k = 0; k < CVG_OPINIONS; k++)
            if (fresh[k])
                had->opinion[k] = seen->opinion[k];
        return i;
    }
    all->record[all->count] = *seen;
    return all->count++;
}

static void unite_view(struct cvg_observations *all, const struct cvg_view *view)
{
    for (size_t i = 0; i < all->view_count; i++) {
        struct cvg_view *had = &all->view[i];
        if (had->key_type != view->key_type || !cvg_address_equal(&had->address, &view->address))
            continue;
        if (view->last_s >= had->last_s)
            *had = *view;
        return;
    }
    all->view[all->view_count++] = *view;
}

static void unite(struct cvg_observations *all, const struct cvg_observations *some,
                  int64_t horizon_s, int64_t now_s)
{
    size_t place[CVG_V2_RECORDS_MAX];
    bool fresh[CVG_OPINIONS];
    for (size_t k = 0; k < CVG_OPINIONS; k++) {
        fresh[k] = some->checked_s[k] >= all->checked_s[k];
        if (fresh[k])
            all->checked_s[k] = some->checked_s[k];
    }
    for (size_t i = 0; i < some->count; i++)
        place[i] = unite_record(all, &some->record[i], fresh);
    for (size_t i = 0; i < some->view_count; i++) {
        struct cvg_view view = some->view[i];
        if (view.last_s < horizon_s || view.last_s - now_s > CLOCK_SLACK_S)
            continue;
        view.record = (uint8_t)place[view.record];
        unite_view(all, &view);
    }
}

enum cvg_error cvg_observations_merge(struct cvg_observations *into,
                                      const struct cvg_observations *from, int64_t now_s)
{
    struct cvg_observations all = {
        .record = calloc(into->count + from->count + 1, sizeof(*all.record)),
        .view = calloc(into->view_count + from->view_count + 1, sizeof(*all.view)),
    };
    if (all.record == NULL || all.view == NULL) {
        cvg_observations_free(&all);
        return CVG_ERR_NOMEM;
    }
    int64_t one_s = horizon(into), other_s = horizon(from);
    unite(&all, into, one_s > other_s ? one_s : other_s, now_s);
    unite(&all, from, one_s > other_s ? one_s : other_s, now_s);
    while (all.count > CVG_V2_RECORDS_MAX)
        drop_oldest_record(&all);
    while (all.view_count > CVG_VIEWS_MAX)
        drop_oldest_view(&all);
    cvg_observations_free(into);
    *into = all;
    return CVG_OK;
}

bool cvg_observations_supersede(const struct cvg_observations *newer,
                                const struct cvg_observations *older)
{
    for (size_t i = 0; i < older->count; i++) {
        const struct cvg_seen *seen = &older->record[i];
        size_t j = 0;
        while (j < newer->count &&
               memcmp(newer->record[j].leaf.sha256, seen->leaf.sha256, CVG_SHA256_LEN) != 0)
            j++;
        if (j == newer->count || newer->record[j].first_s > seen->first_s ||
            newer->record[j].last_s < seen->last_s)
            return false;
    }
    return true;
}
