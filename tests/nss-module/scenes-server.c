/* SPDX-License-Identifier: MIT */
/* A server over NSS that wants its clients' certificates, see host.h. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pk11pub.h>
#include <prerror.h>
#include <nssb64.h>

#include "tests/nss-module/host.h"

#define FILE_LEN 16384

static char *read_file(const char *path, char text[static FILE_LEN])
{
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(text, 1, FILE_LEN - 1, file) : 0;

    if (file)
        fclose(file);
    text[len] = '\0';
    return text;
}

static CERTCertificate *load_certificate(void)
{
    char text[FILE_LEN];

    read_file(options.cert, text);
    return CERT_DecodeCertFromPackage(text, (int)strlen(text));
}

/* The key lies beside the certificate: NAME.key for NAME.pem, PKCS#8 in PEM. */
static SECKEYPrivateKey *load_key(CERTCertificate *cert)
{
    char text[FILE_LEN], path[1024], *begin, *end;
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();
    SECKEYPublicKey *public = CERT_ExtractPublicKey(cert);
    SECKEYPrivateKey *key = NULL;
    SECItem der = {siBuffer, NULL, 0};

    snprintf(path, sizeof path, "%.*s.key", (int)(strlen(options.cert) - 4), options.cert);
    begin = strstr(read_file(path, text), "KEY-----");
    end = begin ? strstr(begin, "-----END") : NULL;
    if (!end || !public)
        return NULL;
    *end = '\0';
    if (!NSSBase64_DecodeBuffer(NULL, &der, begin + 8, (unsigned)(end - begin - 8)) ||
        PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, &der, NULL, &public->u.ec.publicValue,
                                                 PR_FALSE, PR_FALSE, KU_ALL, &key,
                                                 NULL) != SECSuccess)
        fprintf(stderr, "key: %s\n", PR_ErrorToName(PR_GetError()));
    SECITEM_FreeItem(&der, PR_FALSE);
    SECKEY_DestroyPublicKey(public);
    PK11_FreeSlot(slot);
    return key;
}

static PRFileDesc *listen_here(void)
{
    PRFileDesc *fd = PR_NewTCPSocket();
    PRNetAddr address;

    PR_InitializeNetAddr(PR_IpAddrLoopback, 0, &address);
    if (!fd || PR_Bind(fd, &address) != PR_SUCCESS || PR_Listen(fd, 16) != PR_SUCCESS ||
        PR_GetSockName(fd, &address) != PR_SUCCESS)
        exit(3);
    printf("listening=%u\n", ntohs(address.inet.port));
    return fd;
}

static SECStatus take_any(void *context, PRFileDesc *fd, PRBool check, PRBool server)
{
    (void)context;
    (void)fd;
    (void)check;
    (void)server;
    return SECSuccess;
}

static PRFileDesc *accept_tls(PRFileDesc *listener, CERTCertificate *cert, SECKEYPrivateKey *key)
{
    PRFileDesc *fd = SSL_ImportFD(NULL, PR_Accept(listener, NULL, PR_INTERVAL_NO_TIMEOUT));

    SSL_OptionSet(fd, SSL_SECURITY, PR_TRUE);
    SSL_OptionSet(fd, SSL_REQUEST_CERTIFICATE, PR_TRUE);
    SSL_OptionSet(fd, SSL_REQUIRE_CERTIFICATE, SSL_REQUIRE_ALWAYS);
    SSL_AuthCertificateHook(fd, take_any, NULL);
    SSL_ConfigServerCert(fd, cert, key, NULL, 0);
    SSL_ResetHandshake(fd, PR_TRUE);
    return fd;
}

int scene_serve(void)
{
    struct connection connection = {.port = 0};
    CERTCertificate *cert, *client;
    SECKEYPrivateKey *key;
    PRFileDesc *listener;
    char data[256];

    host_begin();
    cert = load_certificate();
    key = load_key(cert);
    SSL_ConfigServerSessionIDCache(0, 0, 0, options.db);
    listener = listen_here();
    for (unsigned i = 0; i < options.count; i++) {
        connection.fd = accept_tls(listener, cert, key);
        connection.ok = PR_Read(connection.fd, data, sizeof data) > 0;
        connection.error = connection.ok ? 0 : PR_GetError();
        connection.ok = connection.ok && PR_Write(connection.fd, "hello", 5) == 5;
        client = SSL_PeerCertificate(connection.fd);
        printf("client=%d ", client != NULL);
        CERT_DestroyCertificate(client);
        connection_report(&connection);
        connection_close(&connection);
    }
    PR_Close(listener);
    SECKEY_DestroyPrivateKey(key);
    CERT_DestroyCertificate(cert);
    SSL_ShutdownServerSessionIDCache();
    host_end();
    return 0;
}
