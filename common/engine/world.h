/* SPDX-License-Identifier: MIT */
/* Where a vote's time, chance and answers come from; tests and simulations bring their own. */
#ifndef CVG_ENGINE_WORLD_H
#define CVG_ENGINE_WORLD_H

#include <stdint.h>

#include "common/base/clock.h"
#include "common/engine/breaker.h"
#include "common/engine/transport.h"

struct cvg_world {
    const struct cvg_clock *clock;
    struct cvg_transport *transport;
    struct cvg_breaker *breaker;               /* by notaries' names */
    uint32_t (*below)(void *user, uint32_t n); /* uniform in 0..n-1 */
    void *user;
};

#endif
