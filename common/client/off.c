/* SPDX-License-Identifier: MIT */
/* CONVERGE=off: the way out that a user has for one command. Whether it is allowed is in the
 * configuration (settings.c). */
#include "common/client/client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { UNREAD = 0, NOT_OFF, OFF };

bool cvg_client_off(void)
{
    static atomic_int state = UNREAD;
    int known = atomic_load(&state), said;
    const char *value;

    if (known == UNREAD) {
        value = secure_getenv("CONVERGE");
        said = value != NULL && strcmp(value, "off") == 0 ? OFF : NOT_OFF;
        /* Of two threads that read at once, the first one's word holds for both. */
        if (atomic_compare_exchange_strong(&state, &known, said))
            known = said;
    }
    return known == OFF;
}
