/* SPDX-License-Identifier: MIT */
/* The verifier that knows what the operator knows. */
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "notary/pins.h"
#include "notary/verifier.h"

struct pins_verifier {
    struct cvg_verifier base; /* first: casts */
    struct cvg_pins *pins;
};

static struct cvg_verification *judge(struct cvg_verifier *verifier,
                                      const struct cvg_evidence *evidence, cvg_verifier_done *done,
                                      void *user, struct cvg_judgements *ret_judgements)
{
    const struct pins_verifier *self = (const struct pins_verifier *)(const void *)verifier;
    (void)done;
    (void)user;
    for (size_t i = 0; i < evidence->count; i++)
        ret_judgements->opinion[i] =
            (uint8_t)cvg_pins_judge(self->pins, &evidence->endpoint, &evidence->sighting[i].leaf);
    return NULL;
}

static void free_verifier(struct cvg_verifier *verifier)
{
    struct pins_verifier *self = (struct pins_verifier *)(void *)verifier;
    cvg_pins_free(self->pins);
    free(self);
}

enum cvg_error cvg_verifier_pins_new(const char *file, struct cvg_verifier **ret_verifier,
                                     struct cvg_why *ret_why)
{
    struct cvg_buffer text = {0};
    struct pins_verifier *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return CVG_ERR_NOMEM;
    self->base =
        (struct cvg_verifier){.id = CVG_VERIFIER_PINS, .start = judge, .free = free_verifier};
    enum cvg_error err = cvg_file_read(file, geteuid(), CVG_PINS_FILE_MAX, false, &text, ret_why);
    if (err == CVG_OK)
        err = cvg_pins_parse((const char *)text.data, text.len, file, &self->pins, ret_why);
    cvg_buffer_free(&text);
    if (err != CVG_OK) {
        free_verifier(&self->base);
        return err;
    }
    *ret_verifier = &self->base;
    return CVG_OK;
}
