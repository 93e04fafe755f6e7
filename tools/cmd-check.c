/* SPDX-License-Identifier: MIT */
/* converge check: ask the notaries about one endpoint, and say who said what. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/libconverge/ask.h"
#include "common/libconverge/idn.h"
#include "common/protocol/digest.h"
#include "tools/tls-fetch.h"
#include "tools/tools.h"

#define FETCH_TIMEOUT_MS 5000

static const char help[] =
    "Without a certificate to ask about, it connects to the host itself, with SNI, and asks about\n"
    "the certificate it is shown; what PKI says of that one is reported too. The port is 443 "
    "unless\n"
    "given. The agent is started if it is not running.\n"
    "\n"
    "Options:\n"
    "      --fingerprint HEX   ask about the certificate with this SHA-1 or SHA-256 fingerprint\n"
    "      --file CERT.pem     ask about this certificate\n"
    "      --help              this text\n"
    "      --json              the verdict and every vote as JSON\n"
    "\n"
    "Exit codes: 0 the notaries agree (or the endpoint is exempt and PKI accepts it), 1 they\n"
    "disagree, or PKI refuses, 2 wrong usage, 3 undecided or unreachable, 4 a local fault.\n";

struct check {
    struct cvg_endpoint endpoint;
    struct cvg_question question;
    struct cvg_answer answer;
    bool have_pki;
    bool fetched;
    struct cvg_tls_seen seen;
    X509 *file;
    unsigned char *file_der;
};

static int read_file(const char *path, struct check *check)
{
    FILE *file = fopen(path, "re");
    int len;

    if (file == NULL)
        return cvg_output_fail(CVG_EXIT_FAULT, "cannot read %s", path);
    check->file = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    len = check->file != NULL ? i2d_X509(check->file, &check->file_der) : -1;
    if (len <= 0)
        return cvg_output_fail(CVG_EXIT_FAULT, "%s: no certificate in PEM form", path);
    check->question.leaf = check->file_der;
    check->question.leaf_len = (size_t)len;
    return CVG_GO_ON;
}

static int fetch(struct check *check)
{
    struct cvg_why why = {""};

    if (cvg_tls_fetch(&check->endpoint, FETCH_TIMEOUT_MS, &check->seen, &why) != CVG_OK)
        return cvg_output_fail(CVG_EXIT_UNDECIDED, "%s", why.text);
    check->fetched = check->have_pki = true;
    check->question.leaf = check->seen.leaf;
    check->question.leaf_len = check->seen.leaf_len;
    check->question.pki = cvg_pki_of_x509(check->seen.pki_result);
    check->question.pki_error = check->seen.pki_result;
    check->question.have_anchor = check->seen.have_anchor;
    memcpy(check->question.anchor_sha256, check->seen.anchor_sha256, CVG_SHA256_LEN);
    check->question.peer_family = check->seen.peer_family;
    memcpy(check->question.peer_address, check->seen.peer_address, 16);
    return CVG_GO_ON;
}

static void set_target(struct check *check)
{
    struct cvg_question *question = &check->question;

    memcpy(question->host, check->endpoint.host, sizeof question->host);
    question->have_name = true;
    question->host_found = question->port_found = CVG_FOUND_GIVEN;
    question->port[0] = check->endpoint.port;
    question->port_count = 1;
    question->pki = CVG_PKI_OK; /* not asked: the vote alone decides */
    cvg_client_program_name(question->program);
}

static int code_of(const struct check *check)
{
    const struct cvg_answer *answer = &check->answer;

    if (answer->reason == CVG_REASON_INTERNAL || answer->reason == CVG_REASON_BAD_QUESTION)
        return CVG_EXIT_FAULT;
    switch (answer->verdict) {
    case CVG_VERDICT_AGREE:
        return answer->action == CVG_ACTION_ACCEPT ? CVG_EXIT_OK : CVG_EXIT_REFUSED;
    case CVG_VERDICT_DISAGREE:
        return CVG_EXIT_REFUSED;
    case CVG_VERDICT_EXEMPT:
        if (!check->have_pki)
            return CVG_EXIT_UNDECIDED;
        return check->seen.pki_result == X509_V_OK ? CVG_EXIT_OK : CVG_EXIT_REFUSED;
    case CVG_VERDICT_UNDECIDED:
    case CVG_VERDICT_NONE:
        break;
    }
    return CVG_EXIT_UNDECIDED;
}

static json_t *votes_json(const struct cvg_answer *answer)
{
    json_t *votes = json_array();

    for (size_t i = 0; i < answer->vote_count; i++) {
        const struct cvg_vote *vote = &answer->vote[i];
        const char *fault = vote->kind == CVG_VOTE_SILENT ? cvg_strerror(vote->error) : "";

        json_array_append_new(votes, json_pack("{s:s, s:s, s:I, s:b, s:s}", "notary", vote->notary,
                                               "answer", cvg_vote_word(vote->kind), "elapsed_ms",
                                               (json_int_t)vote->elapsed_ms, "bounced",
                                               vote->bounced, "error", fault));
    }
    return votes;
}

static int print_json(const struct check *check, const char *fingerprint, int code)
{
    const struct cvg_answer *answer = &check->answer;
    json_t *object = json_pack(
        "{s:b, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "ok", 1, "host", check->endpoint.host,
        "port", (int)check->endpoint.port, "fingerprint", fingerprint, "verdict",
        cvg_verdict_name(answer->verdict), "action", cvg_action_name(answer->action), "reason",
        cvg_reason_name(answer->reason), "text", answer->text, "elapsed_ms",
        (json_int_t)answer->elapsed_ms, "votes", votes_json(answer));

    if (object != NULL && check->have_pki)
        json_object_set_new(object, "pki",
                            json_pack("{s:i, s:s}", "result", check->seen.pki_result, "text",
                                      X509_verify_cert_error_string(check->seen.pki_result)));
    return cvg_output_json(object, code);
}

static enum cvg_paint paint_of(int code)
{
    return code == CVG_EXIT_OK        ? CVG_PAINT_GOOD
           : code == CVG_EXIT_REFUSED ? CVG_PAINT_BAD
                                      : CVG_PAINT_WARN;
}

static void print_vote(const struct cvg_vote *vote)
{
    enum cvg_paint paint = vote->kind == CVG_VOTE_YES  ? CVG_PAINT_GOOD
                           : vote->kind == CVG_VOTE_NO ? CVG_PAINT_BAD
                                                       : CVG_PAINT_DIM;

    printf("    ");
    cvg_output_word(CVG_PAINT_NONE, 16, vote->notary);
    putchar(' ');
    cvg_output_word(paint, 8, cvg_vote_word(vote->kind));
    printf("%6lu ms%s%s%s\n", (unsigned long)vote->elapsed_ms, vote->bounced ? "  relayed" : "",
           vote->kind == CVG_VOTE_SILENT ? "  " : "",
           vote->kind == CVG_VOTE_SILENT ? cvg_strerror(vote->error) : "");
}

static int print_text(const struct check *check, const char *fingerprint, int code)
{
    const struct cvg_answer *answer = &check->answer;
    char target[CVG_ENDPOINT_TEXT_MAX];

    printf("%s: ", cvg_endpoint_format(&check->endpoint, target, sizeof target));
    cvg_output_word(paint_of(code), 0, cvg_verdict_name(answer->verdict));
    printf(" -> %s\n", cvg_action_name(answer->action));
    cvg_output_field("why", "%s%s%s (%lu ms)", cvg_reason_name(answer->reason),
                     answer->text[0] != '\0' ? ": " : "", answer->text,
                     (unsigned long)answer->elapsed_ms);
    cvg_output_field("certificate", "%s", fingerprint);
    if (check->have_pki)
        cvg_output_field("PKI", "%s", X509_verify_cert_error_string(check->seen.pki_result));
    for (size_t i = 0; i < answer->vote_count; i++)
        print_vote(&answer->vote[i]);
    return code;
}

static int print_result(const struct check *check)
{
    struct cvg_fingerprint fingerprint = check->question.fingerprint;
    char text[CVG_FINGERPRINT_TEXT_MAX];
    int code = code_of(check);

    if (check->question.leaf != NULL) {
        if (cvg_sha256(check->question.leaf, check->question.leaf_len, fingerprint.bytes) != CVG_OK)
            return cvg_output_fail(CVG_EXIT_FAULT, "the crypto library failed");
        fingerprint.len = CVG_SHA256_LEN;
    }
    cvg_fingerprint_format(fingerprint.bytes, fingerprint.len, text, sizeof text);
    return cvg_output_is_json() ? print_json(check, text, code) : print_text(check, text, code);
}

static int run(const struct cvg_command *command, int argc, char **argv)
{
    const char *fingerprint = NULL, *file = NULL;
    const struct cvg_option options[] = {
        {"fingerprint", NULL, &fingerprint}, {"file", NULL, &file}, {NULL, NULL, NULL}};
    struct check check = {.file = NULL};
    struct cvg_why why = {""};
    int first = 0;
    int code = cvg_options_parse(command, argc, argv, false, options, &first);

    if (code != CVG_GO_ON)
        return code;
    if (first != argc - 1)
        return cvg_output_usage(command, "it takes one HOST or HOST:PORT");
    if (fingerprint != NULL && file != NULL)
        return cvg_output_usage(command, "--fingerprint or --file, not both");
    if (cvg_user_endpoint_parse(argv[first], 443, &check.endpoint, &why) != CVG_OK)
        return cvg_output_usage(command, "%s", why.text);
    if (fingerprint != NULL && cvg_fingerprint_parse(fingerprint, strlen(fingerprint),
                                                     &check.question.fingerprint, &why) != CVG_OK)
        return cvg_output_usage(command, "--fingerprint: %s", why.text);
    set_target(&check);
    if (file != NULL)
        code = read_file(file, &check);
    else if (fingerprint == NULL)
        code = fetch(&check);
    if (code == CVG_GO_ON) {
        cvg_ask(&check.question, true, 0, &check.answer);
        code = print_result(&check);
    }
    cvg_tls_seen_free(&check.seen);
    X509_free(check.file);
    OPENSSL_free(check.file_der);
    return code;
}

const struct cvg_command cvg_cmd_check = {
    .name = "check",
    .synopsis = "check HOST[:PORT] [--fingerprint HEX | --file CERT.pem] [--json]",
    .summary = "Ask the notaries about a server's certificate.",
    .help = help,
    .run = run,
};
