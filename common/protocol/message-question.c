/* SPDX-License-Identifier: MIT */
/* The question a program puts to its agent: written by the client part in a stranger's process,
 * parsed by the agent, which believes nothing of it. */
#include "common/protocol/message-head.h"

#include <string.h>

enum { FLAG_NAME = 1, FLAG_ANCHOR = 2, FLAG_FINGERPRINT = 4, FLAGS_KNOWN = 7 };

/* The host as it must be on the wire: absent, or already what the normaliser would make of it, so
 * that two spellings of one host never reach the agent's cache. */
static enum cvg_error host_check(const char *host, size_t len, struct cvg_why *ret_why)
{
    struct cvg_endpoint endpoint;
    enum cvg_error err;

    if (len == 0)
        return CVG_OK;
    err = cvg_endpoint_set(host, len, 1, &endpoint, ret_why);
    if (err != CVG_OK)
        return err;
    if (strlen(endpoint.host) != len || memcmp(endpoint.host, host, len) != 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the host is not in its normal form, %s",
                        endpoint.host);
    return CVG_OK;
}

static bool family_valid(unsigned family)
{
    return family == 0 || family == 4 || family == 6;
}

static size_t family_len(unsigned family)
{
    return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static bool fingerprint_len_valid(size_t len)
{
    return len == CVG_SHA1_LEN || len == CVG_SHA256_LEN;
}

/* The rules that hold for a question on either side, whoever made it. */
static enum cvg_error question_check(const struct cvg_question *q, size_t host_len,
                                     struct cvg_why *ret_why)
{
    if (q->have_name && host_len == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "a name that is empty");
    if (q->host_found >= CVG_FOUND_COUNT || q->port_found >= CVG_FOUND_COUNT)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "host or port found in an unknown way");
    if (q->port_count > CVG_MESSAGE_PORTS_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%zu ports, at most %d are allowed", q->port_count,
                        CVG_MESSAGE_PORTS_MAX);
    for (size_t i = 0; i < q->port_count; i++)
        if (q->port[i] == 0)
            return cvg_fail(ret_why, CVG_ERR_RANGE, "port 0");
    if (!family_valid(q->peer_family))
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown address family %u", q->peer_family);
    if ((unsigned)q->pki > CVG_PKI_OTHER_ERROR)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown PKI result %u", (unsigned)q->pki);
    if (q->leaf_len > CVG_MESSAGE_LEAF_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE,
                        "a certificate of %zu octets, at most %d are allowed", q->leaf_len,
                        CVG_MESSAGE_LEAF_MAX);
    if (q->fingerprint.len == 0 ? q->leaf_len == 0
                                : q->leaf_len > 0 || !fingerprint_len_valid(q->fingerprint.len))
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "neither one certificate nor one fingerprint");
    return host_check(q->host, host_len, ret_why);
}

static char printable(char c)
{
    return c >= 0x20 && c <= 0x7e ? c : '?';
}

static void program_put(struct cvg_buffer *buffer, const char *program, size_t len)
{
    cvg_buffer_put_u8(buffer, (uint8_t)len);
    for (size_t i = 0; i < len; i++)
        cvg_buffer_put_u8(buffer, (uint8_t)printable(program[i]));
}

static void leaf_put(struct cvg_buffer *buffer, const struct cvg_question *q)
{
    if (q->fingerprint.len > 0) {
        cvg_buffer_put_u32(buffer, q->fingerprint.len);
        cvg_buffer_put(buffer, q->fingerprint.bytes, q->fingerprint.len);
    } else {
        cvg_buffer_put_u32(buffer, (uint32_t)q->leaf_len);
        cvg_buffer_put(buffer, q->leaf, q->leaf_len);
    }
}

enum cvg_error cvg_question_write(const struct cvg_question *question,
                                  struct cvg_buffer *ret_buffer)
{
    const struct cvg_question *q = question;
    size_t host_len, program_len, release_len;

    if (!memchr(q->host, '\0', sizeof q->host) || !memchr(q->program, '\0', sizeof q->program) ||
        !memchr(q->release, '\0', sizeof q->release))
        return CVG_ERR_ARGUMENT;
    release_len = strlen(q->release);
    host_len = strlen(q->host);
    program_len = strlen(q->program);
    if (question_check(q, host_len, NULL) != CVG_OK)
        return CVG_ERR_ARGUMENT;
    cvg_message_head_put(ret_buffer, CVG_MESSAGE_CHECK, q->id);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)((q->have_name ? FLAG_NAME : 0) |
                                            (q->have_anchor ? FLAG_ANCHOR : 0) |
                                            (q->fingerprint.len > 0 ? FLAG_FINGERPRINT : 0)));
    cvg_buffer_put_u8(ret_buffer, (uint8_t)host_len);
    cvg_buffer_put(ret_buffer, q->host, host_len);
    cvg_buffer_put_u8(ret_buffer, q->host_found);
    cvg_buffer_put_u8(ret_buffer, (uint8_t)q->port_count);
    for (size_t i = 0; i < q->port_count; i++)
        cvg_buffer_put_u16(ret_buffer, q->port[i]);
    cvg_buffer_put_u8(ret_buffer, q->port_found);
    cvg_buffer_put_u8(ret_buffer, q->peer_family);
    cvg_buffer_put(ret_buffer, q->peer_address, family_len(q->peer_family));
    cvg_buffer_put_u8(ret_buffer, (uint8_t)q->pki);
    cvg_buffer_put_u32(ret_buffer, (uint32_t)q->pki_error);
    if (q->have_anchor)
        cvg_buffer_put(ret_buffer, q->anchor_sha256, sizeof q->anchor_sha256);
    cvg_buffer_put_u32(ret_buffer, q->timeout_ms);
    program_put(ret_buffer, q->program, program_len);
    leaf_put(ret_buffer, q);
    if (release_len > 0)
        program_put(ret_buffer, q->release, release_len);
    return cvg_buffer_error(ret_buffer);
}

/* The readers below take what fits; a count past its limit is a RANGE error at once, a short read
 * is found at the end. */
static enum cvg_error host_read(struct cvg_reader *reader, struct cvg_question *q, size_t *ret_len,
                                struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u8(reader);
    const uint8_t *host = cvg_reader_take(reader, len);

    if (len >= CVG_HOST_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a host of %zu octets", len);
    if (host)
        cvg_message_copy_text(host, len, q->host);
    *ret_len = len;
    q->host_found = cvg_reader_u8(reader);
    return CVG_OK;
}

static enum cvg_error ports_read(struct cvg_reader *reader, struct cvg_question *q,
                                 struct cvg_why *ret_why)
{
    size_t count = cvg_reader_u8(reader);

    if (count > CVG_MESSAGE_PORTS_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "%zu ports, at most %d are allowed", count,
                        CVG_MESSAGE_PORTS_MAX);
    for (size_t i = 0; i < count; i++)
        q->port[i] = cvg_reader_u16(reader);
    q->port_count = count;
    q->port_found = cvg_reader_u8(reader);
    return CVG_OK;
}

static void octets_read(struct cvg_reader *reader, uint8_t *ret_octets, size_t len)
{
    const uint8_t *octets = cvg_reader_take(reader, len);

    if (octets && len > 0)
        memcpy(ret_octets, octets, len);
}

static enum cvg_error program_read(struct cvg_reader *reader, struct cvg_question *q,
                                   struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u8(reader);
    const uint8_t *program = cvg_reader_take(reader, len);

    if (len >= CVG_MESSAGE_NAME_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a program's name of %zu octets", len);
    for (size_t i = 0; program && i < len; i++)
        q->program[i] = printable((char)program[i]);
    return CVG_OK;
}

/* The first of the fields that were appended after the first release; later ones are not ours to
 * read. */
static enum cvg_error release_read(struct cvg_reader *reader, struct cvg_question *q,
                                   struct cvg_why *ret_why)
{
    size_t len = reader->left > 0 ? cvg_reader_u8(reader) : 0;
    const uint8_t *release = cvg_reader_take(reader, len);

    if (reader->error != CVG_OK)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the question is too short");
    if (len >= CVG_MESSAGE_RELEASE_MAX)
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a release of %zu octets", len);
    for (size_t i = 0; release && i < len; i++)
        q->release[i] = printable((char)release[i]);
    return CVG_OK;
}

static enum cvg_error leaf_read(struct cvg_reader *reader, bool is_fingerprint,
                                struct cvg_question *q, struct cvg_why *ret_why)
{
    size_t len = cvg_reader_u32(reader);
    const uint8_t *octets;

    if (len > CVG_MESSAGE_LEAF_MAX || (is_fingerprint && len > CVG_SHA256_LEN))
        return cvg_fail(ret_why, CVG_ERR_RANGE, "a certificate or fingerprint of %zu octets", len);
    octets = cvg_reader_take(reader, len);
    if (!octets || len == 0)
        return cvg_fail(ret_why, CVG_ERR_SYNTAX, "the question holds no certificate");
    if (is_fingerprint) {
        memcpy(q->fingerprint.bytes, octets, len);
        q->fingerprint.len = (uint8_t)len;
    } else {
        q->leaf = octets;
        q->leaf_len = len;
    }
    return CVG_OK;
}

/* Everything behind the head. */
static enum cvg_error body_read(struct cvg_reader *reader, struct cvg_question *q,
                                size_t *ret_host_len, struct cvg_why *ret_why)
{
    unsigned flags = cvg_reader_u8(reader);
    enum cvg_error err;

    if (flags & ~(unsigned)FLAGS_KNOWN)
        return cvg_fail(ret_why, CVG_ERR_PROTOCOL, "unknown flags %#x", flags);
    q->have_name = flags & FLAG_NAME;
    q->have_anchor = flags & FLAG_ANCHOR;
    err = host_read(reader, q, ret_host_len, ret_why);
    if (err == CVG_OK)
        err = ports_read(reader, q, ret_why);
    if (err != CVG_OK)
        return err;
    q->peer_family = cvg_reader_u8(reader);
    octets_read(reader, q->peer_address, family_len(q->peer_family));
    q->pki = (enum cvg_pki)cvg_reader_u8(reader);
    q->pki_error = (int32_t)cvg_reader_u32(reader);
    if (q->have_anchor)
        octets_read(reader, q->anchor_sha256, sizeof q->anchor_sha256);
    q->timeout_ms = cvg_reader_u32(reader);
    err = program_read(reader, q, ret_why);
    if (err == CVG_OK)
        err = leaf_read(reader, flags & FLAG_FINGERPRINT, q, ret_why);
    if (err == CVG_OK)
        err = release_read(reader, q, ret_why);
    return err;
}

enum cvg_error cvg_question_parse(const void *data, size_t len, struct cvg_question *ret_question,
                                  struct cvg_why *ret_why)
{
    struct cvg_question question;
    struct cvg_reader reader;
    size_t host_len = 0;
    enum cvg_error err;

    memset(&question, 0, sizeof question);
    cvg_reader_init(&reader, data, len);
    err = cvg_message_head_read(&reader, len, CVG_MESSAGE_CHECK, &question.id, ret_why);
    if (err == CVG_OK)
        err = body_read(&reader, &question, &host_len, ret_why);
    if (err == CVG_OK)
        err = question_check(&question, host_len, ret_why);
    if (err == CVG_OK)
        *ret_question = question;
    return err;
}
