/* SPDX-License-Identifier: MIT */
/* What a notary has seen of one target. */
#include "notary/observations.h"

#include <stdlib.h>
#include <string.h>

#define CLOCK_SLACK_S 60
#define TAIL_VERSION  1
#define OPINION_BITS  2

void cvg_observations_free(struct cvg_observations *observations)
{
    if (observations == NULL)
        return;
    free(observations->record);
    free(observations->view);
    memset(observations, 0, sizeof(*observations));
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

enum cvg_error cvg_observations_add(struct cvg_observations *observations,
                                    const struct cvg_leaf *leaf, const struct cvg_address *address,
                                    int64_t now_s)
{
    enum cvg_error err = reserve(observations);
    if (err != CVG_OK)
        return err;
    size_t record = record_of(observations, leaf, now_s);
    struct cvg_view *view = view_of(observations, leaf->key_type, address);
    view->record = (uint8_t)record;
    view->last_s = now_s;
    if (observations->record[record].last_s < now_s)
        observations->record[record].last_s = now_s;
    return CVG_OK;
}

void cvg_observations_judge(struct cvg_observations *observations, enum cvg_verifier_id verifier,
                            const struct cvg_leaf *leaf, enum cvg_v2_opinion opinion, int64_t now_s)
{
    size_t index = cvg_opinion_index(verifier);
    for (size_t i = 0; i < observations->count; i++) {
        struct cvg_seen *seen = &observations->record[i];
        if (memcmp(seen->leaf.sha256, leaf->sha256, CVG_SHA256_LEN) != 0)
            continue;
        seen->opinion[index] = (uint8_t)opinion;
        observations->checked_s[index] = now_s;
    }
}

static bool view_is_current(const struct cvg_view *view, int64_t now_s, int64_t max_age_s)
{
    return view->last_s <= now_s + CLOCK_SLACK_S && view->last_s > now_s - max_age_s;
}

bool cvg_observations_current(const struct cvg_observations *observations, size_t record,
                              int64_t now_s, int64_t max_age_s)
{
    for (size_t i = 0; i < observations->view_count; i++)
        if (observations->view[i].record == record &&
            view_is_current(&observations->view[i], now_s, max_age_s))
            return true;
    return false;
}

int64_t cvg_observations_expiry(const struct cvg_observations *observations, int64_t now_s,
                                int64_t max_age_s)
{
    int64_t expiry = INT64_MAX;
    for (size_t i = 0; i < observations->view_count; i++) {
        const struct cvg_view *view = &observations->view[i];
        if (view_is_current(view, now_s, max_age_s) && view->last_s + max_age_s < expiry)
            expiry = view->last_s + max_age_s;
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

/* Whether any verifier was ever asked. */
static bool judged(const struct cvg_observations *observations)
{
    for (size_t i = 0; i < CVG_OPINIONS; i++)
        if (observations->checked_s[i] != 0)
            return true;
    return false;
}

static void write_tail(const struct cvg_observations *observations, struct cvg_buffer *ret_buffer)
{
    cvg_buffer_put_u8(ret_buffer, TAIL_VERSION);
    for (size_t i = 0; i < CVG_OPINIONS; i++)
        cvg_buffer_put_u64(ret_buffer, (uint64_t)observations->checked_s[i]);
    for (size_t i = 0; i < observations->count; i++) {
        unsigned packed = 0;
        for (size_t k = 0; k < CVG_OPINIONS; k++)
            packed |= (unsigned)observations->record[i].opinion[k] << OPINION_BITS * k;
        cvg_buffer_put_u8(ret_buffer, (uint8_t)packed);
    }
}

enum cvg_error cvg_observations_write(const struct cvg_observations *observations,
                                      struct cvg_buffer *ret_buffer)
{
    cvg_buffer_put_u8(ret_buffer, (uint8_t)observations->count);
    for (size_t i = 0; i < observations->count; i++) {
        const struct cvg_seen *seen = &observations->record[i];
        cvg_buffer_put(ret_buffer, seen->leaf.sha256, CVG_SHA256_LEN);
        cvg_buffer_put(ret_buffer, seen->leaf.sha1, CVG_SHA1_LEN);
        cvg_buffer_put(ret_buffer, seen->leaf.spki_sha256, CVG_SHA256_LEN);
        cvg_buffer_put_u8(ret_buffer, (uint8_t)seen->leaf.key_type);
        cvg_buffer_put_u64(ret_buffer, (uint64_t)seen->first_s);
        cvg_buffer_put_u64(ret_buffer, (uint64_t)seen->last_s);
    }
    cvg_buffer_put_u8(ret_buffer, (uint8_t)observations->view_count);
    for (size_t i = 0; i < observations->view_count; i++) {
        const struct cvg_view *view = &observations->view[i];
        cvg_buffer_put_u8(ret_buffer, view->address.family);
        cvg_buffer_put(ret_buffer, view->address.bytes, sizeof(view->address.bytes));
        cvg_buffer_put_u8(ret_buffer, view->key_type);
        cvg_buffer_put_u8(ret_buffer, view->record);
        cvg_buffer_put_u64(ret_buffer, (uint64_t)view->last_s);
    }
    if (judged(observations))
        write_tail(observations, ret_buffer);
    return cvg_buffer_error(ret_buffer);
}

static void copy(struct cvg_reader *reader, uint8_t *ret_bytes, size_t len)
{
    const uint8_t *bytes = cvg_reader_take(reader, len);
    if (bytes != NULL)
        memcpy(ret_bytes, bytes, len);
}

static enum cvg_error parse_records(struct cvg_reader *reader, struct cvg_observations *parsed)
{
    size_t count = cvg_reader_u8(reader);
    if (count > CVG_V2_RECORDS_MAX)
        return CVG_ERR_RANGE;
    parsed->record = calloc(count + 1, sizeof(*parsed->record));
    if (parsed->record == NULL)
        return CVG_ERR_NOMEM;
    for (; parsed->count < count; parsed->count++) {
        struct cvg_seen *seen = &parsed->record[parsed->count];
        copy(reader, seen->leaf.sha256, CVG_SHA256_LEN);
        copy(reader, seen->leaf.sha1, CVG_SHA1_LEN);
        copy(reader, seen->leaf.spki_sha256, CVG_SHA256_LEN);
        unsigned key_type = cvg_reader_u8(reader);
        if (key_type > CVG_KEY_ED448)
            return CVG_ERR_RANGE;
        seen->leaf.key_type = (enum cvg_key_type)key_type;
        seen->first_s = (int64_t)cvg_reader_u64(reader);
        seen->last_s = (int64_t)cvg_reader_u64(reader);
        if (seen->first_s < 0 || seen->last_s < seen->first_s)
            return CVG_ERR_RANGE;
    }
    return CVG_OK;
}

static enum cvg_error parse_views(struct cvg_reader *reader, struct cvg_observations *parsed)
{
    size_t count = cvg_reader_u8(reader);
    if (count > CVG_VIEWS_MAX)
        return CVG_ERR_RANGE;
    parsed->view = calloc(count + 1, sizeof(*parsed->view));
    if (parsed->view == NULL)
        return CVG_ERR_NOMEM;
    for (; parsed->view_count < count; parsed->view_count++) {
        struct cvg_view *view = &parsed->view[parsed->view_count];
        view->address.family = cvg_reader_u8(reader);
        copy(reader, view->address.bytes, sizeof(view->address.bytes));
        view->key_type = cvg_reader_u8(reader);
        view->record = cvg_reader_u8(reader);
        view->last_s = (int64_t)cvg_reader_u64(reader);
        if (reader->error == CVG_OK &&
            ((view->address.family != 4 && view->address.family != 6) ||
             view->key_type > CVG_KEY_ED448 || view->record >= parsed->count || view->last_s < 0))
            return CVG_ERR_RANGE;
    }
    return CVG_OK;
}

/* The opinions of one record; false if the octet is none that is written. */
static bool unpack(unsigned packed, uint8_t ret_opinion[static CVG_OPINIONS])
{
    for (size_t i = 0; i < CVG_OPINIONS; i++, packed >>= OPINION_BITS) {
        ret_opinion[i] = packed & ((1 << OPINION_BITS) - 1);
        if (ret_opinion[i] > CVG_V2_OPINION_NO)
            return false;
    }
    return packed == 0;
}

/* What verifiers said, if they were ever asked. */
static enum cvg_error parse_tail(struct cvg_reader *reader, struct cvg_observations *parsed)
{
    if (reader->left == 0)
        return CVG_OK;
    if (cvg_reader_u8(reader) != TAIL_VERSION)
        return CVG_ERR_VERSION;
    for (size_t i = 0; i < CVG_OPINIONS; i++) {
        parsed->checked_s[i] = (int64_t)cvg_reader_u64(reader);
        if (parsed->checked_s[i] < 0)
            return CVG_ERR_RANGE;
    }
    for (size_t i = 0; i < parsed->count; i++)
        if (!unpack(cvg_reader_u8(reader), parsed->record[i].opinion))
            return CVG_ERR_RANGE;
    return reader->error == CVG_OK && !judged(parsed) ? CVG_ERR_RANGE : CVG_OK;
}

enum cvg_error cvg_observations_parse(const void *data, size_t len,
                                      struct cvg_observations *ret_observations)
{
    struct cvg_observations parsed = {0};
    struct cvg_reader reader;
    cvg_reader_init(&reader, data, len);
    enum cvg_error err = parse_records(&reader, &parsed);
    if (err == CVG_OK)
        err = parse_views(&reader, &parsed);
    if (err == CVG_OK)
        err = parse_tail(&reader, &parsed);
    if (err == CVG_OK)
        err = cvg_reader_done(&reader);
    if (err != CVG_OK) {
        cvg_observations_free(&parsed);
        return err;
    }
    *ret_observations = parsed;
    return CVG_OK;
}
