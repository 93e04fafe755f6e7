/* SPDX-License-Identifier: MIT */
/* Version 2's envelopes: the request with its targets, and the answer that holds one signed
 * statement per target. What a statement says is v2-statement.c's business. */
#include "common/protocol/v2-octets.h"

#include <string.h>

void cvg_v2_host_put(struct cvg_buffer *buffer, const char *host)
{
    size_t len = strlen(host);

    cvg_buffer_put_u8(buffer, (uint8_t)len);
    cvg_buffer_put(buffer, host, len);
}

enum cvg_error cvg_v2_endpoint_check(const struct cvg_endpoint *endpoint)
{
    struct cvg_endpoint normal;

    if (!memchr(endpoint->host, '\0', sizeof endpoint->host) ||
        cvg_endpoint_set(endpoint->host, strlen(endpoint->host), endpoint->port, &normal, NULL) !=
            CVG_OK ||
        strcmp(normal.host, endpoint->host) != 0)
        return CVG_ERR_ARGUMENT;
    return CVG_OK;
}

enum cvg_error cvg_v2_endpoint_read(struct cvg_reader *reader, struct cvg_endpoint *ret_endpoint,
                                    struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u8(reader);
    const uint8_t *host = cvg_reader_take(reader, len);
    unsigned port = cvg_reader_u16(reader);
    enum cvg_error err;

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the message ends inside a host or port");
    err = cvg_endpoint_set((const char *)host, len, port, ret_endpoint, ret_why);
    if (err != CVG_OK)
        return err;
    if (strlen(ret_endpoint->host) != len || memcmp(ret_endpoint->host, host, len) != 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "a host that is not in its normal form, %s",
                        ret_endpoint->host);
    return CVG_OK;
}

static enum cvg_error head_read(struct cvg_reader *reader, size_t *ret_count,
                                struct cvg_why *ret_why)
{
    unsigned version = cvg_reader_u8(reader);
    size_t count = cvg_reader_u8(reader);

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the message is shorter than its head");
    if (version != CVG_V2_VERSION)
        return cvg_fail(ret_why, CVG_ERR_VERSION, "version %u, expected %d", version,
                        CVG_V2_VERSION);
    if (count == 0 || count > CVG_V2_TARGETS_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%zu targets, 1 to %d are allowed", count,
                        CVG_V2_TARGETS_MAX);
    *ret_count = count;
    return CVG_OK;
}

enum cvg_error cvg_v2_request_write(const struct cvg_v2_request *request,
                                    struct cvg_buffer *ret_buffer)
{
    if (request->count == 0 || request->count > CVG_V2_TARGETS_MAX)
        return CVG_ERR_ARGUMENT;
    for (size_t i = 0; i < request->count; i++)
        if (cvg_v2_endpoint_check(&request->target[i].endpoint) != CVG_OK)
            return CVG_ERR_ARGUMENT;
    cvg_buffer_put_u8(ret_buffer, CVG_V2_VERSION);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)request->count);
    for (size_t i = 0; i < request->count; i++) {
        const struct cvg_v2_target *target = &request->target[i];

        cvg_v2_host_put(ret_buffer, target->endpoint.host);
        cvg_buffer_put_u16(ret_buffer, target->endpoint.port);
        cvg_buffer_put_u8(ret_buffer, target->hint);
        cvg_buffer_put(ret_buffer, target->leaf_sha256, sizeof target->leaf_sha256);
    }
    return cvg_buffer_error(ret_buffer);
}

static enum cvg_error target_read(struct cvg_reader *reader, struct cvg_v2_target *ret_target,
                                  struct cvg_why *ret_why)
{
    const uint8_t *sha256;
    enum cvg_error err = cvg_v2_endpoint_read(reader, &ret_target->endpoint, ret_why);

    if (err != CVG_OK)
        return err;
    ret_target->hint = cvg_reader_u8(reader);
    sha256 = cvg_reader_take(reader, CVG_SHA256_LEN);
    if (!sha256)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the request ends inside a target");
    memcpy(ret_target->leaf_sha256, sha256, CVG_SHA256_LEN);
    return CVG_OK;
}

enum cvg_error cvg_v2_request_parse(const void *data, size_t len,
                                    struct cvg_v2_request *ret_request, struct cvg_why *ret_why)
{
    struct cvg_v2_request request; /* only as much of it is used as there are targets */
    struct cvg_reader reader;
    enum cvg_error err;

    if (len > CVG_V2_REQUEST_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a request of %zu octets, at most %d are allowed",
                        len, CVG_V2_REQUEST_MAX);
    cvg_reader_init(&reader, data, len);
    err = head_read(&reader, &request.count, ret_why);
    for (size_t i = 0; err == CVG_OK && i < request.count; i++)
        err = target_read(&reader, &request.target[i], ret_why);
    if (err == CVG_OK && cvg_reader_done(&reader) != CVG_OK)
        err = cvg_fail(ret_why, CVG_ERR_SYNTAX, "octets after the last target");
    if (err == CVG_OK) {
        ret_request->count = request.count;
        memcpy(ret_request->target, request.target, request.count * sizeof request.target[0]);
    }
    return err;
}

enum cvg_error cvg_v2_answer_begin(size_t count, struct cvg_buffer *ret_buffer)
{
    if (count == 0 || count > CVG_V2_TARGETS_MAX)
        return CVG_ERR_ARGUMENT;
    cvg_buffer_put_u8(ret_buffer, CVG_V2_VERSION);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)count);
    return cvg_buffer_error(ret_buffer);
}

enum cvg_error cvg_v2_answer_item(const void *statement, size_t statement_len,
                                  const void *signature, size_t signature_len,
                                  struct cvg_buffer *ret_buffer)
{
    if (statement_len == 0 || statement_len > CVG_V2_STATEMENT_MAX || signature_len == 0 ||
        signature_len > CVG_V2_SIGNATURE_MAX)
        return CVG_ERR_ARGUMENT;
    cvg_buffer_put_u16(ret_buffer, (uint16_t)statement_len);
    cvg_buffer_put(ret_buffer, statement, statement_len);
    cvg_buffer_put_u16(ret_buffer, (uint16_t)signature_len);
    cvg_buffer_put(ret_buffer, signature, signature_len);
    return cvg_buffer_error(ret_buffer);
}

static enum cvg_error item_read(struct cvg_reader *reader, struct cvg_v2_signed *ret_item,
                                struct cvg_why *ret_why)
{
    ret_item->statement_len = cvg_reader_u16(reader);
    ret_item->statement = cvg_reader_take(reader, ret_item->statement_len);
    ret_item->signature_len = cvg_reader_u16(reader);
    ret_item->signature = cvg_reader_take(reader, ret_item->signature_len);
    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the answer ends inside a statement");
    if (ret_item->statement_len == 0 || ret_item->statement_len > CVG_V2_STATEMENT_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a statement of %zu octets, 1 to %d are allowed",
                        ret_item->statement_len, CVG_V2_STATEMENT_MAX);
    if (ret_item->signature_len == 0 || ret_item->signature_len > CVG_V2_SIGNATURE_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a signature of %zu octets, 1 to %d are allowed",
                        ret_item->signature_len, CVG_V2_SIGNATURE_MAX);
    return CVG_OK;
}

enum cvg_error cvg_v2_answer_parse(const void *data, size_t len, struct cvg_v2_answer *ret_answer,
                                   struct cvg_why *ret_why)
{
    struct cvg_v2_answer answer;
    struct cvg_reader reader;
    enum cvg_error err;

    memset(&answer, 0, sizeof answer);
    if (len > CVG_V2_ANSWER_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "an answer of %zu octets, at most %d are allowed",
                        len, CVG_V2_ANSWER_MAX);
    cvg_reader_init(&reader, data, len);
    err = head_read(&reader, &answer.count, ret_why);
    for (size_t i = 0; err == CVG_OK && i < answer.count; i++)
        err = item_read(&reader, &answer.item[i], ret_why);
    if (err == CVG_OK && cvg_reader_done(&reader) != CVG_OK)
        err = cvg_fail(ret_why, CVG_ERR_SYNTAX, "octets after the last statement");
    if (err == CVG_OK)
        *ret_answer = answer;
    return err;
}
