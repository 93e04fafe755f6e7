/* SPDX-License-Identifier: MIT */
/* Loading an installation, and talking to its agent with faults told. */
#include "tools/installation.h"

#include "tools/agent-command.h"
#include "tools/tools.h"

#define RELOAD_TIMEOUT_MS 5000

int cvg_installation_load(struct cvg_installation *ret_installation)
{
    struct cvg_why why = {""};

    if (cvg_config_load(&ret_installation->config, &ret_installation->paths, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    return CVG_GO_ON;
}

int cvg_installation_fault(const struct cvg_installation *installation, enum cvg_error err,
                           const struct cvg_why *why)
{
    if (err == CVG_ERR_UNREACHABLE)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "no agent is running for %s: %s",
                               installation->paths.config_dir, why->text);
    if (err == CVG_ERR_TIMEOUT)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "%s", why->text);
    if (err == CVG_ERR_NOT_FOUND)
        return cvg_output_fail(CVG_EXIT_REFUSED, "%s", why->text);
    return cvg_output_fail(CVG_EXIT_FAULT, "%s", why->text);
}

int cvg_installation_ask(const struct cvg_installation *installation, json_t *command,
                         unsigned timeout_ms, json_t **ret_reply)
{
    struct cvg_why why = {""};
    enum cvg_error err = cvg_agent_ask(&installation->paths, command, timeout_ms, ret_reply, &why);

    return err == CVG_OK ? CVG_GO_ON : cvg_installation_fault(installation, err, &why);
}

int cvg_installation_reload(const struct cvg_installation *installation)
{
    struct cvg_why why = {""};
    json_t *reply = NULL;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "reload"),
                      RELOAD_TIMEOUT_MS, &reply, &why);

    json_decref(reply);
    if (err == CVG_OK || err == CVG_ERR_UNREACHABLE)
        return CVG_EXIT_OK;
    return cvg_installation_fault(installation, err, &why);
}
