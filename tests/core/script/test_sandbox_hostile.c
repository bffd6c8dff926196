/* test_sandbox_hostile.c -- scripts that try to get out, stay in, or tell states
 * apart.
 *
 * One row, one test.  Each script runs twice in one sandbox and once in another,
 * whose hash seed differs; unless memory decided, all three must agree on the
 * outcome, the message, the place and the instructions to the last one.
 */
#include "tests/core/script/sandbox_try.h"

#include <stdlib.h>

struct attack {
    const char *name;
    const char *script;
    int outcome;          /* of the call, or an E_* of the load */
    const char *expected; /* the result, or a part of the message */
};

#define CALL(body) "keep(function() " body " end)"

static const struct attack ENDLESS[] = {
    { "a while loop ends", CALL("while true do end"), SANDBOX_BUDGET, "over the budget" },
    { "a repeat loop ends", CALL("repeat until false"), SANDBOX_BUDGET, "over the budget" },
    { "a goto loop ends", CALL("::top:: goto top"), SANDBOX_BUDGET, "over the budget" },
    { "a for loop to the largest integer ends", CALL("for i = 1, math.maxinteger do end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a for loop never wraps around",
      CALL("local n = 0 for i = math.maxinteger - 2, math.maxinteger do n = n + 1 end return n"),
      SANDBOX_OK, "3" },
    { "a for loop by infinite steps ends", CALL("for i = 1, math.huge, 0.5 do end"), SANDBOX_BUDGET,
      "over the budget" },
    { "an iterator that never ends is ended", CALL("for _ in function() return 1 end do end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in pcall ends", CALL("pcall(function() while true do end end) return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
    { "pcall in a loop cannot swallow the end",
      CALL("while true do pcall(function() while true do end end) end"), SANDBOX_BUDGET,
      "over the budget" },
    { "nested pcalls cannot swallow the end",
      CALL("pcall(pcall, pcall, pcall, function() while true do end end) return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
    { "pcall of pcall in depth cannot swallow the end",
      CALL("local function f(n) while true do pcall(f, n) end end f()"), SANDBOX_BUDGET,
      "over the budget" },
    { "an xpcall handler does not see the end",
      CALL("xpcall(function() while true do end end, function() stop() end)"), SANDBOX_BUDGET,
      "over the budget" },
    { "a looping xpcall handler does not run at the end",
      CALL("xpcall(function() while true do end end, function() while true do end end)"),
      SANDBOX_BUDGET, "over the budget" },
    { "a looping xpcall handler of an honest error ends",
      CALL("xpcall(error, function() while true do end end, 'x')"), SANDBOX_BUDGET,
      "over the budget" },
    { "an xpcall handler that raises ends",
      CALL("local n = 0 local ok = xpcall(error, function() n = n + 1 error('again') end, 'x') "
           "return tostring(ok)"),
      SANDBOX_OK, "false" },
    { "pcall as an xpcall handler is harmless",
      CALL("return tostring(select('#', xpcall(error, pcall, 'x')))"), SANDBOX_OK, "2" },
    { "a to-be-closed variable cannot outlive the end",
      CALL("local c <close> = setmetatable({}, { __close = function() while true do end end }) "
           "while true do end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a to-be-closed variable under pcall cannot outlive the end",
      CALL("local mt = { __close = function() while true do end end } "
           "while true do pcall(function() local c <close> = setmetatable({}, mt) "
           "while true do end end) end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a to-be-closed variable cannot turn the end into an error",
      CALL("pcall(function() local c <close> = setmetatable({}, { __close = error }) "
           "while true do end end) return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
    { "many to-be-closed variables die one by one",
      CALL("local mt = { __close = function() while true do end end } "
           "local function f(n) local c <close> = setmetatable({}, mt) "
           "if n > 0 then f(n - 1) end while true do end end f(100)"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __index ends",
      CALL("return setmetatable({}, { __index = function() while true do end end }).x"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __newindex ends",
      CALL("setmetatable({}, { __newindex = function() while true do end end }).x = 1"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __tostring ends",
      CALL("tostring(setmetatable({}, { __tostring = function() while true do end end }))"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __eq, __lt and __concat ends",
      CALL("local mt = { __eq = function() while true do end end } "
           "pcall(function() return setmetatable({}, mt) == setmetatable({}, mt) end)"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __len ends",
      CALL("return #setmetatable({}, { __len = function() while true do end end })"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in __pairs ends",
      CALL("pairs(setmetatable({}, { __pairs = function() while true do end end }))"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in a gsub callback ends",
      CALL("pcall(string.gsub, 'x', 'x', function() while true do end end) return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in a comparison ends",
      CALL("pcall(table.sort, { 2, 1 }, function() while true do end end) return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
    { "a chain of __index that bites its tail is an error",
      CALL("local a, b = {}, {} setmetatable(a, { __index = b }) setmetatable(b, { __index = a }) "
           "return a.x"),
      SANDBOX_ERROR, "loop" },
    { "a loop while loading ends", "while true do end", E_LIMIT, "rules/test.lua:1: over" },
    { "a protected loop while loading ends",
      "while true do pcall(function() while true do end end) end", E_LIMIT, "over the budget" },
    { "a million calls of C functions end", CALL("while true do string.rep('x', 100) end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a loop in table.unpack's arguments ends",
      CALL("while true do select('#', table.unpack({}, 1, 8000)) end"), SANDBOX_BUDGET,
      "over the budget" },
    { "gmatch over nothing ends",
      CALL("while true do for _ in ('x'):rep(1000):gmatch('') do end "
           "end"),
      SANDBOX_BUDGET, "over the budget" },
};

static const struct attack DEEP[] = {
    { "endless recursion is a clean error", CALL("local function f() return 1 + f() end f()"),
      SANDBOX_BUDGET, "1000 calls deep" },
    { "endless recursion is seen through pcall",
      CALL("local function f() return 1 + f() end pcall(f) return 'out'"), SANDBOX_BUDGET,
      "1000 calls deep" },
    { "endless tail calls end", CALL("local function f() return f() end f()"), SANDBOX_BUDGET,
      "over the budget" },
    { "recursion through pcall is a clean error",
      CALL("local depth = 0 local function f() depth = depth + 1 assert(pcall(f)) end "
           "local ok, text = pcall(f) return tostring(ok)"),
      SANDBOX_OK, "false" },
    { "recursion through gsub is a clean error",
      CALL("local function f() return (('x'):gsub('x', f)) end return f()"), SANDBOX_ERROR,
      "C stack overflow" },
    { "recursion through sort is a clean error",
      CALL("local function f() table.sort({ 1, 2 }, f) end f()"), SANDBOX_ERROR,
      "C stack overflow" },
    { "recursion through __tostring and format is a clean error",
      CALL("local t = {} setmetatable(t, { __tostring = function(x) "
           "return string.format('%s', x) end }) return tostring(t)"),
      SANDBOX_ERROR, "C stack overflow" },
    { "recursion through __index functions is a clean error",
      CALL("local t = {} setmetatable(t, { __index = function(x, k) return x[k + 1] end }) "
           "return t[1]"),
      SANDBOX_ERROR, "C stack overflow" },
    { "recursion through xpcall handlers is a clean error",
      CALL("local function f() xpcall(error, f) end f() return 'survived'"), SANDBOX_OK,
      "survived" },
    { "recursion to a useful depth works",
      CALL("local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end "
           "return f(900)"),
      SANDBOX_OK, "900" },
    { "deeply nested source is a clean error", NULL, E_INVALID,
      "rules/test.lua: C stack "
      "overflow" },
};

static const struct attack GREEDY[] = {
    { "a growing table is stopped", CALL("local t = {} for i = 1, 1e9 do t[i] = i end"),
      SANDBOX_MEMORY, "bytes of memory" },
    { "pcall cannot outlive the end of memory",
      CALL("while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = i end end) end"),
      SANDBOX_MEMORY, "bytes of memory" },
    { "xpcall cannot outlive the end of memory",
      CALL("while true do xpcall(function() local t = {} for i = 1, 1e9 do t[i] = {} end end, "
           "function() while true do end end) end"),
      SANDBOX_MEMORY, "" },
    { "a to-be-closed variable cannot outlive the end of memory",
      CALL("local keepers = {} pcall(function() local c <close> = setmetatable({}, { __close = "
           "function() while true do end end }) for i = 1, 1e9 do keepers[i] = { i } end end) "
           "return 'out'"),
      SANDBOX_MEMORY, "bytes of memory" },
    { "many strings are stopped",
      CALL("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end"), SANDBOX_MEMORY,
      "bytes of memory" },
    { "many closures are stopped",
      CALL("local t = {} for i = 1, 1e9 do t[i] = function() return i end end"), SANDBOX_MEMORY,
      "bytes of memory" },
    { "a huge table built by pack is stopped",
      CALL("local t = {} for i = 1, 1e9 do t[i] = table.pack(table.unpack({}, 1, 8000)) end"),
      SANDBOX_MEMORY, "" },
    { "doubling a string by concatenation is stopped",
      CALL("local s = 'x' while true do s = s .. s end"), SANDBOX_BUDGET,
      "a string of more than 262144 bytes" },
    { "pcall cannot hide a string too long",
      CALL("pcall(function() local s = 'x' while true do s = s .. s end end) return 'out'"),
      SANDBOX_BUDGET, "a string of more than" },
    { "string.rep is bounded", CALL("return ('x'):rep(1e9)"), SANDBOX_ERROR,
      "the limit is "
      "262144" },
    { "string.rep with a separator is bounded", CALL("return (''):rep(1e9, 'ab')"), SANDBOX_ERROR,
      "the limit is 262144" },
    { "string.rep of an overflowing size is bounded",
      CALL("return ('x'):rep(math.maxinteger, ('y'):rep(100))"), SANDBOX_ERROR,
      "the limit is 262144" },
    { "string.rep of nothing is free", CALL("return #(''):rep(math.maxinteger)"), SANDBOX_OK, "0" },
    { "table.concat is bounded",
      CALL("local t = {} for i = 1, 300 do t[i] = ('x'):rep(1000) end return table.concat(t)"),
      SANDBOX_ERROR, "the limit is 262144" },
    { "table.concat with a huge range is bounded",
      CALL("return table.concat({}, 'x', 1, math.maxinteger)"), SANDBOX_BUDGET, "over the budget" },
    { "gsub's growth is bounded", CALL("return (('x'):rep(10000):gsub('x', ('y'):rep(1000)))"),
      SANDBOX_ERROR, "the limit is 262144" },
    { "a format's width is bounded", CALL("return ('%1000d'):format(1)"), SANDBOX_ERROR,
      "string.format knows no" },
    { "a format's precision is bounded", CALL("return ('%.1000f'):format(1)"), SANDBOX_ERROR,
      "string.format knows no" },
    { "the largest number formats", CALL("return #('%99.99f'):format(-1.7976931348623157e308)"),
      SANDBOX_OK, "410" },
    { "table.unpack of a hundred million is refused", CALL("return table.unpack({}, 1, 1e8)"),
      SANDBOX_ERROR, "too many values to unpack" },
    { "table.unpack of the whole integer range is refused",
      CALL("return table.unpack({}, math.mininteger, math.maxinteger)"), SANDBOX_ERROR,
      "too many values to unpack" },
    { "string.byte of a long string is refused", CALL("return ('x'):rep(100000):byte(1, -1)"),
      SANDBOX_ERROR, "too many bytes" },
    { "utf8.codepoint of a long string is refused",
      CALL("return utf8.codepoint(('x'):rep(100000), 1, -1)"), SANDBOX_ERROR,
      "too many code points" },
    { "utf8.char with a flood of arguments is charged",
      CALL("local t = {} for i = 1, 8000 do t[i] = 65 end "
           "while true do utf8.char(table.unpack(t)) end"),
      SANDBOX_BUDGET, "over the budget" },
    { "select over a flood of arguments is charged",
      CALL("local function f(...) while true do select(-1, ...) end end "
           "f(table.unpack({}, 1, 8000))"),
      SANDBOX_BUDGET, "over the budget" },
    { "table.move over the whole range is refused",
      CALL("table.move({}, math.mininteger, math.maxinteger, 1)"), SANDBOX_ERROR, "too many" },
    { "table.move over a long range is charged", CALL("table.move({}, 1, 1e15, 2)"), SANDBOX_BUDGET,
      "over the budget" },
    { "table.insert far away is charged",
      CALL("local t = {} for i = 1, 5000 do t[i] = i end while true do table.insert(t, 1, 0) end"),
      SANDBOX_BUDGET, "over the budget" },
    { "a very long error message is cut", CALL("error(('x'):rep(200000))"), SANDBOX_ERROR,
      "xxx..." },
    { "comparing two long strings over and over is charged by their length",
      CALL("local a = ('x'):rep(262000) local b = ('x'):rep(262000) local n = 0 "
           "while true do if a == b then n = n + 1 end end"),
      SANDBOX_BUDGET, "over the budget" },
    { "copying a long string over and over is charged by its length",
      CALL("local a = ('x'):rep(200000) while true do local b = a .. 'y' end"), SANDBOX_BUDGET,
      "over the budget" },
    { "a million elements to be sorted do not fit",
      CALL("local t = {} for i = 1, 1000000 do t[i] = -i end table.sort(t) return t[1]"),
      SANDBOX_MEMORY, "bytes of memory" },
    { "a hundred thousand elements cannot be sorted for free",
      CALL("local t = {} for i = 1, 100000 do t[i] = -i end "
           "for _ = 1, 10 do table.sort(t, function(a, b) return a > b end) end"),
      SANDBOX_BUDGET, "over the budget" },
    { "many string keys with the same beginning are no trap",
      CALL("local t = {} for i = 1, 3000 do t[('k'):rep(60) .. i] = i end local n = 0 "
           "for k, v in pairs(t) do n = n + v end return n"),
      SANDBOX_OK, "4501500" },
    { "next in a loop pays for its search",
      CALL("local t = {} for i = 1, 3000 do t['k' .. i] = i end local k = nil "
           "repeat k = next(t, k) until k == nil return 'out'"),
      SANDBOX_BUDGET, "over the budget" },
};

static const struct attack PATTERNS[] = {
    { "six lazy items spend their own budget", CALL("return (('a'):rep(60)):find('.-.-.-.-.-.-b')"),
      SANDBOX_BUDGET, "over the budget" },
    { "greedy items spend their own budget", CALL("return (('a'):rep(200)):find('a*a*a*a*a*a*b')"),
      SANDBOX_BUDGET, "over the budget" },
    { "a pathological gsub spends its own budget",
      CALL("pcall(string.gsub, ('a'):rep(5000), '(a*)*b', '') "
           "return pcall(string.gsub, ('a'):rep(20000), 'a-a-b', '')"),
      SANDBOX_BUDGET, "over the budget" },
    { "a pathological match under pcall spends its own budget",
      CALL("pcall(string.match, ('a'):rep(5000), '.-.-.-b') return 'out'"), SANDBOX_BUDGET,
      "over the budget" },
    { "%b over an unbalanced text spends its own budget",
      CALL("return (('('):rep(100000)):find('%b()')"), SANDBOX_BUDGET, "over the budget" },
    { "a back reference in a loop spends its own budget",
      CALL("return (('a'):rep(2000)):find('(a*)%1b')"), SANDBOX_BUDGET, "over the budget" },
    { "trimming a long text is no crime",
      CALL("return #(('  ' .. ('word '):rep(4000)):match('^%s*(.-)%s*$'))"), SANDBOX_OK, "19999" },
    { "plain find is always allowed",
      CALL("return (('a'):rep(200000) .. '.-.-'):find('.-.-', 1, true)"), SANDBOX_OK, "200001" },
    { "a pattern of too many parts is refused", CALL("return ('x'):find(('.'):rep(1000))"),
      SANDBOX_ERROR, "more than 200 parts" },
    { "a pattern of too many repetitions is refused", CALL("return ('x'):find(('.-'):rep(50))"),
      SANDBOX_ERROR, "more than 32 repetitions" },
    { "a pattern of too many sets is refused", CALL("return ('x'):find(('[ab]'):rep(50))"),
      SANDBOX_ERROR, "more than 24 sets" },
    { "a pattern of too many captures is refused", CALL("return ('x'):find(('()'):rep(33))"),
      SANDBOX_ERROR, "more than 32 captures" },
    { "a pattern that ends in % is refused", CALL("return ('x'):find('%')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a set without an end is refused", CALL("return ('x'):find('[a')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a set that ends in % is refused", CALL("return ('x'):find('[a%')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "an open capture is refused", CALL("return ('x'):find('(')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a close without an open is refused", CALL("return ('x'):match('x)')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a reference into its own capture is refused", CALL("return ('xx'):find('(x%1)')"),
      SANDBOX_ERROR, "malformed pattern" },
    { "%b without arguments is refused", CALL("return ('x'):find('%b(')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "%f without a set is refused", CALL("return ('x'):find('%fa')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a pattern that ends in %f is refused", CALL("return ('x'):find('%f')"), SANDBOX_ERROR,
      "malformed pattern" },
    { "a replacement that names no capture is refused", CALL("return ('x'):gsub('x', '%2')"),
      SANDBOX_ERROR, "the replacement may use" },
};

static const struct attack SMUGGLERS[] = {
    { "__gc is refused", CALL("setmetatable({}, { __gc = function() end })"), SANDBOX_ERROR,
      "__gc is not available" },
    { "__mode is refused", CALL("setmetatable({}, { __mode = 'k' })"), SANDBOX_ERROR,
      "__mode is not available" },
    { "__mode cannot be added later", CALL("local mt = {} setmetatable({}, mt) mt.__mode = 'k'"),
      SANDBOX_ERROR, "__mode is not available" },
    { "__mode cannot be added later under a computed name",
      CALL("local mt = {} setmetatable({}, mt) mt['__mo' .. 'de'] = 'k'"), SANDBOX_ERROR,
      "__mode is not available" },
    { "__mode cannot be added by rawset",
      CALL("local mt = {} setmetatable({}, mt) rawset(mt, '__mode', 'k')"), SANDBOX_ERROR,
      "__mode is not available" },
    { "__mode cannot come through a metatable's __newindex",
      CALL("local mt = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v) end }) "
           "setmetatable({}, mt) mt.__mode = 'k'"),
      SANDBOX_ERROR, "__mode is not available" },
    { "__gc cannot be added before a second setmetatable",
      CALL("local mt = {} setmetatable({}, mt) mt.__gc = function() end setmetatable({}, mt)"),
      SANDBOX_ERROR, "__gc is not available" },
    { "__gc inherited by a metatable has no effect",
      CALL("local mt = setmetatable({}, { __index = { __gc = error, __mode = 'k' } }) "
           "local weak = setmetatable({}, mt) weak[{}] = true "
           "for i = 1, 20000 do local _ = { i } end "
           "return tostring(rawget(mt, '__gc'))"),
      SANDBOX_OK, "nil" },
    { "the metatable of strings is out of reach", CALL("return getmetatable('')"), SANDBOX_OK,
      "nil" },
    { "the metatable of functions is out of reach", CALL("return getmetatable(print or error)"),
      SANDBOX_OK, "nil" },
    { "a string has methods and no arithmetic", CALL("return '10' + 1"), SANDBOX_ERROR,
      "attempt to perform arithmetic on a string" },
    { "the string library cannot be replaced", CALL("string.upper = nil"), SANDBOX_ERROR,
      "cannot be changed" },
    { "the string library cannot be replaced while loading", "string.upper = nil", E_INVALID,
      "rules/test.lua:1: this table" },
    { "the string library cannot be replaced by rawset", CALL("rawset(string, 'upper', nil)"),
      SANDBOX_ERROR, "cannot be changed" },
    { "what does not exist does not exist",
      CALL("local names = {} for _, v in ipairs{ load, loadstring, loadfile, dofile, require, "
           "package, io, os, debug, coroutine, collectgarbage, print, warn, _G, module, "
           "setfenv, getfenv, newproxy, bit32, string.dump, string.pack, string.unpack, "
           "string.packsize, math.random, math.randomseed, math.sin, math.cos, math.exp, "
           "math.log, math.pow } do names[1] = v end return tostring(names[1])"),
      SANDBOX_OK, "nil" },
    { "_ENV is refused", "local _ENV = {}", E_INVALID, "rules/test.lua:1:7: `_ENV`" },
    { "_ENV as a field is refused as well", "local x = {}\nreturn x._ENV", E_INVALID,
      "rules/test.lua:2:10: `_ENV`" },
    { "compiled code is refused", "\033LuaT\0\x19\x93", E_INVALID, "compiled Lua" },
    { "the hidden length function cannot be named", "__length = nil", E_INVALID, "is taken" },
    { "a power is refused with its place", "-- a\nlocal \xC3\xA4x = 1\nlocal y = 2^3", E_INVALID,
      "rules/test.lua:3:12: `^`" },
    { "a power in a string is none",
      "-- 2^3\n--[[ ^ ]] --[==[ ]] ^ ]==]\n"
      "keep(function() return '^' .. \"\\\"^\" .. [[^]] .. [=[]]^]=] .. '\\\n^' .. '\\z \n ^' end)",
      SANDBOX_OK, "^\"^^]]^\n^^" },
    { "`#` in a strange place is refused", "local a = 1\nlocal b = a\n#a", E_INVALID,
      "rules/test.lua:3:1: unexpected `#`" },
    { "`#` of a function is refused", "return #function() end", E_INVALID, "unexpected `#`" },
    { "`#` at the end is refused", "return #", E_INVALID, "unexpected `#`" },
    { "an unfinished string is the compiler's to explain", "x = 'abc", E_INVALID,
      "rules/test.lua:1: unfinished string" },
    { "an unfinished comment is the compiler's to explain", "--[[ ^", E_INVALID,
      "unfinished long comment" },
    { "brackets that do not pair are the compiler's to explain", "x = (1", E_INVALID,
      "')' expected" },
    { "a bad long bracket is the compiler's to explain", "x = [=a", E_INVALID,
      "invalid long string delimiter" },
    { "an error value that is a table is not asked",
      CALL("error(setmetatable({}, { __tostring = function() while true do end end }))"),
      SANDBOX_ERROR, "the error value is a table" },
    { "an error value that is nil is told", CALL("error()"), SANDBOX_ERROR,
      "the error value is nil" },
    { "an error value that is a function is told", CALL("error(error)"), SANDBOX_ERROR,
      "the error value is a function" },
    { "an error value cannot name itself",
      CALL("error(setmetatable({}, { __name = '0xdeadbeef' }))"), SANDBOX_ERROR,
      "the error value is a table" },
    { "a message that is not UTF-8 is cleaned",
      CALL("error('a\\xFF\\xC0\\x80b\\xED\\xA0\\x80c', "
           "0)"),
      SANDBOX_ERROR,
      "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
      "b" },
    { "a message with terminal commands is cleaned", CALL("error('a\\27[31m\\0b', 0)"),
      SANDBOX_ERROR,
      "a\xEF\xBF\xBD[31m\xEF\xBF\xBD"
      "b" },
    { "a wrong result of __tostring is an error",
      CALL("tostring(setmetatable({}, { __tostring = function() return {} end }))"), SANDBOX_ERROR,
      "__tostring must return a string" },
    { "stop ends whatever is protected", CALL("while true do xpcall(pcall, error, stop) end"),
      SANDBOX_STOPPED, "" },
    { "stop cannot be undone by closing",
      CALL("pcall(function() local c <close> = setmetatable({}, { __close = function() "
           "error('no') end }) stop() end) return 'out'"),
      SANDBOX_STOPPED, "" },
    { "stop ends a comparison", CALL("pcall(table.sort, { 1, 2 }, stop) return 'out'"),
      SANDBOX_STOPPED, "" },
};

static const struct attack ORACLES[] = {
    { "tostring of a table shows no address", CALL("return tostring({})"), SANDBOX_OK, "table" },
    { "tostring of a function shows no address", CALL("return tostring(error)"), SANDBOX_OK,
      "function" },
    { "format of a table shows no address", CALL("return ('%s %s'):format({}, error)"), SANDBOX_OK,
      "table function" },
    { "%p is refused", CALL("return ('%p'):format({})"), SANDBOX_ERROR,
      "string.format knows no "
      "'%p'" },
    { "%a is refused", CALL("return ('%a'):format(1)"), SANDBOX_ERROR,
      "string.format knows no "
      "'%a'" },
    { "%q of a table is refused", CALL("return ('%q'):format({})"), SANDBOX_ERROR,
      "no form in Lua source" },
    { "an error message shows no address", CALL("local t = {} return t .. 'x'"), SANDBOX_ERROR,
      "attempt to concatenate a table value" },
    { "error of a call shows no address", CALL("local t = {} t()"), SANDBOX_ERROR,
      "attempt to call a table value" },
    { "pairs is sorted",
      CALL("local s = '' for k in pairs{ b = 1, a = 1, [10] = 1, [9] = 1, [9.5] = 1, [-1] = 1, "
           "[true] = 1, [false] = 1, aa = 1, B = 1, [''] = 1 } do s = s .. tostring(k) .. ' ' end "
           "return s"),
      SANDBOX_OK, "-1 9 9.5 10  B a aa b false true " },
    { "next is sorted",
      CALL("local t = { z = 1, y = 2, 7, [0] = 1 } local s, k = '', nil "
           "repeat k = next(t, k) s = s .. tostring(k) .. ' ' until k == nil return s"),
      SANDBOX_OK, "0 1 y z nil " },
    { "very large keys are sorted",
      CALL("local s = '' for k in pairs{ [2^63 and 1e300 or 0] = 1 } do s = s .. k end return s"),
      E_INVALID, "`^`" },
    { "floats and integers are sorted exactly",
      CALL("local s = '' for k in pairs{ [math.maxinteger] = 1, [1e300] = 1, [-1e300] = 1, "
           "[9223372036854775807.0] = 1, [math.mininteger] = 1, [-math.huge] = 1 } do "
           "s = s .. k .. ' ' end return s"),
      SANDBOX_OK,
      "-inf -1e+300 -9223372036854775808 9223372036854775807 9.2233720368548e+18 1e+300 " },
    { "a table as a key has no order", CALL("for k in pairs{ [{}] = 1 } do end"), SANDBOX_ERROR,
      "has no place in an order" },
    { "a function as a key has no order", CALL("return next{ [error] = 1 }"), SANDBOX_ERROR,
      "has no place in an order" },
    { "removing on the way is fine, adding is not seen",
      CALL("local t, s = { a = 1, b = 2, c = 3 }, '' for k in pairs(t) do t.b = nil t.d = 4 "
           "s = s .. k end return s"),
      SANDBOX_OK, "ac" },
    { "pairs of nil is an error", CALL("pairs(nil)"), SANDBOX_ERROR, "table expected" },
    { "the length of a list with holes comes from its contents",
      CALL("local t = {} for i = 1, 64 do t['k' .. i] = i end for i = 1, 64 do t['k' .. i] = nil "
           "end "
           "t[1] = 1 t[2] = 2 t[4] = 4 for i = 1, 9 do t['x' .. i] = i end return #t"),
      SANDBOX_OK, "4" },
    { "the length of a list is its length",
      CALL("local t = {} for i = 1, 1000 do t[#t + 1] = i end return #t .. #{} .. ##'abc' == nil"),
      SANDBOX_ERROR, "attempt to get the length of a number" },
    { "the length of all kinds of operands",
      CALL("local t = { a = { 1, 2 }, f = function() return { 1, 2, 3 } end } "
           "function t:m(x) return { x, x } end "
           "return #t.a .. #t['a'] .. #t.f() .. #t:m(1) .. #t:m'x' .. #t:m{} .. #'abc' .. #[[ab]] "
           ".. #{ 1, #'xx' } .. #('a'):rep(4) .. -#t.a .. (#t.a + #t.a * 2)"),
      SANDBOX_OK, "2232223224-26" },
    { "the length of varargs is that of the first",
      CALL("return (function(...) return #... end)('abc', 'd')"), SANDBOX_OK, "3" },
    { "the length of nil is an error with its line", "keep(function()\nlocal x\nreturn #x end)",
      SANDBOX_ERROR, "length of a nil" },
    { "sorting is stable",
      CALL("local t = {} for i = 1, 50 do t[i] = { k = i % 3, n = i } end "
           "table.sort(t, function(a, b) return a.k < b.k end) local s = '' "
           "for i = 1, 50 do s = s .. t[i].n .. ' ' end return s:sub(1, 24)"),
      SANDBOX_OK, "3 6 9 12 15 18 21 24 27 " },
    { "an inconsistent comparison is harmless",
      CALL("local t, n = {}, 0 for i = 1, 100 do t[i] = i end "
           "table.sort(t, function() n = n + 1 return true end) return #t .. ' ' .. n"),
      SANDBOX_OK, "100 316" },
    { "a comparison that raises leaves the list as it was",
      CALL("local t, n = { 3, 2, 1 }, 0 pcall(table.sort, t, function(a, b) n = n + 1 "
           "if n == 2 then error('x') end return a < b end) return table.concat(t)"),
      SANDBOX_OK, "321" },
    { "a comparison that changes the list is overruled",
      CALL("local t = { 3, 2, 1 } table.sort(t, function(a, b) t[1] = 9 t[4] = 7 return a < b end) "
           "return table.concat(t)"),
      SANDBOX_OK, "1237" },
    { "sorting mixed values is an error", CALL("table.sort{ 1, 'x' }"), SANDBOX_ERROR,
      "attempt to compare" },
    { "a NaN prints without its sign", CALL("return tostring(0/0) .. tostring(-(0/0))"), SANDBOX_OK,
      "nannan" },
    { "a NaN formats without its sign", CALL("return ('%f %5.1f %g'):format(0/0, -(0/0), 0/0)"),
      SANDBOX_OK, "nan   nan nan" },
    { "power is exact",
      CALL("return power(3, 20) .. ' ' .. power(2.0, -2) .. ' ' .. power(-2, "
           "63)"),
      SANDBOX_OK, "3486784401 0.25 -9223372036854775808" },
    { "power does not overflow silently", CALL("return power(10, 19)"), SANDBOX_ERROR,
      "beyond 64 bits" },
    { "power reaches both ends of the integers",
      CALL("return power(2, 62) .. ' ' .. power(-2, 63) .. ' ' .. power(-1, math.maxinteger) .. "
           "' ' .. power(0, 0) .. ' ' .. power(0, 9) .. ' ' .. tostring(pcall(power, 2, 63)) .. "
           "' ' "
           ".. tostring(pcall(power, -2, 64)) .. ' ' .. power(3037000499, 2)"),
      SANDBOX_OK,
      "4611686018427387904 -9223372036854775808 -1 1 0 false false 9223372030926249001" },
    { "power of a fraction is refused", CALL("return power(2, 0.5)"), SANDBOX_ERROR,
      "not a whole number" },
    { "letters are ASCII letters",
      CALL("return ('\xC3\xA4Z'):lower() .. "
           "tostring(('\xC3'):find('%a'))"),
      SANDBOX_OK, "\xC3\xA4znil" },
};

static const struct attack WRITERS[] = {
    { "a global cannot be set", CALL("counter = 1"), SANDBOX_ERROR,
      "the global 'counter' cannot be set" },
    { "an existing global cannot be set", "n = 0 " CALL("n = n + 1"), SANDBOX_ERROR,
      "the global 'n' cannot be set" },
    { "a built-in cannot be replaced", CALL("pairs = nil"), SANDBOX_ERROR, "cannot be set" },
    { "a pcall does not help", CALL("pcall(function() x = 1 end) return tostring(x)"), SANDBOX_OK,
      "nil" },
    { "a shared table cannot be changed", "local t = { 1 } " CALL("t[1] = 2"), SANDBOX_ERROR,
      "cannot be changed" },
    { "a shared table cannot be extended", "local t = {} " CALL("t.x = 2"), SANDBOX_ERROR,
      "cannot be changed" },
    { "rawset is refused", "local t = {} " CALL("rawset(t, 1, 2)"), SANDBOX_ERROR,
      "cannot be changed" },
    { "table.insert is refused", "local t = {} " CALL("table.insert(t, 2)"), SANDBOX_ERROR,
      "cannot be changed" },
    { "table.insert in the middle is refused", "local t = { 1 } " CALL("table.insert(t, 1, 2)"),
      SANDBOX_ERROR, "cannot be changed" },
    { "table.remove is refused", "local t = { 1 } " CALL("table.remove(t)"), SANDBOX_ERROR,
      "cannot be changed" },
    { "table.sort is refused", "local t = { 2, 1 } " CALL("table.sort(t)"), SANDBOX_ERROR,
      "cannot be changed" },
    { "table.move into it is refused", "local t = { 2, 1 } " CALL("table.move({ 5 }, 1, 1, 1, t)"),
      SANDBOX_ERROR, "cannot be changed" },
    { "table.move within it is refused", "local t = { 2, 1 } " CALL("table.move(t, 1, 1, 2)"),
      SANDBOX_ERROR, "cannot be changed" },
    { "table.move out of it works",
      "local t = { 2, 1 } " CALL("return table.concat(table.move(t, 1, 2, 1, {}))"), SANDBOX_OK,
      "21" },
    { "setmetatable is refused", "local t = {} " CALL("setmetatable(t, {})"), SANDBOX_ERROR,
      "cannot be changed" },
    { "removing a metatable is refused",
      "local t = setmetatable({}, {}) " CALL("setmetatable(t, "
                                             "nil)"),
      SANDBOX_ERROR, "cannot be changed" },
    { "a shared metatable cannot be changed",
      "local mt = {} local t = setmetatable({}, mt) " CALL("getmetatable(t).__index = {}"),
      SANDBOX_ERROR, "cannot be changed" },
    { "a table inside of a table cannot be changed",
      "local t = { { { 1 } } } " CALL("t[1][1][1] = 2"), SANDBOX_ERROR, "cannot be changed" },
    { "a table that is a key's value is reached through __index",
      "local t = setmetatable({}, { __index = { list = {} } }) " CALL("t.list[1] = 2"),
      SANDBOX_ERROR, "cannot be changed" },
    { "a table behind a function cannot be changed",
      "local function hide() local t = {} return function() return t end end local f = "
      "hide() " CALL("f().x = 1"),
      SANDBOX_ERROR, "cannot be changed" },
    { "a table behind a global function cannot be changed",
      "do local t = {} function give() return t end end " CALL("give().x = 1"), SANDBOX_ERROR,
      "cannot be changed" },
    { "a table behind an iterator cannot be changed",
      "local t = {} local f, s = pairs(t) local g = ipairs(t) " CALL("s.x = 1"), SANDBOX_ERROR,
      "cannot be changed" },
    { "a cycle is frozen and read",
      "local t = {} t.t = t t.u = { t } " CALL("assert(t.t == t and t.u[1] == t) t.t.u[1].x = 1"),
      SANDBOX_ERROR, "cannot be changed" },
    { "an old __newindex does not write for the script",
      "local store = {} local t = setmetatable({}, { __newindex = store }) " CALL("t.x = 1"),
      SANDBOX_ERROR, "cannot be changed" },
    { "gsub does not write through a table",
      "local t = { a = 'b' } " CALL("return (('a'):gsub('a', t))"), SANDBOX_OK, "b" },
    { "what a call makes can be changed",
      CALL("local t = { 1 } t.x = 2 table.insert(t, 3) table.sort(t) rawset(t, 9, 9) "
           "setmetatable(t, { __index = function() return 7 end }) return #t + t.y"),
      SANDBOX_OK, "9" },
};

static const struct attack READERS[] = {
    { "a frozen list reads as before",
      "local t = { 1, 2, 3, x = 'y' } " CALL(
          "local s = '' for i, v in ipairs(t) do s = s .. v end for k, v in pairs(t) do "
          "s = s .. tostring(k) end return s .. #t .. t.x .. rawget(t, 1) .. rawlen(t) .. "
          "table.concat(t) .. select('#', table.unpack(t)) .. next(t)"),
      SANDBOX_OK,
      "123123x3y13123"
      "31" },
    { "a frozen class makes objects",
      "local C = {} C.__index = C function C.new(n) return setmetatable({ n = n }, C) end "
      "function C:get() return self.n end C.__add = function(a, b) return C.new(a.n + b.n) end "
      "C.__tostring = function(c) return 'C' .. c.n end C.__eq = function(a, b) "
      "return a.n == b.n end C.__lt = function(a, b) return a.n < b.n end C.__call = "
      "function(c, x) return c.n + x end C.__len = function(c) return c.n end " CALL(
          "local c = C.new(2) + C.new(3) return c:get() .. tostring(c) .. "
          "tostring(c == C.new(5)) .. tostring(c < C.new(6)) .. c(1) .. #c .. "
          "tostring(getmetatable(c) == C)"),
      SANDBOX_OK, "5C5truetrue65true" },
    { "a frozen object keeps its metamethods",
      "local o = setmetatable({ n = 1 }, { __index = function(t, k) return k .. t.n end, "
      "__len = function() return 42 end, __call = function(_, x) return x end, "
      "__tostring = function() return 'obj' end, __concat = function() return 'cat' end }) " CALL(
          "return o.x .. #o .. o(1) .. tostring(o) .. (o .. 1)"),
      SANDBOX_OK, "x1421objcat" },
    { "inheritance over two classes works after sealing",
      "local A = {} A.__index = A function A.hi() return 'A' end function A.only() return 'o' end "
      "local B = setmetatable({}, { __index = A }) B.__index = B function B.hi() return 'B' "
      "end " CALL("local b = setmetatable({}, B) return b.hi() .. b.only() .. tostring(b.none)"),
      SANDBOX_OK, "Bonil" },
    { "inheritance by a function works after sealing",
      "local A = setmetatable({ x = 1 }, { __index = function(_, k) return k .. '!' end }) "
      "A.__index = A " CALL("local a = setmetatable({}, A) return a.x .. a.y"),
      SANDBOX_OK, "1y!" },
    { "a class that is its own metatable works",
      "local C = {} C.__index = function(_, k) return k .. '?' end setmetatable(C, C) " CALL(
          "return C.a"),
      SANDBOX_OK, "a?" },
    { "methods added after the first object count",
      "local C = {} C.__index = C local o = setmetatable({}, C) function C:late() return 'late' "
      "end "
      "function C.__unm() return 'neg' end " CALL("return o:late() .. (-o)"),
      SANDBOX_OK, "lateneg" },
    { "methods added after the first object count within a call",
      CALL("local C = {} C.__index = C local o = setmetatable({}, C) "
           "function C:late() return 'late' end function C.__unm() return 'neg' end "
           "return o:late() .. (-o) .. tostring(rawget(C, '__index') == C)"),
      SANDBOX_OK, "latenegtrue" },
    { "a metatable's copied metatable tells that it is too late",
      CALL("local meta = {} local C = {} setmetatable({}, C) setmetatable(C, meta) "
           "meta.__call = function() end"),
      SANDBOX_ERROR, "before setmetatable" },
    { "the constructor idiom works",
      "local C = setmetatable({}, { __call = function(class, n) "
      "return setmetatable({ n = n }, class) end }) C.__index = C "
      "function C:get() return self.n end local early = C(1) " CALL(
          "return C(5):get() + early:get()"),
      SANDBOX_OK, "6" },
    { "__metatable protects",
      CALL("local t = setmetatable({}, { __metatable = 'mine' }) "
           "return getmetatable(t) .. tostring(pcall(setmetatable, t, {}))"),
      SANDBOX_OK, "minefalse" },
    { "__pairs of a frozen table works",
      "local t = setmetatable({}, { __pairs = function() return function(_, k) "
      "if not k then return 1, 'p' end end end }) " CALL(
          "local s = '' for k, v in pairs(t) do s = s .. v end return s"),
      SANDBOX_OK, "p" },
    { "__close of a frozen metatable works",
      "local log = { __close = function(o) o.t[1] = 'closed' end } " CALL(
          "local t = {} do local c <close> = setmetatable({ t = t }, log) end return t[1]"),
      SANDBOX_OK, "closed" },
    { "an undefined global reads as nil", CALL("return tostring(undefined)"), SANDBOX_OK, "nil" },
    { "goto, labels and integer division work",
      CALL("local n = 0 ::top:: n = n + 1 if n < 5 then goto top end return n // 2 | 1 << 3"),
      SANDBOX_OK, "10" },
};

static void call_in(struct sandbox *sandbox, const struct attack *attack, struct trial *out)
{
    try_call(sandbox, 0, out);
    if (attack->outcome != (int)out->report.outcome)
        print_error("outcome %d: %s\n", out->report.outcome, out->report.message);
    assert_int_equal(attack->outcome, out->report.outcome);
    if (attack->outcome == SANDBOX_OK)
        assert_string_equal(attack->expected, out->result);
    else if (strstr(out->report.message, attack->expected) == NULL)
        assert_string_equal(attack->expected, out->report.message);
    assert_string_equal("", out->changed);
}

static void assert_same(const struct trial *a, const struct trial *b)
{
    assert_string_equal(a->report.message, b->report.message);
    assert_string_equal(a->report.file, b->report.file);
    assert_string_equal(a->report.traceback, b->report.traceback);
    assert_string_equal(a->result, b->result);
    assert_int_equal(a->report.line, b->report.line);
    assert_int_equal(a->report.instructions, b->report.instructions);
}

/* 300 nested functions, built here because no source line is that long. */
static const char *nested_source(void)
{
    static char text[16 * 1024];
    size_t size = 0;

    for (int i = 0; i < 300; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "do return function() ");
    return text;
}

static void run_attack(void **state)
{
    const struct attack *attack = *state;
    const char *script = attack->script != NULL ? attack->script : nested_source();
    struct trial first;
    struct trial again;
    struct trial elsewhere;
    struct err err;
    struct sandbox *sandbox = try_new(NULL);
    struct sandbox *other = try_new(NULL);

    int rc = try_load(sandbox, script, &err);
    if (rc != 0 && (rc != attack->outcome || strstr(err.text, attack->expected) == NULL))
        print_error("load: %s\n", err.text);
    if (attack->outcome < 0) {
        assert_int_equal(attack->outcome, rc);
        assert_non_null(strstr(err.text, attack->expected));
    } else {
        assert_int_equal(0, rc);
        assert_int_equal(0, try_load(other, script, &err));
        call_in(sandbox, attack, &first);
        call_in(sandbox, attack, &again);
        call_in(other, attack, &elsewhere);
        if (attack->outcome != SANDBOX_MEMORY) {
            assert_same(&first, &again);
            assert_same(&first, &elsewhere);
        }
    }
    sandbox_free(sandbox);
    sandbox_free(other);
}

static int run_group(const char *name, const struct attack *attacks, size_t count)
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);

    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = attacks[i].name,
            .test_func = run_attack,
            .initial_state = (void *)&attacks[i],
        };
    int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    free(tests);
    return failed;
}

#define RUN(group) run_group(#group, group, sizeof group / sizeof group[0])

int main(void)
{
    return RUN(ENDLESS) + RUN(DEEP) + RUN(GREEDY) + RUN(PATTERNS) + RUN(SMUGGLERS) + RUN(ORACLES) +
           RUN(WRITERS) + RUN(READERS);
}
