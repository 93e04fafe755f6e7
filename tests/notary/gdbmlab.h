/* SPDX-License-Identifier: MIT */
/* What the tests of the GDBM backend share: a backend in a directory of its own, segments for it to
 * absorb, looks into it, and its file as others may have written or damaged it. */
#ifndef CVG_TESTS_GDBMLAB_H
#define CVG_TESTS_GDBMLAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "notary/backend-gdbm.h"
#include "notary/observations.h"

#define DAY  86400
#define KEYS 2000

extern char directory[64];
extern struct cvg_settings settings;
extern struct cvg_metrics metrics;
extern uv_loop_t loop;
extern struct cvg_backend *backend;
extern int64_t now_s;
extern atomic_int allocations_left; /* the one after these fails; below 0: none does */

int set_up(void **state);
int tear_down(void **state);
/* Opens and closes the backend; set_up has opened it. */
void begin(void);
void finish(void);

/* A segment without a name; absorb seals and frees it. */
struct cvg_segment *segment_new(void);
/* Adds a target with one certificate, seen then. */
void add(struct cvg_segment *segment, const char *key, uint8_t id, int64_t when_s);
enum cvg_error absorb(struct cvg_segment *segment);
void absorb_one(const char *key, uint8_t id, int64_t when_s);

struct got {
    enum cvg_error err;
    struct cvg_observations seen;
};
struct got get(const char *key);
/* Exactly those certificates, a digit each, in any order; "" for no record. */
void has(const char *key, const char *ids);

/* Many targets, "WORD 0" and so on; how many are there, each of which must be what was written. */
const char *name(char ret_name[static 32], const char *word, int i);
void fill(const char *word, int count, int64_t first_s);
int count_found(const char *word, int count);

/* Raw records past the backend, in place, as earlier releases wrote them. */
void put_raw(const char *key, const void *value, size_t len);
void put_older_release(const char *key, uint8_t id, int64_t when_s);
/* Junk over that part of the file. */
void spoil(off_t from, off_t to);
size_t count_files(const char *pattern);

#endif
