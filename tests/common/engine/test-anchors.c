/* SPDX-License-Identifier: MIT */
/* Private PKI: an anchor is private only if the whole public set could be read and it is not in
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/pem.h>

#include "common/base/config.h"
#include "common/engine/anchors.h"
#include "common/protocol/digest.h"
#include "tests/common/protocol/bundle-maker.h"

static struct {
    char directory[64];
    char *pem[3];
    uint8_t sha256[3][CVG_SHA256_LEN];
    uint8_t *der;
    int der_len;
} with;

static void digest_of(const char *pem, uint8_t ret_sha256[static CVG_SHA256_LEN])
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    assert_true(len > 0);
    assert_int_equal(cvg_sha256(der, (size_t)len, ret_sha256), CVG_OK);
    free(with.der);
    with.der = malloc((size_t)len);
    assert_non_null(with.der);
    memcpy(with.der, der, (size_t)len);
    with.der_len = len;
    OPENSSL_free(der);
    X509_free(certificate);
    BIO_free(bio);
}

static int group_set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        with.pem[i] = maker_certificate("an anchor", 0);
        digest_of(with.pem[i], with.sha256[i]);
    }
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        free(with.pem[i]);
    free(with.der);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(with.directory, "/tmp/cvg-anchors-XXXXXX");
    return mkdtemp(with.directory) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", with.directory);
    return system(command);
}

static void write_octets(const char *name, const void *data, size_t len)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", with.directory, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void write_text(const char *name, const char *text)
{
    write_octets(name, text, strlen(text));
}

static struct cvg_anchors *anchors_of(const char *paths)
{
    struct cvg_anchors *anchors = NULL;

    assert_int_equal(cvg_anchors_new(paths, geteuid(), &anchors), CVG_OK);
    return anchors;
}

/* The set is not known, so nothing is private. */
static void unknown(const char *paths)
{
    struct cvg_anchors *anchors = anchors_of(paths);

    assert_int_equal(cvg_anchors_count(anchors), 0);
    for (size_t i = 0; i < 3; i++)
        assert_false(cvg_anchors_is_private(anchors, with.sha256[i]));
    cvg_anchors_free(anchors);
}

static void what_is_in_the_directory_is_public_and_the_rest_private(void **state)
{
    struct cvg_anchors *anchors;
    char sub[128];

    (void)state;
    write_text("one.crt", with.pem[0]);
    snprintf(sub, sizeof sub, "%s/sub", with.directory);
    assert_int_equal(mkdir(sub, 0755), 0);
    write_text("sub/two.pem", with.pem[1]);
    write_text("README", "nothing of the kind");
    write_text(".hidden.crt", "nothing of the kind");
    anchors = anchors_of(with.directory);
    assert_int_equal(cvg_anchors_count(anchors), 2);
    assert_false(cvg_anchors_is_private(anchors, with.sha256[0]));
    assert_false(cvg_anchors_is_private(anchors, with.sha256[1]));
    assert_true(cvg_anchors_is_private(anchors, with.sha256[2]));
    assert_false(cvg_anchors_is_private(NULL, with.sha256[2]));
    cvg_anchors_free(anchors);
}

static void files_may_hold_several_and_text_between(void **state)
{
    struct cvg_anchors *anchors;
    char paths[256], *text = NULL;

    (void)state;
    assert_true(asprintf(&text, "# one\n%s\nlabel: two\n%s\n", with.pem[0], with.pem[1]) > 0);
    write_text("bundle.pem", text);
    digest_of(with.pem[2], with.sha256[2]);
    write_octets("three.cer", with.der, (size_t)with.der_len);
    snprintf(paths, sizeof paths, "%s/bundle.pem:%s/three.cer", with.directory, with.directory);
    anchors = anchors_of(paths);
    assert_int_equal(cvg_anchors_count(anchors), 3);
    cvg_anchors_free(anchors);
    free(text);
}

static void one_unreadable_or_malformed_file_makes_the_set_unknown(void **state)
{
    char path[128];

    (void)state;
    write_text("one.crt", with.pem[0]);
    write_text("two.crt", "");
    unknown(with.directory);
    write_text("two.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    unknown(with.directory);
    write_text("two.crt", "-----BEGIN CERTIFICATE-----\n");
    unknown(with.directory);
    write_text("two.crt", with.pem[1]);
    snprintf(path, sizeof path, "%s/two.crt", with.directory);
    assert_int_equal(chmod(path, 0666), 0);
    unknown(with.directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("missing", path), 0);
    unknown(with.directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(with.directory, 0777), 0);
    unknown(with.directory);
}

static void nothing_there_makes_the_set_unknown(void **state)
{
    char path[128];

    (void)state;
    unknown(with.directory);
    unknown("");
    snprintf(path, sizeof path, "%s/missing", with.directory);
    unknown(path);
}

static void changes_are_seen_by_the_next_refresh(void **state)
{
    struct cvg_anchors *anchors;

    (void)state;
    write_text("one.crt", with.pem[0]);
    anchors = anchors_of(with.directory);
    assert_true(cvg_anchors_is_private(anchors, with.sha256[1]));
    write_text("two.crt", with.pem[1]);
    assert_true(cvg_anchors_is_private(anchors, with.sha256[1]));
    cvg_anchors_refresh(anchors);
    assert_false(cvg_anchors_is_private(anchors, with.sha256[1]));
    write_text("three.crt", "junk");
    cvg_anchors_refresh(anchors);
    assert_int_equal(cvg_anchors_count(anchors), 0);
    assert_false(cvg_anchors_is_private(anchors, with.sha256[2]));
    write_text("three.crt", with.pem[2]);
    cvg_anchors_refresh(anchors);
    assert_int_equal(cvg_anchors_count(anchors), 3);
    cvg_anchors_free(anchors);
}

static void the_distributions_own_set_can_be_read(void **state)
{
    struct cvg_config config;
    struct cvg_anchors *anchors;

    (void)state;
    cvg_config_init(&config);
    if (access(config.public_anchors, R_OK) != 0) {
        print_message("# %s is missing: not tried\n", config.public_anchors);
        return;
    }
    anchors = anchors_of(config.public_anchors);
    assert_true(cvg_anchors_count(anchors) > 50);
    assert_true(cvg_anchors_is_private(anchors, with.sha256[0]));
    cvg_anchors_free(anchors);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_in_the_directory_is_public_and_the_rest_private),
        CASE(files_may_hold_several_and_text_between),
        CASE(one_unreadable_or_malformed_file_makes_the_set_unknown),
        CASE(nothing_there_makes_the_set_unknown),
        CASE(changes_are_seen_by_the_next_refresh),
        CASE(the_distributions_own_set_can_be_read),
    };

    return cmocka_run_group_tests_name("anchors", tests, group_set_up, group_tear_down);
}
