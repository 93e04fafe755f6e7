/* SPDX-License-Identifier: MIT */
/* The resolver's own faults: settings that cannot be, too many questions, a thread that is lost.
 * libunbound is not asked anything here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "notary/dns.h"

#define MANY 5000

int __wrap_ub_resolve_async(struct ub_ctx *context, const char *name, int type, int class,
                            void *user, ub_callback_type callback, int *id);
int __wrap_ub_process(struct ub_ctx *context);
int __wrap_ub_fd(struct ub_ctx *context);

static int pipe_ends[2];
static bool no_anchor; /* the machine has no dns-root-data */
static int process_result, processed;

int __wrap_ub_resolve_async(struct ub_ctx *context CVG_UNUSED, const char *name CVG_UNUSED,
                            int type CVG_UNUSED, int class CVG_UNUSED, void *user CVG_UNUSED,
                            ub_callback_type callback CVG_UNUSED, int *id CVG_UNUSED)
{
    return 0;
}

int __wrap_ub_process(struct ub_ctx *context CVG_UNUSED)
{
    processed++;
    return process_result;
}

int __wrap_ub_fd(struct ub_ctx *context CVG_UNUSED)
{
    return pipe_ends[0];
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    return no_anchor && strstr(path, "root.key") != NULL ? -1 : __real_access(path, mode);
}

static void read_settings(const char *more, struct cvg_settings *settings)
{
    char text[512];
    int len = snprintf(text, sizeof(text),
                       "name = n\ntls_key = k\ntls_certificate = c\nsigning_key = s\n%s", more);
    assert_int_equal(cvg_settings_parse(text, (size_t)len, "/nowhere/notary.conf", settings, NULL),
                     CVG_OK);
}

static struct cvg_dns *make(uv_loop_t *loop)
{
    struct cvg_settings settings;
    struct cvg_dns *dns = NULL;
    read_settings("dns_servers = 127.0.0.1@53 ::1@5353\ndns_anchor = none\n", &settings);
    assert_int_equal(uv_loop_init(loop), 0);
    assert_int_equal(pipe(pipe_ends), 0);
    process_result = processed = 0;
    assert_int_equal(cvg_dns_new(loop, &settings, &dns, NULL), CVG_OK);
    return dns;
}

static void end(uv_loop_t *loop, struct cvg_dns *dns)
{
    cvg_dns_free(dns);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void count_unreachable(const struct cvg_dns_answer *answer, void *user)
{
    assert_int_equal(answer->err, CVG_ERR_UNREACHABLE);
    assert_int_not_equal(answer->security, CVG_DNS_SECURE);
    ++*(int *)user;
}

static void no_such_anchor(void **state)
{
    struct cvg_settings settings;
    struct cvg_dns *dns = NULL;
    struct cvg_why why = {.text = ""};
    uv_loop_t loop;
    (void)state;
    read_settings("dns_servers = 127.0.0.1\ndns_anchor = anchor\n", &settings);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cvg_dns_new(&loop, &settings, &dns, &why), CVG_ERR_CONFIG);
    assert_non_null(strstr(why.text, "/nowhere/anchor"));
    assert_null(dns);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void dane_needs_an_anchor(void **state)
{
    static const char *const verifiers[] = {"", "verifiers = network dane\n"};
    static const enum cvg_error result[] = {CVG_OK, CVG_ERR_CONFIG};
    uv_loop_t loop;
    (void)state;
    no_anchor = true;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(pipe(pipe_ends), 0);
    for (int i = 0; i < 2; i++) {
        struct cvg_settings settings;
        struct cvg_dns *dns = NULL;
        struct cvg_why why = {.text = ""};
        read_settings(verifiers[i], &settings);
        assert_int_equal(cvg_dns_new(&loop, &settings, &dns, &why), result[i]);
        assert_true((strstr(why.text, "dns_anchor") != NULL) == (result[i] != CVG_OK));
        cvg_dns_free(dns);
    }
    no_anchor = false;
    end(&loop, NULL);
}

static void too_many(void **state)
{
    static struct cvg_dns_question *question[MANY];
    uv_loop_t loop;
    struct cvg_dns *dns = make(&loop);
    int told = 0;
    size_t count = 0;
    (void)state;
    while (count < MANY && cvg_dns_start(dns, "a.example", CVG_DNS_A, count_unreachable, &told,
                                         &question[count]) == CVG_OK)
        count++;
    assert_in_range(count, 1, MANY - 1);
    assert_int_equal(
        cvg_dns_start(dns, "a.example", CVG_DNS_A, count_unreachable, &told, &question[count]),
        CVG_ERR_BUSY);
    /* What is taken back goes on in libunbound, and counts there. */
    cvg_dns_cancel(question[0]);
    assert_int_equal(
        cvg_dns_start(dns, "a.example", CVG_DNS_A, count_unreachable, &told, &question[count]),
        CVG_ERR_BUSY);
    end(&loop, dns);
    assert_int_equal(told, count - 1);
}

static void stay(uv_timer_t *timer CVG_UNUSED)
{
}

static void thread_is_lost(void **state)
{
    uv_timer_t alive; /* the resolver alone does not keep a loop */
    struct cvg_dns_question *question[2] = {NULL, NULL};
    uv_loop_t loop;
    struct cvg_dns *dns = make(&loop);
    int told = 0;
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            cvg_dns_start(dns, "a.example", CVG_DNS_A, count_unreachable, &told, &question[i]),
            CVG_OK);
    process_result = UB_PIPE;
    assert_int_equal(write(pipe_ends[1], "", 1), 1);
    uv_timer_init(&loop, &alive);
    uv_timer_start(&alive, stay, 60000, 0);
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(told, 2);
    assert_int_equal(
        cvg_dns_start(dns, "a.example", CVG_DNS_A, count_unreachable, &told, &question[0]),
        CVG_ERR_BUSY);
    /* The descriptor stays readable, and must not keep the loop busy. */
    process_result = 0;
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(processed, 1);
    uv_close((uv_handle_t *)&alive, NULL);
    end(&loop, dns);
    assert_int_equal(told, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_such_anchor),
        cmocka_unit_test(dane_needs_an_anchor),
        cmocka_unit_test(too_many),
        cmocka_unit_test(thread_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
