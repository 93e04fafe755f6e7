/* SPDX-License-Identifier: MIT */
/* An agent that says what the test wants, started as the real one is. In the directory that
 * CONVERGE_CONFIG_DIR names these files are read:
 *
 * - answer: "VERDICT ACTION REASON [NOTARY=yes|no|aside|silent]...", the first three as hexadecimal
 *   octets, read for each question; "mute" answers nothing
 * - replies/COMMAND: the JSON objects to reply, one a line; at a line "-" it hangs up before the
 *   last one
 * - fail: if it is there, its text goes to standard error and the start fails
 *
 * and these are written: starts, questions, commands (a line for each), and run/agent.pid when it
 * listens. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/client/client.h"

#define LIFE_S     120 /* it never outlives a broken test for long */
#define MESSAGE_MS 2000

static const char *directory;
static bool hangs;

static FILE *open_in(const char *name, const char *mode)
{
    char path[CVG_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return fopen(path, mode);
}

/* One write per line, so that lines of several processes do not mix. */
static void note(const char *name, const char *line)
{
    char path[CVG_PATH_MAX], text[8192];
    int fd, len = snprintf(text, sizeof text, "%s\n", line);

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)len) != len)
        _exit(3);
    close(fd);
}

/* What it got of its starter: variables, descriptors, directory, session, mask. */
static void note_start(void)
{
    char line[4096] = "", cwd[256] = "";
    size_t used = 0;
    mode_t mask = umask(077);
    DIR *fds = opendir("/proc/self/fd");
    const struct dirent *entry;

    for (char **item = environ; *item != NULL; item++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%.*s ", (int)strcspn(*item, "="),
                                 *item);
    used += (size_t)snprintf(line + used, sizeof line - used, "| fds");
    while (fds != NULL && (entry = readdir(fds)) != NULL)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(fds))
            used += (size_t)snprintf(line + used, sizeof line - used, " %s", entry->d_name);
    closedir(fds);
    snprintf(line + used, sizeof line - used, " | cwd %s | umask %03o | sid %d",
             getcwd(cwd, sizeof cwd), (unsigned)mask, (int)getsid(0));
    note("starts", line);
}

static int read_line(const char *name, char *line, int size)
{
    FILE *file = open_in(name, "re");
    int found = file != NULL && fgets(line, size, file) != NULL;

    if (file != NULL)
        fclose(file);
    if (found)
        line[strcspn(line, "\n")] = '\0';
    return found;
}

static enum cvg_vote_kind kind_of(const char *word)
{
    if (strcmp(word, "yes") == 0)
        return CVG_VOTE_YES;
    if (strcmp(word, "no") == 0)
        return CVG_VOTE_NO;
    return strcmp(word, "aside") == 0 ? CVG_VOTE_ASIDE : CVG_VOTE_SILENT;
}

static void add_vote(struct cvg_answer *answer, char *word)
{
    struct cvg_vote *vote = &answer->vote[answer->vote_count++];
    char *equals = strchr(word, '=');

    if (equals == NULL)
        _exit(3);
    *equals = '\0';
    snprintf(vote->notary, sizeof vote->notary, "%s", word);
    vote->kind = kind_of(equals + 1);
    vote->error = vote->kind == CVG_VOTE_SILENT ? CVG_ERR_TIMEOUT : CVG_OK;
    vote->elapsed_ms = (uint32_t)(10 + answer->vote_count);
}

static int read_answer(struct cvg_answer *answer)
{
    char line[1024], *word, *rest = line;

    hangs = !read_line("answer", line, sizeof line) || strcmp(line, "mute") == 0;
    if (hangs)
        return 0;
    answer->verdict = (enum cvg_verdict)strtoul(strtok_r(rest, " ", &rest), NULL, 16);
    answer->action = (enum cvg_action)strtoul(strtok_r(NULL, " ", &rest), NULL, 16);
    answer->reason = (enum cvg_reason)strtoul(strtok_r(NULL, " ", &rest), NULL, 16);
    while ((word = strtok_r(NULL, " ", &rest)) != NULL)
        add_vote(answer, word);
    snprintf(answer->text, sizeof answer->text, "the fake agent says so");
    answer->elapsed_ms = 7;
    return 1;
}

static void note_question(const struct cvg_question *question)
{
    char line[1024], text[CVG_FINGERPRINT_TEXT_MAX] = "";

    if (question->fingerprint.len > 0)
        cvg_fingerprint_format(question->fingerprint.bytes, question->fingerprint.len, text,
                               sizeof text);
    snprintf(line, sizeof line,
             "host=%s port=%u ports=%zu pki=%d pki_error=%d leaf=%zu fingerprint=%s program=%s "
             "timeout_ms=%lu peer=%u",
             question->host, (unsigned)question->port[0], question->port_count, (int)question->pki,
             (int)question->pki_error, question->leaf_len, text, question->program,
             (unsigned long)question->timeout_ms, (unsigned)question->peer_family);
    note("questions", line);
}

static void send_buffer(int fd, struct cvg_buffer *buffer, uint64_t deadline_ms)
{
    if (cvg_client_send(fd, buffer->data, buffer->len, deadline_ms) != CVG_OK)
        note("faults", "cannot send");
    cvg_buffer_clear(buffer);
}

static void answer_question(int fd, const struct cvg_buffer *message, uint64_t deadline_ms)
{
    struct cvg_question question;
    struct cvg_answer answer = {.vote_count = 0};
    struct cvg_buffer out;

    if (cvg_question_parse(message->data, message->len, &question, NULL) != CVG_OK) {
        note("faults", "bad question");
        return;
    }
    note_question(&question);
    if (!read_answer(&answer))
        return;
    answer.id = question.id;
    answer.port = question.port[0];
    cvg_buffer_init(&out, CVG_MESSAGE_MAX);
    if (cvg_answer_write(&answer, &out) == CVG_OK)
        send_buffer(fd, &out, deadline_ms);
    cvg_buffer_free(&out);
}

/* The command's name without a JSON parser: the test writes {"command": "NAME", ...}. */
static void command_name(const char *json, size_t len, char name[static 64])
{
    char text[8192];
    const char *at;

    snprintf(text, sizeof text, "%.*s", (int)len, json);
    note("commands", text);
    at = strstr(text, "\"command\":\"");
    if (at == NULL || sscanf(at + strlen("\"command\":\""), "%63[a-z-]", name) != 1)
        _exit(3);
}

static void reply_lines(int fd, uint64_t id, FILE *file, uint64_t deadline_ms)
{
    char line[8192], next[8192];
    int more = fgets(line, sizeof line, file) != NULL;
    struct cvg_buffer out;

    cvg_buffer_init(&out, CVG_MESSAGE_MAX);
    while (more && strcmp(line, "-\n") != 0) {
        size_t len = strcspn(line, "\n");

        more = fgets(next, sizeof next, file) != NULL;
        if (cvg_command_write(CVG_MESSAGE_REPLY, id, more != 0, line, len, &out) == CVG_OK)
            send_buffer(fd, &out, deadline_ms);
        memcpy(line, next, sizeof line);
    }
    cvg_buffer_free(&out);
}

static void answer_command(int fd, const struct cvg_buffer *message, uint64_t deadline_ms)
{
    uint64_t id = 0;
    bool more = false;
    const char *json = NULL;
    size_t len = 0;
    char name[64], path[96];
    FILE *file;

    if (cvg_command_parse(message->data, message->len, CVG_MESSAGE_COMMAND, &id, &more, &json,
                          &len) != CVG_OK) {
        note("faults", "bad command");
        return;
    }
    command_name(json, len, name);
    snprintf(path, sizeof path, "replies/%s", name);
    file = open_in(path, "re");
    if (file == NULL)
        return;
    reply_lines(fd, id, file, deadline_ms);
    fclose(file);
}

static void serve(int listener)
{
    for (;;) {
        uint64_t deadline_ms = cvg_clock_ms(cvg_clock_system()) + MESSAGE_MS;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct cvg_buffer message;
        enum cvg_message_type type;
        uint64_t id;

        if (fd < 0)
            _exit(3);
        cvg_buffer_init(&message, CVG_MESSAGE_MAX);
        if (cvg_client_receive(fd, &message, deadline_ms) == CVG_OK &&
            cvg_message_peek(message.data, message.len, &type, &id) == CVG_OK) {
            if (type == CVG_MESSAGE_CHECK)
                answer_question(fd, &message, deadline_ms);
            else
                answer_command(fd, &message, deadline_ms);
        }
        cvg_buffer_free(&message);
        if (!hangs) /* one that hangs keeps the connection, too */
            close(fd);
    }
}

static int listen_in_run(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/run/agent.sock", directory);
    unlink(address.sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 64) != 0)
        _exit(3);
    return fd;
}

static void take_lock(void)
{
    char path[CVG_PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/run", directory);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        _exit(3);
    snprintf(path, sizeof path, "%s/run/agent.lock", directory);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        _exit(0); /* another one serves */
}

int main(int argc, char **argv)
{
    char line[512];
    int ready_fd = -1, listener;

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--ready-fd") == 0)
            ready_fd = atoi(argv[i + 1]);
    directory = getenv("CONVERGE_CONFIG_DIR");
    if (directory == NULL)
        return 3;
    alarm(LIFE_S);
    note_start();
    if (read_line("fail", line, sizeof line)) {
        fprintf(stderr, "%s\n", line);
        return 1;
    }
    take_lock();
    listener = listen_in_run();
    snprintf(line, sizeof line, "%d", (int)getpid());
    note("run/agent.pid", line);
    if (ready_fd >= 0 && write(ready_fd, "ready\n", 6) == 6)
        close(ready_fd);
    serve(listener);
    return 0;
}
