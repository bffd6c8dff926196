/* test_http_request.c -- what http.h promises of escapes, paths and queries. */
#include "core/http/http_request.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect_decoded(const char *text, bool plus, int wanted_rc, const char *wanted)
{
    struct buf out = BUF_INIT;
    assert_int_equal(http_decode(text, strlen(text), plus, &out), wanted_rc);
    if (wanted_rc == 0)
        assert_string_equal(buf_string(&out), wanted);
    buf_deinit(&out);
}

static void percent_encoding_is_decoded_or_refused(void **state)
{
    (void)state;
    expect_decoded("", false, 0, "");
    expect_decoded("a%2fb%C3%a4+", false, 0, "a/b\xc3\xa4+");
    expect_decoded("a+b%2B", true, 0, "a b+");
    expect_decoded("%", false, E_INVALID, NULL);
    expect_decoded("%4", false, E_INVALID, NULL);
    expect_decoded("%4g", false, E_INVALID, NULL);
    expect_decoded("%00", false, E_INVALID, NULL);
}

static void paths_are_walked_by_segment(void **state)
{
    (void)state;
    static const char *const wanted[] = { "v1", "email:a@b", "a/b", "" };
    const char *cursor = "/v1/email%3Aa@b/a%2Fb/";
    struct buf segment = BUF_INIT;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_int_equal(http_segment_next(&cursor, &segment), 0);
        assert_string_equal(buf_string(&segment), wanted[i]);
    }
    assert_int_equal(http_segment_next(&cursor, &segment), E_NOTFOUND);
    buf_deinit(&segment);
}

static void queries_are_searched_by_name(void **state)
{
    (void)state;
    struct http_request *request = http_request_new(NULL, 0, 0);
    struct buf value = BUF_INIT;
    request->query = "&a=1&&na%20me=x+y&empty&a=2&bad=%";
    assert_int_equal(http_query_find(request, "a", &value), 0);
    assert_string_equal(buf_string(&value), "1");
    assert_int_equal(http_query_find(request, "na me", &value), 0);
    assert_string_equal(buf_string(&value), "x y");
    assert_int_equal(http_query_find(request, "empty", &value), 0);
    assert_int_equal(value.size, 0);
    assert_int_equal(http_query_find(request, "bad", &value), E_INVALID);
    request->query = "a=1";
    assert_int_equal(http_query_find(request, "b", &value), E_NOTFOUND);
    buf_deinit(&value);
    http_request_free(request);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(percent_encoding_is_decoded_or_refused),
        cmocka_unit_test(paths_are_walked_by_segment),
        cmocka_unit_test(queries_are_searched_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
