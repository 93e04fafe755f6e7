/* SPDX-License-Identifier: MIT */
/* Stands for the gate behind the PKCS#11 surface: tells what the surface asked of it, and answers
 * as a test wants. */
#ifndef CVG_TESTS_FAKE_GATE_H
#define CVG_TESTS_FAKE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_gate {
    atomic_bool nss;               /* whether the process has one */
    atomic_int installed, removed; /* how often */
    atomic_int lookups;
    atomic_bool trusts;          /* the answer to lookups */
    void (*during_lookup)(void); /* called in each, if set */
    uint8_t sha1[20];            /* of the certificate that is trusted */
};

extern struct fake_gate fake_gate;

/* Nothing asked, nothing trusted, an NSS in the process. */
void fake_gate_reset(void);

#endif
