/* test_parts.c -- forms, signatures as Twilio has published them, segments as telephones count. */
#include "plugins/sms/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_published_example_is_signed(void **state)
{
    static const char url[] = "https://mycompany.com/myapp.php?foo=1&bar=2";
    static const char signature[] = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    char text[] = "To=%2B18005551212&Digits=1234&From=%2B14158675309&Caller=%2B14158675309&"
                  "CallSid=CA1234567890ABCDE";
    struct pair pairs[PAIRS_MAX];
    (void)state;
    int count = form_read(text, pairs);
    assert_int_equal(count, 5);
    assert_true(is_signed("12345", url, pairs, count, signature));
    assert_false(is_signed("12346", url, pairs, count, signature));
    assert_false(is_signed("12345", "https://mycompany.com/myapp.php", pairs, count, signature));
    assert_false(is_signed("12345", url, pairs, count - 1, signature));
    assert_false(is_signed("12345", url, pairs, count, ""));
}

static void a_form_is_taken_apart_or_refused(void **state)
{
    static const char *const bad[] = { "a=%", "a=%4", "a=%zz", "a=%00", "%" };
    struct pair pairs[PAIRS_MAX];
    char text[] = "a=1&b=%41+c&&d", many[4 * PAIRS_MAX + 5] = "";
    (void)state;
    int count = form_read(text, pairs);
    assert_int_equal(count, 3);
    assert_string_equal(form_value(pairs, count, "b"), "A c");
    assert_string_equal(form_value(pairs, count, "d"), "");
    assert_string_equal(form_value(pairs, count, "e"), "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char copy[8];
        snprintf(copy, sizeof copy, "%s", bad[i]);
        assert_int_equal(form_read(copy, pairs), -1);
    }
    for (int i = 0; i <= PAIRS_MAX; i++)
        memcpy(many + 4 * i, "a=b&", 5);
    assert_int_equal(form_read(many, pairs), -1);
}

static void what_is_written_reads_as_it_was(void **state)
{
    static const char body[] = "50% & \xc3\xbc\n=+";
    char out[100] = "";
    struct pair pairs[PAIRS_MAX];
    (void)state;
    assert_true(form_put(out, sizeof out, "To", "+49", 3));
    assert_true(form_put(out, sizeof out, "Body", body, strlen(body)));
    assert_string_equal(out, "To=%2B49&Body=50%25%20%26%20%C3%BC%0A%3D%2B");
    assert_false(form_put(out, sizeof out, "More", body, strlen(body)) &&
                 form_put(out, sizeof out, "More", body, strlen(body)));
    out[strcspn(out, "M")] = '\0';
    assert_int_equal(form_read(out, pairs) >= 2, 1);
    assert_string_equal(form_value(pairs, 2, "Body"), body);
}

static size_t segments_of(const char *piece, size_t times)
{
    char text[2000] = "";
    size_t size = strlen(piece);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, piece, size);
    return segments(text, size * times);
}

static void segments_are_those_of_a_telephone(void **state)
{
    (void)state;
    assert_int_equal(segments("", 0), 1);
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
        cmocka_unit_test(the_published_example_is_signed),
        cmocka_unit_test(a_form_is_taken_apart_or_refused),
        cmocka_unit_test(what_is_written_reads_as_it_was),
        cmocka_unit_test(segments_are_those_of_a_telephone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
