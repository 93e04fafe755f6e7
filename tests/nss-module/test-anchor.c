/* SPDX-License-Identifier: MIT */
/* Which anchor is told, against a real NSS with a database of its own: honest private PKIs, and
 * what somebody may try who robbed a public CA and sends whatever certificates he likes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <secmod.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nss-module/anchor.h"
#include "tests/nss-module/anchor-world.h"

/* They need what the headers above define. */
#include <certdb.h>
#include <pkcs11n.h>

#define DAY_S     86400 /* NSS lets clocks be a day wrong */
#define LEAVES    64
#define MINUTE_MS 60000

/* --- honest --- */

static void a_private_root(void **state)
{
    struct minted sub = authority(SUB, world.sub_key, PRIVATE, world.private_key);

    (void)state;
    stored(&world.private_root, "C,,");
    sent(&sub);
    assert_told(leaf_from(PRIVATE, world.private_key), &world.private_root);
    assert_told(leaf_from(SUB, world.sub_key), &world.private_root);
}

static void a_root_without_trust(void **state)
{
    (void)state;
    stored(&world.private_root, ",,");
    assert_not_told(leaf_from(PRIVATE, world.private_key));
}

static void a_root_for_mail(void **state)
{
    (void)state;
    stored(&world.private_root, "T,C,C");
    assert_not_told(leaf_from(PRIVATE, world.private_key));
}

static void a_trusted_leaf(void **state)
{
    struct minted self;
    const struct mint_wish wish = {"site.example", world.leaf_key, "site.example", world.leaf_key,
                                   .basic = NULL};

    (void)state;
    mint(&wish, &self);
    assert_not_told(stored(&self, "P,,"));
    assert_not_told(stored(&world.private_root, "C,,"));
}

static void a_public_root(void **state)
{
    (void)state;
    stored(&world.public_root, "C,,");
    assert_not_told(leaf_from(PUBLIC, world.public_key));
}

/* --- by somebody who has the public CA's key --- */

static void a_root_with_the_same_key(void **state)
{
    struct minted again;

    (void)state;
    root(PUBLIC, world.public_key, &again);
    stored(&world.public_root, "C,,");
    sent(&again);
    assert_not_told(leaf_from(PUBLIC, world.public_key));
}

/* Whatever NSS takes for the issuer's issuer, he cannot sign for it. */
static void the_private_root_as_issuer(void **state)
{
    struct minted forged = authority(PUBLIC, world.public_key, PRIVATE, world.public_key);

    (void)state;
    stored(&world.private_root, "C,,");
    sent(&forged);
    assert_not_told(leaf_from(PUBLIC, world.public_key));
}

static void a_root_by_the_private_ones_name(void **state)
{
    struct minted forged;

    (void)state;
    root(PRIVATE, world.public_key, &forged);
    stored(&world.private_root, "C,,");
    sent(&forged);
    assert_not_told(leaf_from(PRIVATE, world.public_key));
}

/* The private CA signed the public one's key for its own ends. */
static void a_cross_signed_public_root(void **state)
{
    struct minted cross = authority(PUBLIC, world.public_key, PRIVATE, world.private_key);
    CERTCertificate *leaf;

    (void)state;
    world.astray[1] = stored(&world.private_root, "C,,");
    world.astray[0] = sent(&cross);
    world.nss.CERT_GetCertChainFromCert = chain_astray;
    leaf = leaf_from(PUBLIC, world.public_key);
    assert_told(leaf, &world.private_root);
    stored(&world.public_root, "C,,");
    cvg_anchor_forget(&world.nss);
    assert_not_told(leaf);
}

static void an_intermediate_that_the_user_trusts(void **state)
{
    struct minted sub = authority(SUB, world.sub_key, PUBLIC, world.public_key);

    (void)state;
    stored(&world.public_root, "C,,");
    stored(&sub, "C,,");
    assert_not_told(leaf_from(SUB, world.sub_key));
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
    stored(&world.private_root, "C,,");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[16];
        struct mint_wish wish = {
            name,          world.sub_key,       PRIVATE,        world.private_key, rows[i].basic,
            rows[i].usage, rows[i].constraints, rows[i].from_s, rows[i].to_s};

        snprintf(name, sizeof name, "Sub %zu", i);
        mint(&wish, &made);
        sent(&made);
        if (rows[i].told)
            assert_told(leaf_from(name, world.sub_key), &world.private_root);
        else
            assert_not_told(leaf_from(name, world.sub_key));
        drop_last();
        drop_last();
    }
}

static void too_long_a_path(void **state)
{
    const struct mint_wish wish = {SUB, world.sub_key, PRIVATE, world.private_key,
                                   .basic = CA ",pathlen:0"};
    struct minted sub, below = authority("Below", world.public_key, SUB, world.sub_key);

    (void)state;
    mint(&wish, &sub);
    stored(&world.private_root, "C,,");
    sent(&sub);
    sent(&below);
    assert_told(leaf_from(SUB, world.sub_key), &world.private_root);
    assert_not_told(leaf_from("Below", world.public_key));
}

static void a_forged_leaf(void **state)
{
    (void)state;
    stored(&world.private_root, "C,,");
    assert_not_told(leaf_from(PRIVATE, world.sub_key));
}

/* --- tokens --- */

static void a_slot_that_wants_a_pin(void **state)
{
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();

    (void)state;
    stored(&world.private_root, "C,,");
    assert_int_equal(PK11_ChangePW(slot, "", "secret"), SECSuccess);
    assert_int_equal(PK11_Logout(slot), SECSuccess);
    PK11_FreeSlot(slot);
    assert_told(leaf_from(PRIVATE, world.private_key), &world.private_root);
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
    stored(&world.private_root, "C,,");
    world.nss.PK11_IsFriendly = no;
    world.nss.PK11_NeedLogin = yes;
    world.nss.PK11_IsLoggedIn = not_in;
    assert_told(leaf_from(PRIVATE, world.private_key), &world.private_root);
    assert_int_equal(world.slots_searched, 0);
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

static PK11SlotList *no_tokens(CK_MECHANISM_TYPE type, PRBool writable, PRBool load, void *wincx)
{
    (void)type;
    (void)writable;
    (void)load;
    (void)wincx;
    return NULL;
}

static void no_tokens_at_all(void **state)
{
    (void)state;
    stored(&world.private_root, "C,,");
    world.nss.PK11_GetAllTokens = no_tokens;
    assert_not_told(leaf_from(PRIVATE, world.private_key));
}

/* The real thing: nobody here can sign for such a root, so that is only said to be so. */
static void mozillas_roots(void **state)
{
    char specification[] = "library=libnssckbi.so name=roots";
    SECMODModule *roots = SECMOD_LoadUserModule(specification, NULL, PR_FALSE);
    CERTCertificate *leaf = leaf_from(PUBLIC, world.public_key);
    CERTCertList *list;

    (void)state;
    if (!roots || !roots->loaded) {
        SECMOD_DestroyModule(roots);
        skip();
    }
    list = PK11_ListCertsInSlot(roots->slots[0]);
    assert_non_null(list);
    world.astray[0] = hold(first_that_issues(list));
    CERT_DestroyCertList(list);
    world.nss.CERT_GetCertChainFromCert = chain_astray;
    world.nss.CERT_VerifySignedDataWithPublicKey = verified;
    assert_not_told(leaf);
    cvg_anchor_forget(&world.nss);
    world.nss.PK11_HasAttributeSet = nothing_set;
    assert_true(cvg_anchor_find(&world.nss, leaf, (uint8_t[CVG_SHA256_LEN]){0}));
    SECMOD_UnloadUserModule(roots);
    SECMOD_DestroyModule(roots);
}

/* --- what is kept --- */

static void kept_for_a_minute(void **state)
{
    CERTCertificate *private_leaf, *public_leaf;

    (void)state;
    stored(&world.private_root, "C,,");
    stored(&world.public_root, "C,,");
    private_leaf = leaf_from(PRIVATE, world.private_key);
    public_leaf = leaf_from(PUBLIC, world.public_key);
    assert_told(private_leaf, &world.private_root);
    assert_not_told(public_leaf);
    assert_int_equal(world.walks, 2);
    world.now_ms += MINUTE_MS - 1;
    assert_told(private_leaf, &world.private_root);
    assert_not_told(public_leaf);
    assert_int_equal(world.walks, 2);
    world.now_ms++;
    assert_told(private_leaf, &world.private_root);
    assert_int_equal(world.walks, 3);
    cvg_anchor_forget(&world.nss);
    assert_told(private_leaf, &world.private_root);
    assert_int_equal(world.walks, 4);
}

static void kept_for_one_nss(void **state)
{
    static struct cvg_nss other;
    CERTCertificate *leaf;

    (void)state;
    stored(&world.private_root, "C,,");
    leaf = leaf_from(PRIVATE, world.private_key);
    assert_told(leaf, &world.private_root);
    other = world.nss;
    assert_true(cvg_anchor_find(&other, leaf, (uint8_t[CVG_SHA256_LEN]){0}));
    assert_int_equal(world.walks, 2);
    cvg_anchor_forget(&other);
}

/* As long as the other, and kept at the same place, which the last octets choose. */
static bool looks_like(const struct minted *a, const struct minted *b)
{
    const unsigned char *a_end = a->der + a->len, *b_end = b->der + b->len;

    return a->len == b->len && (a_end[-1] ^ a_end[-2]) == (b_end[-1] ^ b_end[-2]);
}

static void kept_for_one_leaf(void **state)
{
    const struct mint_wish honest = {"site.example", world.leaf_key, PRIVATE, world.private_key,
                                     .basic = NULL};
    const struct mint_wish robbed = {"site.example", world.leaf_key, "Another Root", world.sub_key,
                                     .basic = NULL};
    struct minted leaf[LEAVES], other;
    size_t found = LEAVES;

    (void)state;
    stored(&world.private_root, "C,,");
    for (size_t i = 0; i < LEAVES; i++)
        mint(&honest, &leaf[i]);
    while (found == LEAVES) {
        mint(&robbed, &other);
        for (found = 0; found < LEAVES && !looks_like(&leaf[found], &other); found++)
            ;
    }
    assert_told(sent(&leaf[found]), &world.private_root);
    assert_not_told(sent(&other));
}

static void *many_times(void *leaf)
{
    uint8_t found[CVG_SHA256_LEN];
    size_t told = 0;

    for (int i = 0; i < 1000; i++)
        told += cvg_anchor_find(&world.nss, leaf, found);
    return (void *)told;
}

static void from_many_threads(void **state)
{
    pthread_t thread[8];
    CERTCertificate *leaf;
    void *told;

    (void)state;
    stored(&world.private_root, "C,,");
    leaf = leaf_from(PRIVATE, world.private_key);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, many_times, leaf), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(thread[i], &told), 0);
        assert_int_equal((size_t)told, 1000);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)

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
        TEST(kept_for_one_leaf),
        TEST(from_many_threads),
    };

    return cmocka_run_group_tests_name("anchors of private PKIs", tests, NULL, NULL);
}
