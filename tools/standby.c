/* SPDX-License-Identifier: MIT */
/* Switches the agent's socket unit on and off, once for all targets. */
#include "tools/standby.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "tools/agent-command.h"
#include "tools/enabled-list.h"
#include "tools/rehearsal.h"
#include "tools/service.h"
#include "tools/tools.h"

#define UNIT           "converge-agent.socket"
#define UNIT_LINE      CVG_ENABLED_UNIT UNIT
#define AGENT          CVG_LIBEXECDIR "/converge-agent"
#define ASK_TIMEOUT_MS 5000
#define END_TIMEOUT_MS 10000

static bool is_machines(const struct cvg_installation *installation)
{
    return installation->paths.kind == CVG_AGENT_SYSTEM &&
           strcmp(installation->paths.config_dir, CVG_SYSCONFDIR) == 0;
}

static pid_t agent_pid(const struct cvg_installation *installation)
{
    json_t *reply = NULL;
    pid_t pid = 0;

    if (cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "status"), ASK_TIMEOUT_MS,
                      &reply, NULL) == CVG_OK)
        pid = (pid_t)cvg_reply_number(reply, "pid");
    json_decref(reply);
    return pid;
}

/* It is the same one that is ended: it is asked again once nothing else can get its number. */
void cvg_standby_end_agent(const struct cvg_installation *installation)
{
    pid_t pid = agent_pid(installation);
    struct pollfd polled = {.fd = pid > 1 ? pidfd_open(pid, 0) : -1, .events = POLLIN};

    if (polled.fd < 0)
        return;
    if (agent_pid(installation) == pid && pidfd_send_signal(polled.fd, SIGTERM, NULL, 0) == 0)
        poll(&polled, 1, END_TIMEOUT_MS);
    close(polled.fd);
}

/* A unit that is on is no agent yet: its user may be missing, or its directories. */
static bool answers(const struct cvg_installation *installation, struct cvg_why *ret_why)
{
    json_t *reply = NULL;
    enum cvg_error err =
        cvg_agent_ask(&installation->paths, json_pack("{s:s}", "command", "status"), END_TIMEOUT_MS,
                      &reply, ret_why);

    json_decref(reply);
    return err == CVG_OK;
}

static int switch_on(const struct cvg_installation *installation, bool anyway,
                     struct cvg_standby *standby)
{
    struct cvg_why why = {""};

    standby->state = CVG_STANDBY_UNIT;
    if (cvg_service_is_enabled(CVG_SERVICE_SYSTEM, UNIT))
        return CVG_GO_ON;
    if (!cvg_rehearsal_is_on())
        cvg_standby_end_agent(installation);
    if (cvg_service_make_user(&why) != CVG_OK ||
        cvg_service_enable(CVG_SERVICE_SYSTEM, UNIT, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT,
                               "nothing was changed: %s (--no-agent leaves the agent to you)",
                               why.text);
    standby->switched = true;
    if (anyway || cvg_rehearsal_is_on() || answers(installation, &why))
        return CVG_GO_ON;
    cvg_standby_undo(standby);
    return cvg_output_fail(CVG_EXIT_FAULT,
                           "nothing was changed: " UNIT " starts no agent that answers: %s; see "
                           "`systemctl status converge-agent'",
                           why.text);
}

int cvg_standby_begin(const struct cvg_installation *installation,
                      const struct cvg_target_options *options, struct cvg_standby *ret_standby)
{
    bool leave = options->no_agent;
    bool machines = is_machines(installation);
    bool root = geteuid() == 0 || cvg_rehearsal_is_on();

    *ret_standby = (struct cvg_standby){.installation = installation,
                                        .state = leave ? CVG_STANDBY_LEFT : CVG_STANDBY_MANUAL,
                                        .machine = machines && root};
    if (leave || !machines || !cvg_service_here(CVG_SERVICE_SYSTEM))
        return CVG_GO_ON;
    if (root)
        return switch_on(installation, options->anyway, ret_standby);
    ret_standby->state =
        cvg_service_is_enabled(CVG_SERVICE_SYSTEM, UNIT) ? CVG_STANDBY_UNIT : CVG_STANDBY_ROOTS;
    return CVG_GO_ON;
}

void cvg_standby_undo(const struct cvg_standby *standby)
{
    struct cvg_why why = {""};

    if (standby->switched && cvg_service_disable(CVG_SERVICE_SYSTEM, UNIT, &why) != CVG_OK)
        cvg_output_note("%s", why.text);
}

int cvg_standby_keep(const struct cvg_standby *standby, const char *target)
{
    struct cvg_why why = {""};
    enum cvg_error err = CVG_OK;

    if (!standby->machine)
        return CVG_GO_ON;
    err = cvg_enabled_add(target, &why);
    if (err == CVG_OK && standby->switched)
        err = cvg_enabled_add(UNIT_LINE, &why);
    if (err == CVG_OK)
        return CVG_GO_ON;
    return cvg_output_fail(
        CVG_EXIT_FAULT,
        "it is enabled, but that cannot be remembered, and `converge disable` will "
        "leave " UNIT " as it is: %s",
        why.text);
}

static void print_agent(const struct cvg_standby *standby)
{
    const char *directory = standby->installation->paths.config_dir;

    switch (standby->state) {
    case CVG_STANDBY_UNIT:
        printf("Agent: systemd keeps it ready (" UNIT "%s).\n",
               standby->switched ? cvg_rehearsal_word(", switched on now", ", to be switched on")
                                 : "");
        return;
    case CVG_STANDBY_ROOTS:
        printf("Agent: NOT kept ready; as root: systemctl enable --now " UNIT "\n");
        return;
    case CVG_STANDBY_LEFT:
        printf("Agent: left to you; without one that is ready programs get no verdict.\n");
        return;
    case CVG_STANDBY_MANUAL:
        break;
    }
    printf(
        "Agent: there is no systemd to keep it ready. Start it at boot%s, with `idle_exit = 0' in\n"
        "  %s/converge.conf:\n",
        is_machines(standby->installation) ? "" : " or at login", directory);
    if (is_machines(standby->installation))
        printf("    " AGENT "    (/etc/inittab: converge-agent(8))\n");
    else
        printf("    CONVERGE_CONFIG_DIR=%s " AGENT "\n", directory);
}

static void print_mode(enum cvg_mode mode)
{
    if (mode == CVG_MODE_MONITOR)
        printf("Mode: monitor. Nothing is refused yet, everything is logged.\n"
               "Next: `converge report` tells what would have been refused; then `converge mode "
               "augment`.\n");
    else
        printf(
            "Mode: %s. What the notaries do not confirm is refused; `converge mode monitor` only "
            "watches.\n",
            cvg_mode_name(mode));
}

void cvg_standby_report(const struct cvg_standby *standby, const char *undo)
{
    static const char *const words[] = {"unit", "left", "manual", "manual"};
    enum cvg_mode mode = standby->installation->config.mode;

    if (cvg_output_is_json()) {
        cvg_output_add("agent", json_string(words[standby->state]));
        cvg_output_add("mode", json_string(cvg_mode_name(mode)));
        return;
    }
    print_agent(standby);
    print_mode(mode);
    printf("Back: %s\n", undo);
}

static int switch_off(void)
{
    struct cvg_why why = {""};
    enum cvg_error err = cvg_service_disable(CVG_SERVICE_SYSTEM, UNIT, &why);

    if (err == CVG_OK)
        err = cvg_enabled_remove(UNIT_LINE, &why);
    if (err != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "it is disabled, but " UNIT " is still on: %s",
                               why.text);
    if (!cvg_output_is_json() && !cvg_rehearsal_is_on())
        printf(UNIT ": switched off, since `converge enable` had switched it on\n");
    cvg_output_note(
        "users who enabled it for themselves (converge enable nss --profiles, or --user) "
        "have no agent to ask without " UNIT "; if there are any: systemctl enable "
        "--now " UNIT);
    return CVG_EXIT_OK;
}

/* From here on it is the administrator's, as one that was on before. */
static int leave_on(void)
{
    struct cvg_why why = {""};

    if (cvg_enabled_remove(UNIT_LINE, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    cvg_output_note(UNIT " stays on: profiles keep the module, and would have no agent "
                         "to ask; when none has it any more: systemctl disable --now " UNIT);
    return CVG_EXIT_OK;
}

int cvg_standby_end(const char *target, bool lingers)
{
    struct cvg_why why = {""};

    if (geteuid() != 0 && !cvg_rehearsal_is_on())
        return CVG_EXIT_OK;
    if (cvg_enabled_has(target) && cvg_enabled_remove(target, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    if (!cvg_enabled_has(UNIT_LINE))
        return CVG_EXIT_OK;
    if (lingers)
        return leave_on();
    return cvg_enabled_has_target_but(target) ? CVG_EXIT_OK : switch_off();
}
