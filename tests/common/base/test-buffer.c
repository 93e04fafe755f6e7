/* SPDX-License-Identifier: MIT */
/* The buffer at its maximum, the reader at its end, and errors that stick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "common/base/buffer.h"

static void numbers_are_big_endian_both_ways(void **state)
{
    static const uint8_t expected[15] = {0xff, 0x12, 0x34, 0x89, 0xab, 0xcd, 0xef, 0x01,
                                         0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
    struct cvg_buffer b;
    struct cvg_reader r;

    (void)state;
    cvg_buffer_init(&b, 15);
    cvg_buffer_put_u8(&b, 0xff);
    cvg_buffer_put_u16(&b, 0x1234);
    cvg_buffer_put_u32(&b, 0x89abcdef);
    cvg_buffer_put_u64(&b, 0x0102030405060708);
    assert_int_equal(cvg_buffer_error(&b), CVG_OK);
    assert_int_equal(b.len, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    cvg_reader_init(&r, b.data, b.len);
    assert_int_equal(cvg_reader_u8(&r), 0xff);
    assert_int_equal(cvg_reader_u16(&r), 0x1234);
    assert_int_equal(cvg_reader_u32(&r), 0x89abcdef);
    assert_int_equal(cvg_reader_u64(&r), 0x0102030405060708);
    assert_int_equal(cvg_reader_done(&r), CVG_OK);
    cvg_buffer_free(&b);
}

static void the_last_octet_fits_and_the_next_sticks(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, 3);
    assert_int_equal(cvg_buffer_put(&b, "abc", 3), CVG_OK);
    assert_int_equal(cvg_buffer_put(&b, "d", 1), CVG_ERR_RANGE);
    assert_int_equal(cvg_buffer_put(&b, "", 0), CVG_ERR_RANGE);
    assert_int_equal(cvg_buffer_printf(&b, "%s", ""), CVG_ERR_RANGE);
    assert_int_equal(b.len, 3);
    assert_string_equal((const char *)b.data, "abc");
    cvg_buffer_clear(&b);
    assert_int_equal(cvg_buffer_put_text(&b, "xy"), CVG_OK);
    assert_string_equal((const char *)b.data, "xy");
    cvg_buffer_free(&b);
    assert_int_equal(cvg_buffer_put_text(&b, "abcd"), CVG_ERR_RANGE);
    cvg_buffer_free(&b);
    cvg_buffer_free(NULL);
}

static void lengths_near_size_max_do_not_wrap(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, SIZE_MAX);
    assert_int_equal(cvg_buffer_put_u8(&b, 1), CVG_OK);
    assert_int_equal(cvg_buffer_put(&b, "x", SIZE_MAX), CVG_ERR_RANGE);
    cvg_buffer_clear(&b);
    assert_int_equal(cvg_buffer_put_u8(&b, 1), CVG_OK);
    assert_int_equal(cvg_buffer_put(&b, "x", SIZE_MAX - 1), CVG_ERR_RANGE);
    assert_int_equal(b.len, 1);
    cvg_buffer_free(&b);
}

/* The linker puts this in realloc's place. */
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
static bool memory_exhausted;

void *__wrap_realloc(void *old, size_t size)
{
    return memory_exhausted ? NULL : __real_realloc(old, size);
}

static void memory_that_cannot_be_had_is_told(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, 1000);
    assert_int_equal(cvg_buffer_put_text(&b, "kept"), CVG_OK);
    memory_exhausted = true;
    assert_int_equal(cvg_buffer_printf(&b, "%500d", 1), CVG_ERR_NOMEM);
    memory_exhausted = false;
    assert_int_equal(cvg_buffer_put_text(&b, "sticks"), CVG_ERR_NOMEM);
    assert_string_equal((const char *)b.data, "kept");
    cvg_buffer_free(&b);
}

static void printf_appends_and_respects_the_maximum(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, 8);
    assert_int_equal(cvg_buffer_printf(&b, "%d-%s", 42, "abc"), CVG_OK);
    assert_int_equal(cvg_buffer_printf(&b, "%d", 12), CVG_OK);
    assert_string_equal((const char *)b.data, "42-abc12");
    assert_int_equal(cvg_buffer_printf(&b, "%d", 3), CVG_ERR_RANGE);
    assert_string_equal((const char *)b.data, "42-abc12");
    cvg_buffer_free(&b);
}

static void nothing_put_still_ends_in_nul(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, 0);
    assert_int_equal(cvg_buffer_put(&b, NULL, 0), CVG_OK);
    assert_non_null(b.data);
    assert_int_equal(b.data[0], 0);
    cvg_buffer_free(&b);
}

static void large_contents_survive_growth(void **state)
{
    struct cvg_buffer b;

    (void)state;
    cvg_buffer_init(&b, 400000);
    for (uint32_t i = 0; i < 100000; i++)
        cvg_buffer_put_u32(&b, i);
    assert_int_equal(cvg_buffer_error(&b), CVG_OK);
    for (uint32_t i = 0; i < 100000; i++) {
        struct cvg_reader r;

        cvg_reader_init(&r, b.data + 4 * i, 4);
        assert_int_equal(cvg_reader_u32(&r), i);
    }
    cvg_buffer_free(&b);
}

static void a_short_read_sticks_and_gives_zeros(void **state)
{
    static const uint8_t data[3] = {1, 2, 3};
    struct cvg_reader r;

    (void)state;
    cvg_reader_init(&r, data, sizeof data);
    assert_int_equal(cvg_reader_u32(&r), 0);
    assert_int_equal(cvg_reader_u8(&r), 0);
    assert_null(cvg_reader_take(&r, 0));
    assert_int_equal(cvg_reader_done(&r), CVG_ERR_SYNTAX);
}

static void octets_left_over_are_an_error(void **state)
{
    static const uint8_t data[3] = {1, 2, 3};
    struct cvg_reader r;

    (void)state;
    cvg_reader_init(&r, data, sizeof data);
    assert_int_equal(cvg_reader_u16(&r), 0x0102);
    assert_int_equal(cvg_reader_done(&r), CVG_ERR_SYNTAX);
    assert_ptr_equal(cvg_reader_take(&r, 1), data + 2);
    assert_int_equal(cvg_reader_done(&r), CVG_OK);
    assert_null(cvg_reader_take(&r, SIZE_MAX));
    assert_int_equal(cvg_reader_done(&r), CVG_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian_both_ways),
        cmocka_unit_test(the_last_octet_fits_and_the_next_sticks),
        cmocka_unit_test(lengths_near_size_max_do_not_wrap),
        cmocka_unit_test(memory_that_cannot_be_had_is_told),
        cmocka_unit_test(printf_appends_and_respects_the_maximum),
        cmocka_unit_test(nothing_put_still_ends_in_nul),
        cmocka_unit_test(large_contents_survive_growth),
        cmocka_unit_test(a_short_read_sticks_and_gives_zeros),
        cmocka_unit_test(octets_left_over_are_an_error),
    };

    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
