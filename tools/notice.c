/* SPDX-License-Identifier: MIT */
/* The rate of notifications, and their words. */
#include "tools/notice.h"

#include <stdio.h>
#include <string.h>

#include "common/base/verdict.h"

/* ASCII only: a bus ends the connection of who sends it what is no UTF-8. */
static void plain(const char *text, char *ret_text, size_t size)
{
    size_t len = 0;

    for (; text[len] != '\0' && len + 1 < size; len++)
        ret_text[len] = text[len] >= ' ' && text[len] <= '~' ? text[len] : '?';
    ret_text[len] = '\0';
}

/* The same as markup; an entity is never cut. */
static void escaped(const char *text, char *ret_text, size_t size)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
    size_t used = 0;

    for (; *text != '\0'; text++) {
        char one[2] = {*text >= ' ' && *text <= '~' ? *text : '?', '\0'};
        const char *part = one;

        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            if (entities[i].c == *text)
                part = entities[i].entity;
        if (used + strlen(part) >= size)
            break;
        strcpy(ret_text + used, part);
        used += strlen(part);
    }
    ret_text[used] = '\0';
}

/* Whether the host may be told of now; the oldest gives way. */
static bool take_turn(struct cvg_notices *notices, const char *host, uint64_t now_ms)
{
    size_t oldest = 0;

    for (size_t i = 0; i < CVG_NOTICE_HOSTS; i++) {
        if (strcmp(notices->told[i].host, host) == 0 && notices->told[i].host[0] != '\0') {
            if (now_ms - notices->told[i].at_ms < CVG_NOTICE_EVERY_MS)
                return false;
            notices->told[i].at_ms = now_ms;
            return true;
        }
        if (notices->told[i].host[0] == '\0' ||
            (notices->told[oldest].host[0] != '\0' &&
             notices->told[i].at_ms < notices->told[oldest].at_ms))
            oldest = i;
    }
    if (notices->told[oldest].host[0] != '\0' &&
        now_ms - notices->told[oldest].at_ms < CVG_NOTICE_EVERY_MS)
        return false;
    plain(host, notices->told[oldest].host, sizeof notices->told[oldest].host);
    notices->told[oldest].at_ms = now_ms;
    return true;
}

/* The command that tells more. A name that a shell or an option's parser would read otherwise is
 * not put into it: people copy what they are told to type. */
static void write_hint(const char *host, char *ret_text, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".:-_";
    bool plain_name = host[0] != '\0' && host[0] != '-' && host[strspn(host, letters)] == '\0';

    snprintf(ret_text, size, "converge why %s", plain_name ? host : "HOST");
}

static void write_refusal(const struct cvg_entry *entry, struct cvg_notice *ret_notice)
{
    char program[CVG_NOTICE_TEXT_MAX / 2], text[CVG_NOTICE_TEXT_MAX], host[CVG_HOST_MAX];
    char hint[CVG_HOST_MAX + 16];

    plain(entry->host, host, sizeof host);
    snprintf(ret_notice->summary, sizeof ret_notice->summary, "Refused: %.400s", host);
    write_hint(entry->host, hint, sizeof hint);
    escaped(entry->program, program, sizeof program);
    escaped(entry->text[0] != '\0' ? entry->text : entry->reason, text, sizeof text);
    snprintf(ret_notice->body, sizeof ret_notice->body, "%s was not connected: %s. See: %s",
             program, text, hint);
}

static void write_portal(const struct cvg_entry *entry, struct cvg_notice *ret_notice)
{
    char text[CVG_NOTICE_TEXT_MAX];

    snprintf(ret_notice->summary, sizeof ret_notice->summary,
             "This network wants you to log in first");
    escaped(entry->text, text, sizeof text);
    snprintf(ret_notice->body, sizeof ret_notice->body, "%s", text);
}

bool cvg_notice_due(struct cvg_notices *notices, const struct cvg_entry *entry, uint64_t now_ms,
                    struct cvg_notice *ret_notice)
{
    if (strcmp(entry->reason, cvg_reason_name(CVG_REASON_CAPTIVE_PORTAL)) == 0) {
        if (notices->portal_told)
            return false;
        notices->portal_told = true;
        write_portal(entry, ret_notice);
        return true;
    }
    if (strcmp(entry->reason, cvg_reason_name(CVG_REASON_VOTE)) == 0)
        notices->portal_told = false;
    if (entry->action != CVG_ACTION_REFUSE || !take_turn(notices, entry->host, now_ms))
        return false;
    write_refusal(entry, ret_notice);
    return true;
}
