/* SPDX-License-Identifier: MIT */
/* The scene in which memory runs out at every place of a handshake in turn, for the module only:
 * NSS is not at home in that. */
#include "config.h"

#include "tests/failing.h"
#include "tests/nss-module/endure.h"

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ssl.h>

static int find_module(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    (void)user;
    if (!strstr(info->dlpi_name, "libconverge-nss"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            failing_only(start, start + info->dlpi_phdr[i].p_memsz);
        }
    return 1;
}

struct attempt {
    long at;
    bool go_on;
    bool reached;  /* the failure came to pass */
    bool accepted; /* and yet the connection was used */
};

static void *handshake(void *user)
{
    struct attempt *attempt = user;

    SSL_ClearSessionCache();
    failing_begin(attempt->at, attempt->go_on);
    attempt->accepted = talk_once();
    attempt->reached = failing_end();
    return NULL;
}

/* In a thread of its own, so that what a thread allocates at its first check fails, too. */
static struct attempt try(long at, bool go_on)
{
    struct attempt attempt = {.at = at, .go_on = go_on};
    pthread_t thread;

    if (pthread_create(&thread, NULL, handshake, &attempt) != 0 || pthread_join(thread, NULL) != 0)
        abort();
    return attempt;
}

int scene_memory(void)
{
    unsigned tried = 0, accepted = 0;
    int before;

    if (!failing_possible())
        return 77;
    nss_start();
    failing_only(1, 1);
    dl_iterate_phdr(find_module, NULL);
    talk_once();
    before = open_descriptors();
    for (int go_on = 0; go_on < 2; go_on++) {
        struct attempt attempt = try(1, go_on);

        for (long at = 2; attempt.reached; at++) {
            tried++;
            accepted += attempt.accepted;
            attempt = try(at, go_on);
        }
    }
    printf("tried=%u accepted=%u\n", tried, accepted);
    return nss_stop_and_tell(open_descriptors() - before);
}
