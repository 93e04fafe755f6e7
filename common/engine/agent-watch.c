/* SPDX-License-Identifier: MIT */
/* Notices that the configuration's files changed. Our own log, and much else, may live in the same
 * directories: a file that is being written is no news, one that was closed after writing is. So
 * the log, which stays open, wakes nobody; libuv's own watcher would be woken by every line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/engine/agent-state.h"

#define NEWS                                                                                       \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF)

static bool is_part_of(const char *name, const char *path)
{
    size_t len = strlen(name);

    for (const char *part = strchr(path, '/'); part != NULL; part = strchr(part + 1, '/'))
        if (strncmp(part + 1, name, len) == 0 && (part[1 + len] == '/' || part[1 + len] == '\0'))
            return true;
    return false;
}

static bool is_ours(const struct cvg_agent *agent, const char *name)
{
    const char *dot = strrchr(name, '.');

    return strcmp(name, "converge.conf") == 0 || strcmp(name, "notaries.d") == 0 ||
           (dot != NULL && strcmp(dot, ".notary") == 0) ||
           is_part_of(name, agent->paths.config_dir) || is_part_of(name, CVG_SYSCONFDIR);
}

/* An event without a name is about the directory itself, or says that some were lost. */
static bool is_news(const struct cvg_agent *agent, const struct inotify_event *event)
{
    return (event->mask & IN_IGNORED) == 0 && (event->len == 0 || is_ours(agent, event->name));
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct cvg_agent *agent = poll->data;
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t len = read(agent->inotify_fd, buffer, sizeof buffer);
    bool news = false;

    (void)status;
    (void)events;
    for (ssize_t at = 0; at < len;) {
        const struct inotify_event *event = (const void *)(buffer + at);

        news = news || is_news(agent, event);
        at += (ssize_t)(sizeof *event + event->len);
    }
    if (news)
        cvg_agent_reload_soon(agent);
}

/* A directory that is missing is waited for in the one above it, and so on. */
static void watch_directory(struct cvg_agent *agent, const char *path, const char *below)
{
    char full[CVG_PATH_MAX + 16], *slash;
    int descriptor;

    snprintf(full, sizeof full, "%s%s", path, below);
    while ((descriptor = inotify_add_watch(agent->inotify_fd, full, NEWS | IN_ONLYDIR)) < 0 &&
           errno == ENOENT && (slash = strrchr(full, '/')) != NULL && slash != full)
        *slash = '\0';
    if (descriptor >= 0)
        agent->watched[agent->watched_count++] = descriptor;
}

void cvg_agent_watch(struct cvg_agent *agent)
{
    if (agent->inotify_fd < 0)
        return;
    for (size_t i = 0; i < agent->watched_count; i++)
        inotify_rm_watch(agent->inotify_fd, agent->watched[i]);
    agent->watched_count = 0;
    watch_directory(agent, agent->paths.config_dir, "");
    watch_directory(agent, agent->paths.config_dir, "/notaries.d");
    if (strcmp(agent->paths.config_dir, CVG_SYSCONFDIR) != 0)
        watch_directory(agent, CVG_SYSCONFDIR, "");
}

void cvg_agent_watch_open(struct cvg_agent *agent)
{
    agent->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (agent->inotify_fd >= 0 &&
        (uv_poll_init(&agent->loop, &agent->inotify, agent->inotify_fd) != 0 ||
         uv_poll_start(&agent->inotify, UV_READABLE, on_events) != 0)) {
        close(agent->inotify_fd);
        agent->inotify_fd = -1;
    }
    if (agent->inotify_fd < 0) {
        cvg_log(CVG_LOG_WARNING, "changed files are not noticed: reload with SIGHUP");
        return;
    }
    agent->inotify.data = agent;
    cvg_agent_watch(agent);
}
