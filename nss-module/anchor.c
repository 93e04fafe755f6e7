/* SPDX-License-Identifier: MIT */
/* What was found of leaves' anchors, kept for a short while, see anchor.h. Whatever keeps this from
 * working costs time, nothing else: the chain is walked again. */
#include "config.h"

#include "nss-module/anchor.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "nss-module/anchor-walk.h"
#include "nss-module/lock.h"

#define KEPT    256   /* leaves */
#define LARGEST 8192  /* octets of a leaf that is kept */
#define LIFE_MS 60000 /* then trust may have changed */

/* Kept by value: a reference would keep NSS from shutting down. */
struct kept {
    const struct cvg_nss *nss;
    uint8_t *der;
    size_t len;
    uint64_t until_ms;
    bool told;
    uint8_t sha256[CVG_SHA256_LEN];
};

static struct kept kept[KEPT];

/* A leaf's last octets are of its signature, as good as chosen at random. */
static struct kept *place_of(const SECItem *der)
{
    return &kept[(der->data[der->len - 1] ^ der->data[der->len - 2]) % KEPT];
}

static bool may_keep(const SECItem *der)
{
    return der->len >= 2 && der->len <= LARGEST;
}

/* false: not known. */
static bool recall(const struct cvg_nss *nss, const SECItem *der, bool *ret_told,
                   uint8_t ret_sha256[static CVG_SHA256_LEN])
{
    uint64_t now_ms = cvg_clock_ms(cvg_clock_system());
    const struct kept *at;
    bool known;

    if (!may_keep(der))
        return false;
    cvg_lock(CVG_LOCK_ANCHORS);
    at = place_of(der);
    known = at->der && at->nss == nss && now_ms < at->until_ms && at->len == der->len &&
            memcmp(at->der, der->data, der->len) == 0;
    if (known) {
        *ret_told = at->told;
        memcpy(ret_sha256, at->sha256, CVG_SHA256_LEN);
    }
    cvg_unlock(CVG_LOCK_ANCHORS);
    return known;
}

static void keep(const struct cvg_nss *nss, const SECItem *der, bool told,
                 const uint8_t sha256[static CVG_SHA256_LEN])
{
    struct kept new = {.nss = nss, .told = told};
    struct kept *at;
    uint8_t *old;

    if (!may_keep(der) || !(new.der = malloc(der->len)))
        return;
    memcpy(new.der, der->data, der->len);
    memcpy(new.sha256, sha256, CVG_SHA256_LEN);
    new.len = der->len;
    new.until_ms = cvg_clock_ms(cvg_clock_system()) + LIFE_MS;
    cvg_lock(CVG_LOCK_ANCHORS);
    at = place_of(der);
    old = at->der;
    *at = new;
    cvg_unlock(CVG_LOCK_ANCHORS);
    free(old);
}

bool cvg_anchor_find(struct cvg_nss *nss, CERTCertificate *leaf,
                     uint8_t ret_sha256[static CVG_SHA256_LEN])
{
    uint8_t sha256[CVG_SHA256_LEN] = {0};
    bool told;

    if (!recall(nss, &leaf->derCert, &told, sha256)) {
        told = cvg_anchor_walk(nss, leaf, sha256);
        keep(nss, &leaf->derCert, told, sha256);
    }
    if (told)
        memcpy(ret_sha256, sha256, CVG_SHA256_LEN);
    return told;
}

void cvg_anchor_forget(const struct cvg_nss *nss)
{
    for (size_t i = 0; i < KEPT; i++) {
        uint8_t *old = NULL;

        cvg_lock(CVG_LOCK_ANCHORS);
        if (kept[i].nss == nss) {
            old = kept[i].der;
            kept[i] = (struct kept){.nss = NULL};
        }
        cvg_unlock(CVG_LOCK_ANCHORS);
        free(old);
    }
}
