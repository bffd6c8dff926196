/* test_sandbox_names.c -- names in the letters of any script, where they are fields. */
#include "tests/core/script/sandbox_try.h"

#include <stdlib.h>

#define CALL(body) "keep(function() " body " end)"

static void expect(const char *script, const char *result)
{
    struct trial trial;
    try_script(script, &trial);
    if (trial.load_rc != 0)
        fail_msg("%s: %s", script, trial.err.text);
    if (trial.report.outcome != SANDBOX_OK)
        fail_msg("%s: %s", script, trial.report.message);
    assert_string_equal(trial.result, result);
}

static void expect_refused(const char *script, const char *reason)
{
    struct trial trial;
    try_script(script, &trial);
    assert_int_equal(trial.load_rc, E_INVALID);
    if (strstr(trial.err.text, reason) == NULL)
        fail_msg("%s\n  is not\n%s", trial.err.text, reason);
}

static void a_field_has_letters_of_any_script(void **state)
{
    (void)state;
    expect(CALL("local t = { größe = 5 } return tostring(t.größe)"), "5");
    expect(CALL("local t = { a = 1, 生日 = '--02-29'; имя = 'x' } return t.生日 .. t.имя"),
           "--02-29x");
    expect(CALL("local t = {} t.größe = 1 t.größe = t.größe + 1 return tostring(t['größe'])"), "2");
    expect(CALL("local t = { ä = { ö = { ü = 'tief' } } } return t.ä.ö.ü"), "tief");
    expect(CALL("local t = { f_ö = function(x) return x end } return t.f_ö 'ja'"), "ja");
    expect(CALL("local t = { größe2 = { 1, 2, 3 } } return tostring(#t.größe2 + #t . größe2)"),
           "6");
    expect(CALL("local t = { فروردین = 1, می‌روم = 2 } "
                "return tostring(t.می‌روم)"),
           "2");
}

static void lines_and_comments_stay_where_they_are(void **state)
{
    struct trial trial;
    (void)state;
    try_script(
        "keep(function()\nlocal t = { ö = {} }\nlocal x = t. -- ü.ü\n  ö\nerror('here')\nend)",
        &trial);
    assert_int_equal(trial.load_rc, 0);
    assert_int_equal(trial.report.line, 5);
}

static void text_and_comments_are_not_names(void **state)
{
    (void)state;
    expect(CALL("--[[ größe = 5 ]] -- x.größe\nreturn 'a.größe' .. [[ {größe=1} ]]"),
           "a.größe {größe=1} ");
}

static void a_variable_has_plain_letters(void **state)
{
    const char *reason = "rules/test.lua:1:7: the name größe has letters that only a field may "
                         "have, as in customer.größe; variables and functions have names of a to z";
    (void)state;
    expect_refused("local größe = 1", reason);
    expect_refused("größe = 1", "rules/test.lua:1:1: the name größe has letters");
    expect_refused("local t = {}\nt:größe()", "rules/test.lua:2:3: the name größe has letters");
    expect_refused("local function größe() end", "the name größe has letters");
    expect_refused("goto größe ::größe::", "the name größe has letters");
    expect_refused("print(größe)", "the name größe has letters");
}

static void what_looks_like_a_blank_or_a_quote_is_told(void **state)
{
    (void)state;
    expect_refused("local x =\u00a01", "rules/test.lua:1:10: the character U+00A0 means nothing");
    expect_refused("local x = “y”",
                   "rules/test.lua:1:11: the character U+201C means nothing here; is "
                   "it a blank or a quotation mark of a word processor?");
    expect_refused("local t = {} return t.a\xe2\x80\x8b", "the character U+200B means nothing");
    expect_refused("local x = \xff", "rules/test.lua:1:11: a byte that is not UTF-8");
    expect_refused("local x = \xc3", "a byte that is not UTF-8");
}

static void what_else_is_wrong_is_the_compilers_to_explain(void **state)
{
    (void)state;
    expect_refused("local t = { größe = 1 }\nlocal x = (t.größe", "rules/test.lua:2: ')' expected");
    expect_refused("local t = { größe = 1\nx = 'abc", "rules/test.lua:2:");
}

static void a_missing_field_is_told_by_its_name(void **state)
{
    struct trial trial;
    (void)state;
    try_script(CALL("local t = {} return 1 + t.größe"), &trial);
    assert_int_equal(trial.report.outcome, SANDBOX_ERROR);
    assert_string_equal(trial.report.message,
                        "attempt to perform arithmetic on a nil value (field 'größe')");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_has_letters_of_any_script),
        cmocka_unit_test(lines_and_comments_stay_where_they_are),
        cmocka_unit_test(text_and_comments_are_not_names),
        cmocka_unit_test(a_variable_has_plain_letters),
        cmocka_unit_test(what_looks_like_a_blank_or_a_quote_is_told),
        cmocka_unit_test(what_else_is_wrong_is_the_compilers_to_explain),
        cmocka_unit_test(a_missing_field_is_told_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
