/* SPDX-License-Identifier: MIT */
/* Memory that runs out somewhere in a probe of a real server, with STARTTLS and without: every
 * allocation of ours fails in turn, alone and with all after it. What is then seen is the server's
 * very certificate, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notary/probe.h"
#include "tests/failing.h"
#include "tests/notary/mint.h"

#define HOST       "site.example"
#define TURNS_MAX  10000
#define TIMEOUT_MS 5000

extern char __executable_start, etext; /* the linker's */

enum { DIRECT, SMTP, SERVERS };

static struct server {
    int fd[SERVERS]; /* listening */
    uint16_t port[SERVERS];
    pid_t pid;
    uint8_t sha256[CVG_SHA256_LEN];
} server;

static bool say_and_hear(int fd, const char *says)
{
    char heard[64];
    return write(fd, says, strlen(says)) == (ssize_t)strlen(says) &&
           read(fd, heard, sizeof(heard)) > 0;
}

static void serve(SSL_CTX *context, int fd, bool smtp)
{
    SSL *ssl = SSL_new(context);
    char octet;
    if (!smtp || (say_and_hear(fd, "220 mx\r\n") && say_and_hear(fd, "250 mx\r\n") &&
                  write(fd, "220 go\r\n", 8) == 8)) {
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1)
            (void)SSL_read(ssl, &octet, 1);
    }
    ERR_clear_error();
    SSL_free(ssl);
    close(fd);
}

static void serve_for_ever(SSL_CTX *context)
{
    struct pollfd ready[SERVERS];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SERVERS; i++)
        ready[i] = (struct pollfd){.fd = server.fd[i], .events = POLLIN};
    while (poll(ready, SERVERS, -1) > 0)
        for (int i = 0; i < SERVERS; i++)
            if (ready[i].revents != 0)
                serve(context, accept(ready[i].fd, NULL, NULL), i == SMTP);
    _exit(0);
}

static void listen_at(int which)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.fd[which] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd[which], (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server.fd[which], 64), 0);
    assert_int_equal(getsockname(server.fd[which], (struct sockaddr *)&address, &len), 0);
    server.port[which] = ntohs(address.sin_port);
}

static int start_server(void **state)
{
    EVP_PKEY *key = mint_key();
    X509 *certificate = mint_certificate(&(struct mint){.name = HOST, .key = key});
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    unsigned len = CVG_SHA256_LEN;
    (void)state;
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), server.sha256, &len), 1);
    for (int i = 0; i < SERVERS; i++)
        listen_at(i);
    server.pid = fork();
    if (server.pid == 0)
        serve_for_ever(context);
    for (int i = 0; i < SERVERS; i++)
        close(server.fd[i]);
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return server.pid < 0 ? -1 : 0;
}

static int stop_server(void **state)
{
    (void)state;
    kill(server.pid, SIGKILL);
    return waitpid(server.pid, NULL, 0) == server.pid ? 0 : -1;
}

/* What all probes of a test share. */
static struct lab {
    uv_loop_t loop;
    struct cvg_prober prober;
    size_t seen;
    bool ended;
} lab;

static void check(const struct cvg_probe_result *result)
{
    assert_true((result->error == CVG_OK) == (result->count > 0));
    for (size_t i = 0; i < result->count; i++) {
        assert_memory_equal(result->sighting[i].leaf.sha256, server.sha256, CVG_SHA256_LEN);
        assert_non_null(result->sighting[i].chain);
        lab.seen++;
    }
}

static void second(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)user;
    check(result);
    cvg_probe_free(probe);
    lab.ended = true;
}

static void first(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)user;
    check(result);
    if (result->error == CVG_OK && cvg_probe_again(probe, true, second) == CVG_OK)
        return;
    cvg_probe_free(probe);
    lab.ended = true;
}

/* Whether the allocation of that number was reached. */
static bool probe_with_failure(int which, uint8_t hint, long at, bool go_on)
{
    struct cvg_endpoint endpoint;
    struct cvg_probe *probe = NULL;
    assert_int_equal(cvg_endpoint_set("127.0.0.1", 9, server.port[which], &endpoint, NULL), CVG_OK);
    lab.ended = false;
    failing_begin(at, go_on);
    if (cvg_probe_start(&lab.prober, &endpoint, hint, first, NULL, &probe) == CVG_OK)
        while (!lab.ended)
            uv_run(&lab.loop, UV_RUN_ONCE);
    return failing_end();
}

static void each_fails(int which, uint8_t hint)
{
    if (!failing_possible())
        skip();
    for (int go_on = 0; go_on < 2; go_on++) {
        long at = 1;
        while (at < TURNS_MAX && probe_with_failure(which, hint, at, go_on == 1))
            at++;
        assert_in_range(at, 3, TURNS_MAX - 1);
        /* The last time nothing failed: both rounds saw it. */
        assert_true(lab.seen > 1);
    }
}

static void with_tls_at_once(void **state)
{
    (void)state;
    each_fails(DIRECT, CVG_STARTTLS_NONE);
}

static void with_starttls(void **state)
{
    (void)state;
    each_fails(SMTP, CVG_STARTTLS_SMTP);
}

static void busy(struct cvg_probe *probe, const struct cvg_probe_result *result, void *user)
{
    (void)user;
    assert_int_equal(result->error, CVG_ERR_BUSY);
    assert_int_equal(result->count, 0);
    cvg_probe_free(probe);
    lab.ended = true;
}

/* That is no word about the target, so it must not sound like one. */
static void without_descriptors(void **state)
{
    struct cvg_endpoint endpoint;
    struct cvg_probe *probe = NULL;
    struct rlimit before, none;
    (void)state;
    assert_int_equal(cvg_endpoint_set("127.0.0.1", 9, server.port[DIRECT], &endpoint, NULL),
                     CVG_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    lab.ended = false;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(cvg_probe_start(&lab.prober, &endpoint, 0, busy, NULL, &probe), CVG_OK);
    while (!lab.ended)
        uv_run(&lab.loop, UV_RUN_ONCE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static int make_lab(void **state)
{
    static struct cvg_settings settings;
    (void)state;
    cvg_settings_init(&settings);
    assert_int_equal(cvg_network_parse("127.0.0.0/8", &settings.allow_targets.network[0]), CVG_OK);
    settings.allow_targets.count = 1;
    lab.seen = 0;
    lab.prober = (struct cvg_prober){.loop = &lab.loop, .timeout_ms = TIMEOUT_MS};
    assert_int_equal(uv_loop_init(&lab.loop), 0);
    assert_int_equal(cvg_looker_new(&lab.loop, &lab.prober.looker), CVG_OK);
    assert_int_equal(cvg_resolver_new(&lab.loop, &lab.prober.resolver), CVG_OK);
    assert_int_equal(cvg_filter_new(&settings, &lab.prober.filter), CVG_OK);
    /* libuv and OpenSSL have their own ways with memory that runs out; here it is ours. */
    failing_only((uintptr_t)&__executable_start, (uintptr_t)&etext);
    return 0;
}

static int end_lab(void **state)
{
    (void)state;
    cvg_looker_free(lab.prober.looker);
    cvg_resolver_free(lab.prober.resolver);
    cvg_filter_free(lab.prober.filter);
    uv_run(&lab.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&lab.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_tls_at_once, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(with_starttls, make_lab, end_lab),
        cmocka_unit_test_setup_teardown(without_descriptors, make_lab, end_lab),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
