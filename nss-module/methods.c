/* SPDX-License-Identifier: MIT */
/* Puts us in front of NSPR's TCP methods, see methods.h.
 *
 * Each installation takes a *hook*, which has functions of its own: so a function knows whose
 * originals it calls, whatever table it is called through. A hook that somebody hooked after us
 * still calls when we are removed is buried: it passes everything on for ever, and the next
 * installation takes another, or it would call itself in a circle. */
#include "config.h"

#include "nss-module/methods.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "nss-module/connection.h"
#include "nss-module/gate.h"
#include "nss-module/lock.h"
#include "nss-module/table.h"

#define HOOKS         8
#define WAIT_ATTEMPTS 1000

struct hook {
    struct cvg_nss *nss;
    PRIOMethods original;
    unsigned buried;    /* the slots, a bit each, in which somebody else calls us */
    atomic_bool active; /* else everything passes */
};

static struct hook hooks[HOOKS];

static bool is_active(const struct hook *hook)
{
    return atomic_load_explicit(&hook->active, memory_order_acquire);
}

/* Sets NSPR's error where octets may not pass. */
static bool passes(const struct hook *hook, enum cvg_pass pass)
{
    switch (pass) {
    case CVG_PASS_OPEN:
        return true;
    case CVG_PASS_WAIT:
        hook->nss->PR_SetError(PR_WOULD_BLOCK_ERROR, 0);
        return false;
    case CVG_PASS_FAILED:
        hook->nss->PR_SetError(SSL_ERROR_HANDSHAKE_UNEXPECTED_ALERT, 0);
        return false;
    case CVG_PASS_REFUSED:
    default:
        hook->nss->PR_SetError(SEC_ERROR_UNTRUSTED_CERT, 0);
        return false;
    }
}

static bool may_write(const struct hook *hook, PRFileDesc *fd, const void *data, size_t len)
{
    return !is_active(hook) || passes(hook, cvg_gate_write(hook->nss, fd, data, len));
}

static bool may_read(const struct hook *hook, PRFileDesc *fd)
{
    return !is_active(hook) || passes(hook, cvg_gate_read(hook->nss, fd));
}

static PRInt32 wrote(const struct hook *hook, PRFileDesc *fd, const void *data, PRInt32 result)
{
    if (result > 0 && is_active(hook))
        cvg_gate_have_written(hook->nss, fd, data, (size_t)result);
    return result;
}

static PRInt32 have_read(const struct hook *hook, PRFileDesc *fd, PRInt32 result)
{
    if (result > 0 && is_active(hook))
        cvg_gate_have_read(hook->nss, fd, (size_t)result);
    return result;
}

static size_t length(PRInt32 amount)
{
    return amount > 0 ? (size_t)amount : 0;
}

static PRStatus hook_close(struct hook *hook, PRFileDesc *fd)
{
    if (is_active(hook))
        cvg_gate_close(fd);
    return hook->original.close(fd);
}

static PRInt32 hook_read(struct hook *hook, PRFileDesc *fd, void *data, PRInt32 amount)
{
    if (!may_read(hook, fd))
        return -1;
    return have_read(hook, fd, hook->original.read(fd, data, amount));
}

static PRInt32 hook_recv(struct hook *hook, PRFileDesc *fd, void *data, PRInt32 amount,
                         PRIntn flags, PRIntervalTime timeout)
{
    PRInt32 result;

    if (!may_read(hook, fd))
        return -1;
    result = hook->original.recv(fd, data, amount, flags, timeout);
    return flags & PR_MSG_PEEK ? result : have_read(hook, fd, result);
}

static PRInt32 hook_write(struct hook *hook, PRFileDesc *fd, const void *data, PRInt32 amount)
{
    if (!may_write(hook, fd, data, length(amount)))
        return -1;
    return wrote(hook, fd, data, hook->original.write(fd, data, amount));
}

static PRInt32 hook_send(struct hook *hook, PRFileDesc *fd, const void *data, PRInt32 amount,
                         PRIntn flags, PRIntervalTime timeout)
{
    if (!may_write(hook, fd, data, length(amount)))
        return -1;
    return wrote(hook, fd, data, hook->original.send(fd, data, amount, flags, timeout));
}

static PRInt32 hook_sendto(struct hook *hook, PRFileDesc *fd, const void *data, PRInt32 amount,
                           PRIntn flags, const PRNetAddr *to, PRIntervalTime timeout)
{
    if (!may_write(hook, fd, data, length(amount)))
        return -1;
    return wrote(hook, fd, data, hook->original.sendto(fd, data, amount, flags, to, timeout));
}

static PRInt32 hook_writev(struct hook *hook, PRFileDesc *fd, const PRIOVec *iov, PRInt32 count,
                           PRIntervalTime timeout)
{
    const void *first = count > 0 ? iov[0].iov_base : NULL;
    PRInt32 head = count > 0 ? iov[0].iov_len : 0, result;

    if (!may_write(hook, fd, first, count == 1 ? length(head) : 0))
        return -1;
    result = hook->original.writev(fd, iov, count, timeout);
    if (result > head) {
        wrote(hook, fd, first, head);
        if (is_active(hook))
            cvg_gate_have_written(hook->nss, fd, NULL, (size_t)(result - head));
        return result;
    }
    return wrote(hook, fd, first, result);
}

/* The functions of each hook. */
#define HOOK_FUNCTIONS(n)                                                                          \
    static PRStatus close_##n(PRFileDesc *fd)                                                      \
    {                                                                                              \
        return hook_close(&hooks[n], fd);                                                          \
    }                                                                                              \
    static PRInt32 read_##n(PRFileDesc *fd, void *data, PRInt32 amount)                            \
    {                                                                                              \
        return hook_read(&hooks[n], fd, data, amount);                                             \
    }                                                                                              \
    static PRInt32 write_##n(PRFileDesc *fd, const void *data, PRInt32 amount)                     \
    {                                                                                              \
        return hook_write(&hooks[n], fd, data, amount);                                            \
    }                                                                                              \
    static PRInt32 recv_##n(PRFileDesc *fd, void *data, PRInt32 amount, PRIntn flags,              \
                            PRIntervalTime timeout)                                                \
    {                                                                                              \
        return hook_recv(&hooks[n], fd, data, amount, flags, timeout);                             \
    }                                                                                              \
    static PRInt32 send_##n(PRFileDesc *fd, const void *data, PRInt32 amount, PRIntn flags,        \
                            PRIntervalTime timeout)                                                \
    {                                                                                              \
        return hook_send(&hooks[n], fd, data, amount, flags, timeout);                             \
    }                                                                                              \
    static PRInt32 sendto_##n(PRFileDesc *fd, const void *data, PRInt32 amount, PRIntn flags,      \
                              const PRNetAddr *to, PRIntervalTime timeout)                         \
    {                                                                                              \
        return hook_sendto(&hooks[n], fd, data, amount, flags, to, timeout);                       \
    }                                                                                              \
    static PRInt32 writev_##n(PRFileDesc *fd, const PRIOVec *iov, PRInt32 count,                   \
                              PRIntervalTime timeout)                                              \
    {                                                                                              \
        return hook_writev(&hooks[n], fd, iov, count, timeout);                                    \
    }

HOOK_FUNCTIONS(0)
HOOK_FUNCTIONS(1)
HOOK_FUNCTIONS(2)
HOOK_FUNCTIONS(3)
HOOK_FUNCTIONS(4)
HOOK_FUNCTIONS(5)
HOOK_FUNCTIONS(6)
HOOK_FUNCTIONS(7)

#define HOOK_METHODS(n)                                                                            \
    {                                                                                              \
        .close = close_##n, .read = read_##n, .write = write_##n, .recv = recv_##n,                \
        .send = send_##n, .sendto = sendto_##n, .writev = writev_##n                               \
    }

static const PRIOMethods ours[HOOKS] = {
    HOOK_METHODS(0), HOOK_METHODS(1), HOOK_METHODS(2), HOOK_METHODS(3),
    HOOK_METHODS(4), HOOK_METHODS(5), HOOK_METHODS(6), HOOK_METHODS(7),
};

static atomic_flag changing = ATOMIC_FLAG_INIT;

/* The one who changes the table may have been in another thread when the process forked, so the
 * wait has an end. */
static void begin_change(void)
{
    for (int i = 0; i < WAIT_ATTEMPTS && atomic_flag_test_and_set(&changing); i++)
        sched_yield();
}

static void end_change(void)
{
    atomic_flag_clear(&changing);
}

static unsigned index_of(const struct hook *hook)
{
    return (unsigned)(hook - hooks);
}

static cvg_slot own_function(const struct hook *hook, unsigned slot)
{
    return cvg_table_read(&ours[index_of(hook)], slot);
}

static bool in_place(const struct hook *hook, unsigned slot)
{
    return cvg_table_read(hook->nss->table, slot) == own_function(hook, slot);
}

static struct hook *active_hook(const struct cvg_nss *nss)
{
    for (unsigned i = 0; i < HOOKS; i++)
        if (hooks[i].nss == nss && is_active(&hooks[i]))
            return &hooks[i];
    return NULL;
}

/* Who hooked after us may have gone, and have put us back. */
static bool is_buried(struct hook *hook)
{
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        if (in_place(hook, slot))
            hook->buried &= ~(1U << slot);
    return hook->buried != 0;
}

/* A hook of this table's that lies bare, else a new one. When there is none left, the last that was
 * buried is woken up: whoever buried it calls it. */
static struct hook *choose(struct cvg_nss *nss)
{
    struct hook *hook = NULL;

    for (unsigned i = 0; i < HOOKS; i++) {
        if (!hooks[i].nss || (hooks[i].nss == nss && !is_buried(&hooks[i]))) {
            hooks[i].nss = nss;
            hooks[i].buried = 0;
            return &hooks[i];
        }
        if (hooks[i].nss == nss)
            hook = &hooks[i];
    }
    return hook;
}

static void put(struct hook *hook, unsigned slot)
{
    PRIOMethods *table = hook->nss->table;

    if (in_place(hook, slot) || (hook->buried & 1U << slot) != 0)
        return;
    __atomic_store_n(cvg_table_slot(&hook->original, slot), cvg_table_read(table, slot),
                     __ATOMIC_RELAXED);
    __atomic_store_n(cvg_table_slot(table, slot), own_function(hook, slot), __ATOMIC_RELEASE);
}

static bool has_copy(const struct cvg_nss *nss)
{
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        if (cvg_table_is_copy(nss->table, slot, hooks))
            return true;
    return false;
}

/* A child that is forked meanwhile has the whole gate or none: it would not find out that half of
 * it is missing. */
static void put_all(struct hook *hook)
{
    cvg_lock(CVG_LOCK_METHODS);
    atomic_store_explicit(&hook->active, true, memory_order_release);
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        put(hook, slot);
    cvg_unlock(CVG_LOCK_METHODS);
}

void cvg_methods_install(struct cvg_nss *nss)
{
    struct cvg_table_pages pages;
    struct hook *hook;

    begin_change();
    hook = active_hook(nss) || has_copy(nss) ? NULL : choose(nss);
    if (hook && cvg_table_begin(nss->table, &pages)) {
        cvg_connection_close_all(nss);
        put_all(hook);
        cvg_table_end(&pages);
    }
    end_change();
}

/* Restores the slot, or learns that somebody has hooked it since. */
static void take_back(struct hook *hook, unsigned slot)
{
    if (in_place(hook, slot))
        __atomic_store_n(cvg_table_slot(hook->nss->table, slot),
                         cvg_table_read(&hook->original, slot), __ATOMIC_RELEASE);
    else
        hook->buried |= 1U << slot;
}

static void take_all_back(struct hook *hook)
{
    cvg_lock(CVG_LOCK_METHODS);
    for (unsigned slot = 0; slot < CVG_SLOTS; slot++)
        take_back(hook, slot);
    atomic_store_explicit(&hook->active, false, memory_order_release);
    cvg_unlock(CVG_LOCK_METHODS);
}

void cvg_methods_remove(struct cvg_nss *nss)
{
    struct cvg_table_pages pages;
    struct hook *hook;

    begin_change();
    hook = active_hook(nss);
    if (hook && cvg_table_begin(nss->table, &pages)) {
        take_all_back(hook);
        cvg_table_end(&pages);
        cvg_connection_close_all(nss);
    }
    end_change();
}
