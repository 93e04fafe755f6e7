/* SPDX-License-Identifier: MIT */
/* The load generator of bench-notary: what its parts share. One thread. */
#ifndef CVG_BENCH_LOAD_H
#define CVG_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum load_mode { LOAD_KEPT = 0, LOAD_NEW, LOAD_RESUMED };

/* What is asked for, from the command line. */
struct load_plan {
    enum load_mode mode;
    int port;
    int tls; /* 12 or 13; 0: whatever both speak */
    unsigned connections;
    uint64_t requests; /* in all; 0: until the time is up */
    unsigned seconds;  /* 0: until the requests are done */
    unsigned rate;     /* requests a second, whenever answers come; 0: one after the other */
    bool hold; /* open every connection first, say so, and wait for a line on standard input */
    const char *names; /* hosts asked about: a number takes the place of '%' */
    unsigned count;    /* of them; drawn at random */
    uint64_t first;    /* the first number, in order instead of at random; UINT64_MAX: random */
    unsigned target;   /* port asked about */
    unsigned targets;  /* targets a request, 1 to 16 */
    bool v1;           /* the original's protocol */
    uint8_t leaf[32];  /* the leaf asked about: SHA-256, or SHA-1 for version 1 */
};

/* load-request.c: a whole HTTP request. Returns its length; 0 if it does not fit. */
size_t load_request(const struct load_plan *plan, char *ret_octets, size_t size);

/* load-latency.c: a histogram whose buckets are 1/32 of a power of two wide. */
struct load_latency {
    uint64_t count;
    uint64_t bucket[64 * 32];
};

void load_latency_add(struct load_latency *latency, uint64_t ns);
/* The value below which that share (0 to 1) of all lies. */
uint64_t load_latency_at(const struct load_latency *latency, double share);

/* load-reader.c: answers out of octets. */
struct load_reader {
    char head[1024];
    size_t head_len;
    bool in_body;
    uint64_t left; /* octets of the body that are still to come */
    unsigned status;
};

enum load_read { LOAD_READ_MORE = 0, LOAD_READ_DONE, LOAD_READ_BAD };

void load_reader_begin(struct load_reader *reader);
enum load_read load_reader_feed(struct load_reader *reader, const char *octets, size_t len);

/* load-connection.c: the connections. */
struct load_result {
    uint64_t answers, ok, refused, failed, resumed, octets;
    struct load_latency latency;
};

struct load;

struct load *load_new(const struct load_plan *plan); /* plan is borrowed; NULL: it cannot be done */
/* Opens every connection with one request each, and serves them until there is standard input;
 * false: that was its end. */
bool load_hold(struct load *load);
/* Asks what the plan says; the connections stay open. */
void load_run(struct load *load, struct load_result *ret_result);
void load_free(struct load *load);

#endif
