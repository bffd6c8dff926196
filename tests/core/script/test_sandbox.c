/* test_sandbox.c -- what sandbox.h promises a host, one promise a test. */
#include "tests/core/script/sandbox_try.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct sandbox *sealed(const char *text)
{
    struct sandbox *sandbox = try_new(NULL);
    struct err err;

    if (try_load(sandbox, text, &err) != 0)
        fail_msg("%s", err.text);
    return sandbox;
}

static void assert_call(struct sandbox *sandbox, unsigned id, const char *result)
{
    struct trial trial;

    try_call(sandbox, id, &trial);
    assert_string_equal("", trial.report.message);
    assert_string_equal(result, trial.result);
}

static void a_local_that_a_call_changes_is_put_back_and_named(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local a, count, b = 1, 0, 2\n"
                                     "keep(function()\n count = count + 1\n"
                                     " return a .. count .. b end)");
    struct trial trial;

    for (int i = 0; i < 3; i++) {
        try_call(sandbox, 0, &trial);
        assert_string_equal("112", trial.result);
        assert_string_equal("count", trial.report.changed_name);
        assert_string_equal(TRY_FILE, trial.report.changed_file);
        assert_int_equal(2, trial.report.changed_line);
    }
    sandbox_free(sandbox);
}

static void a_local_that_a_failing_call_changes_is_put_back(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local n = 0 keep(function() n = n + 1 "
                                     "if n == 1 then error('n ' .. n) end return n end)");
    struct trial trial;

    for (int i = 0; i < 2; i++) {
        try_call(sandbox, 0, &trial);
        assert_int_equal(SANDBOX_ERROR, trial.report.outcome);
        assert_string_equal("n 1", trial.report.message);
        assert_string_equal("n", trial.changed);
    }
    sandbox_free(sandbox);
}

/* Each way to assign, and each way to reach a variable. */
static void every_way_to_change_a_local_is_noticed(void **state)
{
    static const char *const scripts[] = {
        "local n = 0 local function up() n = n + 1 end keep(function() up() return n end)",
        "local n = 0 function up() n = n + 1 return n end keep(function() return up() end)",
        "local n = 0 local m = { up = function() n = n + 1 return n end } "
        "keep(function() return m.up() end)",
        "local n = 0 local m = setmetatable({}, { __call = function() n = n + 1 return n end }) "
        "keep(function() return m() end)",
        "local n = 0 local x = {} keep(function() x, n = x, n + 1 return n end)",
        "local n = 0 keep(function() local t = {} n, t.x = n + 1, 2 return n end)",
        "local n = 0 keep(function() local t = {} n, t[1], t.f = n + 1, 2, 3 return n end)",
        "local function n() return 1 end keep(function() local r = n() function n() return 2 end "
        "return r end)",
        "local n = 0 keep(function() return (function() n = n + 1 return n end)() end)",
        "local a, n, z = 0, 0, 0 keep(function() for i = 1, 1 do a, n, z = 1, n + 1, 1 end "
        "return n end)",
        "local n = 0.0 keep(function() n = n + 1 return math.tointeger(n) end)",
        "local n keep(function() n = (n or 0) + 1 return n end)",
        "local it = ('12'):gmatch('%d') keep(function() return it() end)",
        "local it, t = pairs({ 'x', 'y' }) keep(function() return it(t) end)",
        "local n = 1 keep(function() local was = n n = 1.0 return math.type(was) == 'integer' "
        "and 1 end)",
    };
    struct trial trial;

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct sandbox *sandbox = sealed(scripts[i]);
        for (int round = 0; round < 3; round++) {
            try_call(sandbox, 0, &trial);
            assert_string_equal("", trial.report.message);
            assert_string_equal("1", trial.result);
            assert_non_null(trial.report.changed_name);
        }
        sandbox_free(sandbox);
    }
}

static void a_nan_that_stays_is_no_change(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local n = 0/0 keep(function() n = 0/0 return 'x' end)");
    struct trial trial;

    try_call(sandbox, 0, &trial);
    assert_string_equal("", trial.changed);
    sandbox_free(sandbox);
}

static void the_sign_of_a_zero_does_not_leak(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local n = 0.0 keep(function() local was = 1 / n n = -0.0 "
                                     "return was end)");

    assert_call(sandbox, 0, "inf");
    assert_call(sandbox, 0, "inf");
    sandbox_free(sandbox);
}

static void two_functions_share_a_local_until_sealing_only(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local n = 0 n = 5 keep(function() n = n + 1 return n end) "
                                     "keep(function() return n end)");

    assert_call(sandbox, 0, "6");
    assert_call(sandbox, 1, "5");
    assert_call(sandbox, 0, "6");
    sandbox_free(sandbox);
}

static void an_honest_closure_is_not_reported(void **state)
{
    (void)state;
    struct sandbox *sandbox = sealed("local limit = 10 local function over(x) return x > limit end "
                                     "local names = { 'a' } keep(function() local limit = 1 "
                                     "limit = 2 local t = { names = names } "
                                     "return tostring(over(11)) end)");
    struct trial trial;

    try_call(sandbox, 0, &trial);
    assert_string_equal("true", trial.result);
    assert_string_equal("", trial.changed);
    sandbox_free(sandbox);
}

static void a_report_tells_file_line_and_stack(void **state)
{
    struct trial trial;

    (void)state;
    try_script("local function inner()\n  error('boom')\nend\n"
               "local function outer()\n  inner() return 1\nend\nkeep(function()\n  outer()\nend)",
               &trial);
    assert_int_equal(SANDBOX_ERROR, trial.report.outcome);
    assert_string_equal("boom", trial.report.message);
    assert_string_equal(TRY_FILE, trial.report.file);
    assert_int_equal(2, trial.report.line);
    assert_string_equal("[C]: in function 'error'\n" TRY_FILE ":2: in function 'inner'\n" TRY_FILE
                        ":5: in function 'outer'\n" TRY_FILE ":8: in the function at line 7\n",
                        trial.report.traceback);
}

static void the_end_of_a_budget_tells_where_it_was_spent(void **state)
{
    struct trial trial;

    (void)state;
    try_script("local function spin()\n  while true do end\nend\n"
               "keep(function()\n  pcall(spin)\nend)",
               &trial);
    assert_int_equal(SANDBOX_BUDGET, trial.report.outcome);
    assert_int_equal(2, trial.report.line);
    assert_non_null(strstr(trial.report.traceback, "[C]: in function 'pcall'\n"));
    assert_true(trial.report.instructions >= 2000000 && trial.report.instructions < 2000200);
}

static void the_end_of_memory_tells_where_it_went(void **state)
{
    struct trial trial;

    (void)state;
    try_script("keep(function()\n  local t = {}\n  for i = 1, 1e9 do\n    t[i] = { i }\n  end\n"
               "end)",
               &trial);
    assert_int_equal(SANDBOX_MEMORY, trial.report.outcome);
    assert_int_equal(4, trial.report.line);
    assert_string_equal(TRY_FILE, trial.report.file);
}

static void a_deep_stack_is_told_from_both_ends(void **state)
{
    struct trial trial;

    (void)state;
    try_script("local function f(n)\n if n == 0 then error('x') end\n f(n - 1)\n return 1\nend\n"
               "keep(function()\n f(500)\nend)",
               &trial);
    assert_non_null(strstr(trial.report.traceback, "more calls)\n"));
    assert_non_null(strstr(trial.report.traceback, ":7: in the function at line 6\n"));
    assert_true(strlen(trial.report.traceback) < 1000);
}

static void after_any_failure_the_next_call_is_as_good_as_the_first(void **state)
{
    static const char SCRIPT[] =
        "keep(function() while true do end end)"
        "keep(function() local t = {} for i = 1, 1e9 do t[i] = {} end end)"
        "keep(function() error('x') end)"
        "keep(function() local s = 'x' while true do s = s .. s end end)"
        "keep(function() local t = {} for i = 1, 1000 do t[i] = { i } end return #t end)";
    struct trial fresh;
    struct trial later;

    (void)state;
    struct sandbox *sandbox = sealed(SCRIPT);
    try_call(sandbox, 4, &fresh);
    assert_string_equal("1000", fresh.result);
    for (int round = 0; round < 3; round++) {
        for (unsigned id = 0; id < 4; id++)
            try_call(sandbox, id, &later);
        try_call(sandbox, 4, &later);
        assert_string_equal("1000", later.result);
        assert_int_equal(fresh.report.instructions, later.report.instructions);
    }
    sandbox_free(sandbox);
}

static void a_state_does_not_grow_with_its_calls(void **state)
{
    struct trial trial;
    size_t most = 0;

    (void)state;
    struct sandbox *sandbox = sealed("local C = {} C.__index = C keep(function() local o = "
                                     "setmetatable({ list = { 1, 2 } }, C) "
                                     "for k in pairs(o) do o[k] = nil end return 'ok' end)");
    for (int i = 0; i < 20000; i++) {
        try_call(sandbox, 0, &trial);
        if (sandbox_bytes(sandbox) > most)
            most = sandbox_bytes(sandbox);
    }
    size_t early = most;
    for (int i = 0; i < 200000; i++) {
        try_call(sandbox, 0, &trial);
        if (sandbox_bytes(sandbox) > most)
            most = sandbox_bytes(sandbox);
    }
    assert_true(most <= early + early / 10);
    sandbox_free(sandbox);
}

static void garbage_of_earlier_calls_is_not_held_against_a_call(void **state)
{
    struct trial trial;

    (void)state;
    struct sandbox *sandbox = sealed("keep(function() local t = {} for i = 1, 40000 do "
                                     "t[i] = { i } end return #t end)");
    for (int i = 0; i < 20; i++) {
        try_call(sandbox, 0, &trial);
        assert_string_equal("40000", trial.result);
    }
    sandbox_free(sandbox);
}

static void limits_are_the_hosts_to_choose(void **state)
{
    struct sandbox_limits limits = { .call_instructions = 5000, .string_bytes = 100 };
    struct trial trial;

    (void)state;
    try_script_within(&limits, "keep(function() for i = 1, 10000 do end end)", &trial);
    assert_int_equal(SANDBOX_BUDGET, trial.report.outcome);
    assert_true(trial.report.instructions < 5200);
    try_script_within(&limits, "keep(function() return ('x'):rep(101) end)", &trial);
    assert_string_equal("a string of 101 bytes would be made, the limit is 100; keep texts "
                        "shorter",
                        trial.report.message);
    try_script_within(&limits, "keep(function() return #('x'):rep(100) end)", &trial);
    assert_string_equal("100", trial.result);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    struct sandbox_limits limits = { .source_bytes = 10 };
    struct trial trial;

    (void)state;
    try_script_within(&limits, "local x = 123", &trial);
    assert_int_equal(E_LIMIT, trial.load_rc);
}

static void memory_while_loading_is_limited(void **state)
{
    struct sandbox_limits limits = { .load_bytes = 1 << 20 };
    struct trial trial;

    (void)state;
    try_script_within(&limits, "t = {}\nfor i = 1, 1e7 do\n t[i] = i end", &trial);
    assert_int_equal(E_LIMIT, trial.load_rc);
    assert_non_null(strstr(trial.err.text, TRY_FILE ":2: more than 1048576 bytes of memory"));
}

static void an_error_while_loading_names_file_and_line(void **state)
{
    struct trial trial;

    (void)state;
    try_script("local x = {}\nlocal y = x.z.w", &trial);
    assert_int_equal(E_INVALID, trial.load_rc);
    assert_string_equal(TRY_FILE ":2: attempt to index a nil value (field 'z')", trial.err.text);
    try_script("local x = 1\nlocal = 2", &trial);
    assert_int_equal(E_INVALID, trial.load_rc);
    assert_string_equal(TRY_FILE ":2: <name> expected near '='", trial.err.text);
}

static void what_a_beginner_forgets_is_asked_after(void **state)
{
    static const char *const forgotten[][2] = {
        { "f = {\n a = 1\n b = 2\n}", TRY_FILE
          ":3: '}' expected (to close '{' at line 1) near 'b'; is a comma missing before it?" },
        { "f = {\n g = function()\n if x then\n y()\n end,\n}",
          TRY_FILE ":5: unexpected symbol near ','; is an \"end\" missing before it?" },
        { "if x = 1 then\n end",
          TRY_FILE ":1: 'then' expected near '='; whether two are equal is asked with ==" },
    };
    struct trial trial;

    (void)state;
    for (size_t i = 0; i < sizeof forgotten / sizeof *forgotten; i++) {
        try_script(forgotten[i][0], &trial);
        assert_int_equal(E_INVALID, trial.load_rc);
        assert_string_equal(forgotten[i][1], trial.err.text);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct trial trial;

    (void)state;
    try_script("\xEF\xBB\xBFkeep(function() return 'ok' end)", &trial);
    assert_string_equal("ok", trial.result);
}

static void files_share_globals_while_loading(void **state)
{
    struct sandbox *sandbox = try_new(NULL);
    struct err err;
    static const char FIRST[] = "shared = { n = 1 } function twice(x) return 2 * x end";
    static const char SECOND[] = "shared.n = 2 keep(function() return twice(shared.n) end)";

    (void)state;
    assert_int_equal(0, sandbox_load(sandbox, "a.lua", FIRST, strlen(FIRST), &err));
    assert_int_equal(0, sandbox_load(sandbox, "b.lua", SECOND, strlen(SECOND), &err));
    assert_int_equal(0, sandbox_seal(sandbox, &err));
    assert_call(sandbox, 0, "4");
    sandbox_free(sandbox);
}

static void nothing_can_be_kept_after_sealing(void **state)
{
    struct trial trial;

    (void)state;
    try_script("keep(function() keep(function() end) end)", &trial);
    assert_int_equal(SANDBOX_ERROR, trial.report.outcome);
    assert_string_equal("nothing can be registered once all scripts are loaded",
                        trial.report.message);
}

static void arguments_and_results_pass(void **state)
{
    struct sandbox *sandbox = sealed("keep(function(a, b) return b, a.x, 'z' end)");
    lua_State *lua = sandbox_state(sandbox);
    struct sandbox_report report;

    (void)state;
    lua_newtable(lua);
    lua_pushinteger(lua, 7);
    lua_setfield(lua, -2, "x");
    lua_pushliteral(lua, "second");
    assert_int_equal(SANDBOX_OK, sandbox_call(sandbox, 0, 2, 2, &report));
    assert_int_equal(2, lua_gettop(lua));
    assert_string_equal("second", lua_tostring(lua, 1));
    assert_int_equal(7, lua_tointeger(lua, 2));
    sandbox_free(sandbox);
}

static int expensive(lua_State *lua)
{
    sandbox_spend(lua, 1500000);
    lua_pushliteral(lua, "paid");
    return 1;
}

static void a_host_function_charges_its_work(void **state)
{
    struct sandbox *sandbox = try_new(NULL);
    struct trial trial;
    struct err err;

    (void)state;
    sandbox_add_function(sandbox, "expensive", expensive, 0);
    assert_int_equal(0, try_load(sandbox,
                                 "keep(function() return expensive() end) "
                                 "keep(function() expensive() pcall(expensive) return 1 end)",
                                 &err));
    try_call(sandbox, 0, &trial);
    assert_string_equal("paid", trial.result);
    assert_true(trial.report.instructions >= 1500000);
    try_call(sandbox, 1, &trial);
    assert_int_equal(SANDBOX_BUDGET, trial.report.outcome);
    sandbox_free(sandbox);
}

static void a_host_value_is_frozen_like_the_scripts(void **state)
{
    struct sandbox *sandbox = try_new(NULL);
    lua_State *lua = sandbox_state(sandbox);
    struct trial trial;
    struct err err;

    (void)state;
    lua_newtable(lua);
    lua_pushliteral(lua, "1.0");
    lua_setfield(lua, -2, "version");
    sandbox_add_value(sandbox, "kith");
    assert_int_equal(0, try_load(sandbox,
                                 "keep(function() kith.version = 2 end) "
                                 "keep(function() return kith.version end)",
                                 &err));
    try_call(sandbox, 0, &trial);
    assert_int_equal(SANDBOX_ERROR, trial.report.outcome);
    assert_call(sandbox, 1, "1.0");
    sandbox_free(sandbox);
}

static void *interrupt_soon(void *interrupt)
{
    usleep(2000);
    atomic_store((atomic_bool *)interrupt, true);
    return NULL;
}

static void another_thread_can_interrupt(void **state)
{
    struct sandbox_limits limits = { .call_instructions = UINT64_MAX / 2 };
    struct sandbox *sandbox = try_new(&limits);
    struct trial trial;
    struct err err;
    pthread_t thread;
    atomic_bool interrupt = true; /* that was for a call that has ended */

    (void)state;
    sandbox_set_interrupt(sandbox, &interrupt);
    assert_int_equal(0, try_load(sandbox,
                                 "keep(function() while true do pcall(function() "
                                 "while true do end end) end end) keep(function() "
                                 "for i = 1, 1000 do end return 1 end)",
                                 &err));
    assert_int_equal(0, pthread_create(&thread, NULL, interrupt_soon, &interrupt));
    try_call(sandbox, 0, &trial);
    assert_int_equal(0, pthread_join(thread, NULL));
    assert_int_equal(SANDBOX_INTERRUPTED, trial.report.outcome);
    assert_int_equal(1, trial.report.line);
    assert_call(sandbox, 1, "1");
    sandbox_free(sandbox);
}

static void a_stopped_call_reports_nothing(void **state)
{
    struct trial trial;

    (void)state;
    try_script("keep(function() pcall(stop) return 1 end)", &trial);
    assert_int_equal(SANDBOX_STOPPED, trial.report.outcome);
    assert_string_equal("", trial.report.message);
    assert_string_equal("", trial.report.traceback);
}

/* A host that uses the auxiliary library's buffer after all: its growth asks for
 * memory once and raises.  A script must not be able to catch that. */
static int with_buffer(lua_State *lua)
{
    luaL_Buffer buffer;

    luaL_buffinit(lua, &buffer);
    for (int i = 0; i < 12; i++) {
        memset(luaL_prepbuffsize(&buffer, 1 << 20), 'x', 1 << 20);
        luaL_addsize(&buffer, 1 << 20);
    }
    lua_settop(lua, 0);
    return 0;
}

static void memory_refused_to_a_buffer_ends_the_call(void **state)
{
    struct sandbox *sandbox = try_new(NULL);
    struct trial trial;
    struct err err;

    (void)state;
    sandbox_add_function(sandbox, "buffer", with_buffer, 0);
    assert_int_equal(0, try_load(sandbox, "keep(function() pcall(buffer) return 'out' end)", &err));
    try_call(sandbox, 0, &trial);
    assert_int_equal(SANDBOX_MEMORY, trial.report.outcome);
    sandbox_free(sandbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_that_a_call_changes_is_put_back_and_named),
        cmocka_unit_test(a_local_that_a_failing_call_changes_is_put_back),
        cmocka_unit_test(every_way_to_change_a_local_is_noticed),
        cmocka_unit_test(a_nan_that_stays_is_no_change),
        cmocka_unit_test(the_sign_of_a_zero_does_not_leak),
        cmocka_unit_test(two_functions_share_a_local_until_sealing_only),
        cmocka_unit_test(an_honest_closure_is_not_reported),
        cmocka_unit_test(a_report_tells_file_line_and_stack),
        cmocka_unit_test(the_end_of_a_budget_tells_where_it_was_spent),
        cmocka_unit_test(the_end_of_memory_tells_where_it_went),
        cmocka_unit_test(a_deep_stack_is_told_from_both_ends),
        cmocka_unit_test(after_any_failure_the_next_call_is_as_good_as_the_first),
        cmocka_unit_test(a_state_does_not_grow_with_its_calls),
        cmocka_unit_test(garbage_of_earlier_calls_is_not_held_against_a_call),
        cmocka_unit_test(limits_are_the_hosts_to_choose),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(memory_while_loading_is_limited),
        cmocka_unit_test(an_error_while_loading_names_file_and_line),
        cmocka_unit_test(what_a_beginner_forgets_is_asked_after),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(files_share_globals_while_loading),
        cmocka_unit_test(nothing_can_be_kept_after_sealing),
        cmocka_unit_test(arguments_and_results_pass),
        cmocka_unit_test(a_host_function_charges_its_work),
        cmocka_unit_test(a_host_value_is_frozen_like_the_scripts),
        cmocka_unit_test(another_thread_can_interrupt),
        cmocka_unit_test(a_stopped_call_reports_nothing),
        cmocka_unit_test(memory_refused_to_a_buffer_ends_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
