/* SPDX-License-Identifier: MIT */
/* See fake-gate.h. */
#include "config.h"

#include "tests/nss-module/fake-gate.h"

#include <string.h>

#include "nss-module/anchor.h"
#include "nss-module/methods.h"
#include "nss-module/nss.h"
#include "nss-module/trust.h"

struct fake_gate fake_gate;

static struct cvg_nss nss;

void fake_gate_reset(void)
{
    memset(&fake_gate, 0, sizeof fake_gate);
    fake_gate.nss = true;
    memset(fake_gate.sha1, 0x5a, sizeof fake_gate.sha1);
}

struct cvg_nss *cvg_nss_of(const void *caller)
{
    return caller && fake_gate.nss ? &nss : NULL;
}

void cvg_methods_install(struct cvg_nss *given)
{
    if (given == &nss)
        fake_gate.installed++;
}

void cvg_methods_remove(struct cvg_nss *given)
{
    if (given == &nss)
        fake_gate.removed++;
}

void cvg_anchor_forget(const struct cvg_nss *given)
{
    (void)given;
}

bool cvg_trust_lookup(const void *issuer, size_t issuer_len, const void *serial, size_t serial_len,
                      uint8_t ret_leaf_sha1[static 20])
{
    fake_gate.lookups++;
    if (fake_gate.during_lookup)
        fake_gate.during_lookup();
    if (!fake_gate.trusts || !issuer || !serial || issuer_len == 0 || serial_len == 0)
        return false;
    memcpy(ret_leaf_sha1, fake_gate.sha1, sizeof fake_gate.sha1);
    return true;
}
