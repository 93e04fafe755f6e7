/* SPDX-License-Identifier: MIT */
/* One verdict as octets of the history's files: a head with a checksum, so that what was torn or
 * damaged is passed over and the next whole record found. Pure; any thread.
 *
 * A record is 4 octets "CVH" 01, u16 length of the body, u32 CRC-32C of the body XOR that length;
 * all numbers big-endian. */
#ifndef CVG_ENGINE_HISTORY_RECORD_H
#define CVG_ENGINE_HISTORY_RECORD_H

#include "common/base/buffer.h"
#include "common/engine/verdict-log.h"

#define CVG_HISTORY_HEAD       10
#define CVG_HISTORY_RECORD_MAX 4096 /* octets of a record with its head */

/* Which of the history's files an entry belongs to: each has room of its own. */
enum cvg_history_kind {
    CVG_HISTORY_EVERYDAY = 0, /* what the notaries confirmed or are not asked about */
    CVG_HISTORY_UNDECIDED,    /* too few answers, or none */
    CVG_HISTORY_REFUSED,      /* what the notaries contradict, whatever the mode made of it */
    CVG_HISTORY_KINDS
};

/* A verdict as it is read back. */
struct cvg_history_item {
    uint64_t order;                 /* rises from record to record, whatever the clock does */
    struct cvg_verdict_entry entry; /* text and vote point into this item */
    char text[CVG_MESSAGE_TEXT_MAX];
    struct cvg_vote votes[CVG_MESSAGE_VOTES_MAX];
};

enum cvg_history_kind cvg_history_kind_of(const struct cvg_verdict_entry *entry);

/* Appends the record; the buffer's error tells. */
void cvg_history_record_put(struct cvg_buffer *buffer, uint64_t order,
                            const struct cvg_verdict_entry *entry);

/* Looks for the next whole record. Returns how many octets are done with, whether or not
 * *ret_found; the rest must be offered again with more behind it, and 0 says that nothing more can
 * be made of them. */
size_t cvg_history_record_next(const uint8_t *data, size_t len, struct cvg_history_item *ret_item,
                               bool *ret_found);

#endif
