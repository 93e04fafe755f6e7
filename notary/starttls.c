/* SPDX-License-Identifier: MIT */
/* The table of STARTTLS protocols, and the rules that hold for each of them. */
#include "notary/starttls.h"

#include <string.h>

#include "notary/starttls-protocol.h"

/* We have no name of our own to give; a name that cannot exist claims nobody else's. */
static const struct cvg_starttls_step smtp[] = {
    {NULL, CVG_REPLY_CODE, {"220"}, NULL},
    {"EHLO notary.invalid\r\n", CVG_REPLY_CODE, {"250"}, NULL},
    {"STARTTLS\r\n", CVG_REPLY_CODE, {"220"}, NULL},
};
static const struct cvg_starttls_step imap[] = {
    {NULL, CVG_REPLY_WORD, {"* OK"}, NULL},
    {"a STARTTLS\r\n", CVG_REPLY_WORD, {"a OK"}, "* "},
};
static const struct cvg_starttls_step pop3[] = {
    {NULL, CVG_REPLY_WORD, {"+OK"}, NULL},
    {"STLS\r\n", CVG_REPLY_WORD, {"+OK"}, NULL},
};
static const struct cvg_starttls_step ftp[] = {
    {NULL, CVG_REPLY_CODE, {"220"}, NULL},
    {"AUTH TLS\r\n", CVG_REPLY_CODE, {"234"}, NULL},
};
static const struct cvg_starttls_step managesieve[] = {
    {NULL, CVG_REPLY_WORD, {"OK"}, "\""},
    {"STARTTLS\r\n", CVG_REPLY_WORD, {"OK"}, NULL},
};
static const struct cvg_starttls_step nntp[] = {
    {NULL, CVG_REPLY_CODE, {"200", "201"}, NULL},
    {"STARTTLS\r\n", CVG_REPLY_CODE, {"382"}, NULL},
};
static const struct cvg_starttls_step irc[] = {
    {"STARTTLS\r\n", CVG_REPLY_NUMERIC, {"670"}, NULL},
};

#define LINES(table)                                                                               \
    {                                                                                              \
        cvg_starttls_lines_begin, cvg_starttls_lines_take, table,                                  \
            sizeof(table) / sizeof((table)[0])                                                     \
    }

static const struct cvg_starttls_protocol protocols[CVG_STARTTLS_COUNT] = {
    [CVG_STARTTLS_SMTP] = LINES(smtp),
    [CVG_STARTTLS_IMAP] = LINES(imap),
    [CVG_STARTTLS_POP3] = LINES(pop3),
    [CVG_STARTTLS_FTP] = LINES(ftp),
    [CVG_STARTTLS_LDAP] = {cvg_starttls_ldap_begin, cvg_starttls_ldap_take, NULL, 0},
    [CVG_STARTTLS_XMPP] = {cvg_starttls_xmpp_begin, cvg_starttls_xmpp_take, NULL, 0},
    [CVG_STARTTLS_POSTGRESQL] = {cvg_starttls_postgresql_begin, cvg_starttls_postgresql_take, NULL,
                                 0},
    [CVG_STARTTLS_MYSQL] = {NULL, cvg_starttls_mysql_take, NULL, 0},
    [CVG_STARTTLS_MANAGESIEVE] = LINES(managesieve),
    [CVG_STARTTLS_NNTP] = LINES(nntp),
    [CVG_STARTTLS_IRC] = LINES(irc),
    [CVG_STARTTLS_XMPP_SERVER] = {cvg_starttls_xmpp_server_begin, cvg_starttls_xmpp_take, NULL, 0},
};

static const struct {
    uint16_t port;
    enum cvg_starttls kind;
} registered[] = {
    {21, CVG_STARTTLS_FTP},    {25, CVG_STARTTLS_SMTP},          {110, CVG_STARTTLS_POP3},
    {119, CVG_STARTTLS_NNTP},  {143, CVG_STARTTLS_IMAP},         {389, CVG_STARTTLS_LDAP},
    {587, CVG_STARTTLS_SMTP},  {3306, CVG_STARTTLS_MYSQL},       {4190, CVG_STARTTLS_MANAGESIEVE},
    {5222, CVG_STARTTLS_XMPP}, {5269, CVG_STARTTLS_XMPP_SERVER}, {5432, CVG_STARTTLS_POSTGRESQL},
    {6667, CVG_STARTTLS_IRC},
};

bool cvg_starttls_known(uint8_t hint)
{
    return hint < CVG_STARTTLS_COUNT;
}

enum cvg_starttls cvg_starttls_kind(uint8_t hint, uint16_t port)
{
    if (hint != CVG_STARTTLS_AUTO)
        return (enum cvg_starttls)hint;
    for (size_t i = 0; i < sizeof(registered) / sizeof(registered[0]); i++)
        if (registered[i].port == port)
            return registered[i].kind;
    return CVG_STARTTLS_NONE;
}

void cvg_starttls_begin(enum cvg_starttls kind, const char *host,
                        struct cvg_starttls_dialogue *ret_dialogue)
{
    *ret_dialogue = (struct cvg_starttls_dialogue){.protocol = &protocols[kind], .host = host};
    if (ret_dialogue->protocol->begin != NULL)
        ret_dialogue->protocol->begin(ret_dialogue);
}

void cvg_starttls_say(struct cvg_starttls_dialogue *dialogue, const void *octets, size_t len)
{
    memcpy(dialogue->sent + dialogue->sent_len, octets, len);
    dialogue->sent_len += len;
}

void cvg_starttls_hold(struct cvg_starttls_dialogue *dialogue, uint8_t octet)
{
    if (dialogue->len < CVG_STARTTLS_HELD_MAX)
        dialogue->held[dialogue->len] = octet;
    dialogue->len++;
}

/* Whatever follows an answer that gives us the word was said too early. */
enum cvg_starttls_verdict cvg_starttls_take(struct cvg_starttls_dialogue *dialogue,
                                            const void *octets, size_t len)
{
    enum cvg_starttls_verdict verdict = CVG_STARTTLS_MORE;
    const uint8_t *octet = octets;
    if (len > CVG_STARTTLS_RECEIVED_MAX - dialogue->received)
        return CVG_STARTTLS_REFUSED;
    dialogue->received += len;
    for (size_t i = 0; i < len; i++) {
        if (verdict != CVG_STARTTLS_MORE || dialogue->sent_len > 0)
            return CVG_STARTTLS_REFUSED;
        verdict = dialogue->protocol->take(dialogue, octet[i]);
        if (verdict == CVG_STARTTLS_REFUSED)
            return verdict;
    }
    return verdict;
}
