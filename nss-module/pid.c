/* SPDX-License-Identifier: MIT */
/* Keeps the id in a page that the kernel wipes in a forked child, see pid.h. */
#include "config.h"

#include "nss-module/pid.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

struct page {
    _Atomic pid_t pid; /* 0: not known yet, or wiped */
};

static struct page no_page; /* stands for a page where there can be none */
static struct page *_Atomic kept;

static struct page *make_page(void)
{
    struct page *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return &no_page;
    if (madvise(page, sizeof *page, MADV_WIPEONFORK) == 0)
        return page;
    munmap(page, sizeof *page);
    return &no_page;
}

static struct page *find_page(void)
{
    struct page *page = atomic_load(&kept), *other = NULL;
    int saved = errno;

    if (page)
        return page;
    page = make_page();
    if (!atomic_compare_exchange_strong(&kept, &other, page)) {
        if (page != &no_page)
            munmap(page, sizeof *page);
        page = other;
    }
    errno = saved;
    return page;
}

pid_t cvg_pid(void)
{
    struct page *page = find_page();
    pid_t pid;

    if (page == &no_page)
        return getpid();
    pid = atomic_load(&page->pid);
    if (pid == 0) {
        pid = getpid();
        atomic_store(&page->pid, pid);
    }
    return pid;
}
