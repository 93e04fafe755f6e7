/* SPDX-License-Identifier: MIT */
/* STARTTLS in XMPP (RFC 6120): tag by tag, without a parser of XML. What counts are the names of
 * the stream's own elements; their text and attributes are passed over. */
#include <stdio.h>
#include <string.h>

#include "notary/starttls-protocol.h"

enum { BEFORE_FEATURES = 0, FEATURES, FEATURES_WITH_TLS, ASKED, PROCEED };

static void open_stream(struct cvg_starttls_dialogue *dialogue, const char *namespace)
{
    char text[CVG_STARTTLS_SENT_MAX];
    int len = snprintf(text, sizeof(text),
                       "<?xml version='1.0'?><stream:stream xmlns='%s' "
                       "xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>",
                       namespace, dialogue->host);
    cvg_starttls_say(dialogue, text, (size_t)len);
}

void cvg_starttls_xmpp_begin(struct cvg_starttls_dialogue *dialogue)
{
    open_stream(dialogue, "jabber:client");
}

void cvg_starttls_xmpp_server_begin(struct cvg_starttls_dialogue *dialogue)
{
    open_stream(dialogue, "jabber:server");
}

/* A tag without its angle brackets. */
struct tag {
    char name[32]; /* without its prefix; "" if it is too long to be one of ours */
    bool closing;  /* </name> */
    bool empty;    /* <name/> */
};

static void read_tag(const char *text, bool empty, struct tag *ret_tag)
{
    *ret_tag = (struct tag){.closing = text[0] == '/', .empty = empty};
    if (ret_tag->closing)
        text++;
    size_t len = strcspn(text, " \t\r\n/");
    const char *colon = memchr(text, ':', len);
    if (colon != NULL) {
        len -= (size_t)(colon + 1 - text);
        text = colon + 1;
    }
    if (len < sizeof(ret_tag->name))
        memcpy(ret_tag->name, text, len);
}

static bool is(const struct tag *tag, const char *name)
{
    return strcmp(tag->name, name) == 0;
}

static enum cvg_starttls_verdict ask(struct cvg_starttls_dialogue *dialogue)
{
    static const char request[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    cvg_starttls_say(dialogue, request, sizeof(request) - 1);
    dialogue->step = ASKED;
    return CVG_STARTTLS_MORE;
}

/* The server's stream and its features. */
static enum cvg_starttls_verdict feature(struct cvg_starttls_dialogue *dialogue,
                                         const struct tag *tag)
{
    if (is(tag, "error") || (is(tag, "stream") && tag->closing))
        return CVG_STARTTLS_REFUSED;
    if (is(tag, "features")) {
        if (tag->closing)
            return dialogue->step == FEATURES_WITH_TLS ? ask(dialogue) : CVG_STARTTLS_REFUSED;
        dialogue->step = FEATURES;
        return tag->empty ? CVG_STARTTLS_REFUSED : CVG_STARTTLS_MORE;
    }
    if (dialogue->step == FEATURES && is(tag, "starttls"))
        dialogue->step = FEATURES_WITH_TLS;
    return CVG_STARTTLS_MORE;
}

static enum cvg_starttls_verdict on_tag(struct cvg_starttls_dialogue *dialogue,
                                        const struct tag *tag)
{
    if (dialogue->step < ASKED)
        return feature(dialogue, tag);
    if (!is(tag, "proceed") || tag->closing != (dialogue->step == PROCEED))
        return CVG_STARTTLS_REFUSED;
    if (tag->empty || tag->closing)
        return CVG_STARTTLS_READY;
    dialogue->step = PROCEED;
    return CVG_STARTTLS_MORE;
}

static enum cvg_starttls_verdict end_tag(struct cvg_starttls_dialogue *dialogue)
{
    char text[CVG_STARTTLS_HELD_MAX + 1];
    struct tag tag;
    size_t len = dialogue->len < CVG_STARTTLS_HELD_MAX ? dialogue->len : CVG_STARTTLS_HELD_MAX;
    memcpy(text, dialogue->held, len);
    text[len] = '\0';
    dialogue->flag = false;
    if (len == 0 || text[0] == '!')
        return CVG_STARTTLS_REFUSED;
    if (text[0] == '?')
        return CVG_STARTTLS_MORE;
    read_tag(text, dialogue->last == '/', &tag);
    return on_tag(dialogue, &tag);
}

/* flag: inside a tag. quote: the mark that an attribute's value began with, or 0. last: the tag's
 * octet before this one. */
enum cvg_starttls_verdict cvg_starttls_xmpp_take(struct cvg_starttls_dialogue *dialogue,
                                                 uint8_t octet)
{
    if (!dialogue->flag) {
        dialogue->flag = octet == '<';
        dialogue->len = 0;
        return CVG_STARTTLS_MORE;
    }
    if (dialogue->quote != 0) {
        if (octet == dialogue->quote)
            dialogue->quote = 0;
    } else if (octet == '\'' || octet == '"') {
        dialogue->quote = octet;
    } else if (octet == '>') {
        return end_tag(dialogue);
    }
    dialogue->last = octet;
    cvg_starttls_hold(dialogue, octet);
    return CVG_STARTTLS_MORE;
}
