/* SPDX-License-Identifier: MIT */
/* watch without a word, but for notifications on the desktop. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "tools/notify.h"
#include "tools/tools.h"
#include "tools/watch.h"

struct telling {
    const struct cvg_entry_filter *filter;
    struct cvg_notices notices;
    struct cvg_notify *notify;
};

/* A bus that is gone took the session with it: the unit begins anew with the next. */
static enum cvg_watch_go take_entry(void *user, const struct cvg_entry *entry,
                                    const json_t *object CVG_UNUSED)
{
    struct telling *telling = user;
    struct cvg_notice notice;

    if (!cvg_entry_wanted(entry, telling->filter) ||
        !cvg_notice_due(&telling->notices, entry, cvg_clock_ms(cvg_clock_system()), &notice))
        return CVG_WATCH_ON;
    return cvg_notify_send(telling->notify, &notice, NULL) == CVG_OK ? CVG_WATCH_ON
                                                                     : CVG_WATCH_FAILED;
}

static enum cvg_watch_go say_nothing(void *user CVG_UNUSED, bool is_connected CVG_UNUSED)
{
    return CVG_WATCH_ON;
}

int cvg_watch_notify(const struct cvg_installation *installation,
                     const struct cvg_entry_filter *filter)
{
    struct telling *telling = calloc(1, sizeof *telling);
    struct cvg_view view = {
        .user = telling, .entry = take_entry, .connected = say_nothing, .fd = {-1, -1}};
    struct cvg_why why = {""};
    int code;

    if (telling == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "out of memory");
    telling->filter = filter;
    if (cvg_notify_new(&telling->notify, &why) != CVG_OK) {
        free(telling);
        return cvg_output_fail(CVG_EXIT_FAULT, "%s", why.text);
    }
    code = cvg_watch(installation, true, &view);
    cvg_notify_free(telling->notify);
    free(telling);
    return code;
}
