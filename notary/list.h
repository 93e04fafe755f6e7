/* SPDX-License-Identifier: MIT */
/* A doubly linked ring of embedded links: what is used least recently, who waits, who is open. */
#ifndef CVG_NOTARY_LIST_H
#define CVG_NOTARY_LIST_H

#include <stdbool.h>

#include "notary/table.h"

struct cvg_link {
    struct cvg_link *next, *prev;
};

static inline void cvg_list_init(struct cvg_link *head)
{
    head->next = head->prev = head;
}

static inline bool cvg_list_empty(const struct cvg_link *head)
{
    return head->next == head;
}

/* Puts the link at the end. */
static inline void cvg_list_push(struct cvg_link *head, struct cvg_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Takes the link out; harmless for one that is alone. */
static inline void cvg_list_remove(struct cvg_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    cvg_list_init(link);
}

#endif
