/* words_record.c -- records in scripts: kind, create, record, records, and a record's methods.
 *
 *     local case = create("complaint", { subject = "late", severity = "high" })
 *     case:move("acknowledge")
 *     if event.record.state == "closed" then ... end
 *
 * A record in a script is its kind and number and nothing else: each look reads what it is at that
 * moment, so a script that keeps one keeps nothing that could be old.  A rule sees and changes
 * records about its own customer only.
 */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/engine/read.h"
#include "core/engine/record.h"
#include "core/script/convert.h"
#include "core/script/explain.h"
#include "core/script/host_inside.h"

#include <stdlib.h>
#include <string.h>

static const char RECORD[] = "kith.record"; /* the metatable */

#define LISTED_MAX 100    /* records of one customer that `records` gives */
#define LOOK_UNITS 50     /* of the budget, for reading one */
#define CHANGE_UNITS 2000 /* for making or changing one: it is written whole, and told of */

struct handle {
    uint64_t number;
    uint32_t size;
    char kind[KIND_NAME_BYTES_MAX + 1];
};

/* -- kind ------------------------------------------------------------------ */

static const struct script_field kind_fields[] = {
    { "description", "text", "for people", false },
    { "fields", "table", "`{ NAME = { type = \"text\", required = true } }`", false },
    { "roles", "table", "customers by role, one the subject: `{ NAME = { subject = true } }`",
      false },
    { "states", "list", "names, or `{ name, final, waiting }`; it begins in the first", true },
    { "transitions", "table", "`{ NAME = { from, to, fields } }`", false },
    { "deadlines", "table", "`{ NAME = { from, due, to, escalate } }`", false },
    { "lines", "table", "fields of its lines, as `fields`", false },
    { "owner", "text", "whose a new one is: a name, or \"owner\", the customer's", false },
    { "title", "text", "the field that it is called by", false },
    { 0 },
};

/* {name, and all that the table says} */
static struct doc declaration_of(lua_State *lua, struct host *host, struct text name)
{
    struct doc_value table = { .type = DOC_NONE };
    struct doc_writer w;
    struct err err;
    if (convert_from_lua(lua, 1, &host->arena, &host->scratch, &table, &err) != 0)
        luaL_error(lua, "kind \"%s\": %s", name.data, err.text);
    buf_clear(&host->scratch);
    doc_begin(&w, &host->scratch);
    doc_put_text(&w, "name", name);
    for (struct doc_iter it = doc_iter(table.doc); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    return doc_end(&w);
}

static void read_kind(lua_State *lua, struct host *host, struct text name)
{
    struct ruleset *rules = &host->rules;
    struct kind kind;
    struct err err;
    option_check(lua, 1, "kind", kind_fields);
    if (kind_parse(declaration_of(lua, host, name), &host->arena, &kind, &err) != 0)
        host_raise(lua, &err);
    for (size_t i = 0; i < rules->kind_count; i++)
        if (text_equal(rules->kinds[i].name, kind.name))
            luaL_error(lua, "a kind called \"%s\" is declared already", name.data);
    if (rules->kind_count == KINDS_MAX)
        luaL_error(lua, "a bundle has at most %d kinds", KINDS_MAX);
    rules->kinds = mem_resize(rules->kinds, (rules->kind_count + 1) * sizeof kind);
    rules->kinds[rules->kind_count++] = kind;
}

static int word_kind(lua_State *lua)
{
    return declare(lua, "kind", read_kind);
}

static int check_calendars(const struct host *host, const struct kind *kind, struct err *err)
{
    for (size_t i = 0; i < kind->deadline_count; i++) {
        const struct kind_deadline *deadline = &kind->deadlines[i];
        if (deadline->calendar.size != 0 &&
            host->rules.calendar(&host->rules, deadline->calendar) == NULL)
            return err_set(err, E_INVALID,
                           "kind \"%s\": deadlines.%s.calendar: no calendar is called \"%s\"",
                           kind->name.data, deadline->name.data, deadline->calendar.data);
    }
    return 0;
}

/* What a rule waits for of a kind of this bundle must be something that can come. */
static int check_trigger(struct host *host, const struct rule *rule, struct text type,
                         struct err *err)
{
    struct text names[KIND_STATES_MAX + 1];
    for (size_t i = 0; i < host->rules.kind_count; i++) {
        const struct kind *kind = &host->rules.kinds[i];
        if (type.size <= kind->name.size || type.data[kind->name.size] != '.' ||
            memcmp(type.data, kind->name.data, kind->name.size) != 0)
            continue;
        struct text word = { type.data + kind->name.size + 1, type.size - kind->name.size - 1 };
        if (kind_is_happening(word) || kind_state_find(kind, word) != KIND_NONE)
            return 0;
        for (size_t s = 0; s < kind->state_count; s++)
            names[s] = kind->states[s].name;
        return err_set(
            err, E_INVALID,
            "rule \"%s\": on: nothing is called \"%s\": behind \"%s.\" stands a state, "
            "or created, changed, assigned, linked, unlinked, overdue, met, missed, "
            "rescheduled; %s",
            rule->name.data, type.data, kind->name.data,
            kind_meant(word, names, kind->state_count, sizeof *names, &host->arena).data);
    }
    return 0;
}

int kinds_finish(struct host *host, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < host->rules.kind_count; i++)
        rc = check_calendars(host, &host->rules.kinds[i], err);
    for (size_t i = 0; rc == 0 && i < host->rules.count; i++) {
        const struct rule *rule = &host->rules.rules[i];
        for (size_t t = 0; rc == 0 && t < rule->type_count; t++)
            rc = check_trigger(host, rule, rule->types[t], err);
    }
    return rc;
}

/* -- Handles --------------------------------------------------------------- */

void push_record(lua_State *lua, struct text kind, uint64_t number)
{
    struct handle *handle = lua_newuserdatauv(lua, sizeof *handle, 0);
    memset(handle, 0, sizeof *handle);
    ASSERT(kind.size < sizeof handle->kind);
    memcpy(handle->kind, kind.data, kind.size);
    handle->size = kind.size;
    handle->number = number;
    luaL_setmetatable(lua, RECORD);
}

static struct text kind_of(const struct handle *handle)
{
    return (struct text){ handle->kind, handle->size };
}

bool push_event_record(lua_State *lua)
{
    struct step *step = host_of(lua)->step;
    const struct event *event = step_event(step);
    struct record record;
    struct text kind;
    uint64_t number;
    if (event->class != LOG_SYSTEM || !record_about_parse(event->about, &kind, &number))
        return false;
    sandbox_spend(lua, LOOK_UNITS);
    if (!step_record(step, kind, number, &record))
        return false;
    push_record(lua, kind, number);
    return true;
}

/* The record of record:word(...); `usage` shows how it is written. */
static const struct handle *check_handle(lua_State *lua, const char *usage)
{
    const struct handle *handle = luaL_testudata(lua, 1, RECORD);
    if (handle == NULL)
        luaL_error(lua, "write record:%s, with a colon", usage);
    return handle;
}

static struct text check_word(lua_State *lua, int index, const char *word, const char *what)
{
    if (lua_type(lua, index) != LUA_TSTRING || lua_rawlen(lua, index) == 0 ||
        lua_rawlen(lua, index) > NAME_BYTES_MAX)
        luaL_error(lua, "%s needs %s, as text", word, what);
    return convert_text(lua, index, step_arena(host_step(lua, word)));
}

/* -- create, record, records ----------------------------------------------- */

static const struct script_field create_fields[] = {
    { "owner", "text", "whose it is; else as the kind says", false },
    { "customers", "table", "others by role: `{ dealer = 42 }`", false },
    { "lines", "list of tables", "its lines", false },
    { 0 },
};

static int word_create(lua_State *lua)
{
    struct step *step = host_step(lua, "create");
    struct record_request request = { .kind = check_word(lua, 1, "create", "the kind's name") };
    struct err err;
    uint64_t number = 0;
    sandbox_spend(lua, CHANGE_UNITS);
    request.fields = check_doc(lua, 2, "create");
    if (!lua_isnoneornil(lua, 3)) {
        if (lua_type(lua, 3) != LUA_TTABLE)
            return luaL_error(lua, "create: what else there is of it is a table: { owner, lines }");
        option_check(lua, 3, "create", create_fields);
        struct doc options = check_doc(lua, 3, "create");
        request.owner = doc_text(options, "owner");
        request.customers = doc_child(options, "customers");
        struct doc_value lines = doc_get(options, "lines");
        if (lines.type != DOC_NONE && lines.type != DOC_ARRAY)
            return luaL_error(lua, "create: lines is a list of tables");
        request.lines = lines.type == DOC_ARRAY ? lines.doc : (struct doc){ NULL, 0 };
    }
    if (step_create_record(step, &request, &number, &err) != 0)
        return host_raise(lua, &err);
    push_record(lua, request.kind, number);
    return 1;
}

/* record("complaint", 17), record("complaint:17"): nil when there is none, or it is another's. */
static int word_record(lua_State *lua)
{
    struct step *step = host_step(lua, "record");
    struct text kind = check_word(lua, 1, "record", "a kind's name");
    uint64_t number = 0;
    struct record record;
    if (!record_about_parse(kind, &kind, &number)) {
        if (!lua_isinteger(lua, 2) || lua_tointeger(lua, 2) <= 0)
            return luaL_error(lua, "record: a number is needed: record(\"complaint\", 17)");
        number = (uint64_t)lua_tointeger(lua, 2);
    }
    sandbox_spend(lua, LOOK_UNITS);
    if (step_record(step, kind, number, &record))
        push_record(lua, record.kind_name, number);
    else
        lua_pushnil(lua);
    return 1;
}

static int word_records(lua_State *lua)
{
    struct step *step = host_step(lua, "records");
    struct text kind = check_word(lua, 1, "records", "a kind's name");
    uint64_t numbers[LISTED_MAX];
    size_t count = step_open_records(step, kind, 0, numbers, LISTED_MAX);
    sandbox_spend(lua, (count + 1) * LOOK_UNITS);
    lua_createtable(lua, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_record(lua, kind, numbers[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* -- record.NAME ----------------------------------------------------------- */

enum record_part {
    PART_ID,
    PART_NUMBER,
    PART_KIND,
    PART_STATE,
    PART_OWNER,
    PART_CUSTOMER,
    PART_CUSTOMERS,
    PART_CREATED,
    PART_SINCE,
    PART_VERSION,
    PART_LINES,
    PART_LINKS,
    PART_DEADLINES,
};

const struct script_field record_parts[] = {
    [PART_ID] = { "id", "text", "what `about` says: \"complaint:17\"", false },
    [PART_NUMBER] = { "number", "number", "17: they count for each kind", false },
    [PART_KIND] = { "kind", "text", "the kind's name", false },
    [PART_STATE] = { "state", "text", "changed by `record:move` alone", false },
    [PART_OWNER] = { "owner", "text", "the member of staff whose it is", false },
    [PART_CUSTOMER] = { "customer", "number", "whom it is about", false },
    [PART_CUSTOMERS] = { "customers", "table", "numbers of others, in lists by role", false },
    [PART_CREATED] = { "created", "moment", "when it was made", false },
    [PART_SINCE] = { "since", "moment", "since when it is in its state", false },
    [PART_VERSION] = { "version", "number", "how often it was changed", false },
    [PART_LINES] = { "lines", "list of tables", "its lines", false },
    [PART_LINKS] = { "links", "list of tables", "what it is linked to: `{ type, kind, number }`",
                     false },
    [PART_DEADLINES] = { "deadlines", "table", "by name: `{ status, due, since, ... }`", false },
    { 0 },
};

static void push_text(lua_State *lua, struct text text)
{
    if (text.size != 0)
        lua_pushlstring(lua, text.data, text.size);
    else
        lua_pushnil(lua);
}

static void push_part_doc(lua_State *lua, struct doc doc, enum doc_type type)
{
    struct doc_value value = { .type = type, .doc = doc };
    if (doc.data == NULL) {
        lua_newtable(lua);
        return;
    }
    sandbox_spend(lua, doc.size / 8);
    convert_push(lua, &value);
}

static void push_deadlines(lua_State *lua, const struct record *record)
{
    struct host *host = host_of(lua);
    buf_clear(&host->scratch);
    step_record_deadlines(host->step, record, &host->scratch);
    struct doc doc = { host->scratch.data, (uint32_t)host->scratch.size };
    push_part_doc(lua, doc_child(doc, "deadlines"), DOC_DOC);
}

static void push_part(lua_State *lua, const struct record *record, enum record_part part)
{
    struct arena *arena = step_arena(host_of(lua)->step);
    switch (part) {
    case PART_ID:
        push_text(lua, record_about(record, arena));
        return;
    case PART_NUMBER:
        lua_pushinteger(lua, (lua_Integer)record->number);
        return;
    case PART_KIND:
        push_text(lua, record->kind_name);
        return;
    case PART_STATE:
        push_text(lua, record->state);
        return;
    case PART_OWNER:
        push_text(lua, record->owner);
        return;
    case PART_CUSTOMER:
        lua_pushinteger(lua, (lua_Integer)record->customer);
        return;
    case PART_CUSTOMERS:
        push_part_doc(lua, record->roles, DOC_DOC);
        return;
    case PART_CREATED:
        lua_pushinteger(lua, record->created);
        return;
    case PART_SINCE:
        lua_pushinteger(lua, record->since);
        return;
    case PART_VERSION:
        lua_pushinteger(lua, (lua_Integer)record->version);
        return;
    case PART_LINES:
        push_part_doc(lua, record->lines, DOC_ARRAY);
        return;
    case PART_LINKS:
        push_part_doc(lua, record->links, DOC_ARRAY);
        return;
    case PART_DEADLINES:
        push_deadlines(lua, record);
        return;
    }
}

static void refuse_name(lua_State *lua, const struct record *record, struct text name)
{
    struct host *host = host_of(lua);
    const struct kind *kind = record->kind;
    struct text names[KIND_FIELDS_MAX];
    for (size_t i = 0; i < kind->field_count; i++)
        names[i] = kind->fields[i].name;
    luaL_error(
        lua, "a %s has no field \"%s\"; %s", kind->name.data, name.data,
        kind_meant(name, names, kind->field_count, sizeof *names, step_arena(host->step)).data);
}

/* Upvalue 1: the table of methods. */
static int record_index(lua_State *lua)
{
    const struct handle *handle = luaL_checkudata(lua, 1, RECORD);
    struct step *step = host_step(lua, "record");
    struct record record;
    if (lua_type(lua, 2) != LUA_TSTRING)
        return luaL_error(lua, "record has fields with names, not numbers");
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    struct text name = convert_text(lua, 2, step_arena(step));
    sandbox_spend(lua, LOOK_UNITS);
    if (!step_record(step, kind_of(handle), handle->number, &record))
        return luaL_error(lua, "there is no %s %d about this customer", handle->kind,
                          (int)handle->number);
    size_t part = script_field_find(record_parts, name);
    if (part != SIZE_MAX) {
        push_part(lua, &record, (enum record_part)part);
        return 1;
    }
    if (record.kind != NULL && kind_field_find(record.kind, name) == KIND_NONE)
        refuse_name(lua, &record, name);
    struct doc_value value = record_field(&record, name);
    convert_push(lua, &value);
    if (lua_isnil(lua, -1))
        host_note_missing(host_of(lua), "record", name);
    return 1;
}

/* As `about` says it. */
static int record_text(lua_State *lua)
{
    const struct handle *handle = luaL_checkudata(lua, 1, RECORD);
    lua_pushfstring(lua, "%s:%I", handle->kind, (LUAI_UACINT)handle->number);
    return 1;
}

static int refuse_assignment(lua_State *lua)
{
    return luaL_error(lua, "record cannot be changed by assignment: use record:set(name, value)");
}

/* -- Methods --------------------------------------------------------------- */

static int record_method_move(lua_State *lua)
{
    const struct handle *handle = check_handle(lua, "move(transition, fields)");
    struct step *step = host_step(lua, "record:move");
    struct text transition = check_word(lua, 2, "record:move", "a transition's name");
    struct err err;
    sandbox_spend(lua, CHANGE_UNITS);
    if (step_move_record(step, kind_of(handle), handle->number, transition,
                         check_doc(lua, 3, "record:move"), &err) != 0)
        return host_raise(lua, &err);
    return 0;
}

static int record_method_set(lua_State *lua)
{
    const struct handle *handle = check_handle(lua, "set(name, value)");
    struct host *host = host_of(lua);
    struct step *step = host_step(lua, "record:set");
    struct text name = check_word(lua, 2, "record:set", "a field's name");
    struct doc_value value;
    struct err err;
    if (lua_gettop(lua) < 3)
        return luaL_error(lua, "record:set(name, value): it needs two values");
    sandbox_spend(lua, CHANGE_UNITS);
    if (convert_from_lua(lua, 3, step_arena(step), &host->scratch, &value, &err) != 0)
        return luaL_error(lua, "record:set: %s", err.text);
    return step_set_record(step, kind_of(handle), handle->number, name, &value, &err) != 0
               ? host_raise(lua, &err)
               : 0;
}

static int record_method_assign(lua_State *lua)
{
    const struct handle *handle = check_handle(lua, "assign(to)");
    struct step *step = host_step(lua, "record:assign");
    struct text to = { "", 0 };
    struct err err;
    if (!lua_isnoneornil(lua, 2))
        to = check_word(lua, 2, "record:assign", "a member of staff, a team or \"owner\"");
    sandbox_spend(lua, CHANGE_UNITS);
    return step_assign_record(step, kind_of(handle), handle->number, to, &err) != 0
               ? host_raise(lua, &err)
               : 0;
}

/* Another record: itself, or "order:5". */
static struct text check_other(lua_State *lua, const char *word)
{
    const struct handle *other = luaL_testudata(lua, 2, RECORD);
    if (other == NULL)
        return check_word(lua, 2, word, "another record, or \"order:5\"");
    return arena_printf(step_arena(host_step(lua, word)), "%s:%llu", other->kind,
                        (unsigned long long)other->number);
}

static int link_other(lua_State *lua, const char *word, const char *usage, bool is_on)
{
    const struct handle *handle = check_handle(lua, usage);
    struct step *step = host_step(lua, word);
    struct text to = check_other(lua, word), type = text_of("related");
    struct err err;
    if (!lua_isnoneornil(lua, 3))
        type = check_word(lua, 3, word, "what the link is");
    sandbox_spend(lua, CHANGE_UNITS);
    return step_link_record(step, kind_of(handle), handle->number, type, to, is_on, &err) != 0
               ? host_raise(lua, &err)
               : 0;
}

static int record_method_link(lua_State *lua)
{
    return link_other(lua, "record:link", "link(other, type)", true);
}

static int record_method_unlink(lua_State *lua)
{
    return link_other(lua, "record:unlink", "unlink(other, type)", false);
}

/* -- The words ------------------------------------------------------------- */

const struct script_word words_kind[] = {
    {
        "kind",
        word_kind,
        "kind \"NAME\" { states, ... }",
        "A kind of record: what it has, the states it goes through, when something must be done. "
        "Of each record there are events: `NAME.created`, `NAME.changed`, `NAME.STATE`, "
        "`NAME.overdue` and others (docs/records.md).",
        kind_fields,
        "kind \"warranty\" {\n"
        "  fields = { serial = { type = \"text\", required = true }, fault = \"text\" },\n"
        "  roles = { customer = { subject = true }, dealer = {} },\n"
        "  states = { \"reported\", { name = \"sent\", waiting = true }, \"settled\" },\n"
        "  transitions = {\n"
        "    send = { from = \"reported\", to = \"sent\" },\n"
        "    settle = { from = \"*\", to = \"settled\" },\n"
        "  },\n"
        "  deadlines = { answer = { from = \"reported\", due = \"2wd\", to = \"owner\",\n"
        "    escalate = { { after = \"4wh\", to = \"manager\" } } } },\n"
        "}\n",
    },
    { 0 },
};

const struct script_word words_record[] = {
    {
        "create",
        word_create,
        "create(\"KIND\", FIELDS, { owner, ... })",
        "A new record about the customer; it gives the record.",
        create_fields,
        "local case = create(\"case\", { subject = event.text }, { owner = \"anna\" })\n"
        "log(case.id, case.state)\n",
    },
    {
        "record",
        word_record,
        "record(\"KIND\", NUMBER)",
        "A record about the customer, by its number, or by `\"case:17\"` alone; `nil`: there is "
        "none, or it is about somebody else. `event.record` is the one that an event is about.",
        NULL,
        "local case = record(\"case\", 17)\n"
        "if case then case:assign(\"anna\") end\n",
    },
    {
        "records",
        word_records,
        "records(\"KIND\")",
        "A list of the customer's records of that kind that are open, at most 100, the oldest "
        "first.",
        NULL,
        "for _, case in ipairs(records(\"case\")) do log(case.number, case.state) end\n",
    },
    { 0 },
};

const struct script_word words_record_methods[] = {
    {
        "move",
        record_method_move,
        "record:move(\"TRANSITION\", FIELDS)",
        "Into another state, by a transition of its kind; fields are set with it.",
        NULL,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "record:move(\"close\", { outcome = \"sent again\" })\n",
    },
    {
        "set",
        record_method_set,
        "record:set(NAME, VALUE)",
        "Sets a field; `nil` empties it.",
        NULL,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "record:set(\"outcome\", \"found\")\n",
    },
    {
        "assign",
        record_method_assign,
        "record:assign(TO)",
        "Whose it is from now on: a member of staff, a team, `\"owner\"`, the customer's, or "
        "`nil`.",
        NULL,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "record:assign(\"anna\")\n",
    },
    {
        "link",
        record_method_link,
        "record:link(OTHER, TYPE)",
        "Links it to another record, or `\"order:5\"`; the type says what the link is.",
        NULL,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "record:link(create(\"case\", { subject = \"late again\" }), \"duplicate\")\n",
    },
    {
        "unlink",
        record_method_unlink,
        "record:unlink(OTHER, TYPE)",
        "Takes such a link away.",
        NULL,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "record:unlink(create(\"case\", { subject = \"late again\" }), \"duplicate\")\n",
    },
    { 0 },
};

const struct script_word words_record_object[] = {
    {
        "record",
        NULL,
        "record.NAME",
        "A field of its kind, or one of these, which cannot be set. What is not there is `nil`; a "
        "name that the kind does not have is a mistake.",
        record_parts,
        "local record = create(\"case\", { subject = \"late\" })\n"
        "log(record.id, record.state, record.subject, record.deadlines.answer.due)\n",
    },
    { 0 },
};

void words_record_add(struct host *host)
{
    lua_State *lua = sandbox_state(host->sandbox);
    host_add_words(host, words_kind);
    host_add_words(host, words_record);
    luaL_newmetatable(lua, RECORD);
    lua_newtable(lua);
    for (size_t i = 0; words_record_methods[i].name != NULL; i++) {
        lua_pushcfunction(lua, words_record_methods[i].call);
        lua_setfield(lua, -2, words_record_methods[i].name);
    }
    lua_pushcclosure(lua, record_index, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_assignment);
    lua_setfield(lua, -2, "__newindex");
    lua_pushcfunction(lua, record_text);
    lua_setfield(lua, -2, "__tostring");
    lua_pushliteral(lua, "record");
    lua_setfield(lua, -2, "__name");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}
