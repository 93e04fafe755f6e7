/* SPDX-License-Identifier: MIT */
/* Finds preferences by lines, see mozilla-prefs.h. */
#include "tools/mozilla-prefs.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024

static const char blanks[] = " \t";

/* Moves *at behind the word, and blanks around it, if it is there. */
static bool take(const char **at, const char *word)
{
    const char *start = *at + strspn(*at, blanks);
    size_t len = strlen(word);

    if (strncmp(start, word, len) != 0)
        return false;
    *at = start + len + strspn(start + len, blanks);
    return true;
}

/* The function that a line calls; *ret_locks: which locks what it sets. */
static bool take_function(const char **at, bool *ret_locks)
{
    static const char *const names[] = {"user_pref", "pref", "defaultPref", "sticky_pref"};

    *ret_locks = take(at, "lockPref");
    for (size_t i = 0; !*ret_locks && i < sizeof names / sizeof names[0]; i++)
        if (take(at, names[i]))
            return take(at, "(");
    return *ret_locks && take(at, "(");
}

static bool take_name(const char **at, const char *name)
{
    return (take(at, "\"") || take(at, "'")) && take(at, name) &&
           (take(at, "\"") || take(at, "'")) && take(at, ",");
}

/* "quoted", or a word up to the comma or parenthesis. */
static bool take_value(const char **at, struct cvg_mozilla_pref *ret_pref)
{
    const char *start = *at;
    bool quoted = *start == '"' || *start == '\'';
    size_t len;

    start += quoted ? 1 : 0;
    len = quoted ? strcspn(start, "\"'") : strcspn(start, " \t,)");
    if (start[len] == '\0' || len >= sizeof ret_pref->value)
        return false;
    snprintf(ret_pref->value, sizeof ret_pref->value, "%.*s", (int)len, start);
    *at = start + len + (quoted ? 1 : 0);
    return true;
}

static bool read_line(const char *line, const char *name, struct cvg_mozilla_pref *ret_pref)
{
    struct cvg_mozilla_pref pref;

    if (!take_function(&line, &pref.locked) || !take_name(&line, name) || !take_value(&line, &pref))
        return false;
    pref.locked = pref.locked || (take(&line, ",") && take(&line, "locked"));
    if (!take(&line, ")"))
        return false;
    *ret_pref = pref;
    return true;
}

bool cvg_mozilla_pref_find(const char *text, const char *name, struct cvg_mozilla_pref *ret_pref)
{
    char line[LINE_MAX_LEN];
    bool found = false;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (len < sizeof line) {
            memcpy(line, text, len);
            line[len] = '\0';
            found = read_line(line, name, ret_pref) || found;
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
    return found;
}
