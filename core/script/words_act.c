/* words_act.c -- what rules do: emit, remind, after, cancel, send, notify, log.
 *
 * Each takes one table or a few values, checks them, and hands them to the engine
 * (core/engine/step.h), which decides.  Nothing is allocated that a long jump could
 * leak: values go into the arena of the entry.
 */
#include "core/base/utf8.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#include <string.h>

static struct arena *arena_of(lua_State *lua)
{
    return step_arena(host_of(lua)->step);
}

static void check_table(lua_State *lua, const char *word)
{
    if (lua_type(lua, 1) != LUA_TTABLE)
        luaL_error(lua, "%s { ... } takes a table", word);
    lua_settop(lua, 1);
    sandbox_push_contents(lua, 1); /* the table may stand in a declaration */
    lua_replace(lua, 1);
}

/* A document at `index`; nothing: none. */
static struct doc check_doc(lua_State *lua, int index, const char *word)
{
    struct doc_value value;
    struct err err;
    if (lua_isnoneornil(lua, index))
        return (struct doc){ NULL, 0 };
    if (lua_type(lua, index) != LUA_TTABLE)
        luaL_error(lua, "%s: data is a table", word);
    if (convert_from_lua(lua, index, arena_of(lua), &host_of(lua)->scratch, &value, &err) != 0)
        luaL_error(lua, "%s: %s", word, err.text);
    if (value.type != DOC_DOC)
        luaL_error(lua, "%s: data has names for keys, it is no list", word);
    return value.doc;
}

static struct doc option_doc(lua_State *lua, int index, const char *name, const char *word)
{
    lua_getfield(lua, index, name);
    struct doc doc = check_doc(lua, lua_gettop(lua), word);
    lua_pop(lua, 1);
    return doc;
}

/* emit("Type", { ... }), emit("Type", { ... }, { to = "user_id:u-1" }) */
static int word_emit(lua_State *lua)
{
    struct step *step = host_step(lua, "emit");
    struct text type = convert_text(lua, 1, step_arena(step)), to = { "", 0 };
    struct err err;
    struct doc data = check_doc(lua, 2, "emit");
    if (!lua_isnoneornil(lua, 3)) {
        if (lua_type(lua, 3) != LUA_TTABLE)
            return luaL_error(lua, "emit: to whom is written { to = \"user_id:u-17\" }");
        option_check(lua, 3, "emit", (const char *const[]){ "to", NULL });
        lua_getfield(lua, 3, "to");
        if (lua_isinteger(lua, -1))
            lua_tostring(lua, -1); /* a customer's number will do */
        to = convert_text(lua, -1, step_arena(step));
        if (to.size == 0)
            return luaL_error(
                lua, "emit: to is a customer: 42, \"user_id:u-17\", \"email:ann@example.com\"");
    }
    return step_emit(step, type, data, to, &err) != 0 ? host_raise(lua, &err) : 0;
}

static int64_t option_moment(lua_State *lua, const char *name, const char *word, struct text who,
                             int at_minute)
{
    lua_getfield(lua, 1, name);
    int64_t ms = moment_from_lua(lua, lua_gettop(lua), word, who, at_minute);
    lua_pop(lua, 1);
    return ms;
}

/* escalate = { after = "1d", to = "manager" }: when it has been due for a day */
static void read_escalation(lua_State *lua, struct reminder_request *request)
{
    struct arena *arena = arena_of(lua);
    lua_getfield(lua, 1, "escalate");
    if (lua_isnil(lua, -1)) {
        lua_pop(lua, 1);
        return;
    }
    luaL_argcheck(lua, lua_type(lua, -1) == LUA_TTABLE, 1,
                  "escalate = { after = \"1d\", to = \"...\" }");
    int table = lua_gettop(lua);
    option_check(lua, table, "escalate", (const char *const[]){ "after", "to", NULL });
    request->escalate_to = option_text(lua, table, "to", arena);
    lua_getfield(lua, table, "after");
    int64_t now = step_now(host_of(lua)->step);
    int64_t wait = moment_from_lua(lua, lua_gettop(lua), "escalate", request->to, -1) - now;
    if (request->escalate_to.size == 0 || wait <= 0)
        luaL_error(lua,
                   "escalate needs to and a time after which: { after = \"1d\", to = \"...\" }");
    request->escalate_due = request->due + wait;
    lua_pop(lua, 2);
}

static int word_remind(lua_State *lua)
{
    static const char *const names[] = { "title", "to",    "due",      "at", "key",
                                         "note",  "about", "escalate", NULL };
    struct step *step = host_step(lua, "remind");
    struct arena *arena = step_arena(step);
    struct err err;
    uint64_t task = 0;
    check_table(lua, "remind");
    option_check(lua, 1, "remind", names);
    struct reminder_request request = {
        .title = option_text(lua, 1, "title", arena),
        .to = option_text(lua, 1, "to", arena),
        .key = option_text(lua, 1, "key", arena),
        .note = option_text(lua, 1, "note", arena),
        .about = option_text(lua, 1, "about", arena),
    };
    if (request.title.size == 0)
        return luaL_error(lua, "remind needs a title: remind { title = \"...\", due = \"3d\" }");
    request.due = option_moment(lua, "due", "remind", request.to, option_minute(lua, 1, "at"));
    lua_getfield(lua, 1, "due");
    request.civil = convert_text(lua, -1, arena);
    read_escalation(lua, &request);
    if (step_remind(step, &request, &task, &err) != 0)
        return host_raise(lua, &err);
    lua_pushinteger(lua, (lua_Integer)task);
    return 1;
}

/* after { due = "1h", key = "cart", emit = "Cart Abandoned", data = { ... } } */
static int word_after(lua_State *lua)
{
    static const char *const names[] = { "due", "at", "key", "emit", "data", NULL };
    struct step *step = host_step(lua, "after");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "after");
    option_check(lua, 1, "after", names);
    struct text type = option_text(lua, 1, "emit", arena), key = option_text(lua, 1, "key", arena);
    int64_t due =
        option_moment(lua, "due", "after", (struct text){ "", 0 }, option_minute(lua, 1, "at"));
    if (due < step_now(step) + 1000)
        return luaL_error(lua, "after: due must lie at least a second ahead");
    struct doc data = option_doc(lua, 1, "data", "after");
    return step_after(step, key.size != 0 ? key : type, due, type, data, &err) != 0
               ? host_raise(lua, &err)
               : 0;
}

static int word_cancel(lua_State *lua)
{
    struct step *step = host_step(lua, "cancel");
    luaL_checkstring(lua, 1);
    lua_pushboolean(lua, step_cancel(step, convert_text(lua, 1, step_arena(step))));
    return 1;
}

/* What a channel gets of the rule's table: body and data. */
static struct doc message_content(lua_State *lua, const char *body_name, const char *word)
{
    struct arena *arena = arena_of(lua);
    struct text body = option_text(lua, 1, body_name, arena);
    struct doc data = option_doc(lua, 1, "data", word);
    struct buf *scratch = &host_of(lua)->scratch;
    struct doc_writer w;
    if (body.size == 0)
        luaL_error(lua, "%s needs %s = \"...\"", word, body_name);
    buf_clear(scratch);
    doc_begin(&w, scratch);
    doc_put_text(&w, "body", body);
    if (data.data != NULL)
        doc_put_doc(&w, "data", data);
    return arena_doc(arena, doc_end(&w));
}

static int word_send(lua_State *lua)
{
    static const char *const names[] = { "channel", "body",    "data", "purpose",
                                         "key",     "expires", NULL };
    struct step *step = host_step(lua, "send");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "send");
    option_check(lua, 1, "send", names);
    struct send_request request = {
        .channel = option_text(lua, 1, "channel", arena),
        .purpose = option_text(lua, 1, "purpose", arena),
        .key = option_text(lua, 1, "key", arena),
        .content = message_content(lua, "body", "send"),
    };
    if (request.purpose.size == 0)
        return luaL_error(lua,
                          "send needs a purpose: one that the bundle declares, or \"service\"");
    lua_getfield(lua, 1, "expires");
    if (!lua_isnil(lua, -1)) {
        request.expires_ms =
            option_moment(lua, "expires", "send", (struct text){ "", 0 }, -1) - step_now(step);
        if (request.expires_ms <= 0)
            return luaL_error(lua, "send: expires must lie ahead");
    }
    return step_send(step, &request, &err) != 0 ? host_raise(lua, &err) : 0;
}

/* notify { to = "anna", text = "...", channel = "log" } */
static int word_notify(lua_State *lua)
{
    struct step *step = host_step(lua, "notify");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "notify");
    option_check(lua, 1, "notify", (const char *const[]){ "to", "text", "data", "channel", NULL });
    struct send_request request = {
        .channel = option_text(lua, 1, "channel", arena),
        .to = option_text(lua, 1, "to", arena),
        .purpose = text_of("service"),
        .content = message_content(lua, "text", "notify"),
        .is_notification = true,
    };
    if (request.channel.size == 0)
        request.channel = text_of("log");
    return step_send(step, &request, &err) != 0 ? host_raise(lua, &err) : 0;
}

static int word_log(lua_State *lua)
{
    struct step *step = host_step(lua, "log");
    size_t size;
    luaL_checkany(lua, 1);
    lua_settop(lua, 1);
    const char *text = luaL_tolstring(lua, 1, &size);
    step_log(step, (struct text){ text, size < 500 ? (uint32_t)size
                                                   : (uint32_t)utf8_cut(text, size, 500) });
    return 0;
}

void words_act_add(struct host *host)
{
    static const luaL_Reg words[] = {
        { "emit", word_emit },     { "remind", word_remind }, { "after", word_after },
        { "cancel", word_cancel }, { "send", word_send },     { "notify", word_notify },
        { "log", word_log },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        sandbox_add_function(host->sandbox, words[i].name, words[i].func, 0);
}
