/* sandbox.c -- a sandbox from its making to its calls; see sandbox.h.
 *
 * The order of things in a run: report, budget, protected call, budget ended,
 * watched variables put back.  There is one way into Lua, run(), for files and
 * for calls alike, so that no limit can be forgotten on the way.
 *
 * Outside a run the host may use the state freely: no limit is in force, memory
 * cannot fail (mem.h), so none of its calls raises.
 */
#include "core/script/sandbox_parts.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 100

static const struct sandbox_limits DEFAULTS = {
    .call_instructions = 2000000,
    .load_instructions = 20000000,
    .call_bytes = 8u << 20,
    .load_bytes = 64u << 20,
    .source_bytes = 1u << 20,
    .string_bytes = 256u << 10,
};

static void limits_complete(struct sandbox_limits *limits, const struct sandbox_limits *wished)
{
    *limits = wished != NULL ? *wished : DEFAULTS;
    if (limits->call_instructions == 0)
        limits->call_instructions = DEFAULTS.call_instructions;
    if (limits->load_instructions == 0)
        limits->load_instructions = DEFAULTS.load_instructions;
    if (limits->call_bytes == 0)
        limits->call_bytes = DEFAULTS.call_bytes;
    if (limits->load_bytes == 0)
        limits->load_bytes = DEFAULTS.load_bytes;
    if (limits->source_bytes == 0)
        limits->source_bytes = DEFAULTS.source_bytes;
    if (limits->string_bytes == 0)
        limits->string_bytes = DEFAULTS.string_bytes;
}

static int panic(lua_State *lua)
{
    const char *text = lua_tostring(lua, -1);
    assert_failed(__FILE__, __LINE__, text != NULL ? text : "a Lua error outside a run");
}

static void environment_open(lua_State *lua)
{
    base_open(lua);
    front_open(lua);
    order_open(lua);
    math_open(lua);
    string_open(lua);
    table_open(lua);
    utf8_open(lua);
    lua_pushcfunction(lua, table_length);
    lua_setfield(lua, -2, SANDBOX_LENGTH);
}

/* Lua compares and prints by the locale.  In any other than "C" the same rule
 * would give other answers on another machine. */
static bool locale_is_plain(void)
{
    static const int categories[] = { LC_COLLATE, LC_CTYPE, LC_NUMERIC };

    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        const char *name = setlocale(categories[i], NULL);
        if (name == NULL || strcmp(name, "C") != 0)
            return false;
    }
    return true;
}

struct sandbox *sandbox_new(const struct sandbox_limits *limits)
{
    ASSERT(locale_is_plain());
    struct sandbox *sandbox = mem_zero(sizeof *sandbox);

    limits_complete(&sandbox->limits, limits);
    sandbox->bytes_soft = SIZE_MAX;
    sandbox->bytes_hard = SIZE_MAX;
    sandbox->lua = lua_newstate(sandbox_allocate, sandbox);
    ASSERT(sandbox->lua != NULL);
    memcpy(lua_getextraspace(sandbox->lua), &sandbox, sizeof sandbox);
    lua_atpanic(sandbox->lua, panic);

    lua_newtable(sandbox->lua);
    environment_open(sandbox->lua);
    lua_rawseti(sandbox->lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (sandbox == NULL)
        return;
    if (sandbox->lua != NULL)
        lua_close(sandbox->lua);
    free(sandbox->kept);
    free(sandbox->watches);
    free(sandbox);
}

lua_State *sandbox_state(struct sandbox *sandbox)
{
    return sandbox->lua;
}

struct sandbox *sandbox_of(lua_State *lua)
{
    struct sandbox *sandbox = NULL;
    memcpy(&sandbox, lua_getextraspace(lua), sizeof sandbox);
    return sandbox;
}

void sandbox_set_data(struct sandbox *sandbox, void *data)
{
    sandbox->data = data;
}

void *sandbox_data(lua_State *lua)
{
    return sandbox_of(lua)->data;
}

size_t sandbox_bytes(const struct sandbox *sandbox)
{
    return sandbox->bytes;
}

void sandbox_add_value(struct sandbox *sandbox, const char *name)
{
    ASSERT(!sandbox->is_sealed);
    lua_pushglobaltable(sandbox->lua);
    lua_insert(sandbox->lua, -2);
    lua_setfield(sandbox->lua, -2, name);
    lua_pop(sandbox->lua, 1);
}

void sandbox_add_function(struct sandbox *sandbox, const char *name, lua_CFunction function,
                          int upvalue_count)
{
    lua_pushcclosure(sandbox->lua, function, upvalue_count);
    sandbox_add_value(sandbox, name);
}

/* The message handler of every run: the stack still stands. */
static int on_error(lua_State *lua)
{
    struct sandbox *sandbox = sandbox_of(lua);
    size_t size = 0;

    if (sandbox->killed == SANDBOX_OK) {
        const char *text = report_render(lua, 1, &size);
        sandbox->is_reported = true;
        report_failure(lua, 1, sandbox->report, text, size); /* 0 is this function */
    }
    return 1;
}

/* After a failure that no handler saw: memory at the hard ceiling, or an error
 * while an error was being handled. */
static void report_late(struct sandbox *sandbox)
{
    size_t size = 0;
    const char *text = report_render(sandbox->lua, -1, &size);

    if (sandbox->killed != SANDBOX_OK) {
        text = sandbox->killed == SANDBOX_MEMORY ? "out of memory" : "over a limit";
        size = strlen(text);
    }
    report_clean(sandbox->report->message, SANDBOX_MESSAGE_MAX, text, size);
}

/* Call the function below `argument_count` values.  Nothing is left on the stack
 * but the results, if it went well. */
static enum sandbox_outcome run(struct sandbox *sandbox, int argument_count, int result_count,
                                struct sandbox_report *report)
{
    lua_State *lua = sandbox->lua;
    int handler = lua_gettop(lua) - argument_count;

    sandbox->report = report;
    lua_pushcfunction(lua, on_error);
    lua_insert(lua, handler);
    int status = lua_pcall(lua, argument_count, result_count, handler);
    if (status == LUA_ERRMEM || sandbox->bytes_refused != 0)
        budget_mark(sandbox, SANDBOX_MEMORY);

    bool has_failed = status != LUA_OK || sandbox->killed != SANDBOX_OK;
    if (has_failed && !sandbox->is_reported)
        report_late(sandbox);
    budget_end(sandbox);
    if (has_failed)
        lua_settop(lua, handler - 1);
    else
        lua_remove(lua, handler);

    report->instructions = sandbox->units;
    if (has_failed)
        report->outcome = sandbox->killed != SANDBOX_OK ? sandbox->killed : SANDBOX_ERROR;
    return report->outcome;
}

static int check_source(const struct sandbox *sandbox, const char *name, const char *text,
                        size_t size, struct err *err)
{
    if (strlen(name) > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "the path %.40s... is longer than %d bytes", name,
                       NAME_BYTES_MAX);
    if (size > sandbox->limits.source_bytes)
        return err_set(err, E_LIMIT, "%s: %zu bytes of text, the limit is %zu; split the file",
                       name, size, sandbox->limits.source_bytes);
    if (size > 0 && text[0] == LUA_SIGNATURE[0])
        return err_set(err, E_INVALID, "%s: compiled Lua; only its text can be loaded", name);
    return 0;
}

/* What source_prepare() made of a file, or the file as it is if it has tokens
 * that Lua does not: then the compiler explains it, and nothing may run. */
struct chunk {
    char name[NAME_BYTES_MAX + 2];
    struct buf text;
    bool is_broken;
};

/* Everything about loading that may raise, inside the run: compile and call. */
static int load_chunk(lua_State *lua)
{
    const struct chunk *chunk = lua_touserdata(lua, 1);

    lua_settop(lua, 0);
    if (luaL_loadbufferx(lua, (const char *)chunk->text.data, chunk->text.size, chunk->name, "t") !=
        LUA_OK)
        return lua_error(lua);
    if (chunk->is_broken)
        return luaL_error(lua, "%s: not Lua 5.4", chunk->name + 1);
    lua_call(lua, 0, 0);
    return 0;
}

/* The compiler says where it stopped and not what was forgotten before; who writes a first rule
 * forgets these.  Empty: nobody knows. */
static const char *usual_cause(const char *message)
{
    static const struct {
        const char *first, *second, *cause;
    } causes[] = {
        { ": '}' expected", "near '", "; is a comma missing before it?" },
        { ": unexpected symbol near ','", "", "; is an \"end\" missing before it?" },
        { ": unexpected symbol near '}'", "", "; is an \"end\" missing before it?" },
        { ": 'then' expected near '='", "", "; whether two are equal is asked with ==" },
    };
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (strstr(message, causes[i].first) != NULL && strstr(message, causes[i].second) != NULL)
            return causes[i].cause;
    return "";
}

static int load_failed(const struct sandbox_report *report, const char *name, struct err *err)
{
    int code = report->outcome == SANDBOX_ERROR ? E_INVALID : E_LIMIT;

    if (report->line != 0)
        return err_set(err, code, "%s:%d: %s", report->file, report->line, report->message);
    if (strncmp(report->message, name, strlen(name)) == 0) /* the compiler knows the place */
        return err_set(err, code, "%s%s", report->message, usual_cause(report->message));
    return err_set(err, code, "%s: %s", name, report->message);
}

static int run_chunk(struct sandbox *sandbox, const struct chunk *chunk, struct err *err)
{
    struct sandbox_report report;

    report_begin(&report);
    budget_begin(sandbox, sandbox->limits.load_instructions, sandbox->limits.load_bytes);
    lua_pushcfunction(sandbox->lua, load_chunk);
    lua_pushlightuserdata(sandbox->lua, (void *)chunk); /* only read */
    if (run(sandbox, 1, 0, &report) == SANDBOX_OK)
        return 0;
    return load_failed(&report, chunk->name + 1, err);
}

int sandbox_load(struct sandbox *sandbox, const char *name, const char *text, size_t size,
                 struct err *err)
{
    static const char MARK[] = "\xEF\xBB\xBF"; /* some editors begin a file with it */
    struct chunk chunk = { .text = BUF_INIT };

    ASSERT(!sandbox->is_sealed && sandbox->report == NULL);
    if (size >= 3 && memcmp(text, MARK, 3) == 0) {
        text += 3;
        size -= 3;
    }
    int rc = check_source(sandbox, name, text, size, err);
    if (rc == 0)
        rc = source_prepare(sandbox->lua, name, text, size, &chunk.text, err);
    if (rc == SOURCE_BROKEN) {
        chunk.is_broken = true;
        rc = 0;
    }
    if (rc == 0) {
        snprintf(chunk.name, sizeof chunk.name, "@%s", name);
        rc = run_chunk(sandbox, &chunk, err);
    }
    buf_deinit(&chunk.text);
    return rc;
}

unsigned sandbox_keep(lua_State *lua, int index)
{
    struct sandbox *sandbox = sandbox_of(lua);

    if (sandbox->is_sealed) { /* a script may try */
        luaL_error(lua, "nothing can be registered once all scripts are loaded");
        return 0;
    }
    lua_pushvalue(lua, index);
    int reference = luaL_ref(lua, LUA_REGISTRYINDEX);
    sandbox->kept = mem_resize(sandbox->kept, (sandbox->kept_count + 1) * sizeof sandbox->kept[0]);
    sandbox->kept[sandbox->kept_count] = (struct sandbox_kept){ .reference = reference };
    return sandbox->kept_count++;
}

void sandbox_push(struct sandbox *sandbox, unsigned id)
{
    ASSERT(id < sandbox->kept_count);
    lua_rawgeti(sandbox->lua, LUA_REGISTRYINDEX, sandbox->kept[id].reference);
}

int sandbox_seal(struct sandbox *sandbox, struct err *err)
{
    struct sandbox_report report;

    ASSERT(!sandbox->is_sealed && sandbox->report == NULL);
    report_begin(&report);
    budget_begin(sandbox, UINT64_MAX, 2 * sandbox->limits.load_bytes);
    lua_pushcfunction(sandbox->lua, seal_all);
    if (run(sandbox, 0, 0, &report) != SANDBOX_OK)
        return err_set(err, E_LIMIT, "sealing the scripts: %.200s", report.message);

    sandbox->is_sealed = true;
    sandbox->bytes_sealed = sandbox->bytes;
    return 0;
}

enum sandbox_outcome sandbox_call(struct sandbox *sandbox, unsigned id, int argument_count,
                                  int result_count, struct sandbox_report *out_report)
{
    ASSERT(sandbox->is_sealed && sandbox->report == NULL);
    report_begin(out_report);
    sandbox_push(sandbox, id);
    lua_insert(sandbox->lua, -argument_count - 1);
    budget_begin(sandbox, sandbox->limits.call_instructions,
                 sandbox->bytes_sealed + sandbox->limits.call_bytes);

    run(sandbox, argument_count, result_count, out_report);
    watch_restore(sandbox, &sandbox->kept[id], out_report);
    /* What a hungry call left on the stack would count as alive in the next one, whose unused
     * registers lie there: a collection between the two finds it dead. */
    if (sandbox->bytes > sandbox->bytes_sealed + sandbox->limits.call_bytes / 2)
        lua_gc(sandbox->lua, LUA_GCCOLLECT);
    return out_report->outcome;
}

void sandbox_set_room(struct sandbox *sandbox, size_t call_bytes)
{
    sandbox->limits.call_bytes = call_bytes;
}
