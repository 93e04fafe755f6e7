/* SPDX-License-Identifier: MIT */
/* Where a starting notary has its listening sockets from. */
#include "notary/succession.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/activation.h"
#include "notary/handover.h"

#define TAKE_MS 10000

void cvg_control_path(const struct cvg_settings *settings, const char *config,
                      char ret_path[static CVG_PATH_MAX])
{
    const char *beside = settings->database[0] != '\0'  ? settings->database
                         : settings->journal[0] != '\0' ? settings->journal
                                                        : config;
    const char *slash = strrchr(beside, '/');
    int directory_len = slash == NULL ? 0 : (int)(slash - beside) + 1;
    if (settings->control[0] != '\0')
        snprintf(ret_path, CVG_PATH_MAX, "%s", settings->control);
    else
        snprintf(ret_path, CVG_PATH_MAX, "%.*scontrol", directory_len, beside);
}

/* NOT_FOUND: nobody is there to take over from. */
static enum cvg_error take_over(const struct cvg_settings *settings, size_t workers,
                                const char *control, struct cvg_sockets *ret_sockets,
                                int *ret_predecessor, struct cvg_why *why)
{
    struct cvg_sockets sockets = {.socket = NULL};
    int predecessor = -1;
    enum cvg_error err = cvg_handover_take(control, TAKE_MS, &sockets, &predecessor, why);
    if (err != CVG_OK)
        return err;
    cvg_log(CVG_LOG_NOTICE, "taking over %zu sockets from the notary that runs", sockets.count);
    err = cvg_sockets_complete(settings, workers, &sockets, why);
    if (err != CVG_OK) {
        close(predecessor);
        return err;
    }
    *ret_sockets = sockets;
    *ret_predecessor = predecessor;
    return CVG_OK;
}

enum cvg_error cvg_sockets_obtain(const struct cvg_settings *settings, size_t workers,
                                  const char *control, bool take_over_wanted,
                                  struct cvg_sockets *ret_sockets, int *ret_predecessor,
                                  struct cvg_why *ret_why)
{
    enum cvg_error err = CVG_ERR_NOT_FOUND;
    if (take_over_wanted) {
        err = take_over(settings, workers, control, ret_sockets, ret_predecessor, ret_why);
        if (err == CVG_ERR_NOT_FOUND)
            cvg_log(CVG_LOG_NOTICE, "nobody listens at %s: starting as usual", control);
    }
    if (err != CVG_ERR_NOT_FOUND)
        return err;
    *ret_predecessor = -1;
    err = cvg_activation_sockets(ret_sockets, ret_why);
    if (err == CVG_OK)
        return cvg_sockets_adopt(settings, workers, ret_sockets, ret_why);
    return err == CVG_ERR_NOT_FOUND ? cvg_sockets_open(settings, workers, ret_sockets, ret_why)
                                    : err;
}
