/* SPDX-License-Identifier: MIT */
/* A short list of holds. An entry counts once its pid is written, which is last: a fork in the
 * middle leaves none that is half made. */
#include "config.h"

#include "nss-module/holds.h"

#include "nss-module/pid.h"

#include <stddef.h>

struct hold {
    const void *base;
    struct cvg_nss *nss;
    pid_t pid; /* the process that took it; 0: free */
};

static struct hold holds[CVG_HOLDS_MAX];

#define FOR_EACH(hold) for (struct hold *hold = holds; hold < holds + CVG_HOLDS_MAX; hold++)

bool cvg_holds_any_locked(void)
{
    pid_t self = cvg_pid();

    FOR_EACH(hold)
    if (hold->pid == self)
        return true;
    return false;
}

static struct hold *find(const void *base)
{
    FOR_EACH(hold)
    if (hold->pid != 0 && hold->base == base)
        return hold;
    return NULL;
}

bool cvg_holds_has_locked(const void *base)
{
    const struct hold *hold = find(base);

    return hold && hold->pid == cvg_pid();
}

static struct hold *find_free(void)
{
    FOR_EACH(hold)
    if (hold->pid == 0)
        return hold;
    return NULL;
}

bool cvg_holds_take_locked(const void *base, struct cvg_nss *nss)
{
    struct hold *hold = find(base);

    if (!hold)
        hold = find_free();
    if (!hold)
        return false;
    hold->base = base;
    if (nss || hold->pid == 0)
        hold->nss = nss;
    hold->pid = cvg_pid();
    return true;
}

static struct hold *find_without_nss(void)
{
    FOR_EACH(hold)
    if (hold->pid == cvg_pid() && !hold->nss)
        return hold;
    return NULL;
}

static bool is_held(const struct cvg_nss *nss)
{
    FOR_EACH(hold)
    if (hold->pid != 0 && hold->nss == nss)
        return true;
    return false;
}

struct cvg_nss *cvg_holds_drop_locked(const void *base)
{
    struct hold *hold = find(base);

    if (!hold)
        hold = find_without_nss();
    if (!hold)
        return NULL;
    hold->pid = 0;
    return is_held(hold->nss) ? NULL : hold->nss;
}

struct cvg_nss *cvg_holds_nss_locked(unsigned i)
{
    return holds[i].pid != 0 ? holds[i].nss : NULL;
}

const void *cvg_holds_without_nss_locked(void)
{
    const struct hold *hold = find_without_nss();

    return hold ? hold->base : NULL;
}

void cvg_holds_adopt_locked(struct cvg_nss *nss)
{
    FOR_EACH(hold)
    if (hold->pid == cvg_pid() && !hold->nss)
        hold->nss = nss;
}
