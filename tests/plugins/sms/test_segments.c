/* test_segments.c -- segments as telephones count them. */
#include "plugins/sms/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t segments_of(const char *piece, size_t times)
{
    char text[2000] = "";
    size_t size = strlen(piece);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, piece, size);
    return segments((struct kith_text){ text, size * times });
}

static void segments_are_those_of_a_telephone(void **state)
{
    (void)state;
    assert_int_equal(segments(kith_text("")), 1);
    assert_int_equal(segments_of("x", 160), 1);
    assert_int_equal(segments_of("x", 161), 2);
    assert_int_equal(segments_of("x", 306), 2);
    assert_int_equal(segments_of("x", 307), 3);
    assert_int_equal(segments_of("\xc3\xa4", 160), 1);    /* in the alphabet */
    assert_int_equal(segments_of("\xe2\x82\xac", 80), 1); /* the euro has two septets */
    assert_int_equal(segments_of("\xe2\x82\xac", 81), 2);
    assert_int_equal(segments_of("\xe2\x82\xac", 152), 2);
    assert_int_equal(segments_of("\xe2\x82\xac", 153), 3); /* none is torn in two */
    assert_int_equal(segments_of("\xe4\xbd\xa0", 70), 1);  /* Chinese: UCS-2 */
    assert_int_equal(segments_of("\xe4\xbd\xa0", 71), 2);
    assert_int_equal(segments_of("\xf0\x9f\x98\x80", 35), 1); /* a face has two units */
    assert_int_equal(segments_of("\xf0\x9f\x98\x80", 36), 2);
    assert_int_equal(segments_of("\xf0\x9f\x98\x80", 66), 2);
    assert_int_equal(segments_of("\xf0\x9f\x98\x80", 67), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_those_of_a_telephone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
