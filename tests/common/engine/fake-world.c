/* SPDX-License-Identifier: MIT */
/* Notaries and time under a test's control. */
#include "tests/common/engine/fake-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/protocol/base64.h"
#include "common/protocol/v2.h"
#include "tests/common/protocol/bundle-maker.h"

static const char *const names[FAKE_NOTARIES_MAX] = {"alpha",   "beta", "gamma", "delta",
                                                     "epsilon", "zeta", "eta",   "theta"};

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fake world: %s\n", what);
    abort();
}

static uint32_t natural_order(void *user, uint32_t n)
{
    (void)user;
    return n - 1;
}

static enum cvg_error start(struct cvg_transport *transport, const struct cvg_request *request,
                            cvg_transport_done *done, void *user,
                            struct cvg_exchange **ret_exchange)
{
    struct fake_world *fake = (struct fake_world *)transport;
    struct cvg_exchange *exchange;

    if (fake->start_fails)
        return CVG_ERR_NOMEM;
    must(fake->exchanges < FAKE_EXCHANGES_MAX, "too many exchanges");
    exchange = &fake->exchange[fake->exchanges++];
    *exchange = (struct cvg_exchange){
        .open = true, .deadline_ms = request->deadline_ms, .done = done, .user = user};
    memcpy(exchange->notary, request->notary->name, sizeof exchange->notary);
    if (request->relay != NULL)
        memcpy(exchange->relay, request->relay->name, sizeof exchange->relay);
    must(strcmp(request->path, CVG_V2_PATH) == 0, "path");
    exchange->asked = calloc(1, sizeof *exchange->asked);
    if (exchange->asked == NULL) {
        exchange->open = false;
        return CVG_ERR_NOMEM;
    }
    must(cvg_v2_request_parse(request->body, request->body_len, exchange->asked, NULL) == CVG_OK,
         "request");
    *ret_exchange = exchange;
    return CVG_OK;
}

static void cancel(struct cvg_transport *transport, struct cvg_exchange *exchange)
{
    (void)transport;
    must(exchange->open, "cancelled twice");
    exchange->open = false;
}

static void ignore(struct cvg_transport *transport)
{
    (void)transport;
}

static struct cvg_bundle *make_bundle(struct fake_world *fake, size_t index)
{
    const struct cvg_signing_key *key = fake->key[index];
    char *certificate = maker_certificate(names[index], 0);
    char *text = maker_text(names[index], 1, certificate, &key, 1, "");
    char *signed_text = maker_sign(text, fake->key[index]);
    struct cvg_bundle *bundle = NULL;

    must(cvg_bundle_parse(signed_text, strlen(signed_text), &bundle, NULL) == CVG_OK, "bundle");
    bundle->host[0].relay_port = fake->relay_port;
    free(certificate);
    free(text);
    free(signed_text);
    return bundle;
}

static void make_leaf(struct fake_world *fake)
{
    char *pem = maker_certificate("site", 0);
    char *begin = strchr(pem, '\n'), *end = strstr(pem, "-----END");
    struct cvg_buffer text, der;

    cvg_buffer_init(&text, 65536);
    cvg_buffer_init(&der, 65536);
    for (char *p = begin; p < end; p++)
        if (*p != '\n')
            cvg_buffer_put_u8(&text, (uint8_t)*p);
    must(cvg_base64_parse((const char *)text.data, text.len, &der) == CVG_OK, "leaf");
    must(cvg_leaf_of_der(der.data, der.len, &fake->leaf) == CVG_OK, "leaf's digests");
    fake->der = malloc(der.len);
    memcpy(fake->der, der.data, der.len);
    fake->der_len = der.len;
    cvg_buffer_free(&text);
    cvg_buffer_free(&der);
    free(pem);
}

struct fake_world *fake_world_new(size_t notaries, bool relays)
{
    struct fake_world *fake = calloc(1, sizeof *fake);

    fake->transport = (struct cvg_transport){start, cancel, ignore, ignore};
    fake_clock_init(&fake->clock);
    fake->world = (struct cvg_world){
        .clock = &fake->clock.clock, .transport = &fake->transport, .below = natural_order};
    must(cvg_breaker_new(&fake->clock.clock, &fake->world.breaker) == CVG_OK, "breaker");
    fake->notaries = notaries;
    fake->relay_port = relays ? 80 : 0;
    for (size_t i = 0; i < FAKE_NOTARIES_MAX; i++)
        fake->key[i] = maker_key();
    fake->stranger = maker_key();
    cvg_config_init(&fake->config);
    make_leaf(fake);
    must(cvg_cache_open(NULL, fake->config.cache_ttl_s, &fake->clock.clock, &fake->cache, NULL) ==
             CVG_OK,
         "cache");
    must(cvg_checks_new(&fake->world, fake->cache, &fake->checks) == CVG_OK, "checks");
    return fake;
}

void fake_reload(struct fake_world *fake, size_t notaries)
{
    struct cvg_electorate *electorate = NULL;
    struct cvg_bundles bundles = {0};
    struct cvg_why why = {""};

    fake->notaries = notaries;
    for (size_t i = 0; i < notaries; i++)
        bundles.bundle[bundles.count++] = make_bundle(fake, i);
    must(cvg_electorate_new(&fake->config, &bundles, &electorate, &why) == CVG_OK, why.text);
    cvg_checks_set_electorate(fake->checks, electorate);
    cvg_electorate_unref(fake->electorate);
    fake->electorate = electorate;
}

void fake_replace_operator(struct fake_world *fake, size_t notary)
{
    cvg_signing_key_free(fake->key[notary]);
    fake->key[notary] = maker_key();
}

void fake_world_start(struct fake_world *fake)
{
    fake_reload(fake, fake->notaries);
}

void fake_world_free(struct fake_world *fake)
{
    cvg_checks_free(fake->checks);
    cvg_electorate_unref(fake->electorate);
    cvg_cache_close(fake->cache);
    cvg_breaker_free(fake->world.breaker);
    for (size_t i = 0; i < FAKE_NOTARIES_MAX; i++)
        cvg_signing_key_free(fake->key[i]);
    cvg_signing_key_free(fake->stranger);
    for (size_t i = 0; i < fake->exchanges; i++) {
        must(!fake->exchange[i].open, "an exchange was left behind");
        free(fake->exchange[i].asked);
    }
    free(fake->der);
    free(fake);
}

void fake_advance(struct fake_world *fake, uint64_t ms)
{
    uint64_t end = fake->clock.ms + ms;

    while (fake->clock.ms < end) {
        fake->clock.ms++;
        for (size_t i = 0; i < fake->exchanges; i++) {
            struct cvg_exchange *exchange = &fake->exchange[i];

            if (!exchange->open || exchange->deadline_ms > fake->clock.ms)
                continue;
            exchange->open = false;
            exchange->done(CVG_ERR_TIMEOUT, false, 0, NULL, 0, exchange->user);
        }
        if (cvg_checks_next_ms(fake->checks) <= fake->clock.ms)
            cvg_checks_tick(fake->checks);
    }
}

static struct cvg_exchange *find(const struct fake_world *fake, const char *notary, unsigned port)
{
    for (size_t i = 0; i < fake->exchanges; i++) {
        const struct cvg_exchange *exchange = &fake->exchange[i];

        if (exchange->open && strcmp(exchange->notary, notary) == 0 &&
            (port == 0 || exchange->asked->target[0].endpoint.port == port))
            return &((struct fake_world *)(uintptr_t)fake)->exchange[i];
    }
    return NULL;
}

static struct cvg_signing_key *key_of(const struct fake_world *fake, const char *notary)
{
    for (size_t i = 0; i < FAKE_NOTARIES_MAX; i++)
        if (strcmp(names[i], notary) == 0)
            return fake->key[i];
    must(false, "no such notary");
    return NULL;
}

static void fill_records(const struct fake_world *fake, enum fake_answer answer,
                         struct cvg_v2_statement *statement)
{
    statement->count = 1;
    statement->record[0].leaf = fake->leaf;
    statement->record[0].current = true;
    statement->record[0].first_s = 1600000000;
    statement->record[0].last_s = 1700000000;
    if (answer == FAKE_NO || answer == FAKE_HISTORY) {
        memset(statement->record[0].leaf.sha256, 1, CVG_SHA256_LEN);
        memset(statement->record[0].leaf.sha1, 1, CVG_SHA1_LEN);
        memset(statement->record[0].leaf.spki_sha256, 1, CVG_SHA256_LEN);
    }
    if (answer == FAKE_OTHER_SHA256)
        memset(statement->record[0].leaf.sha256, 2, CVG_SHA256_LEN);
    if (answer == FAKE_HISTORY) {
        statement->record[1] = statement->record[0];
        statement->record[1].leaf = fake->leaf;
        statement->record[1].current = false;
        statement->count = 2;
    }
}

static struct cvg_buffer make_answer(const struct fake_world *fake,
                                     const struct cvg_exchange *exchange, enum fake_answer answer)
{
    struct cvg_v2_statement *statement = calloc(1, sizeof *statement);
    struct cvg_signing_key *key = key_of(fake, exchange->notary);
    struct cvg_buffer text, signature, out;

    cvg_buffer_init(&text, CVG_V2_STATEMENT_MAX);
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    cvg_buffer_init(&out, CVG_V2_ANSWER_MAX);
    memcpy(statement->key_id, cvg_signing_key_id(key), CVG_SHA256_LEN);
    statement->endpoint = exchange->asked->target[0].endpoint;
    statement->hint = exchange->asked->target[0].hint;
    statement->observed_s = 1700000000;
    statement->status = answer == FAKE_ASIDE         ? CVG_V2_ASIDE
                        : answer == FAKE_NOT_PUBLIC  ? CVG_V2_NOT_PUBLIC
                        : answer == FAKE_UNREACHABLE ? CVG_V2_UNREACHABLE
                                                     : CVG_V2_SEEN;
    if (statement->status == CVG_V2_SEEN)
        fill_records(fake, answer, statement);
    if (answer == FAKE_OTHER_PORT)
        statement->endpoint.port++;
    must(cvg_v2_statement_write(statement, &text) == CVG_OK, "statement");
    must(cvg_sign(answer == FAKE_WRONG_KEY ? fake->stranger : key, text.data, text.len,
                  &signature) == CVG_OK,
         "signature");
    must(cvg_v2_answer_begin(1, &out) == CVG_OK &&
             cvg_v2_answer_item(text.data, text.len, signature.data, signature.len, &out) == CVG_OK,
         "answer");
    cvg_buffer_free(&text);
    cvg_buffer_free(&signature);
    free(statement);
    return out;
}

bool fake_answer(struct fake_world *fake, const char *notary, unsigned port,
                 enum fake_answer answer)
{
    struct cvg_exchange *exchange = find(fake, notary, port);
    struct cvg_buffer out;

    if (exchange == NULL)
        return false;
    exchange->open = false;
    if (answer == FAKE_SILENT || answer == FAKE_RELAY_FAILED) {
        exchange->done(CVG_ERR_UNREACHABLE, answer == FAKE_RELAY_FAILED, 0, NULL, 0,
                       exchange->user);
        return true;
    }
    out = make_answer(fake, exchange, answer);
    if (fake->before_done != NULL)
        fake->before_done(fake);
    exchange->done(CVG_OK, false, answer == FAKE_STATUS_500 ? 500 : 200, out.data, out.len,
                   exchange->user);
    if (fake->after_done != NULL)
        fake->after_done(fake);
    cvg_buffer_free(&out);
    return true;
}

size_t fake_open(const struct fake_world *fake)
{
    size_t open = 0;

    for (size_t i = 0; i < fake->exchanges; i++)
        open += fake->exchange[i].open ? 1 : 0;
    return open;
}

bool fake_is_asked(const struct fake_world *fake, const char *notary)
{
    return find(fake, notary, 0) != NULL;
}

const char *fake_relay_of(const struct fake_world *fake, const char *notary)
{
    const struct cvg_exchange *exchange = find(fake, notary, 0);

    return exchange == NULL ? NULL : exchange->relay;
}
