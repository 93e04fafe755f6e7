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

/* A record is written for every check, so it is put together in place: a buffer's puts, checked one
 * by one, would be most of what it costs. All lengths are bounded (RECORD_MOST). */
#define VOTE_MOST (1 + CVG_MESSAGE_NAME_MAX + 8)
#define RECORD_MOST                                                                                \
    (CVG_HISTORY_HEAD + 34 + 1 + CVG_SHA256_LEN + 1 + CVG_HOST_MAX + 1 + CVG_MESSAGE_NAME_MAX +    \
     2 + CVG_MESSAGE_TEXT_MAX + 1 + CVG_MESSAGE_VOTES_MAX * VOTE_MOST)
_Static_assert(RECORD_MOST <= CVG_HISTORY_RECORD_MAX, "the longest record fits");

static uint8_t *put_number(uint8_t *at, uint64_t value, unsigned octets)
{
    while (octets-- > 0)
        *at++ = (uint8_t)(value >> 8 * octets);
    return at;
}

static uint8_t *put_octets(uint8_t *at, const void *data, size_t len)
{
    if (len > 0)
        memcpy(at, data, len);
    return at + len;
}

static uint8_t *put_short(uint8_t *at, const char *text, size_t max)
{
    size_t len = strnlen(text, max);

    *at++ = (uint8_t)len;
    return put_octets(at, text, len);
}

static uint8_t *put_vote(uint8_t *at, const struct cvg_vote *vote)
{
    unsigned said = 0;

    for (size_t i = 0; i < CVG_SAYERS; i++)
        said |= (unsigned)vote->said[i] << (SAID_BITS * i);
    at = put_short(at, vote->notary, sizeof vote->notary - 1);
    *at++ = (uint8_t)vote->kind;
    *at++ = (uint8_t)vote->error;
    at = put_number(at, vote->elapsed_ms, 4);
    *at++ = vote->bounced ? FLAG_BOUNCED : 0;
    *at++ = (uint8_t)said;
    return at;
}

/* An everyday sentence follows from the rest, and need not be kept. */
static uint8_t *put_text(uint8_t *at, const struct cvg_verdict_entry *entry)
{
    bool kept = entry->text != NULL && cvg_history_kind_of(entry) != CVG_HISTORY_EVERYDAY;
    size_t len = kept ? strnlen(entry->text, CVG_MESSAGE_TEXT_MAX - 1) : 0;

    return put_octets(put_number(at, len, 2), entry->text, len);
}

static uint8_t *put_body(uint8_t *at, uint64_t order, const struct cvg_verdict_entry *entry)
{
    size_t fingerprint =
        entry->fingerprint.len <= CVG_SHA256_LEN ? entry->fingerprint.len : CVG_SHA256_LEN;
    size_t votes =
        entry->vote_count <= CVG_MESSAGE_VOTES_MAX ? entry->vote_count : CVG_MESSAGE_VOTES_MAX;

    at = put_number(at, order, 8);
    at = put_number(at, (uint64_t)entry->time_s, 8);
    at = put_number(at, entry->uid, 4);
    at = put_number(at, (uint32_t)entry->pid, 4);
    *at++ = (uint8_t)entry->verdict;
    *at++ = (uint8_t)entry->action;
    *at++ = (uint8_t)entry->reason;
    *at++ = (uint8_t)entry->pki;
    at = put_number(at, entry->port, 2);
    at = put_number(at, entry->elapsed_ms, 4);
    *at++ = (uint8_t)fingerprint;
    at = put_octets(at, entry->fingerprint.bytes, fingerprint);
    at = put_short(at, entry->host, sizeof entry->host - 1);
    at = put_short(at, entry->program, sizeof entry->program - 1);
    at = put_text(at, entry);
    *at++ = (uint8_t)votes;
    for (size_t i = 0; i < votes; i++)
        at = put_vote(at, &entry->vote[i]);
    return at;
}

void cvg_history_record_put(struct cvg_buffer *buffer, uint64_t order,
                            const struct cvg_verdict_entry *entry)
{
    uint8_t record[CVG_HISTORY_RECORD_MAX], *body = record + CVG_HISTORY_HEAD;
    size_t len = (size_t)(put_body(body, order, entry) - body);

    memcpy(record, magic, sizeof magic);
    put_number(record + 4, len, 2);
    put_number(record + 6, cvg_crc32c(body, len) ^ (uint32_t)len, 4);
    cvg_buffer_put(buffer, record, CVG_HISTORY_HEAD + len);
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
