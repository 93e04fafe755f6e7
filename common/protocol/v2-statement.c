/* SPDX-License-Identifier: MIT */
/* Version 2's statement: what a notary says of one target, as the octets that are signed; and what
 * a client must check before it believes one. */
#include "common/protocol/v2-octets.h"

#include <string.h>

enum { FLAG_CURRENT = 1 };

static bool status_valid(unsigned status)
{
    return status >= CVG_V2_SEEN && status <= CVG_V2_UNREACHABLE;
}

/* "Seen" and a current record come together or not at all. */
static bool records_fit(const struct cvg_v2_statement *statement)
{
    bool current = false;

    for (size_t i = 0; i < statement->count; i++)
        current = current || statement->record[i].current;
    return current == (statement->status == CVG_V2_SEEN);
}

static bool times_valid(const struct cvg_v2_statement *statement)
{
    for (size_t i = 0; i < statement->count; i++)
        if (statement->record[i].first_s < 0 || statement->record[i].last_s < 0)
            return false;
    return statement->observed_s >= 0;
}

static void record_put(struct cvg_buffer *buffer, const struct cvg_v2_record *record)
{
    const struct cvg_leaf *leaf = &record->leaf;

    cvg_buffer_put_u8(buffer, record->current ? FLAG_CURRENT : 0);
    cvg_buffer_put_u8(buffer, (uint8_t)leaf->key_type);
    cvg_buffer_put(buffer, leaf->sha256, sizeof leaf->sha256);
    cvg_buffer_put(buffer, leaf->sha1, sizeof leaf->sha1);
    cvg_buffer_put(buffer, leaf->spki_sha256, sizeof leaf->spki_sha256);
    cvg_buffer_put_u64(buffer, (uint64_t)record->first_s);
    cvg_buffer_put_u64(buffer, (uint64_t)record->last_s);
}

enum cvg_error cvg_v2_statement_write(const struct cvg_v2_statement *statement,
                                      struct cvg_buffer *ret_buffer)
{
    const struct cvg_v2_statement *s = statement;

    if (cvg_v2_endpoint_check(&s->endpoint) != CVG_OK || !status_valid(s->status) ||
        s->count > CVG_V2_RECORDS_MAX || !records_fit(s) || !times_valid(s) ||
        !cvg_v2_opinions_valid(s))
        return CVG_ERR_ARGUMENT;
    cvg_buffer_put(ret_buffer, CVG_V2_DOMAIN, sizeof CVG_V2_DOMAIN);
    cvg_buffer_put_u8(ret_buffer, CVG_V2_VERSION);
    cvg_buffer_put(ret_buffer, s->key_id, sizeof s->key_id);
    cvg_v2_host_put(ret_buffer, s->endpoint.host);
    cvg_buffer_put_u16(ret_buffer, s->endpoint.port);
    cvg_buffer_put_u8(ret_buffer, s->hint);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)s->status);
    cvg_buffer_put_u64(ret_buffer, (uint64_t)s->observed_s);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        record_put(ret_buffer, &s->record[i]);
    cvg_buffer_put_u16(ret_buffer, (uint16_t)cvg_v2_opinions_len(s));
    cvg_v2_opinions_put(ret_buffer, s);
    return cvg_buffer_error(ret_buffer);
}

static void octets_read(struct cvg_reader *reader, uint8_t *ret_octets, size_t len)
{
    const uint8_t *octets = cvg_reader_take(reader, len);

    if (octets)
        memcpy(ret_octets, octets, len);
}

/* A time that no int64_t holds becomes negative, which times_valid refuses. */
static int64_t time_read(struct cvg_reader *reader)
{
    return (int64_t)cvg_reader_u64(reader);
}

static enum cvg_key_type key_type_of(unsigned octet)
{
    return octet <= CVG_KEY_ED448 ? (enum cvg_key_type)octet : CVG_KEY_OTHER;
}

static void record_read(struct cvg_reader *reader, struct cvg_v2_record *record)
{
    record->current = cvg_reader_u8(reader) & FLAG_CURRENT;
    record->leaf.key_type = key_type_of(cvg_reader_u8(reader));
    octets_read(reader, record->leaf.sha256, sizeof record->leaf.sha256);
    octets_read(reader, record->leaf.sha1, sizeof record->leaf.sha1);
    octets_read(reader, record->leaf.spki_sha256, sizeof record->leaf.spki_sha256);
    record->first_s = time_read(reader);
    record->last_s = time_read(reader);
}

static enum cvg_error front_read(struct cvg_reader *reader, struct cvg_v2_statement *statement,
                                 struct cvg_why *ret_why)
{
    const uint8_t *domain = cvg_reader_take(reader, sizeof CVG_V2_DOMAIN);
    unsigned version = cvg_reader_u8(reader);

    if (!domain || memcmp(domain, CVG_V2_DOMAIN, sizeof CVG_V2_DOMAIN) != 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "not a notary's statement");
    if (version != CVG_V2_VERSION)
        return cvg_fail(ret_why, CVG_ERR_VERSION, "a statement of version %u, expected %d", version,
                        CVG_V2_VERSION);
    octets_read(reader, statement->key_id, sizeof statement->key_id);
    return cvg_v2_endpoint_read(reader, &statement->endpoint, ret_why);
}

static enum cvg_error records_read(struct cvg_reader *reader, struct cvg_v2_statement *statement,
                                   struct cvg_why *ret_why)
{
    unsigned status;

    statement->hint = cvg_reader_u8(reader);
    status = cvg_reader_u8(reader);
    statement->status = (enum cvg_v2_status)status;
    statement->observed_s = time_read(reader);
    statement->count = cvg_reader_u8(reader);
    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the statement is too short");
    if (!status_valid(status))
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown status %u", status);
    if (statement->count > CVG_V2_RECORDS_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%zu records, at most %d are allowed",
                        statement->count, CVG_V2_RECORDS_MAX);
    for (size_t i = 0; i < statement->count; i++)
        record_read(reader, &statement->record[i]);
    return CVG_OK;
}

static enum cvg_error extension_read(struct cvg_reader *reader, struct cvg_v2_statement *statement,
                                     struct cvg_why *ret_why)
{
    unsigned type = cvg_reader_u16(reader);
    size_t len = cvg_reader_u16(reader);
    const uint8_t *octets = cvg_reader_take(reader, len);

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "malformed extensions");
    if (type != CVG_V2_EXT_OPINIONS)
        return CVG_OK;
    return cvg_v2_opinions_read(octets, len, statement, ret_why);
}

/* Skips the extensions nobody knows yet; that they are well formed is checked all the same so that
 * a statement has one reading. */
static enum cvg_error extensions_read(struct cvg_reader *reader, struct cvg_v2_statement *statement,
                                      struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u16(reader);
    const uint8_t *octets = cvg_reader_take(reader, len);
    struct cvg_reader inner;
    enum cvg_error err = CVG_OK;

    if (cvg_reader_done(reader) != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the statement is too short or too long");
    cvg_reader_init(&inner, octets, len);
    while (inner.left > 0 && err == CVG_OK)
        err = extension_read(&inner, statement, ret_why);
    return err;
}

enum cvg_error cvg_v2_statement_parse(const void *data, size_t len,
                                      struct cvg_v2_statement *ret_statement,
                                      struct cvg_why *ret_why)
{
    struct cvg_v2_statement statement;
    struct cvg_reader reader;
    enum cvg_error err;

    memset(&statement, 0, sizeof statement);
    if (len > CVG_V2_STATEMENT_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a statement of %zu octets, at most %d are allowed",
                        len, CVG_V2_STATEMENT_MAX);
    cvg_reader_init(&reader, data, len);
    err = front_read(&reader, &statement, ret_why);
    if (err == CVG_OK)
        err = records_read(&reader, &statement, ret_why);
    if (err == CVG_OK)
        err = extensions_read(&reader, &statement, ret_why);
    if (err == CVG_OK && !times_valid(&statement))
        err = cvg_fail(ret_why, CVG_ERR_RANGE, "a time beyond all calendars");
    if (err == CVG_OK && !records_fit(&statement))
        err = cvg_fail(ret_why, CVG_ERR_PROTOCOL, "the status and the records contradict");
    if (err == CVG_OK)
        *ret_statement = statement;
    return err;
}

static const struct cvg_verify_key *key_of(const uint8_t *id, struct cvg_verify_key *const *key,
                                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(cvg_verify_key_id(key[i]), id, CVG_SHA256_LEN) == 0)
            return key[i];
    return NULL;
}

enum cvg_error cvg_v2_statement_verify(const struct cvg_v2_signed *item,
                                       struct cvg_verify_key *const *key, size_t key_count,
                                       const struct cvg_endpoint *asked, uint8_t asked_hint,
                                       struct cvg_v2_statement *ret_statement,
                                       struct cvg_why *ret_why)
{
    struct cvg_v2_statement statement;
    const struct cvg_verify_key *signer;
    enum cvg_error err;

    err = cvg_v2_statement_parse(item->statement, item->statement_len, &statement, ret_why);
    if (err != CVG_OK)
        return err;
    signer = key_of(statement.key_id, key, key_count);
    if (!signer)
        return cvg_fail(ret_why, CVG_ERR_SIGNATURE, "signed by a key the bundle does not name");
    err = cvg_verify(signer, item->statement, item->statement_len, item->signature,
                     item->signature_len);
    if (err != CVG_OK)
        return cvg_fail(ret_why, err, "the statement's signature is not good");
    if (cvg_endpoint_cmp(&statement.endpoint, asked) != 0 || statement.hint != asked_hint)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "a statement about another target, %s port %u",
                        statement.endpoint.host, (unsigned)statement.endpoint.port);
    *ret_statement = statement;
    return CVG_OK;
}
