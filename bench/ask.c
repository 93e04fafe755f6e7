/* SPDX-License-Identifier: MIT */
/* Asks the agent of the installation in CONVERGE_CONFIG_DIR, as a plug-in does, and times it.
 *
 *   ask LEAF.der HOST PORT COUNT [EACH]
 *
 * COUNT questions about HOST:PORT, or with EACH about COUNT hosts "1.HOST", "2.HOST", ...; prints a
 * line "WALL_NS VERDICT REASON" for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/client/client.h"

static unsigned long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

static void ask(const struct cvg_config *config, const struct cvg_paths *paths, const char *host,
                unsigned port, const struct cvg_buffer *leaf)
{
    static struct cvg_question question;
    static struct cvg_answer answer;
    unsigned long long start = now_ns();

    memset(&question, 0, sizeof question);
    question.have_name = true;
    snprintf(question.host, sizeof question.host, "%s", host);
    question.host_found = CVG_FOUND_GIVEN;
    question.port[0] = (uint16_t)port;
    question.port_count = 1;
    question.port_found = CVG_FOUND_GIVEN;
    question.pki = CVG_PKI_OK;
    question.leaf = leaf->data;
    question.leaf_len = leaf->len;
    snprintf(question.program, sizeof question.program, "bench");
    cvg_client_ask(config, paths, &question, &answer);
    printf("%llu %s %s\n", now_ns() - start, cvg_verdict_name(answer.verdict),
           cvg_reason_name(answer.reason));
}

int main(int argc, char **argv)
{
    static struct cvg_config config;
    static struct cvg_paths paths;
    struct cvg_why why;
    struct cvg_buffer leaf;
    char host[CVG_HOST_MAX];

    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: ask LEAF.der HOST PORT COUNT [EACH]\n");
        return 2;
    }
    if (cvg_config_load(&config, &paths, &why) != CVG_OK ||
        cvg_file_read(argv[1], geteuid(), CVG_MESSAGE_LEAF_MAX, false, &leaf, &why) != CVG_OK) {
        fprintf(stderr, "ask: %s\n", why.text);
        return 1;
    }
    for (long i = 1; i <= atol(argv[4]); i++) {
        if (argc == 6)
            snprintf(host, sizeof host, "%ld.%s", i, argv[2]);
        else
            snprintf(host, sizeof host, "%s", argv[2]);
        ask(&config, &paths, host, (unsigned)atoi(argv[3]), &leaf);
    }
    cvg_buffer_free(&leaf);
    return 0;
}
