/* SPDX-License-Identifier: MIT */
/* converge.conf: "key = value" lines, '#' comments; and where everything is.
 *
 * An unknown key, a bad value or a key given twice is an error that names file, line and what is
 * allowed. Read by the agent and tools whole; the client part reads the same file with the same
 * code for the few keys it needs. */
#ifndef CVG_BASE_CONFIG_H
#define CVG_BASE_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/verdict.h"

#define CVG_PATH_MAX      512 /* octets of a path of ours, with its NUL */
#define CVG_LIST_MAX      64  /* entries of a list value */
#define CVG_PORTS_MAX     16
#define CVG_QUORUM_MAX    16
#define CVG_TEXT_POOL_MAX 8192

enum cvg_agent_kind { CVG_AGENT_SYSTEM = 0, CVG_AGENT_USER };
enum cvg_match { CVG_MATCH_CERTIFICATE = 0, CVG_MATCH_PUBLIC_KEY };
enum cvg_threshold { CVG_THRESHOLD_MAJORITY = 0, CVG_THRESHOLD_CONSENSUS, CVG_THRESHOLD_COUNT };
enum cvg_bounce { CVG_BOUNCE_AUTO = 0, CVG_BOUNCE_ON, CVG_BOUNCE_OFF };

/* A list of words, kept in one pool inside the configuration; no allocation. */
struct cvg_words {
    const char *word[CVG_LIST_MAX];
    size_t count;
};

struct cvg_config {
    enum cvg_agent_kind agent;           /* agent = system | user */
    bool lock;                           /* lock = yes | no: users may not choose their own */
    enum cvg_mode mode;                  /* mode = augment | monitor | replace */
    enum cvg_match match;                /* match = certificate | public-key */
    enum cvg_threshold threshold;        /* threshold = majority | consensus | NUMBER */
    unsigned threshold_count;            /*   the NUMBER */
    unsigned quorum;                     /* quorum = 1..16 (3) */
    unsigned min_votes;                  /* min_votes = 0..16; 0, the default: 2 where two or more
                                            notaries are configured, else 1 */
    enum cvg_unreachable on_unreachable; /* on_unreachable = deny | known | allow */
    unsigned deadline_ms;                /* deadline = 2s (100ms..60s) */
    uint64_t cache_ttl_s;                /* cache_ttl = 90d */
    unsigned negative_ttl_s;             /* negative_ttl = 5s */
    enum cvg_bounce bounce;              /* bounce = auto | on | off */
    bool exempt_private_pki;             /* exempt_private_pki = yes | no */
    bool exempt_special_names;           /* exempt_special_names = yes | no */
    struct cvg_words exempt_names;       /* exempt_names = *.corp.example.com ... */
    char public_anchors[CVG_PATH_MAX];   /* public_anchors = /usr/share/ca-certificates/mozilla
                                            (files and directories, separated by colons) */
    uint16_t tunnel_ports[CVG_PORTS_MAX];/* tunnel_ports = 443 ...: asked for inside a tunnel */
    size_t tunnel_ports_count;
    struct cvg_words exclude_programs;   /* exclude_programs = ...: added to the shipped list */
    bool allow_off;                      /* allow_off = yes | no: CONVERGE=off counts */
    unsigned budget_per_minute;          /* budget_per_minute = 600: questions that need notaries,
                                            per uid */
    unsigned idle_exit_s;                /* idle_exit = 10m; 0: never */
    char log[CVG_PATH_MAX];              /* log = syslog | /absolute/file */
    bool portal_check;                   /* portal_check = yes | no */
    uint64_t history;                    /* history = 8M; 0: none, else 1M to 1G */
    bool bundle_update;                  /* bundle_update = yes | no */
    char pool[CVG_TEXT_POOL_MAX];        /* the words' text */
    size_t pool_len;
};

/* The defaults. */
void cvg_config_init(struct cvg_config *ret_config);

/* Parses the text of a file over the defaults. name is only for messages. On failure *ret_config is
 * untouched and ret_why is "NAME:LINE: ...". Pure. The words point into *ret_config: copy it only
 * with cvg_config_copy. */
CVG_MUST_USE enum cvg_error cvg_config_parse(const char *text, size_t len, const char *name,
                                             struct cvg_config *ret_config,
                                             struct cvg_why *ret_why);
void cvg_config_copy(const struct cvg_config *from, struct cvg_config *ret_to);

/* Where the files of one installation are. All absolute, NUL-terminated. */
struct cvg_paths {
    enum cvg_agent_kind kind;
    char config_dir[CVG_PATH_MAX];    /* converge.conf, notaries.d/ */
    char runtime_dir[CVG_PATH_MAX];   /* agent.sock, agent.lock */
    char cache_dir[CVG_PATH_MAX];     /* cache.gdbm */
    char state_dir[CVG_PATH_MAX];     /* updated bundles */
    uid_t owner;                      /* whose files and socket are believed, besides root */
};

/* Finds and reads the configuration that applies to this process:
 *  1. The system's: CVG_SYSCONFDIR/converge.conf (missing: defaults). It alone counts if it says
 *     `lock = yes` or the process is AT_SECURE.
 *  2. Else the directory that CONVERGE_CONFIG_DIR names, which must belong to root or the effective
 *     uid (for root: to root) and not be writable by others; its socket, cache and updated bundles
 *     are in run/, cache/ and state/ below it, so that it shares nothing with others.
 *  3. Else, for users other than root and if the system's file says `agent = user`, the XDG
 *     directories: $XDG_CONFIG_HOME/converge, $XDG_RUNTIME_DIR/converge, $XDG_CACHE_HOME/converge,
 *     $XDG_DATA_HOME/converge. Without a file there the values of the system's stay.
 * kind is SYSTEM for 1 and for a directory of root's in 2: such an agent runs under
 * CVG_AGENT_USER_NAME (else nobody), and owner is that user. Else kind is USER and owner the
 * effective uid.
 * allow_off is no where any file read says so: the system's `no` holds whatever else is in force.
 * A file that exists but is unreadable, malformed or not believed is an error: the caller must fail
 * closed, never use the defaults instead. Reads files; no other side effect; any thread; errno is
 * kept. */
CVG_MUST_USE enum cvg_error cvg_config_load(struct cvg_config *ret_config,
                                            struct cvg_paths *ret_paths, struct cvg_why *ret_why);

#endif
