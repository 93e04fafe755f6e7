/* SPDX-License-Identifier: MIT */
/* The sentence of an answer, for a person. Pure; any thread. */
#ifndef CVG_ENGINE_CHECK_TEXT_H
#define CVG_ENGINE_CHECK_TEXT_H

#include "common/protocol/message.h"

/* Fills in answer->text from everything else in the answer. */
void cvg_answer_describe(struct cvg_answer *answer);

#endif
