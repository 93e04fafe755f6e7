/* SPDX-License-Identifier: MIT */
/* A clock, a prober, a store and allocations of the test's own, around one inquirer. */
#include "inquirylab.h"

#include <stdlib.h>
#include <string.h>

#include "notary/keypair.h"

/* What the linker puts in place of the allocator's, probe.c's and keeper.c's functions. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
enum cvg_error __wrap_cvg_probe_start(const struct cvg_prober *prober,
                                      const struct cvg_endpoint *endpoint, uint8_t hint,
                                      cvg_probe_done *done, void *user,
                                      struct cvg_probe **ret_probe);
enum cvg_error __wrap_cvg_probe_again(struct cvg_probe *probe, bool thorough, cvg_probe_done *done);
void __wrap_cvg_probe_free(struct cvg_probe *probe);
void __wrap_cvg_keeper_fetch(struct cvg_keeper *keeper, struct cvg_fetch *fetch);
enum cvg_error __wrap_cvg_keeper_put(struct cvg_keeper *keeper, const void *key, size_t key_len,
                                     const void *value, size_t value_len);
bool __wrap_cvg_keeper_has_room(const struct cvg_keeper *keeper);
bool __wrap_cvg_keeper_is_over(const struct cvg_keeper *keeper);

struct lab lab;
int lab_allocations_left = -1;
static EVP_PKEY *key;
static struct cvg_buffer key_pem;

static bool allocation_fails(void)
{
    return lab_allocations_left >= 0 && lab_allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

enum cvg_error __wrap_cvg_probe_start(const struct cvg_prober *prober CVG_UNUSED,
                                      const struct cvg_endpoint *endpoint, uint8_t hint CVG_UNUSED,
                                      cvg_probe_done *done, void *user,
                                      struct cvg_probe **ret_probe)
{
    assert_string_equal(endpoint->host, "site.example");
    assert_int_equal(endpoint->port, 443);
    assert_null(lab.probe);
    lab.probe = calloc(1, sizeof(*lab.probe));
    if (lab.probe == NULL)
        return CVG_ERR_NOMEM;
    *lab.probe = (struct cvg_probe){.done = done, .user = user};
    lab.started++;
    *ret_probe = lab.probe;
    return CVG_OK;
}

enum cvg_error __wrap_cvg_probe_again(struct cvg_probe *probe, bool thorough, cvg_probe_done *done)
{
    if (lab.again_fails)
        return CVG_ERR_BUSY;
    probe->done = done;
    lab.thorough = thorough;
    lab.again++;
    return CVG_OK;
}

void __wrap_cvg_probe_free(struct cvg_probe *probe)
{
    if (probe == NULL)
        return;
    assert_ptr_equal(probe, lab.probe);
    lab.probe = NULL;
    lab.freed++;
    free(probe);
}

void __wrap_cvg_keeper_fetch(struct cvg_keeper *keeper, struct cvg_fetch *fetch)
{
    assert_ptr_equal(keeper, lab.keeper);
    assert_null(lab.fetch);
    lab.fetch = fetch;
    lab.fetched++;
}

enum cvg_error __wrap_cvg_keeper_put(struct cvg_keeper *keeper, const void *record_key CVG_UNUSED,
                                     size_t key_len CVG_UNUSED, const void *value, size_t value_len)
{
    assert_ptr_equal(keeper, lab.keeper);
    if (lab.full)
        return CVG_ERR_BUSY;
    lab.put++;
    lab.kept.len = 0;
    return cvg_buffer_put(&lab.kept, value, value_len);
}

bool __wrap_cvg_keeper_has_room(const struct cvg_keeper *keeper)
{
    assert_ptr_equal(keeper, lab.keeper);
    return !lab.full;
}

bool __wrap_cvg_keeper_is_over(const struct cvg_keeper *keeper)
{
    assert_ptr_equal(keeper, lab.keeper);
    return lab.over;
}

static uint64_t fake_ms(void *user CVG_UNUSED)
{
    return lab.ms;
}

static int64_t fake_wall(void *user CVG_UNUSED)
{
    return lab.wall_s;
}

static const struct cvg_clock fake_clock = {.monotonic_ms = fake_ms, .wall_s = fake_wall};

void lab_pass_s(unsigned seconds)
{
    lab.wall_s += seconds;
    lab.ms += UINT64_C(1000) * seconds;
}

void lab_limit_probes(uint64_t per_minute)
{
    const struct cvg_budget_limits limits = {.connections = 1, .probes_per_minute = per_minute};
    cvg_budget_set(lab.budget, &limits);
}

void lab_limit_flights(uint64_t flights)
{
    const struct cvg_inquiry_limits limits = {
        .max_age_s = AGE_S, .interval_ms = INTERVAL_MS, .max_flights = flights};
    cvg_inquirer_set(lab.inquirer, &limits);
    cvg_inquirer_set(lab.other, &limits);
}

static void run(uv_loop_t *loop)
{
    while (uv_run(loop, UV_RUN_NOWAIT) != 0 && uv_backend_timeout(loop) == 0)
        ;
}

void lab_run(void)
{
    run(&lab.loop);
}

void lab_run_other(void)
{
    run(&lab.other_loop);
}

static void make_keys(void)
{
    if (key == NULL) {
        cvg_buffer_init(&key_pem, 4096);
        assert_int_equal(cvg_keypair_new(&key), CVG_OK);
        assert_int_equal(cvg_keypair_pem(key, &key_pem), CVG_OK);
    }
    assert_int_equal(cvg_signing_key_parse((const char *)key_pem.data, key_pem.len,
                                           &lab.identity.signing_key, NULL),
                     CVG_OK);
    assert_int_equal(
        cvg_v1_key_parse((const char *)key_pem.data, key_pem.len, &lab.identity.v1_key), CVG_OK);
}

static enum cvg_error make_inquirer(struct cvg_mailbox *mailbox, struct cvg_inquirer **ret_inquirer)
{
    static const struct cvg_prober prober;
    const struct cvg_inquirer_parts parts = {
        .prober = &prober,
        .answerer = &lab.answerer,
        .clock = &fake_clock,
        .mailbox = mailbox,
        .metrics = &lab.metrics,
        .memory = lab.memory,
        .budget = lab.budget,
        .keeper = &lab.keeper,
        .verifiers = &lab.verifiers,
        .flights = &lab.flights,
    };
    return cvg_inquirer_new(&parts, ret_inquirer);
}

int lab_set_up(void **state)
{
    const struct cvg_address peer = {.family = 4, .bytes = {192, 0, 2, 1}};
    (void)state;
    memset(&lab, 0, sizeof(lab));
    lab.wall_s = 1800000000;
    lab.ms = 5000;
    cvg_buffer_init(&lab.kept, 65536);
    make_keys();
    lab.answerer =
        (struct cvg_answerer){.identity = &lab.identity, .clock = &fake_clock, .max_age_s = AGE_S};
    assert_int_equal(uv_loop_init(&lab.loop), 0);
    assert_int_equal(cvg_mailbox_new(&lab.loop, &lab.mailbox), CVG_OK);
    assert_int_equal(cvg_memory_new(4, 1, &lab.memory), CVG_OK);
    assert_int_equal(cvg_budget_new(&lab.budget), CVG_OK);
    lab_limit_probes(5);
    assert_int_equal(cvg_budget_enter(lab.budget, &peer, lab.ms, &lab.client), CVG_OK);
    assert_int_equal(uv_loop_init(&lab.other_loop), 0);
    assert_int_equal(cvg_mailbox_new(&lab.other_loop, &lab.other_mailbox), CVG_OK);
    assert_int_equal(make_inquirer(lab.mailbox, &lab.inquirer), CVG_OK);
    assert_int_equal(make_inquirer(lab.other_mailbox, &lab.other), CVG_OK);
    lab_limit_flights(2);
    return 0;
}

static void end_loop(uv_loop_t *loop, struct cvg_mailbox *mailbox)
{
    cvg_mailbox_free(mailbox);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
}

int lab_tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < lab.asked; i++) {
        cvg_inquiry_cancel(lab.inquiry[i]);
        cvg_blob_unref(lab.finding[i].body);
    }
    cvg_inquirer_stop(lab.inquirer);
    cvg_inquirer_stop(lab.other);
    if (lab.fetch != NULL)
        lab_store_says(CVG_ERR_IO);
    end_loop(&lab.loop, lab.mailbox);
    end_loop(&lab.other_loop, lab.other_mailbox);
    assert_int_equal(atomic_load(&lab.flights), 0);
    cvg_inquirer_free(lab.inquirer);
    cvg_inquirer_free(lab.other);
    cvg_memory_free(lab.memory);
    cvg_budget_leave(lab.budget, lab.client);
    cvg_budget_free(lab.budget);
    cvg_signing_key_free(lab.identity.signing_key);
    cvg_v1_key_free(lab.identity.v1_key);
    cvg_buffer_free(&lab.kept);
    assert_int_equal(lab.started, lab.freed);
    return 0;
}

static void answered(const struct cvg_finding *finding, void *user)
{
    unsigned which = (unsigned)(uintptr_t)user;
    assert_false(lab.answered[which]);
    lab.answered[which] = true;
    lab.finding[which] = *finding;
    lab.inquiry[which] = NULL;
}

static unsigned ask(struct cvg_inquirer *inquirer, const char *host, uint8_t leaf, bool v1)
{
    struct cvg_endpoint endpoint;
    unsigned which = lab.asked++;
    struct cvg_asked question = {.endpoint = &endpoint, .v1 = v1, .client = lab.client};
    question.wanted.len = leaf == 0 ? 0 : v1 ? CVG_SHA1_LEN : CVG_SHA256_LEN;
    memset(question.wanted.digest, leaf, sizeof(question.wanted.digest));
    assert_int_equal(cvg_endpoint_set(host, strlen(host), 443, &endpoint, NULL), CVG_OK);
    lab.inquiry[which] = cvg_inquiry_start(inquirer, &question, answered, (void *)(uintptr_t)which,
                                           &lab.finding[which]);
    lab.answered[which] = lab.inquiry[which] == NULL;
    return which;
}

unsigned lab_ask_host(const char *host, uint8_t leaf)
{
    return ask(lab.inquirer, host, leaf, false);
}

unsigned lab_ask(uint8_t leaf)
{
    return ask(lab.inquirer, "site.example", leaf, false);
}

unsigned lab_ask_v1(uint8_t leaf)
{
    return ask(lab.inquirer, "site.example", leaf, true);
}

unsigned lab_ask_elsewhere(uint8_t leaf)
{
    return ask(lab.other, "site.example", leaf, false);
}

void lab_leave(unsigned which)
{
    cvg_inquiry_cancel(lab.inquiry[which]);
    lab.inquiry[which] = NULL;
}

void lab_is(unsigned which, enum cvg_v2_status status, bool found)
{
    assert_true(lab.answered[which]);
    assert_int_equal(lab.finding[which].error, CVG_OK);
    assert_int_equal(lab.finding[which].status, status);
    assert_int_equal(lab.finding[which].found, found);
}

void lab_is_busy(unsigned which, bool over_budget)
{
    lab_run();
    assert_true(lab.answered[which]);
    assert_int_equal(lab.finding[which].error, CVG_ERR_BUSY);
    assert_int_equal(lab.finding[which].over_budget, over_budget);
    assert_true(lab.finding[which].retry_after_s > 0);
    assert_null(lab.finding[which].body);
}

void lab_round_ends(enum cvg_error err, uint8_t leaf, enum cvg_key_type key_type, uint8_t address)
{
    struct cvg_probe_result result = {.error = err, .count = err == CVG_OK ? 1 : 0};
    assert_non_null(lab.probe);
    result.sighting[0].leaf.key_type = key_type;
    memset(result.sighting[0].leaf.sha256, leaf, CVG_SHA256_LEN);
    memset(result.sighting[0].leaf.sha1, leaf, CVG_SHA1_LEN);
    result.sighting[0].address = (struct cvg_address){.family = 4, .bytes = {203, 0, 113, address}};
    lab.probe->done(lab.probe, &result, lab.probe->user);
}

void lab_sees(uint8_t leaf)
{
    lab_round_ends(CVG_OK, leaf, CVG_KEY_EC, 1);
}

void lab_use_store(void)
{
    static uint8_t store;
    lab.keeper = (struct cvg_keeper *)(void *)&store;
}

void lab_store_says(enum cvg_error err)
{
    struct cvg_fetch *fetch = lab.fetch;
    assert_non_null(fetch);
    lab.fetch = NULL;
    fetch->err = err;
    if (err == CVG_OK)
        assert_int_equal(cvg_buffer_put(&fetch->value, lab.kept.data, lab.kept.len), CVG_OK);
    cvg_mailbox_post(fetch->mailbox, &fetch->letter);
    lab_run();
}
