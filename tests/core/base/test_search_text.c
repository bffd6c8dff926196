/* test_search_text.c -- what search_text.h promises. */
#include "core/base/search_text.h"

#include "core/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void folds_to(const char *text, enum search_fold how, const char *wanted)
{
    struct buf out = BUF_INIT;
    search_fold(text_of(text), how, &out);
    assert_string_equal(buf_string(&out), wanted);
    struct buf again = BUF_INIT;
    search_fold((struct text){ wanted, (uint32_t)out.size }, how, &again);
    assert_string_equal(buf_string(&again), wanted); /* it folds to itself */
    buf_deinit(&out);
    buf_deinit(&again);
}

static void case_width_accents_and_ligatures_do_not_matter(void **state)
{
    (void)state;
    folds_to("Anna SCHMIDT", SEARCH_WORDS, "anna schmidt");
    folds_to("Ａｎｎａ", SEARCH_WORDS, "anna");
    folds_to("Ánnà", SEARCH_WORDS, "anna");
    folds_to("A\xcc\x81nna", SEARCH_WORDS, "anna");
    folds_to("Œuvre ﬁn", SEARCH_WORDS, "oeuvre fin");
    folds_to("Łódź", SEARCH_WORDS, "lodz");
    folds_to("Иван Ёлкин", SEARCH_WORDS, "иван елкин");
}

static void umlauts_are_typed_in_two_ways(void **state)
{
    (void)state;
    folds_to("Größe", SEARCH_WORDS, "grosse");
    folds_to("Größe", SEARCH_SPELT, "groesse");
    folds_to("GROSSE", SEARCH_WORDS, "grosse");
    folds_to("Ähre Öl Übel", SEARCH_SPELT, "aehre oel uebel");
    folds_to("Åse Sørensen", SEARCH_SPELT, "aase soerensen");
    folds_to("Åse Sørensen", SEARCH_WORDS, "ase sorensen");
}

static void what_is_no_letter_parts_words_and_an_apostrophe_does_not(void **state)
{
    (void)state;
    folds_to("  Müller-Lüdenscheid, \tHeinz (Dr.) ", SEARCH_WORDS, "muller ludenscheid heinz dr");
    folds_to("O'Neil D’Angelo", SEARCH_WORDS, "oneil dangelo");
    folds_to("--- !", SEARCH_WORDS, "");
    folds_to("", SEARCH_WORDS, "");
    folds_to("a\x01\x02z", SEARCH_WORDS, "a z");
}

static void no_blank_stays_between_chinese_characters(void **state)
{
    (void)state;
    folds_to("王 小明", SEARCH_WORDS, "王小明");
    folds_to("阿凡提·买买提", SEARCH_WORDS, "阿凡提买买提");
    folds_to("王小明 Anna", SEARCH_WORDS, "王小明 anna");
    folds_to("山田 たろう", SEARCH_WORDS, "山田たろう");
    folds_to("김 철수", SEARCH_WORDS, "김 철수");
}

static void marks_that_are_vowels_stay(void **state)
{
    (void)state;
    folds_to("हिन्दी", SEARCH_WORDS, "हिन्दी");
}

static void an_address_keeps_its_punctuation_and_loses_its_blanks(void **state)
{
    (void)state;
    folds_to(" Ann.Lee+x@Example.COM ", SEARCH_WHOLE, "ann.lee+x@example.com");
    folds_to("K-4711 / b", SEARCH_WHOLE, "k-4711/b");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, out = BUF_INIT;
    for (int i = 0; i < 500; i++)
        buf_text(&text, i % 2 != 0 ? "\xef\xb7\xba" : "王"); /* one becomes 18 */
    search_fold((struct text){ (const char *)text.data, (uint32_t)text.size }, SEARCH_WORDS, &out);
    assert_true(out.size != 0 && out.size <= SEARCH_TEXT_MAX);
    assert_true(utf8_valid(out.data, out.size));
    buf_deinit(&text);
    buf_deinit(&out);
}

static void digits_are_those_of_a_number_and_of_nothing_else(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    assert_true(search_digits(text_of("+49 (30) 12-34/5"), &out));
    assert_string_equal(buf_string(&out), "493012345");
    buf_clear(&out);
    assert_true(search_digits(text_of("１２٣"), &out));
    assert_string_equal(buf_string(&out), "123");
    assert_false(search_digits(text_of("12a"), &out));
    assert_false(search_digits(text_of("1@2"), &out));
    assert_false(search_digits(text_of("+-"), &out));
    assert_false(search_digits(text_of(""), &out));
    assert_string_equal(buf_string(&out), "123");
    buf_deinit(&out);
}

static void characters_say_whether_they_may_begin_a_search(void **state)
{
    (void)state;
    bool is_word;
    struct text text = text_of("a王김た");
    assert_int_equal(search_character(text, 0, &is_word), 1);
    assert_false(is_word);
    for (size_t at = 1; at < text.size; at += 3) {
        assert_int_equal(search_character(text, at, &is_word), 3);
        assert_true(is_word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_width_accents_and_ligatures_do_not_matter),
        cmocka_unit_test(umlauts_are_typed_in_two_ways),
        cmocka_unit_test(what_is_no_letter_parts_words_and_an_apostrophe_does_not),
        cmocka_unit_test(no_blank_stays_between_chinese_characters),
        cmocka_unit_test(marks_that_are_vowels_stay),
        cmocka_unit_test(an_address_keeps_its_punctuation_and_loses_its_blanks),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(digits_are_those_of_a_number_and_of_nothing_else),
        cmocka_unit_test(characters_say_whether_they_may_begin_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
