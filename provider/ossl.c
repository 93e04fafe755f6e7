/* SPDX-License-Identifier: MIT */
/* Finds the OpenSSL that loaded us and binds its functions, see ossl.h. It takes no function from
 * any other object, and loads nothing. */
#include "config.h"

#include "provider/ossl.h"

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "common/base/attr.h"

#define NAME_MAX_LEN  512
#define CANDIDATES    4
#define WAIT_ATTEMPTS 1000

enum state { EMPTY = 0, FILLING, READY };

struct symbol {
    const char *name;
    size_t offset;
};

#define CRYPTO_SYMBOL(f) {#f, offsetof(struct cvg_crypto_functions, f)},
#define SSL_SYMBOL(f)    {#f, offsetof(struct cvg_ssl_functions, f)},

static const struct symbol crypto_symbols[] = {CVG_CRYPTO_FUNCTIONS(CRYPTO_SYMBOL)};
static const struct symbol ssl_symbols[] = {CVG_SSL_FUNCTIONS(SSL_SYMBOL)};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Process-wide on purpose: OpenSSL hands its hooks no context of ours, and two libcryptos of one
 * process share this module. */
static struct cvg_ossl tables[CVG_OSSL_MAX];
static atomic_int states[CVG_OSSL_MAX];

struct search {
    uintptr_t address;
    struct cvg_object object;
    char name[NAME_MAX_LEN];
    bool found;
};

static struct cvg_object extent(const struct dl_phdr_info *info)
{
    struct cvg_object object = {UINTPTR_MAX, 0, info->dlpi_addr};

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD)
            continue;
        if (start < object.start)
            object.start = start;
        if (start + segment->p_memsz > object.end)
            object.end = start + segment->p_memsz;
    }
    return object;
}

static bool inside(const struct cvg_object *object, uintptr_t address)
{
    return address >= object->start && address < object->end;
}

static int match_address(struct dl_phdr_info *info, size_t size, void *user)
{
    struct search *search = user;
    struct cvg_object object = extent(info);

    (void)size;
    if (!inside(&object, search->address) || strlen(info->dlpi_name) >= sizeof search->name)
        return 0;
    search->object = object;
    strcpy(search->name, info->dlpi_name);
    search->found = true;
    return 1;
}

/* Every function must come from the object itself: dlsym also looks into what the object depends
 * on, and for the main program into everything. */
static bool bind(void *handle, const struct cvg_object *object, const struct symbol *symbol,
                 size_t count, void *ret_table)
{
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(handle, symbol[i].name);

        if (!address || !inside(object, (uintptr_t)address))
            return false;
        memcpy((char *)ret_table + symbol[i].offset, &address, sizeof address);
    }
    return true;
}

/* The main program has no name; the null name is its handle. */
static void *hold(const char *name)
{
    return dlopen(name[0] ? name : NULL, RTLD_LAZY | RTLD_NOLOAD);
}

static bool fill(const struct search *search, struct cvg_ossl *ret_table)
{
    void *handle = hold(search->name);

    if (!handle)
        return false;
    if (!bind(handle, &search->object, crypto_symbols, COUNT(crypto_symbols), &ret_table->crypto)) {
        dlclose(handle);
        return false;
    }
    ret_table->handle = handle;
    ret_table->object = search->object;
    return true;
}

/* The slot's state once nobody is filling it. The one who did may have been in another thread when
 * the process forked, so the wait has an end. */
static int settled(unsigned slot)
{
    for (int i = 0; i < WAIT_ATTEMPTS; i++) {
        int state = atomic_load_explicit(&states[slot], memory_order_acquire);

        if (state != FILLING)
            return state;
        sched_yield();
    }
    return FILLING;
}

static bool claim(unsigned slot)
{
    int expected = EMPTY;

    return atomic_compare_exchange_strong(&states[slot], &expected, FILLING);
}

static struct cvg_ossl *publish(const struct search *search, unsigned slot)
{
    struct cvg_ossl *table = &tables[slot];

    if (!fill(search, table)) {
        atomic_store_explicit(&states[slot], EMPTY, memory_order_release);
        return NULL;
    }
    table->slot = slot;
    atomic_store_explicit(&states[slot], READY, memory_order_release);
    return table;
}

struct cvg_ossl *cvg_ossl_of(const void *core_function)
{
    struct search search = {.address = (uintptr_t)core_function};

    dl_iterate_phdr(match_address, &search);
    if (!search.found)
        return NULL;
    for (unsigned slot = 0; slot < CVG_OSSL_MAX; slot++) {
        if (claim(slot))
            return publish(&search, slot);
        if (settled(slot) == READY && tables[slot].object.start == search.object.start)
            return &tables[slot];
    }
    return NULL;
}

struct cvg_ossl *cvg_ossl_slot(unsigned slot)
{
    return &tables[slot];
}

struct candidates {
    char name[CANDIDATES][NAME_MAX_LEN];
    unsigned count;
    unsigned long long loaded; /* objects ever loaded into this process */
};

static int collect(struct dl_phdr_info *info, size_t size, void *user)
{
    struct candidates *found = user;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *base = slash ? slash + 1 : info->dlpi_name;

    (void)size;
    found->loaded = info->dlpi_adds;
    if (strncmp(base, "libssl", 6) != 0 || found->count == CANDIDATES ||
        strlen(info->dlpi_name) >= NAME_MAX_LEN)
        return 0;
    strcpy(found->name[found->count++], info->dlpi_name);
    return 0;
}

/* Whether the object behind the handle is a libssl that calls this libcrypto. */
static bool bound_to(const struct cvg_ossl *ossl, void *handle, struct cvg_ssl_functions *ret_ssl)
{
    struct search search = {.address = (uintptr_t)dlsym(handle, "SSL_CTX_new")};
    void *theirs = dlsym(handle, "X509_STORE_CTX_init");

    if (!search.address || !inside(&ossl->object, (uintptr_t)theirs))
        return false;
    dl_iterate_phdr(match_address, &search);
    return search.found && bind(handle, &search.object, ssl_symbols, COUNT(ssl_symbols), ret_ssl);
}

/* Programs that carry OpenSSL inside (node) have both libraries in one object. Others load libssl
 * when it suits them, so a vain look is repeated once something more has been loaded; and one that
 * was not complete, because an object could not be held just then, at the next occasion. */
static bool find_ssl(struct cvg_ossl *ossl, struct cvg_ssl_functions *ret_ssl)
{
    struct candidates found = {.count = 0};
    bool complete = true;

    if (bind(ossl->handle, &ossl->object, ssl_symbols, COUNT(ssl_symbols), ret_ssl))
        return true;
    dl_iterate_phdr(collect, &found);
    if (found.loaded == atomic_load(&ossl->ssl_looked_at))
        return false;
    for (unsigned i = 0; i < found.count; i++) {
        void *handle = hold(found.name[i]);

        if (handle && bound_to(ossl, handle, ret_ssl))
            return true;
        if (handle)
            dlclose(handle);
        complete = complete && handle;
    }
    if (complete)
        atomic_store(&ossl->ssl_looked_at, found.loaded);
    return false;
}

/* Who finds it while another thread fills the table goes on with what it found itself: that thread
 * may be one that this process, a fork, does not have. */
const struct cvg_ssl_functions *cvg_ossl_ssl(struct cvg_ossl *ossl, struct cvg_ssl_functions *room)
{
    int expected = EMPTY;

    if (atomic_load_explicit(&ossl->ssl_state, memory_order_acquire) == READY)
        return &ossl->ssl;
    if (!find_ssl(ossl, room))
        return NULL;
    if (atomic_compare_exchange_strong(&ossl->ssl_state, &expected, FILLING)) {
        ossl->ssl = *room;
        atomic_store_explicit(&ossl->ssl_state, READY, memory_order_release);
    }
    return room;
}

const char *cvg_ossl_connect_bio(const struct cvg_ossl *ossl, BIO *bio, long what)
{
    char *text = NULL;

    if (bio)
        bio = ossl->crypto.BIO_find_type(bio, BIO_TYPE_CONNECT);
    if (!bio || ossl->crypto.BIO_ctrl(bio, BIO_C_GET_CONNECT, what, &text) <= 0)
        return NULL;
    return text;
}
