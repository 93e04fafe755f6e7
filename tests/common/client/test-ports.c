/* SPDX-License-Identifier: MIT */
/* What a socket's preamble says about the port: direct, STARTTLS, a tunnel, or either. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "common/client/ports.h"

struct row {
    const char *what;
    uint16_t port;
    uint64_t sent, received;
    const char *host;
    bool tunnel;
    uint16_t expected[4];
};

#define HOST "site.example" /* 12 octets: the shortest CONNECT has 35 */

static const struct row rows[] = {
    {"nothing was said", 8443, 0, 0, HOST, false, {8443}},
    {"nothing was said to a proxy's port", 3128, 0, 0, HOST, false, {3128}},
    {"postgresql", 5432, 8, 1, HOST, false, {5432}},
    {"postgresql elsewhere", 15432, 8, 1, HOST, false, {15432}},
    {"smtp", 587, 19, 88, HOST, false, {587}},
    {"smtp with a long name of its own", 25, 120, 300, HOST, false, {25}},
    {"smtp elsewhere may be a tunnel", 10587, 40, 88, HOST, true, {443, 8443, 10587}},
    {"the shortest CONNECT", 9999, 35, 17, HOST, true, {443, 8443, 9999}},
    {"one octet less is none", 9999, 34, 17, HOST, false, {9999}},
    {"an answer too short for HTTP is none", 9999, 200, 16, HOST, false, {9999}},
    {"a proxy's port needs no guess", 3128, 60, 39, HOST, true, {443, 8443}},
    {"SOCKS 4", 7777, 9, 8, HOST, true, {443, 8443, 7777}},
    {"SOCKS 5 with a name", 7777, 22, 12, HOST, true, {443, 8443, 7777}},
    {"SOCKS at its own port", 1080, 22, 12, HOST, true, {443, 8443}},
    {"SOCKS' answer to too short a request", 7777, 8, 12, HOST, false, {7777}},
    {"without a name there is nothing to ask for but the socket's port",
     9999,
     60,
     39,
     NULL,
     false,
     {9999}},
    {"nor anything at all behind a proxy", 3128, 60, 39, NULL, true, {0}},
    {"unless nothing was said to it", 3128, 0, 0, NULL, false, {3128}},
};

static void candidates(void **state)
{
    static struct cvg_config config;

    (void)state;
    cvg_config_init(&config);
    config.tunnel_ports[0] = 443;
    config.tunnel_ports[1] = 8443;
    config.tunnel_ports_count = 2;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = htons(row->port)};
        struct cvg_socket found = {.sent_before = row->sent, .received_before = row->received};
        struct cvg_question question = {.id = 0};
        size_t count = 0;

        print_message("# %s\n", row->what);
        memcpy(&found.peer, &peer, sizeof peer);
        while (count < 4 && row->expected[count] != 0)
            count++;
        assert_int_equal(cvg_ports_of_socket(&found, &config, row->host, &question), row->tunnel);
        assert_int_equal(question.port_count, count);
        assert_memory_equal(question.port, row->expected, count * sizeof row->expected[0]);
    }
}

static void never_more_than_fit(void **state)
{
    static struct cvg_config config;
    struct cvg_question question = {.id = 0};

    (void)state;
    cvg_config_init(&config);
    for (unsigned port = 1; port <= 2 * CVG_MESSAGE_PORTS_MAX; port++) {
        struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        struct cvg_socket found = {.sent_before = 0};

        memcpy(&found.peer, &peer, sizeof peer);
        cvg_ports_of_socket(&found, &config, HOST, &question);
    }
    assert_int_equal(question.port_count, CVG_MESSAGE_PORTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates),
        cmocka_unit_test(never_more_than_fit),
    };

    return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
