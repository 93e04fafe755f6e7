/* SPDX-License-Identifier: MIT */
/* A version 2 client for the tests: asks the first host of a bundle for some targets, checks the
 * pin and every signature, and prints one JSON object per statement.
 *
 * Usage: query-v2 BUNDLE HOST:PORT HINT SHA256 [HOST:PORT HINT SHA256 ...] */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/protocol/bundle.h"
#include "common/protocol/v2.h"

static void check(enum cvg_error err, const char *what, const struct cvg_why *why)
{
    if (err == CVG_OK)
        return;
    fprintf(stderr, "query-v2: %s: %s %s\n", what, cvg_strerror(err), why == NULL ? "" : why->text);
    exit(1);
}

static void require(bool good, const char *what)
{
    check(good ? CVG_OK : CVG_ERR_PROTOCOL, what, NULL);
}

static struct cvg_bundle *read_bundle(const char *path)
{
    struct cvg_buffer text = {0};
    struct cvg_bundle *bundle = NULL;
    struct cvg_why why = {.text = ""};
    check(cvg_file_read(path, geteuid(), CVG_BUNDLE_MAX, false, &text, &why), "bundle", &why);
    check(cvg_bundle_parse((char *)text.data, text.len, &bundle, &why), "bundle", &why);
    cvg_buffer_free(&text);
    return bundle;
}

static SSL *connect_to(const struct cvg_bundle_host *host)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(host->ssl_port)};
    require(inet_pton(AF_INET, host->address[0], &sa.sin_addr) == 1, "the bundle's address");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    require(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0, "connect");
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(ssl, fd);
    require(SSL_connect(ssl) == 1, "TLS");
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    unsigned char *der = NULL;
    int len = i2d_X509(leaf, &der);
    require(len == (int)host->certificate_len && memcmp(der, host->certificate, (size_t)len) == 0,
            "pin");
    OPENSSL_free(der);
    X509_free(leaf);
    return ssl;
}

static void send_request(SSL *ssl, const struct cvg_buffer *body)
{
    char head[256];
    int len = snprintf(head, sizeof(head),
                       "POST " CVG_V2_PATH " HTTP/1.1\r\nHost: notary\r\nConnection: close\r\n"
                       "Content-Type: " CVG_V2_CONTENT_TYPE "\r\nContent-Length: %zu\r\n\r\n",
                       body->len);
    require(SSL_write(ssl, head, len) == len, "write");
    require(SSL_write(ssl, body->data, (int)body->len) == (int)body->len, "write");
}

/* The answer's body; exits with 3 and prints the status if that is not 200. */
static const uint8_t *read_answer(SSL *ssl, struct cvg_buffer *answer, size_t *ret_len)
{
    char chunk[4096];
    int got = 0;
    while ((got = SSL_read(ssl, chunk, sizeof(chunk))) > 0)
        check(cvg_buffer_put(answer, chunk, (size_t)got), "answer", NULL);
    require(answer->len > 12, "answer");
    if (memcmp(answer->data, "HTTP/1.1 200 ", 13) != 0) {
        printf("%.3s\n", (char *)answer->data + 9);
        exit(3);
    }
    const char *body = strstr((char *)answer->data, "\r\n\r\n");
    require(body != NULL, "head");
    *ret_len = answer->len - (size_t)(body + 4 - (char *)answer->data);
    return (const uint8_t *)body + 4;
}

/* The certificates that the verifier says this of. */
static void print_opinions(const struct cvg_v2_statement *statement,
                           const struct cvg_v2_opinions *opinions, enum cvg_v2_opinion opinion)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];
    const char *before = "";
    for (size_t i = 0; i < statement->count; i++) {
        if (opinions->opinion[i] != opinion)
            continue;
        printf("%s\"%s\"", before,
               cvg_fingerprint_format(statement->record[i].leaf.sha256, CVG_SHA256_LEN, text,
                                      sizeof(text)));
        before = ", ";
    }
}

static void print_verifiers(const struct cvg_v2_statement *statement)
{
    for (size_t i = 0; i < statement->opinions_count; i++) {
        const struct cvg_v2_opinions *opinions = &statement->opinions[i];
        printf("%s{\"verifier\": %u, \"checked\": %lld, \"yes\": [", i > 0 ? ", " : "",
               opinions->verifier, (long long)opinions->checked_s);
        print_opinions(statement, opinions, CVG_V2_OPINION_YES);
        printf("], \"no\": [");
        print_opinions(statement, opinions, CVG_V2_OPINION_NO);
        printf("]}");
    }
}

static void print_statement(const struct cvg_v2_statement *statement)
{
    char text[CVG_FINGERPRINT_TEXT_MAX];
    printf("{\"host\": \"%s\", \"port\": %u, \"hint\": %u, \"status\": %d, \"observed\": %lld, "
           "\"records\": [",
           statement->endpoint.host, statement->endpoint.port, statement->hint, statement->status,
           (long long)statement->observed_s);
    for (size_t i = 0; i < statement->count; i++) {
        const struct cvg_v2_record *record = &statement->record[i];
        printf("%s{\"sha256\": \"%s\", \"current\": %s, \"first\": %lld, \"last\": %lld}",
               i > 0 ? ", " : "",
               cvg_fingerprint_format(record->leaf.sha256, CVG_SHA256_LEN, text, sizeof(text)),
               record->current ? "true" : "false", (long long)record->first_s,
               (long long)record->last_s);
    }
    printf("], \"opinions\": [");
    print_verifiers(statement);
    printf("]}\n");
}

static void print_answer(const struct cvg_bundle *bundle, const struct cvg_v2_answer *answer)
{
    static struct cvg_v2_statement statement;
    for (size_t i = 0; i < answer->count; i++) {
        const struct cvg_v2_signed *item = &answer->item[i];
        check(cvg_verify(bundle->key[0], item->statement, item->statement_len, item->signature,
                         item->signature_len),
              "signature", NULL);
        check(cvg_v2_statement_parse(item->statement, item->statement_len, &statement, NULL),
              "statement", NULL);
        require(memcmp(statement.key_id, cvg_verify_key_id(bundle->key[0]), CVG_SHA256_LEN) == 0,
                "key");
        print_statement(&statement);
    }
}

static void read_targets(int argc, char **argv, struct cvg_v2_request *ret_request)
{
    for (int i = 2; i + 2 < argc; i += 3) {
        struct cvg_v2_target *target = &ret_request->target[ret_request->count++];
        struct cvg_fingerprint digest;
        struct cvg_why why = {.text = ""};
        check(cvg_endpoint_parse(argv[i], 443, &target->endpoint, &why), argv[i], &why);
        target->hint = (uint8_t)atoi(argv[i + 1]);
        check(cvg_fingerprint_parse(argv[i + 2], strlen(argv[i + 2]), &digest, &why), "digest",
              &why);
        memcpy(target->leaf_sha256, digest.bytes, CVG_SHA256_LEN);
    }
}

int main(int argc, char **argv)
{
    static struct cvg_v2_request request;
    static struct cvg_v2_answer parsed;
    struct cvg_buffer body, answer;
    size_t len = 0;
    require(argc >= 5 && argc <= 2 + 3 * CVG_V2_TARGETS_MAX, "usage");
    cvg_buffer_init(&body, CVG_V2_REQUEST_MAX);
    cvg_buffer_init(&answer, CVG_V2_ANSWER_MAX + 4096);
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    struct cvg_bundle *bundle = read_bundle(argv[1]);
    read_targets(argc, argv, &request);
    check(cvg_v2_request_write(&request, &body), "request", NULL);
    SSL *ssl = connect_to(&bundle->host[0]);
    send_request(ssl, &body);
    const uint8_t *octets = read_answer(ssl, &answer, &len);
    check(cvg_v2_answer_parse(octets, len, &parsed, NULL), "answer", NULL);
    require(parsed.count == request.count, "count");
    print_answer(bundle, &parsed);
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(fd);
    cvg_bundle_free(bundle);
    cvg_buffer_free(&body);
    cvg_buffer_free(&answer);
    return 0;
}
