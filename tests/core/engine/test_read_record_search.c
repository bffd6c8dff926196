/* test_read_record_search.c -- what read_record_search.h promises. */
#include "core/engine/read_record_search.h"

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/search_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool finds(const char *query_text, const char *subject, const char *details)
{
    const struct text fields[] = { text_of("subject"), text_of("details") };
    struct arena arena = { 0 };
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_string(&w, "subject", subject);
    doc_put_string(&w, "details", details);
    doc_put_string(&w, "secret", "lawyer");
    struct doc doc = doc_end(&w);
    struct record_query query = { .fields = fields, .field_count = 2 };
    assert_true(record_query_read(&query, text_of(query_text), &arena));
    bool found = record_query_finds(&query, doc);
    buf_deinit(&bytes);
    arena_deinit(&arena);
    return found;
}

static void each_word_stands_in_some_field_in_any_case_and_spelling(void **state)
{
    (void)state;
    assert_true(finds("box", "The BOX was empty", ""));
    assert_true(finds("empty box", "The box", "was empty!"));
    assert_true(finds("mpt", "The box was empty", ""));
    assert_false(finds("box full", "The box was empty", ""));
    assert_true(finds("groesse",
                      "Falsche Gr\xc3\xb6\xc3\x9f"
                      "e",
                      ""));
    assert_true(finds("Gr\xc3\xb6\xc3\x9f"
                      "e",
                      "falsche Groesse", ""));
    assert_true(
        finds("\xe5\xb0\x8f\xe6\x98\x8e", "\xe7\x8e\x8b\xe5\xb0\x8f\xe6\x98\x8e\xe4\xb9\xb0", ""));
}

static void what_is_not_searched_is_not_found(void **state)
{
    (void)state;
    assert_false(finds("lawyer", "x", "y"));
}

static void a_text_of_any_length_is_searched_to_its_end(void **state)
{
    char blanks[4 * SEARCH_TEXT_MAX + 10], none[4 * SEARCH_TEXT_MAX + 10];
    (void)state;
    memset(blanks, 'x', sizeof blanks);
    for (size_t i = 9; i < sizeof blanks; i += 10)
        blanks[i] = ' ';
    memcpy(blanks + sizeof blanks - 7, "needle", 7);
    assert_true(finds("needle", blanks, ""));
    for (size_t at = 0; at < 3 * SEARCH_TEXT_MAX; at += 3) { /* characters of three bytes */
        for (size_t i = 0; i + 3 < sizeof none; i += 3)
            memcpy(none + i, "\xe4\xb9\xb0", 3);
        none[sizeof none - (sizeof none - 1) % 3 - 1] = '\0';
        memcpy(none + at, "\xe5\xb0\x8f", 3);
        memcpy(none + at + 3, "\xe6\x98\x8e", 3);
        assert_true(finds("\xe5\xb0\x8f\xe6\x98\x8e", none, ""));
    }
}

static void a_query_without_words_or_with_too_many_is_none(void **state)
{
    struct arena arena = { 0 };
    struct record_query query = { .field_count = 0 };
    (void)state;
    assert_false(record_query_read(&query, text_of(" ?! "), &arena));
    assert_true(record_query_read(&query, text_of("a b c d e f g h"), &arena));
    assert_false(record_query_read(&query, text_of("a b c d e f g h i"), &arena));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_stands_in_some_field_in_any_case_and_spelling),
        cmocka_unit_test(what_is_not_searched_is_not_found),
        cmocka_unit_test(a_text_of_any_length_is_searched_to_its_end),
        cmocka_unit_test(a_query_without_words_or_with_too_many_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
