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
    int known = atomic_load(&state);
    const char *value;

    if (known == UNREAD) {
        value = secure_getenv("CONVERGE");
        known = value != NULL && strcmp(value, "off") == 0 ? OFF : NOT_OFF;
        atomic_store(&state, known);
    }
    return known == OFF;
}
