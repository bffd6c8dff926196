/* test_chunk.c -- which variables a compiled function uses that are not its own. */
#include "core/script/chunk.h"

#include "core/base/buf.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int write_bytes(lua_State *lua, const void *data, size_t size, void *arg)
{
    (void)lua;
    buf_append(arg, data, size);
    return 0;
}

/* What the compiler makes of `source`, or of the function that running it returns. */
static void compile(const char *source, bool is_run, struct buf *out)
{
    lua_State *lua = luaL_newstate();
    assert_non_null(lua);
    if (luaL_loadstring(lua, source) != LUA_OK)
        fail_msg("%s", lua_tostring(lua, -1));
    if (is_run)
        lua_call(lua, 0, 1);
    assert_true(lua_isfunction(lua, -1));
    lua_dump(lua, write_bytes, out, 0);
    lua_close(lua);
}

static void note(void *arg, enum chunk_use use, const char *name, int line)
{
    static const char *const uses[] = {
        [CHUNK_READS_GLOBAL] = "reads",
        [CHUNK_SETS_GLOBAL] = "sets",
        [CHUNK_READS_FIELD] = "field",
        [CHUNK_SETS_OUTER] = "changes",
    };
    buf_printf(arg, "%s %s %d; ", uses[use], name, line);
}

static void expect(const char *source, bool is_run, const char *wanted)
{
    struct buf bytes = BUF_INIT, found = BUF_INIT;
    compile(source, is_run, &bytes);
    assert_true(chunk_visit(bytes.data, bytes.size, note, &found));
    assert_string_equal(buf_string(&found), wanted);
    buf_deinit(&bytes);
    buf_deinit(&found);
}

static void globals_are_told_with_their_lines(void **state)
{
    (void)state;
    expect("local a = 5\nsend(a)\ntotal = a\n", false, "reads send 2; sets total 3; ");
    expect("return function(x)\n\n  return x.send, os\nend", true, "reads os 3; ");
    expect("local send = 1 return function() return send end", true, "");
}

static void fields_of_globals_are_told_and_those_of_locals_not(void **state)
{
    (void)state;
    expect("visits.next(2)\nlocal visits = {}\nvisits.last()", false,
           "reads visits 1; field visits.next 1; ");
    expect("return function()\n  return os.time, table end", true,
           "reads os 2; field os.time 2; reads table 2; ");
}

static void locals_of_others_are_told_where_they_change(void **state)
{
    (void)state;
    expect("local n = 0\nreturn function()\n  n = n + 1\nend", true, "changes n 3; ");
    expect("local n = 0 return function() return n end", true, "");
    expect("local n = 0\nreturn function() return function()\n  n = 1 end end", true,
           "changes n 3; ");
}

static void what_changes_inside_stays_inside(void **state)
{
    (void)state;
    expect("return function() local n = 0 local function f() n = 1 end return f end", true, "");
    expect("return function() local n = 0 return function() return function() n = 1 end end end",
           true, "");
}

static void a_line_is_right_however_far_away_it_is(void **state)
{
    (void)state;
    struct buf source = BUF_INIT;
    buf_text(&source, "near()");
    for (int i = 0; i < 1000; i++)
        buf_byte(&source, '\n');
    buf_text(&source, "far()\nnext()");
    expect(buf_string(&source), false, "reads near 1; reads far 1001; reads next 1002; ");
    buf_deinit(&source);
}

static const char everything[] = "local n, t = 0, { 1, 2.5, 'x', nil, true, false }\n"
                                 "local long = ('a text that is longer than those which are kept '"
                                 " .. 'once')\n"
                                 "return function(a, ...) n = n + 1 total = long\n"
                                 "  for i = 1, 3 do log(i, t[i], ...) end\n"
                                 "  return function() n = 2 end end";

static void bytes_that_are_cut_are_refused(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT, found = BUF_INIT;
    compile(everything, true, &bytes);
    assert_true(chunk_visit(bytes.data, bytes.size, note, &found));
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size != 0 ? size : 1); /* a read beyond it is found */
        memcpy(copy, bytes.data, size);
        assert_false(chunk_visit(copy, size, note, &found));
        free(copy);
    }
    buf_deinit(&bytes);
    buf_deinit(&found);
}

static void bytes_of_another_version_are_refused(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT, found = BUF_INIT;
    compile("send()", false, &bytes);
    bytes.data[4]++;
    assert_false(chunk_visit(bytes.data, bytes.size, note, &found));
    assert_int_equal(found.size, 0);
    buf_deinit(&bytes);
    buf_deinit(&found);
}

/* Nobody gives it such; but it reads lengths, and must not follow one out of its bytes. */
static void no_byte_leads_it_astray(void **state)
{
    (void)state;
    static const uint8_t others[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    struct buf bytes = BUF_INIT, found = BUF_INIT;
    compile(everything, true, &bytes);
    for (size_t at = 0; at < bytes.size; at++)
        for (size_t i = 0; i < sizeof others; i++) {
            uint8_t *copy = malloc(bytes.size);
            memcpy(copy, bytes.data, bytes.size);
            copy[at] = others[i];
            buf_clear(&found);
            chunk_visit(copy, bytes.size, note, &found);
            free(copy);
        }
    buf_deinit(&bytes);
    buf_deinit(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globals_are_told_with_their_lines),
        cmocka_unit_test(fields_of_globals_are_told_and_those_of_locals_not),
        cmocka_unit_test(locals_of_others_are_told_where_they_change),
        cmocka_unit_test(what_changes_inside_stays_inside),
        cmocka_unit_test(a_line_is_right_however_far_away_it_is),
        cmocka_unit_test(bytes_that_are_cut_are_refused),
        cmocka_unit_test(bytes_of_another_version_are_refused),
        cmocka_unit_test(no_byte_leads_it_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
