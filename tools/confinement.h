/* SPDX-License-Identifier: MIT */
/* Whether something keeps a program from reaching the agent's socket: an AppArmor profile, or a
 * view of the file system without it. As far as an outsider can see. */
#ifndef CVG_TOOLS_CONFINEMENT_H
#define CVG_TOOLS_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>

/* program: the real path of an executable; runtime_dir: where the agent's socket is. If a running
 * process of it shows its confinement that counts, else AppArmor's files. false: nothing is known
 * that hinders it. */
bool cvg_confinement_find(const char *program, const char *runtime_dir, char *ret_text,
                          size_t size);

/* Whether an AppArmor pattern of file names matches the whole path: `*`, `**`, `?`, [..] and {a,b}.
 */
bool cvg_apparmor_matches(const char *pattern, const char *path);

#endif
