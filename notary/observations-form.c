/* SPDX-License-Identifier: MIT */
/* The form in which observations are stored. */
#include "notary/observations.h"

#include <stdlib.h>
#include <string.h>

#define TAIL_VERSION 1
#define OPINION_BITS 2

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
