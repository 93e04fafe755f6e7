/* SPDX-License-Identifier: MIT */
/* libunbound behind the loop. Its thread does the asking; a descriptor tells when answers are to be
 * fetched. A question that nobody waits for any more goes on there until the servers were tried, so
 * it counts as under way until then: what is kept for hostile names is bounded. */
#include "notary/dns.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "common/base/log.h"
#include "notary/list.h"

#define QUESTIONS_MAX  4096
#define SOCKETS_MAX    "4096"
#define CLASS_IN       1
#define RESOLV_CONF    "/etc/resolv.conf"
#define DEFAULT_ANCHOR "/usr/share/dns/root.key"

struct cvg_dns {
    uv_poll_t poll; /* first: casts */
    struct ub_ctx *context;
    struct cvg_link questions;
    size_t under_way;
    bool lost;             /* its thread is */
    bool told;             /* that there was a bogus answer */
    struct cvg_dns **slot; /* retired: who still knows it */
};

struct cvg_dns_question {
    struct cvg_link link;
    struct cvg_dns *dns;
    cvg_dns_done *done; /* NULL: cancelled */
    void *user;
};

/* A probe has two seconds: what libunbound tries after that serves nobody. What is asked is most
 * often a resolver that answers at once what it knows, and after a second or more what it has to
 * find out: libunbound would take that for a server that is lost, so it has to wait longer than it
 * would learn to. */
static const struct {
    const char *name;
    const char *value;
} options[] = {
    {"do-not-query-localhost:", "no"}, /* a resolver on this machine is the best there is */
    {"outgoing-range:", SOCKETS_MAX},  /* each question under way has a socket and port */
    {"outgoing-num-tcp:", "32"},       /* for long answers */
    {"num-queries-per-thread:", SOCKETS_MAX},
    {"infra-cache-min-rtt:", "500"},       /* milliseconds: for an answer, then twice that ... */
    {"unknown-server-time-limit:", "500"}, /* ... the same before anything is known */
    {"outbound-msg-retry:", "2"},
    {"infra-keep-probing:", "yes"}, /* silence about dead names must not condemn the server */
    {"cache-max-negative-ttl:", "60"},
    {"msg-cache-size:", "4m"},
    {"rrset-cache-size:", "8m"},
    {"key-cache-size:", "2m"},
    {"unblock-lan-zones:", "yes"},
};

/* Names that only private networks have: nothing signed can speak of them. */
static const char *const private_zones[] = {"test.", "home.arpa.", "internal.", "local.", "lan."};

static bool set_options(struct ub_ctx *context)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (ub_ctx_set_option(context, options[i].name, options[i].value) != 0)
            return false;
    for (size_t i = 0; i < sizeof(private_zones) / sizeof(private_zones[0]); i++)
        if (ub_ctx_set_option(context, "domain-insecure:", private_zones[i]) != 0)
            return false;
    return ub_ctx_async(context, 1) == 0 && ub_ctx_debugout(context, NULL) == 0;
}

static enum cvg_error set_servers(struct ub_ctx *context, const struct cvg_dns_servers *servers,
                                  struct cvg_why *why)
{
    for (size_t i = 0; i < servers->count; i++) {
        char address[CVG_ADDRESS_TEXT_MAX], text[CVG_ADDRESS_TEXT_MAX + 8];
        cvg_address_format(&servers->server[i].address, address, sizeof(address));
        snprintf(text, sizeof(text), "%s@%u", address, (unsigned)servers->server[i].port);
        if (ub_ctx_set_fwd(context, text) != 0)
            return cvg_fail(why, CVG_ERR_CONFIG, "%s cannot be a DNS server", text);
    }
    if (servers->count > 0)
        return CVG_OK;
    /* Without the file, the server is this machine (resolv.conf(5)). */
    if (access(RESOLV_CONF, F_OK) != 0)
        return ub_ctx_set_fwd(context, "127.0.0.1") == 0 ? CVG_OK : CVG_ERR_NOMEM;
    if (ub_ctx_resolvconf(context, RESOLV_CONF) != 0)
        return cvg_fail(why, CVG_ERR_CONFIG, RESOLV_CONF " cannot be read");
    return CVG_OK;
}

/* DANE without an anchor would stand aside for ever, and nobody would know why. */
static enum cvg_error set_anchor(struct ub_ctx *context, const struct cvg_settings *settings,
                                 struct cvg_why *why)
{
    const char *file = settings->dns_anchor;
    if (file[0] == '\0' && access(DEFAULT_ANCHOR, R_OK) == 0)
        file = DEFAULT_ANCHOR;
    if (file[0] == '\0' && (settings->verifiers & 1U << CVG_VERIFIER_DANE) != 0)
        return cvg_fail(why, CVG_ERR_CONFIG,
                        "verifiers: dane needs a dns_anchor: there is no " DEFAULT_ANCHOR);
    if (file[0] == '\0' || strcmp(file, CVG_DNS_ANCHOR_NONE) == 0)
        return ub_ctx_set_option(context, "module-config:", "iterator") == 0 ? CVG_OK
                                                                             : CVG_ERR_NOMEM;
    if (access(file, R_OK) != 0 || ub_ctx_add_ta_file(context, file) != 0)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s: %s", file, strerror(errno));
    return CVG_OK;
}

/* Ends the phase in which libunbound takes settings, while files can still be read: the answers it
 * has built in for private names give way to the servers'. */
static enum cvg_error finalise(struct ub_ctx *context, struct cvg_why *why)
{
    for (size_t i = 0; i < sizeof(private_zones) / sizeof(private_zones[0]); i++)
        if (ub_ctx_zone_remove(context, private_zones[i]) != 0)
            return cvg_fail(why, CVG_ERR_CONFIG,
                            "libunbound does not take dns_servers and dns_anchor");
    return CVG_OK;
}

/* libunbound keeps a mutex for all contexts, which making and ending one sets up without a lock. */
static pthread_mutex_t contexts = PTHREAD_MUTEX_INITIALIZER;

static struct ub_ctx *create_context(void)
{
    pthread_mutex_lock(&contexts);
    struct ub_ctx *context = ub_ctx_create();
    pthread_mutex_unlock(&contexts);
    return context;
}

static void delete_context(struct ub_ctx *context)
{
    pthread_mutex_lock(&contexts);
    ub_ctx_delete(context);
    pthread_mutex_unlock(&contexts);
}

static enum cvg_error make_context(const struct cvg_settings *settings, struct ub_ctx **ret_context,
                                   struct cvg_why *why)
{
    struct ub_ctx *context = create_context();
    if (context == NULL)
        return CVG_ERR_NOMEM;
    enum cvg_error err = CVG_OK;
    if (!set_options(context))
        err = cvg_fail(why, CVG_ERR_CONFIG, "this libunbound lacks an option");
    if (err == CVG_OK)
        err = set_servers(context, &settings->dns_servers, why);
    if (err == CVG_OK)
        err = set_anchor(context, settings, why);
    if (err == CVG_OK)
        err = finalise(context, why);
    if (err != CVG_OK) {
        delete_context(context);
        return err;
    }
    *ret_context = context;
    return CVG_OK;
}

static void finish(struct cvg_dns_question *question, const struct ub_result *result);

static void finish_all(struct cvg_dns *dns)
{
    while (!cvg_list_empty(&dns->questions))
        finish(CVG_CONTAINER_OF(dns->questions.next, struct cvg_dns_question, link), NULL);
}

/* Without its thread nothing is ever answered again: better known than waited for. */
static void on_answers(uv_poll_t *poll, int status, int events)
{
    struct cvg_dns *dns = (struct cvg_dns *)(void *)poll;
    (void)events;
    if (status != 0 || ub_process(dns->context) != 0) {
        cvg_log(CVG_LOG_ERROR,
                "libunbound's thread is lost: no name is looked up any more; a reload "
                "begins another");
        uv_poll_stop(poll);
        dns->lost = true;
        finish_all(dns);
    }
    if (dns->slot != NULL && dns->under_way == 0)
        cvg_dns_free(dns);
}

enum cvg_error cvg_dns_new(uv_loop_t *loop, const struct cvg_settings *settings,
                           struct cvg_dns **ret_dns, struct cvg_why *ret_why)
{
    struct cvg_dns *dns = calloc(1, sizeof(*dns));
    if (dns == NULL)
        return CVG_ERR_NOMEM;
    cvg_list_init(&dns->questions);
    enum cvg_error err = make_context(settings, &dns->context, ret_why);
    if (err == CVG_OK && uv_poll_init(loop, &dns->poll, ub_fd(dns->context)) != 0) {
        delete_context(dns->context);
        err = CVG_ERR_IO;
    }
    if (err != CVG_OK) {
        free(dns);
        return err;
    }
    uv_unref((uv_handle_t *)&dns->poll);
    if (uv_poll_start(&dns->poll, UV_READABLE, on_answers) != 0) {
        cvg_dns_free(dns);
        return CVG_ERR_IO;
    }
    *ret_dns = dns;
    return CVG_OK;
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

/* What a result says, without the records of one that is not to be believed. */
static void read_result(const struct ub_result *result, struct cvg_dns_answer *ret_answer)
{
    ret_answer->count = 0;
    ret_answer->err = CVG_ERR_UNREACHABLE;
    ret_answer->security = CVG_DNS_INSECURE;
    ret_answer->canonical = NULL;
    if (result != NULL && result->bogus)
        ret_answer->security = CVG_DNS_BOGUS;
    if (result == NULL || result->bogus)
        return;
    if (result->secure)
        ret_answer->security = CVG_DNS_SECURE;
    ret_answer->canonical = result->canonname;
    for (size_t i = 0; result->havedata && result->data[i] != NULL && i < CVG_DNS_RECORDS_MAX; i++)
        ret_answer->record[ret_answer->count++] = (struct cvg_dns_record){
            .rdata = (const uint8_t *)result->data[i], .len = (size_t)result->len[i]};
    if (ret_answer->count > 0)
        ret_answer->err = CVG_OK;
    else if (result->rcode == 0 || result->nxdomain)
        ret_answer->err = CVG_ERR_NOT_FOUND;
}

/* Said once, and without the name: nobody's question goes into the log. */
static void tell_bogus(struct cvg_dns *dns, const struct ub_result *result)
{
    if (result == NULL || !result->bogus || dns->told)
        return;
    dns->told = true;
    cvg_log(CVG_LOG_WARNING, "a DNS answer fails validation and counts as none; if all do, the "
                             "resolver does not pass signatures on (dns_servers, dns_anchor)");
}

/* Ends a question; its user may start others meanwhile. */
static void finish(struct cvg_dns_question *question, const struct ub_result *result)
{
    struct cvg_dns_answer answer;
    cvg_dns_done *done = question->done;
    void *user = question->user;
    tell_bogus(question->dns, result);
    cvg_list_remove(&question->link);
    question->dns->under_way--;
    free(question);
    if (done == NULL)
        return;
    read_result(result, &answer);
    done(&answer, user);
}

static void answered(void *user, int problem, struct ub_result *result)
{
    finish(user, problem == 0 ? result : NULL);
    ub_resolve_free(result);
}

void cvg_dns_free(struct cvg_dns *dns)
{
    if (dns == NULL)
        return;
    if (dns->slot != NULL)
        *dns->slot = NULL;
    uv_close((uv_handle_t *)&dns->poll, closed);
    delete_context(dns->context);
    finish_all(dns);
}

void cvg_dns_retire(struct cvg_dns *dns, struct cvg_dns **slot)
{
    if (dns == NULL || dns->under_way == 0) {
        cvg_dns_free(dns);
        return;
    }
    dns->slot = slot;
    *slot = dns;
}

enum cvg_error cvg_dns_start(struct cvg_dns *dns, const char *name, enum cvg_dns_type type,
                             cvg_dns_done *done, void *user, struct cvg_dns_question **ret_question)
{
    if (dns->lost || dns->under_way >= QUESTIONS_MAX)
        return CVG_ERR_BUSY;
    struct cvg_dns_question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return CVG_ERR_NOMEM;
    *question = (struct cvg_dns_question){.dns = dns, .done = done, .user = user};
    int problem =
        ub_resolve_async(dns->context, name, (int)type, CLASS_IN, question, answered, NULL);
    if (problem != 0) {
        free(question);
        return problem == UB_SYNTAX ? CVG_ERR_UNREACHABLE : CVG_ERR_BUSY;
    }
    cvg_list_push(&dns->questions, &question->link);
    dns->under_way++;
    *ret_question = question;
    return CVG_OK;
}

void cvg_dns_cancel(struct cvg_dns_question *question)
{
    if (question != NULL)
        question->done = NULL;
}
