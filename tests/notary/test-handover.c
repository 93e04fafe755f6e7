/* SPDX-License-Identifier: MIT */
/* Handing listening sockets over: what is made of inherited ones for other settings and another
 * number of workers, and that the old process goes on unless the new one says that it is ready. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "notary/handover-wire.h"
#include "notary/handover.h"

#define TIMEOUT_MS 10000

static char directory[] = "/tmp/converge-handover-XXXXXX";
static char path[sizeof(directory) + 16];

static unsigned port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static int bound(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Settings of a notary on loopback, on ports that nobody else has. */
static struct cvg_settings settings_on_free_ports(void)
{
    struct cvg_settings settings;
    int fd[3];
    cvg_settings_init(&settings);
    settings.listen = (struct cvg_addresses){.count = 1};
    assert_int_equal(cvg_address_parse("127.0.0.1", &settings.listen.address[0]), CVG_OK);
    for (int i = 0; i < 3; i++)
        fd[i] = bound(0);
    settings.ssl_port = port_of(fd[0]);
    settings.bounce_port = port_of(fd[1]);
    settings.relay_port = port_of(fd[2]);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    return settings;
}

static struct cvg_sockets opened(const struct cvg_settings *settings, size_t workers)
{
    struct cvg_sockets sockets = {.socket = NULL};
    struct cvg_why why = {.text = ""};
    if (cvg_sockets_open(settings, workers, &sockets, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return sockets;
}

static size_t count_at(const struct cvg_sockets *sockets, enum cvg_service service, unsigned port)
{
    size_t count = 0;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->socket[i].service == service && port_of(sockets->socket[i].fd) == port)
            count++;
    return count;
}

static void fewer_and_more_workers_keep_every_socket(void **state)
{
    struct cvg_settings settings = settings_on_free_ports();
    struct cvg_sockets sockets = opened(&settings, 2);
    (void)state;
    assert_int_equal(sockets.count, 6);
    assert_int_equal(cvg_sockets_complete(&settings, 1, &sockets, NULL), CVG_OK);
    assert_int_equal(sockets.count, 6); /* a queue that is not closed loses nobody */
    assert_int_equal(cvg_sockets_complete(&settings, 5, &sockets, NULL), CVG_OK);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_SSL, settings.ssl_port), 5);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_RELAY, settings.relay_port), 5);
    cvg_sockets_close(&sockets);
}

static void what_listens_nowhere_any_more_is_closed(void **state)
{
    struct cvg_settings settings = settings_on_free_ports(), other;
    struct cvg_sockets sockets = opened(&settings, 2);
    (void)state;
    other = settings_on_free_ports();
    other.ssl_port = settings.ssl_port;
    assert_int_equal(cvg_sockets_complete(&other, 2, &sockets, NULL), CVG_OK);
    assert_int_equal(sockets.count, 6);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_SSL, settings.ssl_port), 2);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_BOUNCE, other.bounce_port), 2);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_BOUNCE, settings.bounce_port), 0);
    close(bound(settings.bounce_port)); /* nobody has it any more */
    cvg_sockets_close(&sockets);
}

/* A socket that cannot be had twice is watched by several workers. */
static void a_socket_of_its_own_is_shared(void **state)
{
    struct cvg_settings settings = settings_on_free_ports();
    struct cvg_sockets sockets = {.socket = NULL};
    int fd = bound(0);
    (void)state;
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(cvg_sockets_add(&sockets, fd, CVG_SERVICE_SSL), CVG_OK);
    assert_int_equal(cvg_sockets_adopt(&settings, 3, &sockets, NULL), CVG_OK);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_SSL, port_of(fd)), 3);
    /* What is given counts, and what is not is as the settings say. */
    assert_int_equal(count_at(&sockets, CVG_SERVICE_SSL, settings.ssl_port), 0);
    assert_int_equal(count_at(&sockets, CVG_SERVICE_BOUNCE, settings.bounce_port), 3);
    assert_int_equal(sockets.count, 9);
    cvg_sockets_close(&sockets);
}

/* The old process: a loop that serves one hand-over. */
static struct {
    uv_loop_t loop;
    struct cvg_settings settings;
    struct cvg_sockets sockets;
    struct cvg_handover *handover;
    bool taken;
    uv_thread_t new_process;
    enum cvg_error result;
    uv_async_t ended;
    bool ending;
} old;

static void taken(void *user)
{
    (void)user;
    old.taken = true;
}

/* What the new process said before it ended may come in the same turn, behind this: one turn more.
 */
static void on_ended(uv_async_t *async)
{
    if (!old.ending) {
        old.ending = true;
        uv_async_send(async);
        return;
    }
    cvg_handover_free(old.handover);
    uv_close((uv_handle_t *)&old.ended, NULL);
}

/* Runs the old process while the other one does its part in a thread. */
static void hand_over_to(void (*new_process)(void *unused), size_t workers)
{
    const struct cvg_handover_host host = {.sockets = &old.sockets, .taken = taken};
    struct cvg_why why = {.text = ""};
    old.taken = old.ending = false;
    old.settings = settings_on_free_ports();
    old.sockets = opened(&old.settings, workers);
    assert_int_equal(uv_loop_init(&old.loop), 0);
    assert_int_equal(uv_async_init(&old.loop, &old.ended, on_ended), 0);
    if (cvg_handover_new(&old.loop, path, &host, &old.handover, &why) != CVG_OK)
        fail_msg("%s", why.text);
    assert_int_equal(uv_thread_create(&old.new_process, new_process, NULL), 0);
    uv_run(&old.loop, UV_RUN_DEFAULT);
    uv_thread_join(&old.new_process);
    assert_int_equal(uv_loop_close(&old.loop), 0);
    cvg_sockets_close(&old.sockets);
    assert_int_equal(access(path, F_OK), -1);
}

/* Takes everything; the connection stays open. */
static int take(struct cvg_sockets *ret_sockets)
{
    int connection = -1;
    struct cvg_why why = {.text = ""};
    old.result = cvg_handover_take(path, TIMEOUT_MS, ret_sockets, &connection, &why);
    return connection;
}

static bool same_sockets(const struct cvg_sockets *a, const struct cvg_sockets *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->socket[i].service == b->socket[i].service &&
               port_of(a->socket[i].fd) == port_of(b->socket[i].fd);
    return same;
}

static void takes_all_and_is_ready(void *unused)
{
    struct cvg_sockets sockets = {.socket = NULL};
    struct stat info;
    (void)unused;
    bool private = stat(path, &info) == 0 && (info.st_mode & 0777) == 0600;
    int connection = take(&sockets);
    if (old.result == CVG_OK && (!private || !same_sockets(&sockets, &old.sockets)))
        old.result = CVG_ERR_PROTOCOL;
    if (old.result == CVG_OK)
        old.result = cvg_handover_ready(connection);
    cvg_sockets_close(&sockets);
    uv_async_send(&old.ended);
}

static void all_sockets_arrive(void **state)
{
    (void)state;
    hand_over_to(takes_all_and_is_ready, 50); /* more than one message's worth */
    assert_int_equal(old.result, CVG_OK);
    assert_true(old.taken);
}

static void takes_all_and_dies(void *unused)
{
    struct cvg_sockets sockets = {.socket = NULL};
    (void)unused;
    close(take(&sockets));
    cvg_sockets_close(&sockets);
    /* The second one is as good as the first would have been. */
    takes_all_and_is_ready(NULL);
}

static void one_that_dies_changes_nothing(void **state)
{
    (void)state;
    hand_over_to(takes_all_and_dies, 2);
    assert_int_equal(old.result, CVG_OK);
    assert_true(old.taken);
}

static void asks_while_another_takes_over(void *unused)
{
    struct cvg_sockets sockets = {.socket = NULL}, more = {.socket = NULL};
    int second = -1;
    (void)unused;
    int first = take(&sockets);
    if (old.result == CVG_OK && cvg_handover_take(path, TIMEOUT_MS, &more, &second, NULL) == CVG_OK)
        old.result = CVG_ERR_EXISTS;
    if (old.result == CVG_OK)
        old.result = cvg_handover_ready(first);
    cvg_sockets_close(&more);
    cvg_sockets_close(&sockets);
    uv_async_send(&old.ended);
}

static void one_at_a_time(void **state)
{
    (void)state;
    hand_over_to(asks_while_another_takes_over, 2);
    assert_int_equal(old.result, CVG_OK);
    assert_true(old.taken);
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        abort();
    return fd;
}

static void says_nonsense(void *unused)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {{"R", 1}, {"X", 1}, {"T", 1}, {"T\x02", 2}, {"E\x01", 2}, {"S", 1}, {"S\0", 2}};
    (void)unused;
    old.result = CVG_OK;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answer[8];
        int fd = connect_raw();
        if (send(fd, cases[i].text, cases[i].len, MSG_NOSIGNAL) < 0 ||
            recv(fd, answer, sizeof(answer), 0) != 0)
            old.result = CVG_ERR_PROTOCOL;
        close(fd);
    }
    uv_async_send(&old.ended);
}

static void nonsense_is_hung_up_on(void **state)
{
    (void)state;
    hand_over_to(says_nonsense, 2);
    assert_int_equal(old.result, CVG_OK);
    assert_false(old.taken);
}

static void nobody_there_is_told(void **state)
{
    struct cvg_sockets sockets = {.socket = NULL};
    int connection = -1;
    (void)state;
    assert_int_equal(cvg_handover_take(path, TIMEOUT_MS, &sockets, &connection, NULL),
                     CVG_ERR_NOT_FOUND);
    assert_int_equal(connection, -1);
}

/* An old process that gives what is no listening socket is not believed. */
static void what_is_given_is_looked_at(void **state)
{
    struct cvg_sockets given = {.socket = NULL}, got = {.socket = NULL};
    int pair[2];
    size_t sent = 0;
    char kind = 0;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(cvg_sockets_add(&given, bound(0), CVG_SERVICE_SSL), CVG_OK);
    assert_int_equal(cvg_handover_send_sockets(pair[0], &given, 0, &sent), CVG_OK);
    assert_int_equal(cvg_handover_receive(pair[1], &got, &kind), CVG_ERR_CONFIG);
    assert_int_equal(got.count, 0);
    assert_true(cvg_handover_peer_is_ours(pair[1]));
    cvg_sockets_close(&given);
    close(pair[0]);
    close(pair[1]);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/control", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_and_more_workers_keep_every_socket),
        cmocka_unit_test(what_listens_nowhere_any_more_is_closed),
        cmocka_unit_test(a_socket_of_its_own_is_shared),
        cmocka_unit_test(all_sockets_arrive),
        cmocka_unit_test(one_that_dies_changes_nothing),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(nonsense_is_hung_up_on),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(what_is_given_is_looked_at),
    };
    return cmocka_run_group_tests_name("handover", tests, set_up, tear_down);
}
