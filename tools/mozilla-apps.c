/* SPDX-License-Identifier: MIT */
/* The places where distributions and people put Firefox and Thunderbird. */
#include "tools/mozilla-apps.h"

#include <stdio.h>
#include <unistd.h>

const struct cvg_mozilla_app cvg_mozilla_apps[CVG_MOZILLA_COUNT] = {
    {"firefox", "Firefox", "/etc/firefox"},
    {"thunderbird", "Thunderbird", "/etc/thunderbird"},
};

static const char *const places[CVG_MOZILLA_COUNT][5] = {
    {"/usr/lib/firefox-esr", "/usr/lib/firefox", "/usr/lib64/firefox", "/opt/firefox", NULL},
    {"/usr/lib/thunderbird", "/usr/lib64/thunderbird", "/opt/thunderbird", NULL},
};

const char *cvg_mozilla_directory(const struct cvg_mozilla_app *app, size_t index)
{
    const char *const *place = places[app - cvg_mozilla_apps];
    char path[256];

    for (; *place != NULL; place++) {
        snprintf(path, sizeof path, "%s/application.ini", *place);
        if (access(path, F_OK) == 0 && index-- == 0)
            return *place;
    }
    return NULL;
}
