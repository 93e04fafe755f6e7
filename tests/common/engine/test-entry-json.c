/* SPDX-License-Identifier: MIT */
/* The longest entry there can be takes no more octets as JSON than the pages of replies reckon
 * with, and the longest page fits into a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/engine/commands-state.h"

static struct cvg_vote votes[CVG_MESSAGE_VOTES_MAX];
static char text[CVG_MESSAGE_TEXT_MAX];

static struct cvg_vote longest_vote(void)
{
    struct cvg_vote vote = {.kind = CVG_VOTE_SILENT, .elapsed_ms = UINT32_MAX};

    memset(vote.notary, '"', sizeof vote.notary - 1);
    for (unsigned err = 0; err < CVG_ERR_COUNT; err++)
        if (strlen(cvg_error_word((enum cvg_error)err)) > strlen(cvg_error_word(vote.error)))
            vote.error = (enum cvg_error)err;
    for (size_t i = 0; i < CVG_SAYERS; i++)
        vote.said[i] = CVG_SAID_ASIDE;
    return vote;
}

static struct cvg_verdict_entry longest_entry(size_t vote_count)
{
    struct cvg_verdict_entry entry = {.time_s = INT64_MIN,
                                      .port = UINT16_MAX,
                                      .verdict = CVG_VERDICT_UNDECIDED,
                                      .action = CVG_ACTION_UNCHANGED,
                                      .pki = CVG_PKI_TRUST_ERROR,
                                      .pid = INT32_MIN,
                                      .uid = UINT32_MAX,
                                      .elapsed_ms = UINT32_MAX,
                                      .text = text,
                                      .vote = votes,
                                      .vote_count = vote_count};

    memset(entry.host, 'h', sizeof entry.host - 1);
    memset(entry.program, '\\', sizeof entry.program - 1);
    memset(text, '"', sizeof text - 1);
    entry.fingerprint.len = CVG_SHA256_LEN;
    for (unsigned reason = 0; reason < CVG_REASON_COUNT; reason++)
        if (strlen(cvg_reason_name((enum cvg_reason)reason)) >
            strlen(cvg_reason_name(entry.reason)))
            entry.reason = (enum cvg_reason)reason;
    for (size_t i = 0; i < vote_count; i++)
        votes[i] = longest_vote();
    return entry;
}

static size_t length_of(const struct cvg_verdict_entry *entry)
{
    json_t *object = cvg_json_entry(entry, "history");
    char *dump = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    size_t len = dump == NULL ? 0 : strlen(dump);

    json_decref(object);
    free(dump);
    return len;
}

static void the_longest_entry_is_reckoned_with(void **state)
{
    (void)state;
    for (size_t count = 0; count <= CVG_MESSAGE_VOTES_MAX; count++) {
        struct cvg_verdict_entry entry = longest_entry(count);

        assert_in_range(length_of(&entry), 1500, cvg_json_entry_octets(count));
    }
}

static void the_longest_page_fits(void **state)
{
    (void)state;
    assert_true(CVG_REPLY_OCTETS + cvg_json_entry_octets(CVG_MESSAGE_VOTES_MAX) + 64 <=
                CVG_MESSAGE_JSON_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_entry_is_reckoned_with),
        cmocka_unit_test(the_longest_page_fits),
    };

    return cmocka_run_group_tests_name("entry-json", tests, NULL, NULL);
}
