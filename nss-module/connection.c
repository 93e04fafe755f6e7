/* SPDX-License-Identifier: MIT */
/* The table of connections, in parts with a lock each, see connection.h. Memory is taken before a
 * lock and freed after it. */
#include "config.h"

#include "nss-module/connection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "nss-module/lock.h"
#include "nss-module/records.h"

#define CHAINS 64 /* of each part */

/* A copy, so that no certificate of NSS's is held: NSS_Shutdown would find it busy. */
struct shown {
    size_t len;
    uint8_t der[];
};

struct entry {
    struct entry *next;
    const void *owner;
    struct cvg_connection id;
    struct cvg_spoken spoken;
    enum cvg_role role;
    enum cvg_decision decision;
    struct shown *leaf; /* that the decision is about */
    struct cvg_pending *pending;
    struct shown *asked; /* the leaf that `pending` is about */
    pid_t busy;          /* whose thread has `pending`, or will have; 0: none. A forked child has no
                            thread of its parent's. */
};

static struct entry *table[CVG_LOCK_PARTS][CHAINS];
static atomic_uint_fast64_t last_serial;

static size_t hash_of(const PRFilePrivate *secret)
{
    uint64_t value = (uint64_t)(uintptr_t)secret * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(value >> 32);
}

static struct entry **chain_of(const PRFilePrivate *secret)
{
    size_t hash = hash_of(secret);

    return &table[hash % CVG_LOCK_PARTS][hash / CVG_LOCK_PARTS % CHAINS];
}

static void lock(const PRFilePrivate *secret)
{
    cvg_lock(CVG_LOCK_CONNECTIONS + (unsigned)(hash_of(secret) % CVG_LOCK_PARTS));
}

static void unlock(const PRFilePrivate *secret)
{
    cvg_unlock(CVG_LOCK_CONNECTIONS + (unsigned)(hash_of(secret) % CVG_LOCK_PARTS));
}

static struct entry *find_locked(const PRFilePrivate *secret)
{
    struct entry *entry = *chain_of(secret);

    while (entry && entry->id.secret != secret)
        entry = entry->next;
    return entry;
}

static struct entry *find_same_locked(struct cvg_connection connection)
{
    struct entry *entry = find_locked(connection.secret);

    return entry && entry->id.serial == connection.serial ? entry : NULL;
}

static void free_entry(struct entry *entry)
{
    if (!entry)
        return;
    free(entry->leaf);
    free(entry->asked);
    cvg_pending_drop(entry->pending);
    free(entry);
}

static struct entry *new_entry(const void *owner, const PRFilePrivate *secret)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        return NULL;
    entry->owner = owner;
    entry->id = (struct cvg_connection){secret, atomic_fetch_add(&last_serial, 1) + 1};
    return entry;
}

struct cvg_connection cvg_connection_find(const PRFilePrivate *secret)
{
    struct cvg_connection connection = {secret, 0};
    struct entry *entry;

    lock(secret);
    entry = find_locked(secret);
    if (entry)
        connection = entry->id;
    unlock(secret);
    return connection;
}

/* Two threads may be the first to use a connection: the second one's entry is not needed. */
struct cvg_connection cvg_connection_open(const void *owner, const PRFilePrivate *secret)
{
    struct cvg_connection connection = cvg_connection_find(secret);
    struct entry *fresh = connection.serial == 0 ? new_entry(owner, secret) : NULL, *entry;

    if (!fresh)
        return connection;
    lock(secret);
    entry = find_locked(secret);
    if (!entry) {
        entry = fresh;
        entry->next = *chain_of(secret);
        *chain_of(secret) = entry;
        fresh = NULL;
    }
    connection = entry->id;
    unlock(secret);
    free_entry(fresh);
    return connection;
}

bool cvg_connection_alive(struct cvg_connection connection)
{
    return connection.serial != 0 &&
           cvg_connection_find(connection.secret).serial == connection.serial;
}

void cvg_connection_sent(struct cvg_connection connection, const void *data, size_t len)
{
    enum cvg_role role = data ? cvg_records_role(data, len) : CVG_ROLE_UNKNOWN;
    struct cvg_spoken request;
    bool connect = data && cvg_records_connect(data, len, &request);
    struct entry *entry;

    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry) {
        entry->spoken.sent += len;
        if (entry->role == CVG_ROLE_UNKNOWN)
            entry->role = role;
        if (connect) {
            memcpy(entry->spoken.connect_host, request.connect_host, sizeof request.connect_host);
            entry->spoken.connect_port = request.connect_port;
        }
    }
    unlock(connection.secret);
}

void cvg_connection_received(struct cvg_connection connection, size_t len)
{
    struct entry *entry;

    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry)
        entry->spoken.received += len;
    unlock(connection.secret);
}

static bool is_shown(const struct shown *shown, const struct cvg_leaf *leaf)
{
    return shown && shown->len == leaf->len && memcmp(shown->der, leaf->der, leaf->len) == 0;
}

static bool counts(const struct entry *entry, const struct cvg_leaf *leaf)
{
    return entry->decision != CVG_DECISION_OPEN || (leaf && is_shown(entry->leaf, leaf));
}

struct cvg_known cvg_connection_known(const PRFilePrivate *secret, const struct cvg_leaf *leaf)
{
    struct cvg_known known = {CVG_ROLE_UNKNOWN, CVG_DECISION_NONE, false};
    struct entry *entry;

    lock(secret);
    entry = find_locked(secret);
    if (entry) {
        known.role = entry->role;
        known.decision = counts(entry, leaf) ? entry->decision : CVG_DECISION_NONE;
        known.waiting = entry->busy != 0 || entry->pending;
    }
    unlock(secret);
    return known;
}

static struct shown *copy_leaf(const struct cvg_leaf *leaf)
{
    struct shown *copy = malloc(sizeof *copy + leaf->len);

    if (copy) {
        copy->len = leaf->len;
        memcpy(copy->der, leaf->der, leaf->len);
    }
    return copy;
}

/* Without memory for the leaf only a refusal is kept: it needs none. A question that still waits
 * (the socket began to block) has its answer now. */
void cvg_connection_decide(struct cvg_connection connection, const struct cvg_leaf *leaf,
                           enum cvg_decision decision)
{
    struct shown *copy = decision == CVG_DECISION_OPEN ? copy_leaf(leaf) : NULL, *old = copy;
    struct cvg_pending *answered = NULL;
    struct entry *entry;

    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry && entry->decision <= CVG_DECISION_OPEN) {
        old = entry->leaf;
        entry->leaf = copy;
        entry->decision = decision;
        answered = entry->pending;
        entry->pending = NULL;
    }
    unlock(connection.secret);
    free(old);
    cvg_pending_drop(answered);
}

enum cvg_turn cvg_connection_take(struct cvg_connection connection, const struct cvg_leaf *leaf,
                                  struct cvg_pending **ret_pending)
{
    struct cvg_pending *pending = NULL, *foreign = NULL;
    enum cvg_turn turn = CVG_TURN_BUSY;
    const pid_t self = getpid();
    struct entry *entry;

    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry && entry->busy != self) {
        entry->busy = self;
        pending = entry->pending;
        entry->pending = NULL;
        if (pending && !is_shown(entry->asked, leaf)) {
            foreign = pending;
            pending = NULL;
        }
        turn = pending ? CVG_TURN_TAKEN : CVG_TURN_ABSENT;
    }
    unlock(connection.secret);
    cvg_pending_drop(foreign);
    *ret_pending = pending;
    return turn;
}

/* Without memory for the leaf the question is dropped, and asked again at the next write. */
void cvg_connection_give(struct cvg_connection connection, const struct cvg_leaf *leaf,
                         struct cvg_pending *pending)
{
    struct shown *copy = pending ? copy_leaf(leaf) : NULL, *old = copy;
    struct entry *entry;

    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry) {
        entry->busy = 0;
        old = entry->asked;
        entry->asked = copy;
        entry->pending = copy ? pending : NULL;
        if (copy)
            pending = NULL;
    }
    unlock(connection.secret);
    free(old);
    cvg_pending_drop(pending);
}

void cvg_connection_spoken(struct cvg_connection connection, struct cvg_spoken *ret_spoken)
{
    struct entry *entry;

    memset(ret_spoken, 0, sizeof *ret_spoken);
    lock(connection.secret);
    entry = find_same_locked(connection);
    if (entry)
        *ret_spoken = entry->spoken;
    unlock(connection.secret);
}

void cvg_connection_close(const PRFilePrivate *secret)
{
    struct entry *entry = NULL;

    lock(secret);
    for (struct entry **at = chain_of(secret); *at; at = &(*at)->next)
        if ((*at)->id.secret == secret) {
            entry = *at;
            *at = entry->next;
            break;
        }
    unlock(secret);
    free_entry(entry);
}

static struct entry *take_part(const void *owner, unsigned part)
{
    struct entry *taken = NULL;

    cvg_lock(CVG_LOCK_CONNECTIONS + part);
    for (unsigned i = 0; i < CHAINS; i++)
        for (struct entry **at = &table[part][i], *entry; (entry = *at) != NULL;) {
            if (entry->owner != owner) {
                at = &entry->next;
                continue;
            }
            *at = entry->next;
            entry->next = taken;
            taken = entry;
        }
    cvg_unlock(CVG_LOCK_CONNECTIONS + part);
    return taken;
}

void cvg_connection_close_all(const void *owner)
{
    for (unsigned part = 0; part < CVG_LOCK_PARTS; part++)
        for (struct entry *entry = take_part(owner, part), *next; entry; entry = next) {
            next = entry->next;
            free_entry(entry);
        }
}
