/* SPDX-License-Identifier: MIT */
/* The leaf out of a Certificate message, of both forms, and out of what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "notary/leaf-message.h"

/* Two certificates, of three and two octets. */
static const uint8_t tls12[] = {11, 0, 0, 14, 0, 0, 11, 0, 0, 3, 'a', 'b', 'c', 0, 0, 2, 'd', 'e'};
/* The same after a context of one octet, each with extensions. */
static const uint8_t tls13[] = {11,  0,   0,   20, 1, 'x', 0, 0, 15,  0,   0, 3,
                                'a', 'b', 'c', 0,  0, 0,   0, 2, 'd', 'e', 0, 0};

static enum cvg_error parse(const uint8_t *message, size_t len, bool is_tls13, const uint8_t **der,
                            size_t *der_len)
{
    return cvg_leaf_of_message(message, len, is_tls13, der, der_len);
}

static void both_forms(void **state)
{
    const uint8_t *der = NULL;
    size_t len = 0;
    (void)state;
    assert_int_equal(parse(tls12, sizeof(tls12), false, &der, &len), CVG_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(der, "abc", 3);
    assert_int_equal(parse(tls13, sizeof(tls13), true, &der, &len), CVG_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(der, "abc", 3);
}

static void cut_anywhere(void **state)
{
    const uint8_t *der = NULL;
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(tls12); i++)
        assert_int_equal(parse(tls12, i, false, &der, &len), CVG_ERR_SYNTAX);
    for (size_t i = 0; i < sizeof(tls13); i++)
        assert_int_equal(parse(tls13, i, true, &der, &len), CVG_ERR_SYNTAX);
}

static void not_a_leaf(void **state)
{
    static const uint8_t other[] = {12, 0, 0, 0};
    static const uint8_t empty_list[] = {11, 0, 0, 3, 0, 0, 0};
    static const uint8_t empty_leaf[] = {11, 0, 0, 6, 0, 0, 3, 0, 0, 0};
    static const uint8_t too_long[] = {11, 0, 0, 7, 0, 0, 4, 0, 0, 2, 'a'};
    static const uint8_t surplus[] = {11, 0, 0, 8, 0, 0, 4, 0, 0, 1, 'a', 'b'};
    const uint8_t *der = NULL;
    size_t len = 0;
    (void)state;
    assert_int_equal(parse(other, sizeof(other), false, &der, &len), CVG_ERR_SYNTAX);
    assert_int_equal(parse(empty_list, sizeof(empty_list), false, &der, &len), CVG_ERR_SYNTAX);
    assert_int_equal(parse(empty_leaf, sizeof(empty_leaf), false, &der, &len), CVG_ERR_SYNTAX);
    assert_int_equal(parse(too_long, sizeof(too_long), false, &der, &len), CVG_ERR_SYNTAX);
    assert_int_equal(parse(surplus, sizeof(surplus), false, &der, &len), CVG_ERR_SYNTAX);
    assert_null(der);
}

static void whole_chain(void **state)
{
    static const uint8_t expected[] = {0, 0, 3, 'a', 'b', 'c', 0, 0, 2, 'd', 'e'};
    static const uint8_t cut_second[] = {11, 0, 0, 10, 0, 0, 7, 0, 0, 1, 'a', 0, 0, 1};
    static const uint8_t empty_second[] = {11, 0, 0, 10, 0, 0, 7, 0, 0, 1, 'a', 0, 0, 0};
    struct cvg_blob *chain = NULL;
    (void)state;
    assert_int_equal(cvg_chain_of_message(cut_second, sizeof(cut_second), false, &chain),
                     CVG_ERR_SYNTAX);
    assert_int_equal(cvg_chain_of_message(empty_second, sizeof(empty_second), false, &chain),
                     CVG_ERR_SYNTAX);
    for (size_t i = 0; i < sizeof(tls13); i++)
        assert_int_equal(cvg_chain_of_message(tls13, i, true, &chain), CVG_ERR_SYNTAX);
    assert_null(chain);
    assert_int_equal(cvg_chain_of_message(tls12, sizeof(tls12), false, &chain), CVG_OK);
    assert_int_equal(chain->len, sizeof(expected));
    assert_memory_equal(chain->octets, expected, sizeof(expected));
    cvg_blob_unref(chain);
    assert_int_equal(cvg_chain_of_message(tls13, sizeof(tls13), true, &chain), CVG_OK);
    assert_int_equal(chain->len, sizeof(expected));
    assert_memory_equal(chain->octets, expected, sizeof(expected));
    cvg_blob_unref(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(not_a_leaf),
        cmocka_unit_test(whole_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
