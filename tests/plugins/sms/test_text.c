/* test_text.c -- segments as telephones count them; what is one of the words, and what only has it
 * in it. */
#include "plugins/sms/text.h"

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
    return text_segments((struct kith_text){ text, size * times });
}

static void segments_are_those_of_a_telephone(void **state)
{
    (void)state;
    assert_int_equal(text_segments(kith_text("")), 1);
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

static bool has(const char *word, const char *body)
{
    char room[256];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_open_array(&w, "words");
    kith_put_string(&w, "", "other");
    kith_put_string(&w, "", word);
    kith_close(&w);
    return text_is_among(kith_text(body), kith_get_doc(kith_end(&w), "words"));
}

static void letters_are_what_counts(void **state)
{
    static const char *const bodies[] = {
        "stop",
        " (Stop). ",
        "\"STOP\"",
        "\xef\xbc\xb3\xef\xbd\x94\xef\xbc\xaf\xef\xbc\xb0\xef\xbc\x81", /* of full width */
        "STOP\xc2\xa0",
        "stop\xe2\x80\x8b",
        "s-t o_p",
        "\xef\xbb\xbfSTOP",
        "Stop \xf0\x9f\x9b\x91",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_true(has("STOP", bodies[i]));
    assert_true(has("\xe5\x81\x9c\xe6\xad\xa2", "\xe5\x81\x9c\xe6\xad\xa2\xe3\x80\x82"));
    assert_true(has("ARR\xc3\x8aT", "arr\xc3\xaat!"));
    assert_true(
        has("\xd0\xa1\xd0\xa2\xd0\x9e\xd0\x9f", "\xd1\x81\xd1\x82\xd0\xbe\xd0\xbf")); /* Russian */
}

static void a_word_among_others_is_none(void **state)
{
    static const char *const bodies[] = { "stop it", "nonstop", "st",         "stopp",
                                          "",        ".",       "st\xc3\xb6p" };
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_false(has("STOP", bodies[i]));
}

static void a_word_without_letters_is_nobodys(void **state)
{
    (void)state;
    assert_false(has("!", "!"));
    assert_false(has("", ""));
}

static void what_is_no_utf_8_does_no_harm(void **state)
{
    (void)state;
    assert_false(has("STOP", "ST\xffOP\xc3"));
    assert_false(has("\xff", "\xc3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_those_of_a_telephone),
        cmocka_unit_test(letters_are_what_counts),
        cmocka_unit_test(a_word_among_others_is_none),
        cmocka_unit_test(a_word_without_letters_is_nobodys),
        cmocka_unit_test(what_is_no_utf_8_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
