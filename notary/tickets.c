/* SPDX-License-Identifier: MIT */
/* The keys of TLS session tickets. */
#include "notary/tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_MS   (CVG_TICKETS_PERIOD_S * UINT64_C(1000))
#define LIFETIME_MS (CVG_TICKETS_LIFETIME_S * UINT64_C(1000))
/* One that makes tickets, and those whose tickets may still come back. */
#define KEYS_MAX (CVG_TICKETS_LIFETIME_S / CVG_TICKETS_PERIOD_S + 2)
#define NAME_LEN 16
#define AES_LEN  32
#define HMAC_LEN 32
#define IV_LEN   16
#define OCTETS   (NAME_LEN + AES_LEN + HMAC_LEN)

struct key {
    uint64_t made_ms;
    unsigned char octets[OCTETS]; /* its name, the cipher's key, the MAC's key */
};

struct cvg_tickets {
    pthread_mutex_t mutex;
    const struct cvg_clock *clock; /* the monotonic one: keys age whatever the wall clock does */
    EVP_CIPHER *cipher;
    struct key key[KEYS_MAX]; /* the newest first */
    size_t count;
};

enum cvg_error cvg_tickets_new(const struct cvg_clock *clock, struct cvg_tickets **ret_tickets)
{
    struct cvg_tickets *tickets = calloc(1, sizeof(*tickets));
    if (tickets == NULL)
        return CVG_ERR_NOMEM;
    tickets->clock = clock;
    tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (tickets->cipher == NULL || pthread_mutex_init(&tickets->mutex, NULL) != 0) {
        EVP_CIPHER_free(tickets->cipher);
        free(tickets);
        return CVG_ERR_CRYPTO;
    }
    *ret_tickets = tickets;
    return CVG_OK;
}

void cvg_tickets_free(struct cvg_tickets *tickets)
{
    if (tickets == NULL)
        return;
    pthread_mutex_destroy(&tickets->mutex);
    EVP_CIPHER_free(tickets->cipher);
    OPENSSL_cleanse(tickets->key, sizeof(tickets->key));
    free(tickets);
}

/* Forgets keys none of whose tickets can be good any more. */
static void expire_locked(struct cvg_tickets *tickets, uint64_t now_ms)
{
    while (tickets->count > 0) {
        struct key *oldest = &tickets->key[tickets->count - 1];
        if (now_ms - oldest->made_ms < PERIOD_MS + LIFETIME_MS)
            return;
        OPENSSL_cleanse(oldest, sizeof(*oldest));
        tickets->count--;
    }
}

/* The key that makes tickets now. A new one takes the first place. */
static bool current_locked(struct cvg_tickets *tickets, uint64_t now_ms, struct key *ret_key)
{
    struct key new = {.made_ms = now_ms};
    if (tickets->count == 0 || now_ms - tickets->key[0].made_ms >= PERIOD_MS) {
        if (RAND_priv_bytes(new.octets, sizeof(new.octets)) != 1)
            return false;
        if (tickets->count == KEYS_MAX)
            tickets->count--;
        memmove(&tickets->key[1], &tickets->key[0], tickets->count * sizeof(new));
        tickets->key[0] = new;
        tickets->count++;
        OPENSSL_cleanse(&new, sizeof(new));
    }
    *ret_key = tickets->key[0];
    return true;
}

static bool current(struct cvg_tickets *tickets, struct key *ret_key)
{
    pthread_mutex_lock(&tickets->mutex);
    uint64_t now_ms = cvg_clock_ms(tickets->clock);
    expire_locked(tickets, now_ms);
    bool found = current_locked(tickets, now_ms, ret_key);
    pthread_mutex_unlock(&tickets->mutex);
    return found;
}

/* The key of that name; ret_old: a ticket of it wants to be replaced. */
static bool named(struct cvg_tickets *tickets, const unsigned char name[NAME_LEN],
                  struct key *ret_key, bool *ret_old)
{
    bool found = false;
    pthread_mutex_lock(&tickets->mutex);
    uint64_t now_ms = cvg_clock_ms(tickets->clock);
    expire_locked(tickets, now_ms);
    for (size_t i = 0; !found && i < tickets->count; i++) {
        found = memcmp(tickets->key[i].octets, name, NAME_LEN) == 0;
        if (found)
            *ret_key = tickets->key[i];
    }
    *ret_old = found && now_ms - ret_key->made_ms >= PERIOD_MS;
    pthread_mutex_unlock(&tickets->mutex);
    return found;
}

static bool set_keys(const struct cvg_tickets *tickets, struct key *key, unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int make)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool done =
        EVP_CipherInit_ex2(cipher, tickets->cipher, key->octets + NAME_LEN, iv, make, NULL) == 1 &&
        EVP_MAC_init(mac, key->octets + NAME_LEN + AES_LEN, HMAC_LEN, params) == 1;
    OPENSSL_cleanse(key, sizeof(*key));
    return done;
}

static int index_of_tickets = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
    index_of_tickets = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* OpenSSL's: -1 error, 0 no such key (a whole handshake), 1 good, 2 good but to be replaced. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int make)
{
    struct cvg_tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index_of_tickets);
    struct key key;
    bool old = false;
    if (make) {
        if (!current(tickets, &key) || RAND_bytes(iv, IV_LEN) != 1)
            return -1;
        memcpy(name, key.octets, NAME_LEN);
    } else if (!named(tickets, name, &key, &old)) {
        return 0;
    }
    if (!set_keys(tickets, &key, iv, cipher, mac, make))
        return -1;
    return old ? 2 : 1;
}

void cvg_tickets_use(struct cvg_tickets *tickets, SSL_CTX *context)
{
    pthread_once(&once, make_index);
    if (index_of_tickets < 0 || !SSL_CTX_set_ex_data(context, index_of_tickets, tickets) ||
        !SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket)) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
    }
    SSL_CTX_set_timeout(context, CVG_TICKETS_LIFETIME_S);
}
