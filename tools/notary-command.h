/* SPDX-License-Identifier: MIT */
/* The verbs of `converge notary`; each returns the exit code. */
#ifndef CVG_TOOLS_NOTARY_COMMAND_H
#define CVG_TOOLS_NOTARY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/bundle-files.h"
#include "tools/installation.h"

/* names: files, https URLs, directories of bundles. All are looked at before any is added; all of
 * them are added, or none but for those a person says no to. assume_yes: do not ask. */
int cvg_notary_add(const struct cvg_installation *installation, char *const *names, size_t count,
                   bool assume_yes);
int cvg_notary_list(const struct cvg_installation *installation);
int cvg_notary_remove(const struct cvg_installation *installation, const char *name);
/* Lets the agent, started if need be, look for updates now. name: NULL for all. */
int cvg_notary_update(const struct cvg_installation *installation, const char *name);
/* name and target may be NULL: all notaries, the agent's own choice of a target. fresh: on new
 * connections. count: how often each is asked, 1 .. CVG_NOTARY_TRIES_MAX. */
struct cvg_notary_trial {
    const char *name, *target;
    bool fresh;
    unsigned count;
};
#define CVG_NOTARY_TRIES_MAX 100
int cvg_notary_test(const struct cvg_installation *installation,
                    const struct cvg_notary_trial *trial);

/* names: bundles that might be added, as for add; they are judged, not added. */
int cvg_notary_suggest(const struct cvg_installation *installation, char *const *names,
                       size_t count);

/* Asks the agent (started if need be) to try all notaries; how many are there and how many
 * answered. CVG_GO_ON, or the exit code after saying why. */
int cvg_notary_count_answering(const struct cvg_installation *installation, size_t *ret_configured,
                               size_t *ret_answering);

/* The members of a bundle as JSON and for a person. */
json_t *cvg_notary_json(const struct cvg_bundle *bundle, const char *path);
void cvg_notary_print(const struct cvg_bundle *bundle);

#endif
