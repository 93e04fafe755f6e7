/* SPDX-License-Identifier: MIT */
/* Session tickets: taken up by another context (another loop's), across the change of keys, for as
 * long as they are good, and no longer; TLS 1.2 and 1.3. No sockets, and a clock of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "notary/tickets.h"

static uint64_t now_ms;

static uint64_t monotonic_ms(void *user)
{
    (void)user;
    return now_ms;
}

static int64_t wall_s(void *user)
{
    (void)user;
    fail_msg("the wall clock may step");
    return 0;
}

static const struct cvg_clock test_clock = {.monotonic_ms = monotonic_ms, .wall_s = wall_s};

static SSL_SESSION *last; /* what the client was given last */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(last);
    last = session;
    return 1;
}

static EVP_PKEY *key;
static X509 *certificate;

static int make_certificate(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    return X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -1;
}

static int free_certificate(void **state)
{
    (void)state;
    SSL_SESSION_free(last);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return 0;
}

static SSL_CTX *new_server(struct cvg_tickets *tickets)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, key), 1);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    cvg_tickets_use(tickets, server);
    return server;
}

/* A handshake over a pair of buffers; true: the session was taken up. last has the new ticket. */
static bool resumes(SSL_CTX *server_context, int version, SSL_SESSION *session)
{
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(client_context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_context, on_session);
    SSL_CTX_set_min_proto_version(client_context, version);
    SSL_CTX_set_max_proto_version(client_context, version);
    SSL *client = SSL_new(client_context), *server = SSL_new(server_context);
    BIO *one = NULL, *other = NULL;
    char octet = 'x';
    assert_int_equal(BIO_new_bio_pair(&one, 65536, &other, 65536), 1);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_SESSION *copy = session == NULL ? NULL : SSL_SESSION_dup(session); /* each is used once */
    if (copy != NULL)
        SSL_set_session(client, copy);
    SSL_SESSION_free(copy);
    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    assert_int_equal(SSL_write(server, &octet, 1), 1);
    assert_int_equal(SSL_read(client, &octet, 1), 1);
    bool resumed = SSL_session_reused(server) == 1;
    if (version == TLS1_2_VERSION) /* a ticket in place of another is not announced */
        on_session(client, SSL_get1_session(client));
    (void)SSL_shutdown(client); /* a session whose connection broke is not taken up */
    (void)SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_context);
    return resumed;
}

static SSL_SESSION *first_ticket(SSL_CTX *server, int version)
{
    assert_false(resumes(server, version, NULL));
    assert_non_null(last);
    SSL_SESSION_up_ref(last);
    return last;
}

static void check(int version)
{
    struct cvg_tickets *tickets = NULL, *others = NULL;
    assert_int_equal(cvg_tickets_new(&test_clock, &tickets), CVG_OK);
    assert_int_equal(cvg_tickets_new(&test_clock, &others), CVG_OK);
    SSL_CTX *server = new_server(tickets), *sibling = new_server(tickets);
    SSL_CTX *stranger = new_server(others);
    SSL_SESSION *session = first_ticket(server, version);
    assert_true(resumes(server, version, session));
    assert_true(resumes(sibling, version, session));
    assert_false(resumes(stranger, version, session));

    /* the next key makes tickets, the first still reads its own */
    now_ms += CVG_TICKETS_PERIOD_S * 1000;
    SSL_SESSION *second = first_ticket(sibling, version);
    assert_true(resumes(server, version, session));
    assert_true(resumes(server, version, second));

    /* through all changes of keys, up to the last millisecond of the first key */
    for (int i = 1; i < CVG_TICKETS_LIFETIME_S / CVG_TICKETS_PERIOD_S; i++) {
        now_ms += CVG_TICKETS_PERIOD_S * 1000;
        assert_true(resumes(sibling, version, session));
        SSL_SESSION_free(first_ticket(server, version));
    }
    now_ms += CVG_TICKETS_PERIOD_S * 1000 - 1;
    assert_true(resumes(sibling, version, session));
    now_ms++;
    assert_false(resumes(sibling, version, session));
    assert_true(resumes(sibling, version, second));

    SSL_SESSION_free(session);
    SSL_SESSION_free(second);
    SSL_CTX_free(server);
    SSL_CTX_free(sibling);
    SSL_CTX_free(stranger);
    cvg_tickets_free(tickets);
    cvg_tickets_free(others);
}

static void tls_1_2(void **state)
{
    (void)state;
    check(TLS1_2_VERSION);
}

static void tls_1_3(void **state)
{
    (void)state;
    check(TLS1_3_VERSION);
}

/* A client that takes up its session gets a ticket of the newest key, and so may go on for ever. */
static void replaced(void **state)
{
    struct cvg_tickets *tickets = NULL;
    (void)state;
    assert_int_equal(cvg_tickets_new(&test_clock, &tickets), CVG_OK);
    SSL_CTX *server = new_server(tickets);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL_SESSION_free(first_ticket(server, version));
        for (int i = 0; i < 20; i++) {
            now_ms += CVG_TICKETS_PERIOD_S * 1000;
            assert_true(resumes(server, version, last));
        }
    }
    SSL_CTX_free(server);
    cvg_tickets_free(tickets);
}

/* Nobody came for days. */
static void long_pause(void **state)
{
    struct cvg_tickets *tickets = NULL;
    (void)state;
    assert_int_equal(cvg_tickets_new(&test_clock, &tickets), CVG_OK);
    SSL_CTX *server = new_server(tickets);
    SSL_SESSION *session = first_ticket(server, TLS1_3_VERSION);
    now_ms += UINT64_C(1000) * 86400 * 30;
    assert_false(resumes(server, TLS1_3_VERSION, session));
    assert_true(resumes(server, TLS1_3_VERSION, last));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    cvg_tickets_free(tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_1_2),
        cmocka_unit_test(tls_1_3),
        cmocka_unit_test(replaced),
        cmocka_unit_test(long_pause),
    };
    return cmocka_run_group_tests(tests, make_certificate, free_certificate);
}
