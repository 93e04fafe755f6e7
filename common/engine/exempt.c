/* SPDX-License-Identifier: MIT */
/* The rules that exempt a question from the vote. They look at what the program meant (name, port,
 * chain), never at what the network says about it. */
#include "common/engine/exempt.h"

#include <string.h>
#include <strings.h>

#include "common/base/endpoint.h"
#include "common/base/special.h"

#define SMTP_PORT 25 /* opportunistic TLS: the alternative is no TLS at all */

bool cvg_exempt_pattern(const char *pattern, const char *host)
{
    size_t host_len = strlen(host), suffix_len;

    if (strncmp(pattern, "*.", 2) != 0)
        return strcasecmp(pattern, host) == 0;
    suffix_len = strlen(pattern + 1);
    return suffix_len > 1 && host_len > suffix_len &&
           strcasecmp(host + host_len - suffix_len, pattern + 1) == 0;
}

static bool matches_pattern(const struct cvg_config *config, const char *host)
{
    for (size_t i = 0; i < config->exempt_names.count; i++)
        if (cvg_exempt_pattern(config->exempt_names.word[i], host))
            return true;
    return false;
}

/* A question may have several candidates; one that is no mail port is enough to ask. */
static bool only_mail_ports(const struct cvg_question *question)
{
    for (size_t i = 0; i < question->port_count; i++)
        if (question->port[i] != SMTP_PORT)
            return false;
    return true;
}

static enum cvg_reason special(const struct cvg_endpoint *endpoint)
{
    switch (endpoint->kind) {
    case CVG_HOST_IPV4:
        return cvg_special_ipv4(endpoint->address) ? CVG_REASON_EXEMPT_ADDRESS : CVG_REASON_NONE;
    case CVG_HOST_IPV6:
        return cvg_special_ipv6(endpoint->address) ? CVG_REASON_EXEMPT_ADDRESS : CVG_REASON_NONE;
    case CVG_HOST_NAME:
        break;
    }
    return cvg_special_name(endpoint->host) ? CVG_REASON_EXEMPT_NAME : CVG_REASON_NONE;
}

enum cvg_reason cvg_exempt(const struct cvg_config *config, const struct cvg_question *question,
                           bool anchor_is_private)
{
    struct cvg_endpoint endpoint;
    enum cvg_reason reason = CVG_REASON_NONE;

    if (question->host[0] == '\0' || question->port_count == 0)
        return CVG_REASON_NOT_APPLICABLE;
    /* A host that is not normal came past the parser; nobody exempts what nobody can read. */
    if (cvg_endpoint_set(question->host, strlen(question->host), question->port[0], &endpoint,
                         NULL) != CVG_OK)
        return CVG_REASON_NONE;
    if (matches_pattern(config, endpoint.host))
        return CVG_REASON_EXEMPT_NAME;
    if (config->exempt_special_names)
        reason = special(&endpoint);
    if (reason != CVG_REASON_NONE)
        return reason;
    if (only_mail_ports(question))
        return CVG_REASON_EXEMPT_PORT;
    if (config->exempt_private_pki && anchor_is_private && question->pki == CVG_PKI_OK)
        return CVG_REASON_EXEMPT_PRIVATE_PKI;
    return CVG_REASON_NONE;
}
