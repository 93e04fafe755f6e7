/* SPDX-License-Identifier: MIT */
/* Reads an entry, and says what a mode makes of it and whether it is wanted. */
#include "tools/entry.h"

#include <string.h>

#include "tools/agent-command.h"

bool cvg_verdict_find(const char *word, enum cvg_verdict *ret_verdict)
{
    static const enum cvg_verdict all[] = {CVG_VERDICT_AGREE, CVG_VERDICT_DISAGREE,
                                           CVG_VERDICT_UNDECIDED, CVG_VERDICT_EXEMPT};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(cvg_verdict_name(all[i]), word) == 0) {
            *ret_verdict = all[i];
            return true;
        }
    return false;
}

static enum cvg_action action_of(const char *word)
{
    static const enum cvg_action all[] = {CVG_ACTION_ACCEPT, CVG_ACTION_REFUSE,
                                          CVG_ACTION_UNCHANGED};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(cvg_action_name(all[i]), word) == 0)
            return all[i];
    return CVG_ACTION_NONE;
}

static enum cvg_pki pki_of(const char *word)
{
    if (word[0] == '\0' || strcmp(word, "ok") == 0)
        return CVG_PKI_OK;
    if (strcmp(word, "trust-error") == 0)
        return CVG_PKI_TRUST_ERROR;
    return strcmp(word, "other-error") == 0 ? CVG_PKI_OTHER_ERROR : CVG_PKI_UNKNOWN;
}

bool cvg_entry_read(const json_t *object, struct cvg_entry *ret_entry)
{
    if (!json_is_object(object))
        return false;
    memset(ret_entry, 0, sizeof *ret_entry);
    ret_entry->time_s = cvg_reply_number(object, "time_s");
    ret_entry->host = cvg_reply_text(object, "host");
    ret_entry->port = (uint16_t)cvg_reply_number(object, "port");
    ret_entry->sha256 = cvg_reply_text(object, "sha256");
    (void)cvg_verdict_find(cvg_reply_text(object, "verdict"), &ret_entry->verdict);
    ret_entry->action = action_of(cvg_reply_text(object, "action"));
    ret_entry->pki = pki_of(cvg_reply_text(object, "pki"));
    ret_entry->reason = cvg_reply_text(object, "reason");
    ret_entry->text = cvg_reply_text(object, "text");
    ret_entry->program = cvg_reply_text(object, "program");
    ret_entry->pid = cvg_reply_number(object, "pid");
    ret_entry->elapsed_ms = cvg_reply_number(object, "elapsed_ms");
    ret_entry->votes = json_object_get(object, "votes");
    return true;
}

enum cvg_action cvg_entry_action_in(const struct cvg_entry *entry, enum cvg_mode mode,
                                    enum cvg_unreachable on_unreachable)
{
    bool known_key = strcmp(entry->reason, cvg_reason_name(CVG_REASON_KNOWN_KEY)) == 0;

    return cvg_action_of(mode, entry->verdict, on_unreachable, entry->pki == CVG_PKI_OK,
                         entry->pki == CVG_PKI_TRUST_ERROR, known_key);
}

bool cvg_entry_refused_in(const struct cvg_entry *entry, enum cvg_mode mode,
                          enum cvg_unreachable on_unreachable)
{
    return entry->pki == CVG_PKI_OK &&
           cvg_entry_action_in(entry, mode, on_unreachable) == CVG_ACTION_REFUSE;
}

static bool has_text(const struct cvg_entry *entry, const char *text)
{
    return strcasestr(entry->host, text) != NULL || strcasestr(entry->program, text) != NULL ||
           strstr(cvg_verdict_name(entry->verdict), text) != NULL ||
           strstr(entry->reason, text) != NULL;
}

bool cvg_entry_wanted(const struct cvg_entry *entry, const struct cvg_entry_filter *filter)
{
    if (filter->host != NULL && strcmp(filter->host, entry->host) != 0)
        return false;
    if (filter->port != 0 && filter->port != entry->port)
        return false;
    if (filter->program != NULL && strcmp(filter->program, entry->program) != 0)
        return false;
    if (filter->verdict != CVG_VERDICT_NONE && filter->verdict != entry->verdict)
        return false;
    if (filter->refused && entry->action != CVG_ACTION_REFUSE &&
        !cvg_entry_refused_in(entry, CVG_MODE_AUGMENT, filter->on_unreachable))
        return false;
    return filter->text == NULL || filter->text[0] == '\0' || has_text(entry, filter->text);
}
