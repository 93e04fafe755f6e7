/* SPDX-License-Identifier: MIT */
/* The test vectors of doc/protocol.md and doc/bundle.md, read from the documents themselves. */
#ifndef CVG_TESTS_PROTOCOL_VECTORS_H
#define CVG_TESTS_PROTOCOL_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct vector {
    uint8_t octets[8192];
    size_t len;
};

/* The block of that name, or a failed test. A text has a NUL behind its octets. */
void vector_hex(const char *name, struct vector *ret_vector);
void vector_text(const char *document, const char *kind, const char *name,
                 struct vector *ret_vector);

#endif
