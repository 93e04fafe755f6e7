/* SPDX-License-Identifier: MIT */
/* What a notary's verifiers say of a statement's records, as extensions of the statement. What the
 * network perspective says is which records are current: it has no extension, so that nothing can
 * contradict it. */
#include "common/protocol/v2-octets.h"

#include <string.h>

enum {
    EXTENSION_HEAD = 4, /* type and length */
    OPINIONS_HEAD = 10  /* verifier, checked, count */
};

static size_t opinion_count(const struct cvg_v2_opinions *opinions)
{
    size_t count = 0;

    for (size_t i = 0; i < CVG_V2_RECORDS_MAX; i++)
        count += opinions->opinion[i] != CVG_V2_OPINION_NONE;
    return count;
}

/* Whether one of the first count speaks for that verifier. */
static bool speaks(const struct cvg_v2_statement *statement, size_t count, unsigned verifier)
{
    for (size_t i = 0; i < count; i++)
        if (statement->opinions[i].verifier == verifier)
            return true;
    return false;
}

static bool verifier_valid(unsigned verifier)
{
    return verifier != 0 && verifier != CVG_VERIFIER_NETWORK;
}

static bool records_valid(const struct cvg_v2_opinions *opinions, size_t record_count)
{
    for (size_t i = 0; i < CVG_V2_RECORDS_MAX; i++)
        if (opinions->opinion[i] > (i < record_count ? CVG_V2_OPINION_NO : CVG_V2_OPINION_NONE))
            return false;
    return true;
}

bool cvg_v2_opinions_valid(const struct cvg_v2_statement *statement)
{
    if (statement->opinions_count > CVG_V2_VERIFIERS_MAX)
        return false;
    for (size_t i = 0; i < statement->opinions_count; i++) {
        const struct cvg_v2_opinions *opinions = &statement->opinions[i];

        if (!verifier_valid(opinions->verifier) || speaks(statement, i, opinions->verifier) ||
            opinions->checked_s < 0 || !records_valid(opinions, statement->count))
            return false;
    }
    return true;
}

size_t cvg_v2_opinions_len(const struct cvg_v2_statement *statement)
{
    size_t len = 0;

    for (size_t i = 0; i < statement->opinions_count; i++)
        len += EXTENSION_HEAD + OPINIONS_HEAD + 2 * opinion_count(&statement->opinions[i]);
    return len;
}

static void put_one(struct cvg_buffer *buffer, const struct cvg_v2_opinions *opinions)
{
    size_t count = opinion_count(opinions);

    cvg_buffer_put_u16(buffer, CVG_V2_EXT_OPINIONS);
    cvg_buffer_put_u16(buffer, (uint16_t)(OPINIONS_HEAD + 2 * count));
    cvg_buffer_put_u8(buffer, opinions->verifier);
    cvg_buffer_put_u64(buffer, (uint64_t)opinions->checked_s);
    cvg_buffer_put_u8(buffer, (uint8_t)count);
    for (size_t i = 0; i < CVG_V2_RECORDS_MAX; i++) {
        if (opinions->opinion[i] == CVG_V2_OPINION_NONE)
            continue;
        cvg_buffer_put_u8(buffer, (uint8_t)i);
        cvg_buffer_put_u8(buffer, opinions->opinion[i]);
    }
}

void cvg_v2_opinions_put(struct cvg_buffer *buffer, const struct cvg_v2_statement *statement)
{
    for (size_t i = 0; i < statement->opinions_count; i++)
        put_one(buffer, &statement->opinions[i]);
}

/* The records' indexes rise, so none comes twice. */
static enum cvg_error records_read(struct cvg_reader *reader, size_t count, size_t record_count,
                                   struct cvg_v2_opinions *opinions, struct cvg_why *ret_why)
{
    size_t next = 0;

    for (size_t i = 0; i < count; i++) {
        size_t record = cvg_reader_u8(reader);
        unsigned opinion = cvg_reader_u8(reader);

        if (reader->error != CVG_OK)
            break; /* told by the caller */
        if (record < next || record >= record_count)
            return cvg_fail(ret_why, CVG_ERR_RANGE, "an opinion of record %zu of %zu, not in order",
                            record, record_count);
        if (opinion != CVG_V2_OPINION_YES && opinion != CVG_V2_OPINION_NO)
            return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown opinion %u", opinion);
        opinions->opinion[record] = (uint8_t)opinion;
        next = record + 1;
    }
    if (cvg_reader_done(reader) != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "opinions too short or too long");
    return CVG_OK;
}

enum cvg_error cvg_v2_opinions_read(const uint8_t *octets, size_t len,
                                    struct cvg_v2_statement *statement, struct cvg_why *ret_why)
{
    struct cvg_v2_opinions opinions = {.verifier = 0};
    struct cvg_reader reader;
    enum cvg_error err;
    size_t count;

    cvg_reader_init(&reader, octets, len);
    opinions.verifier = cvg_reader_u8(&reader);
    opinions.checked_s = (int64_t)cvg_reader_u64(&reader);
    count = cvg_reader_u8(&reader);
    err = records_read(&reader, count, statement->count, &opinions, ret_why);
    if (err != CVG_OK)
        return err;
    if (opinions.checked_s < 0)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a time beyond all calendars");
    if (!verifier_valid(opinions.verifier) ||
        speaks(statement, statement->opinions_count, opinions.verifier))
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "opinions of verifier %u, which has others",
                        (unsigned)opinions.verifier);
    if (statement->opinions_count == CVG_V2_VERIFIERS_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "opinions of more than %d verifiers",
                        CVG_V2_VERIFIERS_MAX);
    statement->opinions[statement->opinions_count++] = opinions;
    return CVG_OK;
}
