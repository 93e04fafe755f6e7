/* SPDX-License-Identifier: MIT */
/* The functions of NSS that a connection's are: of this process's libssl3, and of a second one. */
#include "config.h"

#include "nss-module/nss.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nss.h>

typedef PRFileDesc *import_fd(PRFileDesc *model, PRFileDesc *fd);

static struct cvg_nss *nss;

static int begin(void **state)
{
    (void)state;
    if (NSS_NoDB_Init(NULL) != SECSuccess)
        return -1;
    nss = cvg_nss_of((const void *)(uintptr_t)NSS_NoDB_Init);
    return nss ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return NSS_Shutdown() == SECSuccess ? 0 : -1;
}

/* A copy of this process's libssl3 at a place of its own, which the loader takes for another one.
 */
static void *second_library(void)
{
    char path[] = "/tmp/cvg-libssl3-XXXXXX", command[512];
    void *handle;
    Dl_info info;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_true(dladdr((const void *)(uintptr_t)SSL_ImportFD, &info) != 0);
    snprintf(command, sizeof command, "cp '%s' '%s'", info.dli_fname, path);
    assert_int_equal(system(command), 0);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    unlink(path);
    assert_non_null(handle);
    return handle;
}

static void *symbol_of(void *handle, const char *name)
{
    void *symbol = dlsym(handle, name);

    assert_non_null(symbol);
    return symbol;
}

/* Whose SSL_PeerCertificate a socket with this library's layer is asked with. */
static void *peer_certificate_of(import_fd *import)
{
    PRFileDesc *fd = PR_NewTCPSocket(), *layer, *bottom;
    void *found;

    assert_non_null(fd);
    bottom = PR_GetIdentitiesLayer(fd, PR_NSPR_IO_LAYER);
    assert_null(cvg_nss_ssl_layer(nss, bottom));
    fd = import(NULL, fd);
    assert_non_null(fd);
    bottom = PR_GetIdentitiesLayer(fd, PR_NSPR_IO_LAYER);
    layer = cvg_nss_ssl_layer(nss, bottom);
    assert_non_null(layer);
    found = (void *)(uintptr_t)cvg_nss_ssl_of(nss, layer)->SSL_PeerCertificate;
    PR_Close(fd);
    return found;
}

static void test_each_library_is_asked_itself(void **state)
{
    void *second = second_library();
    import_fd *import;
    void *symbol = symbol_of(second, "SSL_ImportFD");

    (void)state;
    memcpy(&import, &symbol, sizeof import);
    assert_ptr_equal(peer_certificate_of(SSL_ImportFD),
                     symbol_of(RTLD_DEFAULT, "SSL_PeerCertificate"));
    assert_ptr_equal(peer_certificate_of(import), symbol_of(second, "SSL_PeerCertificate"));
    assert_ptr_equal(peer_certificate_of(SSL_ImportFD),
                     symbol_of(RTLD_DEFAULT, "SSL_PeerCertificate"));
}

static void test_same_nss(void **state)
{
    (void)state;
    assert_ptr_equal(cvg_nss_of((const void *)(uintptr_t)NSS_NoDB_Init), nss);
    assert_ptr_equal(cvg_nss_of((const void *)(uintptr_t)begin), nss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_nss),
        cmocka_unit_test(test_each_library_is_asked_itself),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
