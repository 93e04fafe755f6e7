/* SPDX-License-Identifier: MIT */
/* Finds the NSS of this process and binds its functions, see nss.h. It loads nothing: what is not
 * there already is not what calls us. */
#include "config.h"

#include "nss-module/nss.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nss-module/loaded.h"
#include "nss-module/lock.h"

#define NAME_MAX_LEN 512
#define NONE         (-1)

struct symbol {
    const char *name;
    size_t offset;
};

#define NSS_SYMBOL(f) {#f, offsetof(struct cvg_nss, f)},
#define SSL_SYMBOL(f) {#f, offsetof(struct cvg_nss_ssl, f)},

static const struct symbol nss_symbols[] = {CVG_NSS_FUNCTIONS(NSS_SYMBOL)};
static const struct symbol ssl_symbols[] = {CVG_NSS_SSL_FUNCTIONS(SSL_SYMBOL)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Process-wide on purpose: NSPR hands a method no context of ours. */
static struct cvg_nss known[CVG_NSS_MAX];

/* An object by an address in it, or by its file's name. */
struct search {
    uintptr_t address;
    const char *base;
    char name[NAME_MAX_LEN];
    bool found;
};

static int match(struct dl_phdr_info *info, size_t size, void *user)
{
    struct search *search = user;

    (void)size;
    if (strlen(info->dlpi_name) >= sizeof search->name ||
        !(search->base ? strcmp(cvg_loaded_base_name(info), search->base) == 0
                       : cvg_loaded_holds(info, search->address)))
        return 0;
    strcpy(search->name, info->dlpi_name);
    search->found = true;
    return 1;
}

/* What is found is held for good: its functions are called until the process ends. The main program
 * has no name; the null name is its handle. */
static void *hold(struct search search)
{
    dl_iterate_phdr(match, &search);
    if (!search.found)
        return NULL;
    return dlopen(search.name[0] ? search.name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

/* An object's functions, and those of the libraries that it is bound to: libnss3 to NSPR and
 * nssutil. */
static bool bind_all(void *handle, const struct symbol *symbol, size_t count, void *ret_table)
{
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(handle, symbol[i].name);

        if (!address)
            return false;
        memcpy((char *)ret_table + symbol[i].offset, &address, sizeof address);
    }
    return true;
}

static bool bind_object(struct search search, const struct symbol *symbol, size_t count,
                        void *ret_table)
{
    void *handle = hold(search);

    if (!handle)
        return false;
    if (bind_all(handle, symbol, count, ret_table))
        return true;
    dlclose(handle);
    return false;
}

/* NSPR gives its table as a constant, but lays it in writable data. */
static PRIOMethods *table_of(const struct cvg_nss *nss)
{
    return (PRIOMethods *)(uintptr_t)nss->PR_GetTCPMethods();
}

static struct cvg_nss *publish(const struct cvg_nss *found)
{
    struct cvg_nss *nss = NULL;

    cvg_lock(CVG_LOCK_NSS);
    for (unsigned i = 0; i < CVG_NSS_MAX && !nss; i++)
        if (!known[i].table || known[i].table == found->table)
            nss = &known[i];
    if (nss && !nss->table)
        *nss = *found;
    cvg_unlock(CVG_LOCK_NSS);
    return nss;
}

struct cvg_nss *cvg_nss_of(const void *caller)
{
    struct cvg_nss found;

    memset(&found, 0, sizeof found);
    if (!bind_object((struct search){.address = (uintptr_t)caller}, nss_symbols, COUNT(nss_symbols),
                     &found) &&
        !bind_object((struct search){.base = "libnss3.so"}, nss_symbols, COUNT(nss_symbols),
                     &found))
        return NULL;
    found.table = table_of(&found);
    return found.table ? publish(&found) : NULL;
}

static bool bind_ssl(const PRIOMethods *methods, struct cvg_nss_ssl *ret_ssl)
{
    const uintptr_t addresses[] = {(uintptr_t)methods->close, (uintptr_t)methods->send,
                                   (uintptr_t)methods->recv, (uintptr_t)methods->getpeername};

    for (size_t i = 0; i < COUNT(addresses); i++)
        if (bind_object((struct search){.address = addresses[i]}, ssl_symbols, COUNT(ssl_symbols),
                        ret_ssl))
            return true;
    return bind_object((struct search){.base = "libssl3.so"}, ssl_symbols, COUNT(ssl_symbols),
                       ret_ssl);
}

/* Its place, or NONE. */
static int find_library(const struct cvg_nss *nss, PRDescIdentity identity)
{
    for (unsigned i = 0; i < CVG_NSS_SSL_MAX; i++)
        if (atomic_load_explicit(&nss->library[i].identity, memory_order_acquire) == identity)
            return (int)i;
    return NONE;
}

static bool keep_library(struct cvg_nss *nss, PRDescIdentity identity,
                         const struct cvg_nss_ssl *functions)
{
    int at;

    cvg_lock(CVG_LOCK_NSS);
    at = find_library(nss, identity);
    if (at == NONE) {
        at = find_library(nss, PR_NSPR_IO_LAYER);
        if (at != NONE) {
            nss->library[at].functions = *functions;
            atomic_store_explicit(&nss->library[at].identity, identity, memory_order_release);
        }
    }
    cvg_unlock(CVG_LOCK_NSS);
    return at != NONE;
}

/* Functions of the library that the layer's methods are of; one that somebody put in front of them
 * is not, so several are tried. */
static bool bind_layer(struct cvg_nss *nss, const PRFileDesc *layer)
{
    struct cvg_nss_ssl ssl;

    if (atomic_load(&nss->ssl_vain) == layer->methods)
        return false;
    if (bind_ssl(layer->methods, &ssl))
        return keep_library(nss, layer->identity, &ssl);
    atomic_store(&nss->ssl_vain, layer->methods);
    return false;
}

/* Names cost NSPR a lock, so they are asked for only of identities that no library is kept for. */
static bool is_named_ssl(const struct cvg_nss *nss, PRDescIdentity identity)
{
    const char *name = nss->PR_GetNameForIdentity(identity);

    return name && strcmp(name, "SSL") == 0;
}

PRFileDesc *cvg_nss_ssl_layer(struct cvg_nss *nss, PRFileDesc *tcp)
{
    for (PRFileDesc *layer = tcp->higher; layer; layer = layer->higher) {
        if (layer->identity != PR_NSPR_IO_LAYER && find_library(nss, layer->identity) != NONE)
            return layer;
        if (is_named_ssl(nss, layer->identity))
            return bind_layer(nss, layer) ? layer : NULL;
    }
    return NULL;
}

const struct cvg_nss_ssl *cvg_nss_ssl_of(const struct cvg_nss *nss, const PRFileDesc *ssl)
{
    return &nss->library[find_library(nss, ssl->identity)].functions;
}
