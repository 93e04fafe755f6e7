/* SPDX-License-Identifier: MIT */
/* The functions of the OpenSSL that loaded us, found at run time.
 *
 * We link neither libcrypto nor libssl. A process may hold several of them (a wheel's own beside
 * the system's, a static one inside the program); each has its own structures, so every call must
 * go to the very object whose core called us. There is one table for each such object. */
#ifndef CVG_PROVIDER_OSSL_H
#define CVG_PROVIDER_OSSL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

/* How many libcryptos of one process are watched; the next one is left alone. */
#define CVG_OSSL_MAX 4

#define CVG_CRYPTO_FUNCTIONS(X)                                                                    \
    X(BIO_ctrl)                                                                                    \
    X(BIO_ctrl_pending)                                                                            \
    X(BIO_ctrl_wpending)                                                                           \
    X(BIO_find_type)                                                                               \
    X(BIO_method_type)                                                                             \
    X(BIO_next)                                                                                    \
    X(BIO_number_read)                                                                             \
    X(BIO_number_written)                                                                          \
    X(CRYPTO_free)                                                                                 \
    X(CRYPTO_get_ex_new_index)                                                                     \
    X(ERR_pop_to_mark)                                                                             \
    X(ERR_set_mark)                                                                                \
    X(EVP_sha256)                                                                                  \
    X(OPENSSL_sk_num)                                                                              \
    X(OPENSSL_sk_value)                                                                            \
    X(OSSL_LIB_CTX_set0_default)                                                                   \
    X(X509_STORE_CTX_free)                                                                         \
    X(X509_STORE_CTX_get0_cert)                                                                    \
    X(X509_STORE_CTX_get0_chain)                                                                   \
    X(X509_STORE_CTX_get0_param)                                                                   \
    X(X509_STORE_CTX_get0_store)                                                                   \
    X(X509_STORE_CTX_get_error)                                                                    \
    X(X509_STORE_CTX_get_error_depth)                                                              \
    X(X509_STORE_CTX_get_ex_data)                                                                  \
    X(X509_STORE_CTX_get_verify)                                                                   \
    X(X509_STORE_CTX_get_verify_cb)                                                                \
    X(X509_STORE_CTX_init)                                                                         \
    X(X509_STORE_CTX_new)                                                                          \
    X(X509_STORE_CTX_set_current_cert)                                                             \
    X(X509_STORE_CTX_set_error)                                                                    \
    X(X509_STORE_CTX_set_error_depth)                                                              \
    X(X509_STORE_CTX_set_verify)                                                                   \
    X(X509_STORE_CTX_set_verify_cb)                                                                \
    X(X509_STORE_get_verify)                                                                       \
    X(X509_VERIFY_PARAM_get0_host)                                                                 \
    X(X509_VERIFY_PARAM_get1_ip_asc)                                                               \
    X(X509_digest)                                                                                 \
    X(X509_verify_cert)                                                                            \
    X(i2d_X509)

#define CVG_SSL_FUNCTIONS(X)                                                                       \
    X(SSL_CTX_set_cert_verify_callback)                                                            \
    X(SSL_get_ex_data_X509_STORE_CTX_idx)                                                          \
    X(SSL_get_fd)                                                                                  \
    X(SSL_get_rbio)                                                                                \
    X(SSL_get_servername)                                                                          \
    X(SSL_get_wbio)                                                                                \
    X(SSL_is_server)

#define CVG_OSSL_FIELD(name) __typeof__(&name) name;

struct cvg_crypto_functions {
    CVG_CRYPTO_FUNCTIONS(CVG_OSSL_FIELD)
};

struct cvg_ssl_functions {
    CVG_SSL_FUNCTIONS(CVG_OSSL_FIELD)
};

/* The mapped object something lives in. */
struct cvg_object {
    uintptr_t start, end; /* addresses, end excluded */
    uintptr_t base;       /* what tells objects apart; the main program's may be 0 */
};

struct cvg_ossl {
    struct cvg_crypto_functions crypto;
    struct cvg_ssl_functions ssl; /* cvg_ossl_ssl()'s */
    struct cvg_object object;     /* of libcrypto */
    void *handle;                 /* held for ever, so that the object cannot go away under us */
    atomic_int ssl_state;
    atomic_ullong ssl_looked_at; /* how many objects had been loaded at the last vain look */
    atomic_int instances;        /* providers alive; none: new objects are not hooked */
    /* What a store without its own verifies with; NULL: not known, then there is no net. */
    _Atomic(X509_STORE_CTX_verify_fn) default_verify;
    unsigned slot;
};

/* The table for the libcrypto that holds core_function; made at the first call. NULL: a function is
 * missing or not exported, or there are CVG_OSSL_MAX already: hook nothing. Never freed. Any
 * thread. */
struct cvg_ossl *cvg_ossl_of(const void *core_function);

/* The libssl bound to this libcrypto; NULL while none is loaded. It may be put into *room, for as
 * long as nobody has put it into the table. Never waits; any thread, also after fork. */
const struct cvg_ssl_functions *cvg_ossl_ssl(struct cvg_ossl *ossl, struct cvg_ssl_functions *room);

/* What a connect BIO in this chain was told: 0 the host, 1 the port or service. NULL if there is
 * none. */
const char *cvg_ossl_connect_bio(const struct cvg_ossl *ossl, BIO *bio, long what);

/* The table of a slot that is in use. */
struct cvg_ossl *cvg_ossl_slot(unsigned slot);

#endif
