/* test_utf8.c -- what utf8.h promises; every code point and every short byte run. */
#include "core/base/utf8.h"

#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t encode(uint32_t c, uint8_t bytes[4])
{
    if (c < 0x80)
        return bytes[0] = (uint8_t)c, 1;
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
    bytes[0] = (uint8_t)(0xf00 >> size | c);
    return size;
}

static void every_code_point_but_surrogates_is_valid(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t bytes[4];
        size_t size = encode(c, bytes);
        bool is_character = c < 0xd800 || (c > 0xdfff && c < 0x110000);
        assert_int_equal(utf8_valid(bytes, size), is_character);
        if (is_character && size > 1)
            assert_int_equal(utf8_valid_prefix(bytes, size - 1), 0);
    }
}

/* Counting is enough: every encoding was found valid, so as many valid runs as
 * there are encodings means that there is no other. */
static void no_other_run_of_up_to_three_bytes_is_a_character(void **state)
{
    (void)state;
    size_t twos = 0, threes = 0;
    for (uint32_t i = 0x80; i < 1u << 8; i++)
        assert_false(utf8_valid(&(uint8_t){ (uint8_t)i }, 1));
    for (uint32_t i = 0x8000; i < 1u << 16; i++)
        twos += utf8_valid((uint8_t[]){ (uint8_t)(i >> 8), (uint8_t)i }, 2);
    for (uint32_t i = 0x808000; i < 1u << 24; i++)
        if ((i & 0x8080) == 0x8080)
            threes +=
                utf8_valid((uint8_t[]){ (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 3);
    assert_int_equal(twos, 0x800 - 0x80);
    assert_int_equal(threes, 0x10000 - 0x800 - 0x800);
}

static void a_fault_is_found_at_every_place_of_a_long_text(void **state)
{
    (void)state;
    for (size_t size = 1; size < 80; size++) {
        for (size_t place = 0; place < size; place++) {
            char *text = malloc(size);
            memset(text, 'x', size);
            assert_int_equal(utf8_valid_prefix(text, size), size);
            text[place] = '\x80';
            assert_int_equal(utf8_valid_prefix(text, size), place);
            free(text);
        }
    }
    assert_true(utf8_valid(NULL, 0));
    assert_true(utf8_valid("a\0b", 3));
}

static void assert_clean(const char *text, const char *want)
{
    struct buf out = BUF_INIT;
    size_t size = strlen(text);
    char *copy = malloc(size + 1);
    memcpy(copy, text, size);
    utf8_clean(copy, size, &out);
    assert_string_equal(buf_string(&out), want);
    assert_true(utf8_valid(out.data, out.size));
    free(copy);
    buf_deinit(&out);
}

#define R "\xef\xbf\xbd"

static void each_maximal_faulty_part_is_replaced_once(void **state)
{
    (void)state;
    assert_clean("", "");
    assert_clean("plain ä€😀", "plain ä€😀");
    assert_clean("\xff", R);
    assert_clean("a\xff\xfe"
                 "b",
                 "a" R R "b");
    assert_clean("\xe2\x82", R);
    assert_clean("\xe2\x82"
                 "a",
                 R "a");
    assert_clean("\xf0\x9f\x98", R);
    assert_clean("\xf0\x9f\x98\xc3\xa4", R "ä");
    assert_clean("\xc0\xaf", R R);
    assert_clean("\xed\xa0\x80", R R R);
    assert_clean("\xf4\x90\x80\x80", R R R R);
    /* the standard's own example */
    assert_clean("a\xf1\x80\x80\xe1\x80\xc2"
                 "b\x80"
                 "c\x80\xbf"
                 "d",
                 "a" R R R "b" R "c" R R "d");
}

static void random_bytes_become_valid_and_valid_parts_stay(void **state)
{
    (void)state;
    uint64_t random = 1;
    struct buf out = BUF_INIT, again = BUF_INIT;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(random >> 56) | (uint8_t)(random >> 40 & 0x80);
        }
        buf_clear(&out);
        buf_clear(&again);
        utf8_clean(bytes, sizeof bytes, &out);
        assert_true(utf8_valid(out.data, out.size));
        utf8_clean(out.data, out.size, &again);
        assert_int_equal(again.size, out.size);
        assert_memory_equal(again.data, out.data, out.size);
    }
    buf_deinit(&out);
    buf_deinit(&again);
}

static void a_cut_never_splits_a_character_and_loses_no_more_than_it_must(void **state)
{
    (void)state;
    static const char text[] = "aä€😀z";
    static const size_t want[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };
    for (size_t n = 0; n < sizeof want / sizeof *want; n++) {
        assert_int_equal(utf8_cut(text, 11, n), want[n]);
        assert_true(utf8_valid(text, want[n]));
    }
    assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
    assert_int_equal(utf8_cut("", 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_surrogates_is_valid),
        cmocka_unit_test(no_other_run_of_up_to_three_bytes_is_a_character),
        cmocka_unit_test(a_fault_is_found_at_every_place_of_a_long_text),
        cmocka_unit_test(each_maximal_faulty_part_is_replaced_once),
        cmocka_unit_test(random_bytes_become_valid_and_valid_parts_stay),
        cmocka_unit_test(a_cut_never_splits_a_character_and_loses_no_more_than_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
