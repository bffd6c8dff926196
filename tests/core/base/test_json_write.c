/* test_json_write.c -- what json_write.h promises. */
#include "core/base/json_write.h"

#include "core/base/json_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_value(struct doc_value value, const char *want)
{
    struct buf out = BUF_INIT;
    json_write_value(&out, &value);
    assert_string_equal(buf_string(&out), want);
    buf_deinit(&out);
}

#define INT(n) ((struct doc_value){ .type = DOC_INT64, .integer = (n) })
#define DOUBLE(n) ((struct doc_value){ .type = DOC_DOUBLE, .number = (n) })
#define DATE(n) ((struct doc_value){ .type = DOC_DATETIME, .integer = (n) })
#define TEXT(s) ((struct doc_value){ .type = DOC_TEXT, .text = { s, sizeof s - 1 } })

static void each_type_has_its_form(void **state)
{
    (void)state;
    struct doc_value yes = { .type = DOC_BOOL, .boolean = true };
    struct doc_value no = { .type = DOC_BOOL, .boolean = false };
    assert_value(yes, "true");
    assert_value(no, "false");
    assert_value((struct doc_value){ .type = DOC_NULL }, "null");
    assert_value((struct doc_value){ .type = DOC_NONE }, "null");
    assert_value((struct doc_value){ .type = DOC_DOC }, "{}");
    assert_value((struct doc_value){ .type = DOC_ARRAY }, "[]");
    assert_value(DATE(1795255872345), "\"2026-11-21T10:11:12.345Z\"");
    assert_value(DATE(-1), "\"1969-12-31T23:59:59.999Z\"");
    assert_value(DATE(INT64_MAX), "9223372036854775807");
    assert_value(DATE(INT64_MIN), "-9223372036854775808");
}

static void integers_are_written_plainly(void **state)
{
    (void)state;
    assert_value(INT(0), "0");
    assert_value(INT(-1), "-1");
    assert_value(INT(1234567890), "1234567890");
    assert_value(INT(INT64_MAX), "9223372036854775807");
    assert_value(INT(INT64_MIN), "-9223372036854775808");
}

static void doubles_have_one_short_form(void **state)
{
    (void)state;
    assert_value(DOUBLE(5.0), "5");
    assert_value(DOUBLE(-0.0), "0");
    assert_value(DOUBLE(0.1), "0.1");
    assert_value(DOUBLE(0.1 + 0.2), "0.30000000000000004");
    assert_value(DOUBLE(100000.0), "100000");
    assert_value(DOUBLE(999999999999999.0), "999999999999999");
    assert_value(DOUBLE(1e15), "1e+15");
    assert_value(DOUBLE(-12.5), "-12.5");
    assert_value(DOUBLE(1e300), "1e+300");
    assert_value(DOUBLE(5e-324), "5e-324");
    assert_value(DOUBLE(-1.7976931348623157e308), "-1.7976931348623157e+308");
    assert_value(DOUBLE(NAN), "null");
    assert_value(DOUBLE(INFINITY), "null");
    assert_value(DOUBLE(-INFINITY), "null");
}

static void text_is_escaped_where_json_demands_it_and_nowhere_else(void **state)
{
    (void)state;
    assert_value(TEXT(""), "\"\"");
    assert_value(TEXT("plain text of more than eight bytes"),
                 "\"plain text of more than eight bytes\"");
    assert_value(TEXT("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    assert_value(TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    assert_value(TEXT("\0\1\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
    assert_value(TEXT("ä€😀\xe2\x80\xa8"), "\"ä€😀\xe2\x80\xa8\"");
}

static void every_byte_at_every_place_survives_a_round_trip(void **state)
{
    (void)state;
    struct json_reader *reader = json_reader_new();
    struct json_limits limits = { .depth_max = 2 };
    struct buf in = BUF_INIT, json = BUF_INIT, back = BUF_INIT;
    for (unsigned c = 0; c < 128; c++) {
        for (size_t place = 0; place < 20; place++) {
            char text[20];
            memset(text, 'x', sizeof text);
            text[place] = (char)c;
            struct doc_writer w;
            struct doc again;
            buf_clear(&in);
            buf_clear(&json);
            buf_clear(&back);
            doc_begin(&w, &in);
            doc_put_text(&w, "a", (struct text){ text, sizeof text });
            doc_put_text(&w, "b", (struct text){ text, (uint32_t)place + 1 });
            struct doc doc = doc_end(&w);
            json_write_doc(&json, doc);
            assert_int_equal(
                json_to_doc(reader, (char *)json.data, json.size, &limits, &back, &again, NULL), 0);
            assert_int_equal(again.size, doc.size);
            assert_memory_equal(again.data, doc.data, doc.size);
        }
    }
    buf_deinit(&in);
    buf_deinit(&json);
    buf_deinit(&back);
    json_reader_free(reader);
}

static void documents_come_back_as_they_were(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":[1,2.5,\"x\",null,true,[],{},[[{\"b\":[false]}]]],"
                               "\"b\":{\"c\":{\"d\":{}}},\"\\n\":-7,\"\":\"\"}";
    struct json_reader *reader = json_reader_new();
    struct json_limits limits = { .depth_max = 32 };
    struct buf docs = BUF_INIT, out = BUF_INIT;
    struct doc doc;
    assert_int_equal(json_to_doc(reader, json, sizeof json - 1, &limits, &docs, &doc, NULL), 0);
    json_write_doc(&out, doc);
    assert_string_equal(buf_string(&out), json);
    buf_clear(&out);
    json_write_doc(&out, (struct doc){ NULL, 0 });
    assert_string_equal(buf_string(&out), "{}");
    buf_deinit(&docs);
    buf_deinit(&out);
    json_reader_free(reader);
}

static void binary_is_base64(void **state)
{
    (void)state;
    static const char *const want[] = { "\"\"",         "\"Zg==\"",     "\"Zm8=\"",    "\"Zm9v\"",
                                        "\"Zm9vYg==\"", "\"Zm9vYmE=\"", "\"Zm9vYmFy\"" };
    for (uint32_t size = 0; size <= 6; size++) {
        struct doc_value value = { .type = DOC_BINARY };
        value.binary.data = (const uint8_t *)"foobar";
        value.binary.size = size;
        assert_value(value, want[size]);
    }
    struct doc_value high = { .type = DOC_BINARY };
    high.binary.data = (const uint8_t *)"\xff\xef\xbe";
    high.binary.size = 3;
    assert_value(high, "\"/+++\"");
}

static void a_decimal_is_its_digits_in_quotes(void **state)
{
    (void)state;
    struct doc_value value = { .type = DOC_DECIMAL, .decimal = { 0xe2, 0x04 } }; /* 1250 */
    value.decimal[14] = 0x3c;
    value.decimal[15] = 0x30; /* times 10^-2 */
    assert_value(value, "\"12.50\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_form),
        cmocka_unit_test(integers_are_written_plainly),
        cmocka_unit_test(doubles_have_one_short_form),
        cmocka_unit_test(text_is_escaped_where_json_demands_it_and_nowhere_else),
        cmocka_unit_test(every_byte_at_every_place_survives_a_round_trip),
        cmocka_unit_test(documents_come_back_as_they_were),
        cmocka_unit_test(binary_is_base64),
        cmocka_unit_test(a_decimal_is_its_digits_in_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
