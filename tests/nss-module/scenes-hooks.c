/* SPDX-License-Identifier: MIT */
/* Scenes of others in NSPR's table, of modules that come and go, see host.h. */
#include "config.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pkcs11.h>

#include "tests/nss-module/host.h"

/* Somebody else in the table: counts what is written through it. */
static PRSendFN next_send;
static unsigned sends;

static PRIOMethods *table(void)
{
    return (PRIOMethods *)(uintptr_t)PR_GetTCPMethods();
}

static PRInt32 count_send(PRFileDesc *fd, const void *data, PRInt32 amount, PRIntn flags,
                          PRIntervalTime timeout)
{
    sends++;
    return next_send(fd, data, amount, flags, timeout);
}

static void hook(void)
{
    next_send = table()->send;
    table()->send = count_send;
}

static void unhook(void)
{
    table()->send = next_send;
}

static void report(const char *when)
{
    connect_some(&options.target[0]);
    printf("%s: other=%d\n", when, sends > 0);
    sends = 0;
}

static void begin_without(void)
{
    const char *module = options.module;

    options.module = NULL;
    host_begin();
    options.module = module;
}

int scene_hook_before(void)
{
    const PRIOMethods before = *table();

    begin_without();
    hook();
    host_load();
    report("loaded");
    host_unload();
    report("unloaded");
    unhook();
    printf("restored=%d\n", memcmp(&before, table(), sizeof before) == 0);
    host_end();
    return 0;
}

int scene_hook_after(void)
{
    const PRIOMethods before = *table();

    begin_without();
    host_load();
    hook();
    report("loaded");
    unhook();
    host_unload();
    printf("restored=%d\n", memcmp(&before, table(), sizeof before) == 0);
    host_end();
    return 0;
}

/* The other one stays in front of us when we go, and is there when we come back. */
int scene_bury(void)
{
    begin_without();
    host_load();
    hook();
    host_unload();
    report("unloaded");
    for (unsigned i = 0; i < 12; i++) {
        host_load();
        report("loaded");
        host_unload();
    }
    unhook();
    host_load();
    report("unhooked");
    host_end();
    return 0;
}

/* options.before: another copy of the module, which something that is not NSS loads, too. NSPR
 * itself takes libraries of one name for the same. */
int scene_copy(void)
{
    void *copy = dlopen(options.before, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = copy ? (CK_C_GetFunctionList)dlsym(copy, "C_GetFunctionList") : NULL;
    CK_FUNCTION_LIST *functions;

    options.before = NULL;
    begin_without();
    host_load();
    if (!get || get(&functions) != CKR_OK || functions->C_Initialize(NULL) != CKR_OK)
        return 1;
    report("both");
    functions->C_Finalize(NULL);
    host_end();
    return 0;
}

/* NSS ends and begins again; nothing of the first time counts in the second. */
int scene_restart(void)
{
    for (unsigned i = 0; i < 3; i++) {
        host_begin();
        connect_some(&options.target[0]);
        host_end();
    }
    return 0;
}
