/* SPDX-License-Identifier: MIT */
/* Accounts of client networks. Those without connections are kept for a while, so that nobody gets
 * a fresh account by hanging up. */
#include "notary/budget.h"

#include <stdlib.h>

#include "notary/list.h"

#define ACCOUNTS_MAX 65536

struct cvg_budget_client {
    struct cvg_node node;
    struct cvg_link idle; /* in the budget's list while there are no connections */
    struct cvg_address network;
    uint64_t connections;
    uint64_t credit; /* in 1/60000 of a probe, so that a millisecond adds probes_per_minute */
    uint64_t updated_ms;
};

#define PROBE_CREDIT UINT64_C(60000)

struct cvg_budget {
    struct cvg_table *table;
    struct cvg_link idle; /* longest idle first */
    uint64_t connections;
    uint64_t probes_per_minute;
};

enum cvg_error cvg_budget_new(struct cvg_budget **ret_budget)
{
    struct cvg_budget *budget = calloc(1, sizeof(*budget));
    if (budget == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = cvg_table_new(&budget->table);
    if (err != CVG_OK) {
        free(budget);
        return err;
    }
    cvg_list_init(&budget->idle);
    *ret_budget = budget;
    return CVG_OK;
}

static void drop_longest_idle(struct cvg_budget *budget)
{
    struct cvg_budget_client *client =
        CVG_CONTAINER_OF(budget->idle.next, struct cvg_budget_client, idle);
    cvg_table_remove(budget->table, &client->node);
    cvg_list_remove(&client->idle);
    free(client);
}

void cvg_budget_free(struct cvg_budget *budget)
{
    if (budget == NULL)
        return;
    while (!cvg_list_empty(&budget->idle))
        drop_longest_idle(budget);
    cvg_table_free(budget->table);
    free(budget);
}

void cvg_budget_set(struct cvg_budget *budget, uint64_t connections, uint64_t probes_per_minute)
{
    budget->connections = connections;
    budget->probes_per_minute = probes_per_minute;
}

static struct cvg_budget_client *open_account(struct cvg_budget *budget,
                                              const struct cvg_address *network, uint64_t now_ms)
{
    if (cvg_table_count(budget->table) >= ACCOUNTS_MAX && !cvg_list_empty(&budget->idle))
        drop_longest_idle(budget);
    struct cvg_budget_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->network = *network;
    client->node.key = &client->network;
    client->node.key_len = sizeof(client->network);
    client->credit = budget->probes_per_minute * PROBE_CREDIT;
    client->updated_ms = now_ms;
    cvg_list_init(&client->idle);
    cvg_table_add(budget->table, &client->node);
    return client;
}

enum cvg_error cvg_budget_enter(struct cvg_budget *budget, const struct cvg_address *address,
                                uint64_t now_ms, struct cvg_budget_client **ret_client)
{
    struct cvg_address network;
    cvg_address_client(address, &network);
    struct cvg_node *node = cvg_table_find(budget->table, &network, sizeof(network));
    struct cvg_budget_client *client = node != NULL
                                           ? CVG_CONTAINER_OF(node, struct cvg_budget_client, node)
                                           : open_account(budget, &network, now_ms);
    if (client == NULL)
        return CVG_ERR_NOMEM;
    if (client->connections >= budget->connections)
        return CVG_ERR_BUSY;
    client->connections++;
    cvg_list_remove(&client->idle);
    *ret_client = client;
    return CVG_OK;
}

void cvg_budget_leave(struct cvg_budget *budget, struct cvg_budget_client *client)
{
    if (--client->connections == 0)
        cvg_list_push(&budget->idle, &client->idle);
}

bool cvg_budget_probe(struct cvg_budget *budget, struct cvg_budget_client *client, uint64_t now_ms)
{
    uint64_t full = budget->probes_per_minute * PROBE_CREDIT;
    uint64_t elapsed = now_ms - client->updated_ms;
    uint64_t earned = elapsed >= PROBE_CREDIT ? full : elapsed * budget->probes_per_minute;
    client->credit =
        client->credit > full || full - client->credit < earned ? full : client->credit + earned;
    client->updated_ms = now_ms;
    if (client->credit < PROBE_CREDIT)
        return false;
    client->credit -= PROBE_CREDIT;
    return true;
}
