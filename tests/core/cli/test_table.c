/* test_table.c -- what table.h promises: widths, columns, and nothing that harms a terminal. */
#include "core/cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct screen pipe_screen = { false, false, 0 };

static void width_counts_cells_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_width(text_of("")), 0);
    assert_int_equal(text_width(text_of("Anna")), 4);
    assert_int_equal(text_width(text_of("Müller")), 6);
    assert_int_equal(text_width(text_of("王小明")), 6);
    assert_int_equal(text_width(text_of("ＡＢ")), 4);
    assert_int_equal(text_width(text_of("e\u0301")), 1); /* a combining accent */
    assert_int_equal(text_width(text_of("\u200b")), 0);  /* no width at all */
    assert_int_equal(text_width(text_of("한국")), 4);
}

static void a_cut_never_halves_a_character(void **state)
{
    (void)state;
    assert_int_equal(text_cut(text_of("王小明"), 5), strlen("王小"));
    assert_int_equal(text_cut(text_of("王小明"), 1), 0);
    assert_int_equal(text_cut(text_of("e\u0301x"), 1), strlen("e\u0301"));
    assert_int_equal(text_cut(text_of("abc"), 10), 3);
}

static void print(const struct screen *screen, const struct column *columns,
                  const char *const cells[], struct buf *out)
{
    struct table table;
    table_init(&table, columns);
    for (; *cells != NULL; cells++)
        table_add_string(&table, *cells, TINT_RED);
    buf_clear(out);
    table_print(&table, screen, out);
    table_deinit(&table);
}

static void columns_line_up_whatever_is_in_them(void **state)
{
    (void)state;
    static const struct column columns[] = {
        { "id", true }, { "name", false }, { "city", false }, { NULL, false }
    };
    static const char *const cells[] = { "1", "王小明", "Köln", "12", "Anna Lee", "", NULL };
    struct buf out = BUF_INIT;
    print(&pipe_screen, columns, cells, &out);
    assert_string_equal(buf_string(&out), "id  name      city\n"
                                          " 1  王小明    Köln\n"
                                          "12  Anna Lee\n");
    buf_deinit(&out);
}

static void columns_that_yield_stand_below_or_are_left_out(void **state)
{
    (void)state;
    static const struct column columns[] = {
        { "id", true }, { "name", false }, { "title", false }, { "rule", false }, { NULL, false }
    };
    struct screen narrow = { true, false, 24 }, wide = { true, false, 60 };
    struct table table;
    struct buf out = BUF_INIT;
    table_init(&table, columns);
    table_yield(&table, "rule", YIELD_ALL);
    table_yield(&table, "title", YIELD_BELOW);
    const char *const cells[] = { "17", "王小明", "Ring back about the 白牡丹", "visits" };
    for (size_t i = 0; i < 4; i++)
        table_add_string(&table, cells[i], TINT_NONE);
    table_print(&table, &narrow, &out);
    assert_string_equal(buf_string(&out), "id  name\n"
                                          "    title\n"
                                          "17  王小明\n"
                                          "    Ring back about the\n"
                                          "    白牡丹\n");
    buf_clear(&out);
    table_print(&table, &wide, &out);
    assert_string_equal(buf_string(&out), "id  name    title                       rule\n"
                                          "17  王小明  Ring back about the 白牡丹  visits\n");
    table_deinit(&table);
    buf_deinit(&out);
}

/* A value as long as an event may be does not fill the screen. */
static void what_stands_below_ends_after_some_lines(void **state)
{
    (void)state;
    static const struct column columns[] = { { "id", true }, { "data", false }, { NULL, false } };
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct table table;
    for (int i = 0; i < 2000; i++)
        buf_text(&text, "很长");
    for (size_t width = 1; width < 100; width++) {
        struct screen screen = { true, false, width };
        size_t lines = 0;
        table_init(&table, columns);
        table_yield(&table, "data", YIELD_BELOW);
        table_add_string(&table, "1", TINT_NONE);
        table_add_string(&table, buf_string(&text), TINT_NONE);
        buf_clear(&out);
        table_print(&table, &screen, &out);
        for (const char *at = buf_string(&out); *at != '\0'; lines++, at += strcspn(at, "\n") + 1)
            assert_true(width < 10 ||
                        text_width((struct text){ at, (uint32_t)strcspn(at, "\n") }) <= width);
        assert_in_range(lines, 4, 4 + 2 * BELOW_LINES_MAX);
        assert_non_null(strstr(buf_string(&out), "\u2026"));
        table_deinit(&table);
    }
    buf_deinit(&text);
    buf_deinit(&out);
}

static void in_a_pipe_nothing_is_cut_coloured_or_tabbed(void **state)
{
    (void)state;
    static const struct column columns[] = { { "text", false }, { NULL, false } };
    struct buf wide = BUF_INIT, out = BUF_INIT;
    for (int i = 0; i < 300; i++)
        buf_byte(&wide, 'x');
    buf_text(&wide, "\ty");
    const char *const cells[] = { buf_string(&wide), NULL };
    print(&pipe_screen, columns, cells, &out);
    assert_int_equal(out.size, 5 + 300 + 2 + 1);
    assert_null(memchr(out.data, '\t', out.size));
    assert_null(memchr(out.data, '\033', out.size));
    buf_deinit(&wide);
    buf_deinit(&out);
}

static void on_a_terminal_lines_end_at_its_width(void **state)
{
    (void)state;
    static const struct column columns[] = { { "a", false }, { "b", false }, { NULL, false } };
    static const char *const cells[] = { "12345", "王小明王小明", NULL };
    const struct screen screen = { true, false, 14 };
    struct buf out = BUF_INIT;
    print(&screen, columns, cells, &out);
    assert_string_equal(buf_string(&out), "a      b\n12345  王小明\u2026\n");
    buf_deinit(&out);
}

static void a_wide_table_gives_way_where_it_is_widest(void **state)
{
    (void)state;
    static const struct column columns[] = {
        { "id", true }, { "name", false }, { "words", false }, { "more", false }, { NULL, false }
    };
    static const char *const cells[] = { "123456789012", "Anna", "a sentence of many words",
                                         "王小明王小明王小明", NULL };
    const struct screen screen = { true, false, 44 };
    struct buf out = BUF_INIT;
    print(&screen, columns, cells, &out);
    assert_string_equal(buf_string(&out),
                        "          id  name  words        more\n"
                        "123456789012  Anna  a sentence\u2026  王小明王小\u2026\n");
    buf_deinit(&out);
}

static void numbers_and_what_must_stay_whole_are_never_cut_in_favour_of_words(void **state)
{
    (void)state;
    static const struct column columns[] = { { "at", false }, { "words", false }, { NULL, false } };
    const struct screen screen = { true, false, 28 };
    struct table table;
    struct buf out = BUF_INIT;
    table_init(&table, columns);
    table_add_whole(&table, text_of("2026-11-21 18:11"), TINT_NONE);
    table_add_string(&table, "a sentence of many words", TINT_NONE);
    table_print(&table, &screen, &out);
    assert_string_equal(buf_string(&out), "at                words\n"
                                          "2026-11-21 18:11  a sentenc\u2026\n");
    table_deinit(&table);
    buf_deinit(&out);
}

static void a_screen_too_narrow_for_a_table_cuts_its_lines(void **state)
{
    (void)state;
    static const struct column columns[] = { { "id", true }, { "b", false }, { NULL, false } };
    static const char *const cells[] = { "1234567890", "a sentence", NULL };
    const struct screen screen = { true, false, 5 };
    struct buf out = BUF_INIT;
    print(&screen, columns, cells, &out);
    assert_string_equal(buf_string(&out), "   id\n1234\u2026\n");
    buf_deinit(&out);
}

static void states_have_the_colour_of_what_they_ask_for(void **state)
{
    (void)state;
    assert_int_equal(tint_of_state(text_of("sent")), TINT_GREEN);
    assert_int_equal(tint_of_state(text_of("held")), TINT_YELLOW);
    assert_int_equal(tint_of_state(text_of("failed")), TINT_RED);
    assert_int_equal(tint_of_state(text_of("suppressed")), TINT_DIM);
    assert_int_equal(tint_of_state(text_of("")), TINT_NONE);
    assert_int_equal(tint_of_state(text_of("sen")), TINT_NONE);
    assert_int_equal(tint_of_state(text_of("whatever a newer daemon may come to say")), TINT_NONE);
}

static void colours_enclose_the_text_alone(void **state)
{
    (void)state;
    static const struct column columns[] = { { "a", false }, { "b", false }, { NULL, false } };
    static const char *const cells[] = { "x", "y", NULL };
    const struct screen screen = { true, true, 80 };
    struct buf out = BUF_INIT;
    print(&screen, columns, cells, &out);
    assert_non_null(strstr(buf_string(&out), "\033[31mx\033[0m  \033[31my\033[0m\n"));
    buf_deinit(&out);
}

static void a_customer_cannot_send_codes_to_the_terminal(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    text_clean(text_of("a\033[31m\nb\u202ec\xc2\x9b\xff"), &out);
    assert_string_equal(buf_string(&out), "a [31m b c \ufffd");
    buf_deinit(&out);
}

static void times_are_local_on_a_terminal_and_as_they_came_in_a_pipe(void **state)
{
    (void)state;
    const struct screen screen = { true, false, 80 };
    struct buf out = BUF_INIT;
    setenv("TZ", "Asia/Shanghai", 1);
    tzset();
    screen_time(&screen, text_of("2026-11-21T18:11:12.345Z"), &out);
    assert_string_equal(buf_string(&out), "2026-11-22 02:11");
    buf_clear(&out);
    screen_time(&screen, text_of("soon"), &out);
    assert_string_equal(buf_string(&out), "soon");
    buf_clear(&out);
    screen_time(&pipe_screen, text_of("2026-11-21T18:11:12.345Z"), &out);
    assert_string_equal(buf_string(&out), "2026-11-21T18:11:12.345Z");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_counts_cells_and_not_bytes),
        cmocka_unit_test(a_cut_never_halves_a_character),
        cmocka_unit_test(columns_line_up_whatever_is_in_them),
        cmocka_unit_test(columns_that_yield_stand_below_or_are_left_out),
        cmocka_unit_test(what_stands_below_ends_after_some_lines),
        cmocka_unit_test(in_a_pipe_nothing_is_cut_coloured_or_tabbed),
        cmocka_unit_test(on_a_terminal_lines_end_at_its_width),
        cmocka_unit_test(a_wide_table_gives_way_where_it_is_widest),
        cmocka_unit_test(numbers_and_what_must_stay_whole_are_never_cut_in_favour_of_words),
        cmocka_unit_test(a_screen_too_narrow_for_a_table_cuts_its_lines),
        cmocka_unit_test(states_have_the_colour_of_what_they_ask_for),
        cmocka_unit_test(colours_enclose_the_text_alone),
        cmocka_unit_test(a_customer_cannot_send_codes_to_the_terminal),
        cmocka_unit_test(times_are_local_on_a_terminal_and_as_they_came_in_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
