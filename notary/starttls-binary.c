/* SPDX-License-Identifier: MIT */
/* STARTTLS in the protocols that are made of binary messages: LDAP, PostgreSQL, MySQL. */
#include <string.h>

#include "common/base/buffer.h"
#include "notary/starttls-protocol.h"

#define MESSAGE_MAX 4096

/* LDAP (RFC 4511): ExtendedRequest 1.3.6.1.4.1.1466.20037 with message ID 1. */
void cvg_starttls_ldap_begin(struct cvg_starttls_dialogue *dialogue)
{
    static const uint8_t request[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                     "1.3.6.1.4.1.1466.20037";
    cvg_starttls_say(dialogue, request, sizeof(request) - 1);
}

/* A BER length; Active Directory writes small ones in four octets. */
static size_t ber_length(struct cvg_reader *reader)
{
    uint8_t first = cvg_reader_u8(reader);
    if (first < 0x80)
        return first;
    size_t length = 0;
    for (unsigned i = 0; i < (first & 0x7fU); i++) {
        length = length << 8 | cvg_reader_u8(reader);
        if (length > MESSAGE_MAX || i > 3)
            reader->error = CVG_ERR_RANGE;
    }
    return length;
}

static enum cvg_starttls_verdict ldap_answer(const uint8_t *message, size_t len)
{
    struct cvg_reader reader;
    cvg_reader_init(&reader, message, len);
    bool fits = cvg_reader_u8(&reader) == 0x02 && ber_length(&reader) == 1 &&
                cvg_reader_u8(&reader) == 1 && cvg_reader_u8(&reader) == 0x78;
    (void)ber_length(&reader);
    fits = fits && cvg_reader_u8(&reader) == 0x0a && ber_length(&reader) == 1 &&
           cvg_reader_u8(&reader) == 0;
    return fits && reader.error == CVG_OK ? CVG_STARTTLS_READY : CVG_STARTTLS_REFUSED;
}

enum cvg_starttls_verdict cvg_starttls_ldap_take(struct cvg_starttls_dialogue *dialogue,
                                                 uint8_t octet)
{
    struct cvg_reader reader;
    cvg_starttls_hold(dialogue, octet);
    if (dialogue->held[0] != 0x30)
        return CVG_STARTTLS_REFUSED;
    size_t held = dialogue->len < CVG_STARTTLS_HELD_MAX ? dialogue->len : CVG_STARTTLS_HELD_MAX;
    cvg_reader_init(&reader, dialogue->held + 1, held - 1);
    size_t length = ber_length(&reader);
    if (reader.error == CVG_ERR_RANGE || length > MESSAGE_MAX)
        return CVG_STARTTLS_REFUSED;
    size_t head = (size_t)(reader.data - dialogue->held);
    if (reader.error != CVG_OK || dialogue->len < head + length)
        return CVG_STARTTLS_MORE;
    return ldap_answer(reader.data, reader.left);
}

void cvg_starttls_postgresql_begin(struct cvg_starttls_dialogue *dialogue)
{
    static const uint8_t request[] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    cvg_starttls_say(dialogue, request, sizeof(request));
}

enum cvg_starttls_verdict cvg_starttls_postgresql_take(struct cvg_starttls_dialogue *dialogue,
                                                       uint8_t octet)
{
    (void)dialogue;
    return octet == 'S' ? CVG_STARTTLS_READY : CVG_STARTTLS_REFUSED;
}

#define MYSQL_PROTOCOL 10
#define MYSQL_SSL      0x0800U /* in the lower half of the server's capabilities */

/* The answer that asks for TLS, on the packet with number 1: capabilities (long password, protocol
 * 4.1, TLS, secure connection, authentication plug-ins), largest packet, character set. */
static void mysql_request(struct cvg_starttls_dialogue *dialogue)
{
    static const uint8_t request[36] = {32, 0, 0, 1, 0x01, 0x8a, 0x08, 0, 0, 0, 0, 1, 45};
    cvg_starttls_say(dialogue, request, sizeof(request));
}

/* The greeting: protocol, version and its NUL, thread (4), salt (8), a zero, capabilities. */
static enum cvg_starttls_verdict mysql_greeting(struct cvg_starttls_dialogue *dialogue,
                                                const uint8_t *greeting, size_t len)
{
    struct cvg_reader reader;
    cvg_reader_init(&reader, greeting, len);
    if (cvg_reader_u8(&reader) != MYSQL_PROTOCOL)
        return CVG_STARTTLS_REFUSED;
    while (reader.error == CVG_OK && cvg_reader_u8(&reader) != 0)
        continue;
    (void)cvg_reader_take(&reader, 4 + 8 + 1);
    unsigned capabilities = cvg_reader_u8(&reader);
    capabilities |= (unsigned)cvg_reader_u8(&reader) << 8;
    if (reader.error != CVG_OK || (capabilities & MYSQL_SSL) == 0)
        return CVG_STARTTLS_REFUSED;
    mysql_request(dialogue);
    return CVG_STARTTLS_READY;
}

/* A packet: length (3, the low octet first), number, content. */
enum cvg_starttls_verdict cvg_starttls_mysql_take(struct cvg_starttls_dialogue *dialogue,
                                                  uint8_t octet)
{
    const uint8_t *held = dialogue->held;
    cvg_starttls_hold(dialogue, octet);
    if (dialogue->len < 4)
        return CVG_STARTTLS_MORE;
    size_t length = held[0] | (size_t)held[1] << 8 | (size_t)held[2] << 16;
    if (held[3] != 0 || length == 0 || length > MESSAGE_MAX)
        return CVG_STARTTLS_REFUSED;
    if (dialogue->len < 4 + length)
        return CVG_STARTTLS_MORE;
    size_t kept = dialogue->len < CVG_STARTTLS_HELD_MAX ? dialogue->len : CVG_STARTTLS_HELD_MAX;
    return mysql_greeting(dialogue, held + 4, kept - 4);
}
