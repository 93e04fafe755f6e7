/* SPDX-License-Identifier: MIT */
/* STARTTLS dialogues: what is said to servers of each protocol, which answers let TLS begin, and
 * which do not; whole and octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/notary/starttls-dialogues.h"

/* The client's side of one dialogue. */
struct client {
    struct cvg_starttls_dialogue dialogue;
    char said[2 * CVG_STARTTLS_SENT_MAX];
    size_t said_len;
};

static void say(struct client *client)
{
    assert_true(client->said_len + client->dialogue.sent_len <= sizeof(client->said));
    memcpy(client->said + client->said_len, client->dialogue.sent, client->dialogue.sent_len);
    client->said_len += client->dialogue.sent_len;
    client->dialogue.sent_len = 0;
}

/* pieces: how many octets at once. What the client says is held back until the server's turn is
 * over, as if it had all come together. */
static void hold(const struct dialogue *expected, size_t pieces)
{
    struct client client = {.said_len = 0};
    enum cvg_starttls_verdict verdict = CVG_STARTTLS_MORE;
    cvg_starttls_begin(expected->kind, HOST, &client.dialogue);
    for (size_t i = 0; i < TURNS_MAX && verdict == MORE; i++) {
        const struct turn *turn = &expected->turn[i];
        say(&client);
        for (size_t at = 0; at < turn->len && verdict != REFUSED; at += pieces) {
            size_t len = turn->len - at < pieces ? turn->len - at : pieces;
            if (verdict == READY)
                verdict = REFUSED; /* the caller's own rule: TLS has not begun */
            else
                verdict = cvg_starttls_take(&client.dialogue, turn->octets + at, len);
        }
    }
    say(&client);
    if (verdict != expected->end)
        fail_msg("%s (%zu at once): ended with %d", expected->what, pieces, verdict);
    if (client.said_len != expected->said.len ||
        memcmp(client.said, expected->said.octets, client.said_len) != 0)
        fail_msg("%s (%zu at once): said %.*s", expected->what, pieces, (int)client.said_len,
                 client.said);
}

static void whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
        hold(&dialogues[i], SIZE_MAX / 2);
}

static void octet_by_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
        hold(&dialogues[i], 1);
}

static void endless(void **state)
{
    static const char *const chatter[CVG_STARTTLS_COUNT] = {
        [CVG_STARTTLS_SMTP] = "220-x\r\n",
        [CVG_STARTTLS_IMAP] = "* ",
        [CVG_STARTTLS_POP3] = "+",
        [CVG_STARTTLS_FTP] = "220-x\r\n",
        [CVG_STARTTLS_XMPP] = "<a b='c'> text",
        [CVG_STARTTLS_MANAGESIEVE] = "\"A\" \"B\"\r\n",
        [CVG_STARTTLS_NNTP] = "2",
        [CVG_STARTTLS_IRC] = "NOTICE AUTH :x\r\n",
        [CVG_STARTTLS_XMPP_SERVER] = "<",
    };
    (void)state;
    for (unsigned kind = CVG_STARTTLS_SMTP; kind < CVG_STARTTLS_COUNT; kind++) {
        struct cvg_starttls_dialogue dialogue;
        size_t taken = 0;
        if (chatter[kind] == NULL)
            continue;
        cvg_starttls_begin((enum cvg_starttls)kind, HOST, &dialogue);
        dialogue.sent_len = 0;
        while (cvg_starttls_take(&dialogue, chatter[kind], strlen(chatter[kind])) == MORE)
            taken += strlen(chatter[kind]);
        assert_in_range(taken, CVG_STARTTLS_RECEIVED_MAX - 16, CVG_STARTTLS_RECEIVED_MAX);
    }
}

static void kinds(void **state)
{
    (void)state;
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_AUTO, 443), CVG_STARTTLS_NONE);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_AUTO, 25), CVG_STARTTLS_SMTP);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_AUTO, 587), CVG_STARTTLS_SMTP);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_AUTO, 465), CVG_STARTTLS_NONE);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_AUTO, 5269), CVG_STARTTLS_XMPP_SERVER);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_NONE, 25), CVG_STARTTLS_NONE);
    assert_int_equal(cvg_starttls_kind(CVG_STARTTLS_POSTGRESQL, 6432), CVG_STARTTLS_POSTGRESQL);
    assert_true(cvg_starttls_known(CVG_STARTTLS_AUTO));
    assert_true(cvg_starttls_known(CVG_STARTTLS_XMPP_SERVER));
    assert_false(cvg_starttls_known(CVG_STARTTLS_COUNT));
    assert_false(cvg_starttls_known(255));
}

/* The longest name there is must fit into what is said. */
static void longest_host(void **state)
{
    struct cvg_starttls_dialogue dialogue;
    char host[CVG_HOST_MAX];
    (void)state;
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    cvg_starttls_begin(CVG_STARTTLS_XMPP, host, &dialogue);
    assert_in_range(dialogue.sent_len, sizeof(host), CVG_STARTTLS_SENT_MAX);
    assert_int_equal(dialogue.sent[dialogue.sent_len - 1], '>');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole), cmocka_unit_test(octet_by_octet), cmocka_unit_test(endless),
        cmocka_unit_test(kinds), cmocka_unit_test(longest_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
