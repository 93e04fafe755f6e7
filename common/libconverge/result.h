/* SPDX-License-Identifier: MIT */
/* The inside of a result: the agent's answer. */
#ifndef CVG_LIBCONVERGE_RESULT_H
#define CVG_LIBCONVERGE_RESULT_H

#include "common/libconverge/converge.h"
#include "common/protocol/message.h"

struct converge_result {
    struct cvg_answer answer;
};

#endif
