/* SPDX-License-Identifier: MIT */
/* A TLS client over NSS that does what strangers do to a module: the tests of stability run it with
 * the module loaded. It prints a line for each handshake, "ok=0|1 error=NSS's resumed=0|1"; a scene
 * adds lines of its own. */
#ifndef CVG_TESTS_NSS_MODULE_ENDURE_H
#define CVG_TESTS_NSS_MODULE_ENDURE_H

#include <stdbool.h>
#include <stdint.h>

#include <nspr.h>

struct options {
    const char *database; /* as NSS_Init takes it */
    const char *host;     /* the name that the certificate must have */
    uint16_t port;        /* on 127.0.0.1 */
    unsigned count;
    unsigned stack_kib; /* of threads; 0: as usual */
    bool nonblocking;
    bool resume;
    bool tls12;
};

extern struct options options;

/* One connection: a handshake, one request, one answer. */
struct talk {
    PRFileDesc *fd;
    bool shaken;
    unsigned sent, got;
    PRErrorCode error;
};

enum step { STEP_FAILED = 0, STEP_AGAIN, STEP_DONE };

/* NSS with the database; the program ends if that fails. stop: whether it let everything go. */
void nss_start(void);
bool nss_stop(void);

/* Prints "left=N agents=N stopped=0|1": what the scene says it left open, sockets to the agent
 * among what is open, and how NSS ended. The exit status, 0. */
int nss_stop_and_tell(int left);

/* Connected, nothing said; the second one to a name of its own. */
bool talk_open(struct talk *talk);
bool talk_open_to(struct talk *talk, const char *host, bool nonblocking);
enum step talk_handshake(struct talk *talk);
enum step talk_step(struct talk *talk); /* AGAIN only if it does not block */
bool talk_finish(struct talk *talk);    /* all the steps, waiting between them */
void talk_report(const struct talk *talk, bool ok);
void talk_close(struct talk *talk);
bool talk_once(void); /* opens, finishes, reports, closes */

/* count connections at once in this thread's loop, each finished and closed; tells how many
 * succeeded. */
unsigned talk_many(struct talk *talk, unsigned count);
void open_many(struct talk *talk, unsigned count);

int open_descriptors(void);  /* without /proc */
int agent_descriptors(void); /* those among them that are sockets of the local kind */

/* The scenes: each returns the program's exit status; 77: cannot be done here. */
int scene_connect(void);
int scene_growth(void);
int scene_many(void);
int scene_memory(void);
int scene_threads(void);
int scene_fork(void);
int scene_children(void);
int scene_spawn(void);
int scene_restart(void);
int scene_contexts(void);
int scene_stop_alive(void);
int scene_delete(void);
int scene_pause(void);
int scene_exit(void);
int scene_close_sockets(void);
int scene_close_all(void);
int scene_no_descriptors(void);
int scene_signals(void);
int scene_cancel(void);
int scene_other_user(void);
int scene_chroot(void);
int scene_no_proc(void);
int scene_closed_standard(void);

#endif
