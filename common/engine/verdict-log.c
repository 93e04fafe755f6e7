/* SPDX-License-Identifier: MIT */
/* Where verdicts go: the file or syslog, and a ring of recent ones. */
#include "common/engine/verdict-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

struct cvg_verdict_log {
    const struct cvg_clock *clock;
    int fd; /* -1: syslog */
    struct cvg_verdict_entry recent[CVG_RECENT_MAX];
    size_t noted;
};

/* Whether the path still names the file that is open: not after a rotation. */
static bool is_open(const struct cvg_verdict_log *log, const char *path)
{
    struct stat now, open_one;

    return log->fd >= 0 && stat(path, &now) == 0 && fstat(log->fd, &open_one) == 0 &&
           now.st_dev == open_one.st_dev && now.st_ino == open_one.st_ino;
}

enum cvg_error cvg_verdict_log_reopen(struct cvg_verdict_log *log, const char *path,
                                      struct cvg_why *ret_why)
{
    int fd = -1;

    if (is_open(log, path))
        return CVG_OK;
    if (strcmp(path, "syslog") != 0) {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
            return cvg_fail(ret_why, CVG_ERR_IO, "cannot open the log %s: %s", path,
                            strerror(errno));
    }
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    return CVG_OK;
}

enum cvg_error cvg_verdict_log_new(const char *path, const struct cvg_clock *clock,
                                   struct cvg_verdict_log **ret_log, struct cvg_why *ret_why)
{
    struct cvg_verdict_log *log = calloc(1, sizeof *log);
    enum cvg_error err;

    if (log == NULL)
        return cvg_fail(ret_why, CVG_ERR_NOMEM, "out of memory");
    log->clock = clock;
    log->fd = -1;
    err = cvg_verdict_log_reopen(log, path, ret_why);
    if (err != CVG_OK) {
        free(log);
        return err;
    }
    *ret_log = log;
    return CVG_OK;
}

static void clear_entry(struct cvg_verdict_entry *entry)
{
    free(entry->text);
    free(entry->vote);
    entry->text = NULL;
    entry->vote = NULL;
    entry->vote_count = 0;
}

void cvg_verdict_log_free(struct cvg_verdict_log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < CVG_RECENT_MAX; i++)
        clear_entry(&log->recent[i]);
    if (log->fd >= 0)
        close(log->fd);
    free(log);
}

/* The line with its newline in one write, so that lines never mix. A full disk loses lines, never
 * verdicts. */
static void emit(struct cvg_verdict_log *log, int priority, char *line, size_t len)
{
    ssize_t written;

    if (log->fd < 0) {
        syslog(priority, "%s", line);
        return;
    }
    line[len] = '\n';
    written = write(log->fd, line, len + 1);
    (void)written;
}

void cvg_verdict_log_line(enum cvg_log_level level, const char *line, void *user)
{
    static const struct {
        int priority;
        const char *word;
    } levels[] = {
        [CVG_LOG_ERROR] = {LOG_ERR, "error"},      [CVG_LOG_WARNING] = {LOG_WARNING, "warning"},
        [CVG_LOG_NOTICE] = {LOG_NOTICE, "notice"}, [CVG_LOG_INFO] = {LOG_INFO, "info"},
        [CVG_LOG_DEBUG] = {LOG_DEBUG, "debug"},
    };
    char text[CVG_VERDICT_LINE_MAX + 1];
    int len = snprintf(text, CVG_VERDICT_LINE_MAX, "%s: %s", levels[level].word, line);

    if (len >= CVG_VERDICT_LINE_MAX)
        len = CVG_VERDICT_LINE_MAX - 1;
    if (len > 0)
        emit(user, levels[level].priority, text, (size_t)len);
}

static void remember(struct cvg_verdict_entry *entry, const struct cvg_question *question,
                     const struct cvg_answer *answer)
{
    clear_entry(entry);
    memcpy(entry->host, question->host, sizeof entry->host);
    entry->port = answer->port;
    if (entry->port == 0 && question->port_count > 0)
        entry->port = question->port[0];
    entry->fingerprint = question->fingerprint;
    entry->verdict = answer->verdict;
    entry->action = answer->action;
    entry->reason = answer->reason;
    entry->pki = question->pki;
    memcpy(entry->program, question->program, sizeof entry->program);
    entry->elapsed_ms = answer->elapsed_ms;
    entry->text = strdup(answer->text);
    if (answer->vote_count == 0)
        return;
    entry->vote = malloc(answer->vote_count * sizeof entry->vote[0]);
    if (entry->vote == NULL)
        return;
    memcpy(entry->vote, answer->vote, answer->vote_count * sizeof entry->vote[0]);
    entry->vote_count = answer->vote_count;
}

/* What the notaries did not confirm is a warning, also where the mode lets it pass. */
static int priority_of(enum cvg_verdict verdict)
{
    return verdict == CVG_VERDICT_AGREE || verdict == CVG_VERDICT_EXEMPT ? LOG_INFO : LOG_WARNING;
}

const struct cvg_verdict_entry *cvg_verdict_log_note(struct cvg_verdict_log *log,
                                                     const struct cvg_question *question,
                                                     const struct cvg_answer *answer, uint32_t uid,
                                                     int32_t pid)
{
    struct cvg_verdict_entry *entry = &log->recent[log->noted++ % CVG_RECENT_MAX];
    char line[CVG_VERDICT_LINE_MAX + 1];

    remember(entry, question, answer);
    entry->time_s = cvg_clock_wall_s(log->clock);
    entry->uid = uid;
    entry->pid = pid;
    cvg_verdict_line(question, answer, uid, pid, entry->time_s, line, CVG_VERDICT_LINE_MAX);
    emit(log, priority_of(answer->verdict), line, strlen(line));
    return entry;
}

const struct cvg_verdict_entry *cvg_verdict_log_recent(const struct cvg_verdict_log *log,
                                                       size_t index)
{
    if (index >= CVG_RECENT_MAX || index >= log->noted)
        return NULL;
    return &log->recent[(log->noted - 1 - index) % CVG_RECENT_MAX];
}
