/* test_sandbox_library.c -- the sandbox's libraries against Lua's own.
 *
 * Where a function is not meant to differ, Lua itself is the oracle: the same
 * chunk runs in a sandbox and in a plain state with the standard libraries, and
 * must return the same text.  Fixed expressions cover the corners; patterns,
 * subjects, slices and formats are drawn by a generator with a fixed seed.
 */
#include "tests/core/script/sandbox_try.h"

#include <lualib.h>
#include <stdlib.h>

#define ROUNDS 20000

/* In front of every chunk: a call's outcome as one text.  Messages may differ. */
static const char SHOW[] = "local function show(ok, ...)\n"
                           "  local s = ok and 'ok' or 'error'\n"
                           "  if not ok then return s end\n"
                           "  for n = 1, select('#', ...) do\n"
                           "    local v = (select(n, ...))\n"
                           "    s = s .. '|' .. type(v) .. ':' .. tostring(v)\n"
                           "  end\n"
                           "  return s\n"
                           "end\n";

struct pair {
    struct sandbox *sandbox;
    lua_State *plain;
};

static int plain_keep(lua_State *lua)
{
    lua_setglobal(lua, "kept");
    return 0;
}

static void pair_open(struct pair *pair, const char *text)
{
    struct err err;
    char source[16384];

    snprintf(source, sizeof source, "%s%s", SHOW, text);
    pair->sandbox = try_new(NULL);
    if (try_load(pair->sandbox, source, &err) != 0)
        fail_msg("%s", err.text);
    pair->plain = luaL_newstate();
    luaL_openlibs(pair->plain);
    lua_register(pair->plain, "keep", plain_keep);
    if (luaL_dostring(pair->plain, source) != LUA_OK)
        fail_msg("%s", lua_tostring(pair->plain, -1));
}

static void pair_close(struct pair *pair)
{
    sandbox_free(pair->sandbox);
    lua_close(pair->plain);
}

static void push_arguments(lua_State *lua, const char *a, const char *b, int i, int j)
{
    lua_pushstring(lua, a);
    lua_pushstring(lua, b);
    lua_pushinteger(lua, i);
    lua_pushinteger(lua, j);
}

static void pair_compare(struct pair *pair, const char *a, const char *b, int i, int j)
{
    struct sandbox_report report;
    lua_State *lua = sandbox_state(pair->sandbox);

    push_arguments(lua, a, b, i, j);
    sandbox_call(pair->sandbox, 0, 4, 1, &report);
    assert_string_equal("", report.message);
    lua_getglobal(pair->plain, "kept");
    push_arguments(pair->plain, a, b, i, j);
    assert_int_equal(LUA_OK, lua_pcall(pair->plain, 4, 1, 0));
    if (strcmp(lua_tostring(pair->plain, -1), lua_tostring(lua, -1)) != 0)
        print_error("a = %s, b = %s, i = %d, j = %d\n", a, b, i, j);
    assert_string_equal(lua_tostring(pair->plain, -1), lua_tostring(lua, -1));
    lua_pop(pair->plain, 1);
    lua_pop(lua, 1);
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

struct parts {
    const char *const *items;
    size_t count;
};

static void draw_text(uint64_t *seed, char *out, size_t size, struct parts parts,
                      uint64_t parts_max)
{
    size_t used = 0;

    out[0] = '\0';
    for (uint64_t n = draw(seed, parts_max + 1); n > 0; n--)
        used +=
            (size_t)snprintf(out + used, size - used, "%s", parts.items[draw(seed, parts.count)]);
}

static const char *const SUBJECTS[] = {
    "a", "b", "c", "aa", "ab", "(",   ")",  "[", "]", " ",
    "1", "x", ".", "%",  "-",  "cab", "\n", "^", "$",
};
static const char *const SOUND[] = {
    "a",     "b",      "c",      ".",      "a*",   "b+",   "c-",  "a?",       ".-", ".*", "[ab]",
    "[^a]*", "[a-c]+", "(a)",    "()",     "(b*)", "(.-)", "%a",  "%A+",      "%d", "%s", "%w-",
    "%b()",  "%b[]",   "%f[%w]", "%f[^a]", "^",    "$",    "%%",  "%.",       "-",  "]",  "[]a]",
    "[%a-]", "x",      "[%]]",   "[^%s]",  "%x*",  "%u",   "%p+", "([ab]-)c",
};
static const char *const DOUBTFUL[] = {
    "a",  "b*", ".",   "(",  ")",   "(a", "b)",  "%1", "%2",  "(.)", "%",  "[a",
    "[^", "[",  "%b(", "%f", "%fa", "-",  "[a-", "()", "(a*", ")*",  "%0", "[%",
};

#define PARTS(array) ((struct parts){ array, sizeof array / sizeof array[0] })

static void compare_patterns(const char *text)
{
    struct pair pair;
    uint64_t seed = 1;
    char subject[64];
    char pattern[96];

    pair_open(&pair, text);
    for (int round = 0; round < ROUNDS; round++) {
        draw_text(&seed, subject, sizeof subject, PARTS(SUBJECTS), 8);
        draw_text(&seed, pattern, sizeof pattern, PARTS(SOUND), 6);
        pair_compare(&pair, subject, pattern, (int)draw(&seed, 9) - 3, (int)draw(&seed, 4));
    }
    pair_close(&pair);
}

static void find_agrees_with_lua(void **state)
{
    (void)state;
    compare_patterns("keep(function(a, b, i) return show(pcall(string.find, a, b, i)) end)");
}

static void match_agrees_with_lua(void **state)
{
    (void)state;
    compare_patterns("keep(function(a, b, i) return show(pcall(string.match, a, b, i)) end)");
}

static void gsub_agrees_with_lua(void **state)
{
    (void)state;
    compare_patterns("keep(function(a, b, i, j) return show(pcall(string.gsub, a, b, '<%0|%1>')) "
                     ".. show(pcall(string.gsub, a, b, { a = 'A', b = false, [1] = 'p' }, j)) "
                     ".. show(pcall(string.gsub, a, b, function(x) return x ~= 'b' and x end)) "
                     "end)");
}

static void gmatch_agrees_with_lua(void **state)
{
    (void)state;
    compare_patterns("keep(function(a, b, i) local s = '' local ok = pcall(function() "
                     "for x, y in string.gmatch(a, b, i) do s = s .. '<' .. tostring(x) .. ',' .. "
                     "tostring(y) .. '>' end end) return s .. tostring(ok) end)");
}

/* Lua finds the fault of a pattern only when the matcher gets there: it may
 * accept what is refused here, but not the other way round. */
static void what_lua_finds_malformed_is_refused(void **state)
{
    struct pair pair;
    uint64_t seed = 2;
    char subject[64];
    char pattern[96];
    int refused = 0;

    (void)state;
    pair_open(&pair, "keep(function(a, b) return tostring((pcall(string.match, a, b))) end)");
    for (int round = 0; round < ROUNDS; round++) {
        struct sandbox_report report;
        lua_State *lua = sandbox_state(pair.sandbox);
        draw_text(&seed, subject, sizeof subject, PARTS(SUBJECTS), 8);
        draw_text(&seed, pattern, sizeof pattern, PARTS(DOUBTFUL), 5);
        push_arguments(lua, subject, pattern, 0, 0);
        sandbox_call(pair.sandbox, 0, 4, 1, &report);
        lua_getglobal(pair.plain, "kept");
        push_arguments(pair.plain, subject, pattern, 0, 0);
        lua_call(pair.plain, 4, 1);
        if (strcmp(lua_tostring(pair.plain, -1), "false") == 0) {
            assert_string_equal("false", lua_tostring(lua, -1));
            refused++;
        }
        lua_pop(pair.plain, 1);
        lua_pop(lua, 1);
    }
    assert_true(refused > ROUNDS / 4);
    pair_close(&pair);
}

/* Each is a list of expressions over a, b, i and j. */
static const char *const EXPRESSIONS[] = {
    "a:sub(i), a:sub(i, j), a:sub(j, i), ('x'):sub(-100, 100), a:sub(math.mininteger, "
    "math.maxinteger), a:sub(math.maxinteger)",
    "a:byte(), a:byte(i), a:byte(i, j), a:byte(-j, -1), ('\\0\\255'):byte(1, 2)",
    "a:upper(), b:lower(), a:reverse(), a:len(), #a, string.char(), string.char(65, 0, "
    "255):byte(3)",
    "a:rep(i), a:rep(j, b), (''):rep(5), a:rep(2, ''), a:rep(-1), ('x'):rep(1, 'y'), a:rep(7, "
    "'ab')",
    "a:find(b, i, true), a:find('', i), a:find(a), ('a.b'):find('.', 1, true)",
    "('%d|%5d|%-5d|%05d|%+d|% d|%i'):format(i, j, i, j, i, j, i)",
    "('%x|%X|%#x|%o|%c'):format(i + 9, j + 300, 255, 8, 65)",
    "('%g|%.3f|%10.2e|%G|%.0f|%-10.1f|'):format(i / 3, j / 7, i * 1e10, 1e100, 2.5, i)",
    "('%s|%10s|%-10s|%.2s|%5.1s|'):format(a, b, a, b, 'xyz'), ('%s %s %s'):format(nil, true, i)",
    "('%q'):format(a .. b), ('%q'):format(i), ('%q'):format(math.mininteger), ('%%'):format()",
    "(pcall(string.format, '%d', 1.5)), (pcall(string.format, '%d')), (pcall(string.format, "
    "'%y', 1))",
    "('%s'):format('a\\0b'), ('%d'):format('12'), ('%d'):format(3.0), ('%.14g'):format(0.1)",
    "tonumber(a), tonumber(b, 16), tonumber('0x1p4'), tonumber(' 12 '), tonumber('1e1'), "
    "tonumber('1 2'), tonumber(''), tonumber('z', 36), tonumber('-ff', 16), tonumber('8', 8), "
    "tonumber(' 11 ', 2), tonumber('1\\0'), tonumber(i), tonumber('-'), tonumber('- 1', 10)",
    "tostring(i), tostring(i / 2), tostring(1e15), tostring(1e100), tostring(-0.0), tostring(1/0)",
    "select(2, a, b, i), select(-1, a, b), select('#'), select('#', nil, nil), select(j + 1, a, b)",
    "math.floor(i / 2), math.ceil(i / 2), math.floor(-3.5), math.ceil(1e300), math.abs(-i), "
    "math.abs(math.mininteger), math.max(i, j, 2.5), math.min(i, j, 2.5), math.fmod(i, 3), "
    "math.fmod(-7, 3), math.fmod(-7.5, 2), math.modf(3.7), math.modf(-3.7), math.modf(5), "
    "math.modf(1/0), math.sqrt(2), math.tointeger(3.0), math.tointeger(3.5), "
    "math.type(1), math.type(1.0), math.type('1'), math.ult(i, j), "
    "math.ult(-1, 1), math.pi, math.huge, math.maxinteger, math.mininteger",
    "(pcall(math.fmod, 1, 0)), math.fmod(1, 0.0) ~= math.fmod(1, 0.0), "
    "math.fmod(math.mininteger, -1)",
    "table.concat({ a, b, i }), table.concat({ a, b, i }, ','), table.concat({}, 'x'), "
    "table.concat({ 1, 2, 3 }, '-', 2), table.concat({ 1, 2, 3 }, '-', 2, 3), "
    "table.concat({ 1.5, 2 }, '-', 3, 2), (pcall(table.concat, { {} }))",
    "table.unpack({ a, b, i }), table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2 }, -1, 1), "
    "table.pack(a, nil, b).n, (function(...) return select('#', ...) end)(table.unpack({}, 1, 3))",
    "(function() local t = { 1, 2, 3 } table.insert(t, 4) table.insert(t, 1, 0) "
    "table.insert(t, #t + 1, 9) local r = table.remove(t, 2) .. table.remove(t) "
    "return table.concat(t, ',') .. r end)()",
    "(function() local t = {} return tostring(table.remove(t)) .. tostring(table.remove(t, 0)) .. "
    "tostring(pcall(table.remove, t, 5)) .. tostring(pcall(table.insert, t, 5, 1)) .. "
    "tostring(pcall(table.insert, t)) .. tostring(table.remove({ 7 }, 1)) end)()",
    "table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ','), table.concat(table.move({ 1, 2, 3 }, "
    "2, 3, "
    "1), ','), table.concat(table.move({ 1, 2, 3 }, 1, 3, 3, { 8, 9 }), ',')",
    "(function() local t = { i, j, 3, 1, 2, -5 } table.sort(t) local u = { 'b', a, 'a', b } "
    "table.sort(u) table.sort(t, function(x, y) return x > y end) "
    "return table.concat(t, ',') .. table.concat(u, ',') end)()",
    "utf8.char(), utf8.char(72, 228, 8364, 0x10FFFF), #utf8.charpattern, utf8.len(a), "
    "utf8.len('\xC3\xA4\xE2\x82\xAC'), utf8.len('\\xFF'), utf8.len('a\\xC3'), "
    "utf8.codepoint('\xC3\xA4', 1), utf8.codepoint('abc', 1, 3), utf8.len('abc', 4), "
    "utf8.len('abc', -2), (pcall(utf8.len, 'abc', 5)), utf8.len(''), utf8.len('\\u{D7FF}')",
    "utf8.offset('a\xC3\xA4z', i), utf8.offset('a\xC3\xA4z', -j), utf8.offset('a\xC3\xA4z', 0, 3), "
    "utf8.offset('a\xC3\xA4z', 2, 2), (pcall(utf8.offset, 'a\xC3\xA4z', 1, 3)), "
    "utf8.offset('abc', 5), utf8.offset('abc', -4)",
    "(function() local s = '' for p, c in utf8.codes('a\xC3\xA4\xE2\x82\xAC') do s = s .. p .. "
    "':' .. c "
    ".. ' ' end return s end)(), (pcall(function() for _ in utf8.codes('a\\xFFb') do end end))",
    "pcall(error, a, 0), pcall(error, i), select('#', pcall(error)), xpcall(function(x) "
    "return x end, error, a), xpcall(error, function(m) return m .. '!' end, a, 0), "
    "pcall(assert, false, b), pcall(assert, nil, i), assert(a, b), (pcall(pcall))",
    "rawequal(a, a), rawequal(a, b), rawlen({ 1, 2 }), rawlen(a), rawget({ x = i }, 'x'), "
    "rawset({}, 1, j)[1], type(nil), type(a), type({}), type(type)",
    "getmetatable({}), getmetatable(setmetatable({}, { __metatable = a })), "
    "setmetatable({}, { __index = { x = i } }).x, setmetatable({}, { __tostring = "
    "function() return b end }) ~= nil, tostring(setmetatable({}, { __tostring = function() "
    "return a end }))",
    "(function() local log = {} local t = setmetatable({}, { __newindex = function(t, k, v) "
    "rawset(t, k, v .. '!') end }) t.x = a t.x = b t.y = i return t.x .. t.y end)()",
    "(function() local base = {} local mt = {} setmetatable(base, mt) mt.__newindex = {} "
    "local over = setmetatable({}, base) rawset(base, '__index', base) rawset(base, 'x', i) "
    "base.y = j "
    "return tostring(over.x) .. tostring(over.y) .. tostring(mt.__newindex.y) end)()",
};

static void expressions_agree_with_lua(void **state)
{
    static const char *const texts[] = { "", "a", "hello", "10", "0x1F", "b.c", "-7", "  3 " };
    char source[4096];

    (void)state;
    for (size_t n = 0; n < sizeof EXPRESSIONS / sizeof EXPRESSIONS[0]; n++) {
        struct pair pair;
        snprintf(source, sizeof source, "keep(function(a, b, i, j) return show(true, %s) end)",
                 EXPRESSIONS[n]);
        pair_open(&pair, source);
        for (int i = -3; i <= 6; i++)
            for (size_t t = 0; t < 8; t++)
                pair_compare(&pair, texts[t], texts[7 - t], i, (i + 9) % 4);
        pair_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_agrees_with_lua),
        cmocka_unit_test(match_agrees_with_lua),
        cmocka_unit_test(gsub_agrees_with_lua),
        cmocka_unit_test(gmatch_agrees_with_lua),
        cmocka_unit_test(what_lua_finds_malformed_is_refused),
        cmocka_unit_test(expressions_agree_with_lua),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
