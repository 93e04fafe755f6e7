/* SPDX-License-Identifier: MIT */
/* Counts verdicts by host. */
#include "tools/tally.h"

#include <stdlib.h>
#include <string.h>

#include "tools/agent-command.h"
#include "tools/canary-report.h"

#define SLOTS_FIRST 256
#define HOSTS_MAX   (UINT32_MAX / 4)

void cvg_tally_init(struct cvg_tally *ret_tally, enum cvg_mode mode,
                    enum cvg_unreachable on_unreachable)
{
    memset(ret_tally, 0, sizeof *ret_tally);
    ret_tally->mode = mode;
    ret_tally->on_unreachable = on_unreachable;
}

void cvg_tally_free(struct cvg_tally *tally)
{
    for (size_t i = 0; i < tally->hosts; i++) {
        free(tally->host[i].host);
        for (size_t j = 0; j < CVG_TALLY_PROGRAMS; j++)
            free(tally->host[i].program[j]);
    }
    free(tally->host);
    free(tally->slot);
    memset(tally, 0, sizeof *tally);
}

/* FNV-1a. Who fills this table with names of his choice only makes his own report slower. */
static uint64_t hash_of(const char *text, uint16_t port)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ port;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static size_t slot_of(const struct cvg_tally *tally, const char *host, uint16_t port)
{
    size_t at = hash_of(host, port) & (tally->slots - 1);

    for (; tally->slot[at] != 0; at = (at + 1) & (tally->slots - 1)) {
        const struct cvg_tally_host *there = &tally->host[tally->slot[at] - 1];

        if (there->port == port && strcmp(there->host, host) == 0)
            break;
    }
    return at;
}

/* Keeps the table at most half full; hosts have room for half of the slots. */
static bool make_room(struct cvg_tally *tally)
{
    size_t slots = tally->slots == 0 ? SLOTS_FIRST : tally->slots * 2;
    struct cvg_tally_host *host;
    uint32_t *slot;

    if (tally->hosts < tally->slots / 2)
        return true;
    if (tally->hosts >= HOSTS_MAX)
        return false;
    host = realloc(tally->host, slots / 2 * sizeof *host);
    if (host == NULL)
        return false;
    tally->host = host;
    slot = calloc(slots, sizeof *slot);
    if (slot == NULL)
        return false;
    free(tally->slot);
    tally->slot = slot;
    tally->slots = slots;
    for (size_t i = 0; i < tally->hosts; i++)
        slot[slot_of(tally, host[i].host, host[i].port)] = (uint32_t)i + 1;
    return true;
}

static struct cvg_tally_host *find(struct cvg_tally *tally, const char *name, uint16_t port)
{
    struct cvg_tally_host *host;
    size_t at;

    if (!make_room(tally))
        return NULL;
    at = slot_of(tally, name, port);
    if (tally->slot[at] != 0)
        return &tally->host[tally->slot[at] - 1];
    host = &tally->host[tally->hosts];
    memset(host, 0, sizeof *host);
    host->host = strdup(name);
    host->port = port;
    if (host->host == NULL)
        return NULL;
    tally->slot[at] = (uint32_t)++tally->hosts;
    return host;
}

static void note_program(struct cvg_tally_host *host, const char *program)
{
    for (size_t i = 0; i < host->programs && i < CVG_TALLY_PROGRAMS; i++)
        if (host->program[i] != NULL && strcmp(host->program[i], program) == 0)
            return;
    if (host->programs < CVG_TALLY_PROGRAMS)
        host->program[host->programs] = strdup(program);
    if (host->programs <= CVG_TALLY_PROGRAMS)
        host->programs++;
}

/* NULL without a fingerprint, and where there is no place left. */
static struct cvg_tally_cert *find_certificate(struct cvg_tally_host *host, const char *sha256)
{
    uint64_t hash = hash_of(sha256, 0);

    for (size_t i = 0; i < host->certs; i++)
        if (host->cert[i].hash == hash)
            return &host->cert[i];
    if (sha256[0] == '\0' || host->certs == CVG_TALLY_CERTS)
        return NULL;
    host->cert[host->certs].hash = hash;
    return &host->cert[host->certs++];
}

static void note_certificate(struct cvg_tally_host *host, const struct cvg_entry *entry)
{
    struct cvg_tally_cert *cert = find_certificate(host, entry->sha256);
    bool denied = entry->verdict == CVG_VERDICT_DISAGREE;

    if (cert == NULL) {
        host->denied_other |= denied;
        return;
    }
    cert->confirmed |= entry->verdict == CVG_VERDICT_AGREE;
    cert->denied |= denied;
}

static bool is_reason(const struct cvg_entry *entry, const char *word)
{
    return strcmp(entry->reason, word) == 0;
}

/* Whether the notaries answered, but not about this host. */
static bool unseen(const struct cvg_entry *entry)
{
    const json_t *vote;
    size_t index, silent = 0;

    json_array_foreach(entry->votes, index, vote) {
        const char *error = cvg_reply_text(vote, "error");

        if (strcmp(cvg_reply_text(vote, "answer"), "silent") == 0 &&
            strcmp(error, "unreachable") != 0)
            silent++;
    }
    return json_array_size(entry->votes) > 0 && silent == 0;
}

static void note_kind(struct cvg_tally_host *host, const struct cvg_entry *entry)
{
    if (entry->verdict == CVG_VERDICT_DISAGREE)
        host->disagreed++;
    else if (is_reason(entry, "captive-portal"))
        host->portal++;
    else if (is_reason(entry, cvg_reason_name(CVG_REASON_NO_NOTARIES)))
        host->no_notaries++;
    else if (is_reason(entry, cvg_reason_name(CVG_REASON_BUDGET)))
        host->budget++;
    else if (unseen(entry))
        host->unseen++;
    else if (is_reason(entry, cvg_reason_name(CVG_REASON_UNREACHABLE)) ||
             is_reason(entry, cvg_reason_name(CVG_REASON_DEADLINE)) ||
             is_reason(entry, cvg_reason_name(CVG_REASON_VOTE)))
        host->unreachable++;
}

static void note_refusal(struct cvg_tally_host *host, const struct cvg_entry *entry)
{
    host->refused++;
    if (host->refused == 1 || entry->time_s < host->first_s)
        host->first_s = entry->time_s;
    if (host->refused == 1 || entry->time_s >= host->last_s) {
        host->last_s = entry->time_s;
        host->verdict = entry->verdict;
        strncpy(host->reason, entry->reason, sizeof host->reason - 1);
    }
    note_program(host, entry->program);
    note_kind(host, entry);
}

bool cvg_tally_add(struct cvg_tally *tally, const struct cvg_entry *entry)
{
    struct cvg_tally_host *host;

    /* Our own rehearsals say nothing of what programs do here. */
    if (strcmp(entry->host, CVG_CANARY_HOST) == 0)
        return true;
    host = find(tally, entry->host, entry->port);
    if (host == NULL)
        return false;
    if (tally->checks == 0 || entry->time_s < tally->first_s)
        tally->first_s = entry->time_s;
    if (tally->checks == 0 || entry->time_s > tally->last_s)
        tally->last_s = entry->time_s;
    tally->checks++;
    host->checks++;
    if (entry->verdict == CVG_VERDICT_AGREE)
        host->agreed++;
    note_certificate(host, entry);
    if (cvg_entry_refused_in(entry, tally->mode, tally->on_unreachable)) {
        tally->refused++;
        tally->refused_hosts += host->refused == 0;
        note_refusal(host, entry);
    } else if (entry->pki == CVG_PKI_TRUST_ERROR &&
               cvg_entry_action_in(entry, tally->mode, tally->on_unreachable) ==
                   CVG_ACTION_ACCEPT) {
        tally->accepted_over_pki++;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct cvg_tally_host *one = a, *other = b;

    if (one->refused != other->refused)
        return one->refused > other->refused ? -1 : 1;
    if (strcmp(one->host, other->host) != 0)
        return strcmp(one->host, other->host);
    return (int)one->port - (int)other->port;
}

void cvg_tally_sort(struct cvg_tally *tally)
{
    if (tally->hosts > 0)
        qsort(tally->host, tally->hosts, sizeof tally->host[0], compare);
}

/* That the notaries confirm one certificate says nothing for another: so it looks, too, where
 * somebody was in between for a while. */
static bool is_of_many(const struct cvg_tally_host *host)
{
    for (size_t i = 0; i < host->certs; i++)
        if (host->cert[i].denied && !host->cert[i].confirmed)
            return false;
    return host->certs > 1 && !host->denied_other;
}

enum cvg_cause cvg_tally_cause(const struct cvg_tally_host *host)
{
    /* A notary that saw another certificate is what must not be missed. */
    if (host->disagreed > 0)
        return is_of_many(host) ? CVG_CAUSE_MANY : CVG_CAUSE_DISAGREE;
    if (host->portal > 0)
        return CVG_CAUSE_PORTAL;
    if (host->no_notaries > 0)
        return CVG_CAUSE_NO_NOTARIES;
    if (host->budget > 0)
        return CVG_CAUSE_BUDGET;
    if (host->unseen > 0 && host->agreed == 0)
        return CVG_CAUSE_UNSEEN;
    return host->unreachable + host->unseen > 0 ? CVG_CAUSE_UNREACHABLE : CVG_CAUSE_OTHER;
}

const char *cvg_cause_word(enum cvg_cause cause)
{
    switch (cause) {
    case CVG_CAUSE_DISAGREE:
        return "disagree";
    case CVG_CAUSE_MANY:
        return "many-certificates";
    case CVG_CAUSE_UNREACHABLE:
        return "unreachable";
    case CVG_CAUSE_UNSEEN:
        return "unseen";
    case CVG_CAUSE_PORTAL:
        return "captive-portal";
    case CVG_CAUSE_NO_NOTARIES:
        return "no-notaries";
    case CVG_CAUSE_BUDGET:
        return "budget";
    case CVG_CAUSE_OTHER:
        break;
    }
    return "other";
}
