/* SPDX-License-Identifier: MIT */
/* The agent's answer: written by the agent, parsed by the client part in a stranger's process, so
 * nothing here allocates or needs a large stack. */
#include "common/protocol/message-head.h"

#include <string.h>

enum { FLAG_BOUNCED = 1, FLAGS_KNOWN = 1 };

const char *cvg_vote_word(enum cvg_vote_kind kind)
{
    switch (kind) {
    case CVG_VOTE_YES:
        return "yes";
    case CVG_VOTE_NO:
        return "no";
    case CVG_VOTE_ASIDE:
        return "aside";
    case CVG_VOTE_SILENT:
        break;
    }
    return "silent";
}

static bool vote_kind_valid(unsigned value)
{
    return value == CVG_VOTE_SILENT || value == CVG_VOTE_YES || value == CVG_VOTE_NO ||
           value == CVG_VOTE_ASIDE;
}

static bool answer_valid(const struct cvg_answer *a)
{
    if (!cvg_verdict_valid(a->verdict) || !cvg_action_valid(a->action) ||
        !cvg_reason_valid(a->reason) || a->vote_count > CVG_MESSAGE_VOTES_MAX)
        return false;
    for (size_t i = 0; i < a->vote_count; i++) {
        const struct cvg_vote *vote = &a->vote[i];

        if (!vote_kind_valid(vote->kind) || (unsigned)vote->error >= CVG_ERR_COUNT ||
            vote->notary[0] == '\0' || !memchr(vote->notary, '\0', sizeof vote->notary))
            return false;
    }
    return memchr(a->text, '\0', sizeof a->text) != NULL;
}

/* A control character in a text becomes '?', so that no log line or terminal is led astray. */
static void text_put(struct cvg_buffer *buffer, const char *text, size_t len)
{
    uint8_t *place = cvg_buffer_extend(buffer, len);

    for (size_t i = 0; place != NULL && i < len; i++) {
        uint8_t octet = (uint8_t)text[i];

        place[i] = cvg_message_is_text(&octet, 1) ? octet : '?';
    }
}

static void vote_put(struct cvg_buffer *buffer, const struct cvg_vote *vote)
{
    size_t len = strlen(vote->notary);

    cvg_buffer_put_u8(buffer, (uint8_t)len);
    text_put(buffer, vote->notary, len);
    cvg_buffer_put_u8(buffer, (uint8_t)vote->kind);
    cvg_buffer_put_u8(buffer, (uint8_t)vote->error);
    cvg_buffer_put_u32(buffer, vote->elapsed_ms);
    cvg_buffer_put_u8(buffer, vote->bounced ? FLAG_BOUNCED : 0);
}

enum cvg_error cvg_answer_write(const struct cvg_answer *answer, struct cvg_buffer *ret_buffer)
{
    size_t text_len;

    if (!answer_valid(answer))
        return CVG_ERR_ARGUMENT;
    text_len = strlen(answer->text);
    cvg_message_head_put(ret_buffer, CVG_MESSAGE_VERDICT, answer->id);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)answer->verdict);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)answer->action);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)answer->reason);
    cvg_buffer_put_u16(ret_buffer, answer->port);
    cvg_buffer_put_u32(ret_buffer, answer->elapsed_ms);
    cvg_buffer_put_u16(ret_buffer, (uint16_t)text_len);
    text_put(ret_buffer, answer->text, text_len);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)answer->vote_count);
    for (size_t i = 0; i < answer->vote_count; i++)
        vote_put(ret_buffer, &answer->vote[i]);
    return cvg_buffer_error(ret_buffer);
}

/* What stands before the votes; the text still in place. */
struct front {
    unsigned verdict, action, reason;
    uint16_t port;
    uint32_t elapsed_ms;
    const uint8_t *text;
    size_t text_len;
    size_t vote_count;
};

static enum cvg_error front_read(struct cvg_reader *reader, struct front *front,
                                 struct cvg_why *ret_why)
{
    front->verdict = cvg_reader_u8(reader);
    front->action = cvg_reader_u8(reader);
    front->reason = cvg_reader_u8(reader);
    front->port = cvg_reader_u16(reader);
    front->elapsed_ms = cvg_reader_u32(reader);
    front->text_len = cvg_reader_u16(reader);
    front->text = cvg_reader_take(reader, front->text_len);
    front->vote_count = cvg_reader_u8(reader);
    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the answer is too short");
    if (!cvg_verdict_valid(front->verdict) || !cvg_action_valid(front->action))
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown verdict %#x or action %#x",
                        front->verdict, front->action);
    if (front->text_len >= CVG_MESSAGE_TEXT_MAX || front->vote_count > CVG_MESSAGE_VOTES_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a text of %zu octets or %zu votes is too much",
                        front->text_len, front->vote_count);
    if (!cvg_message_is_text(front->text, front->text_len))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "control characters in the text");
    return CVG_OK;
}

static enum cvg_error vote_read(struct cvg_reader *reader, struct cvg_vote *ret_vote,
                                struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u8(reader);
    const uint8_t *notary = cvg_reader_take(reader, len);
    unsigned kind = cvg_reader_u8(reader);
    unsigned error = cvg_reader_u8(reader);
    uint32_t elapsed_ms = cvg_reader_u32(reader);
    unsigned flags = cvg_reader_u8(reader);

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the answer ends inside a vote");
    if (!vote_kind_valid(kind) || error >= CVG_ERR_COUNT || (flags & ~(unsigned)FLAGS_KNOWN))
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown vote %#x, error %u or flags %#x", kind,
                        error, flags);
    if (len == 0 || len >= CVG_MESSAGE_NAME_MAX || !cvg_message_is_text(notary, len))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX,
                        "a notary's name that is empty, too long or no text");
    cvg_message_copy_text(notary, len, ret_vote->notary);
    ret_vote->kind = (enum cvg_vote_kind)kind;
    ret_vote->error = (enum cvg_error)error;
    ret_vote->elapsed_ms = elapsed_ms;
    ret_vote->bounced = flags & FLAG_BOUNCED;
    return CVG_OK;
}

static void answer_fill(uint64_t id, const struct front *front, struct cvg_answer *ret_answer)
{
    memset(ret_answer, 0, sizeof *ret_answer);
    ret_answer->id = id;
    ret_answer->verdict = (enum cvg_verdict)front->verdict;
    ret_answer->action = (enum cvg_action)front->action;
    ret_answer->reason = (enum cvg_reason)front->reason;
    ret_answer->port = front->port;
    ret_answer->elapsed_ms = front->elapsed_ms;
    cvg_message_copy_text(front->text, front->text_len, ret_answer->text);
}

enum cvg_error cvg_answer_parse(const void *data, size_t len, uint64_t expected_id,
                                struct cvg_answer *ret_answer, struct cvg_why *ret_why)
{
    struct cvg_reader reader, votes;
    struct cvg_vote scratch;
    struct front front;
    uint64_t id = 0;
    enum cvg_error err;

    cvg_reader_init(&reader, data, len);
    err = cvg_message_head_read(&reader, len, CVG_MESSAGE_VERDICT, &id, ret_why);
    if (err == CVG_OK && id != expected_id)
        err = cvg_fail(ret_why, CVG_ERR_PROTOCOL, "an answer to another question");
    if (err == CVG_OK)
        err = front_read(&reader, &front, ret_why);
    if (err != CVG_OK)
        return err;
    /* The votes are read twice: once to know that all are good, once into the result, which stays
     * untouched until then. */
    votes = reader;
    for (size_t i = 0; err == CVG_OK && i < front.vote_count; i++)
        err = vote_read(&reader, &scratch, ret_why);
    if (err != CVG_OK)
        return err;
    answer_fill(id, &front, ret_answer);
    for (size_t i = 0; err == CVG_OK && i < front.vote_count; i++)
        err = vote_read(&votes, &ret_answer->vote[i], ret_why);
    ret_answer->vote_count = front.vote_count;
    return err;
}

/* Askers that tell their release tolerate reasons that they do not know. */
void cvg_answer_limit(struct cvg_answer *answer, const char *release)
{
    if (release[0] == '\0' && answer->reason > CVG_REASON_INTERNAL)
        answer->reason = CVG_REASON_UNREACHABLE;
}
