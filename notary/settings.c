/* SPDX-License-Identifier: MIT */
/* The keys of notary.conf, their defaults and what each allows. */
#include "notary/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "notary/settings-values.h"

#define FIELD(name) offsetof(struct cvg_settings_parse, settings.name)
#define A_PATH      "a path is allowed, from the file's directory on if it is not absolute"
#define NETWORKS    "at most 64 networks such as 192.0.2.0/24 or 2001:db8::/32 are allowed"
#define ADDRESSES   "at most 16 IPv4 or IPv6 addresses are allowed, separated by blanks"

static const struct cvg_key keys[] = {
    {"name", cvg_setting_word, FIELD(name), 0, 0, "one word of at most 63 octets is allowed"},
    {"tls_key", cvg_setting_path, FIELD(tls_key), 0, 0, A_PATH},
    {"tls_certificate", cvg_setting_path, FIELD(tls_certificate), 0, 0, A_PATH},
    {"signing_key", cvg_setting_path, FIELD(signing_key), 0, 0, A_PATH},
    {"bundle", cvg_setting_path, FIELD(bundle), 0, 0, A_PATH},
    {"bundle_v1", cvg_setting_path, FIELD(bundle_v1), 0, 0, A_PATH},
    {"database", cvg_setting_path, FIELD(database), 0, 0, A_PATH},
    {"journal", cvg_setting_path, FIELD(journal), 0, 0, A_PATH},
    {"journal_max", cvg_setting_size, FIELD(journal_max), UINT64_C(1) << 20, UINT64_C(1) << 36,
     "1M to 64G is allowed, for example 256M"},
    {"redis", cvg_setting_redis, FIELD(redis), 0, 0,
     "1 to 16 servers such as 192.0.2.1:6379 or redis.example are allowed, separated by blanks"},
    {"redis_user", cvg_setting_prefix, FIELD(redis_user), 0, 0,
     "one word of at most 63 octets is allowed"},
    {"redis_password", cvg_setting_path, FIELD(redis_password), 0, 0, A_PATH},
    {"redis_wait_replicas", cvg_set_unsigned, FIELD(redis_wait_replicas), 0, 8,
     "0 to 8 is allowed"},
    {"redis_prefix", cvg_setting_prefix, FIELD(redis_prefix), 0, 0,
     "one word of at most 63 octets is allowed"},
    {"control", cvg_setting_path, FIELD(control), 0, 0, A_PATH},
    {"seccomp", cvg_set_bool, FIELD(seccomp), 0, 0, "yes or no are allowed"},
    {"hosts", cvg_setting_path, FIELD(hosts), 0, 0, A_PATH},
    {"dns_servers", cvg_setting_dns_servers, FIELD(dns_servers), 0, 0,
     "1 to 8 addresses, each with @PORT or without, are allowed, separated by blanks"},
    {"dns_anchor", cvg_setting_anchor, FIELD(dns_anchor), 0, 0, "none is allowed, or a path"},
    {"user", cvg_setting_word, FIELD(user), 0, 0, "the name of a user is allowed"},
    {"listen", cvg_setting_addresses, FIELD(listen), 1, 0, ADDRESSES},
    {"proxy_from", cvg_setting_networks, FIELD(proxy_from), 0, 0, NETWORKS},
    {"status_listen", cvg_setting_addresses, FIELD(status_listen), 1, 0, ADDRESSES},
    {"status_port", cvg_set_unsigned, FIELD(status_port), 0, 65535,
     "0 (no status page) to 65535 is allowed"},
    {"ssl_port", cvg_set_unsigned, FIELD(ssl_port), 1, 65535, "1 to 65535 is allowed"},
    {"bounce_port", cvg_set_unsigned, FIELD(bounce_port), 1, 65535, "1 to 65535 is allowed"},
    {"relay_port", cvg_set_unsigned, FIELD(relay_port), 0, 65535,
     "0 (no relay) to 65535 is allowed"},
    {"relay_ports", cvg_setting_ports, FIELD(relay_ports), 0, 0,
     "1 to 16 ports from 1 to 65535 are allowed, separated by blanks"},
    {"relay_hosts", cvg_setting_hosts, FIELD(relay_hosts), 0, 0,
     "1 to 64 names or addresses are allowed, separated by blanks"},
    {"allow_targets", cvg_setting_networks, FIELD(allow_targets), 0, 0, NETWORKS},
    {"own_addresses", cvg_setting_addresses, FIELD(own_addresses), 0, 0, ADDRESSES},
    {"verifiers", cvg_setting_verifiers, FIELD(verifiers), 0, 0,
     "some of network, dane, ct and pins are allowed, each once, separated by blanks"},
    {"v1_verdict", cvg_setting_v1_verdict, FIELD(v1_verdict), 0, 0,
     "network, all, any or majority is allowed"},
    {"ct_logs", cvg_setting_path, FIELD(ct_logs), 0, 0, A_PATH},
    {"ct_min", cvg_set_unsigned, FIELD(ct_min), 1, 16, "1 to 16 is allowed"},
    {"pins", cvg_setting_path, FIELD(pins), 0, 0, A_PATH},
    {"max_observation_age", cvg_set_duration_s64, FIELD(max_observation_age_s), 1, 31622400,
     "1s to 366d is allowed, for example 24h"},
    {"probe_timeout", cvg_set_duration_ms, FIELD(probe_timeout_ms), 100, 10000,
     "100ms to 10s is allowed, for example 2s"},
    {"probe_interval", cvg_set_duration_ms, FIELD(probe_interval_ms), 100, 3600000,
     "100ms to 1h is allowed, for example 10s"},
    {"queries_per_minute", cvg_set_unsigned, FIELD(queries_per_minute), 1, 1000000000,
     "1 to 1000000000 is allowed"},
    {"target_probes_per_minute", cvg_set_unsigned, FIELD(target_probes_per_minute), 1, 1000000000,
     "1 to 1000000000 is allowed"},
    {"probes_per_minute", cvg_set_unsigned, FIELD(probes_per_minute), 1, 1000000,
     "1 to 1000000 is allowed"},
    {"workers", cvg_set_unsigned, FIELD(workers), 0, 256, "0 (one per CPU) to 256 is allowed"},
    {"max_probes", cvg_set_unsigned, FIELD(max_probes), 1, 65536, "1 to 65536 is allowed"},
    {"max_targets", cvg_set_unsigned, FIELD(max_targets), 1, 100000000,
     "1 to 100000000 is allowed"},
    {"max_stored", cvg_set_unsigned, FIELD(max_stored), 1, 1000000000,
     "1 to 1000000000 is allowed"},
    {"refresh_idle", cvg_set_duration_s64, FIELD(refresh_idle_s), 60, 366 * 86400,
     "1m to 366d is allowed, for example 7d"},
    {"forget_after", cvg_set_duration_s64, FIELD(forget_after_s), 86400, 3660 * 86400,
     "1d to 3660d is allowed, for example 180d"},
    {"max_connections", cvg_set_unsigned, FIELD(max_connections), 1, 1000000,
     "1 to 1000000 is allowed"},
    {"connections_per_network", cvg_set_unsigned, FIELD(connections_per_network), 1, 1000000,
     "1 to 1000000 is allowed"},
    {"max_tunnels", cvg_set_unsigned, FIELD(max_tunnels), 1, 1000000, "1 to 1000000 is allowed"},
    {"tunnel_max_bytes", cvg_setting_size, FIELD(tunnel_max_bytes), UINT64_C(1) << 20,
     UINT64_C(1) << 36, "1M to 64G is allowed, for example 16M"},
    {"tunnel_max_time", cvg_set_duration_ms, FIELD(tunnel_max_time_ms), 1000, 86400000,
     "1s to 24h is allowed, for example 1h"},
    {"client_timeout", cvg_set_duration_ms, FIELD(client_timeout_ms), 100, 600000,
     "100ms to 10m is allowed, for example 10s"},
    {"idle_timeout", cvg_set_duration_ms, FIELD(idle_timeout_ms), 100, 86400000,
     "100ms to 24h is allowed, for example 5m"},
};

/* A verifier that has nothing to go by would stand aside for ever. */
static enum cvg_error check_verifiers(const struct cvg_settings *settings, const char *file,
                                      struct cvg_why *why)
{
    unsigned set = settings->verifiers;
    if ((set & 1U << CVG_VERIFIER_DANE) != 0 &&
        strcmp(settings->dns_anchor, CVG_DNS_ANCHOR_NONE) == 0)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: verifiers: dane needs a dns_anchor", file);
    if ((set & 1U << CVG_VERIFIER_CT) != 0 && settings->ct_logs[0] == '\0')
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: verifiers: ct needs ct_logs", file);
    if ((set & 1U << CVG_VERIFIER_PINS) != 0 && settings->pins[0] == '\0')
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: verifiers: pins needs the file, pins", file);
    return CVG_OK;
}

static enum cvg_error check_store(const struct cvg_settings *settings, const char *file,
                                  struct cvg_why *why)
{
    if (settings->redis.count == 0)
        return CVG_OK;
    if (settings->database[0] != '\0')
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: database or redis, not both", file);
    if (settings->journal[0] == '\0')
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: redis needs a journal", file);
    if (settings->redis_user[0] != '\0' && settings->redis_password[0] == '\0')
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: redis_user needs redis_password", file);
    return CVG_OK;
}

/* What cannot be left out, and what does not go together. */
static enum cvg_error check(const struct cvg_settings *settings, const char *file,
                            struct cvg_why *why)
{
    const char *missing = settings->name[0] == '\0'              ? "name"
                          : settings->tls_key[0] == '\0'         ? "tls_key"
                          : settings->tls_certificate[0] == '\0' ? "tls_certificate"
                          : settings->signing_key[0] == '\0'     ? "signing_key"
                                                                 : NULL;
    if (missing != NULL)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: %s is missing", file, missing);
    if (settings->ssl_port == settings->relay_port || settings->bounce_port == settings->ssl_port ||
        settings->bounce_port == settings->relay_port)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: ssl_port, bounce_port and relay_port must differ",
                        file);
    if (settings->status_port != 0 && (settings->status_port == settings->ssl_port ||
                                       settings->status_port == settings->bounce_port ||
                                       settings->status_port == settings->relay_port))
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: status_port is another port, too", file);
    enum cvg_error err = check_store(settings, file, why);
    return err == CVG_OK ? check_verifiers(settings, file, why) : err;
}

/* The journal lies beside the database unless it is told otherwise. */
static enum cvg_error name_journal(struct cvg_settings *settings, const char *file,
                                   struct cvg_why *why)
{
    int len = 0;
    if (settings->database[0] != '\0')
        len = snprintf(settings->journal, sizeof(settings->journal), "%s.journal",
                       settings->database);
    return len < (int)sizeof(settings->journal)
               ? CVG_OK
               : cvg_fail(why, CVG_ERR_RANGE, "%s: the path of database is too long", file);
}

void cvg_settings_init(struct cvg_settings *ret_settings)
{
    *ret_settings = (struct cvg_settings){
        .listen = {.address = {{.family = 6}, {.family = 4}}, .count = 2},
        .status_listen = {.address = {{.family = 4, .bytes = {127, 0, 0, 1}},
                                      {.family = 6, .bytes = {[15] = 1}}},
                          .count = 2},
        .ssl_port = 443,
        .bounce_port = 4242,
        .relay_port = 80,
        .seccomp = true,
        .relay_ports = {.port = {4242}, .count = 1},
        .verifiers = 1U << CVG_VERIFIER_NETWORK,
        .ct_min = 2,
        .redis_prefix = "converge/",
        .max_observation_age_s = 86400,
        .probe_timeout_ms = 2000,
        .probe_interval_ms = 10000,
        .queries_per_minute = 60000,
        .probes_per_minute = 1200,
        .target_probes_per_minute = 6000,
        .max_probes = 512,
        .max_targets = 100000,
        .max_stored = 1000000,
        .refresh_idle_s = 7 * 86400,
        .forget_after_s = 180 * 86400,
        .journal_max = UINT64_C(256) << 20,
        .max_connections = 4096,
        .connections_per_network = 1024,
        .max_tunnels = 512,
        .tunnel_max_bytes = UINT64_C(16) << 20,
        .tunnel_max_time_ms = 3600000,
        .client_timeout_ms = 10000,
        .idle_timeout_ms = 300000,
    };
}

enum cvg_error cvg_settings_parse(const char *text, size_t len, const char *path,
                                  struct cvg_settings *ret_settings, struct cvg_why *ret_why)
{
    const char *slash = strrchr(path, '/');
    struct cvg_settings_parse parse = {.directory = path};
    parse.directory_len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    cvg_settings_init(&parse.settings);
    enum cvg_error err =
        cvg_keys_parse(text, len, path, keys, sizeof(keys) / sizeof(keys[0]), &parse, ret_why);
    if (err == CVG_OK && parse.settings.journal[0] == '\0')
        err = name_journal(&parse.settings, path, ret_why);
    if (err == CVG_OK)
        err = check(&parse.settings, path, ret_why);
    if (err == CVG_OK)
        *ret_settings = parse.settings;
    return err;
}

enum cvg_error cvg_settings_load(const char *path, struct cvg_settings *ret_settings,
                                 struct cvg_why *ret_why)
{
    struct cvg_buffer text = {0};
    enum cvg_error err = cvg_file_read(path, geteuid(), CVG_SETTINGS_MAX, false, &text, ret_why);
    if (err == CVG_OK)
        err = cvg_settings_parse((const char *)text.data, text.len, path, ret_settings, ret_why);
    cvg_buffer_free(&text);
    return err;
}
