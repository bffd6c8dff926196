/* test_words.c -- what is one of the words, and what only has it in it. */
#include "plugins/sms/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has(const char *word, const char *body)
{
    char room[256];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_open_array(&w, "words");
    kith_put_string(&w, "", "other");
    kith_put_string(&w, "", word);
    kith_close(&w);
    return words_have(kith_get_doc(kith_end(&w), "words"), kith_text(body));
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
        cmocka_unit_test(letters_are_what_counts),
        cmocka_unit_test(a_word_among_others_is_none),
        cmocka_unit_test(a_word_without_letters_is_nobodys),
        cmocka_unit_test(what_is_no_utf_8_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
