/* SPDX-License-Identifier: MIT */
/* The PROXY protocol's header. */
#include "notary/proxy.h"

#include <string.h>

#include "common/base/buffer.h"

#define V1_MAX 107 /* octets of a line, its end included */

static const uint8_t v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_signature[6] = "PROXY ";

/* Budgets count IPv4 inside IPv6 with IPv4. */
static void set_source(uint8_t family, const uint8_t *octets, struct cvg_proxy *proxy)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (family == 6 && memcmp(octets, mapped, sizeof(mapped)) == 0) {
        family = 4;
        octets += sizeof(mapped);
    }
    proxy->named = true;
    proxy->source = (struct cvg_address){.family = family};
    memcpy(proxy->source.bytes, octets, family == 4 ? 4 : 16);
}

/* The next word of a line of version 1; words are separated by exactly one blank. */
static bool next_word(const char **at, char *ret_word, size_t size)
{
    size_t len = strcspn(*at, " ");
    if (len == 0 || len >= size)
        return false;
    memcpy(ret_word, *at, len);
    ret_word[len] = '\0';
    *at += len;
    if (**at == ' ')
        (*at)++;
    return true;
}

static bool is_port(const char *word)
{
    size_t len = strspn(word, "0123456789");
    unsigned port = 0;
    for (size_t i = 0; i < len && i < 6; i++)
        port = port * 10 + (unsigned)(word[i] - '0');
    return len > 0 && word[len] == '\0' && port <= 65535 && len < 6 && (len == 1 || word[0] != '0');
}

/* "TCP4 SOURCE DESTINATION PORT PORT" or "UNKNOWN" and whatever. */
static bool parse_words(const char *line, struct cvg_proxy *proxy)
{
    char word[5][CVG_ADDRESS_TEXT_MAX];
    struct cvg_address source, destination;
    if (!next_word(&line, word[0], sizeof(word[0])))
        return false;
    if (strcmp(word[0], "UNKNOWN") == 0)
        return true;
    uint8_t family = strcmp(word[0], "TCP4") == 0 ? 4 : strcmp(word[0], "TCP6") == 0 ? 6 : 0;
    for (size_t i = 1; i < 5; i++)
        if (!next_word(&line, word[i], sizeof(word[i])))
            return false;
    if (family == 0 || *line != '\0' || line[-1] == ' ' || !is_port(word[3]) || !is_port(word[4]) ||
        cvg_address_parse(word[1], &source) != CVG_OK || source.family != family ||
        cvg_address_parse(word[2], &destination) != CVG_OK || destination.family != family)
        return false;
    set_source(family, source.bytes, proxy);
    return true;
}

static enum cvg_proxy_state parse_v1(const uint8_t *data, size_t len, struct cvg_proxy *proxy)
{
    const uint8_t *end = memchr(data, '\n', len < V1_MAX ? len : V1_MAX);
    char line[V1_MAX + 1];
    if (end == NULL)
        return len < V1_MAX ? CVG_PROXY_MORE : CVG_PROXY_BAD;
    proxy->len = (size_t)(end - data) + 1;
    size_t text = proxy->len - sizeof(v1_signature) - 2;
    if (proxy->len < sizeof(v1_signature) + 2 || end[-1] != '\r')
        return CVG_PROXY_BAD;
    memcpy(line, data + sizeof(v1_signature), text);
    line[text] = '\0';
    if (strlen(line) != text || !parse_words(line, proxy))
        return CVG_PROXY_BAD;
    return CVG_PROXY_DONE;
}

/* What follows the addresses: type, length, octets. None of it matters here, but it must be sound.
 */
static bool skip_extensions(struct cvg_reader *reader)
{
    while (reader->left > 0 && reader->error == CVG_OK) {
        (void)cvg_reader_u8(reader);
        (void)cvg_reader_take(reader, cvg_reader_u16(reader));
    }
    return reader->error == CVG_OK;
}

static bool parse_addresses(uint8_t family, struct cvg_reader *reader, struct cvg_proxy *proxy)
{
    static const size_t lengths[] = {0, 12, 36, 216}; /* unspecified, IPv4, IPv6, UNIX */
    unsigned kind = family >> 4;
    if (kind > 3 || (family & 15) > 2)
        return false;
    const uint8_t *addresses = cvg_reader_take(reader, lengths[kind]);
    if (reader->error != CVG_OK)
        return false;
    if (kind == 0)
        return true; /* nothing is known of what follows, either */
    if ((kind == 1 || kind == 2) && (family & 15) != 0)
        set_source(kind == 1 ? 4 : 6, addresses, proxy);
    return skip_extensions(reader);
}

static enum cvg_proxy_state parse_v2(const uint8_t *data, size_t len, struct cvg_proxy *proxy)
{
    struct cvg_reader reader;
    cvg_reader_init(&reader, data, len);
    (void)cvg_reader_take(&reader, sizeof(v2_signature));
    uint8_t command = cvg_reader_u8(&reader), family = cvg_reader_u8(&reader);
    size_t rest = cvg_reader_u16(&reader);
    if (reader.error != CVG_OK)
        return CVG_PROXY_MORE;
    proxy->len = len - reader.left + rest;
    if ((command != 0x20 && command != 0x21) || proxy->len > CVG_PROXY_MAX)
        return CVG_PROXY_BAD;
    if (reader.left < rest)
        return CVG_PROXY_MORE;
    reader.left = rest;
    if (command == 0x21 && !parse_addresses(family, &reader, proxy))
        return CVG_PROXY_BAD;
    return CVG_PROXY_DONE;
}

static bool begins(const uint8_t *data, size_t len, const void *signature, size_t signature_len)
{
    return memcmp(data, signature, len < signature_len ? len : signature_len) == 0;
}

enum cvg_proxy_state cvg_proxy_parse(const uint8_t *data, size_t len, struct cvg_proxy *ret_proxy)
{
    struct cvg_proxy proxy = {.len = 0};
    enum cvg_proxy_state state = CVG_PROXY_BAD;
    if (len == 0)
        return CVG_PROXY_MORE;
    if (begins(data, len, v1_signature, sizeof(v1_signature)))
        state = parse_v1(data, len, &proxy);
    else if (begins(data, len, v2_signature, sizeof(v2_signature)))
        state = parse_v2(data, len, &proxy);
    if (state == CVG_PROXY_DONE)
        *ret_proxy = proxy;
    return state;
}
