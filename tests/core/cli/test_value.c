/* test_value.c -- typed cells: what value.h promises. */
#include "core/cli/value.h"

#include "core/base/err.h"
#include "core/base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct zone *zone_of(const char *name)
{
    const struct zone *zone = NULL;
    assert_int_equal(zone_open(name, &zone, NULL), 0);
    return zone;
}

/* The cell as JSON; NULL: refused. */
static const char *written(const char *type_text, const char *cell, struct buf *out)
{
    struct value_type type;
    struct err err;
    buf_clear(out);
    if (value_type_parse(text_of(type_text), &type, &err) != 0)
        fail_msg("%s: %s", type_text, err.text);
    int rc = value_write(&type, zone_of("Europe/Berlin"), text_of(cell), out, &err);
    return rc == 0 ? buf_string(out) : NULL;
}

static void expect(const char *type, const char *cell, const char *json)
{
    struct buf out = BUF_INIT;
    const char *found = written(type, cell, &out);
    if (json == NULL && found != NULL)
        fail_msg("%s: \"%s\" was taken for %s", type, cell, found);
    if (json != NULL && (found == NULL || strcmp(found, json) != 0))
        fail_msg("%s: \"%s\" is %s, not %s", type, cell, found != NULL ? found : "refused", json);
    buf_deinit(&out);
}

static void text_stays_as_it_is(void **state)
{
    (void)state;
    expect("text", "  007 ", "\"  007 \"");
    expect("text", "a\"b", "\"a\\\"b\"");
}

static void numbers_are_plain_unless_a_locale_is_named(void **state)
{
    (void)state;
    expect("number", "29.33", "29.33");
    expect("number", "0001", "1");
    expect("number", "-5", "-5");
    expect("number", "1,5", NULL);
    expect("number", "12 EUR", NULL);
    expect("number", "", NULL);
}

static void numbers_of_a_locale_are_read_strictly(void **state)
{
    (void)state;
    expect("number(de)", "1.234,50", "1234.5");
    expect("number(de)", "1.234,50 €", "1234.5");
    expect("number(de)", "1234,5", "1234.5");
    expect("number(de)", "-1.234.567", "-1234567");
    expect("number(de)", "1.5", NULL); /* an English fraction, or a wrong group */
    expect("number(de)", "1,234,567", NULL);
    expect("number(en)", "1,234.50", "1234.5");
    expect("number(en)", "$ 1,234", "1234");
    expect("number(en)", "1,23", NULL);
    expect("number(en)", "1234,567", NULL);
    expect("number(fr)", "1 234,5", "1234.5");
    expect("number(fr)", "1\u202f234,5", "1234.5");
    expect("number(de-CH)", "1\u2019234.5", "1234.5");
    expect("number(en)", "1,234,", NULL);
    expect("number(en)", "1.2.3", NULL);
    expect("number(en)", "--1", NULL);
}

static void dates_follow_their_format_exactly(void **state)
{
    (void)state;
    expect("date(%d.%m.%Y)", "24.12.2025", "\"2025-12-24\"");
    expect("date(%d.%m.%Y)", "4.2.2025", "\"2025-02-04\"");
    expect("date(%d.%m.%Y)", "31.02.2025", NULL);
    expect("date(%d.%m.%Y)", "24.12.25", NULL);
    expect("date(%d.%m.%Y)", "24.12.2025 ", NULL);
    expect("date(%m/%d/%y)", "12/24/97", "\"1997-12-24\"");
    expect("date(%Y%m%d)", "19970118", "\"1997-01-18\"");
    expect("date(%d %b %Y)", "3 Mar 2026", "\"2026-03-03\"");
    expect("date(%d %b %Y)", "3 march 2026", "\"2026-03-03\"");
    expect("date(%d %b %Y)", "3 Mai 2026", NULL);
    expect("date(%Y年%m月%d日)", "2026年3月1日", "\"2026-03-01\"");
}

static void times_without_an_offset_are_those_of_the_zone(void **state)
{
    (void)state;
    expect("date(%d.%m.%Y %H:%M)", "24.12.2025 10:00", "\"2025-12-24T09:00:00.000Z\"");
    expect("date(%d.%m.%Y %H:%M)", "24.06.2025 10:00", "\"2025-06-24T08:00:00.000Z\"");
    expect("date(%Y-%m-%d %I:%M %p)", "2025-12-24 12:05 AM", "\"2025-12-23T23:05:00.000Z\"");
    expect("date(%Y-%m-%d %I:%M %p)", "2025-12-24 13:05 pm", NULL);
    expect("date(%Y-%m-%dT%H:%M:%S%z)", "2025-12-24T10:00:00+0800", "\"2025-12-24T02:00:00.000Z\"");
    expect("date(%s)", "1764000000", "\"2025-11-24T16:00:00.000Z\"");
    expect("date", "2025-12-24 10:00", "\"2025-12-24T09:00:00.000Z\"");
    expect("date", "2025-12-24T10:00Z", "\"2025-12-24T10:00:00.000Z\"");
    expect("date", "2025-12-24", "\"2025-12-24\"");
}

static void a_date_alone_as_an_instant_is_its_midnight_in_the_zone(void **state)
{
    (void)state;
    struct value_type type;
    int64_t ms = 0;
    assert_int_equal(value_type_parse(text_of("date(%Y%m%d)"), &type, NULL), 0);
    assert_int_equal(value_instant(&type, zone_of("Asia/Shanghai"), text_of("19700101"), &ms, NULL),
                     0);
    assert_int_equal(ms, -8 * CIVIL_HOUR_MS);
}

static void phones_become_e164(void **state)
{
    (void)state;
    expect("phone(CN)", "138 0013 8000", "\"+8613800138000\"");
    expect("phone(DE)", "(030) 12 34 56", "\"+4930123456\"");
    expect("phone", "030 123456", NULL);
    expect("phone", "+49 30 123456", "\"+4930123456\"");
}

static void truth_has_few_names(void **state)
{
    (void)state;
    expect("bool", "Yes", "true");
    expect("bool", "0", "false");
    expect("bool", "perhaps", NULL);
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "money",      "date(%Q)",    "date(%d", "number(xx)",
                                         "phone(CHN)", "phone(cn)",   "bool(x)", "text(x)",
                                         "date()",     "number(de)x", "" };
    struct value_type type;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (value_type_parse(text_of(wrong[i]), &type, NULL) != E_INVALID)
            fail_msg("\"%s\" is a type", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(numbers_are_plain_unless_a_locale_is_named),
        cmocka_unit_test(numbers_of_a_locale_are_read_strictly),
        cmocka_unit_test(dates_follow_their_format_exactly),
        cmocka_unit_test(times_without_an_offset_are_those_of_the_zone),
        cmocka_unit_test(a_date_alone_as_an_instant_is_its_midnight_in_the_zone),
        cmocka_unit_test(phones_become_e164),
        cmocka_unit_test(truth_has_few_names),
        cmocka_unit_test(wrong_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
