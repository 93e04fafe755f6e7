/* SPDX-License-Identifier: MIT */
/* The format of a verdict's line in the log. */
#include "common/engine/verdict-log.h"

const char *cvg_sayer_word(enum cvg_sayer sayer)
{
    static const char *const words[CVG_SAYERS] = {
        [CVG_SAYER_DANE] = "dane", [CVG_SAYER_CT] = "ct", [CVG_SAYER_PINS] = "pins"};

    return words[sayer];
}

const char *cvg_said_word(enum cvg_said said)
{
    static const char *const words[] = {[CVG_SAID_NOTHING] = "",
                                        [CVG_SAID_YES] = "yes",
                                        [CVG_SAID_NO] = "no",
                                        [CVG_SAID_ASIDE] = "aside"};

    return words[said];
}

static const char *found_word(unsigned found)
{
    static const char *const words[CVG_FOUND_COUNT] = {
        [CVG_FOUND_GIVEN] = "given",       [CVG_FOUND_PARAM] = "param",
        [CVG_FOUND_SNI] = "sni",           [CVG_FOUND_BIO] = "bio",
        [CVG_FOUND_PEER] = "peer",         [CVG_FOUND_FD] = "fd",
        [CVG_FOUND_COUNTERS] = "counters", [CVG_FOUND_TUNNEL] = "tunnel",
        [CVG_FOUND_SEVERAL] = "several",   [CVG_FOUND_CONNECT] = "connect",
    };

    return found < CVG_FOUND_COUNT && words[found] != NULL ? words[found] : "none";
}

const char *cvg_pki_word(enum cvg_pki pki)
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

/* A line is written for every check, so it is put together octet by octet: printf would take half
 * of what a remembered answer costs. What does not fit is cut off. */
struct line {
    char *at, *end;
};

static void put_char(struct line *line, char c)
{
    if (line->at < line->end)
        *line->at++ = c;
}

static void put(struct line *line, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(line, *text);
}

static void put_number(struct line *line, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (count > 0)
        put_char(line, digits[--count]);
}

static void put_signed(struct line *line, int64_t value)
{
    if (value < 0)
        put_char(line, '-');
    put_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* A value that cannot be mistaken for two, nor for the line's own punctuation. */
static void put_word(struct line *line, const char *text)
{
    if (text[0] == '\0')
        put(line, "-");
    for (; text[0] != '\0'; text++) {
        bool plain = text[0] > ' ' && text[0] < 0x7f && text[0] != ',' && text[0] != '=';

        put_char(line, plain ? text[0] : '_');
    }
}

/* What the notary's verifiers say, behind its answer. */
static void put_said(struct line *line, const struct cvg_vote *vote)
{
    char before = '(';

    for (size_t i = 0; i < CVG_SAYERS; i++) {
        if (vote->said[i] == CVG_SAID_NOTHING)
            continue;
        put_char(line, before);
        put(line, cvg_sayer_word((enum cvg_sayer)i));
        put_char(line, '-');
        put(line, cvg_said_word((enum cvg_said)vote->said[i]));
        before = ';';
    }
    if (before == ';')
        put_char(line, ')');
}

static void put_vote(struct line *line, const struct cvg_vote *vote)
{
    put_word(line, vote->notary);
    put_char(line, ':');
    put(line, cvg_vote_word(vote->kind));
    if (vote->kind == CVG_VOTE_SILENT) {
        put_char(line, '(');
        put(line, cvg_error_word(vote->error));
        put_char(line, ')');
    }
    put_said(line, vote);
    put_char(line, ':');
    put_number(line, vote->elapsed_ms);
    put(line, "ms");
}

static void put_votes(struct line *line, const struct cvg_answer *answer)
{
    put(line, " votes=");
    if (answer->vote_count == 0)
        put_char(line, '-');
    for (size_t i = 0; i < answer->vote_count; i++) {
        if (i > 0)
            put_char(line, ',');
        put_vote(line, &answer->vote[i]);
    }
}

static bool bounced(const struct cvg_answer *answer)
{
    for (size_t i = 0; i < answer->vote_count; i++)
        if (answer->vote[i].bounced)
            return true;
    return false;
}

static void put_ports(struct line *line, const struct cvg_question *question,
                      const struct cvg_answer *answer)
{
    put(line, " port=");
    if (answer->port != 0)
        put_number(line, answer->port);
    else
        put_char(line, '-');
    put(line, " ports=");
    if (question->port_count == 0)
        put_char(line, '-');
    for (size_t i = 0; i < question->port_count; i++) {
        if (i > 0)
            put_char(line, ',');
        put_number(line, question->port[i]);
    }
}

static void put_verdict(struct line *line, const struct cvg_question *question,
                        const struct cvg_answer *answer)
{
    put(line, "verdict=");
    put(line, cvg_verdict_name(answer->verdict));
    put(line, " action=");
    put(line, cvg_action_name(answer->action));
    put(line, " reason=");
    put(line, cvg_reason_name(answer->reason));
    put(line, " host=");
    put_word(line, question->host);
    put_ports(line, question, answer);
    put(line, " found=");
    put(line, found_word(question->host_found));
    put_char(line, '/');
    put(line, found_word(question->port_found));
}

char *cvg_verdict_line(const struct cvg_question *question, const struct cvg_answer *answer,
                       uint32_t uid, int32_t pid, int64_t time_s, char *buf, size_t size)
{
    struct line line = {buf, buf + size - 1};

    put_verdict(&line, question, answer);
    put(&line, " program=");
    put_word(&line, question->program);
    put(&line, " pid=");
    put_signed(&line, pid);
    put(&line, " uid=");
    put_number(&line, uid);
    put(&line, " pki=");
    put(&line, cvg_pki_word(question->pki));
    put(&line, " ms=");
    put_number(&line, answer->elapsed_ms);
    put_votes(&line, answer);
    put(&line, bounced(answer) ? " bounced=yes time=" : " bounced=no time=");
    put_signed(&line, time_s);
    *line.at = '\0';
    return buf;
}
