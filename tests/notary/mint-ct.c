/* SPDX-License-Identifier: MIT */
/* Makes a server's certificate with SCTs for the black-box tests.
 *
 * Usage: mint-ct DIR HOST COUNT
 * Writes DIR/HOST.key and DIR/HOST.crt (the leaf with SCTs of COUNT logs, then its issuer), and
 * DIR/HOST.logs, the list of these logs as OpenSSL reads it. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/notary/mint.h"

#define LOGS_MAX 8

static FILE *open_file(const char *directory, const char *host, const char *kind)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.%s", directory, host, kind);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void close_file(FILE *file, bool good)
{
    if (fclose(file) == 0 && good)
        return;
    fprintf(stderr, "mint-ct: cannot write\n");
    exit(1);
}

int main(int argc, char **argv)
{
    EVP_PKEY *log[LOGS_MAX];
    size_t count = argc == 4 ? (size_t)atoi(argv[3]) : 0;
    if (count == 0 || count > LOGS_MAX) {
        fprintf(stderr, "usage: mint-ct DIR HOST COUNT\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        log[i] = mint_key();
    EVP_PKEY *authority_key = mint_key(), *key = mint_key();
    X509 *authority = mint_certificate(
        &(struct mint){.name = "Authority", .key = authority_key, .authority = true});
    X509 *leaf = mint_certificate(&(struct mint){.name = argv[2],
                                                 .key = key,
                                                 .issuer = authority,
                                                 .issuer_key = authority_key,
                                                 .log = log,
                                                 .log_count = count});
    FILE *file = open_file(argv[1], argv[2], "key");
    close_file(file, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    file = open_file(argv[1], argv[2], "crt");
    close_file(file, PEM_write_X509(file, leaf) == 1 && PEM_write_X509(file, authority) == 1);
    file = open_file(argv[1], argv[2], "logs");
    mint_log_list(file, log, count);
    close_file(file, true);
    for (size_t i = 0; i < count; i++)
        EVP_PKEY_free(log[i]);
    X509_free(leaf);
    X509_free(authority);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority_key);
    return 0;
}
