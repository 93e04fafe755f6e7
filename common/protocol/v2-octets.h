/* SPDX-License-Identifier: MIT */
/* What version 2's requests and statements have in common on the wire. Internal to
 * libcvg-protocol. */
#ifndef CVG_PROTOCOL_V2_OCTETS_H
#define CVG_PROTOCOL_V2_OCTETS_H

#include "common/protocol/v2.h"

void cvg_v2_host_put(struct cvg_buffer *buffer, const char *host);

/* ARGUMENT unless the endpoint is one that the normaliser made. */
CVG_MUST_USE enum cvg_error cvg_v2_endpoint_check(const struct cvg_endpoint *endpoint);

/* Host length, host and port; refuses a host that is not in its normal form, so that one target has
 * one spelling. */
CVG_MUST_USE enum cvg_error cvg_v2_endpoint_read(struct cvg_reader *reader,
                                                 struct cvg_endpoint *ret_endpoint,
                                                 struct cvg_why *ret_why);

/* Whether the statement's opinions are such as a parser takes. */
bool cvg_v2_opinions_valid(const struct cvg_v2_statement *statement);

/* Their extensions: how many octets all are, and the octets. */
size_t cvg_v2_opinions_len(const struct cvg_v2_statement *statement);
void cvg_v2_opinions_put(struct cvg_buffer *buffer, const struct cvg_v2_statement *statement);

/* Takes one extension's content in; the statement's records are there already. */
CVG_MUST_USE enum cvg_error cvg_v2_opinions_read(const uint8_t *octets, size_t len,
                                                 struct cvg_v2_statement *statement,
                                                 struct cvg_why *ret_why);

#endif
