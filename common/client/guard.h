/* SPDX-License-Identifier: MIT */
/* What must not leak into the host while our code runs: errno, and its wish to end this thread,
 * which would leave a lock, memory or a descriptor behind. */
#ifndef CVG_CLIENT_GUARD_H
#define CVG_CLIENT_GUARD_H

struct cvg_guard {
    int saved_errno;
    int cancel_state;
};

/* Guards nest; each is ended by the thread that began it. */
struct cvg_guard cvg_guard_begin(void);
void cvg_guard_end(const struct cvg_guard *guard);

#endif
