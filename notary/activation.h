/* SPDX-License-Identifier: MIT */
/* Being started by a service manager: the sockets it has opened (LISTEN_FDS), and telling it how
 * far we are (NOTIFY_SOCKET). systemd's protocols, which are small enough to need no library. Main
 * thread, before others start. */
#ifndef CVG_NOTARY_ACTIVATION_H
#define CVG_NOTARY_ACTIVATION_H

#include "notary/sockets.h"

/* The sockets that were passed, by their names (LISTEN_FDNAMES): ssl, bounce, relay, status, each
 * any number of times. NOT_FOUND: none were. CONFIG: one is unnamed, is named otherwise, or is not
 * a listening TCP socket. Takes the variables out of the environment. */
CVG_MUST_USE enum cvg_error cvg_activation_sockets(struct cvg_sockets *ret_sockets,
                                                   struct cvg_why *ret_why);

/* Sends a state ("READY=1", with newlines for several) to the service manager, if there is one.
 * Nothing depends on its arriving. */
void cvg_activation_notify(const char *state);
/* The same, as a reload begins: the manager wants to know when. */
void cvg_activation_notify_reloading(void);

#endif
