/* SPDX-License-Identifier: MIT */
/* NSS's list of modules, pkcs11.txt: read as NSS reads it, with our module added or taken away.
 * Pure: text in, text out.
 *
 * A module is a block of lines that ends with an empty line. NSS loses a last block without one
 * when it rewrites the file, so there is always one behind what we add. */
#ifndef CVG_TOOLS_PKCS11_CONF_H
#define CVG_TOOLS_PKCS11_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"

#define CVG_PKCS11_CONF_MAX    1048576
#define CVG_PKCS11_LINE_MAX    2047 /* with its newline; NSS cuts longer ones */
#define CVG_PKCS11_LIBRARY_MAX (CVG_PKCS11_LINE_MAX - 9)
#define CVG_PKCS11_NAME        "Converge"

struct cvg_pkcs11_block {
    size_t begin, end; /* in the text: its first line, and behind the empty line that ends it */
    char library[CVG_PKCS11_LINE_MAX + 1]; /* "" for NSS's own module */
    char name[CVG_PKCS11_LINE_MAX + 1];
};

/* The next block from *offset on, which is moved behind it. false: there is none. */
bool cvg_pkcs11_next(const char *text, size_t len, size_t *offset,
                     struct cvg_pkcs11_block *ret_block);

/* Copies the text without the blocks whose library the function says yes to. */
typedef bool cvg_pkcs11_ours_fn(const char *library, const void *context);
enum cvg_error cvg_pkcs11_without(const char *text, size_t len, cvg_pkcs11_ours_fn *ours,
                                  const void *context, struct cvg_buffer *ret_text);

/* Appends a block for the library, under our name or, where another module has that, a similar one.
 * RANGE: the path is too long for NSS; SYNTAX: it has a newline. */
CVG_MUST_USE enum cvg_error cvg_pkcs11_add(struct cvg_buffer *text, const char *library);

/* What NSS writes for a database whose list of modules is not there yet. */
enum cvg_error cvg_pkcs11_begin(struct cvg_buffer *text, const char *directory);

#endif
