/* SPDX-License-Identifier: MIT */
/* What the tests of questions and probes share: a clock, a prober, a store and allocations of the
 * test's own, around one inquirer. The program is linked with INQUIRY_LAB_LINK. */
#ifndef CVG_TESTS_NOTARY_INQUIRYLAB_H
#define CVG_TESTS_NOTARY_INQUIRYLAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "notary/inquiry.h"

#define AGE_S       86400
#define INTERVAL_MS 10000
#define ASKED_MAX   2048

struct cvg_probe {
    cvg_probe_done *done;
    void *user;
};

struct lab {
    int64_t wall_s;
    uint64_t ms;
    uv_loop_t loop;
    struct cvg_mailbox *mailbox;
    struct cvg_metrics metrics;
    struct cvg_identity identity;
    struct cvg_answerer answerer;
    struct cvg_memory *memory;
    struct cvg_budget *budget;
    struct cvg_budget_client *client;
    struct cvg_inquirer *inquirer;
    atomic_size_t flights;
    /* Another loop of the process, over the same memory. */
    uv_loop_t other_loop;
    struct cvg_mailbox *other_mailbox;
    struct cvg_inquirer *other;
    /* The prober. */
    struct cvg_probe *probe; /* under way */
    unsigned started, again, freed;
    bool again_fails;
    bool thorough; /* the last second round was */
    /* The store; NULL: there is none. */
    struct cvg_keeper *keeper;
    struct cvg_verifiers *verifiers;
    struct cvg_fetch *fetch; /* under way */
    unsigned fetched, put;
    bool full;
    bool over; /* another process has it */
    struct cvg_buffer kept; /* what was put last */
    /* Who asked. */
    struct cvg_finding finding[ASKED_MAX];
    bool answered[ASKED_MAX];
    struct cvg_inquiry *inquiry[ASKED_MAX];
    unsigned asked;
};
extern struct lab lab;

/* Allocations until one fails; negative: none does. */
extern int lab_allocations_left;

int lab_set_up(void **state);
int lab_tear_down(void **state);
void lab_pass_s(unsigned seconds);
void lab_limit_probes(uint64_t per_minute);
void lab_limit_flights(uint64_t flights);
void lab_run(void);       /* letters are opened */
void lab_run_other(void); /* the other loop's */

/* Asks for the leaf (0: whatever is known); returns the question's number. */
unsigned lab_ask_host(const char *host, uint8_t leaf);
unsigned lab_ask(uint8_t leaf); /* at site.example */
unsigned lab_ask_v1(uint8_t leaf);
unsigned lab_ask_elsewhere(uint8_t leaf); /* in the other loop */
void lab_leave(unsigned which);           /* cancels it */

/* How the question ended. */
void lab_is(unsigned which, enum cvg_v2_status status, bool found);
void lab_is_busy(unsigned which, bool over_budget);

/* A round of the probe ends: with the leaf at that address, or with an error. */
void lab_round_ends(enum cvg_error err, uint8_t leaf, enum cvg_key_type key_type, uint8_t address);
void lab_sees(uint8_t leaf);

/* The store answers: with what was put last, or with an error. */
void lab_store_says(enum cvg_error err);
void lab_use_store(void);

#endif
