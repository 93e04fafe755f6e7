/* SPDX-License-Identifier: MIT */
/* A question from somebody who wants the answer: the API and the command line. */
#ifndef CVG_LIBCONVERGE_ASK_H
#define CVG_LIBCONVERGE_ASK_H

#include "common/client/client.h"

/* Asks like cvg_client_ask, and beyond it: waits also in monitor mode, and with start_agent starts
 * an agent where there is none, all before timeout_ms (0: the configuration's deadline) is over.
 * A configuration that cannot be read gives no verdict and refuses. */
void cvg_ask(struct cvg_question *question, bool start_agent, unsigned timeout_ms,
             struct cvg_answer *ret_answer);

/* What PKI's result is to the policy: X509_V_OK, a matter of trust that `replace` mode may
 * overrule, or anything else. */
enum cvg_pki cvg_pki_of_x509(int x509_v_result);

#endif
