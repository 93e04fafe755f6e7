/* SPDX-License-Identifier: MIT */
/* What a Redis server means by an error reply: ask elsewhere, ask later, or never. Pure. */
#ifndef CVG_NOTARY_REDIS_REFUSAL_H
#define CVG_NOTARY_REDIS_REFUSAL_H

#include "notary/redis-slots.h"

enum cvg_redis_refusal {
    CVG_REDIS_OTHER = 0,  /* the command is at fault, or something nobody foresaw */
    CVG_REDIS_MOVED,      /* the slot is another server's from now on */
    CVG_REDIS_ASK,        /* another server's for this one command, after ASKING */
    CVG_REDIS_LATER,      /* it cannot now: loading, failing over, without replicas, full */
    CVG_REDIS_READONLY,   /* it is a replica */
    CVG_REDIS_DENIED,     /* password or permissions are wrong */
    CVG_REDIS_NO_CLUSTER, /* it is no part of a cluster */
    CVG_REDIS_NO_SCRIPT,  /* it does not have the script: EVAL brings it */
    CVG_REDIS_WRONG_TYPE  /* the key holds no text */
};

/* The reply's text (len octets), from the server at asked. For MOVED and ASK, slot and server are
 * filled in; one of them that is malformed is OTHER. */
enum cvg_redis_refusal cvg_redis_refusal(const char *text, size_t len, const char *asked,
                                         unsigned *ret_slot, struct cvg_redis_node *ret_node);

#endif
