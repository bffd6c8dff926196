/* sandbox_try.h -- run one script in a fresh sandbox and keep what came of it.
 *
 * The script calls keep(f) once; after sealing, f is called.  The host's side of
 * these tests is as small as a host can be: keep, stop, and numbered(n), a host
 * object with a number in it.
 */
#ifndef TESTS_CORE_SCRIPT_SANDBOX_TRY_H
#define TESTS_CORE_SCRIPT_SANDBOX_TRY_H

#include "core/base/err.h"
#include "core/script/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <cmocka.h>

#define TRY_FILE "rules/test.lua"
#define TRY_RESULT_MAX 4096

struct trial {
    int load_rc; /* of load and seal; the rest is filled only if it is 0 */
    struct err err;
    struct sandbox_report report;
    char result[TRY_RESULT_MAX]; /* what the function returned, as text */
    char changed[64];            /* the report's, which dies with the sandbox */
};

static inline int try_keep(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushinteger(lua, sandbox_keep(lua, 1));
    return 1;
}

static inline int try_stop(lua_State *lua)
{
    return sandbox_stop(lua);
}

static inline struct sandbox *try_new(const struct sandbox_limits *limits)
{
    struct sandbox *sandbox = sandbox_new(limits);
    sandbox_add_function(sandbox, "keep", try_keep, 0);
    sandbox_add_function(sandbox, "stop", try_stop, 0);
    return sandbox;
}

static inline void try_call(struct sandbox *sandbox, unsigned id, struct trial *out)
{
    lua_State *lua = sandbox_state(sandbox);
    int top = lua_gettop(lua);

    out->result[0] = '\0';
    if (sandbox_call(sandbox, id, 0, 1, &out->report) == SANDBOX_OK) {
        const char *text = lua_isboolean(lua, -1)  ? (lua_toboolean(lua, -1) ? "true" : "false")
                           : lua_isstring(lua, -1) ? lua_tostring(lua, -1)
                                                   : lua_typename(lua, lua_type(lua, -1));
        snprintf(out->result, sizeof out->result, "%s", text);
        lua_pop(lua, 1);
    }
    snprintf(out->changed, sizeof out->changed, "%s",
             out->report.changed_name != NULL ? out->report.changed_name : "");
    assert_int_equal(top, lua_gettop(lua));
}

static inline int try_load(struct sandbox *sandbox, const char *text, struct err *err)
{
    err->text[0] = '\0';
    int rc = sandbox_load(sandbox, TRY_FILE, text, strlen(text), err);
    return rc == 0 ? sandbox_seal(sandbox, err) : rc;
}

static inline void try_script_within(const struct sandbox_limits *limits, const char *text,
                                     struct trial *out)
{
    struct sandbox *sandbox = try_new(limits);
    out->load_rc = try_load(sandbox, text, &out->err);
    if (out->load_rc == 0)
        try_call(sandbox, 0, out);
    sandbox_free(sandbox);
}

static inline void try_script(const char *text, struct trial *out)
{
    try_script_within(NULL, text, out);
}

#endif
