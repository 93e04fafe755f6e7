/* SPDX-License-Identifier: MIT */
/* Starts a canary, plays its agent, and judges what it did. */
#include "tools/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tools/canary-report.h"
#include "tools/child.h"
#include "tools/fake-agent.h"

#define TIMEOUT_MS 15000
#define REPORT_MAX 4096
#define FIRST      0 /* the handshake that is told to fail */
#define HANDSHAKES 2

struct question_seen {
    char host[CVG_HOST_MAX];
    unsigned port;
    char leaf[CVG_FINGERPRINT_TEXT_MAX];
};

struct watch {
    struct cvg_fake_agent agent;
    struct question_seen seen[HANDSHAKES];
    size_t count;
    struct cvg_buffer report;
};

static void take_question(struct watch *watch)
{
    struct cvg_question question;
    uint8_t leaf[CVG_SHA256_LEN];
    struct question_seen *seen;

    if (cvg_fake_agent_answer(&watch->agent, watch->count != FIRST, &question, leaf) != CVG_OK ||
        watch->count == HANDSHAKES)
        return;
    seen = &watch->seen[watch->count++];
    memcpy(seen->host, question.host, sizeof seen->host);
    seen->port = question.port_count > 0 ? question.port[0] : 0;
    cvg_fingerprint_format(leaf, sizeof leaf, seen->leaf, sizeof seen->leaf);
}

/* Until the canary closes its standard output. */
static enum cvg_error follow(struct watch *watch, int output)
{
    const struct cvg_clock *clock = cvg_clock_system();
    uint64_t deadline_ms = cvg_clock_ms(clock) + TIMEOUT_MS;
    char chunk[512];

    for (;;) {
        struct pollfd polls[2] = {{.fd = output, .events = POLLIN},
                                  {.fd = watch->agent.fd, .events = POLLIN}};
        uint64_t now = cvg_clock_ms(clock);
        ssize_t got;

        if (now >= deadline_ms || poll(polls, 2, (int)(deadline_ms - now)) == 0)
            return CVG_ERR_TIMEOUT;
        if ((polls[1].revents & POLLIN) != 0)
            take_question(watch);
        if (polls[0].revents == 0)
            continue;
        got = read(output, chunk, sizeof chunk);
        if (got == 0)
            return CVG_OK;
        if (got > 0 && cvg_buffer_put(&watch->report, chunk, (size_t)got) != CVG_OK)
            return CVG_ERR_RANGE;
    }
}

/* The number'th line that begins with the word (and a blank, if it has a value), or NULL. */
static const char *find_line(const char *report, const char *word, int number)
{
    size_t len = strlen(word);

    for (const char *line = report; *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, word, len) == 0 && (line[len] == '\n' || line[len] == ' ') &&
            number-- == 0)
            return line + len + (line[len] == ' ' ? 1 : 0);
        if (line[strcspn(line, "\n")] == '\0')
            break;
    }
    return NULL;
}

static bool asked_rightly(const struct watch *watch, const char *report)
{
    const char *leaf = find_line(report, CVG_CANARY_LEAF, 0);

    if (watch->count < HANDSHAKES || leaf == NULL)
        return false;
    for (int i = 0; i < HANDSHAKES; i++) {
        const struct question_seen *seen = &watch->seen[i];
        const char *port = find_line(report, CVG_CANARY_PORT, i);

        if (port == NULL || seen->port != strtoul(port, NULL, 10) ||
            strcmp(seen->host, CVG_CANARY_HOST) != 0 ||
            strncmp(leaf, seen->leaf, strlen(seen->leaf)) != 0)
            return false;
    }
    return true;
}

static const char *judge_text(const struct cvg_canary *canary, bool nss)
{
    if (!canary->loaded)
        return nss ? "NSS did not load libconverge-nss.so" : "OpenSSL did not load converge.so";
    if (!canary->watching)
        return nss ? "libconverge-nss.so is loaded but does not watch this NSS"
                   : "converge.so is loaded but does not watch this OpenSSL";
    if (!canary->private_agent)
        return "";
    if (!canary->asked)
        return "a handshake went by without the right question";
    return canary->obeys ? "" : "a refusal did not stop a handshake, or a good one did not pass";
}

static void judge(const struct watch *watch, bool nss, struct cvg_canary *ret_canary)
{
    const char *report = watch->report.data != NULL ? (const char *)watch->report.data : "";
    const char *refused = find_line(report, CVG_CANARY_REFUSED, 0);
    const char *passed = find_line(report, CVG_CANARY_PASSED, 0);

    ret_canary->loaded = find_line(report, CVG_CANARY_LOADED, 0) != NULL;
    ret_canary->watching = find_line(report, CVG_CANARY_WATCHING, 0) != NULL;
    ret_canary->private_agent = find_line(report, CVG_CANARY_PRIVATE, 0) != NULL;
    ret_canary->asked = asked_rightly(watch, report);
    ret_canary->obeys = refused != NULL && passed != NULL && refused < passed;
    snprintf(ret_canary->text, sizeof ret_canary->text, "%s", judge_text(ret_canary, nss));
}

bool cvg_canary_good(const struct cvg_canary *canary)
{
    return canary->loaded && canary->watching &&
           (!canary->private_agent || (canary->asked && canary->obeys));
}

/* Runs `converge canary ...` to its end. The caller frees watch->report. */
static enum cvg_error observe(char *const arguments[], const char *openssl_conf,
                              struct watch *watch, struct cvg_why *ret_why)
{
    struct cvg_child child = {.pid = -1, .output = -1};
    enum cvg_error err = cvg_fake_agent_open(&watch->agent, ret_why);

    if (err != CVG_OK)
        return err;
    err = cvg_child_start("/proc/self/exe", arguments, openssl_conf, watch->agent.directory, &child,
                          ret_why);
    if (err == CVG_OK) {
        err = follow(watch, child.output);
        if (err != CVG_OK)
            cvg_fail(ret_why, err, "the canary did not end as it should: %s", cvg_strerror(err));
        cvg_child_end(&child);
    }
    cvg_fake_agent_close(&watch->agent);
    return err;
}

enum cvg_error cvg_canary_run(const char *openssl_conf, struct cvg_canary *ret_canary,
                              struct cvg_why *ret_why)
{
    char program[] = "converge", verb[] = "canary";
    char *arguments[] = {program, verb, NULL};
    struct watch watch = {.count = 0};
    enum cvg_error err;

    cvg_buffer_init(&watch.report, REPORT_MAX);
    err = observe(arguments, openssl_conf, &watch, ret_why);
    if (err == CVG_OK)
        judge(&watch, false, ret_canary);
    cvg_buffer_free(&watch.report);
    return err;
}

enum cvg_error cvg_canary_run_nss(const char *nss_directory, const char *database,
                                  struct cvg_canary *ret_canary, struct cvg_why *ret_why)
{
    char program[] = "converge", verb[] = "canary", directory[PATH_MAX], opened[PATH_MAX];
    char *arguments[] = {program, verb, directory, opened, NULL};
    struct watch watch = {.count = 0};
    enum cvg_error err;

    snprintf(directory, sizeof directory, "%s", nss_directory);
    snprintf(opened, sizeof opened, "%s", database);
    cvg_buffer_init(&watch.report, REPORT_MAX);
    err = observe(arguments, NULL, &watch, ret_why);
    if (err == CVG_OK && (watch.report.len == 0 ||
                          find_line((const char *)watch.report.data, CVG_CANARY_OPENED, 0) == NULL))
        err = cvg_fail(ret_why, CVG_ERR_NOT_FOUND, "NSS could not open %.300s", database);
    if (err == CVG_OK)
        judge(&watch, true, ret_canary);
    cvg_buffer_free(&watch.report);
    return err;
}
