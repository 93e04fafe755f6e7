/* SPDX-License-Identifier: MIT */
/* One target: making it, naming it, freeing it. */
#include "notary/target.h"

#include <stdlib.h>
#include <string.h>

#define KEY_HEAD 3

size_t cvg_target_key(const struct cvg_endpoint *endpoint, uint8_t hint,
                      uint8_t ret_key[static CVG_TARGET_KEY_MAX])
{
    size_t host_len = strlen(endpoint->host);
    ret_key[0] = (uint8_t)(endpoint->port >> 8);
    ret_key[1] = (uint8_t)endpoint->port;
    ret_key[2] = hint;
    memcpy(ret_key + KEY_HEAD, endpoint->host, host_len);
    return KEY_HEAD + host_len;
}

enum cvg_error cvg_target_endpoint(const struct cvg_target *target,
                                   struct cvg_endpoint *ret_endpoint)
{
    unsigned port = (unsigned)target->key[0] << 8 | target->key[1];
    return cvg_endpoint_set((const char *)target->key + KEY_HEAD, target->key_len - KEY_HEAD, port,
                            ret_endpoint, NULL);
}

void cvg_target_changed(struct cvg_target *target)
{
    target->version++;
    for (size_t i = 0; i < CVG_ANSWER_FORMS; i++) {
        cvg_blob_unref(target->answer[i].blob);
        target->answer[i] = (struct cvg_kept_answer){.blob = NULL};
    }
}

enum cvg_error cvg_target_new(const uint8_t *key, size_t key_len, struct cvg_target **ret_target)
{
    struct cvg_target *target = calloc(1, sizeof(*target) + key_len);
    if (target == NULL)
        return CVG_ERR_NOMEM;
    memcpy(target->key, key, key_len);
    target->key_len = key_len;
    target->node.key = target->key;
    target->node.key_len = key_len;
    cvg_list_init(&target->used);
    *ret_target = target;
    return CVG_OK;
}

void cvg_target_free(struct cvg_target *target)
{
    if (target == NULL)
        return;
    cvg_target_changed(target);
    cvg_observations_free(&target->observations);
    free(target);
}
