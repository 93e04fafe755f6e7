/* SPDX-License-Identifier: MIT */
/* What a server shows behind a TLS handshake, against a TLSA record, both an attacker's: a record
 * of the leaf itself matches it, and whatever comes nothing else happens. Before the chain: an
 * octet with the record's length, and the record. */
#include <stdbool.h>

#include "notary/chain.h"
#include "notary/dane.h"
#include "tests/fuzz/fuzz.h"

static bool keys_are_known(STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (X509_get0_pubkey(sk_X509_value(chain, i)) == NULL)
            return false;
    return true;
}

/* The leaf's own record: its digest. Whether it matches OpenSSL tells only if it knows the keys. */
static void own_record(struct cvg_dane *dane, STACK_OF(X509) * chain)
{
    uint8_t record[3 + CVG_SHA256_LEN] = {3, 0, 1};
    struct cvg_dns_answer answer = {.count = 1};
    FUZZ_CHECK(X509_digest(sk_X509_value(chain, 0), EVP_sha256(), record + 3, NULL) == 1);
    answer.record[0] = (struct cvg_dns_record){.rdata = record, .len = sizeof(record)};
    enum cvg_v2_opinion own = cvg_dane_judge(dane, "site.example", NULL, &answer, chain);
    FUZZ_CHECK(own != CVG_V2_OPINION_NONE || !keys_are_known(chain));
    record[3] ^= 1;
    FUZZ_CHECK(cvg_dane_judge(dane, "site.example", NULL, &answer, chain) != CVG_V2_OPINION_YES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cvg_dane *dane;
    STACK_OF(X509) *chain = NULL;
    struct cvg_dns_answer answer = {.count = 1};
    if (dane == NULL)
        FUZZ_CHECK(cvg_dane_new(&dane) == CVG_OK);
    if (size == 0 || size - 1 < data[0])
        return 0;
    answer.record[0] = (struct cvg_dns_record){.rdata = data + 1, .len = data[0]};
    struct cvg_blob *blob = cvg_blob_new(data + 1 + data[0], size - 1 - data[0]);
    FUZZ_CHECK(blob != NULL);
    if (cvg_chain_read(blob, &chain) == CVG_OK) {
        FUZZ_CHECK(sk_X509_num(chain) >= 1 && sk_X509_num(chain) <= CVG_CHAIN_MAX);
        (void)cvg_dane_judge(dane, "site.example", "other.example", &answer, chain);
        own_record(dane, chain);
        sk_X509_pop_free(chain, X509_free);
    }
    cvg_blob_unref(blob);
    return 0;
}
