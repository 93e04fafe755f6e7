/* SPDX-License-Identifier: MIT */
/* Begins and ends NSS, mints and stores, see anchor-world.h. */
#include "config.h"

#include "tests/nss-module/anchor-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ftw.h>
#include <nss.h>
#include <secmod.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "nss-module/anchor.h"

/* It needs what the headers above define. */
#include <pkcs11n.h>

#define CERTS_MAX 8

struct anchor_world world;

static char directory[] = "/tmp/cvg-anchor-XXXXXX";
static CERTCertificate *held[CERTS_MAX];
static size_t held_count;
static __thread CERTCertificate *asked; /* the one that was looked for in a slot */
static atomic_int pins_asked;

/* --- NSS as the module sees it, with a public root of our own --- */

static CK_OBJECT_HANDLE find_in_slot(PK11SlotInfo *slot, CERTCertificate *cert, void *wincx)
{
    asked = cert;
    world.slots_searched++;
    assert_null(wincx);
    return PK11_FindCertInSlot(slot, cert, wincx);
}

static CK_BBOOL has_attribute(PK11SlotInfo *slot, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type,
                              PRBool have_lock)
{
    if (type == CKA_NSS_MOZILLA_CA_POLICY && asked->derCert.len == world.public_root.len &&
        memcmp(asked->derCert.data, world.public_root.der, world.public_root.len) == 0)
        return CK_TRUE;
    return PK11_HasAttributeSet(slot, handle, type, have_lock);
}

static CERTCertList *chain_of(CERTCertificate *cert, PRTime time, SECCertUsage usage)
{
    world.walks++;
    return CERT_GetCertChainFromCert(cert, time, usage);
}

CERTCertList *chain_astray(CERTCertificate *cert, PRTime time, SECCertUsage usage)
{
    CERTCertList *chain = CERT_NewCertList();

    (void)time;
    (void)usage;
    CERT_AddCertToListTail(chain, CERT_DupCertificate(cert));
    for (size_t i = 0; i < 2 && world.astray[i]; i++)
        CERT_AddCertToListTail(chain, CERT_DupCertificate(world.astray[i]));
    return chain;
}

static char *ask_for_pin(PK11SlotInfo *slot, PRBool again, void *context)
{
    (void)slot;
    (void)again;
    (void)context;
    pins_asked++;
    return NULL;
}

static uint64_t test_ms(void *user)
{
    (void)user;
    return world.now_ms;
}

const struct cvg_clock *__wrap_cvg_clock_system(void);
const struct cvg_clock *__wrap_cvg_clock_system(void)
{
    static const struct cvg_clock clock = {.monotonic_ms = test_ms};

    return &clock;
}

static void fill_nss(void)
{
#define FILL(name) world.nss.name = name;
    CVG_NSS_FUNCTIONS(FILL)
#undef FILL
    world.nss.PK11_FindCertInSlot = find_in_slot;
    world.nss.PK11_HasAttributeSet = has_attribute;
    world.nss.CERT_GetCertChainFromCert = chain_of;
}

/* --- certificates --- */

void drop_last(void)
{
    CERT_DestroyCertificate(held[--held_count]);
}

CERTCertificate *hold(CERTCertificate *cert)
{
    assert_non_null(cert);
    assert_true(held_count < CERTS_MAX);
    held[held_count++] = cert;
    return cert;
}

static SECItem item_of(const struct minted *from)
{
    static unsigned char room[MINT_MAX];

    memcpy(room, from->der, from->len);
    return (SECItem){siDERCertBuffer, room, (unsigned)from->len};
}

/* As the server sends it. */
CERTCertificate *sent(const struct minted *from)
{
    SECItem der = item_of(from);

    return hold(CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &der, NULL, PR_FALSE, PR_TRUE));
}

/* As the user's database has it. */
CERTCertificate *stored(const struct minted *from, const char *flags)
{
    CERTCertificate *cert = sent(from);
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();
    CERTCertTrust trust;

    assert_int_equal(PK11_ImportCert(slot, cert, CK_INVALID_HANDLE, cert->subjectName, PR_FALSE),
                     SECSuccess);
    PK11_FreeSlot(slot);
    assert_int_equal(CERT_DecodeTrustString(&trust, flags), SECSuccess);
    assert_int_equal(CERT_ChangeCertTrust(CERT_GetDefaultCertDB(), cert, &trust), SECSuccess);
    return cert;
}

void root(const char *name, const struct mint_key *key, struct minted *ret_minted)
{
    const struct mint_wish wish = {name, key, name, key, .basic = CA};

    mint(&wish, ret_minted);
}

struct minted authority(const char *name, const struct mint_key *key, const char *issuer,
                        const struct mint_key *signer)
{
    const struct mint_wish wish = {name, key, issuer, signer, .basic = CA};
    struct minted made;

    mint(&wish, &made);
    return made;
}

CERTCertificate *leaf_from(const char *issuer, const struct mint_key *signer)
{
    const struct mint_wish wish = {"site.example", world.leaf_key, issuer, signer, .basic = NULL};
    struct minted made;

    mint(&wish, &made);
    return sent(&made);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

int world_begin(void **state)
{
    char database[sizeof directory + 4];
    PK11SlotInfo *slot;

    (void)state;
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(database, sizeof database, "sql:%s", directory);
    assert_int_equal(NSS_InitReadWrite(database), SECSuccess);
    slot = PK11_GetInternalKeySlot();
    assert_int_equal(PK11_InitPin(slot, NULL, ""), SECSuccess);
    PK11_FreeSlot(slot);
    PK11_SetPasswordFunc(ask_for_pin);
    fill_nss();
    world.astray[0] = world.astray[1] = NULL;
    world.walks = 0;
    world.slots_searched = 0;
    pins_asked = 0;
    world.now_ms = 1000;
    world.private_key = mint_key_new();
    world.public_key = mint_key_new();
    world.sub_key = mint_key_new();
    world.leaf_key = mint_key_new();
    root(PRIVATE, world.private_key, &world.private_root);
    root(PUBLIC, world.public_key, &world.public_root);
    return 0;
}

int world_end(void **state)
{
    (void)state;
    while (held_count > 0)
        drop_last();
    cvg_anchor_forget(&world.nss);
    mint_key_free(world.private_key);
    mint_key_free(world.public_key);
    mint_key_free(world.sub_key);
    mint_key_free(world.leaf_key);
    assert_int_equal(pins_asked, 0);
    /* Refused where a reference is left. */
    assert_int_equal(NSS_Shutdown(), SECSuccess);
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void assert_told(CERTCertificate *leaf, const struct minted *anchor)
{
    uint8_t expected[CVG_SHA256_LEN], found[CVG_SHA256_LEN] = {0};

    assert_int_equal(PK11_HashBuf(SEC_OID_SHA256, expected, anchor->der, (PRInt32)anchor->len),
                     SECSuccess);
    assert_true(cvg_anchor_find(&world.nss, leaf, found));
    assert_memory_equal(found, expected, sizeof expected);
}

void assert_not_told(CERTCertificate *leaf)
{
    static const uint8_t untouched[CVG_SHA256_LEN];
    uint8_t found[CVG_SHA256_LEN] = {0};

    assert_false(cvg_anchor_find(&world.nss, leaf, found));
    assert_memory_equal(found, untouched, sizeof untouched);
}
