/* SPDX-License-Identifier: MIT */
/* watch on a terminal: lines that scroll, and below them one that tells the keys and what is shown.
 * Space pauses, / filters, r shows refusals only, c shows all, q ends. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/terminal.h"
#include "tools/tools.h"
#include "tools/watch.h"

#define KEPT         500 /* verdicts that pausing and filtering can go back to */
#define FILTER_MAX   64
#define LINE_MAX_LEN 4096
#define KEY_ESCAPE   0x1b
#define KEY_DELETE   0x7f

struct screen {
    struct cvg_entry_filter filter;
    char text[FILTER_MAX], typed[FILTER_MAX];
    bool paused, typing, connected;
    json_t *kept[KEPT];
    size_t count;   /* verdicts so far: the newest is kept[(count - 1) % KEPT] */
    size_t printed; /* of which were looked at */
    int signal_fd;
    int ended_by; /* signal; 0: none */
};

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

static bool flush(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}

static void clear_status(void)
{
    fputs("\r\033[K", stdout);
}

static void print_status(const struct screen *screen)
{
    char line[256];
    int width = cvg_terminal_columns() - 1;

    if (screen->typing)
        snprintf(line, sizeof line, "filter: %s_  (Enter: use it, Esc: not)", screen->typed);
    else
        snprintf(line, sizeof line, "[%s%s%s%s%s] q: quit  space: %s  /: filter  r: %s  c: all",
                 screen->connected ? "live" : "no agent, waiting", screen->paused ? ", paused" : "",
                 screen->filter.refused ? ", refusals only" : "",
                 screen->text[0] != '\0' ? ", filter " : "", screen->text,
                 screen->paused ? "go on" : "pause",
                 screen->filter.refused ? "all actions" : "refusals only");
    clear_status();
    printf("\033[7m%.*s\033[0m", width, line);
}

static void print_kept(const struct screen *screen, size_t number)
{
    char line[LINE_MAX_LEN];
    struct cvg_entry entry;

    if (!cvg_entry_read(screen->kept[number % KEPT], &entry) ||
        !cvg_entry_wanted(&entry, &screen->filter))
        return;
    cvg_entry_line(&entry, CVG_WHEN_TIME, screen->filter.on_unreachable, cvg_output_in_colour(),
                   line, sizeof line);
    puts(line);
}

/* Prints what was not printed yet, and the status below. */
static enum cvg_watch_go go_on(struct screen *screen)
{
    clear_status();
    if (!screen->paused) {
        if (screen->count - screen->printed > KEPT) {
            printf("-- %zu not shown --\n", screen->count - screen->printed - KEPT);
            screen->printed = screen->count - KEPT;
        }
        for (; screen->printed < screen->count; screen->printed++)
            print_kept(screen, screen->printed);
    }
    print_status(screen);
    return flush() ? CVG_WATCH_ON : CVG_WATCH_FAILED;
}

/* What is kept once more, through a filter that is another now. */
static enum cvg_watch_go show_again(struct screen *screen)
{
    clear_status();
    printf("-- %s%s%s --\n", screen->filter.refused ? "refusals only" : "all",
           screen->text[0] != '\0' ? ", filter " : "", screen->text);
    screen->printed = screen->count > KEPT ? screen->count - KEPT : 0;
    return go_on(screen);
}

static enum cvg_watch_go take_entry(void *user, const struct cvg_entry *entry CVG_UNUSED,
                                    const json_t *object)
{
    struct screen *screen = user;
    json_t *copy = json_deep_copy(object);

    if (copy == NULL)
        return CVG_WATCH_FAILED;
    json_decref(screen->kept[screen->count % KEPT]);
    screen->kept[screen->count++ % KEPT] = copy;
    return go_on(screen);
}

static enum cvg_watch_go take_connected(void *user, bool is_connected)
{
    struct screen *screen = user;

    screen->connected = is_connected;
    return go_on(screen);
}

static enum cvg_watch_go type(struct screen *screen, char key)
{
    size_t len = strlen(screen->typed);

    if (key == '\n' || key == '\r') {
        screen->typing = false;
        memcpy(screen->text, screen->typed, sizeof screen->text);
        return show_again(screen);
    }
    if (key == KEY_ESCAPE)
        screen->typing = false;
    else if ((key == KEY_DELETE || key == '\b') && len > 0)
        screen->typed[len - 1] = '\0';
    else if (key >= ' ' && key <= '~' && len + 1 < sizeof screen->typed) {
        screen->typed[len] = key;
        screen->typed[len + 1] = '\0';
    }
    return go_on(screen);
}

static enum cvg_watch_go take_key(struct screen *screen, char key)
{
    if (screen->typing)
        return type(screen, key);
    switch (key) {
    case 'q':
        return CVG_WATCH_QUIT;
    case ' ':
        screen->paused = !screen->paused;
        return go_on(screen);
    case '/':
        screen->typing = true;
        screen->typed[0] = '\0';
        return go_on(screen);
    case 'r':
        screen->filter.refused = !screen->filter.refused;
        return show_again(screen);
    case 'c':
        screen->filter.refused = false;
        screen->text[0] = '\0';
        return show_again(screen);
    default:
        return CVG_WATCH_ON;
    }
}

/* An escape begins a sequence of a key that is none of ours: the rest of it is not typed text. */
static enum cvg_watch_go take_keys(struct screen *screen)
{
    char keys[64];
    ssize_t len = read(STDIN_FILENO, keys, sizeof keys);
    enum cvg_watch_go go = CVG_WATCH_ON;

    if (len <= 0)
        return CVG_WATCH_QUIT;
    for (ssize_t i = 0; i < len && go == CVG_WATCH_ON; i++) {
        go = take_key(screen, keys[i]);
        if (keys[i] == KEY_ESCAPE)
            break;
    }
    return go;
}

/* Sleeps as any program does, with the terminal as it was. */
static enum cvg_watch_go stop(struct screen *screen)
{
    clear_status();
    fflush(stdout);
    cvg_terminal_end();
    raise(SIGSTOP);
    if (!cvg_terminal_begin())
        return CVG_WATCH_FAILED;
    return go_on(screen);
}

/* Whoever had the terminal meanwhile may have changed it. */
static enum cvg_watch_go wake(struct screen *screen)
{
    cvg_terminal_end();
    return cvg_terminal_begin() ? go_on(screen) : CVG_WATCH_FAILED;
}

static enum cvg_watch_go take_readable(void *user, int index)
{
    struct screen *screen = user;
    struct signalfd_siginfo info;

    if (index == 0)
        return take_keys(screen);
    if (read(screen->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return CVG_WATCH_ON;
    if (info.ssi_signo == SIGTSTP)
        return stop(screen);
    if (info.ssi_signo == SIGWINCH)
        return go_on(screen);
    if (info.ssi_signo == SIGCONT)
        return wake(screen);
    screen->ended_by = (int)info.ssi_signo;
    return CVG_WATCH_QUIT;
}

/* From here on signals are read, not caught: none comes between two writes. */
static int open_signals(sigset_t *ret_before)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, ret_before) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int watch_with(const struct cvg_installation *installation, struct screen *screen)
{
    struct cvg_view view = {.user = screen,
                            .entry = take_entry,
                            .connected = take_connected,
                            .fd = {STDIN_FILENO, screen->signal_fd},
                            .readable = take_readable};
    int code;

    if (!cvg_terminal_begin())
        return cvg_output_fail(CVG_EXIT_FAULT, "the terminal cannot be used");
    code = cvg_watch(installation, true, &view);
    clear_status();
    fflush(stdout);
    cvg_terminal_end();
    return code;
}

int cvg_watch_screen(const struct cvg_installation *installation,
                     const struct cvg_entry_filter *filter)
{
    struct screen screen = {.filter = *filter};
    sigset_t before;
    int code;

    screen.filter.text = screen.text;
    screen.signal_fd = open_signals(&before);
    if (screen.signal_fd < 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "signals cannot be read");
    code = watch_with(installation, &screen);
    close(screen.signal_fd);
    for (size_t i = 0; i < KEPT; i++)
        json_decref(screen.kept[i]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (screen.ended_by != 0)
        raise(screen.ended_by);
    return code;
}
