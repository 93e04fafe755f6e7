/* SPDX-License-Identifier: MIT */
/* notary.conf: what is taken, what is refused and how it is told; networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "notary/settings.h"

#define NEEDED                                                                                     \
    "name = alpha\ntls_key = tls.key\ntls_certificate = /abs/tls.crt\nsigning_key = s.key\n"

static enum cvg_error parse(const char *text, struct cvg_settings *settings, struct cvg_why *why)
{
    return cvg_settings_parse(text, strlen(text), "/etc/n/notary.conf", settings, why);
}

static void defaults(void **state)
{
    struct cvg_settings settings;
    (void)state;
    assert_int_equal(parse(NEEDED, &settings, NULL), CVG_OK);
    assert_string_equal(settings.name, "alpha");
    assert_string_equal(settings.tls_key, "/etc/n/tls.key");
    assert_string_equal(settings.tls_certificate, "/abs/tls.crt");
    assert_string_equal(settings.database, "");
    assert_int_equal(settings.ssl_port, 443);
    assert_int_equal(settings.bounce_port, 4242);
    assert_int_equal(settings.relay_port, 80);
    assert_int_equal(settings.relay_ports.count, 1);
    assert_true(settings.seccomp);
    assert_string_equal(settings.control, "");
    assert_int_equal(settings.max_observation_age_s, 86400);
    assert_int_equal(settings.probe_timeout_ms, 2000);
    assert_int_equal(settings.status_port, 0);
    assert_int_equal(settings.status_listen.count, 2);
    assert_int_equal(settings.queries_per_minute, 60000);
    assert_int_equal(settings.probes_per_minute, 1200);
    assert_int_equal(settings.target_probes_per_minute, 6000);
    assert_int_equal(settings.verifiers, 1U << CVG_VERIFIER_NETWORK);
    assert_int_equal(settings.v1_verdict, CVG_V1_VERDICT_NETWORK);
    assert_int_equal(settings.ct_min, 2);
    assert_int_equal(settings.listen.count, 2);
    assert_int_equal(settings.allow_targets.count, 0);
    assert_string_equal(settings.journal, "");
    assert_int_equal(settings.journal_max, 256 << 20);
    assert_int_equal(settings.forget_after_s, 180 * 86400);
    assert_int_equal(settings.refresh_idle_s, 7 * 86400);
    assert_int_equal(settings.workers, 0);
}

static void journal(void **state)
{
    struct cvg_settings settings;
    (void)state;
    assert_int_equal(
        parse(NEEDED "database = d/o.gdbm\nforget_after = 1d\njournal_max = 2G\n", &settings, NULL),
        CVG_OK);
    assert_string_equal(settings.journal, "/etc/n/d/o.gdbm.journal");
    assert_int_equal(settings.forget_after_s, 86400);
    assert_int_equal(settings.journal_max, UINT64_C(2) << 30);
    assert_int_equal(
        parse(NEEDED "database = d/o.gdbm\njournal = /j/x\njournal_max = 1M\n", &settings, NULL),
        CVG_OK);
    assert_string_equal(settings.journal, "/j/x");
    assert_int_equal(settings.journal_max, 1 << 20);
}

static void redis(void **state)
{
    static const char *const bad[] = {
        "redis =\njournal = j\n",
        "redis = a:0\njournal = j\n",
        "redis = a:1 b:65536\njournal = j\n",
        "redis = a b c d e f g h i j k l m n o p q\njournal = j\n",
        "redis = a\n", /* without a journal */
        "redis = a\njournal = j\ndatabase = o.gdbm\n",
        "redis = a\njournal = j\nredis_user = u\n", /* without a password */
        "redis = a\njournal = j\nredis_prefix = a b\n",
        "redis = a\njournal = j\nredis_prefix =\n",
        "redis = a\njournal = j\nredis_wait_replicas = 9\n",
    };
    struct cvg_settings settings;
    (void)state;
    assert_int_equal(parse(NEEDED "redis = 127.0.0.1:7000 Redis.example [2001:db8::1]:7001\n"
                                  "journal = j\nredis_user = notary\nredis_password = pw\n"
                                  "redis_wait_replicas = 2\n",
                           &settings, NULL),
                     CVG_OK);
    assert_int_equal(settings.redis.count, 3);
    assert_string_equal(settings.redis.server[0].host, "127.0.0.1");
    assert_int_equal(settings.redis.server[0].port, 7000);
    assert_string_equal(settings.redis.server[1].host, "redis.example");
    assert_int_equal(settings.redis.server[1].port, 6379);
    assert_string_equal(settings.redis.server[2].host, "2001:db8::1");
    assert_string_equal(settings.redis_password, "/etc/n/pw");
    assert_string_equal(settings.redis_prefix, "converge/");
    assert_int_equal(settings.redis_wait_replicas, 2);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), NEEDED "%s", bad[i]);
        assert_int_not_equal(parse(text, &settings, NULL), CVG_OK);
    }
}

static void verifiers(void **state)
{
    static const struct {
        const char *text;
        unsigned set; /* 0: refused */
    } rows[] = {
        {"", 1U << CVG_VERIFIER_NETWORK},
        {"verifiers = network\n", 1U << CVG_VERIFIER_NETWORK},
        {"verifiers = dane\n", 1U << CVG_VERIFIER_NETWORK | 1U << CVG_VERIFIER_DANE},
        {"verifiers = pins network dane ct\nct_logs = l\npins = p\n",
         1U << CVG_VERIFIER_NETWORK | 1U << CVG_VERIFIER_DANE | 1U << CVG_VERIFIER_CT |
             1U << CVG_VERIFIER_PINS},
        {"verifiers =\n", 0},
        {"verifiers = network network\n", 0},
        {"verifiers = network, dane\n", 0},
        {"verifiers = Dane\n", 0},
        {"verifiers = ct\n", 0},   /* without ct_logs */
        {"verifiers = pins\n", 0}, /* without the file */
        {"verifiers = dane\ndns_anchor = none\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cvg_settings settings;
        char text[512];
        (void)snprintf(text, sizeof(text), NEEDED "%s", rows[i].text);
        assert_int_equal(parse(text, &settings, NULL) == CVG_OK, rows[i].set != 0);
        if (rows[i].set != 0)
            assert_int_equal(settings.verifiers, rows[i].set);
    }
}

static void load_balancers_and_tunnels(void **state)
{
    struct cvg_settings settings;
    struct cvg_address address;
    (void)state;
    assert_int_equal(parse(NEEDED, &settings, NULL), CVG_OK);
    assert_int_equal(settings.proxy_from.count, 0);
    assert_int_equal(settings.tunnel_max_bytes, 16 << 20);
    assert_int_equal(settings.tunnel_max_time_ms, 3600000);
    assert_int_equal(parse(NEEDED "proxy_from = 192.0.2.0/28 2001:db8::1\ntunnel_max_bytes = 1G\n"
                                  "tunnel_max_time = 30s\n",
                           &settings, NULL),
                     CVG_OK);
    assert_int_equal(settings.tunnel_max_bytes, 1 << 30);
    assert_int_equal(settings.tunnel_max_time_ms, 30000);
    assert_int_equal(cvg_address_parse("192.0.2.15", &address), CVG_OK);
    assert_true(cvg_networks_contain(&settings.proxy_from, &address));
    assert_int_equal(cvg_address_parse("192.0.2.16", &address), CVG_OK);
    assert_false(cvg_networks_contain(&settings.proxy_from, &address));
    assert_int_equal(parse(NEEDED "proxy_from = haproxy\n", &settings, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(parse(NEEDED "tunnel_max_bytes = 65536\n", &settings, NULL), CVG_ERR_SYNTAX);
}

static void verdicts_of_version_1(void **state)
{
    static const char *const words[] = {"network", "all", "any", "majority"};
    struct cvg_settings settings;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), NEEDED "v1_verdict = %s\nct_min = 3\n", words[i]);
        assert_int_equal(parse(text, &settings, NULL), CVG_OK);
        assert_int_equal(settings.v1_verdict, i);
        assert_int_equal(settings.ct_min, 3);
    }
    assert_int_equal(parse(NEEDED "v1_verdict = all any\n", &settings, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(parse(NEEDED "ct_min = 0\n", &settings, NULL), CVG_ERR_SYNTAX);
    assert_int_equal(parse(NEEDED "ct_min = 17\n", &settings, NULL), CVG_ERR_SYNTAX);
}

static void values(void **state)
{
    struct cvg_settings settings;
    (void)state;
    assert_int_equal(parse(NEEDED "# comment\n\nlisten = 127.0.0.1 ::1\nrelay_port = 0\n"
                                  "relay_ports = 4242 443\nmax_observation_age = 2h\n"
                                  "probe_timeout = 500ms\nallow_targets = 10.0.0.0/8 fd00::/8\n"
                                  "own_addresses = 192.0.2.1\nuser = somebody\n"
                                  "relay_hosts = Beta.Example. 2001:DB8::1\n"
                                  "dns_servers = 192.0.2.53 2001:db8::53@5353\n"
                                  "dns_anchor = none\n",
                           &settings, NULL),
                     CVG_OK);
    assert_int_equal(settings.listen.count, 2);
    assert_int_equal(settings.listen.address[0].family, 4);
    assert_int_equal(settings.relay_port, 0);
    assert_int_equal(settings.relay_ports.port[1], 443);
    assert_int_equal(settings.max_observation_age_s, 7200);
    assert_int_equal(settings.probe_timeout_ms, 500);
    assert_int_equal(settings.allow_targets.network[1].bits, 8);
    assert_string_equal(settings.user, "somebody");
    assert_int_equal(settings.dns_servers.count, 2);
    assert_int_equal(settings.dns_servers.server[0].port, 53);
    assert_int_equal(settings.dns_servers.server[1].address.family, 6);
    assert_int_equal(settings.dns_servers.server[1].port, 5353);
    assert_string_equal(settings.dns_anchor, CVG_DNS_ANCHOR_NONE);
    assert_int_equal(settings.relay_hosts.count, 2);
    assert_string_equal(settings.relay_hosts.host[0], "beta.example");
    assert_string_equal(settings.relay_hosts.host[1], "2001:db8::1");
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "listen = \n",
        "listen = localhost\n",
        "dns_servers = \n",
        "dns_servers = localhost\n",
        "dns_servers = 192.0.2.53@0\n",
        "dns_servers = 192.0.2.53@\n",
        "ssl_port = 0\n",
        "ssl_port = 65536\n",
        "seccomp = perhaps\n",
        "relay_ports = \n",
        "relay_ports = 0\n",
        "relay_ports = x\n",
        "allow_targets = 10.0.0.0/33\n",
        "allow_targets = 10.0.0/8\n",
        "allow_targets = ::/129\n",
        "allow_targets = 10.0.0.0/\n",
        "allow_targets = 10.0.0.0/8x\n",
        "max_observation_age = 0\n",
        "max_observation_age = 24\n",
        "probe_timeout = 11s\n",
        "status_listen =\n",
        "status_port = 443\n",
        "queries_per_minute = 0\n",
        "target_probes_per_minute = 1000000001\n",
        "relay_hosts = a..b\n",
        "relay_hosts =\n",
        "user = a b\n",
        "user = a/b\n",
        "hosts =\n",
        "journal =\n",
        "journal_max = 1\n",
        "journal_max = M\n",
        "journal_max = 0M\n",
        "journal_max = 0G\n",
        "journal_max = 65G\n",
        "journal_max = 1k\n",
        "forget_after = 1h\n",
        "workers = 257\n",
        "refresh_idle = 59s\n",
        "name = twice\n",
        "nonsense = 1\n",
        "nonsense\n",
        "ssl_port = 4242\n",
        "relay_port = 443\n",
    };
    struct cvg_settings settings, before;
    (void)state;
    memset(&settings, 0x5a, sizeof(settings));
    before = settings;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];
        struct cvg_why why = {.text = ""};
        snprintf(text, sizeof(text), "%s%s", NEEDED, bad[i]);
        assert_int_not_equal(parse(text, &settings, &why), CVG_OK);
        assert_memory_equal(why.text, "/etc/n/notary.conf:", 19);
        assert_memory_equal(&settings, &before, sizeof(settings));
    }
}

static void missing(void **state)
{
    struct cvg_settings settings;
    struct cvg_why why;
    (void)state;
    assert_int_equal(parse("name = alpha\n", &settings, &why), CVG_ERR_CONFIG);
    assert_string_equal(why.text, "/etc/n/notary.conf: tls_key is missing");
    assert_int_equal(parse("", &settings, &why), CVG_ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(journal),
        cmocka_unit_test(redis),
        cmocka_unit_test(values),
        cmocka_unit_test(verifiers),
        cmocka_unit_test(load_balancers_and_tunnels),
        cmocka_unit_test(verdicts_of_version_1),
        cmocka_unit_test(refused),
        cmocka_unit_test(missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
