/* SPDX-License-Identifier: MIT */
/* The texts of /proc/PID, as far as doctor reads them. Their paths, names and variables are
 * whatever the process made of them. Pure; each text is len octets with a NUL behind. */
#ifndef CVG_TOOLS_PROC_TEXT_H
#define CVG_TOOLS_PROC_TEXT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* One mapping of a file, of "maps". */
struct cvg_proc_map {
    char path[PATH_MAX];
    bool deleted; /* the file is not there any more: replaced, mostly */
};

/* The next mapping of a file from *offset on, which moves behind it. false: there is none. */
bool cvg_proc_maps_next(const char *text, size_t len, size_t *offset, struct cvg_proc_map *ret_map);

/* The first number of the line "KEY:" of "status". */
bool cvg_proc_status_number(const char *text, const char *key, unsigned long long *ret_number);

/* When the process was started, in ticks since the boot, of "stat", whose second field may hold
 * blanks and brackets. */
bool cvg_proc_stat_start(const char *text, unsigned long long *ret_ticks);

/* A variable's value in "environ", or NULL. */
const char *cvg_proc_environ_get(const char *text, size_t len, const char *name);

/* Whether "auxv" of a process of our own word size says AT_SECURE. */
bool cvg_proc_auxv_secure(const void *octets, size_t len);

/* Whether "uid_map", as it is read from outside, has a user of ours. */
bool cvg_proc_uid_map_has(const char *text, size_t len, unsigned long uid);

/* The next connected socket of "net/udp" or "net/udp6" from *offset on. */
struct cvg_proc_udp {
    unsigned port; /* the peer's */
    unsigned long long inode;
};
bool cvg_proc_udp_next(const char *text, size_t len, size_t *offset, struct cvg_proc_udp *ret_udp);

#endif
