/* SPDX-License-Identifier: MIT */
/* Reads the heads of TLS records and a proxy's request, see records.h. */
#include "config.h"

#include "nss-module/records.h"

#include <stdint.h>
#include <string.h>

#define HEAD_LEN 5 /* type, version, length */

enum {
    CHANGE_CIPHER_SPEC = 20,
    ALERT = 21,
    HANDSHAKE = 22,
    APPLICATION_DATA = 23, /* the outer type of everything that TLS 1.3 encrypts */
};

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };

/* Level, description; in TLS 1.3 the inner type and the tag of an AEAD, too. Longer alerts of TLS
 * 1.2 tell their type. */
#define CHANGE_CIPHER_SPEC_LEN 1
#define ALERT_LEN              2
#define ALERT_ENCRYPTED_MAX    256
#define ALERT_13_LEN           (ALERT_LEN + 1 + 16)

struct record {
    unsigned type;
    size_t len;
    const uint8_t *body;
};

static bool next_record(const uint8_t **data, size_t *left, struct record *ret_record)
{
    const uint8_t *head = *data;
    size_t len;

    if (*left < HEAD_LEN || head[1] != 3)
        return false;
    len = (size_t)head[3] << 8 | head[4];
    if (len > *left - HEAD_LEN)
        return false;
    *ret_record = (struct record){head[0], len, head + HEAD_LEN};
    *data += HEAD_LEN + len;
    *left -= HEAD_LEN + len;
    return true;
}

static bool is_alert(const struct record *record)
{
    if (record->type == ALERT)
        return record->len >= ALERT_LEN && record->len <= ALERT_ENCRYPTED_MAX;
    return record->type == APPLICATION_DATA && record->len == ALERT_13_LEN;
}

static bool is_change(const struct record *record)
{
    return record->type == CHANGE_CIPHER_SPEC && record->len == CHANGE_CIPHER_SPEC_LEN;
}

bool cvg_records_only_alert(const void *data, size_t len)
{
    const uint8_t *at = data;
    struct record record;
    bool alert = false;

    while (len > 0) {
        if (alert || !next_record(&at, &len, &record))
            return false;
        alert = is_alert(&record);
        if (!alert && !is_change(&record))
            return false;
    }
    return alert;
}

enum cvg_role cvg_records_role(const void *data, size_t len)
{
    const uint8_t *octet = data;

    if (len <= HEAD_LEN || octet[0] != HANDSHAKE || octet[1] != 3)
        return CVG_ROLE_UNKNOWN;
    switch (octet[HEAD_LEN]) {
    case CLIENT_HELLO:
        return CVG_ROLE_CLIENT;
    case SERVER_HELLO:
        return CVG_ROLE_SERVER;
    default:
        return CVG_ROLE_UNKNOWN;
    }
}

static const char method[] = "CONNECT ";
static const char protocol[] = "HTTP/1.";

/* The request's target, between the method and the protocol. */
static bool find_target(const char *text, size_t len, const char **ret_target, size_t *ret_len)
{
    const char *target, *space;
    size_t left;

    if (len < sizeof method - 1 || memcmp(text, method, sizeof method - 1) != 0)
        return false;
    target = text + sizeof method - 1;
    left = len - (sizeof method - 1);
    space = memchr(target, ' ', left);
    if (!space || left - (size_t)(space - target) < sizeof protocol ||
        memcmp(space + 1, protocol, sizeof protocol - 1) != 0)
        return false;
    *ret_target = target;
    *ret_len = (size_t)(space - target);
    return true;
}

bool cvg_records_connect(const void *data, size_t len, struct cvg_spoken *ret_spoken)
{
    char text[CVG_ENDPOINT_TEXT_MAX];
    struct cvg_endpoint endpoint;
    struct cvg_why why;
    const char *target, *colon;
    size_t target_len;

    if (!find_target(data, len, &target, &target_len) || target_len >= sizeof text ||
        memchr(target, '\0', target_len))
        return false;
    memcpy(text, target, target_len);
    text[target_len] = '\0';
    colon = strrchr(text, ':');
    if (!colon || strchr(colon, ']') || cvg_endpoint_parse(text, 0, &endpoint, &why) != CVG_OK)
        return false;
    memcpy(ret_spoken->connect_host, endpoint.host, sizeof ret_spoken->connect_host);
    ret_spoken->connect_port = endpoint.port;
    return true;
}
