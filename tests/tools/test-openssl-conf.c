/* SPDX-License-Identifier: MIT */
/* What is added to a configuration, and what never is. The texts are read again by OpenSSL with the
 * addition, as programs would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/conf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/openssl-conf.h"

#define MODULE "/a/converge.so"

struct file {
    struct cvg_buffer text; /* with the block */
    CONF *conf;
};

static enum cvg_error add(const char *text, const char *module, struct cvg_buffer *ret_block)
{
    struct cvg_why why = {""};

    cvg_buffer_init(ret_block, CVG_OPENSSL_CONF_MAX);
    return cvg_openssl_block(text, strlen(text), "test.cnf", module, ret_block, &why);
}

static struct file complete(const char *text, const char *module)
{
    struct file file;
    struct cvg_buffer block, again;
    BIO *bio;

    assert_int_equal(add(text, module, &block), CVG_OK);
    cvg_buffer_init(&file.text, CVG_OPENSSL_CONF_MAX);
    assert_int_equal(cvg_buffer_put_text(&file.text, text), CVG_OK);
    assert_int_equal(cvg_buffer_put(&file.text, block.data, block.len), CVG_OK);
    cvg_buffer_free(&block);
    assert_int_equal(add((const char *)file.text.data, module, &again), CVG_OK);
    assert_int_equal(again.len, 0); /* once is enough */
    cvg_buffer_free(&again);
    file.conf = NCONF_new(NULL);
    bio = BIO_new_mem_buf(file.text.data, (int)file.text.len);
    assert_int_equal(NCONF_load_bio(file.conf, bio, NULL), 1);
    BIO_free(bio);
    return file;
}

static void close_file(struct file *file)
{
    NCONF_free(file->conf);
    cvg_buffer_free(&file->text);
}

static const char *get(const struct file *file, const char *section, const char *key)
{
    const char *value = section != NULL ? NCONF_get_string(file->conf, section, key) : NULL;

    return value != NULL ? value : "";
}

/* The value of a key in the section of converge's provider, seen from an entry of node or others.
 */
static const char *of_converge(const struct file *file, const char *entry, const char *key)
{
    const char *providers = get(file, get(file, "default", entry), "providers");

    return get(file, get(file, providers, "converge"), key);
}

static const char *of_default(const struct file *file, const char *entry, const char *key)
{
    const char *providers = get(file, get(file, "default", entry), "providers");

    return get(file, get(file, providers, "default"), key);
}

static void nothing_there(void **state)
{
    struct file file = complete("", MODULE);

    (void)state;
    assert_string_equal(of_converge(&file, "openssl_conf", "module"), MODULE);
    assert_string_equal(of_converge(&file, "openssl_conf", "activate"), "1");
    assert_string_equal(of_converge(&file, "nodejs_conf", "module"), MODULE);
    assert_string_equal(of_default(&file, "openssl_conf", "activate"), "1");
    close_file(&file);
}

static void an_active_provider_keeps_the_default_one_out(void **state)
{
    struct file file = complete("openssl_conf = i\n[i]\nproviders = p\n[p]\nfips = f\nbase = f\n"
                                "[f]\nactivate = 1\n",
                                MODULE);

    (void)state;
    assert_string_equal(of_converge(&file, "openssl_conf", "module"), MODULE);
    assert_string_equal(get(&file, "p", "default"), "");
    assert_string_equal(get(&file, "p", "fips"), "f");
    close_file(&file);
}

static void a_named_default_is_activated_under_its_own_name(void **state)
{
    struct file file = complete("openssl_conf = i\n[i]\nproviders = p\n[p]\ndefault = d\n[d]\n"
                                "x = y\n",
                                MODULE);

    (void)state;
    assert_string_equal(get(&file, "p", "default"), "d");
    assert_string_equal(get(&file, "d", "activate"), "1");
    assert_string_equal(get(&file, "d", "x"), "y");
    close_file(&file);
}

static void what_openssl_conf_names_outside_its_section_does_not_count(void **state)
{
    /* A key in the default section is no key of every section, though OpenSSL's look-up says so. */
    struct file file =
        complete("providers = p\nactivate = 1\nopenssl_conf = i\n[i]\n[p]\nx = y\n", MODULE);

    (void)state;
    assert_string_not_equal(get(&file, "i", "providers"), "p");
    assert_string_equal(of_converge(&file, "openssl_conf", "module"), MODULE);
    assert_string_equal(of_default(&file, "openssl_conf", "activate"), "1");
    close_file(&file);
}

static void node_and_the_others_share_or_differ(void **state)
{
    struct file shared = complete("openssl_conf = i\n[i]\nx = y\n", MODULE);
    struct file own = complete("nodejs_conf = n\nopenssl_conf = i\n[i]\n[n]\n", MODULE);
    struct file same = complete("nodejs_conf = n\nopenssl_conf = i\n[i]\nproviders = p\n[n]\n"
                                "providers = p\n[p]\ndefault = d\n[d]\nactivate = 1\n",
                                MODULE);

    (void)state;
    assert_string_equal(get(&shared, "default", "nodejs_conf"), "i");
    assert_string_equal(get(&own, "default", "nodejs_conf"), "n");
    assert_string_not_equal(get(&own, "n", "providers"), get(&own, "i", "providers"));
    assert_string_equal(of_converge(&own, "nodejs_conf", "module"), MODULE);
    assert_string_equal(of_default(&own, "nodejs_conf", "activate"), "1");
    assert_string_equal(of_converge(&own, "openssl_conf", "module"), MODULE);
    assert_string_equal(of_converge(&same, "nodejs_conf", "module"), MODULE);
    assert_string_equal(get(&same, "n", "providers"), "p");
    close_file(&shared);
    close_file(&own);
    close_file(&same);
}

static void another_modules_path_is_replaced(void **state)
{
    struct file old = complete("", "/old/converge.so");
    struct file file = complete((const char *)old.text.data, MODULE);

    (void)state;
    assert_string_equal(of_converge(&file, "openssl_conf", "module"), MODULE);
    assert_string_equal(of_converge(&file, "nodejs_conf", "module"), MODULE);
    close_file(&old);
    close_file(&file);
}

static void every_octet_of_a_path_survives(void **state)
{
    char path[300] = "/";
    size_t len = 1;
    struct file file;

    (void)state;
    for (int octet = 1; octet < 256; octet++)
        if (octet != '\n' && octet != '\r')
            path[len++] = (char)octet;
    path[len] = '\0';
    file = complete("", path);
    assert_string_equal(of_converge(&file, "openssl_conf", "module"), path);
    close_file(&file);
}

static void malformed_texts_are_refused(void **state)
{
    static const char *const texts[] = {"[open\n", "a = $missing\n", "x = ${a\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cvg_buffer block;

        assert_int_equal(add(texts[i], MODULE, &block), CVG_ERR_CONFIG);
        cvg_buffer_free(&block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(an_active_provider_keeps_the_default_one_out),
        cmocka_unit_test(a_named_default_is_activated_under_its_own_name),
        cmocka_unit_test(what_openssl_conf_names_outside_its_section_does_not_count),
        cmocka_unit_test(node_and_the_others_share_or_differ),
        cmocka_unit_test(another_modules_path_is_replaced),
        cmocka_unit_test(every_octet_of_a_path_survives),
        cmocka_unit_test(malformed_texts_are_refused),
    };

    return cmocka_run_group_tests_name("openssl-conf", tests, NULL, NULL);
}
