/* test_form.c -- forms, taken apart and written. */
#include "core/base/err.h"
#include "core/base/form.h"
#include "core/base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *form, const char *json)
{
    struct buf bytes = BUF_INIT, text = BUF_INIT;
    struct doc doc;
    struct err err;
    assert_int_equal(form_read(form, strlen(form), &bytes, &doc, &err), 0);
    json_write_doc(&text, doc);
    assert_string_equal(buf_string(&text), json);
    buf_deinit(&bytes);
    buf_deinit(&text);
}

static void a_form_is_taken_apart(void **state)
{
    (void)state;
    check("", "{}");
    check("b=%41+c&&d&a=1", "{\"a\":\"1\",\"b\":\"A c\",\"d\":\"\"}");
    check("a=2&B=x&a=1&a=2", "{\"B\":\"x\",\"a\":\"1\",\"a\":\"2\"}");
    check("a=%zz%4&%=%", "{\"%\":\"%\",\"a\":\"%zz%4\"}");
    check("=x&n=%C3%BC=1", "{\"\":\"x\",\"n\":\"\xc3\xbc=1\"}");
}

static void what_is_no_form_is_refused(void **state)
{
    static const char *const bad[] = { "a=%00", "%00", "a=%ff", "%ff" };
    struct buf bytes = BUF_INIT, many = BUF_INIT;
    struct doc doc;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(form_read(bad[i], strlen(bad[i]), &bytes, &doc, &err), E_INVALID);
    assert_int_equal(form_read("a\0b", 3, &bytes, &doc, &err), E_INVALID);
    for (int i = 0; i <= FORM_FIELDS_MAX; i++)
        buf_text(&many, "a=b&");
    assert_int_equal(form_read(buf_string(&many), many.size, &bytes, &doc, &err), E_LIMIT);
    buf_deinit(&bytes);
    buf_deinit(&many);
}

static void what_is_written_reads_as_it_was(void **state)
{
    struct buf bytes = BUF_INIT, form = BUF_INIT;
    struct doc_writer w;
    struct err err;
    (void)state;
    doc_begin(&w, &bytes);
    doc_put_string(&w, "To", "+49");
    doc_put_string(&w, "Body", "50% & \xc3\xbc\n=+");
    doc_put_int(&w, "n", -7);
    struct doc doc = doc_end(&w);
    assert_int_equal(form_write(doc, &form, &err), 0);
    assert_string_equal(buf_string(&form), "To=%2B49&Body=50%25%20%26%20%C3%BC%0A%3D%2B&n=-7");
    check(buf_string(&form), "{\"Body\":\"50% & \xc3\xbc\\n=+\",\"To\":\"+49\",\"n\":\"-7\"}");
    buf_clear(&bytes);
    doc_begin(&w, &bytes);
    doc_put_bool(&w, "flag", true);
    assert_int_equal(form_write(doc_end(&w), &form, &err), E_INVALID);
    buf_deinit(&bytes);
    buf_deinit(&form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_taken_apart),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(what_is_written_reads_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
