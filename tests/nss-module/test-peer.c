/* SPDX-License-Identifier: MIT */
/* Whom a TLS client over NSPR means: real sockets on loopback, under layers that answer as proxies'
 * do. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nss-module/peer.h"

#define SITE "site.example"

/* One connection, and what its TLS layer and the layers above it say. */
static struct {
    PRFileDesc *client, *server;
    PRFileDesc *tcp;
    uint16_t port;
    PRNetAddr destination;
    bool hidden;
} scene;

static const char *url;
static struct cvg_nss nss;
static struct cvg_config config;

static char *reveal(PRFileDesc *ssl)
{
    (void)ssl;
    return url ? strdup(url) : NULL;
}

static PRStatus not_internet(PRFileDesc *fd, PRNetAddr *address)
{
    (void)fd;
    address->raw.family = PR_AF_LOCAL;
    return PR_SUCCESS;
}

static PROsfd no_descriptor(PRFileDesc *fd)
{
    (void)fd;
    return -1;
}

static PRStatus destination(PRFileDesc *fd, PRNetAddr *address)
{
    (void)fd;
    *address = scene.destination;
    return PR_SUCCESS;
}

static void connect_over(PRUint16 family)
{
    PRFileDesc *listener = PR_OpenTCPSocket(family);
    PRNetAddr address;

    memset(&scene, 0, sizeof scene);
    assert_non_null(listener);
    assert_int_equal(PR_SetNetAddr(PR_IpAddrLoopback, family, 0, &address), PR_SUCCESS);
    assert_int_equal(PR_Bind(listener, &address), PR_SUCCESS);
    assert_int_equal(PR_Listen(listener, 1), PR_SUCCESS);
    assert_int_equal(PR_GetSockName(listener, &address), PR_SUCCESS);
    scene.port = PR_ntohs(PR_NetAddrInetPort(&address));
    scene.client = PR_OpenTCPSocket(family);
    assert_int_equal(PR_Connect(scene.client, &address, PR_INTERVAL_NO_TIMEOUT), PR_SUCCESS);
    scene.server = PR_Accept(listener, NULL, PR_INTERVAL_NO_TIMEOUT);
    assert_non_null(scene.server);
    PR_Close(listener);
    scene.tcp = PR_GetIdentitiesLayer(scene.client, PR_NSPR_IO_LAYER);
}

static int begin(void **state)
{
    (void)state;
    url = NULL;
    memset(&nss, 0, sizeof nss);
    nss.library[0].functions.SSL_RevealURL = reveal;
    nss.PORT_Free = free;
    nss.PR_GetPeerName = PR_GetPeerName;
    nss.PR_FileDesc2NativeHandle = PR_FileDesc2NativeHandle;
    cvg_config_init(&config);
    config.tunnel_ports[0] = 443;
    config.tunnel_ports[1] = 8443;
    config.tunnel_ports_count = 2;
    connect_over(PR_AF_INET);
    return 0;
}

static int end(void **state)
{
    (void)state;
    PR_Close(scene.client);
    PR_Close(scene.server);
    return 0;
}

static int begin_ipv6(void **state)
{
    begin(state);
    end(state);
    connect_over(PR_AF_INET6);
    return 0;
}

/* A layer on top that answers with this destination, as one that speaks SOCKS does. */
static void push_layer(const char *address, uint16_t port)
{
    static PRIOMethods methods;
    PRDescIdentity identity = PR_GetUniqueIdentity("SOCKS");
    PRFileDesc *layer;

    methods = *PR_GetDefaultIOMethods();
    methods.getpeername = destination;
    layer = PR_CreateIOLayerStub(identity, &methods);
    assert_non_null(layer);
    assert_int_equal(PR_PushIOLayer(scene.client, PR_TOP_IO_LAYER, layer), PR_SUCCESS);
    scene.tcp = PR_GetIdentitiesLayer(scene.client, PR_NSPR_IO_LAYER);
    assert_int_equal(PR_StringToNetAddr(address, &scene.destination), PR_SUCCESS);
    scene.destination.inet.port = PR_htons(port);
    scene.hidden = true;
}

/* TLS is at the top, or below a layer that hides it. */
static PRFileDesc *ssl_layer(void)
{
    static PRFileDesc hidden;

    return scene.hidden ? &hidden : scene.client;
}

static enum cvg_peer_found find(const struct cvg_spoken *spoken, struct cvg_question *ret_question)
{
    static const struct cvg_spoken nothing;

    memset(ret_question, 0, sizeof *ret_question);
    nss.library[0].identity = ssl_layer()->identity;
    return cvg_nss_peer_find(&nss, scene.tcp, ssl_layer(), spoken ? spoken : &nothing, &config,
                             ret_question);
}

static void assert_ports(const struct cvg_question *question, enum cvg_found found, uint16_t first,
                         uint16_t second, uint16_t third)
{
    const uint16_t expected[] = {first, second, third};
    size_t count = 0;

    while (count < 3 && expected[count] != 0)
        count++;
    assert_int_equal(question->port_found, found);
    assert_int_equal(question->port_count, count);
    assert_memory_equal(question->port, expected, count * sizeof expected[0]);
}

static void names(void **state)
{
    static const struct {
        const char *url, *host;
    } rows[] = {
        {SITE, SITE},
        {"SITE.Example.", SITE},
        {"192.0.2.7", "192.0.2.7"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:DB8::1]", "2001:db8::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
    };
    struct cvg_question question;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        url = rows[i].url;
        assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
        assert_string_equal(question.host, rows[i].host);
        assert_int_equal(question.host_found, CVG_FOUND_SNI);
        assert_true(question.have_name);
        assert_int_equal(question.peer_family, 4);
        assert_memory_equal(question.peer_address, "\x7f\0\0\1", 4);
        assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
    }
}

static void a_name_that_is_none(void **state)
{
    static const char *const rows[] = {".example", "site..example", "site.example:443",
                                       "fe80::1%eth0", "a b"};
    struct cvg_question question;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        url = rows[i];
        assert_int_equal(find(NULL, &question), CVG_PEER_BAD);
    }
}

static void nobody_is_named(void **state)
{
    struct cvg_question question;

    (void)state;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_string_equal(question.host, "127.0.0.1");
    assert_int_equal(question.host_found, CVG_FOUND_PEER);
    assert_false(question.have_name);
    assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
    url = "";
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_false(question.have_name);
}

static void ipv6(void **state)
{
    struct cvg_question question;

    (void)state;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_string_equal(question.host, "::1");
    assert_int_equal(question.peer_family, 6);
    assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
}

static void a_seen_connect(void **state)
{
    static const struct cvg_spoken spoken = {.connect_host = SITE, .connect_port = 9443};
    struct cvg_question question;

    (void)state;
    url = "Site.Example";
    assert_int_equal(find(&spoken, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_CONNECT, 9443, 0, 0);
}

static void a_connect_is_a_name(void **state)
{
    static const struct cvg_spoken spoken = {.connect_host = SITE, .connect_port = 9443};
    struct cvg_question question;

    (void)state;
    assert_int_equal(find(&spoken, &question), CVG_PEER_FOUND);
    assert_string_equal(question.host, SITE);
    assert_int_equal(question.host_found, CVG_FOUND_CONNECT);
    assert_true(question.have_name);
    assert_ports(&question, CVG_FOUND_CONNECT, 9443, 0, 0);
}

static void a_connect_for_another(void **state)
{
    static const struct cvg_spoken address = {.connect_host = "192.0.2.7", .connect_port = 9443};
    static const struct cvg_spoken proxy = {.connect_host = "proxy.example", .connect_port = 3128};
    struct cvg_question question;

    (void)state;
    url = SITE;
    assert_int_equal(find(&address, &question), CVG_PEER_FOUND);
    assert_string_equal(question.host, SITE);
    assert_ports(&question, CVG_FOUND_CONNECT, 9443, 0, 0);
    assert_int_equal(find(&proxy, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_TUNNEL, 3128, 443, 8443);
}

static void a_layer_knows_better(void **state)
{
    struct cvg_question question;

    (void)state;
    push_layer("192.0.2.7", 9443);
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_FD, 9443, 0, 0);
    url = NULL;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_string_equal(question.host, "192.0.2.7");
    assert_ports(&question, CVG_FOUND_FD, 9443, 0, 0);
}

/* As browsers have it: TLS, then the layer, then the socket. */
static void a_layer_below_tls(void **state)
{
    PRDescIdentity identity = PR_GetUniqueIdentity("TLS");
    struct cvg_question question;
    PRFileDesc *tls;

    (void)state;
    push_layer("192.0.2.7", 9443);
    tls = PR_CreateIOLayerStub(identity, PR_GetDefaultIOMethods());
    assert_int_equal(PR_PushIOLayer(scene.client, PR_TOP_IO_LAYER, tls), PR_SUCCESS);
    scene.hidden = false;
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_FD, 9443, 0, 0);
}

static void a_layer_without_port(void **state)
{
    struct cvg_question question;

    (void)state;
    push_layer("192.0.2.7", 0);
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_memory_equal(question.peer_address, "\x7f\0\0\1", 4);
    assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
}

/* SOCKS with names resolved by the proxy: the layer knows no address. */
static void a_layer_without_address(void **state)
{
    struct cvg_question question;

    (void)state;
    push_layer("0.0.0.0", 9443);
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_FD, 9443, 0, 0);
    url = NULL;
    assert_int_equal(find(NULL, &question), CVG_PEER_BAD);
}

/* Says as much on both sides as a CONNECT request and its answer are long. */
static void speak(struct cvg_spoken *ret_spoken)
{
    char room[64] = "";

    assert_int_equal(PR_Send(scene.client, room, 60, 0, PR_INTERVAL_NO_TIMEOUT), 60);
    assert_int_equal(PR_Send(scene.server, room, 40, 0, PR_INTERVAL_NO_TIMEOUT), 40);
    for (int got = 0; got < 40;) {
        int n = PR_Recv(scene.client, room, 40, 0, PR_INTERVAL_NO_TIMEOUT);

        assert_true(n > 0);
        got += n;
    }
    *ret_spoken = (struct cvg_spoken){.sent = 60, .received = 40};
}

static void what_nobody_saw(void **state)
{
    struct cvg_question question;
    struct cvg_spoken spoken;

    (void)state;
    speak(&spoken);
    push_layer("127.0.0.1", scene.port); /* it says what the socket says */
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_TUNNEL, 443, 8443, scene.port);
    assert_int_equal(find(&spoken, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
    spoken.sent += 1000; /* more than went through: then the counters say nothing */
    assert_int_equal(find(&spoken, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_FD, scene.port, 0, 0);
}

static void no_internet_socket(void **state)
{
    struct cvg_question question;

    (void)state;
    nss.PR_GetPeerName = not_internet;
    nss.PR_FileDesc2NativeHandle = no_descriptor;
    assert_int_equal(find(NULL, &question), CVG_PEER_NOT_APPLICABLE);
    url = SITE;
    assert_int_equal(find(NULL, &question), CVG_PEER_FOUND);
    assert_ports(&question, CVG_FOUND_TUNNEL, 443, 8443, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names),
        TEST(a_name_that_is_none),
        TEST(nobody_is_named),
        cmocka_unit_test_setup_teardown(ipv6, begin_ipv6, end),
        TEST(a_seen_connect),
        TEST(a_connect_is_a_name),
        TEST(a_connect_for_another),
        TEST(a_layer_knows_better),
        TEST(a_layer_below_tls),
        TEST(a_layer_without_address),
        TEST(a_layer_without_port),
        TEST(what_nobody_saw),
        TEST(no_internet_socket),
    };

    return cmocka_run_group_tests_name("peer of a TLS client over NSPR", tests, NULL, NULL);
}
