/* SPDX-License-Identifier: MIT */
/* The NSS canary's own process: opens a database with the NSS of a given directory, as a program
 * would, and shakes hands twice with a server on the loopback. It only reports; its parent judges.
 * NSS is loaded here, not linked: each application may bring its own. */
#include "tools/canary.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <limits.h>
#include <netinet/in.h>
#include <nspr.h>
#include <private/pprio.h>
#include <nss.h>
#include <cert.h>
#include <pk11pub.h>
#include <secerr.h>
#include <ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/protocol/digest.h"
#include "tools/canary-report.h"
#include "tools/loopback.h"

#define HANDSHAKES 2
#define SECONDS    10
#define MODULE     "libconverge-nss.so"

#define FUNCTIONS(X)                                                                               \
    X(NSS_Initialize)                                                                              \
    X(NSS_Shutdown)                                                                                \
    X(PR_GetTCPMethods)                                                                            \
    X(PR_NewTCPSocket)                                                                             \
    X(PR_Connect)                                                                                  \
    X(PR_Close)                                                                                    \
    X(PR_Write)                                                                                    \
    X(PR_GetError) X(PR_SecondsToInterval) X(CERT_DestroyCertificate) X(PK11_GetInternalKeySlot)   \
        X(PK11_FreeSlot) X(PK11_InitPin)
#define SSL_FUNCTIONS(X)                                                                           \
    X(NSS_SetDomesticPolicy)                                                                       \
    X(SSL_ImportFD)                                                                                \
    X(SSL_SetURL) X(SSL_AuthCertificateHook) X(SSL_ForceHandshake) X(SSL_PeerCertificate)

#define POINTER(name) __typeof__(name) *name;
static struct {
    FUNCTIONS(POINTER)
    SSL_FUNCTIONS(POINTER)
} nss;

/* The library of the directory if it is there, else the system's; the ones that others need first,
 * since the loader finds them by name once they are there. */
static void *load(const char *directory, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s%s%s", directory, directory[0] != '\0' ? "/" : "", name);
    if (directory[0] == '\0' || access(path, F_OK) != 0)
        return dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    return dlopen(path, RTLD_NOW | RTLD_GLOBAL);
}

static bool load_all(const char *directory)
{
    static const char *const first[] = {"libnspr4.so", "libplc4.so", "libplds4.so",
                                        "libnssutil3.so", "libmozsqlite3.so"};
    void *nss3, *ssl3;
    bool whole = true;

    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        load(directory, first[i]);
    nss3 = load(directory, "libnss3.so");
    ssl3 = load(directory, "libssl3.so");
    if (nss3 == NULL || ssl3 == NULL)
        return false;
#define FIND(name)                                                                                 \
    nss.name = (__typeof__(nss.name))dlsym(nss3, #name);                                           \
    whole = whole && nss.name != NULL;
    FUNCTIONS(FIND)
#undef FIND
#define FIND(name)                                                                                 \
    nss.name = (__typeof__(nss.name))dlsym(ssl3, #name);                                           \
    whole = whole && nss.name != NULL;
    SSL_FUNCTIONS(FIND)
#undef FIND
    return whole;
}

/* Our module is loaded if it is in the process, and at work if NSPR's sockets call it. */
static void report_module(void)
{
    const PRIOMethods *methods = nss.PR_GetTCPMethods();
    void *module = dlopen(MODULE, RTLD_NOW | RTLD_NOLOAD);
    Dl_info info;

    if (module == NULL)
        return;
    dlclose(module);
    puts(CVG_CANARY_LOADED);
    if (dladdr((const void *)methods->write, &info) != 0 && info.dli_fname != NULL &&
        strstr(info.dli_fname, MODULE) != NULL)
        puts(CVG_CANARY_WATCHING);
}

static SECStatus accept_all(void *unused, PRFileDesc *fd, PRBool check, PRBool is_server)
{
    (void)unused, (void)fd, (void)check, (void)is_server;
    return SECSuccess;
}

static void report_leaf(PRFileDesc *fd)
{
    CERTCertificate *leaf = nss.SSL_PeerCertificate(fd);
    uint8_t digest[CVG_SHA256_LEN];
    char text[CVG_FINGERPRINT_TEXT_MAX];

    if (leaf == NULL)
        return;
    if (cvg_sha256(leaf->derCert.data, leaf->derCert.len, digest) == CVG_OK)
        printf(CVG_CANARY_LEAF " %s\n",
               cvg_fingerprint_format(digest, sizeof digest, text, sizeof text));
    nss.CERT_DestroyCertificate(leaf);
}

/* A refusal may come with the handshake's last message or with the first octet after it. */
static void shake_hands(PRFileDesc *fd)
{
    bool passed = nss.SSL_ForceHandshake(fd) == SECSuccess && nss.PR_Write(fd, "\n", 1) == 1;
    PRErrorCode error = passed ? 0 : nss.PR_GetError();

    report_leaf(fd);
    puts(passed                              ? CVG_CANARY_PASSED
         : error == SEC_ERROR_UNTRUSTED_CERT ? CVG_CANARY_REFUSED
                                             : CVG_CANARY_FAILED);
}

static bool try_once(uint16_t port)
{
    PRNetAddr address;
    PRFileDesc *tcp = nss.PR_NewTCPSocket();
    PRFileDesc *fd = tcp != NULL ? nss.SSL_ImportFD(NULL, tcp) : NULL;
    bool fine;

    memset(&address, 0, sizeof address);
    address.inet.family = PR_AF_INET;
    address.inet.ip = htonl(INADDR_LOOPBACK);
    address.inet.port = htons(port);
    fine = fd != NULL && nss.SSL_SetURL(fd, CVG_CANARY_HOST) == SECSuccess &&
           nss.SSL_AuthCertificateHook(fd, accept_all, NULL) == SECSuccess &&
           nss.PR_Connect(fd, &address, nss.PR_SecondsToInterval(SECONDS)) == PR_SUCCESS;
    if (fine) {
        printf(CVG_CANARY_PORT " %u\n", (unsigned)port);
        fflush(stdout);
        shake_hands(fd);
    }
    if (fd != NULL)
        nss.PR_Close(fd);
    else if (tcp != NULL)
        nss.PR_Close(tcp);
    return fine;
}

int cvg_canary_nss_main(const char *directory, const char *database)
{
    char configured[PATH_MAX + 8];
    struct cvg_loopback server;
    bool fine = true;

    snprintf(configured, sizeof configured, "sql:%s", database);
    if (!load_all(directory) || cvg_loopback_start(&server, NULL) != CVG_OK)
        return 1;
    cvg_canary_report_private();
    if (nss.NSS_Initialize(configured, "", "", "secmod.db",
                           NSS_INIT_READONLY | NSS_INIT_NOROOTINIT) == SECSuccess) {
        puts(CVG_CANARY_OPENED);
        report_module();
        nss.NSS_SetDomesticPolicy();
        for (int i = 0; fine && i < HANDSHAKES; i++)
            fine = try_once(server.port);
        nss.NSS_Shutdown();
    }
    cvg_loopback_end(&server);
    return fine ? 0 : 1;
}

/* What `certutil -N --empty-password` does. */
int cvg_canary_nss_create(const char *directory, const char *database)
{
    char configured[PATH_MAX + 8];
    PK11SlotInfo *slot;
    bool fine;

    snprintf(configured, sizeof configured, "sql:%s", database);
    if (!load_all(directory) ||
        nss.NSS_Initialize(configured, "", "", "secmod.db", NSS_INIT_NOROOTINIT) != SECSuccess)
        return 1;
    slot = nss.PK11_GetInternalKeySlot();
    fine = slot != NULL && nss.PK11_InitPin(slot, NULL, "") == SECSuccess;
    if (slot != NULL)
        nss.PK11_FreeSlot(slot);
    return nss.NSS_Shutdown() == SECSuccess && fine ? 0 : 1;
}
