/* SPDX-License-Identifier: MIT */
/* notary.conf: what one notary serves, where its files are, and its limits.
 *
 * The grammar is converge.conf's: "key = value" lines and '#' comments. An unknown key, a bad value
 * or a key given twice is an error that names file, line and what is allowed. */
#ifndef CVG_NOTARY_SETTINGS_H
#define CVG_NOTARY_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/config.h"
#include "common/protocol/message.h"
#include "common/protocol/v2.h"
#include "notary/address.h"
#include "notary/redis-slots.h"

#define CVG_SETTINGS_MAX         65536 /* octets of a notary.conf */
#define CVG_SETTINGS_NETWORKS    64
#define CVG_SETTINGS_ADDRESSES   16
#define CVG_SETTINGS_RELAY_PORTS 16
#define CVG_SETTINGS_RELAY_HOSTS 64
#define CVG_SETTINGS_DNS_SERVERS 8

#define CVG_DNS_ANCHOR_NONE "none"

struct cvg_addresses {
    struct cvg_address address[CVG_SETTINGS_ADDRESSES];
    size_t count;
};

struct cvg_networks {
    struct cvg_network network[CVG_SETTINGS_NETWORKS];
    size_t count;
};

static inline bool cvg_networks_contain(const struct cvg_networks *networks,
                                        const struct cvg_address *address)
{
    for (size_t i = 0; i < networks->count; i++)
        if (cvg_network_contains(&networks->network[i], address))
            return true;
    return false;
}

struct cvg_ports {
    uint16_t port[CVG_SETTINGS_RELAY_PORTS];
    size_t count;
};

struct cvg_dns_servers {
    struct {
        struct cvg_address address;
        uint16_t port;
    } server[CVG_SETTINGS_DNS_SERVERS];
    size_t count;
};

#define CVG_SETTINGS_REDIS_SERVERS 16

struct cvg_redis_servers {
    struct cvg_redis_node server[CVG_SETTINGS_REDIS_SERVERS];
    size_t count;
};

struct cvg_relay_hosts {
    char host[CVG_SETTINGS_RELAY_HOSTS][CVG_HOST_MAX]; /* normal form */
    size_t count;
};

/* How version 1's one status is made of what the verifiers say. */
enum cvg_v1_verdict {
    CVG_V1_VERDICT_NETWORK = 0, /* the network perspective alone */
    CVG_V1_VERDICT_ALL,         /* somebody says yes, and nobody no */
    CVG_V1_VERDICT_ANY,         /* somebody says yes */
    CVG_V1_VERDICT_MAJORITY     /* more say yes than no */
};

struct cvg_settings {
    char name[CVG_MESSAGE_NAME_MAX];       /* name = alpha */
    char tls_key[CVG_PATH_MAX];            /* tls_key = FILE: paths are relative to notary.conf */
    char tls_certificate[CVG_PATH_MAX];    /* tls_certificate = FILE: the pin */
    char signing_key[CVG_PATH_MAX];        /* signing_key = FILE */
    char bundle[CVG_PATH_MAX];             /* bundle = FILE: served as /bundle.notary; optional */
    char bundle_v1[CVG_PATH_MAX];          /* bundle_v1 = FILE: as /bundle-v1.notary; optional */
    char database[CVG_PATH_MAX];           /* database = FILE: optional; without it memory only */
    char journal[CVG_PATH_MAX];            /* journal = FILE: its segments are FILE.N; beside the
                                              database unless given */
    uint64_t journal_max;                  /* journal_max = 256M: octets that the store lacks */
    struct cvg_redis_servers redis;        /* redis = HOST:PORT ...: the store instead of database;
                                              needs journal */
    char redis_user[CVG_MESSAGE_NAME_MAX]; /* redis_user = NAME: else Redis' default user */
    char redis_password[CVG_PATH_MAX];     /* redis_password = FILE: its first line; optional */
    unsigned redis_wait_replicas;            /* redis_wait_replicas = 0: that have a record, too,
                                                before the journal lets go of it */
    char redis_prefix[CVG_MESSAGE_NAME_MAX]; /* redis_prefix = converge/: of every key */
    char control[CVG_PATH_MAX];         /* control = FILE: where a successor asks for the sockets;
                                           "": beside the database or notary.conf */
    bool seccomp;                       /* seccomp = yes: only a notary's system calls */
    char hosts[CVG_PATH_MAX];           /* hosts = FILE: asked before DNS; hosts(5); optional */
    struct cvg_dns_servers dns_servers; /* dns_servers = ADDRESS[@PORT] ...: else resolv.conf's */
    char dns_anchor[CVG_PATH_MAX];      /* dns_anchor = FILE: of DNSSEC; "" is Debian's if it is
                                           there; CVG_DNS_ANCHOR_NONE validates nothing */
    char user[CVG_MESSAGE_NAME_MAX];    /* user = NAME: whom a notary started by root becomes */
    struct cvg_addresses listen;        /* listen = ADDRESS ... (:: and 0.0.0.0) */
    struct cvg_networks proxy_from;     /* proxy_from = CIDR ...: whose connections begin with a
                                           PROXY header; nobody else's do */
    struct cvg_addresses status_listen; /* status_listen = ADDRESS ... (127.0.0.1 ::1) */
    unsigned status_port;         /* status_port = 0: the status page over plain HTTP; 0: none */
    unsigned ssl_port;            /* ssl_port = 443 */
    unsigned bounce_port;         /* bounce_port = 4242 */
    unsigned relay_port;          /* relay_port = 80; 0: this notary is no relay */
    struct cvg_ports relay_ports; /* relay_ports = 4242: where a relay connects to */
    struct cvg_relay_hosts relay_hosts; /* relay_hosts = HOST ...: the only ones it connects to;
                                           none given: any */
    struct cvg_networks allow_targets;  /* allow_targets = CIDR ...: special-purpose addresses that
                                           may be probed and relayed to all the same */
    struct cvg_addresses own_addresses; /* own_addresses = ADDRESS ...: never probed, besides those
                                           of this machine's interfaces */
    unsigned verifiers;                 /* verifiers = network [dane] [ct] [pins]: a set of 1 <<
                                           enum cvg_verifier_id; always with the network's */
    enum cvg_v1_verdict v1_verdict;     /* v1_verdict = network | all | any | majority */
    char ct_logs[CVG_PATH_MAX];         /* ct_logs = FILE: OpenSSL's list of logs */
    unsigned ct_min;                    /* ct_min = 2: valid SCTs that make a yes */
    char pins[CVG_PATH_MAX];            /* pins = FILE: what the operator knows */
    uint64_t max_observation_age_s;     /* max_observation_age = 24h */
    unsigned probe_timeout_ms;          /* probe_timeout = 2s: name, connections and second look */
    unsigned probe_interval_ms;         /* probe_interval = 10s: one probe per target */
    unsigned queries_per_minute;        /* queries_per_minute = 60000: per client network */
    unsigned probes_per_minute;         /* probes_per_minute = 1200: per client network */
    unsigned target_probes_per_minute;  /* target_probes_per_minute = 6000: per target network */
    unsigned workers;                   /* workers = 0: loops; 0 is one per CPU */
    unsigned max_probes;                /* max_probes = 512: at once */
    unsigned max_targets;               /* max_targets = 100000: in memory */
    unsigned max_stored;                /* max_stored = 1000000: targets in the database */
    uint64_t refresh_idle_s;            /* refresh_idle = 7d: unasked for so long, a target is not
                                           looked at in the background any more */
    uint64_t forget_after_s;            /* forget_after = 180d: unseen for so long, a target goes
                                           from memory and store */
    unsigned max_connections;           /* max_connections = 4096 */
    unsigned connections_per_network;   /* connections_per_network = 1024 */
    unsigned max_tunnels;               /* max_tunnels = 512 */
    uint64_t tunnel_max_bytes;          /* tunnel_max_bytes = 16M: octets of one, both ways */
    unsigned tunnel_max_time_ms;        /* tunnel_max_time = 1h: of one */
    unsigned client_timeout_ms;         /* client_timeout = 10s: for a handshake, a request, and
                                           for taking an answer */
    unsigned idle_timeout_ms;           /* idle_timeout = 5m: between requests, and in tunnels */
};

void cvg_settings_init(struct cvg_settings *ret_settings);

/* Parses the text over the defaults; file names become absolute, from the directory of path. path
 * is otherwise only for messages. On failure *ret_settings is untouched. Pure. */
CVG_MUST_USE enum cvg_error cvg_settings_parse(const char *text, size_t len, const char *path,
                                               struct cvg_settings *ret_settings,
                                               struct cvg_why *ret_why);

/* Reads and parses the file; it must not be writable by others. */
CVG_MUST_USE enum cvg_error cvg_settings_load(const char *path, struct cvg_settings *ret_settings,
                                              struct cvg_why *ret_why);

#endif
