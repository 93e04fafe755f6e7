/* SPDX-License-Identifier: MIT */
/* Trust lookups, through NSS and directly.
 *
 *   nss-lookups DATABASE LEAF.der COUNT
 *
 * Verifies the leaf COUNT times as NSS does with one that it has not seen, and then asks the module
 * "converge" as often, if the database has it, for a trust object of that leaf's. Prints a line
 * "VERIFY_CPU_NS LOOKUP_CPU_NS" for each; 0 without the module. */
#include <stdio.h>
#include <stdlib.h>

#include <cert.h>
#include <pkcs11.h>
#include <secmod.h>
#include <secmodt.h>

#include "bench/nss-world.h"

static unsigned char leaf[65536];
static unsigned leaf_len;

static void read_leaf(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file)
        leaf_len = (unsigned)fread(leaf, 1, sizeof leaf, file);
    nss_must(leaf_len > 0, path);
    fclose(file);
}

static CERTCertificate *parse(void)
{
    SECItem der = {siDERCertBuffer, leaf, leaf_len};
    CERTCertificate *cert =
        CERT_NewTempCertificate(CERT_GetDefaultCertDB(), &der, NULL, PR_FALSE, PR_TRUE);

    nss_must(cert != NULL, "certificate");
    return cert;
}

static uint64_t verify(void)
{
    uint64_t cpu = nss_cpu_ns();
    CERTCertificate *cert = parse();

    nss_must(CERT_VerifyCertNow(CERT_GetDefaultCertDB(), cert, PR_TRUE, certUsageSSLServer, NULL) ==
                 SECSuccess,
             "verify");
    CERT_DestroyCertificate(cert);
    return nss_cpu_ns() - cpu;
}

static uint64_t look_up(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session,
                        const CERTCertificate *cert)
{
    CK_OBJECT_CLASS class = CKO_NSS_TRUST;
    CK_BBOOL token = CK_TRUE;
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &token, sizeof token},
        {CKA_CLASS, &class, sizeof class},
        {CKA_ISSUER, cert->derIssuer.data, cert->derIssuer.len},
        {CKA_SERIAL_NUMBER, cert->serialNumber.data, cert->serialNumber.len},
    };
    CK_OBJECT_HANDLE found;
    CK_ULONG count = 0;
    uint64_t cpu = nss_cpu_ns();

    nss_must(functions->C_FindObjectsInit(session, template, 4) == CKR_OK &&
                 functions->C_FindObjects(session, &found, 1, &count) == CKR_OK &&
                 functions->C_FindObjectsFinal(session) == CKR_OK && count == 0,
             "find");
    return nss_cpu_ns() - cpu;
}

static CK_FUNCTION_LIST *open_module(CK_SESSION_HANDLE *ret_session)
{
    SECMODModule *module = SECMOD_FindModule("converge");
    CK_FUNCTION_LIST *functions = module ? module->functionList : NULL;
    CK_SLOT_ID slot;
    CK_ULONG count = 1;

    if (functions)
        nss_must(functions->C_GetSlotList(CK_TRUE, &slot, &count) == CKR_OK &&
                     functions->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, ret_session) ==
                         CKR_OK,
                 "session");
    if (module)
        SECMOD_DestroyModule(module);
    return functions;
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE session = 0;
    CK_FUNCTION_LIST *functions;
    CERTCertificate *cert;

    if (argc != 4) {
        fprintf(stderr, "usage: nss-lookups DATABASE LEAF.der COUNT\n");
        return 2;
    }
    nss_begin(argv[1]);
    read_leaf(argv[2]);
    functions = open_module(&session);
    for (long i = atol(argv[3]); i > 0; i--) {
        uint64_t verified = verify(), looked_up = 0;

        cert = parse();
        if (functions)
            looked_up = look_up(functions, session, cert);
        CERT_DestroyCertificate(cert);
        printf("%llu %llu\n", (unsigned long long)verified, (unsigned long long)looked_up);
    }
    if (functions)
        functions->C_CloseSession(session);
    nss_end();
    return 0;
}
