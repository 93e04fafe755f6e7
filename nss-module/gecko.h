/* SPDX-License-Identifier: MIT */
/* What the gate does for Firefox's and Thunderbird's sake alone. */
#ifndef CVG_NSS_MODULE_GECKO_H
#define CVG_NSS_MODULE_GECKO_H

#include <stdbool.h>

#include "nss-module/connection.h"
#include "nss-module/nss.h"

/* After the refusal of something that was held back: whether this is Gecko's HTTP/2. That comes too
 * late to fail the handshake; of all errors Gecko's HTTP/2 passes on only those that can come of
 * early data, and ends the load for any other without a word. So the refusal is told as one of
 * them, which shows a person an error page that cannot be overridden. Whoever tries again gets the
 * real one: by then the agent knows, and the answer is worth waiting for. */
bool cvg_gecko_http2(struct cvg_nss *nss, PRFileDesc *ssl, const struct cvg_leaf *leaf);

/* Whether the last such refusal was of this leaf (or, by chance, of another one). */
bool cvg_gecko_tries_again(const struct cvg_leaf *leaf);

#endif
