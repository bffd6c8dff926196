/* words_act.c -- what rules do: emit, remind, after, cancel, log; and `known`.
 *
 * Each takes one table or a few values, checks them, and hands them to the engine
 * (core/engine/step.h), which decides.  Nothing is allocated that a long jump could
 * leak: values go into the arena of the entry.
 */
#include "core/base/civil.h"
#include "core/base/moment.h"
#include "core/base/utf8.h"
#include "core/base/zone.h"
#include "core/script/convert.h"
#include "core/script/host_inside.h"

#define LOG_BYTES_MAX 500

static struct arena *arena_of(lua_State *lua)
{
    return step_arena(host_of(lua)->step);
}

/* -- emit ----------------------------------------------------------------- */

static const struct script_field emit_fields[] = {
    { "to", "customer", "another customer, 42 or \"user_id:u-17\"; by way of the log", true },
    { 0 },
};

/* The { to = ... } of emit, at 3. */
static struct text check_receiver(lua_State *lua)
{
    if (lua_type(lua, 3) != LUA_TTABLE)
        luaL_error(lua, "emit: to whom is written { to = \"user_id:u-17\" }");
    option_check(lua, 3, "emit", emit_fields);
    lua_getfield(lua, 3, "to");
    if (lua_isinteger(lua, -1))
        lua_tostring(lua, -1); /* a customer's number will do */
    if (lua_type(lua, -1) != LUA_TSTRING || lua_rawlen(lua, -1) == 0)
        luaL_error(lua, "emit: to is a customer, 42 or \"user_id:u-17\", not %s",
                   lua_isnil(lua, -1) ? "nil" : luaL_typename(lua, -1));
    return convert_text(lua, -1, arena_of(lua));
}

/* emit("Type", { ... }), emit("Type", { ... }, { to = "user_id:u-1" }) */
static int word_emit(lua_State *lua)
{
    struct step *step = host_step(lua, "emit");
    struct text type = convert_text(lua, 1, step_arena(step)), to = { "", 0 };
    struct err err;
    if (type.size == 0)
        return luaL_error(lua, "emit needs the event's type as text: emit(\"TYPE\", { ... })");
    struct doc data = check_doc(lua, 2, "emit");
    if (!lua_isnoneornil(lua, 3))
        to = check_receiver(lua);
    return step_emit(step, type, data, to, &err) != 0 ? host_raise(lua, &err) : 0;
}

/* -- remind and after ----------------------------------------------------- */

static struct due option_due(lua_State *lua, const char *word, struct text who)
{
    struct due due = { .at_minute = option_minute(lua, 1, "at") };
    struct when when = { word, "due", who, due.at_minute, step_now(host_of(lua)->step) };
    due.ms = option_moment(lua, 1, &when);
    lua_getfield(lua, 1, "due");
    due.words = convert_text(lua, -1, arena_of(lua));
    lua_pop(lua, 1);
    return due;
}

static const struct script_field escalate_fields[] = {
    { "after", "time", "how long it has been due then", true },
    { "to", "text", "whose it is from then on", true },
    { 0 },
};

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
    option_check(lua, table, "escalate", escalate_fields);
    request->escalate_to = option_text(lua, table, "to", arena);
    struct when when = { "escalate", "after", request->to, -1, request->due.ms };
    request->escalate_due = option_moment(lua, table, &when);
    if (request->escalate_to.size == 0 || request->escalate_due <= request->due.ms)
        luaL_error(lua,
                   "escalate needs to and a time after which: { after = \"1d\", to = \"...\" }");
    lua_pop(lua, 1);
}

/* What was due earlier today is due at once; what was due before is a mistake. */
static void check_not_past(lua_State *lua, int64_t due)
{
    struct step *step = host_of(lua)->step;
    const struct zone *zone = step_zone(step);
    char text[MOMENT_TEXT_SIZE];
    int64_t today = civil_local_days(zone_local_from_ms(zone, step_now(step)));
    if (due >= zone_ms_from_local(zone, today * CIVIL_DAY_MS))
        return;
    moment_format(due > CIVIL_MS_MIN ? due : CIVIL_MS_MIN, text);
    luaL_error(lua, "remind: due lies in the past, at %s", text);
}

static const struct script_field remind_fields[] = {
    { "title", "text", "what is to be done", true },
    { "to", "text",
      "a member of staff, a team, or \"owner\"; else it is the `fallback`'s of kith.lua", false },
    { "due", "time", "when: a duration, a date, a moment", true },
    { "at", "time of day", "with a date and with d, w, mo, y and wd", false },
    { "key", "text", "asked for again under the same key, the open reminder is moved", false },
    { "note", "text", "more to know", false },
    { "about", "text", "what it is about, an order for example", false },
    { "escalate", "table",
      "`{ after = \"1d\", to = \"manager\" }`: whose it is when it has been "
      "due so long",
      false },
    { 0 },
};

static int word_remind(lua_State *lua)
{
    struct step *step = host_step(lua, "remind");
    struct arena *arena = step_arena(step);
    struct err err;
    uint64_t task = 0;
    check_table(lua, "remind");
    option_check(lua, 1, "remind", remind_fields);
    struct reminder_request request = {
        .title = option_text(lua, 1, "title", arena),
        .to = option_text(lua, 1, "to", arena),
        .key = option_text(lua, 1, "key", arena),
        .note = option_text(lua, 1, "note", arena),
        .about = option_text(lua, 1, "about", arena),
    };
    if (request.title.size == 0)
        return luaL_error(lua, "remind needs a title: remind { title = \"...\", due = \"3d\" }");
    request.due = option_due(lua, "remind", request.to);
    check_not_past(lua, request.due.ms);
    read_escalation(lua, &request);
    if (step_remind(step, &request, &task, &err) != 0)
        return host_raise(lua, &err);
    lua_pushinteger(lua, (lua_Integer)task);
    return 1;
}

static const struct script_field after_fields[] = {
    { "due", "time", "when, at least a second ahead", true },
    { "at", "time of day", "with a date and with d, w, mo, y and wd", false },
    { "key", "text", "its name for `cancel`, and what moves it; else the type", false },
    { "emit", "text", "the type of the event", true },
    { "data", "table", "fields of the event", false },
    { 0 },
};

/* after { due = "1h", key = "cart", emit = "Cart Abandoned", data = { ... } } */
static int word_after(lua_State *lua)
{
    struct step *step = host_step(lua, "after");
    struct arena *arena = step_arena(step);
    struct err err;
    check_table(lua, "after");
    option_check(lua, 1, "after", after_fields);
    struct after_request request = {
        .type = option_text(lua, 1, "emit", arena),
        .key = option_text(lua, 1, "key", arena),
    };
    if (request.type.size == 0)
        return luaL_error(lua, "after needs emit = \"TYPE\": the event that it comes back as");
    request.due = option_due(lua, "after", (struct text){ "", 0 });
    if (request.due.ms < step_now(step) + 1000)
        return luaL_error(lua, "after: due must lie at least a second ahead");
    if (request.key.size == 0)
        request.key = request.type;
    request.data = option_doc(lua, 1, "data", "after");
    return step_after(step, &request, &err) != 0 ? host_raise(lua, &err) : 0;
}

static int word_cancel(lua_State *lua)
{
    struct step *step = host_step(lua, "cancel");
    if (lua_type(lua, 1) != LUA_TSTRING)
        return luaL_error(lua, "cancel needs the key of the timer: cancel(\"cart\")");
    lua_pushboolean(lua, step_cancel(step, convert_text(lua, 1, step_arena(step))));
    return 1;
}

/* -- log and known -------------------------------------------------------- */

/* Whatever it is given, in one line. */
static int word_log(lua_State *lua)
{
    struct step *step = host_step(lua, "log");
    struct buf *scratch = &host_of(lua)->scratch;
    int count = lua_gettop(lua);
    luaL_checkany(lua, 1);
    for (int i = 1; i <= count; i++) { /* first all of them: a script's __tostring may say words */
        sandbox_push_text(lua, i);
        lua_replace(lua, i);
    }
    buf_clear(scratch);
    for (int i = 1; i <= count && scratch->size < LOG_BYTES_MAX; i++) {
        size_t size;
        const char *text = lua_tolstring(lua, i, &size);
        buf_text(scratch, i > 1 ? " " : "");
        utf8_clean(text, utf8_cut(text, size, LOG_BYTES_MAX), scratch);
    }
    size_t size = utf8_cut(scratch->data, scratch->size, LOG_BYTES_MAX);
    step_log(step, (struct text){ buf_string(scratch), (uint32_t)size });
    return 0;
}

static int word_known(lua_State *lua)
{
    luaL_checkany(lua, 1);
    lua_pushboolean(lua, !lua_isnil(lua, 1));
    return 1;
}

const struct script_word words_act[] = {
    {
        "emit",
        word_emit,
        "emit(\"TYPE\", DATA, { to })",
        "An event, at once, by which other rules start: for the same customer, or for another. A "
        "type of Kith's own cannot be emitted.",
        emit_fields,
        "emit(\"Referral Counted\", { of = \"u-2\" })\n"
        "emit(\"Was Referred\", {}, { to = \"user_id:u-2\" })\n",
    },
    {
        "remind",
        word_remind,
        "remind { title, due, ... }",
        "A task for staff; it gives the task's number. It is in `kith reminders`, and when it is "
        "due there is an event `reminder.due`.",
        remind_fields,
        "remind {\n"
        "  title = \"Call \" .. (customer.name or \"the customer\"), to = \"owner\", due = "
        "\"2wd\",\n"
        "  at = \"10:00\", key = \"complaint\", note = event.text, about = event.order_id,\n"
        "  escalate = { after = \"1d\", to = \"manager\" },\n"
        "}\n",
    },
    {
        "escalate",
        NULL,
        "escalate = { after, to }",
        "Of `remind`: whose the task is when it has been due so long.",
        escalate_fields,
        "remind {\n"
        "  title = \"Answer\", due = \"24h\",\n"
        "  escalate = { after = \"1h\", to = \"managers\" },\n"
        "}\n",
    },
    {
        "after",
        word_after,
        "after { due, emit, ... }",
        "A timer that comes back as an event for the same customer. The same `key` moves it.",
        after_fields,
        "after { due = \"2h\", key = \"cart\", emit = \"Cart Left\", data = { product = "
        "event.product } }\n",
    },
    {
        "cancel",
        word_cancel,
        "cancel(\"KEY\")",
        "Ends a timer of `after`, and says whether there was one.",
        NULL,
        "if cancel(\"cart\") then log(\"the cart was bought\") end\n",
    },
    {
        "log",
        word_log,
        "log(...)",
        "Writes a line into the trace of the event, which `kith timeline` shows.",
        NULL,
        "log(\"large:\", event.total, \"by\", event.source)\n",
    },
    {
        "known",
        word_known,
        "known(VALUE)",
        "Whether it is there at all: false for `nil` alone.",
        NULL,
        "if known(event.total) and event.total >= 1000 then log(\"a large order\") end\n",
    },
    { 0 },
};

void words_act_add(struct host *host)
{
    host_add_words(host, words_act);
}
