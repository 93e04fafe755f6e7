/* SPDX-License-Identifier: MIT */
/* Accounts of networks, those of clients and those of targets.
 *
 * What an account may use in a minute is kept as one instant: when all that was taken is paid for.
 * Taking one moves it on by a minute's share, and it may lie a minute ahead at most. So an account
 * that nobody has touched for a minute is as good as a fresh one and can be forgotten, and nobody
 * gets more by hanging up and coming back. Where all places are taken by accounts that owe
 * something, a new network gets the place and the debt of one that owes little: changing networks
 * wins nothing, whoever has how many. */
#include "notary/budget.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "notary/list.h"

#define ACCOUNTS_MAX   65536
#define REAPED_AT_ONCE 2
#define COMPARED       8 /* of those unused for longest, when one must give up its place */
#define NS_PER_MS      UINT64_C(1000000)
#define NS_PER_SECOND  UINT64_C(1000000000)
#define MINUTE_NS      (60 * NS_PER_SECOND)

enum use { QUERY = 0, PROBE, TARGET_PROBE, USES };

struct cvg_budget_client {
    struct cvg_node node;
    struct cvg_link unused; /* in the ledger's list while there are no connections */
    struct cvg_address network;
    uint64_t connections;
    atomic_uint_fast64_t paid_ns[USES];
};

struct ledger {
    pthread_mutex_t lock;
    struct cvg_table *table;
    struct cvg_link unused; /* for longest first */
};

struct cvg_budget {
    struct ledger clients, targets;
    atomic_uint_fast64_t connections;
    atomic_uint_fast64_t share_ns[USES]; /* a minute divided by what is allowed in it */
};

static enum cvg_error open_ledger(struct ledger *ledger)
{
    cvg_list_init(&ledger->unused);
    enum cvg_error err = cvg_table_new(&ledger->table);
    if (err == CVG_OK && pthread_mutex_init(&ledger->lock, NULL) != 0) {
        cvg_table_free(ledger->table);
        ledger->table = NULL;
        err = CVG_ERR_NOMEM;
    }
    return err;
}

static void drop(struct ledger *ledger, struct cvg_budget_client *account)
{
    cvg_table_remove(ledger->table, &account->node);
    cvg_list_remove(&account->unused);
    free(account);
}

static void close_ledger(struct ledger *ledger)
{
    if (ledger->table == NULL)
        return;
    while (!cvg_list_empty(&ledger->unused))
        drop(ledger, CVG_CONTAINER_OF(ledger->unused.next, struct cvg_budget_client, unused));
    cvg_table_free(ledger->table);
    pthread_mutex_destroy(&ledger->lock);
}

enum cvg_error cvg_budget_new(struct cvg_budget **ret_budget)
{
    struct cvg_budget *budget = calloc(1, sizeof(*budget));
    if (budget == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = open_ledger(&budget->clients);
    if (err == CVG_OK)
        err = open_ledger(&budget->targets);
    if (err != CVG_OK)
        cvg_budget_free(budget);
    else
        *ret_budget = budget;
    return err;
}

void cvg_budget_free(struct cvg_budget *budget)
{
    if (budget == NULL)
        return;
    close_ledger(&budget->clients);
    close_ledger(&budget->targets);
    free(budget);
}

/* Nothing at all may be used where the limit is 0. */
static uint64_t share_of_minute(uint64_t per_minute)
{
    return per_minute == 0 ? MINUTE_NS + 1 : MINUTE_NS / per_minute;
}

void cvg_budget_set(struct cvg_budget *budget, const struct cvg_budget_limits *limits)
{
    budget->connections = limits->connections;
    budget->share_ns[QUERY] = share_of_minute(limits->queries_per_minute);
    budget->share_ns[PROBE] = share_of_minute(limits->probes_per_minute);
    budget->share_ns[TARGET_PROBE] = share_of_minute(limits->target_probes_per_minute);
}

/* The latest of the account's debts. */
static uint64_t paid_ns(const struct cvg_budget_client *account)
{
    uint64_t latest = 0;
    for (int i = 0; i < USES; i++) {
        uint64_t one = atomic_load_explicit(&account->paid_ns[i], memory_order_relaxed);
        if (one > latest)
            latest = one;
    }
    return latest;
}

/* Forgets accounts that owe nothing, a few at a time: more than ever come anew. */
static void reap(struct ledger *ledger, uint64_t now_ns)
{
    for (int i = 0; i < REAPED_AT_ONCE && !cvg_list_empty(&ledger->unused); i++) {
        struct cvg_budget_client *account =
            CVG_CONTAINER_OF(ledger->unused.next, struct cvg_budget_client, unused);
        if (paid_ns(account) > now_ns)
            return;
        drop(ledger, account);
    }
}

/* Of those that have been without use for longest the one that owes least; NULL: all are in use. */
static struct cvg_budget_client *who_gives_way(const struct ledger *ledger)
{
    struct cvg_budget_client *least = NULL;
    struct cvg_link *link = ledger->unused.next;
    for (int i = 0; i < COMPARED && link != &ledger->unused; i++, link = link->next) {
        struct cvg_budget_client *one = CVG_CONTAINER_OF(link, struct cvg_budget_client, unused);
        if (least == NULL || paid_ns(one) < paid_ns(least))
            least = one;
    }
    return least;
}

static struct cvg_budget_client *open_account(struct ledger *ledger,
                                              const struct cvg_address *network, uint64_t now_ns)
{
    reap(ledger, now_ns);
    struct cvg_budget_client *account = calloc(1, sizeof(*account));
    if (account == NULL)
        return NULL;
    struct cvg_budget_client *old =
        cvg_table_count(ledger->table) >= ACCOUNTS_MAX ? who_gives_way(ledger) : NULL;
    if (old != NULL) {
        for (int i = 0; i < USES; i++)
            account->paid_ns[i] = old->paid_ns[i];
        drop(ledger, old);
    }
    account->network = *network;
    account->node.key = &account->network;
    account->node.key_len = sizeof(account->network);
    cvg_list_push(&ledger->unused, &account->unused);
    cvg_table_add(ledger->table, &account->node);
    return account;
}

/* The account of the address's network, an old one or a new one; NULL: no memory. */
static struct cvg_budget_client *account_of(struct ledger *ledger,
                                            const struct cvg_address *address, uint64_t now_ms)
{
    struct cvg_address network;
    cvg_address_client(address, &network);
    struct cvg_node *node = cvg_table_find(ledger->table, &network, sizeof(network));
    return node != NULL ? CVG_CONTAINER_OF(node, struct cvg_budget_client, node)
                        : open_account(ledger, &network, now_ms * NS_PER_MS);
}

static unsigned take(struct cvg_budget *budget, struct cvg_budget_client *account, enum use use,
                     uint64_t now_ms)
{
    uint64_t now_ns = now_ms * NS_PER_MS;
    uint64_t share_ns = atomic_load_explicit(&budget->share_ns[use], memory_order_relaxed);
    uint_fast64_t paid = atomic_load_explicit(&account->paid_ns[use], memory_order_relaxed);
    uint64_t next;
    do {
        next = (paid > now_ns ? paid : now_ns) + share_ns;
        if (next > now_ns + MINUTE_NS)
            return (unsigned)((next - MINUTE_NS - now_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
    } while (!atomic_compare_exchange_weak_explicit(&account->paid_ns[use], &paid, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

enum cvg_error cvg_budget_enter(struct cvg_budget *budget, const struct cvg_address *address,
                                uint64_t now_ms, struct cvg_budget_client **ret_client)
{
    struct ledger *clients = &budget->clients;
    enum cvg_error err = CVG_OK;
    pthread_mutex_lock(&clients->lock);
    struct cvg_budget_client *client = account_of(clients, address, now_ms);
    if (client == NULL) {
        err = CVG_ERR_NOMEM;
    } else if (client->connections >= budget->connections) {
        err = CVG_ERR_BUSY;
    } else {
        client->connections++;
        cvg_list_remove(&client->unused);
    }
    pthread_mutex_unlock(&clients->lock);
    if (err == CVG_OK)
        *ret_client = client;
    return err;
}

void cvg_budget_leave(struct cvg_budget *budget, struct cvg_budget_client *client)
{
    pthread_mutex_lock(&budget->clients.lock);
    if (--client->connections == 0)
        cvg_list_push(&budget->clients.unused, &client->unused);
    pthread_mutex_unlock(&budget->clients.lock);
}

unsigned cvg_budget_query(struct cvg_budget *budget, struct cvg_budget_client *client,
                          uint64_t now_ms)
{
    return take(budget, client, QUERY, now_ms);
}

unsigned cvg_budget_probe(struct cvg_budget *budget, struct cvg_budget_client *client,
                          uint64_t now_ms)
{
    return take(budget, client, PROBE, now_ms);
}

bool cvg_budget_target(struct cvg_budget *budget, const struct cvg_address *address,
                       uint64_t now_ms)
{
    struct ledger *targets = &budget->targets;
    bool taken = false;
    pthread_mutex_lock(&targets->lock);
    struct cvg_budget_client *account = account_of(targets, address, now_ms);
    if (account != NULL) {
        taken = take(budget, account, TARGET_PROBE, now_ms) == 0;
        cvg_list_remove(&account->unused);
        cvg_list_push(&targets->unused, &account->unused);
    }
    pthread_mutex_unlock(&targets->lock);
    return taken;
}
