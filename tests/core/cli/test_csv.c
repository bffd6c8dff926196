/* test_csv.c -- what csv.h promises. */
#include "core/cli/csv.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A text that comes in pieces of `piece` bytes. */
struct feed {
    const char *text;
    size_t size, at, piece;
};

static int feed_read(void *arg, struct buf *out, struct err *err)
{
    struct feed *feed = arg;
    size_t left = feed->size - feed->at, size = left < feed->piece ? left : feed->piece;
    (void)err;
    buf_append(out, feed->text + feed->at, size);
    feed->at += size;
    return size != 0;
}

/* All records as one text: fields in <>, faults in (), numbers and lines in front. */
static void transcribe(enum csv_format format, char delimiter, const char *text, size_t size,
                       size_t piece, struct buf *out)
{
    struct feed feed = { text, size, 0, piece };
    struct csv *csv = csv_new(format, delimiter, feed_read, &feed);
    struct csv_record record;
    buf_clear(out);
    while (csv_next(csv, &record, NULL) == 1) {
        buf_printf(out, "%d.%d ", (int)record.number, (int)record.line);
        for (size_t i = 0; i < record.count; i++)
            buf_printf(out, "<%.*s>", (int)record.fields[i].size, record.fields[i].data);
        if (record.fault != NULL)
            buf_printf(out, "(%s: %.*s)", record.fault, (int)record.raw.size, record.raw.data);
        buf_byte(out, '\n');
    }
    csv_free(csv);
}

/* The same records, whatever the pieces in which the text comes. */
static void expect(enum csv_format format, char delimiter, const char *text, const char *expected)
{
    struct buf out = BUF_INIT;
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        transcribe(format, delimiter, text, strlen(text), piece, &out);
        assert_string_equal(buf_string(&out), expected);
    }
    buf_deinit(&out);
}

static void expect_csv(const char *text, const char *expected)
{
    expect(CSV_QUOTED, ',', text, expected);
}

static void fields_stand_between_delimiters(void **state)
{
    (void)state;
    expect_csv("a,b,c\n1,,3\n", "1.1 <a><b><c>\n2.2 <1><><3>\n");
    expect_csv(",\n", "1.1 <><>\n");
    expect(CSV_QUOTED, ';', "a;b,c\n", "1.1 <a><b,c>\n");
    expect(CSV_QUOTED, '\t', "a\tb c\n", "1.1 <a><b c>\n");
}

static void lines_end_with_lf_crlf_or_the_text(void **state)
{
    (void)state;
    expect_csv("a\r\nb\nc", "1.1 <a>\n2.2 <b>\n3.3 <c>\n");
}

static void empty_lines_are_no_records_but_an_empty_quoted_field_is(void **state)
{
    (void)state;
    expect_csv("\n\r\na\n\n\"\"\n", "1.3 <a>\n2.5 <>\n");
    expect_csv("", "");
}

static void quotes_hold_delimiters_line_ends_and_doubled_quotes(void **state)
{
    (void)state;
    expect_csv("\"a,b\",\"c\nd\",\"say \"\"hi\"\"\"\nx\n",
               "1.1 <a,b><c\nd><say \"hi\">\n2.3 <x>\n");
    expect_csv("\"\"\"\",\"\"\n", "1.1 <\"><>\n");
    expect_csv("\"a\"", "1.1 <a>\n");
}

static void a_byte_order_mark_is_dropped(void **state)
{
    (void)state;
    expect_csv("\xef\xbb\xbf"
               "a,b\n",
               "1.1 <a><b>\n");
    expect_csv("\xef\xbb\xbf"
               "\"a\",b\n",
               "1.1 <a><b>\n");
}

static void a_fault_costs_its_own_line_and_no_other(void **state)
{
    (void)state;
    expect_csv("a\n5\" pipe,3\nb\n", "1.1 <a>\n"
                                     "2.2 (a quote inside a field that does not begin with one: "
                                     "5\" pipe,3)\n"
                                     "3.3 <b>\n");
    expect_csv("\"a\"b,c\nd\n", "1.1 (text behind a closing quote: \"a\"b,c)\n2.2 <d>\n");
    expect_csv("a\rb\nc\n", "1.1 (a carriage return that ends no line: a\rb)\n2.2 <c>\n");
}

static void a_quote_never_closed_spoils_its_line_and_not_the_rest(void **state)
{
    (void)state;
    expect_csv("a,\"b\nc,d\ne,f\n", "1.1 (a quote is opened and never closed: a,\"b)\n"
                                    "2.2 <c><d>\n3.3 <e><f>\n");
}

static void a_zero_byte_is_a_fault(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    transcribe(CSV_QUOTED, ',', "a\0b\nc\n", 6, 3, &out);
    assert_non_null(strstr(buf_string(&out), "1.1 (a zero byte"));
    assert_non_null(strstr(buf_string(&out), "2.2 <c>\n"));
    buf_deinit(&out);
}

static void blanks_of_any_number_stand_between_words(void **state)
{
    (void)state;
    expect(CSV_BLANKS, ' ', " 00004 0001 19970101  2   29.33\r\n\n  \na\t\"b\n",
           "1.1 <00004><0001><19970101><2><29.33>\n2.4 <a><\"b>\n");
}

static void a_line_is_one_field(void **state)
{
    (void)state;
    expect(CSV_LINES, '\0', "{\"a\": \"b,c\"}\r\n\n{}\n", "1.1 <{\"a\": \"b,c\"}>\n2.3 <{}>\n");
}

static void memory_is_bounded_by_one_record(void **state)
{
    (void)state;
    size_t size = (size_t)3 * CSV_RECORD_MAX;
    struct buf text = BUF_INIT, out = BUF_INIT;
    buf_text(&text, "a,\"");
    for (size_t i = 0; i < size; i++)
        buf_byte(&text, 'x');
    buf_text(&text, "\nb,c\n");
    transcribe(CSV_QUOTED, ',', (const char *)text.data, text.size, 65536, &out);
    assert_non_null(strstr(buf_string(&out), "longer than a record may be"));
    assert_non_null(strstr(buf_string(&out), "\n2.2 <b><c>\n")); /* one fault, however long */
    buf_deinit(&text);
    buf_deinit(&out);
}

static void the_last_line_may_be_too_long_as_well(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, out = BUF_INIT;
    buf_text(&text, "a\n");
    for (size_t i = 0; i < (size_t)2 * CSV_RECORD_MAX + 7; i++)
        buf_byte(&text, i % 2 != 0 ? ',' : 'x');
    transcribe(CSV_QUOTED, ',', (const char *)text.data, text.size, 65536, &out);
    assert_memory_equal(buf_string(&out), "1.1 <a>\n2.2 (", strlen("1.1 <a>\n2.2 ("));
    assert_null(strstr(buf_string(&out), "\n3."));
    buf_deinit(&text);
    buf_deinit(&out);
}

static void another_delimiter_counts_from_the_next_record_on(void **state)
{
    (void)state;
    struct feed feed = { "a;b,c\nd;e,f\n", 12, 0, 12 };
    struct csv *csv = csv_new(CSV_QUOTED, ',', feed_read, &feed);
    struct csv_record record;
    assert_int_equal(csv_next(csv, &record, NULL), 1);
    assert_true(text_is(record.fields[0], "a;b"));
    csv_set_delimiter(csv, ';');
    assert_int_equal(csv_next(csv, &record, NULL), 1);
    assert_int_equal(record.count, 2);
    assert_true(text_is(record.fields[1], "e,f"));
    csv_free(csv);
}

static void too_many_fields_are_a_fault(void **state)
{
    (void)state;
    struct buf text = BUF_INIT, out = BUF_INIT;
    for (int i = 0; i < CSV_FIELDS_MAX; i++)
        buf_byte(&text, ',');
    buf_text(&text, "\nb\n");
    transcribe(CSV_QUOTED, ',', (const char *)text.data, text.size, 1000, &out);
    assert_non_null(strstr(buf_string(&out), "more fields"));
    assert_non_null(strstr(buf_string(&out), "2.2 <b>\n"));
    buf_deinit(&text);
    buf_deinit(&out);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const char *const fields[] = { "plain", "a,b", "say \"hi\"", "two\nlines", "" };
    struct buf text = BUF_INIT, out = BUF_INIT;
    for (size_t i = 0; i < 5; i++) {
        buf_text(&text, i != 0 ? "," : "");
        csv_write_field(&text, text_of(fields[i]));
    }
    transcribe(CSV_QUOTED, ',', (const char *)text.data, text.size, 7, &out);
    assert_string_equal(buf_string(&out), "1.1 <plain><a,b><say \"hi\"><two\nlines><>\n");
    buf_deinit(&text);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_stand_between_delimiters),
        cmocka_unit_test(lines_end_with_lf_crlf_or_the_text),
        cmocka_unit_test(empty_lines_are_no_records_but_an_empty_quoted_field_is),
        cmocka_unit_test(quotes_hold_delimiters_line_ends_and_doubled_quotes),
        cmocka_unit_test(a_byte_order_mark_is_dropped),
        cmocka_unit_test(a_fault_costs_its_own_line_and_no_other),
        cmocka_unit_test(a_quote_never_closed_spoils_its_line_and_not_the_rest),
        cmocka_unit_test(a_zero_byte_is_a_fault),
        cmocka_unit_test(blanks_of_any_number_stand_between_words),
        cmocka_unit_test(a_line_is_one_field),
        cmocka_unit_test(memory_is_bounded_by_one_record),
        cmocka_unit_test(the_last_line_may_be_too_long_as_well),
        cmocka_unit_test(another_delimiter_counts_from_the_next_record_on),
        cmocka_unit_test(too_many_fields_are_a_fault),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
