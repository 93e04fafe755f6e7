/* SPDX-License-Identifier: MIT */
/* For tests: notaries that answer when they are told to, and time that passes when it is told to.
 * Nothing here touches a network. Every failure aborts the test. */
#ifndef CVG_TESTS_FAKE_WORLD_H
#define CVG_TESTS_FAKE_WORLD_H

#include "common/engine/check.h"
#include "common/protocol/v2.h"
#include "tests/common/engine/fake-clock.h"

#define FAKE_EXCHANGES_MAX 256
#define FAKE_NOTARIES_MAX  8

/* What a notary says, beyond CVG_VOTE_*. */
enum fake_answer {
    FAKE_YES,
    FAKE_NO,
    FAKE_ASIDE,
    FAKE_NOT_PUBLIC,
    FAKE_UNREACHABLE,  /* "I cannot reach it" */
    FAKE_WRONG_KEY,    /* yes, signed by somebody else */
    FAKE_OTHER_PORT,   /* yes, for another port */
    FAKE_OTHER_SHA256, /* yes by its SHA-1, with another SHA-256 */
    FAKE_HISTORY,      /* the certificate is there, but not current */
    FAKE_STATUS_500,
    FAKE_SILENT, /* the connection broke */
    FAKE_RELAY_FAILED,
};

struct cvg_exchange {
    bool open;
    char notary[CVG_MESSAGE_NAME_MAX];
    char relay[CVG_MESSAGE_NAME_MAX]; /* "" if direct */
    struct cvg_v2_request *asked;
    uint64_t deadline_ms;
    cvg_transport_done *done;
    void *user;
};

struct fake_world {
    struct cvg_transport transport; /* first: the one is cast to the other */
    struct fake_clock clock;
    struct cvg_world world;
    struct cvg_config config;
    struct cvg_signing_key *key[FAKE_NOTARIES_MAX], *stranger;
    size_t notaries;
    uint16_t relay_port;
    struct cvg_cache *cache;
    struct cvg_checks *checks;
    struct cvg_electorate *electorate;
    struct cvg_exchange exchange[FAKE_EXCHANGES_MAX];
    size_t exchanges;
    bool start_fails;
    /* Around what the code under test does with an answer; or NULL. */
    void (*before_done)(struct fake_world *fake), (*after_done)(struct fake_world *fake);
    unsigned fault; /* theirs: which call fails */
    struct cvg_leaf leaf;
    uint8_t *der;
    size_t der_len;
};

/* The notaries are called alpha, beta, gamma ... and are asked in that order. Change world->config
 * in between, then start. */
struct fake_world *fake_world_new(size_t notaries, bool relays);
void fake_world_start(struct fake_world *fake);
void fake_world_free(struct fake_world *fake);
/* Reads the configuration anew, now with so many notaries. */
void fake_reload(struct fake_world *fake, size_t notaries);
/* From the next reading on, somebody else is the notary of that number, under the same name. */
void fake_replace_operator(struct fake_world *fake, size_t notary);

/* Time passes; what is due happens. */
void fake_advance(struct fake_world *fake, uint64_t ms);

/* The open exchange with that notary answers; about the port (0: whichever). False if there is
 * none.
 */
bool fake_answer(struct fake_world *fake, const char *notary, unsigned port,
                 enum fake_answer answer);
/* How many are open now. */
size_t fake_open(const struct fake_world *fake);
bool fake_is_asked(const struct fake_world *fake, const char *notary);
/* The relay of the open exchange with that notary; "" if direct. */
const char *fake_relay_of(const struct fake_world *fake, const char *notary);

#endif
