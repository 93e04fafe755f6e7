/* SPDX-License-Identifier: MIT */
/* Who waits for a flight: their findings, and how these get to the loops that asked. */
#include "notary/flight.h"

void cvg_waiting_deliver(const struct cvg_inquirer *here, struct cvg_link *ready, bool later)
{
    while (!cvg_list_empty(ready)) {
        struct cvg_inquiry *inquiry = CVG_CONTAINER_OF(ready->next, struct cvg_inquiry, link);
        cvg_list_remove(&inquiry->link);
        if (later || inquiry->inquirer != here)
            cvg_mailbox_post(inquiry->inquirer->parts.mailbox, &inquiry->letter);
        else
            inquiry->letter.open(&inquiry->letter);
    }
}

/* With the lock. */
static struct cvg_inquiry *next_waiting(struct cvg_link *waiting)
{
    struct cvg_inquiry *inquiry = CVG_CONTAINER_OF(waiting->next, struct cvg_inquiry, link);
    cvg_list_remove(&inquiry->link);
    inquiry->waiting = false;
    return inquiry;
}

void cvg_waiting_answer(struct cvg_flight *flight, bool all, struct cvg_link *ready)
{
    struct cvg_link unsatisfied;
    cvg_list_init(&unsatisfied);
    while (!cvg_list_empty(&flight->waiting)) {
        struct cvg_link *first = flight->waiting.next;
        struct cvg_inquiry *inquiry = CVG_CONTAINER_OF(first, struct cvg_inquiry, link);
        if (!all && !cvg_inquiry_satisfied(flight->inquirer, flight->target, &inquiry->wanted)) {
            cvg_list_remove(first);
            cvg_list_push(&unsatisfied, first);
            continue;
        }
        inquiry = next_waiting(&flight->waiting);
        cvg_inquiry_conclude(flight->inquirer, flight->target, &inquiry->wanted, inquiry->v1,
                             flight->source, &inquiry->finding);
        cvg_list_push(ready, &inquiry->link);
    }
    while (!cvg_list_empty(&unsatisfied)) {
        struct cvg_link *link = unsatisfied.next;
        cvg_list_remove(link);
        cvg_list_push(&flight->waiting, link);
    }
}

void cvg_waiting_dismiss(struct cvg_flight *flight, const struct cvg_finding *why,
                         struct cvg_link *ready)
{
    while (!cvg_list_empty(&flight->waiting)) {
        struct cvg_inquiry *inquiry = next_waiting(&flight->waiting);
        inquiry->finding = *why;
        cvg_list_push(ready, &inquiry->link);
    }
}
