/* SPDX-License-Identifier: MIT */
/* Asks DNS as a notary does, and prints what it makes of the answers. For the tests.
 *
 *   ask-dns SERVER[@PORT] ANCHOR|none ask|cancel|leave NAME/TYPE ...
 *
 * ask: one line for each, in the order asked: what came of it, what DNSSEC says, the rdata in
 * hexadecimal. cancel: every other question is taken back as soon as it is asked. leave: ends while
 * all are under way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notary/dns.h"

#define QUESTIONS_MAX 4096

struct question {
    struct cvg_dns_question *under_way;
    char line[4096];
};

static struct question questions[QUESTIONS_MAX];

static const char *error_name(enum cvg_error err)
{
    return err == CVG_OK ? "ok" : err == CVG_ERR_NOT_FOUND ? "not-found" : "unreachable";
}

static void answered(const struct cvg_dns_answer *answer, void *user)
{
    static const char *const security[] = {
        [CVG_DNS_BOGUS] = "bogus", [CVG_DNS_INSECURE] = "insecure", [CVG_DNS_SECURE] = "secure"};
    struct question *question = user;
    size_t at = (size_t)snprintf(question->line, sizeof(question->line), "%s %s",
                                 error_name(answer->err), security[answer->security]);
    for (size_t i = 0; i < answer->count; i++) {
        at += (size_t)snprintf(question->line + at, sizeof(question->line) - at, " ");
        for (size_t j = 0; j < answer->record[i].len && at + 3 < sizeof(question->line); j++)
            at += (size_t)snprintf(question->line + at, sizeof(question->line) - at, "%02x",
                                   answer->record[i].rdata[j]);
    }
    question->under_way = NULL;
}

static bool read_settings(const char *server, const char *anchor, struct cvg_settings *settings)
{
    char text[2 * CVG_PATH_MAX];
    struct cvg_why why = {.text = ""};
    int len = snprintf(text, sizeof(text),
                       "name = n\ntls_key = k\ntls_certificate = c\nsigning_key = s\n"
                       "dns_servers = %s\ndns_anchor = %s\n",
                       server, anchor);
    return cvg_settings_parse(text, (size_t)len, "notary.conf", settings, &why) == CVG_OK;
}

static bool ask(struct cvg_dns *dns, char *text, struct question *question)
{
    static const struct {
        const char *name;
        enum cvg_dns_type type;
    } types[] = {{"A", CVG_DNS_A}, {"AAAA", CVG_DNS_AAAA}, {"TLSA", CVG_DNS_TLSA}};
    char *slash = strrchr(text, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    snprintf(question->line, sizeof(question->line), "taken back");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(slash + 1, types[i].name) == 0)
            return cvg_dns_start(dns, text, types[i].type, answered, question,
                                 &question->under_way) == CVG_OK;
    return false;
}

static bool all_answered(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (questions[i].under_way != NULL)
            return false;
    return true;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

int main(int argc, char **argv)
{
    struct cvg_settings settings;
    struct cvg_dns *dns = NULL;
    struct cvg_why why = {.text = ""};
    uv_loop_t loop;
    uv_timer_t tick; /* the resolver alone does not keep the loop */
    size_t count = argc < 5 ? 0 : (size_t)argc - 4;
    if (count == 0 || count > QUESTIONS_MAX || !read_settings(argv[1], argv[2], &settings))
        return 2;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &tick);
    if (cvg_dns_new(&loop, &settings, &dns, &why) != CVG_OK) {
        fprintf(stderr, "ask-dns: %s\n", why.text);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (!ask(dns, argv[i + 4], &questions[i]))
            return 2;
        if (strcmp(argv[3], "cancel") == 0 && i % 2 == 1) {
            cvg_dns_cancel(questions[i].under_way);
            questions[i].under_way = NULL;
        }
    }
    uv_timer_start(&tick, on_tick, 20, 20);
    while (strcmp(argv[3], "leave") != 0 && !all_answered(count))
        uv_run(&loop, UV_RUN_ONCE);
    cvg_dns_free(dns);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < count; i++)
        puts(questions[i].line);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
