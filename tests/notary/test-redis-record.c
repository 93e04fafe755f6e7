/* SPDX-License-Identifier: MIT */
/* Records in a store that others can write to: what was sealed opens, what was changed by one
 * octet, signed by another or put under another key does not, and a change of keys loses nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/protocol/bundle.h"
#include "notary/init.h"
#include "notary/redis-record.h"
#include "notary/rotate.h"

static struct cvg_signing_key *own;
static struct cvg_record_keys *keys;
static char directory[64];

static void path_of(const char *name, char ret_path[static PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%s/%s", directory, name);
}

/* As a signing key; the EVP_PKEY is used up. */
static struct cvg_signing_key *signing(EVP_PKEY *pkey)
{
    struct cvg_signing_key *key = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    assert_non_null(pkey);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &pem);
    assert_int_equal(cvg_signing_key_parse(pem, (size_t)len, &key, NULL), CVG_OK);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return key;
}

static struct cvg_record_keys *new_keys(const struct cvg_signing_key *key, const void *bundle,
                                        size_t len)
{
    struct cvg_record_keys *made = NULL;
    struct cvg_why why = {.text = ""};
    char path[PATH_MAX];
    path_of("signing.key", path);
    const struct cvg_record_sources sources = {
        .key = key, .path = path, .bundle = bundle, .bundle_len = len};
    if (cvg_record_keys_new(&sources, &made, &why) != CVG_OK)
        fail_msg("%s", why.text);
    return made;
}

static void remove_all(void)
{
    DIR *list = opendir(directory);
    const struct dirent *entry;
    char path[PATH_MAX];
    assert_non_null(list);
    while ((entry = readdir(list)) != NULL) {
        path_of(entry->d_name, path);
        (void)unlink(path);
    }
    closedir(list);
    assert_int_equal(rmdir(directory), 0);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/converge-record-XXXXXX");
    assert_non_null(mkdtemp(directory));
    own = signing(EVP_EC_gen("P-256"));
    keys = new_keys(own, NULL, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cvg_record_keys_free(keys);
    cvg_signing_key_free(own);
    remove_all();
    return 0;
}

static void seal(struct cvg_record_keys *with, const char *key, const char *value, size_t len,
                 struct cvg_buffer *ret_record)
{
    cvg_buffer_init(ret_record, CVG_RECORD_MAX);
    assert_int_equal(cvg_record_seal(with, key, strlen(key), value, len, ret_record), CVG_OK);
}

static enum cvg_error open_as(struct cvg_record_keys *with, const char *key, const void *record,
                              size_t len, const char *wanted)
{
    const void *value = NULL;
    size_t value_len = 0;
    enum cvg_error err = cvg_record_open(with, key, strlen(key), record, len, &value, &value_len);
    if (err == CVG_OK) {
        assert_int_equal(value_len, strlen(wanted));
        assert_memory_equal(value, wanted, value_len);
    } else {
        assert_null(value);
    }
    return err;
}

static void what_was_sealed_opens(void **state)
{
    static char longest[CVG_VALUE_MAX + 1];
    struct cvg_buffer record;
    (void)state;
    seal(keys, "key", "value", 5, &record);
    assert_int_equal(open_as(keys, "key", record.data, record.len, "value"), CVG_OK);
    cvg_buffer_free(&record);
    seal(keys, "", "", 0, &record);
    assert_int_equal(open_as(keys, "", record.data, record.len, ""), CVG_OK);
    cvg_buffer_free(&record);
    memset(longest, 'v', CVG_VALUE_MAX);
    seal(keys, "key", longest, CVG_VALUE_MAX, &record);
    assert_true(record.len <= CVG_RECORD_MAX);
    assert_int_equal(open_as(keys, "key", record.data, record.len, longest), CVG_OK);
    assert_int_equal(cvg_record_seal(keys, "key", 3, longest, CVG_VALUE_MAX + 1, &record),
                     CVG_ERR_RANGE);
    cvg_buffer_free(&record);
}

static void ed25519_keys_sign_too(void **state)
{
    struct cvg_buffer record;
    struct cvg_signing_key *other = signing(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    struct cvg_record_keys *others = new_keys(other, NULL, 0);
    (void)state;
    seal(others, "key", "value", 5, &record);
    assert_int_equal(open_as(others, "key", record.data, record.len, "value"), CVG_OK);
    assert_int_equal(open_as(keys, "key", record.data, record.len, ""), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&record);
    cvg_record_keys_free(others);
    cvg_signing_key_free(other);
}

static void changed_octets_and_lengths(void **state)
{
    struct cvg_buffer record;
    (void)state;
    seal(keys, "key", "value", 5, &record);
    for (size_t i = 0; i < record.len; i++)
        for (unsigned bit = 0; bit < 8; bit += 7) {
            record.data[i] ^= (uint8_t)(1U << bit);
            assert_int_equal(open_as(keys, "key", record.data, record.len, ""), CVG_ERR_SIGNATURE);
            record.data[i] ^= (uint8_t)(1U << bit);
        }
    for (size_t len = 0; len < record.len; len++)
        assert_int_equal(open_as(keys, "key", record.data, len, ""), CVG_ERR_SIGNATURE);
    assert_int_equal(open_as(keys, "key", record.data, record.len, "value"), CVG_OK);
    assert_int_equal(cvg_buffer_put_u8(&record, 0), CVG_OK);
    assert_int_equal(open_as(keys, "key", record.data, record.len, ""), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&record);
}

static void another_target_is_another_record(void **state)
{
    struct cvg_buffer record;
    (void)state;
    seal(keys, "key", "value", 5, &record);
    assert_int_equal(open_as(keys, "kez", record.data, record.len, ""), CVG_ERR_SIGNATURE);
    assert_int_equal(open_as(keys, "keyv", record.data, record.len, ""), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&record);
}

/* What the key signed for another purpose, without the domain, is no record. */
static void other_signatures_of_the_key(void **state)
{
    struct cvg_buffer record, signature;
    (void)state;
    cvg_buffer_init(&signature, CVG_SIGNATURE_MAX);
    assert_int_equal(cvg_sign(own, "value", 5, &signature), CVG_OK);
    cvg_buffer_init(&record, CVG_RECORD_MAX);
    cvg_buffer_put_u8(&record, 1);
    cvg_buffer_put_u16(&record, (uint16_t)signature.len);
    cvg_buffer_put(&record, signature.data, signature.len);
    assert_int_equal(cvg_buffer_put(&record, "value", 5), CVG_OK);
    assert_int_equal(open_as(keys, "key", record.data, record.len, ""), CVG_ERR_SIGNATURE);
    cvg_buffer_free(&signature);
    cvg_buffer_free(&record);
}

static struct cvg_record_keys *keys_on_disk(void)
{
    struct cvg_buffer bundle = {0};
    char path[PATH_MAX];
    path_of("alpha.notary", path);
    assert_int_equal(cvg_file_read(path, geteuid(), CVG_BUNDLE_MAX, false, &bundle, NULL), CVG_OK);
    path_of("signing.key", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct cvg_signing_key *key = signing(PEM_read_PrivateKey(file, NULL, NULL, NULL));
    fclose(file);
    struct cvg_record_keys *made = new_keys(key, bundle.data, bundle.len);
    cvg_signing_key_free(key);
    cvg_buffer_free(&bundle);
    return made;
}

/* A notary's files; the caller changes their keys. */
static void init_directory(void)
{
    struct cvg_init init;
    struct cvg_why why = {.text = ""};
    cvg_init_defaults(&init);
    init.directory = directory;
    init.name = "alpha";
    init.host = "alpha.example";
    char fingerprint[CVG_FINGERPRINT_TEXT_MAX];
    assert_int_equal(cvg_init_write(&init, fingerprint, &why), CVG_OK);
}

static void announce(void)
{
    struct cvg_rotate rotate = {.directory = directory, .signing = true};
    struct cvg_why why = {.text = ""};
    assert_int_equal(cvg_rotate_announce(&rotate, &why), CVG_OK);
}

static void rotate(void)
{
    struct cvg_rotate rotate = {.directory = directory, .signing = true};
    struct cvg_why why = {.text = ""};
    assert_int_equal(cvg_rotate_finish(&rotate, &why), CVG_OK);
}

/* Without the former key in the bundle: its file is what tells. */
static void change_of_keys(void **state)
{
    struct cvg_buffer before, after;
    (void)state;
    init_directory();
    struct cvg_record_keys *old = keys_on_disk();
    seal(old, "key", "value", 5, &before);
    announce();
    struct cvg_record_keys *announced = keys_on_disk();
    rotate();
    struct cvg_record_keys *new = keys_on_disk();
    seal(new, "key", "value", 5, &after);
    assert_int_equal(open_as(new, "key", before.data, before.len, "value"), CVG_OK);
    assert_int_equal(open_as(announced, "key", after.data, after.len, "value"), CVG_OK);
    assert_int_equal(open_as(old, "key", after.data, after.len, ""), CVG_ERR_SIGNATURE);
    cvg_record_keys_free(old);
    cvg_record_keys_free(announced);
    cvg_record_keys_free(new);
    cvg_buffer_free(&before);
    cvg_buffer_free(&after);
}

/* However many changes ago. */
static void every_former_key_is_believed(void **state)
{
    enum { CHANGES = 6 };
    struct cvg_buffer record[CHANGES];
    (void)state;
    init_directory();
    for (size_t i = 0; i < CHANGES; i++) {
        struct cvg_record_keys *then = keys_on_disk();
        seal(then, "key", "value", 5, &record[i]);
        cvg_record_keys_free(then);
        announce();
        rotate();
    }
    struct cvg_record_keys *now = keys_on_disk();
    for (size_t i = 0; i < CHANGES; i++) {
        assert_int_equal(open_as(now, "key", record[i].data, record[i].len, "value"), CVG_OK);
        cvg_buffer_free(&record[i]);
    }
    cvg_record_keys_free(now);
}

/* Only what a rotation calls so is a former key; what is none is left out. */
static void files_that_are_no_former_key(void **state)
{
    static const char *const name[] = {"signing.key.old-",   "signing.key.old-01",
                                       "signing.key.old-2~", "signing.key.old--1",
                                       "tls.key.old-3",      "signing.key.old-4x"};
    char from[PATH_MAX], to[PATH_MAX];
    struct cvg_buffer before;
    (void)state;
    init_directory();
    struct cvg_record_keys *old = keys_on_disk();
    seal(old, "key", "value", 5, &before);
    announce();
    rotate();
    path_of("signing.key.old-2", from);
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        path_of(name[i], to);
        assert_int_equal(rename(from, to), 0);
        struct cvg_record_keys *now = keys_on_disk();
        assert_int_equal(open_as(now, "key", before.data, before.len, ""), CVG_ERR_SIGNATURE);
        cvg_record_keys_free(now);
        assert_int_equal(rename(to, from), 0);
    }
    path_of("signing.key.old-9", to);
    FILE *file = fopen(to, "w");
    assert_non_null(file);
    fputs("rubbish", file);
    fclose(file);
    struct cvg_record_keys *now = keys_on_disk();
    assert_int_equal(open_as(now, "key", before.data, before.len, "value"), CVG_OK);
    cvg_record_keys_free(now);
    cvg_record_keys_free(old);
    cvg_buffer_free(&before);
}

/* Of a running notary: what it signs and believes from now on. */
static void keys_are_taken(void **state)
{
    struct cvg_buffer before, after;
    (void)state;
    init_directory();
    struct cvg_record_keys *running = keys_on_disk();
    seal(running, "key", "value", 5, &before);
    announce();
    rotate();
    cvg_record_keys_take(running, keys_on_disk());
    assert_int_equal(open_as(running, "key", before.data, before.len, "value"), CVG_OK);
    seal(running, "key", "value", 5, &after);
    assert_memory_not_equal(before.data, after.data, before.len);
    struct cvg_record_keys *now = keys_on_disk();
    assert_int_equal(open_as(now, "key", after.data, after.len, "value"), CVG_OK);
    cvg_record_keys_free(now);
    cvg_record_keys_free(running);
    cvg_buffer_free(&before);
    cvg_buffer_free(&after);
}

/* A notary that cannot read its keys any more takes the announcement, and keeps the rest. */
static void a_bundle_alone_is_taken(void **state)
{
    struct cvg_buffer before, next, bundle = {0};
    struct cvg_record_keys *none = NULL;
    char path[PATH_MAX];
    (void)state;
    init_directory();
    struct cvg_record_keys *running = keys_on_disk();
    seal(running, "key", "value", 5, &before);
    announce();
    path_of("alpha.notary", path);
    assert_int_equal(cvg_file_read(path, geteuid(), CVG_BUNDLE_MAX, false, &bundle, NULL), CVG_OK);
    const struct cvg_record_sources sources = {.bundle = bundle.data, .bundle_len = bundle.len};
    assert_int_equal(cvg_record_keys_new(&sources, &none, NULL), CVG_OK);
    cvg_record_keys_take(running, none);
    rotate();
    struct cvg_record_keys *now = keys_on_disk();
    seal(now, "key", "value", 5, &next);
    assert_int_equal(open_as(running, "key", before.data, before.len, "value"), CVG_OK);
    assert_int_equal(open_as(running, "key", next.data, next.len, "value"), CVG_OK);
    cvg_record_keys_free(now);
    cvg_record_keys_free(running);
    cvg_buffer_free(&before);
    cvg_buffer_free(&next);
    cvg_buffer_free(&bundle);
}

static void unusable_bundle(void **state)
{
    const struct cvg_record_sources sources = {
        .key = own, .path = directory, .bundle = "{}", .bundle_len = 2};
    struct cvg_record_keys *made = NULL;
    struct cvg_why why = {.text = ""};
    (void)state;
    assert_int_not_equal(cvg_record_keys_new(&sources, &made, &why), CVG_OK);
    assert_null(made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_sealed_opens),
        TEST(ed25519_keys_sign_too),
        TEST(changed_octets_and_lengths),
        TEST(another_target_is_another_record),
        TEST(other_signatures_of_the_key),
        TEST(change_of_keys),
        TEST(every_former_key_is_believed),
        TEST(files_that_are_no_former_key),
        TEST(keys_are_taken),
        TEST(a_bundle_alone_is_taken),
        TEST(unusable_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
