/* SPDX-License-Identifier: MIT */
/* The runner of bindings/cases.txt for C: reads cases, asks libconverge, writes what it answered.
 */
#include <converge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS  9
#define DER_MAX 65536

enum { NAME, CALL, HOST, PORT, FINGERPRINT, TIMEOUT, PKI, CERTIFICATE, START };

/* NULL for a field that is "-". */
static const char *given(const char *field)
{
    return strcmp(field, "-") == 0 ? NULL : field;
}

static void stop(const char *what)
{
    fprintf(stderr, "conformance: %s\n", what);
    exit(1);
}

static void set_certificate(converge_options *options, const char *path)
{
    static unsigned char der[DER_MAX];
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL)
        stop("cannot open the certificate");
    len = fread(der, 1, sizeof der, file);
    fclose(file);
    if (converge_options_set_certificate(options, der, len) != 0)
        stop("the certificate is not taken");
}

static converge_options *make_options(char *const field[static FIELDS])
{
    converge_options *options = converge_options_new();

    if (options == NULL)
        stop("no memory");
    if (given(field[TIMEOUT]) != NULL &&
        converge_options_set_timeout_ms(options, (unsigned)strtoul(field[TIMEOUT], NULL, 10)) != 0)
        stop("the timeout is not taken");
    if (given(field[PKI]) != NULL &&
        converge_options_set_pki_result(options, (int)strtol(field[PKI], NULL, 10)) != 0)
        stop("the result of PKI is not taken");
    if (given(field[CERTIFICATE]) != NULL)
        set_certificate(options, field[CERTIFICATE]);
    if (given(field[START]) != NULL)
        converge_options_set_start_agent(options, strcmp(field[START], "0") != 0);
    return options;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *vote_text(const converge_result *result, size_t index)
{
    const char *error = converge_result_vote_error(result, index);
    char text[512];
    char *copy;

    snprintf(text, sizeof text, "%s:%s%s%s%s", converge_result_vote_notary(result, index),
             converge_result_vote_answer(result, index), *error != '\0' ? "(" : "", error,
             *error != '\0' ? ")" : "");
    copy = strdup(text);
    if (copy == NULL)
        stop("no memory");
    return copy;
}

static void print_votes(const converge_result *result)
{
    size_t count = converge_result_vote_count(result);
    char **votes = calloc(count + 1, sizeof *votes);

    if (votes == NULL)
        stop("no memory");
    for (size_t i = 0; i < count; i++)
        votes[i] = vote_text(result, i);
    qsort(votes, count, sizeof *votes, by_text);
    for (size_t i = 0; i < count; i++) {
        printf("%s%s", i > 0 ? "," : "", votes[i]);
        free(votes[i]);
    }
    puts(count == 0 ? "-" : "");
    free(votes);
}

static void check(char *const field[static FIELDS])
{
    converge_options *options = make_options(field);
    converge_result *result = NULL;
    int code = converge_check(field[HOST], (int)strtol(field[PORT], NULL, 10),
                              given(field[FINGERPRINT]), options, &result);

    if (result == NULL)
        stop("no memory");
    printf("%s\t%d\t%s\t%s\t%s\t", field[NAME], code, converge_result_verdict(result),
           converge_result_action(result), converge_result_reason(result));
    print_votes(result);
    converge_result_free(result);
    converge_options_free(options);
}

static void run_case(char *line)
{
    char *field[FIELDS];

    for (size_t i = 0; i < FIELDS; i++)
        if ((field[i] = strsep(&line, "\t")) == NULL)
            stop("a case with too few fields");
    if (strcmp(field[CALL], "check") == 0)
        check(field);
    else
        printf(
            "%s\t%d\t-\t-\t-\t-\n", field[NAME],
            converge(field[HOST], (int)strtol(field[PORT], NULL, 10), given(field[FINGERPRINT])));
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        run_case(line);
    }
    free(line);
    return 0;
}
