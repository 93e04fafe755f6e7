/* SPDX-License-Identifier: MIT */
/* The format of a verdict's line in the log. */
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/engine/verdict-log.h"

const char *cvg_error_word(enum cvg_error err)
{
    static const char *const words[CVG_ERR_COUNT] = {
        [CVG_OK] = "none",
        [CVG_ERR_NOMEM] = "memory",
        [CVG_ERR_ARGUMENT] = "argument",
        [CVG_ERR_SYNTAX] = "syntax",
        [CVG_ERR_RANGE] = "too-large",
        [CVG_ERR_IO] = "io",
        [CVG_ERR_OWNER] = "owner",
        [CVG_ERR_NOT_FOUND] = "not-found",
        [CVG_ERR_EXISTS] = "exists",
        [CVG_ERR_TIMEOUT] = "timeout",
        [CVG_ERR_UNREACHABLE] = "unreachable",
        [CVG_ERR_PROTOCOL] = "protocol",
        [CVG_ERR_VERSION] = "version",
        [CVG_ERR_PIN] = "pin",
        [CVG_ERR_SIGNATURE] = "signature",
        [CVG_ERR_CORRUPT] = "corrupt",
        [CVG_ERR_BUSY] = "busy",
        [CVG_ERR_CONFIG] = "config",
        [CVG_ERR_CRYPTO] = "crypto",
        [CVG_ERR_REFUSED] = "refused",
    };

    return (unsigned)err < CVG_ERR_COUNT ? words[err] : "unknown";
}

static const char *found_word(unsigned found)
{
    static const char *const words[CVG_FOUND_COUNT] = {
        [CVG_FOUND_GIVEN] = "given",       [CVG_FOUND_PARAM] = "param",
        [CVG_FOUND_SNI] = "sni",           [CVG_FOUND_BIO] = "bio",
        [CVG_FOUND_PEER] = "peer",         [CVG_FOUND_FD] = "fd",
        [CVG_FOUND_COUNTERS] = "counters", [CVG_FOUND_TUNNEL] = "tunnel",
        [CVG_FOUND_SEVERAL] = "several",
    };

    return found < CVG_FOUND_COUNT && words[found] != NULL ? words[found] : "none";
}

static const char *pki_word(enum cvg_pki pki)
{
    switch (pki) {
    case CVG_PKI_OK:
        return "ok";
    case CVG_PKI_TRUST_ERROR:
        return "trust-error";
    case CVG_PKI_OTHER_ERROR:
        return "other-error";
    case CVG_PKI_UNKNOWN:
        break;
    }
    return "unknown";
}

/* A value that cannot be mistaken for two, nor for the line's own punctuation. */
static void put_word(struct cvg_buffer *line, const char *text)
{
    if (text[0] == '\0')
        cvg_buffer_put_text(line, "-");
    for (; text[0] != '\0'; text++) {
        bool plain = text[0] > ' ' && text[0] < 0x7f && text[0] != ',' && text[0] != '=';

        cvg_buffer_put_u8(line, plain ? (uint8_t)text[0] : '_');
    }
}

static void put_votes(struct cvg_buffer *line, const struct cvg_answer *answer)
{
    cvg_buffer_put_text(line, " votes=");
    if (answer->vote_count == 0)
        cvg_buffer_put_text(line, "-");
    for (size_t i = 0; i < answer->vote_count; i++) {
        const struct cvg_vote *vote = &answer->vote[i];

        if (i > 0)
            cvg_buffer_put_text(line, ",");
        put_word(line, vote->notary);
        cvg_buffer_printf(line, ":%s", cvg_vote_word(vote->kind));
        if (vote->kind == CVG_VOTE_SILENT)
            cvg_buffer_printf(line, "(%s)", cvg_error_word(vote->error));
        cvg_buffer_printf(line, ":%ums", vote->elapsed_ms);
    }
}

static bool bounced(const struct cvg_answer *answer)
{
    for (size_t i = 0; i < answer->vote_count; i++)
        if (answer->vote[i].bounced)
            return true;
    return false;
}

static void put_ports(struct cvg_buffer *line, const struct cvg_question *question,
                      const struct cvg_answer *answer)
{
    if (answer->port != 0)
        cvg_buffer_printf(line, " port=%u ports=", answer->port);
    else
        cvg_buffer_put_text(line, " port=- ports=");
    if (question->port_count == 0)
        cvg_buffer_put_text(line, "-");
    for (size_t i = 0; i < question->port_count; i++)
        cvg_buffer_printf(line, "%s%u", i == 0 ? "" : ",", question->port[i]);
}

char *cvg_verdict_line(const struct cvg_question *question, const struct cvg_answer *answer,
                       uint32_t uid, int32_t pid, int64_t time_s, char *buf, size_t size)
{
    struct cvg_buffer line;

    cvg_buffer_init(&line, size - 1);
    cvg_buffer_printf(&line,
                      "verdict=%s action=%s reason=%s host=", cvg_verdict_name(answer->verdict),
                      cvg_action_name(answer->action), cvg_reason_name(answer->reason));
    put_word(&line, question->host);
    put_ports(&line, question, answer);
    cvg_buffer_printf(&line, " found=%s/%s program=", found_word(question->host_found),
                      found_word(question->port_found));
    put_word(&line, question->program);
    cvg_buffer_printf(&line, " pid=%d uid=%u pki=%s ms=%u", (int)pid, uid, pki_word(question->pki),
                      answer->elapsed_ms);
    put_votes(&line, answer);
    cvg_buffer_printf(&line, " bounced=%s time=%lld", bounced(answer) ? "yes" : "no",
                      (long long)time_s);
    snprintf(buf, size, "%s", line.data != NULL ? (const char *)line.data : "");
    cvg_buffer_free(&line);
    return buf;
}
