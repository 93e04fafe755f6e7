/* SPDX-License-Identifier: MIT */
/* Hears the verifiers about each round of a probe. */
#include "notary/hearing.h"

#include <stdlib.h>

struct cvg_hearing {
    struct cvg_endpoint endpoint;
    struct cvg_examined examined;
    struct cvg_examination *examination; /* under way, or NULL */
    struct cvg_probe_result seen;        /* of this round, without chains */
    cvg_hearing_done *done;
    void *user;
};

enum cvg_error cvg_hearing_new(const struct cvg_verifiers *verifiers,
                               const struct cvg_endpoint *endpoint,
                               struct cvg_hearing **ret_hearing)
{
    *ret_hearing = NULL;
    if (verifiers == NULL)
        return CVG_OK;
    struct cvg_hearing *hearing = calloc(1, sizeof(*hearing));
    if (hearing == NULL)
        return CVG_ERR_NOMEM;
    hearing->endpoint = *endpoint;
    *ret_hearing = hearing;
    return CVG_OK;
}

void cvg_hearing_free(struct cvg_hearing *hearing)
{
    if (hearing == NULL)
        return;
    cvg_examination_cancel(hearing->examination);
    free(hearing);
}

static void examined(void *user)
{
    struct cvg_hearing *hearing = user;
    hearing->examination = NULL;
    hearing->done(&hearing->seen, &hearing->examined, hearing->user);
}

void cvg_hearing_round(struct cvg_hearing *hearing, struct cvg_verifiers *verifiers,
                       const struct cvg_probe_result *seen, uint64_t timeout_ms,
                       cvg_hearing_done *done, void *user)
{
    static const struct cvg_examined nothing = {.count = 0};
    if (hearing == NULL || verifiers == NULL || seen->count == 0) {
        done(seen, &nothing, user);
        return;
    }
    hearing->seen = *seen;
    for (size_t i = 0; i < seen->count; i++)
        hearing->seen.sighting[i].chain = NULL;
    hearing->done = done;
    hearing->user = user;
    hearing->examination = cvg_examination_start(verifiers, &hearing->endpoint, seen, timeout_ms,
                                                 examined, hearing, &hearing->examined);
    if (hearing->examination == NULL)
        examined(hearing);
}
