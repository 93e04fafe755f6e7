/* SPDX-License-Identifier: MIT */
/* NSS, its database and the module of the test host, see host.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include <prerror.h>
#include <secmod.h>

#include "tests/nss-module/host.h"

static SECMODModule *module;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, PR_ErrorToName(PR_GetError()));
    exit(3);
}

void host_load(void)
{
    char spec[1024];

    snprintf(spec, sizeof spec, "name=\"converge\" library=\"%s\"", options.module);
    module = SECMOD_LoadUserModule(spec, NULL, PR_FALSE);
    if (!module || !module->loaded)
        fail("module");
}

void host_unload(void)
{
    if (module && SECMOD_UnloadUserModule(module) != SECSuccess)
        fail("unload");
    if (module)
        SECMOD_DestroyModule(module);
    module = NULL;
}

void host_begin(void)
{
    char db[1024];

    snprintf(db, sizeof db, "sql:%s", options.db);
    if (NSS_InitReadWrite(db) != SECSuccess)
        fail("NSS_InitReadWrite");
    SSL_OptionSetDefault(SSL_ENABLE_SESSION_TICKETS, PR_TRUE);
    NSS_SetDomesticPolicy();
    if (options.module)
        host_load();
}

/* A reference that somebody keeps makes NSS busy. */
void host_end(void)
{
    host_unload();
    SSL_ClearSessionCache();
    if (NSS_Shutdown() != SECSuccess)
        fail("NSS_Shutdown");
}
