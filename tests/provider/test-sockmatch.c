/* SPDX-License-Identifier: MIT */
/* The kernel's counters against a BIO's, on real sockets of the loopback interface. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "provider/sockmatch.h"

struct pair {
    int listener, client, server;
    uint16_t port;
};

static void open_pair(struct pair *pair)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pair->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(pair->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(pair->listener, 4), 0);
    assert_int_equal(getsockname(pair->listener, (struct sockaddr *)&address, &len), 0);
    pair->port = ntohs(address.sin_port);
    pair->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair->client, (struct sockaddr *)&address, sizeof address), 0);
    pair->server = accept(pair->listener, NULL, NULL);
    assert_true(pair->server >= 0);
}

static void close_pair(struct pair *pair)
{
    close(pair->client);
    close(pair->server);
    close(pair->listener);
}

/* Octets from one end to the other; the receiver has them in its queue afterwards. */
static void move(int from, int to, size_t count)
{
    static char data[4096];
    struct pollfd ready = {.fd = to, .events = POLLIN};

    assert_int_equal(send(from, data, count, MSG_NOSIGNAL), count);
    assert_int_equal(poll(&ready, 1, 10000), 1);
}

static void take(int fd, size_t count)
{
    char data[4096];

    assert_int_equal(recv(fd, data, count, MSG_WAITALL), count);
}

static void equal_counters_match(void **state)
{
    struct cvg_counters counters = {.sent = 100, .received = 30};
    struct cvg_sockmatch match;
    struct pair pair;

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 100);
    move(pair.server, pair.client, 50);
    take(pair.client, 30);
    cvg_sockmatch_scan(&counters, true, &match);
    assert_int_equal(match.count, 1);
    assert_true(match.exact);
    assert_int_equal(cvg_socket_port(&match.socket[0].peer), pair.port);
    close_pair(&pair);
}

static void preambles_remain(void **state)
{
    struct cvg_counters counters = {.sent = 90, .received = 25};
    struct cvg_socket found;
    struct pair pair;

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 100);
    move(pair.server, pair.client, 30);
    take(pair.client, 30);
    assert_true(cvg_socket_look(pair.client, &counters, &found));
    assert_int_equal(found.sent_before, 10);
    assert_int_equal(found.received_before, 5);
    counters.sent = 101;
    assert_false(cvg_socket_look(pair.client, &counters, &found));
    close_pair(&pair);
}

static void what_waits_in_a_bio_may_count(void **state)
{
    struct cvg_counters counters = {
        .sent = 120, .sent_waiting = 20, .received = 10, .received_waiting = 15};
    struct cvg_socket found;
    struct pair pair;

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 100);
    move(pair.server, pair.client, 25);
    take(pair.client, 25);
    assert_true(cvg_socket_look(pair.client, &counters, &found));
    assert_int_equal(found.sent_before + found.received_before, 0);
    close_pair(&pair);
}

static void the_peers_end_is_no_octet(void **state)
{
    struct cvg_counters counters = {.sent = 7, .received = 5};
    struct cvg_socket found;
    struct pair pair;
    struct pollfd ended = {.events = POLLRDHUP};

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 7);
    move(pair.server, pair.client, 5);
    take(pair.client, 5);
    shutdown(pair.server, SHUT_WR);
    ended.fd = pair.client;
    assert_int_equal(poll(&ended, 1, 10000), 1);
    assert_true(cvg_socket_look(pair.client, &counters, &found));
    assert_int_equal(found.received_before, 0);
    close_pair(&pair);
}

static void an_accepted_socket_is_no_candidate(void **state)
{
    struct cvg_counters counters = {.sent = 40, .received = 60};
    struct cvg_sockmatch match;
    struct pair pair;

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 60);
    take(pair.server, 60);
    move(pair.server, pair.client, 40);
    cvg_sockmatch_scan(&counters, true, &match);
    assert_int_equal(match.count, 0);
    close_pair(&pair);
}

static void all_exact_ones_are_candidates(void **state)
{
    struct cvg_counters counters = {.sent = 10};
    struct cvg_sockmatch match;
    struct pair pair[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        open_pair(&pair[i]);
        move(pair[i].client, pair[i].server, i == 2 ? 15 : 10);
    }
    cvg_sockmatch_scan(&counters, true, &match);
    assert_true(match.exact);
    assert_int_equal(match.count, 2);
    for (int i = 0; i < 3; i++)
        close_pair(&pair[i]);
}

/* Two connections to one peer and port: one candidate, by port and by address. */
static void one_peer_is_one_candidate(void **state)
{
    struct cvg_counters counters = {.sent = 10};
    struct cvg_sockmatch match;
    struct pair pair;
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int second = socket(AF_INET, SOCK_STREAM, 0);
    char data[10] = {0};

    (void)state;
    open_pair(&pair);
    move(pair.client, pair.server, 10);
    assert_int_equal(getpeername(pair.client, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(second, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(second, data, sizeof data, MSG_NOSIGNAL), sizeof data);
    for (int ports_only = 0; ports_only < 2; ports_only++) {
        cvg_sockmatch_scan(&counters, ports_only != 0, &match);
        assert_int_equal(match.count, 1);
    }
    close(second);
    close_pair(&pair);
}

static void the_nearest_comes_first(void **state)
{
    struct cvg_counters counters = {.sent = 10};
    struct cvg_sockmatch match;
    struct pair pair[20];

    (void)state;
    for (int i = 0; i < 20; i++) {
        open_pair(&pair[i]);
        move(pair[i].client, pair[i].server, (size_t)(100 - i));
    }
    cvg_sockmatch_scan(&counters, true, &match);
    assert_false(match.exact);
    assert_int_equal(match.count, CVG_SOCKMATCH_MAX);
    for (size_t i = 0; i < match.count; i++)
        assert_int_equal(cvg_socket_port(&match.socket[i].peer), pair[19 - i].port);
    for (int i = 0; i < 20; i++)
        close_pair(&pair[i]);
}

static void other_descriptors_are_none(void **state)
{
    struct cvg_socket found;
    int end[2], fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(pipe(end), 0);
    assert_false(cvg_socket_look(end[0], NULL, &found));
    assert_false(cvg_socket_look(fd, NULL, &found));
    assert_false(cvg_socket_look(-1, NULL, &found));
    close(end[0]);
    close(end[1]);
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_false(cvg_socket_look(fd, NULL, &found));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_counters_match),
        cmocka_unit_test(preambles_remain),
        cmocka_unit_test(what_waits_in_a_bio_may_count),
        cmocka_unit_test(the_peers_end_is_no_octet),
        cmocka_unit_test(an_accepted_socket_is_no_candidate),
        cmocka_unit_test(all_exact_ones_are_candidates),
        cmocka_unit_test(one_peer_is_one_candidate),
        cmocka_unit_test(the_nearest_comes_first),
        cmocka_unit_test(other_descriptors_are_none),
    };

    return cmocka_run_group_tests_name("sockmatch", tests, NULL, NULL);
}
