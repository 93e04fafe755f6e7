/* SPDX-License-Identifier: MIT */
/* C_Initialize, C_Finalize and C_GetInfo. The first initialisation by anybody opens the surface,
 * and each by an NSS sets its gate up; the last C_Finalize closes the surface, and the last for an
 * NSS takes its gate away. */
#include "config.h"

#include "nss-module/anchor.h"
#include "nss-module/module.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/client/client.h"
#include "nss-module/holds.h"
#include "nss-module/initargs.h"
#include "nss-module/surface.h"
#include "nss-module/methods.h"
#include "nss-module/nss.h"
#include "nss-module/object.h"
#include "nss-module/session.h"
#include "nss-module/pid.h"

/* The process that has initialised the module, else 0. */
static _Atomic pid_t ready_pid;

/* Whether somebody holds without an NSS, and how many objects had been loaded when we looked. */
static atomic_bool want_nss;
static atomic_ullong looked_at;

struct caller {
    const void *base; /* of its object; NULL for code that belongs to none */
    bool with_parameters;
};

/* The objects that hand a string over in C_Initialize's reserved argument. */
static bool hands_parameters(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return strncmp(name, "libnss3", 7) == 0 || strncmp(name, "libp11-kit", 10) == 0 ||
           strncmp(name, "p11-kit-proxy", 13) == 0;
}

static struct caller caller_at(const void *address)
{
    struct caller caller = {NULL, false};
    Dl_info info;

    if (dladdr(address, &info) && info.dli_fname) {
        caller.base = info.dli_fbase;
        caller.with_parameters = hands_parameters(info.dli_fname);
    }
    return caller;
}

bool cvg_module_ready(void)
{
    return atomic_load(&ready_pid) == cvg_pid();
}

static void update_locked(void)
{
    atomic_store(&want_nss, cvg_holds_without_nss_locked() != NULL);
    atomic_store(&ready_pid, cvg_holds_any_locked() ? cvg_pid() : 0);
}

/* A holder that comes second is told CKR_OK like the first: NSS drops a module that says
 * CKR_CRYPTOKI_ALREADY_INITIALIZED, and p11-kit would never finalize it. One that comes again is
 * told so, and its gate is seen to all the same: it may be another library, where one was unloaded.
 */
static CK_RV initialize_locked(const void *base, struct cvg_nss *nss)
{
    const bool again = cvg_holds_has_locked(base);

    if (!cvg_holds_any_locked()) {
        cvg_session_renew_locked();
        cvg_object_renew_locked();
    }
    if (!cvg_holds_take_locked(base, nss))
        return CKR_HOST_MEMORY;
    if (nss)
        cvg_methods_install(nss);
    update_locked();
    return again ? CKR_CRYPTOKI_ALREADY_INITIALIZED : CKR_OK;
}

CK_RV C_Initialize(CK_VOID_PTR args)
{
    const void *address = __builtin_return_address(0);
    const struct caller caller = caller_at(address);
    CK_RV rv = cvg_initargs_check(args, caller.with_parameters);
    struct cvg_nss *nss;

    if (rv != CKR_OK)
        return rv;
    (void)cvg_client_off(); /* while the environment is still as the program found it */
    nss = cvg_nss_of(address);
    cvg_surface_lock();
    rv = initialize_locked(caller.base, nss);
    cvg_surface_unlock();
    return rv;
}

static CK_RV finalize_locked(const void *base)
{
    const bool initialized = cvg_holds_any_locked();
    struct cvg_nss *nss = cvg_holds_drop_locked(base);

    if (nss) {
        cvg_methods_remove(nss);
        cvg_anchor_forget(nss);
    }
    update_locked();
    if (initialized && !cvg_holds_any_locked()) {
        cvg_session_clear_locked();
        cvg_object_clear_locked();
    }
    return initialized ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV C_Finalize(CK_VOID_PTR reserved)
{
    const struct caller caller = caller_at(__builtin_return_address(0));
    CK_RV rv;

    if (reserved)
        return CKR_ARGUMENTS_BAD;
    cvg_surface_lock();
    rv = finalize_locked(caller.base);
    cvg_surface_unlock();
    return rv;
}

static int count_loaded(struct dl_phdr_info *info, size_t size, void *ret_loaded)
{
    (void)size;
    *(unsigned long long *)ret_loaded = info->dlpi_adds;
    return 1;
}

/* For those who hold without an NSS. */
static void look_for_nss(void)
{
    unsigned long long loaded = 0;
    const void *base;
    struct cvg_nss *nss;

    dl_iterate_phdr(count_loaded, &loaded);
    if (atomic_exchange(&looked_at, loaded) == loaded)
        return;
    cvg_surface_lock();
    base = cvg_holds_without_nss_locked();
    cvg_surface_unlock();
    nss = base ? cvg_nss_of(base) : NULL;
    if (!nss)
        return;
    cvg_surface_lock();
    cvg_holds_adopt_locked(nss);
    update_locked();
    cvg_surface_unlock();
}

void cvg_module_look_again(void)
{
    if (atomic_load(&want_nss))
        look_for_nss();
    cvg_surface_lock();
    for (unsigned i = 0; i < CVG_HOLDS_MAX; i++)
        if (cvg_holds_nss_locked(i))
            cvg_methods_install(cvg_holds_nss_locked(i));
    cvg_surface_unlock();
}

CK_VERSION cvg_module_version(void)
{
    char *dot;
    const unsigned long major = strtoul(PACKAGE_VERSION, &dot, 10);
    const unsigned long minor = *dot == '.' ? strtoul(dot + 1, NULL, 10) : 0;

    return (CK_VERSION){(CK_BYTE)major, (CK_BYTE)minor};
}

void cvg_module_pad(CK_UTF8CHAR *ret_field, size_t size, const char *text)
{
    const size_t len = strlen(text);

    memset(ret_field, ' ', size);
    memcpy(ret_field, text, len < size ? len : size);
}

static CK_RV get_info(CK_INFO_PTR ret_info, CK_VERSION cryptoki)
{
    if (!cvg_module_ready())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (!ret_info)
        return CKR_ARGUMENTS_BAD;
    ret_info->cryptokiVersion = cryptoki;
    ret_info->flags = 0;
    ret_info->libraryVersion = cvg_module_version();
    cvg_module_pad(ret_info->manufacturerID, sizeof ret_info->manufacturerID, CVG_MODULE_NAME);
    cvg_module_pad(ret_info->libraryDescription, sizeof ret_info->libraryDescription,
                   CVG_MODULE_NAME);
    return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO_PTR ret_info)
{
    return get_info(ret_info, (CK_VERSION){3, 0});
}

CK_RV cvg_module_get_info_2_40(CK_INFO_PTR ret_info)
{
    return get_info(ret_info, (CK_VERSION){2, 40});
}
