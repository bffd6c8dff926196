/* test_convert.c -- values of scripts as documents, and back. */
#include "core/script/convert.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/script/sandbox.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct sandbox *sandbox;
    struct arena arena;
    struct buf scratch, json;
    struct err err;
};

static struct fixture fixture;

static struct doc_value convert(lua_State *lua)
{
    struct doc_value value;
    struct err err;
    if (convert_from_lua(lua, 1, &fixture.arena, &fixture.scratch, &value, &err) != 0)
        luaL_error(lua, "%s", err.text);
    return value;
}

/* json(x): what x is as a document, written as JSON */
static int word_json(lua_State *lua)
{
    struct doc_value value = convert(lua);
    buf_clear(&fixture.json);
    json_write_value(&fixture.json, &value);
    lua_pushlstring(lua, (const char *)fixture.json.data, fixture.json.size);
    return 1;
}

/* back(x): x after both conversions */
static int word_back(lua_State *lua)
{
    struct doc_value value = convert(lua);
    convert_push(lua, &value);
    return 1;
}

static int setup(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    fixture.sandbox = sandbox_new(NULL);
    sandbox_add_function(fixture.sandbox, "json", word_json, 0);
    sandbox_add_function(fixture.sandbox, "back", word_back, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sandbox_free(fixture.sandbox);
    arena_deinit(&fixture.arena);
    buf_deinit(&fixture.scratch);
    buf_deinit(&fixture.json);
    return 0;
}

static void run(const char *lua)
{
    if (sandbox_load(fixture.sandbox, "test.lua", lua, strlen(lua), &fixture.err) != 0)
        fail_msg("%s", fixture.err.text);
}

static void run_fails(const char *lua, const char *wanted)
{
    assert_int_not_equal(sandbox_load(fixture.sandbox, "test.lua", lua, strlen(lua), &fixture.err),
                         0);
    if (strstr(fixture.err.text, wanted) == NULL)
        fail_msg("%s: %s", lua, fixture.err.text);
}

static void scalars_keep_their_type(void **state)
{
    (void)state;
    run("assert(json(5) == '5') assert(json(5.5) == '5.5') assert(json('ä') == '\"ä\"')\n"
        "assert(json(true) == 'true') assert(json(nil) == 'null')\n"
        "assert(json(math.mininteger) == '-9223372036854775808')\n"
        "assert(math.type(back(5)) == 'integer' and math.type(back(5.0)) == 'float')\n"
        "assert(back('a\\0b') == 'a\\0b') assert(back('') == '')");
}

static void a_list_is_an_array_and_everything_else_a_document(void **state)
{
    (void)state;
    run("assert(json({ 1, { 2 }, 'x' }) == '[1,[2],\"x\"]')\n"
        "assert(json({}) == '{}')\n"
        "assert(json({ a = {}, b = { 1 } }) == '{\"a\":{},\"b\":[1]}')");
}

static void fields_stand_in_bytewise_order(void **state)
{
    (void)state;
    run("local t = {}\n"
        "for _, name in ipairs { 'b', 'B', 'a', 'ab', 'ä', 'Z', '' } do t[name] = 1 end\n"
        "assert(json(t) == '{\"\":1,\"B\":1,\"Z\":1,\"a\":1,\"ab\":1,\"b\":1,\"ä\":1}')");
}

static void what_is_nested_comes_back_as_it_was(void **state)
{
    (void)state;
    run("local x = back { list = { 1, 2, { deep = 'y' } }, n = -1.25, yes = false }\n"
        "assert(x.list[3].deep == 'y' and #x.list == 3 and x.n == -1.25 and x.yes == false)");
}

static void what_is_no_value_is_refused(void **state)
{
    (void)state;
    run_fails("json(print or function() end)", "a function cannot be kept");
}

static void keys_are_all_names_or_all_numbers(void **state)
{
    (void)state;
    run("for _, t in ipairs { { 1, a = 1 }, { [0] = 1 }, { [2] = 1 }, { [1.5] = 1 },\n"
        "  { [true] = 1 }, { [math.maxinteger] = 1 }, { [-1] = 1, [2] = 1 } } do\n"
        "  local ok, why = pcall(json, t)\n"
        "  assert(not ok and why:find('a list', 1, true), why) end");
}

static void text_and_numbers_must_be_what_json_can_say(void **state)
{
    (void)state;
    run("for _, x in ipairs { 0/0, 1/0, -1/0, '\\xff', { a = '\\xc3' }, { ['a\\0'] = 1 },\n"
        "  { [('x'):rep(129)] = 1 } } do assert(not pcall(json, x)) end\n"
        "assert(json { [('x'):rep(128)] = 1 })");
}

static void tables_nest_to_the_limit_and_no_deeper(void **state)
{
    (void)state;
    run("local t, u = 1, 1\n"
        "for i = 1, 32 do t = { t } end\n"
        "assert(json(t)) assert(type(back(t)) == 'table')\n"
        "local ok, why = pcall(json, { t })\n"
        "assert(not ok and why:find('at most 32 deep'), why)\n"
        "local round = {} round.round = round\n"
        "assert(not pcall(json, round))");
}

static void a_value_has_a_size_it_may_not_exceed(void **state)
{
    (void)state;
    run("local t = {}\n"
        "for i = 1, 30 do t[i] = ('x'):rep(10000) end\n"
        "local ok, why = pcall(json, t)\n"
        "assert(not ok and why:find('at most 256 KiB'), why)");
}

static void converting_is_work(void **state)
{
    (void)state;
    run_fails("local t = {}\n"
              "for i = 1, 20 do t[i] = ('x'):rep(10000) end\n"
              "for i = 1, 10000 do json(t) end",
              "instructions");
}

static void null_and_decimals_read_as_nil(void **state)
{
    (void)state;
    lua_State *lua = sandbox_state(fixture.sandbox);
    struct doc_value none = { .type = DOC_NONE }, null = { .type = DOC_NULL };
    struct doc_value decimal = { .type = DOC_DECIMAL };
    convert_push(lua, &none);
    convert_push(lua, &null);
    convert_push(lua, &decimal);
    assert_true(lua_isnil(lua, -1) && lua_isnil(lua, -2) && lua_isnil(lua, -3));
    lua_pop(lua, 3);
}

static void a_moment_reads_as_milliseconds(void **state)
{
    (void)state;
    lua_State *lua = sandbox_state(fixture.sandbox);
    struct doc_value moment = { .type = DOC_DATETIME, .integer = 1793145600000 };
    convert_push(lua, &moment);
    assert_true(lua_tointeger(lua, -1) == 1793145600000);
    lua_pop(lua, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_keep_their_type),
        TEST(a_list_is_an_array_and_everything_else_a_document),
        TEST(fields_stand_in_bytewise_order),
        TEST(what_is_nested_comes_back_as_it_was),
        TEST(what_is_no_value_is_refused),
        TEST(keys_are_all_names_or_all_numbers),
        TEST(text_and_numbers_must_be_what_json_can_say),
        TEST(tables_nest_to_the_limit_and_no_deeper),
        TEST(a_value_has_a_size_it_may_not_exceed),
        TEST(converting_is_work),
        TEST(null_and_decimals_read_as_nil),
        TEST(a_moment_reads_as_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
