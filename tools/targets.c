/* SPDX-License-Identifier: MIT */
/* The table of targets, and what enabling any of them asks for first. */
#include "tools/targets.h"

#include <stdio.h>
#include <string.h>

#include "tools/mode-change.h"
#include "tools/notary-command.h"
#include "tools/rehearsal.h"

#define NOTARIES_NEEDED 2

static const struct cvg_target *const targets[] = {&cvg_target_openssl, &cvg_target_nss};
#define TARGETS_COUNT (sizeof targets / sizeof targets[0])

int cvg_target_find(const struct cvg_command *command, int argc, char **argv, int *first,
                    const struct cvg_target_options *options, const struct cvg_target **ret_target)
{
    char names[128] = "";

    if (*first == argc && options->user) {
        *ret_target = &cvg_target_openssl;
        return CVG_GO_ON;
    }
    for (size_t i = 0; i < TARGETS_COUNT; i++) {
        size_t used = strlen(names);

        if (*first < argc && strcmp(argv[*first], targets[i]->name) == 0) {
            *ret_target = targets[i];
            (*first)++;
            return CVG_GO_ON;
        }
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", targets[i]->name);
    }
    return cvg_output_usage(command, "what? There is: %s", names);
}

int cvg_target_check_mode(const struct cvg_command *command,
                          const struct cvg_target_options *options)
{
    enum cvg_mode mode;

    if (options->mode == NULL || cvg_mode_find(options->mode, &mode))
        return CVG_GO_ON;
    return cvg_output_usage(command, "--mode is augment, monitor or replace, not %s",
                            options->mode);
}

int cvg_target_set_mode(const struct cvg_target_options *options,
                        struct cvg_installation *installation)
{
    enum cvg_mode mode;
    bool changed = false;

    if (options->mode == NULL || !cvg_mode_find(options->mode, &mode))
        return CVG_GO_ON;
    return cvg_mode_change(installation, mode, options->anyway, &changed);
}

int cvg_target_check_notaries(const struct cvg_target_options *options,
                              struct cvg_installation *ret_installation)
{
    size_t configured = 0, answering = 0;
    int code = cvg_installation_load(ret_installation);

    if (code == CVG_GO_ON && cvg_rehearsal_is_on() && !options->anyway)
        cvg_rehearsal_step("ask whether at least two notaries answer");
    if (code != CVG_GO_ON || options->anyway || cvg_rehearsal_is_on())
        return code;
    code = cvg_notary_count_answering(ret_installation, &configured, &answering);
    if (code != CVG_GO_ON || answering >= NOTARIES_NEEDED)
        return code;
    return cvg_output_fail(CVG_EXIT_UNDECIDED,
                           "%zu of %zu configured notaries answer; with fewer than two, every "
                           "program's TLS connections would be refused (or say --anyway)",
                           answering, configured);
}
