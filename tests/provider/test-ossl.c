/* SPDX-License-Identifier: MIT */
/* The tables of the OpenSSLs in this process: which object they are taken from, and that nobody who
 * fills one can keep the others from their functions. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <string.h>

#include "provider/ossl.h"

static void *address_of(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);

    assert_non_null(address);
    return address;
}

static struct cvg_ossl *table(void)
{
    struct cvg_ossl *ossl = cvg_ossl_of(address_of("OPENSSL_init_crypto"));

    assert_non_null(ossl);
    return ossl;
}

/* First of all: a child of fork() in whose parent another thread was just filling the table finds
 * it like this, and has no such thread. */
static void one_who_never_ends_filling_stops_nobody(void **state)
{
    struct cvg_ossl *ossl = table();
    struct cvg_ssl_functions room;

    (void)state;
    atomic_store(&ossl->ssl_state, 1);
    for (int i = 0; i < 2; i++) {
        memset(&room, 0, sizeof room);
        assert_ptr_equal(cvg_ossl_ssl(ossl, &room), &room);
        assert_ptr_equal(room.SSL_get_fd, address_of("SSL_get_fd"));
        assert_ptr_equal(room.SSL_is_server, address_of("SSL_is_server"));
    }
    atomic_store(&ossl->ssl_state, 0);
}

static void the_first_look_fills_the_table(void **state)
{
    struct cvg_ossl *ossl = table();
    struct cvg_ssl_functions room;

    (void)state;
    assert_ptr_equal(cvg_ossl_ssl(ossl, &room), &room);
    assert_ptr_equal(cvg_ossl_ssl(ossl, &room), &ossl->ssl);
    assert_ptr_equal(ossl->ssl.SSL_get_fd, address_of("SSL_get_fd"));
}

static void one_libcrypto_has_one_table(void **state)
{
    struct cvg_ossl *ossl = table();

    (void)state;
    assert_ptr_equal(cvg_ossl_of(address_of("X509_verify_cert")), ossl);
    assert_ptr_equal(cvg_ossl_slot(ossl->slot), ossl);
    assert_ptr_equal(ossl->crypto.X509_verify_cert, address_of("X509_verify_cert"));
}

static void what_is_no_libcrypto_has_none(void **state)
{
    (void)state;
    assert_null(cvg_ossl_of(address_of("SSL_CTX_new")));
    assert_null(cvg_ossl_of(address_of("getpid")));
    assert_null(cvg_ossl_of(&state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_who_never_ends_filling_stops_nobody),
        cmocka_unit_test(the_first_look_fills_the_table),
        cmocka_unit_test(one_libcrypto_has_one_table),
        cmocka_unit_test(what_is_no_libcrypto_has_none),
    };

    return cmocka_run_group_tests_name("ossl", tests, NULL, NULL);
}
