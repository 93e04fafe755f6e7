/* SPDX-License-Identifier: MIT */
/* For tests: one question through the client part, as a plug-in asks it. Prints the action, the
 * reason and how many milliseconds it took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/client/client.h"

int main(int argc, char **argv)
{
    struct cvg_question question = {.have_name = true,
                                    .host_found = CVG_FOUND_GIVEN,
                                    .port = {443},
                                    .port_count = 1,
                                    .port_found = CVG_FOUND_GIVEN,
                                    .pki = CVG_PKI_OK,
                                    .program = "ask-agent",
                                    .fingerprint.len = CVG_SHA256_LEN};
    struct cvg_config *config = malloc(sizeof *config);
    struct cvg_answer answer;
    struct cvg_paths paths;
    struct cvg_why why;
    uint64_t started_ms;

    if (argc != 2 || config == NULL || strlen(argv[1]) >= sizeof question.host)
        return 2;
    strcpy(question.host, argv[1]);
    if (cvg_config_load(config, &paths, &why) != CVG_OK) {
        fprintf(stderr, "%s\n", why.text);
        return 2;
    }
    started_ms = cvg_clock_ms(cvg_clock_system());
    cvg_client_ask(config, &paths, &question, &answer);
    printf("%s %s %llu\n", cvg_action_name(answer.action), cvg_reason_name(answer.reason),
           (unsigned long long)(cvg_clock_ms(cvg_clock_system()) - started_ms));
    free(config);
    return 0;
}
