/* SPDX-License-Identifier: MIT */
/* STARTTLS in the protocols that are made of lines: SMTP, IMAP, POP3, FTP, ManageSieve, NNTP, IRC.
 */
#include <string.h>
#include <strings.h>

#include "notary/starttls-protocol.h"

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

static bool is_word(uint8_t octet)
{
    return is_digit(octet) || (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

/* Whether the text begins with the words, and not just with a longer one. text ends with a NUL. */
static bool begins(const char *text, const char *words)
{
    size_t len = words == NULL ? 0 : strlen(words);
    if (len == 0 || strncasecmp(text, words, len) != 0)
        return false;
    return !is_word((uint8_t)words[len - 1]) || !is_word((uint8_t)text[len]);
}

static bool has_code(const char *text)
{
    return is_digit((uint8_t)text[0]) && is_digit((uint8_t)text[1]) && is_digit((uint8_t)text[2]);
}

static bool is_yes(const struct cvg_starttls_step *step, const char *text)
{
    return begins(text, step->yes[0]) || begins(text, step->yes[1]);
}

/* The protocol's next turn. */
static enum cvg_starttls_verdict next_step(struct cvg_starttls_dialogue *dialogue)
{
    dialogue->flag = false;
    dialogue->step++;
    if (dialogue->step == dialogue->protocol->steps)
        return CVG_STARTTLS_READY;
    const char *say = dialogue->protocol->step[dialogue->step].say;
    cvg_starttls_say(dialogue, say, strlen(say));
    return CVG_STARTTLS_MORE;
}

/* flag: between the first and the last line of an answer. What stands between them in FTP need not
 * have the code; and the code of the last line is the one that counts. */
static enum cvg_starttls_verdict code_line(struct cvg_starttls_dialogue *dialogue,
                                           const struct cvg_starttls_step *step, const char *line)
{
    bool code = has_code(line);
    if (!code && !dialogue->flag)
        return CVG_STARTTLS_REFUSED;
    if (!code || line[3] == '-') {
        dialogue->flag = true;
        return CVG_STARTTLS_MORE;
    }
    return is_yes(step, line) ? next_step(dialogue) : CVG_STARTTLS_REFUSED;
}

static enum cvg_starttls_verdict word_line(struct cvg_starttls_dialogue *dialogue,
                                           const struct cvg_starttls_step *step, const char *line)
{
    if (is_yes(step, line))
        return next_step(dialogue);
    return begins(line, step->skip) ? CVG_STARTTLS_MORE : CVG_STARTTLS_REFUSED;
}

/* IRC: servers say this and that before (NOTICE, numerics of a greeting); what ends it is 691, an
 * unknown command or having to register first. */
static enum cvg_starttls_verdict numeric_line(struct cvg_starttls_dialogue *dialogue,
                                              const struct cvg_starttls_step *step,
                                              const char *line)
{
    static const char *const no[] = {"691", "421", "451"};
    if (line[0] != ':')
        return begins(line, "ERROR") ? CVG_STARTTLS_REFUSED : CVG_STARTTLS_MORE;
    const char *rest = strchr(line, ' ');
    while (rest != NULL && *rest == ' ')
        rest++;
    if (rest == NULL)
        return CVG_STARTTLS_REFUSED;
    if (is_yes(step, rest))
        return next_step(dialogue);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (begins(rest, no[i]))
            return CVG_STARTTLS_REFUSED;
    return CVG_STARTTLS_MORE;
}

void cvg_starttls_lines_begin(struct cvg_starttls_dialogue *dialogue)
{
    const char *say = dialogue->protocol->step[0].say;
    if (say != NULL)
        cvg_starttls_say(dialogue, say, strlen(say));
}

enum cvg_starttls_verdict cvg_starttls_lines_take(struct cvg_starttls_dialogue *dialogue,
                                                  uint8_t octet)
{
    const struct cvg_starttls_step *step = &dialogue->protocol->step[dialogue->step];
    char line[CVG_STARTTLS_HELD_MAX + 1];
    if (octet != '\n') {
        cvg_starttls_hold(dialogue, octet);
        return CVG_STARTTLS_MORE;
    }
    size_t len = dialogue->len < CVG_STARTTLS_HELD_MAX ? dialogue->len : CVG_STARTTLS_HELD_MAX;
    memcpy(line, dialogue->held, len);
    line[len] = '\0';
    dialogue->len = 0;
    switch (step->reply) {
    case CVG_REPLY_CODE:
        return code_line(dialogue, step, line);
    case CVG_REPLY_WORD:
        return word_line(dialogue, step, line);
    case CVG_REPLY_NUMERIC:
        return numeric_line(dialogue, step, line);
    }
    return CVG_STARTTLS_REFUSED;
}
