/* SPDX-License-Identifier: MIT */
/* What the writers and parsers of the agent's messages share: the head, and texts inside messages.
 * Internal to libcvg-message. */
#ifndef CVG_PROTOCOL_MESSAGE_HEAD_H
#define CVG_PROTOCOL_MESSAGE_HEAD_H

#include "common/protocol/message.h"

void cvg_message_head_put(struct cvg_buffer *buffer, enum cvg_message_type type, uint64_t id);

/* Reads the head and refuses any type but the expected one. */
CVG_MUST_USE enum cvg_error cvg_message_head_read(struct cvg_reader *reader, size_t len,
                                                  enum cvg_message_type expected_type,
                                                  uint64_t *ret_id, struct cvg_why *ret_why);

/* Whether the len octets are a text: no NUL, no other control character. */
bool cvg_message_is_text(const uint8_t *text, size_t len);

/* Copies len octets and a NUL into ret_text, which has room. */
void cvg_message_copy_text(const uint8_t *text, size_t len, char *ret_text);

#endif
