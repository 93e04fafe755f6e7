/* SPDX-License-Identifier: MIT */
/* The file of pins, read into a table by endpoint. */
#include "notary/pins.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/keys.h"
#include "notary/table.h"
#include "notary/target.h"

#define DEFAULT_PORT 443
#define WORD_MAX     512 /* octets of an endpoint or pin as it is written */
#define PINS_MAX     64  /* of one endpoint */
#define KEY_WORD     "spki:"
#define GRAMMAR      "HOST[:PORT] and pins (a SHA-256, or spki: and a SHA-256) are allowed"

struct pin {
    bool of_key; /* else of the certificate */
    uint8_t sha256[CVG_SHA256_LEN];
};

struct entry {
    struct cvg_node node;
    struct entry *next; /* all entries, to free them */
    uint8_t key[CVG_TARGET_KEY_MAX];
    size_t count;
    struct pin pin[];
};

struct cvg_pins {
    struct cvg_table *endpoints;
    struct entry *entries;
};

/* Where the parser is, for messages. */
struct place {
    const char *file;
    unsigned line;
};

static bool word_text(const struct cvg_value *word, char ret_text[static WORD_MAX])
{
    if (word->len >= WORD_MAX || memchr(word->text, '\0', word->len) != NULL)
        return false;
    memcpy(ret_text, word->text, word->len);
    ret_text[word->len] = '\0';
    return true;
}

static enum cvg_error read_endpoint(const struct place *at, const struct cvg_value *word,
                                    struct cvg_endpoint *ret_endpoint, struct cvg_why *why)
{
    char text[WORD_MAX];
    struct cvg_why detail = {.text = "too long, or not text"};
    if (!word_text(word, text) ||
        cvg_endpoint_parse(text, DEFAULT_PORT, ret_endpoint, &detail) != CVG_OK)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: %.200s; " GRAMMAR, at->file, at->line,
                        detail.text);
    return CVG_OK;
}

static enum cvg_error read_pin(const struct place *at, const struct cvg_value *word,
                               struct pin *ret_pin, struct cvg_why *why)
{
    size_t prefix = sizeof(KEY_WORD) - 1;
    struct cvg_fingerprint digest = {.len = 0};
    struct cvg_why detail = {.text = "a SHA-1 where a SHA-256 is needed"};
    bool of_key = word->len > prefix && memcmp(word->text, KEY_WORD, prefix) == 0;
    if (!of_key)
        prefix = 0;
    enum cvg_error err =
        cvg_fingerprint_parse(word->text + prefix, word->len - prefix, &digest, &detail);
    if (err != CVG_OK || digest.len != CVG_SHA256_LEN)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: %.200s; " GRAMMAR, at->file, at->line,
                        detail.text);
    ret_pin->of_key = of_key;
    memcpy(ret_pin->sha256, digest.bytes, CVG_SHA256_LEN);
    return CVG_OK;
}

static enum cvg_error add(struct cvg_pins *pins, const struct cvg_endpoint *endpoint,
                          const struct pin *pin, size_t count)
{
    struct entry *entry = calloc(1, sizeof(*entry) + count * sizeof(*pin));
    if (entry == NULL)
        return CVG_ERR_NOMEM;
    entry->node.key = entry->key;
    entry->node.key_len = cvg_target_key(endpoint, 0, entry->key);
    entry->count = count;
    memcpy(entry->pin, pin, count * sizeof(*pin));
    entry->next = pins->entries;
    pins->entries = entry;
    cvg_table_add(pins->endpoints, &entry->node);
    return CVG_OK;
}

static const struct entry *find(const struct cvg_pins *pins, const struct cvg_endpoint *endpoint)
{
    uint8_t key[CVG_TARGET_KEY_MAX];
    size_t len = cvg_target_key(endpoint, 0, key);
    struct cvg_node *node = cvg_table_find(pins->endpoints, key, len);
    return node == NULL ? NULL : CVG_CONTAINER_OF(node, struct entry, node);
}

static enum cvg_error parse_line(struct cvg_pins *pins, const struct place *at,
                                 struct cvg_value rest, struct cvg_why *why)
{
    struct cvg_endpoint endpoint;
    struct cvg_value word;
    struct pin pin[PINS_MAX];
    size_t count = 0;
    if (!cvg_value_word(&rest, &word))
        return CVG_OK;
    enum cvg_error err = read_endpoint(at, &word, &endpoint, why);
    while (err == CVG_OK && cvg_value_word(&rest, &word)) {
        if (count == PINS_MAX)
            return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: more than %d pins", at->file, at->line,
                            PINS_MAX);
        err = read_pin(at, &word, &pin[count++], why);
    }
    if (err != CVG_OK)
        return err;
    if (count == 0)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: no pins; " GRAMMAR, at->file, at->line);
    if (find(pins, &endpoint) != NULL)
        return cvg_fail(why, CVG_ERR_CONFIG, "%s:%u: %s port %u is listed a second time", at->file,
                        at->line, endpoint.host, (unsigned)endpoint.port);
    return add(pins, &endpoint, pin, count);
}

/* A line without its comment and a CR at its end. */
static struct cvg_value content(const char *line, size_t len)
{
    const char *comment = memchr(line, '#', len);
    if (comment != NULL)
        len = (size_t)(comment - line);
    else if (len > 0 && line[len - 1] == '\r')
        len--;
    return (struct cvg_value){.text = line, .len = len};
}

enum cvg_error cvg_pins_parse(const char *text, size_t len, const char *file,
                              struct cvg_pins **ret_pins, struct cvg_why *ret_why)
{
    struct place at = {.file = file, .line = 1};
    struct cvg_pins *pins = calloc(1, sizeof(*pins));
    enum cvg_error err = pins == NULL ? CVG_ERR_NOMEM : cvg_table_new(&pins->endpoints);
    for (size_t pos = 0; err == CVG_OK && pos < len; at.line++) {
        const char *line = text + pos;
        const char *end = memchr(line, '\n', len - pos);
        size_t line_len = end != NULL ? (size_t)(end - line) : len - pos;
        pos += line_len + 1;
        err = parse_line(pins, &at, content(line, line_len), ret_why);
    }
    if (err != CVG_OK) {
        cvg_pins_free(pins);
        return err;
    }
    *ret_pins = pins;
    return CVG_OK;
}

void cvg_pins_free(struct cvg_pins *pins)
{
    if (pins == NULL)
        return;
    struct entry *next = NULL;
    for (struct entry *entry = pins->entries; entry != NULL; entry = next) {
        next = entry->next;
        free(entry);
    }
    cvg_table_free(pins->endpoints);
    free(pins);
}

enum cvg_v2_opinion cvg_pins_judge(const struct cvg_pins *pins, const struct cvg_endpoint *endpoint,
                                   const struct cvg_leaf *leaf)
{
    const struct entry *entry = find(pins, endpoint);
    if (entry == NULL)
        return CVG_V2_OPINION_NONE;
    for (size_t i = 0; i < entry->count; i++) {
        const struct pin *pin = &entry->pin[i];
        if (memcmp(pin->sha256, pin->of_key ? leaf->spki_sha256 : leaf->sha256, CVG_SHA256_LEN) ==
            0)
            return CVG_V2_OPINION_YES;
    }
    return CVG_V2_OPINION_NO;
}
