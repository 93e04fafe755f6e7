/* SPDX-License-Identifier: MIT */
/* The module's one entry: finds the OpenSSL that called, hooks it, and offers no algorithm. It
 * reads no file, opens no socket, and never fails: a provider that does would stop the program. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "common/base/attr.h"
#include "common/client/client.h"
#include "provider/frame.h"
#include "provider/hooks.h"
#include "provider/ossl.h"

CVG_EXPORT OSSL_provider_init_fn OSSL_provider_init;

static OSSL_FUNC_provider_teardown_fn teardown;
static OSSL_FUNC_provider_gettable_params_fn gettable_params;
static OSSL_FUNC_provider_get_params_fn get_params;

/* What `openssl list -providers` and the command line's doctor show. */
static const char name[] = "Converge";
static const char state_hooked[] = "watching";
static const char state_inert[] = "inert: this OpenSSL does not export what is needed";

/* Stands for an instance that hooks nothing. */
static char inert;

static const OSSL_PARAM known_params[] = {
    {OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0, 0},
    {OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0, 0},
    {OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL, 0, 0},
    {OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0, 0},
    {NULL, 0, NULL, 0, 0},
};

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
    {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable_params},
    {OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get_params},
    {0, NULL},
};

static void teardown(void *context)
{
    struct cvg_ossl *ossl = context;

    if (context != &inert)
        atomic_fetch_sub(&ossl->instances, 1);
}

static const OSSL_PARAM *gettable_params(void *context)
{
    (void)context;
    return known_params;
}

static void put_text(OSSL_PARAM *param, const char *text)
{
    if (param->data_type != OSSL_PARAM_UTF8_PTR || !param->data)
        return;
    memcpy(param->data, &text, sizeof text);
    param->return_size = strlen(text);
}

static void put_int(OSSL_PARAM *param, int value)
{
    if (param->data_type != OSSL_PARAM_INTEGER || !param->data || param->data_size != sizeof value)
        return;
    memcpy(param->data, &value, sizeof value);
    param->return_size = sizeof value;
}

static int get_params(void *context, OSSL_PARAM params[])
{
    for (OSSL_PARAM *param = params; param && param->key; param++) {
        if (strcmp(param->key, OSSL_PROV_PARAM_NAME) == 0)
            put_text(param, name);
        else if (strcmp(param->key, OSSL_PROV_PARAM_VERSION) == 0)
            put_text(param, PACKAGE_VERSION);
        else if (strcmp(param->key, OSSL_PROV_PARAM_BUILDINFO) == 0)
            put_text(param, context == &inert ? state_inert : state_hooked);
        else if (strcmp(param->key, OSSL_PROV_PARAM_STATUS) == 0)
            put_int(param, 1);
    }
    return 1;
}

/* The library context this instance is loaded in. The core's pointer is one only within the same
 * libcrypto, and that is the one whose functions we use. */
static OSSL_LIB_CTX *library_context(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core)
{
    for (; core->function_id != 0; core++)
        if (core->function_id == OSSL_FUNC_CORE_GET_LIBCTX)
            return (OSSL_LIB_CTX *)OSSL_FUNC_core_get_libctx(core)(handle);
    return NULL;
}

static struct cvg_ossl *hook(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core)
{
    struct cvg_ossl *ossl =
        core->function_id != 0 ? cvg_ossl_of((const void *)core->function) : NULL;
    OSSL_LIB_CTX *own;

    if (!ossl || !cvg_frame_init())
        return NULL;
    atomic_fetch_add(&ossl->instances, 1);
    ossl->crypto.ERR_set_mark();
    cvg_hooks_install(ossl, NULL);
    own = library_context(handle, core);
    if (own)
        cvg_hooks_install(ossl, own);
    ossl->crypto.ERR_pop_to_mark();
    return ossl;
}

int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **ret_functions, void **ret_context)
{
    int saved = errno;
    struct cvg_ossl *ossl = hook(handle, core);

    (void)cvg_client_off(); /* while the environment is still as the program found it */
    *ret_functions = functions;
    *ret_context = ossl ? (void *)ossl : &inert;
    errno = saved;
    return 1;
}
