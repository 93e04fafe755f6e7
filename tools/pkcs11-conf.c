/* SPDX-License-Identifier: MIT */
/* Finds the blocks of a pkcs11.txt, by NSS's own rules of lines and quotes. */
#include "tools/pkcs11-conf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct line {
    char text[CVG_PKCS11_LINE_MAX + 1]; /* without its newline */
    size_t begin, end;                  /* in the file's text, with its newline */
};

/* As much as NSS reads at once: a longer line goes on as another one. */
static bool next_line(const char *text, size_t len, size_t offset, struct line *ret_line)
{
    size_t room = len - offset < CVG_PKCS11_LINE_MAX ? len - offset : CVG_PKCS11_LINE_MAX;
    const char *newline;
    size_t used;

    if (offset == len)
        return false;
    newline = memchr(text + offset, '\n', room);
    used = newline != NULL ? (size_t)(newline - text) - offset : room;
    memcpy(ret_line->text, text + offset, used);
    if (used > 0 && ret_line->text[used - 1] == '\r')
        used--;
    ret_line->text[used] = '\0';
    ret_line->begin = offset;
    ret_line->end = newline != NULL ? (size_t)(newline - text) + 1 : offset + room;
    return true;
}

static char closing_quote(char quote)
{
    static const char opening[] = "\"'([{<", closing[] = "\"')]}>";
    const char *found = quote != '\0' ? strchr(opening, quote) : NULL;

    return found != NULL ? closing[found - opening] : '\0';
}

/* One value, quoted or up to a blank, without its quotes and escapes. Returns what is behind it.
 * ret_value has room for all of the text. */
static const char *take_value(const char *text, char *ret_value)
{
    char end = closing_quote(*text);

    if (end != '\0')
        text++;
    while (*text != '\0' && (end != '\0' ? *text != end : strchr(" \t", *text) == NULL)) {
        if (*text == '\\' && text[1] != '\0')
            text++;
        *ret_value++ = *text++;
    }
    *ret_value = '\0';
    return end != '\0' && *text == end ? text + 1 : text;
}

static void take_pair(const char *key, const char *value, struct cvg_pkcs11_block *block)
{
    if (strncasecmp(key, "library=", 8) == 0)
        strcpy(block->library, value);
    else if (strncasecmp(key, "name=", 5) == 0)
        strcpy(block->name, value);
}

/* A line's value is all that is behind the first "=", unless it begins with a quotation mark: then
 * the line is a list of pairs with quotes and escapes. */
static void take_line(const char *line, struct cvg_pkcs11_block *block)
{
    char value[CVG_PKCS11_LINE_MAX + 1];
    const char *key = line + strspn(line, " \t");
    const char *equals = strchr(key, '=');

    if (equals == NULL)
        return;
    if (equals[1] != '"') {
        take_pair(key, equals + 1, block);
        return;
    }
    while (equals != NULL) {
        const char *rest = take_value(equals + 1, value);

        take_pair(key, value, block);
        key = rest + strspn(rest, " \t");
        equals = strchr(key, '=');
    }
}

bool cvg_pkcs11_next(const char *text, size_t len, size_t *offset,
                     struct cvg_pkcs11_block *ret_block)
{
    struct line line;
    bool inside = false;

    ret_block->library[0] = ret_block->name[0] = '\0';
    while (next_line(text, len, *offset, &line)) {
        *offset = line.end;
        if (line.text[0] == '#' || (line.text[0] == '\0' && !inside))
            continue;
        if (line.text[0] == '\0')
            break;
        if (!inside)
            ret_block->begin = line.begin;
        inside = true;
        take_line(line.text, ret_block);
    }
    ret_block->end = *offset;
    return inside;
}

enum cvg_error cvg_pkcs11_without(const char *text, size_t len, cvg_pkcs11_ours_fn *ours,
                                  const void *context, struct cvg_buffer *ret_text)
{
    struct cvg_pkcs11_block block;
    size_t offset = 0, copied = 0;

    while (cvg_pkcs11_next(text, len, &offset, &block)) {
        if (!ours(block.library, context))
            continue;
        cvg_buffer_put(ret_text, text + copied, block.begin - copied);
        copied = block.end;
    }
    return cvg_buffer_put(ret_text, text + copied, len - copied);
}

static bool name_is_taken(const struct cvg_buffer *text, const char *name)
{
    struct cvg_pkcs11_block block;
    size_t offset = 0;

    while (cvg_pkcs11_next((const char *)text->data, text->len, &offset, &block))
        if (strcmp(block.name, name) == 0)
            return true;
    return false;
}

/* An empty line before what comes, unless there is one. */
static void end_last_block(struct cvg_buffer *text)
{
    const char *data = (const char *)text->data;
    size_t len = text->len;
    bool ended, empty;

    if (len == 0)
        return;
    ended = data[len - 1] == '\n';
    len -= ended ? 1 : 0;
    if (ended && len > 0 && data[len - 1] == '\r')
        len--;
    empty = ended && (len == 0 || data[len - 1] == '\n');
    cvg_buffer_put_text(text, empty ? "" : ended ? "\n" : "\n\n");
}

enum cvg_error cvg_pkcs11_add(struct cvg_buffer *text, const char *library)
{
    char name[32] = CVG_PKCS11_NAME;

    if (strlen(library) > CVG_PKCS11_LIBRARY_MAX)
        return CVG_ERR_RANGE;
    if (library[0] != '/' || strpbrk(library, "\r\n") != NULL)
        return CVG_ERR_SYNTAX;
    cvg_buffer_put_text(text, "");
    for (unsigned number = 2; cvg_buffer_error(text) == CVG_OK && name_is_taken(text, name);
         number++)
        snprintf(name, sizeof name, "%s %u", CVG_PKCS11_NAME, number);
    end_last_block(text);
    return cvg_buffer_printf(text, "library=%s\nname=%s\n\n", library, name);
}

enum cvg_error cvg_pkcs11_begin(struct cvg_buffer *text, const char *directory)
{
    cvg_buffer_put_text(text,
                        "library=\nname=NSS Internal PKCS #11 Module\nparameters=configdir='sql:");
    for (; *directory != '\0'; directory++) {
        if (*directory == '\\' || *directory == '\'')
            cvg_buffer_put_u8(text, '\\');
        cvg_buffer_put_u8(text, (uint8_t)*directory);
    }
    return cvg_buffer_put_text(
        text, "' certPrefix='' keyPrefix='' secmod='secmod.db' flags= updatedir='' "
              "updateCertPrefix='' updateKeyPrefix='' updateid='' updateTokenDescription='' \n"
              "NSS=Flags=internal,critical trustOrder=75 cipherOrder=100 slotParams=(1={slotFlags="
              "[ECC,RSA,DSA,DH,RC2,RC4,DES,RANDOM,SHA1,MD5,MD2,SSL,TLS,AES,Camellia,SEED,SHA256,"
              "SHA512] askpw=any timeout=30})\n\n");
}
