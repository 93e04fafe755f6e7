/* SPDX-License-Identifier: MIT */
/* What is known about a certificate check while it runs in this thread.
 *
 * Kept by thread and not as OpenSSL ex_data: an index belongs to a library context, contexts come
 * and go, and an index read in the wrong one yields a stranger's pointer. A frame lives from the
 * begin of our verify callback to its end; one whose end never came (a program's callback may
 * longjmp out of OpenSSL) is dropped when its X509_STORE_CTX starts anew. */
#ifndef CVG_PROVIDER_FRAME_H
#define CVG_PROVIDER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509_vfy.h>

struct cvg_frame {
    const X509_STORE_CTX *ctx; /* NULL: free */
    uint64_t sequence;
    X509_STORE_CTX_verify_cb program_cb;
    bool suppress;     /* trust errors wait for the notaries (replace mode) */
    int trust_error;   /* the first one that waits, X509_V_ERR_*; 0 if none */
    int trust_depth;   /* and where in the chain */
    bool trust_passed; /* the program's callback let a trust error pass */
    int passed_error;  /* the last error it let pass, as it left it; 0 if none */
};

/* Once per process, before the rest. false: no thread-specific key is left. */
bool cvg_frame_init(void);

/* A new frame, zeroed but for ctx; older ones of this ctx are dropped. NULL: no memory. */
struct cvg_frame *cvg_frame_push(const X509_STORE_CTX *ctx);

/* This thread's frame for ctx, or NULL. */
struct cvg_frame *cvg_frame_find(const X509_STORE_CTX *ctx);

/* Frees the frames of ctx, if there are any. */
void cvg_frame_drop(const X509_STORE_CTX *ctx);

#endif
