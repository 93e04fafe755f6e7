/* SPDX-License-Identifier: MIT */
/* The octets of the history's records: written from a verdict, and parsed with the suspicion that
 * a damaged file deserves. */
#include "common/engine/history-record.h"

#include <string.h>

#include "common/engine/check-text.h"
#include "common/engine/crc32c.h"
#include "common/protocol/message-head.h"

enum { FLAG_BOUNCED = 1 };

#define VERSION   1
#define SAID_BITS 2

static const uint8_t magic[4] = {'C', 'V', 'H', VERSION};

enum cvg_history_kind cvg_history_kind_of(const struct cvg_verdict_entry *entry)
{
    /* The program would have been without this connection anyway. */
    if (entry->reason == CVG_REASON_PKI_FAILED)
        return CVG_HISTORY_EVERYDAY;
    switch (entry->verdict) {
    case CVG_VERDICT_AGREE:
    case CVG_VERDICT_EXEMPT:
        return CVG_HISTORY_EVERYDAY;
    case CVG_VERDICT_DISAGREE:
        return CVG_HISTORY_REFUSED;
    case CVG_VERDICT_UNDECIDED:
    case CVG_VERDICT_NONE:
        break;
    }
    return CVG_HISTORY_UNDECIDED;
}

static void put_short(struct cvg_buffer *buffer, const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    cvg_buffer_put_u8(buffer, (uint8_t)len);
    cvg_buffer_put(buffer, text, len);
}

static void put_vote(struct cvg_buffer *buffer, const struct cvg_vote *vote)
{
    unsigned said = 0;

    for (size_t i = 0; i < CVG_SAYERS; i++)
        said |= (unsigned)vote->said[i] << (SAID_BITS * i);
    put_short(buffer, vote->notary, sizeof vote->notary - 1);
    cvg_buffer_put_u8(buffer, (uint8_t)vote->kind);
    cvg_buffer_put_u8(buffer, (uint8_t)vote->error);
    cvg_buffer_put_u32(buffer, vote->elapsed_ms);
    cvg_buffer_put_u8(buffer, vote->bounced ? FLAG_BOUNCED : 0);
    cvg_buffer_put_u8(buffer, (uint8_t)said);
}

/* An everyday sentence follows from the rest, and need not be kept. */
static void put_text(struct cvg_buffer *buffer, const struct cvg_verdict_entry *entry)
{
    bool kept = entry->text != NULL && cvg_history_kind_of(entry) != CVG_HISTORY_EVERYDAY;
    size_t len = kept ? strnlen(entry->text, CVG_MESSAGE_TEXT_MAX - 1) : 0;

    cvg_buffer_put_u16(buffer, (uint16_t)len);
    cvg_buffer_put(buffer, entry->text, len);
}

static void put_body(struct cvg_buffer *buffer, uint64_t order,
                     const struct cvg_verdict_entry *entry)
{
    cvg_buffer_put_u64(buffer, order);
    cvg_buffer_put_u64(buffer, (uint64_t)entry->time_s);
    cvg_buffer_put_u32(buffer, entry->uid);
    cvg_buffer_put_u32(buffer, (uint32_t)entry->pid);
    cvg_buffer_put_u8(buffer, (uint8_t)entry->verdict);
    cvg_buffer_put_u8(buffer, (uint8_t)entry->action);
    cvg_buffer_put_u8(buffer, (uint8_t)entry->reason);
    cvg_buffer_put_u8(buffer, (uint8_t)entry->pki);
    cvg_buffer_put_u16(buffer, entry->port);
    cvg_buffer_put_u32(buffer, entry->elapsed_ms);
    cvg_buffer_put_u8(buffer, entry->fingerprint.len);
    cvg_buffer_put(buffer, entry->fingerprint.bytes, entry->fingerprint.len);
    put_short(buffer, entry->host, sizeof entry->host - 1);
    put_short(buffer, entry->program, sizeof entry->program - 1);
    put_text(buffer, entry);
    cvg_buffer_put_u8(buffer, (uint8_t)entry->vote_count);
    for (size_t i = 0; i < entry->vote_count; i++)
        put_vote(buffer, &entry->vote[i]);
}

void cvg_history_record_put(struct cvg_buffer *buffer, uint64_t order,
                            const struct cvg_verdict_entry *entry)
{
    size_t start = buffer->len, len;
    uint8_t *head;
    uint32_t crc;

    cvg_buffer_put(buffer, magic, sizeof magic);
    cvg_buffer_put_u16(buffer, 0);
    cvg_buffer_put_u32(buffer, 0);
    put_body(buffer, order, entry);
    if (cvg_buffer_error(buffer) != CVG_OK)
        return;
    head = buffer->data + start;
    len = buffer->len - start - CVG_HISTORY_HEAD;
    head[4] = (uint8_t)(len >> 8);
    head[5] = (uint8_t)len;
    crc = cvg_crc32c(head + CVG_HISTORY_HEAD, len) ^ (uint32_t)len;
    for (size_t i = 0; i < 4; i++)
        head[6 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* A text of at most max octets; the reader's error for what is none. */
static void read_text(struct cvg_reader *reader, size_t len, size_t max, char *ret_text)
{
    const uint8_t *text = cvg_reader_take(reader, len);

    ret_text[0] = '\0';
    if (len > max || (text != NULL && !cvg_message_is_text(text, len)))
        reader->error = CVG_ERR_SYNTAX;
    else if (text != NULL)
        cvg_message_copy_text(text, len, ret_text);
}

static void read_vote(struct cvg_reader *reader, struct cvg_vote *vote)
{
    unsigned said;

    read_text(reader, cvg_reader_u8(reader), sizeof vote->notary - 1, vote->notary);
    vote->kind = (enum cvg_vote_kind)cvg_reader_u8(reader);
    vote->error = (enum cvg_error)cvg_reader_u8(reader);
    vote->elapsed_ms = cvg_reader_u32(reader);
    vote->bounced = (cvg_reader_u8(reader) & FLAG_BOUNCED) != 0;
    said = cvg_reader_u8(reader);
    for (size_t i = 0; i < CVG_SAYERS; i++)
        vote->said[i] = said >> (SAID_BITS * i) & 3;
    if ((unsigned)vote->error >= CVG_ERR_COUNT)
        reader->error = CVG_ERR_SYNTAX;
}

static void read_fingerprint(struct cvg_reader *reader, struct cvg_fingerprint *fingerprint)
{
    size_t len = cvg_reader_u8(reader);
    const uint8_t *bytes = cvg_reader_take(reader, len);

    if (len != 0 && len != CVG_SHA1_LEN && len != CVG_SHA256_LEN)
        reader->error = CVG_ERR_SYNTAX;
    else if (bytes != NULL)
        memcpy(fingerprint->bytes, bytes, len);
    fingerprint->len = (uint8_t)len;
}

static void read_votes(struct cvg_reader *reader, struct cvg_history_item *item)
{
    size_t count = cvg_reader_u8(reader);

    if (count > CVG_MESSAGE_VOTES_MAX)
        reader->error = CVG_ERR_SYNTAX;
    for (size_t i = 0; i < count && reader->error == CVG_OK; i++)
        read_vote(reader, &item->votes[i]);
    item->entry.vote = item->votes;
    item->entry.vote_count = count;
}

/* An everyday record's sentence, from its reason and its votes. */
static void describe(struct cvg_history_item *item)
{
    struct cvg_verdict_entry *entry = &item->entry;
    struct cvg_answer answer = {.verdict = entry->verdict, .reason = entry->reason};

    memcpy(answer.vote, item->votes, entry->vote_count * sizeof answer.vote[0]);
    answer.vote_count = entry->vote_count;
    cvg_answer_describe(&answer);
    memcpy(item->text, answer.text, sizeof item->text);
}

static bool read_body(struct cvg_reader *reader, struct cvg_history_item *item)
{
    struct cvg_verdict_entry *entry = &item->entry;

    memset(item, 0, sizeof *item);
    item->order = cvg_reader_u64(reader);
    entry->time_s = (int64_t)cvg_reader_u64(reader);
    entry->uid = cvg_reader_u32(reader);
    entry->pid = (int32_t)cvg_reader_u32(reader);
    entry->verdict = (enum cvg_verdict)cvg_reader_u8(reader);
    entry->action = (enum cvg_action)cvg_reader_u8(reader);
    entry->reason = (enum cvg_reason)cvg_reader_u8(reader);
    entry->pki = (enum cvg_pki)cvg_reader_u8(reader);
    entry->port = cvg_reader_u16(reader);
    entry->elapsed_ms = cvg_reader_u32(reader);
    read_fingerprint(reader, &entry->fingerprint);
    read_text(reader, cvg_reader_u8(reader), sizeof entry->host - 1, entry->host);
    read_text(reader, cvg_reader_u8(reader), sizeof entry->program - 1, entry->program);
    read_text(reader, cvg_reader_u16(reader), sizeof item->text - 1, item->text);
    read_votes(reader, item);
    entry->text = item->text;
    if (cvg_reader_done(reader) != CVG_OK || !cvg_verdict_valid(entry->verdict) ||
        !cvg_action_valid(entry->action))
        return false;
    if (item->text[0] == '\0')
        describe(item);
    return true;
}

static size_t length_at(const uint8_t *head)
{
    return (size_t)head[4] << 8 | head[5];
}

static uint32_t checksum_at(const uint8_t *head)
{
    return (uint32_t)head[6] << 24 | (uint32_t)head[7] << 16 | (uint32_t)head[8] << 8 | head[9];
}

size_t cvg_history_record_next(const uint8_t *data, size_t len, struct cvg_history_item *ret_item,
                               bool *ret_found)
{
    size_t at = 0, body;
    struct cvg_reader reader;

    *ret_found = false;
    for (; len - at >= CVG_HISTORY_HEAD; at++) {
        const uint8_t *head = data + at;

        if (memcmp(head, magic, sizeof magic) != 0)
            continue;
        body = length_at(head);
        if (body > CVG_HISTORY_RECORD_MAX - CVG_HISTORY_HEAD)
            continue;
        if (body > len - at - CVG_HISTORY_HEAD)
            return at;
        head += CVG_HISTORY_HEAD;
        if ((cvg_crc32c(head, body) ^ (uint32_t)body) != checksum_at(data + at))
            continue;
        cvg_reader_init(&reader, head, body);
        *ret_found = read_body(&reader, ret_item);
        return at + CVG_HISTORY_HEAD + body;
    }
    return at;
}
