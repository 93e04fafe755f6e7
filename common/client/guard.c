/* SPDX-License-Identifier: MIT */
/* The guard around our code in a stranger's thread, see guard.h. */
#include "config.h"

#include "common/client/guard.h"

#include <errno.h>
#include <pthread.h>

struct cvg_guard cvg_guard_begin(void)
{
    struct cvg_guard guard = {.saved_errno = errno};

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard.cancel_state);
    return guard;
}

void cvg_guard_end(const struct cvg_guard *guard)
{
    pthread_setcancelstate(guard->cancel_state, NULL);
    errno = guard->saved_errno;
}
