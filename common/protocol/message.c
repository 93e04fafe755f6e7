/* SPDX-License-Identifier: MIT */
/* The head that every message between a program and its agent begins with, and the messages that
 * only carry JSON. Questions and answers have files of their own. */
#include "common/protocol/message-head.h"

#include <string.h>

static const uint8_t magic[4] = {'C', 'V', 'G', 'A'};

void cvg_message_head_put(struct cvg_buffer *buffer, enum cvg_message_type type, uint64_t id)
{
    cvg_buffer_put(buffer, magic, sizeof magic);
    cvg_buffer_put_u8(buffer, CVG_MESSAGE_VERSION);
    cvg_buffer_put_u8(buffer, (uint8_t)type);
    cvg_buffer_put_u64(buffer, id);
}

static enum cvg_error head_read(struct cvg_reader *reader, unsigned *ret_type, uint64_t *ret_id,
                                struct cvg_why *ret_why)
{
    const uint8_t *start = cvg_reader_take(reader, sizeof magic);
    unsigned version = cvg_reader_u8(reader);
    unsigned type = cvg_reader_u8(reader);
    uint64_t id = cvg_reader_u64(reader);

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "the message is shorter than its head");
    if (memcmp(start, magic, sizeof magic) != 0)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "the message does not begin with CVGA");
    *ret_id = id;
    if (version != CVG_MESSAGE_VERSION)
        return cvg_fail(ret_why, CVG_ERR_VERSION, "message version %u, expected %d", version,
                        CVG_MESSAGE_VERSION);
    if (type < CVG_MESSAGE_CHECK || type > CVG_MESSAGE_REPLY)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown message type %u", type);
    *ret_type = type;
    return CVG_OK;
}

enum cvg_error cvg_message_head_read(struct cvg_reader *reader, size_t len,
                                     enum cvg_message_type expected_type, uint64_t *ret_id,
                                     struct cvg_why *ret_why)
{
    unsigned type;
    uint64_t id;
    enum cvg_error err;

    if (len > CVG_MESSAGE_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a message of %zu octets, at most %d are allowed",
                        len, CVG_MESSAGE_MAX);
    err = head_read(reader, &type, &id, ret_why);
    if (err != CVG_OK)
        return err;
    if (type != (unsigned)expected_type)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "message type %u, expected %u", type,
                        (unsigned)expected_type);
    *ret_id = id;
    return CVG_OK;
}

enum cvg_error cvg_message_peek(const void *data, size_t len, enum cvg_message_type *ret_type,
                                uint64_t *ret_id)
{
    struct cvg_reader reader;
    unsigned type;
    enum cvg_error err;

    cvg_reader_init(&reader, data, len);
    err = head_read(&reader, &type, ret_id, NULL);
    if (err == CVG_OK)
        *ret_type = (enum cvg_message_type)type;
    return err;
}

bool cvg_message_is_text(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

void cvg_message_copy_text(const uint8_t *text, size_t len, char *ret_text)
{
    if (len > 0)
        memcpy(ret_text, text, len);
    ret_text[len] = '\0';
}

static bool carries_json(enum cvg_message_type type)
{
    return type == CVG_MESSAGE_COMMAND || type == CVG_MESSAGE_REPLY;
}

enum cvg_error cvg_command_write(enum cvg_message_type type, uint64_t id, bool more,
                                 const void *json, size_t len, struct cvg_buffer *ret_buffer)
{
    if (!carries_json(type) || (more && type != CVG_MESSAGE_REPLY) || len == 0)
        return CVG_ERR_ARGUMENT;
    if (len > CVG_MESSAGE_JSON_MAX)
        return CVG_ERR_RANGE;
    cvg_message_head_put(ret_buffer, type, id);
    cvg_buffer_put_u8(ret_buffer, more ? 1 : 0);
    cvg_buffer_put(ret_buffer, json, len);
    return cvg_buffer_error(ret_buffer);
}

enum cvg_error cvg_command_parse(const void *data, size_t len, enum cvg_message_type expected_type,
                                 uint64_t *ret_id, bool *ret_more, const char **ret_json,
                                 size_t *ret_json_len)
{
    struct cvg_reader reader;
    uint64_t id = 0;
    enum cvg_error err;
    unsigned more;

    if (!carries_json(expected_type))
        return CVG_ERR_ARGUMENT;
    cvg_reader_init(&reader, data, len);
    err = cvg_message_head_read(&reader, len, expected_type, &id, NULL);
    if (err != CVG_OK)
        return err;
    more = cvg_reader_u8(&reader);
    if (reader.error != CVG_OK || reader.left == 0)
        return CVG_ERR_SYNTAX;
    if (more > (expected_type == CVG_MESSAGE_REPLY ? 1U : 0U))
        return CVG_ERR_SYNTAX;
    if (memchr(reader.data, '\0', reader.left))
        return CVG_ERR_SYNTAX;
    *ret_id = id;
    *ret_more = more == 1;
    *ret_json = (const char *)reader.data;
    *ret_json_len = reader.left;
    return CVG_OK;
}
