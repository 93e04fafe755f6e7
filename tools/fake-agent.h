/* SPDX-License-Identifier: MIT */
/* An installation of our own in a private directory, with ourselves as its agent: to see what a
 * program asks, and to tell it what to do. */
#ifndef CVG_TOOLS_FAKE_AGENT_H
#define CVG_TOOLS_FAKE_AGENT_H

#include "common/base/config.h"
#include "common/protocol/message.h"

struct cvg_fake_agent {
    int fd;                       /* listens; becomes readable when a program asks */
    char directory[CVG_PATH_MAX]; /* what CONVERGE_CONFIG_DIR must name */
};

CVG_MUST_USE enum cvg_error cvg_fake_agent_open(struct cvg_fake_agent *ret_agent,
                                                struct cvg_why *ret_why);
/* Takes one question and answers it. The leaf is reduced to its SHA-256 in ret_leaf_sha256. */
CVG_MUST_USE enum cvg_error cvg_fake_agent_answer(const struct cvg_fake_agent *agent, bool accept,
                                                  struct cvg_question *ret_question,
                                                  uint8_t ret_leaf_sha256[static CVG_SHA256_LEN]);
void cvg_fake_agent_close(struct cvg_fake_agent *agent);

#endif
