/* test_locale.c -- what locale.h promises. */
#include "core/base/locale.h"

#include "core/base/err.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NBSP "\xc2\xa0"

static void writes(const char *tag, enum locale_style style, const char *detail,
                   struct doc_value value, const char *want)
{
    struct locale_format format = { .locale = locale_find(text_of(tag)),
                                    .style = style,
                                    .detail = text_of(detail) };
    struct buf out = BUF_INIT;
    assert_int_equal(zone_open("Asia/Shanghai", &format.zone, NULL), 0);
    locale_write(&format, &value, &out);
    assert_string_equal(buf_string(&out), want);
    buf_deinit(&out);
}

static struct doc_value whole(int64_t value)
{
    return (struct doc_value){ .type = DOC_INT64, .integer = value };
}

static struct doc_value fraction(double value)
{
    return (struct doc_value){ .type = DOC_DOUBLE, .number = value };
}

static struct doc_value words(const char *text)
{
    return (struct doc_value){ .type = DOC_TEXT, .text = text_of(text) };
}

static void a_tag_finds_its_own_row_or_its_languages(void **state)
{
    (void)state;
    assert_ptr_equal(locale_find(text_of("de-AT")), locale_find(text_of("de")));
    assert_ptr_equal(locale_find(text_of("ZH_hans_CN")), locale_find(text_of("zh")));
    assert_ptr_not_equal(locale_find(text_of("en-GB")), locale_find(text_of("en")));
    assert_ptr_equal(locale_find(text_of("en_gb")), locale_find(text_of("en-GB")));
    assert_ptr_equal(locale_find(text_of("tlh")), locale_find(text_of("")));
    assert_ptr_equal(locale_find(text_of("den")), locale_find(text_of("")));
}

static void a_tag_has_parents(void **state)
{
    (void)state;
    struct text tag = locale_parent(text_of("zh-Hans_CN"));
    assert_true(text_is(tag, "zh-Hans"));
    tag = locale_parent(tag);
    assert_true(text_is(tag, "zh"));
    assert_int_equal(locale_parent(tag).size, 0);
    assert_true(locale_is_tag(text_of("zh-Hans_CN")));
    assert_false(locale_is_tag(text_of("")));
    assert_false(locale_is_tag(text_of("-de")));
    assert_false(locale_is_tag(text_of("de.AT")));
}

static void numbers_are_grouped_where_it_is_asked_for(void **state)
{
    (void)state;
    writes("de", LOCALE_NUMBER, "", whole(-1234567), "-1.234.567");
    writes("en", LOCALE_NUMBER, "", fraction(1234.5), "1,234.5");
    writes("en", LOCALE_NUMBER, "2", whole(999), "999.00");
    writes("fr", LOCALE_NUMBER, "1", fraction(0.25), "0,2");
    writes("tlh", LOCALE_NUMBER, "", whole(1234567), "1234567");
    writes("de", LOCALE_NUMBER, "", words("1234.5"), "1.234,5");
    writes("de", LOCALE_NUMBER, "", words("many"), "many");
    writes("de", LOCALE_NUMBER, "", fraction(1e300), "1e+300");
}

static void whole_numbers_are_left_alone_and_fractions_have_the_point(void **state)
{
    (void)state;
    writes("de", LOCALE_NATURAL, "", whole(2026), "2026");
    writes("de", LOCALE_NATURAL, "", fraction(1234.5), "1234,5");
    writes("en", LOCALE_NATURAL, "", words("1234.5"), "1234.5");
    writes("de", LOCALE_NATURAL, "", (struct doc_value){ .type = DOC_NULL }, "");
    writes("de", LOCALE_NATURAL, "", (struct doc_value){ .type = DOC_BOOL, .boolean = true },
           "true");
}

static void money_has_its_sign_where_the_language_has_it(void **state)
{
    (void)state;
    writes("en", LOCALE_MONEY, "EUR", fraction(1234.5), "€1,234.50");
    writes("en", LOCALE_MONEY, "CHF", whole(-5), "-CHF" NBSP "5.00");
    writes("de", LOCALE_MONEY, "EUR", fraction(-1234.5), "-1.234,50" NBSP "€");
    writes("zh", LOCALE_MONEY, "CNY", whole(1200), "¥1,200.00");
    writes("en", LOCALE_MONEY, "CNY", whole(1200), "CN¥1,200.00");
    writes("ja", LOCALE_MONEY, "JPY", whole(1200), "¥1,200");
    writes("de", LOCALE_MONEY, "", fraction(0.125), "0,12");
    writes("de", LOCALE_MONEY, "XTS", words("12.345"), "12,345" NBSP "XTS");
    writes("tlh", LOCALE_MONEY, "EUR", whole(12), "12.00" NBSP "EUR");
}

static void an_amount_with_its_currency_is_money_by_itself(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_put_double(&w, "amount", 9.9);
    doc_put_string(&w, "currency", "USD");
    struct doc_value value = { .type = DOC_DOC, .doc = doc_end(&w) };
    writes("en", LOCALE_NATURAL, "", value, "$9.90");
    writes("de", LOCALE_MONEY, "EUR", value, "9,90" NBSP "$");
    buf_deinit(&bytes);
}

static void dates_are_written_in_the_zone(void **state)
{
    (void)state;
    struct doc_value moment = { .type = DOC_DATETIME, .integer = 1795305600000 + 3600000 * 17 };
    writes("en", LOCALE_NATURAL, "", moment, "November 23, 2026, 1:00" NBSP "AM");
    writes("de", LOCALE_DATE, "", moment, "23. November 2026");
    writes("en-GB", LOCALE_DATETIME, "", moment, "23 November 2026, 01:00");
    writes("zh", LOCALE_DATETIME, "", moment, "2026年11月23日 01:00");
    writes("es", LOCALE_DATE, "", moment, "23 de noviembre de 2026");
    writes("tlh", LOCALE_DATETIME, "", moment, "2026-11-23 01:00");
    writes("fr", LOCALE_TIME, "", whole(moment.integer), "01:00");
    writes("fr", LOCALE_DATE, "", fraction((double)moment.integer), "23 novembre 2026");
}

static void a_date_in_words_is_no_moment_of_a_zone(void **state)
{
    (void)state;
    writes("de", LOCALE_DATE, "", words("2026-03-01"), "1. März 2026");
    writes("de", LOCALE_DATETIME, "", words("2026-03-01"), "1. März 2026");
    writes("de", LOCALE_DATETIME, "", words("2026-03-01 09:30"), "1. März 2026, 09:30");
    writes("de", LOCALE_DATETIME, "", words("2026-03-01T23:30Z"), "2. März 2026, 07:30");
    writes("de", LOCALE_DATE, "", words("soon"), "soon");
    writes("de", LOCALE_DATE, "", whole(INT64_MAX), "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_finds_its_own_row_or_its_languages),
        cmocka_unit_test(a_tag_has_parents),
        cmocka_unit_test(numbers_are_grouped_where_it_is_asked_for),
        cmocka_unit_test(whole_numbers_are_left_alone_and_fractions_have_the_point),
        cmocka_unit_test(money_has_its_sign_where_the_language_has_it),
        cmocka_unit_test(an_amount_with_its_currency_is_money_by_itself),
        cmocka_unit_test(dates_are_written_in_the_zone),
        cmocka_unit_test(a_date_in_words_is_no_moment_of_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
