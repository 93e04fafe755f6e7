/* SPDX-License-Identifier: MIT */
/* Which anchor is told, against a real NSS with a database of its own: honest private PKIs, and
 * what somebody may try who robbed a public CA and sends whatever certificates he likes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <nss.h>
#include <pthread.h>
#include <secmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "nss-module/anchor.h"
#include "tests/nss-module/mint.h"

/* They need what the headers above define. */
#include <certdb.h>
#include <pkcs11n.h>

#define CA        "critical,CA:TRUE"
#define CERTS_MAX 8
#define DAY_S     86400 /* NSS lets clocks be a day wrong */
#define MINUTE_MS 60000
#define PRIVATE   "Private Root"
#define PUBLIC    "Public Root"
#define SUB       "Sub"

static struct cvg_nss nss;
static char directory[] = "/tmp/cvg-anchor-XXXXXX";
static struct mint_key *private_key, *public_key, *sub_key, *leaf_key;
static struct minted private_root, public_root;
static CERTCertificate *held[CERTS_MAX];
static size_t held_count;
static CERTCertificate *asked; /* the one that was looked for in a slot */
static int walks, slots_searched, pins_asked;
static uint64_t now_ms;

/* --- NSS as the module sees it, with a public root of our own --- */

static CK_OBJECT_HANDLE find_in_slot(PK11SlotInfo *slot, CERTCertificate *cert, void *wincx)
{
    asked = cert;
    slots_searched++;
    assert_null(wincx);
    return PK11_FindCertInSlot(slot, cert, wincx);
}

static CK_BBOOL has_attribute(PK11SlotInfo *slot, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type,
                              PRBool have_lock)
{
    if (type == CKA_NSS_MOZILLA_CA_POLICY && asked->derCert.len == public_root.len &&
        memcmp(asked->derCert.data, public_root.der, public_root.len) == 0)
        return CK_TRUE;
    return PK11_HasAttributeSet(slot, handle, type, have_lock);
}

static CERTCertList *chain_of(CERTCertificate *cert, PRTime time, SECCertUsage usage)
{
    walks++;
    return CERT_GetCertChainFromCert(cert, time, usage);
}

/* What NSS was led to find above the leaf. */
static CERTCertificate *astray[2];

static CERTCertList *chain_astray(CERTCertificate *cert, PRTime time, SECCertUsage usage)
{
    CERTCertList *chain = CERT_NewCertList();

    (void)time;
    (void)usage;
    CERT_AddCertToListTail(chain, CERT_DupCertificate(cert));
    for (size_t i = 0; i < 2 && astray[i]; i++)
        CERT_AddCertToListTail(chain, CERT_DupCertificate(astray[i]));
    return chain;
}

static PK11SlotList *no_tokens(CK_MECHANISM_TYPE type, PRBool writable, PRBool load, void *wincx)
{
    (void)type;
    (void)writable;
    (void)load;
    (void)wincx;
    return NULL;
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
    return now_ms;
}

const struct cvg_clock *__wrap_cvg_clock_system(void);
const struct cvg_clock *__wrap_cvg_clock_system(void)
{
    static const struct cvg_clock clock = {.monotonic_ms = test_ms};

    return &clock;
}

static void fill_nss(void)
{
#define FILL(name) nss.name = name;
    CVG_NSS_FUNCTIONS(FILL)
#undef FILL
    nss.PK11_FindCertInSlot = find_in_slot;
    nss.PK11_HasAttributeSet = has_attribute;
    nss.CERT_GetCertChainFromCert = chain_of;
}

/* --- certificates --- */

static CERTCertificate *hold(CERTCertificate *cert)
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
static CERTCertificate *sent(const struct minted *from)
{
    SECItem der = item_of(from);

    return hold(CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &der, NULL, PR_FALSE, PR_TRUE));
}

/* As the user's database has it. */
static CERTCertificate *stored(const struct minted *from, const char *flags)
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

static void root(const char *name, const struct mint_key *key, struct minted *ret_minted)
{
    const struct mint_wish wish = {name, key, name, key, .basic = CA};

    mint(&wish, ret_minted);
}

static struct minted authority(const char *name, const struct mint_key *key, const char *issuer,
                               const struct mint_key *signer)
{
    const struct mint_wish wish = {name, key, issuer, signer, .basic = CA};
    struct minted made;

    mint(&wish, &made);
    return made;
}

static CERTCertificate *leaf_from(const char *issuer, const struct mint_key *signer)
{
    const struct mint_wish wish = {"site.example", leaf_key, issuer, signer, .basic = NULL};
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

static int begin(void **state)
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
    astray[0] = astray[1] = NULL;
    walks = slots_searched = pins_asked = 0;
    now_ms = 1000;
    private_key = mint_key_new();
    public_key = mint_key_new();
    sub_key = mint_key_new();
    leaf_key = mint_key_new();
    root(PRIVATE, private_key, &private_root);
    root(PUBLIC, public_key, &public_root);
    return 0;
}

static int end(void **state)
{
    (void)state;
    while (held_count > 0)
        CERT_DestroyCertificate(held[--held_count]);
    cvg_anchor_forget(&nss);
    mint_key_free(private_key);
    mint_key_free(public_key);
    mint_key_free(sub_key);
    mint_key_free(leaf_key);
    assert_int_equal(pins_asked, 0);
    /* Refused where a reference is left. */
    assert_int_equal(NSS_Shutdown(), SECSuccess);
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void assert_told(CERTCertificate *leaf, const struct minted *anchor)
{
    uint8_t expected[CVG_SHA256_LEN], found[CVG_SHA256_LEN] = {0};

    assert_int_equal(PK11_HashBuf(SEC_OID_SHA256, expected, anchor->der, (PRInt32)anchor->len),
                     SECSuccess);
    assert_true(cvg_anchor_find(&nss, leaf, found));
    assert_memory_equal(found, expected, sizeof expected);
}

static void assert_not_told(CERTCertificate *leaf)
{
    static const uint8_t untouched[CVG_SHA256_LEN];
    uint8_t found[CVG_SHA256_LEN] = {0};

    assert_false(cvg_anchor_find(&nss, leaf, found));
    assert_memory_equal(found, untouched, sizeof untouched);
}

/* --- honest --- */

static void a_private_root(void **state)
{
    struct minted sub = authority(SUB, sub_key, PRIVATE, private_key);

    (void)state;
    stored(&private_root, "C,,");
    sent(&sub);
    assert_told(leaf_from(PRIVATE, private_key), &private_root);
    assert_told(leaf_from(SUB, sub_key), &private_root);
}

static void a_root_without_trust(void **state)
{
    (void)state;
    stored(&private_root, ",,");
    assert_not_told(leaf_from(PRIVATE, private_key));
}

static void a_root_for_mail(void **state)
{
    (void)state;
    stored(&private_root, "T,C,C");
    assert_not_told(leaf_from(PRIVATE, private_key));
}

static void a_trusted_leaf(void **state)
{
    struct minted self;
    const struct mint_wish wish = {"site.example", leaf_key, "site.example", leaf_key,
                                   .basic = NULL};

    (void)state;
    mint(&wish, &self);
    assert_not_told(stored(&self, "P,,"));
}

static void a_public_root(void **state)
{
    (void)state;
    stored(&public_root, "C,,");
    assert_not_told(leaf_from(PUBLIC, public_key));
}

/* --- by somebody who has the public CA's key --- */

static void a_root_with_the_same_key(void **state)
{
    struct minted again;

    (void)state;
    root(PUBLIC, public_key, &again);
    stored(&public_root, "C,,");
    sent(&again);
    assert_not_told(leaf_from(PUBLIC, public_key));
}

/* Whatever NSS takes for the issuer's issuer, he cannot sign for it. */
static void the_private_root_as_issuer(void **state)
{
    struct minted forged = authority(PUBLIC, public_key, PRIVATE, public_key);

    (void)state;
    stored(&private_root, "C,,");
    sent(&forged);
    assert_not_told(leaf_from(PUBLIC, public_key));
}

static void a_root_by_the_private_ones_name(void **state)
{
    struct minted forged;

    (void)state;
    root(PRIVATE, public_key, &forged);
    stored(&private_root, "C,,");
    sent(&forged);
    assert_not_told(leaf_from(PRIVATE, public_key));
}

/* The private CA signed the public one's key for its own ends. */
static void a_cross_signed_public_root(void **state)
{
    struct minted cross = authority(PUBLIC, public_key, PRIVATE, private_key);
    CERTCertificate *leaf;

    (void)state;
    astray[1] = stored(&private_root, "C,,");
    astray[0] = sent(&cross);
    nss.CERT_GetCertChainFromCert = chain_astray;
    leaf = leaf_from(PUBLIC, public_key);
    assert_told(leaf, &private_root);
    stored(&public_root, "C,,");
    cvg_anchor_forget(&nss);
    assert_not_told(leaf);
}

static void an_intermediate_that_the_user_trusts(void **state)
{
    struct minted sub = authority(SUB, sub_key, PUBLIC, public_key);

    (void)state;
    stored(&public_root, "C,,");
    stored(&sub, "C,,");
    assert_not_told(leaf_from(SUB, sub_key));
}

/* What a private CA signed, and what it did not mean to. */
static void not_an_authority(void **state)
{
    static const struct {
        const char *basic, *usage, *constraints;
        int from_s, to_s;
        bool told;
    } rows[] = {
        {CA, "critical,keyCertSign", NULL, 0, 0, true},
        {CA ",pathlen:0", NULL, NULL, 0, 0, true},
        {NULL, NULL, NULL, 0, 0, false},
        {"CA:FALSE", NULL, NULL, 0, 0, false},
        {CA, "critical,digitalSignature", NULL, 0, 0, false},
        {CA, NULL, "critical,permitted;DNS:dept.corp.example", 0, 0, false},
        {CA, NULL, NULL, -3 * DAY_S, -2 * DAY_S, false},
        {CA, NULL, NULL, 2 * DAY_S, 3 * DAY_S, false},
    };
    struct minted made;

    (void)state;
    stored(&private_root, "C,,");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        struct mint_wish wish = {name,
                                 sub_key,
                                 PRIVATE,
                                 private_key,
                                 rows[i].basic,
                                 rows[i].usage,
                                 rows[i].constraints,
                                 rows[i].from_s,
                                 rows[i].to_s};

        snprintf(name, sizeof name, "Sub %zu", i);
        mint(&wish, &made);
        sent(&made);
        if (rows[i].told)
            assert_told(leaf_from(name, sub_key), &private_root);
        else
            assert_not_told(leaf_from(name, sub_key));
        CERT_DestroyCertificate(held[--held_count]);
        CERT_DestroyCertificate(held[--held_count]);
    }
}

static void too_long_a_path(void **state)
{
    const struct mint_wish wish = {SUB, sub_key, PRIVATE, private_key, .basic = CA ",pathlen:0"};
    struct minted sub, below = authority("Below", public_key, SUB, sub_key);

    (void)state;
    mint(&wish, &sub);
    stored(&private_root, "C,,");
    sent(&sub);
    sent(&below);
    assert_told(leaf_from(SUB, sub_key), &private_root);
    assert_not_told(leaf_from("Below", public_key));
}

static void a_forged_leaf(void **state)
{
    (void)state;
    stored(&private_root, "C,,");
    assert_not_told(leaf_from(PRIVATE, sub_key));
}

/* --- tokens --- */

static void a_slot_that_wants_a_pin(void **state)
{
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();

    (void)state;
    stored(&private_root, "C,,");
    assert_int_equal(PK11_ChangePW(slot, "", "secret"), SECSuccess);
    assert_int_equal(PK11_Logout(slot), SECSuccess);
    PK11_FreeSlot(slot);
    assert_told(leaf_from(PRIVATE, private_key), &private_root);
}

static PRBool no(PK11SlotInfo *slot)
{
    (void)slot;
    return PR_FALSE;
}

static PRBool yes(PK11SlotInfo *slot)
{
    (void)slot;
    return PR_TRUE;
}

static PRBool not_in(PK11SlotInfo *slot, void *wincx)
{
    (void)slot;
    assert_null(wincx);
    return PR_FALSE;
}

static void an_unfriendly_slot(void **state)
{
    (void)state;
    stored(&private_root, "C,,");
    nss.PK11_IsFriendly = no;
    nss.PK11_NeedLogin = yes;
    nss.PK11_IsLoggedIn = not_in;
    assert_told(leaf_from(PRIVATE, private_key), &private_root);
    assert_int_equal(slots_searched, 0);
}

static SECStatus verified(const CERTSignedData *data, SECKEYPublicKey *key, void *wincx)
{
    (void)data;
    (void)key;
    assert_null(wincx);
    return SECSuccess;
}

static CK_BBOOL nothing_set(PK11SlotInfo *slot, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type,
                            PRBool have_lock)
{
    (void)slot;
    (void)handle;
    (void)type;
    (void)have_lock;
    return CK_FALSE;
}

static CERTCertificate *first_that_issues(CERTCertList *list)
{
    for (CERTCertListNode *at = CERT_LIST_HEAD(list); !CERT_LIST_END(at, list);
         at = CERT_LIST_NEXT(at)) {
        CERTCertTrust trust;

        if (CERT_GetCertTrust(at->cert, &trust) == SECSuccess &&
            (trust.sslFlags & CERTDB_TRUSTED_CA) &&
            CERT_CheckCertValidTimes(at->cert, PR_Now(), PR_FALSE) == secCertTimeValid)
            return CERT_DupCertificate(at->cert);
    }
    return NULL;
}

static void no_tokens_at_all(void **state)
{
    (void)state;
    stored(&private_root, "C,,");
    nss.PK11_GetAllTokens = no_tokens;
    assert_not_told(leaf_from(PRIVATE, private_key));
}

/* The real thing: nobody here can sign for such a root, so that is only said to be so. */
static void mozillas_roots(void **state)
{
    char specification[] = "library=libnssckbi.so name=roots";
    SECMODModule *roots = SECMOD_LoadUserModule(specification, NULL, PR_FALSE);
    CERTCertificate *leaf = leaf_from(PUBLIC, public_key);
    CERTCertList *list;

    (void)state;
    if (!roots || !roots->loaded) {
        SECMOD_DestroyModule(roots);
        skip();
    }
    list = PK11_ListCertsInSlot(roots->slots[0]);
    assert_non_null(list);
    astray[0] = hold(first_that_issues(list));
    CERT_DestroyCertList(list);
    nss.CERT_GetCertChainFromCert = chain_astray;
    nss.CERT_VerifySignedDataWithPublicKey = verified;
    assert_not_told(leaf);
    cvg_anchor_forget(&nss);
    nss.PK11_HasAttributeSet = nothing_set;
    assert_true(cvg_anchor_find(&nss, leaf, (uint8_t[CVG_SHA256_LEN]){0}));
    SECMOD_UnloadUserModule(roots);
    SECMOD_DestroyModule(roots);
}

/* --- what is kept --- */

static void kept_for_a_minute(void **state)
{
    CERTCertificate *private_leaf, *public_leaf;

    (void)state;
    stored(&private_root, "C,,");
    stored(&public_root, "C,,");
    private_leaf = leaf_from(PRIVATE, private_key);
    public_leaf = leaf_from(PUBLIC, public_key);
    assert_told(private_leaf, &private_root);
    assert_not_told(public_leaf);
    assert_int_equal(walks, 2);
    now_ms += MINUTE_MS - 1;
    assert_told(private_leaf, &private_root);
    assert_not_told(public_leaf);
    assert_int_equal(walks, 2);
    now_ms++;
    assert_told(private_leaf, &private_root);
    assert_int_equal(walks, 3);
    cvg_anchor_forget(&nss);
    assert_told(private_leaf, &private_root);
    assert_int_equal(walks, 4);
}

static void kept_for_one_nss(void **state)
{
    static struct cvg_nss other;
    CERTCertificate *leaf;

    (void)state;
    stored(&private_root, "C,,");
    leaf = leaf_from(PRIVATE, private_key);
    assert_told(leaf, &private_root);
    other = nss;
    assert_true(cvg_anchor_find(&other, leaf, (uint8_t[CVG_SHA256_LEN]){0}));
    assert_int_equal(walks, 2);
    cvg_anchor_forget(&other);
}

static void *many_times(void *leaf)
{
    uint8_t found[CVG_SHA256_LEN];
    size_t told = 0;

    for (int i = 0; i < 1000; i++)
        told += cvg_anchor_find(&nss, leaf, found);
    return (void *)told;
}

static void from_many_threads(void **state)
{
    pthread_t thread[8];
    CERTCertificate *leaf;
    void *told;

    (void)state;
    stored(&private_root, "C,,");
    leaf = leaf_from(PRIVATE, private_key);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, many_times, leaf), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(thread[i], &told), 0);
        assert_int_equal((size_t)told, 1000);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_private_root),
        TEST(a_root_without_trust),
        TEST(a_root_for_mail),
        TEST(a_trusted_leaf),
        TEST(a_public_root),
        TEST(a_root_with_the_same_key),
        TEST(the_private_root_as_issuer),
        TEST(a_root_by_the_private_ones_name),
        TEST(a_cross_signed_public_root),
        TEST(an_intermediate_that_the_user_trusts),
        TEST(not_an_authority),
        TEST(too_long_a_path),
        TEST(a_forged_leaf),
        TEST(a_slot_that_wants_a_pin),
        TEST(an_unfriendly_slot),
        TEST(no_tokens_at_all),
        TEST(mozillas_roots),
        TEST(kept_for_a_minute),
        TEST(kept_for_one_nss),
        TEST(from_many_threads),
    };

    return cmocka_run_group_tests_name("anchors of private PKIs", tests, NULL, NULL);
}
