/* SPDX-License-Identifier: MIT */
/* termios around a program that reads keys. */
#include "tools/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN     20

static struct termios before;
static bool changed;

bool cvg_terminal_is(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL &&
           strcmp(term, "dumb") != 0;
}

bool cvg_terminal_begin(void)
{
    static bool at_exit;
    struct termios keys;

    if (changed || tcgetattr(STDIN_FILENO, &before) != 0)
        return changed;
    if (!at_exit && atexit(cvg_terminal_end) != 0)
        return false;
    at_exit = true;
    keys = before;
    keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    changed = tcsetattr(STDIN_FILENO, TCSADRAIN, &keys) == 0;
    return changed;
}

void cvg_terminal_end(void)
{
    if (changed)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    changed = false;
}

int cvg_terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}
