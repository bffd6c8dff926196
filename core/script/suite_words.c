/* suite_words.c -- what a file of tests may say: `test`, and the objects `t` and `c`.
 *
 * `t` is the test that runs and has nothing of its own; `c` is the number of a customer, and reads
 * what the engine has of her at that moment, by the names that rules use.  What a test does has the
 * words of the log: t:event(c, "owner.changed", { owner = "anna" }) is what staff would send.
 */
#include "core/script/suite_inside.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/customer.h"
#include "core/engine/event.h"
#include "core/engine/read.h"
#include "core/engine/rehearsal.h"
#include "core/script/convert.h"
#include "core/script/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char TEST[] = "suite.test";         /* the metatable of `t` */
static const char CUSTOMER[] = "suite.customer"; /* of each `c` */

/* -- test "name" (function(t) ... end) ------------------------------------------------- */

static void complete(lua_State *lua, struct suite_case *test)
{
    if (lua_type(lua, 1) != LUA_TFUNCTION || lua_gettop(lua) != 1)
        luaL_error(lua,
                   "a function is expected behind test \"%s\", in parentheses: (function(t) "
                   "... end)",
                   test->name.data);
    test->function = sandbox_keep(lua, 1);
    test->has_function = true;
}

/* Upvalue 1: which test. */
static int take_function(lua_State *lua)
{
    size_t index = (size_t)lua_tointeger(lua, lua_upvalueindex(1));
    struct suite_case *test = &suite_of(lua)->cases[index];
    if (test->has_function)
        return luaL_error(lua, "test \"%s\" has its function already", test->name.data);
    complete(lua, test);
    return 0;
}

static struct text check_name(lua_State *lua, struct suite *suite, const struct suite_file *file)
{
    struct text name = convert_text(lua, 1, &suite->arena);
    if (name.size == 0 || name.size > NAME_BYTES_MAX || memchr(name.data, '\0', name.size) != NULL)
        luaL_error(lua, "test needs a name of 1 to %d bytes: test \"name\" (function(t) ... end)",
                   NAME_BYTES_MAX);
    for (size_t i = 0; i < suite->case_count; i++)
        if (suite->cases[i].file == file && text_equal(suite->cases[i].name, name))
            luaL_error(lua, "a test called \"%s\" stands in this file already", name.data);
    return name;
}

static int word_test(lua_State *lua)
{
    struct suite *suite = suite_of(lua);
    struct suite_file *file = (struct suite_file *)host_of(lua);
    lua_Debug frame = { .currentline = 0 };
    if (!file->host.is_loading)
        return luaL_error(lua, "test declares: it stands outside of functions that run later");
    if (suite->case_count == TESTS_MAX)
        return luaL_error(lua, "there are at most %d tests", TESTS_MAX);
    struct suite_case test = { .file = file, .name = check_name(lua, suite, file) };
    if (lua_getstack(lua, 1, &frame) != 0 && lua_getinfo(lua, "l", &frame) != 0)
        test.line = frame.currentline;
    size_t index = suite->case_count++;
    suite->cases = mem_resize(suite->cases, suite->case_count * sizeof test);
    suite->cases[index] = test;
    if (lua_gettop(lua) > 1) {
        lua_remove(lua, 1);
        complete(lua, &suite->cases[index]);
        return 0;
    }
    lua_pushinteger(lua, (lua_Integer)index);
    lua_pushcclosure(lua, take_function, 1);
    return 1;
}

/* -- What the words take --------------------------------------------------------------- */

static void check_test(lua_State *lua, const char *word)
{
    if (luaL_testudata(lua, 1, TEST) == NULL)
        luaL_error(lua, "write %s(...), with a colon", word);
}

static void push_customer(lua_State *lua, uint64_t number)
{
    uint64_t *handle = lua_newuserdatauv(lua, sizeof *handle, 0);
    *handle = number;
    luaL_setmetatable(lua, CUSTOMER);
    suite_of(lua)->play.last = number;
}

uint64_t check_handle(lua_State *lua, int index, const char *word, bool may_be_nil)
{
    const uint64_t *handle = luaL_testudata(lua, index, CUSTOMER);
    if (may_be_nil && lua_isnil(lua, index))
        return 0;
    if (handle == NULL)
        return (uint64_t)luaL_error(lua, "%s: a customer is needed, as t:customer{ ... } gives one",
                                    word);
    suite_of(lua)->play.last = *handle;
    return *handle;
}

static void refuse_field(lua_State *lua, const char *word, struct text name,
                         const struct script_field fields[])
{
    const char *names[SCRIPT_FIELDS_MAX + 1];
    struct buf *scratch = &host_of(lua)->scratch;
    buf_clear(scratch);
    script_field_names(fields, names);
    explain_choice(name.data, names, scratch);
    luaL_error(lua, "%s knows no \"%s\"%s", word, name.data, buf_string(scratch));
}

struct doc check_fields(lua_State *lua, int index, const char *word,
                        const struct script_field fields[])
{
    struct play *play = &suite_of(lua)->play;
    const struct named named = { .word = word, .arena = &play->arena, .scratch = &play->scratch };
    struct doc doc = check_named(lua, index, &named);
    for (struct doc_iter it = doc_iter(doc); fields != NULL && doc_next(&it);)
        if (script_field_find(fields, it.name) == SIZE_MAX)
            refuse_field(lua, word, it.name, fields);
    return doc;
}

static struct text check_text(lua_State *lua, int index, const char *word, const char *what)
{
    struct text text = { "", 0 };
    if (lua_type(lua, index) == LUA_TSTRING)
        text = convert_text(lua, index, &suite_of(lua)->play.arena);
    if (text.size == 0)
        luaL_error(lua, "%s: %s is needed, as text", word, what);
    return text;
}

/* -- t: what happens ------------------------------------------------------------------- */

/* The house is furnished before: that takes entries too. */
static void entry_begin(lua_State *lua, struct doc_writer *w, struct text type)
{
    struct play *play = &suite_of(lua)->play;
    char id[32];
    play_house(lua);
    snprintf(id, sizeof id, "test-%" PRIu64, ++play->ids);
    buf_clear(&play->entry);
    doc_begin(w, &play->entry);
    doc_put_string(w, "id", id);
    doc_put_text(w, "type", type);
    doc_put_string(w, "source", "test");
}

static void put_reference(struct doc_writer *w, uint64_t number)
{
    char reference[24];
    snprintf(reference, sizeof reference, "%" PRIu64, number);
    doc_put_string(w, "ref", reference);
}

static void enter_owner(lua_State *lua, uint64_t number, struct text owner)
{
    struct doc_writer w;
    entry_begin(lua, &w, text_of("owner.changed"));
    put_reference(&w, number);
    doc_open(&w, "data");
    doc_put_text(&w, "owner", owner);
    doc_close(&w);
    doc_end(&w);
    play_enter(lua, "t:customer", LOG_STAFF);
}

/* Of t:customer; all others are traits. */
static const struct script_field newcomer_fields[] = {
    { "user_id", "text", "the id by which clients know her; else she gets one", false },
    { "owner", "text", "the member of staff whose customer she is", false },
    { 0 },
};

static void check_traits(lua_State *lua, struct doc fields)
{
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);) {
        bool is_text = script_field_find(newcomer_fields, it.name) != SIZE_MAX;
        if (is_text && (it.value.type != DOC_TEXT || it.value.text.size == 0))
            luaL_error(lua, "t:customer: %s is text", it.name.data);
        if (!is_text && trait_is_system(it.name))
            luaL_error(lua,
                       "t:customer: \"%s\" belongs to Kith: staff changes it, as in "
                       "t:event(c, \"tag.changed\", { tag = \"regular\" })",
                       it.name.data);
    }
}

/* t:customer{ user_id = "u-1", owner = "anna", name = "Ann", ... }; the rest are traits. */
static int test_customer(lua_State *lua)
{
    struct doc_writer w;
    char user[32];
    check_test(lua, "t:customer");
    struct play *play = &suite_of(lua)->play;
    struct doc fields = check_fields(lua, 2, "t:customer", NULL);
    struct text given = doc_text(fields, "user_id"), owner = doc_text(fields, "owner");
    check_traits(lua, fields);
    entry_begin(lua, &w, text_of("identify"));
    snprintf(user, sizeof user, "customer-%" PRIu64, play->ids);
    doc_put_string(&w, "call", "identify");
    doc_put_text(&w, "user", given.size != 0 ? given : text_of(user));
    doc_open(&w, "data");
    for (struct doc_iter it = doc_iter(fields); doc_next(&it);)
        if (script_field_find(newcomer_fields, it.name) == SIZE_MAX)
            doc_put_value_text(&w, it.name, &it.value);
    doc_close(&w);
    doc_end(&w);
    uint64_t number = play_enter(lua, "t:customer", LOG_CLIENT);
    if (number == 0)
        return luaL_error(lua, "t:customer: \"%s\" identifies nobody", given.data);
    if (owner.size != 0)
        enter_owner(lua, number, owner);
    push_customer(lua, number);
    return 1;
}

/* Segment's calls go by their own names; every other type is a track call. */
static const char *call_of(struct text type)
{
    return text_is(type, "identify") ? "identify" : "track";
}

/* t:event(c, type, data) */
static int test_event(lua_State *lua)
{
    struct doc_writer w;
    check_test(lua, "t:event");
    uint64_t number = check_handle(lua, 2, "t:event", true);
    struct text type = check_text(lua, 3, "t:event", "the event's type");
    struct doc data = check_fields(lua, 4, "t:event", NULL);
    bool is_command = event_type_is_command(type);
    if (type.size > TYPE_BYTES_MAX || memchr(type.data, '\0', type.size) != NULL)
        return luaL_error(lua, "t:event: a type has 1 to %d bytes", TYPE_BYTES_MAX);
    bool is_feedback = event_type_is_feedback(type);
    if (event_type_is_system(type) && !is_command && !is_feedback)
        return luaL_error(lua,
                          "t:event: \"%s\" is Kith's own to say: let happen what it follows "
                          "from, or pass the time until it is due",
                          type.data);
    entry_begin(lua, &w, type);
    if (number != 0)
        put_reference(&w, number);
    if (is_feedback)
        doc_put_string(&w, "source", EVENT_PLUGIN_PREFIX "test");
    else if (!is_command)
        doc_put_string(&w, "call", call_of(type));
    doc_put_doc(&w, "data", data);
    doc_end(&w);
    play_enter(lua, "t:event", is_command ? LOG_STAFF : is_feedback ? LOG_PLUGIN : LOG_CLIENT);
    return 0;
}

/* t:advance "91d" */
static int test_advance(lua_State *lua)
{
    check_test(lua, "t:advance");
    struct play *play = &suite_of(lua)->play;
    struct text words = check_text(lua, 2, "t:advance", "a duration like \"91d\"");
    struct duration duration;
    struct err err;
    if (duration_parse(words.data, words.size, &duration, &err) != 0)
        return luaL_error(lua, "t:advance: %s", err.text);
    if (duration.count < 0)
        return luaL_error(lua, "t:advance: time only goes forward");
    int64_t until = play_moment(lua, "t:advance", words);
    play_pass(lua, until > play->now ? until : play->now);
    return 0;
}

/* t:at "2026-01-31 10:00": the beginning, or how far time goes on. */
static int test_at(lua_State *lua)
{
    check_test(lua, "t:at");
    struct suite *suite = suite_of(lua);
    struct text words = check_text(lua, 2, "t:at", "a moment like \"2026-01-31 10:00\"");
    struct duration duration;
    if (duration_parse(words.data, words.size, &duration, NULL) == 0)
        return luaL_error(lua,
                          "t:at takes a moment like \"2026-01-31 10:00\"; t:advance \"%s\" "
                          "goes on by so much",
                          words.data);
    int64_t at = play_moment(lua, "t:at", words);
    if (suite->play.rehearsal == NULL)
        suite->play.now = at;
    else if (at < suite->play.now)
        return luaL_error(lua, "t:at: time only goes forward: it is %s already",
                          play_clock(suite, suite->play.now));
    else
        play_pass(lua, at);
    return 0;
}

const struct script_word suite_methods[] = {
    {
        "advance",
        test_advance,
        "t:advance \"DURATION\"",
        "Time goes on by so much. All that falls due on the way happens at its moment.",
        NULL,
        "t:advance \"91d\"\n",
    },
    {
        "at",
        test_at,
        "t:at \"MOMENT\"",
        "When the test begins, by the company's clocks (else 2026-01-05 09:00); later, how far "
        "time "
        "goes on.",
        NULL,
        "t:at \"2026-01-31 10:00\"\n",
    },
    {
        "customer",
        test_customer,
        "t:customer { user_id, owner, ... }",
        "Somebody new; all other fields are traits. What it gives reads as `customer` does in a "
        "rule: `c.city`, `c.owner`, `c:has_tag(TAG)`, `c:consent(PURPOSE, CHANNEL)`.",
        newcomer_fields,
        "local ann = t:customer{ name = \"Ann\", owner = \"anna\" }\n"
        "assert(ann.name == \"Ann\" and not ann:has_tag(\"regular\"))\n",
    },
    {
        "event",
        test_event,
        "t:event(C, \"TYPE\", DATA)",
        "What a client would send of her; `\"identify\"` sets traits. What staff does goes by its "
        "name in the log: `\"owner.changed\"` `{ owner }`, `\"consent.changed\"` `{ purpose, "
        "channel, "
        "state }`, `\"tag.changed\"` `{ tag }`, `\"reminder.done\"` `{ task }`. `C` may be `nil`.",
        NULL,
        "t:event(c, \"Order Completed\", { total = 1500 })\n",
    },
    {
        "expect_no_record",
        expect_no_record,
        "t:expect_no_record(C, FIELDS)",
        "There is no record about her with these fields.",
        record_expected,
        "t:expect_no_record(c, { kind = \"case\", state = \"closed\" })\n",
    },
    {
        "expect_no_reminder",
        expect_no_reminder,
        "t:expect_no_reminder(C, FIELDS)",
        "No reminder about her with these fields is open.",
        reminder_fields,
        "t:expect_no_reminder(c, { to = \"manager\" })\n",
    },
    {
        "expect_not_sent",
        expect_not_sent,
        "t:expect_not_sent(C, FIELDS)",
        "No message with these fields was sent to her; without fields, none at all.",
        sent_fields,
        "t:expect_not_sent(c, { purpose = \"newsletter\" })\n",
    },
    {
        "expect_record",
        expect_record,
        "t:expect_record(C, FIELDS)",
        "There is a record about her with these fields; it is what the call gives, as `GET "
        "/v1/records` does, with `deadlines`. What staff does to it is an event: `record.move` `{ "
        "kind, record, transition }`.",
        record_expected,
        "t:event(c, \"Case\", { text = \"late\" })\n"
        "local case = t:expect_record(c, { kind = \"case\", state = \"new\" })\n"
        "t:event(c, \"record.move\", { kind = \"case\", record = case.id, transition = \"close\" "
        "})\n"
        "t:expect_record(c, { kind = \"case\", fields = { subject = \"late\" }, times = 1 })\n",
    },
    {
        "expect_reminder",
        expect_reminder,
        "t:expect_reminder(C, FIELDS)",
        "A reminder about her with these fields is open; it is what the call gives. What is named "
        "must be equal.",
        reminder_fields,
        "t:event(c, \"Complaint\", { text = \"late\" })\n"
        "local reminder = t:expect_reminder(c, { to = \"owner\", note = \"late\" })\n"
        "t:event(c, \"reminder.done\", { task = reminder.id })\n",
    },
    {
        "expect_sent",
        expect_sent,
        "t:expect_sent(C, FIELDS)",
        "A message to her, or one of `notify` about her, was sent with these fields; it is what "
        "the "
        "call gives. What is named must be equal.",
        sent_fields,
        "t:event(c, \"Signed Up\")\n"
        "t:expect_sent(c, { channel = \"log\", body = \"Welcome\", times = 1 })\n",
    },
    { 0 },
};
#define METHODS_MAX 16

const struct script_word suite_words[] = {
    {
        "test",
        word_test,
        "test \"NAME\" (function(t) ... end)",
        "A test. It begins in an empty house in which the rules of the folder are in force, with a "
        "clock that only the test moves.",
        NULL,
        "test \"nobody is written to before anything happens\" (function(t)\n"
        "  t:expect_not_sent(t:customer{ name = \"Ann\" })\n"
        "end)\n",
    },
    { 0 },
};

static int test_index(lua_State *lua)
{
    const char *names[METHODS_MAX + 1] = { NULL };
    struct buf *scratch = &host_of(lua)->scratch;
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
    for (size_t i = 0; suite_methods[i].name != NULL; i++) {
        ASSERT(i < METHODS_MAX);
        names[i] = suite_methods[i].name;
        if (strcmp(name, names[i]) == 0) {
            lua_pushcfunction(lua, suite_methods[i].call);
            return 1;
        }
    }
    if (strcmp(name, "expect_in") == 0)
        return luaL_error(lua, "t:expect_in is about segments, which this version does not have");
    buf_clear(scratch);
    explain_choice(name, names, scratch);
    return luaL_error(lua, "t knows no \"%s\"%s", name, buf_string(scratch));
}

/* -- c: what is known of her ----------------------------------------------------------- */

/* Her record (read.h), in memory of the play. */
static struct doc record_of(lua_State *lua, int index)
{
    const uint64_t *handle = luaL_testudata(lua, index, CUSTOMER);
    struct play *play = &suite_of(lua)->play;
    char reference[24];
    struct err err;
    if (handle == NULL) {
        luaL_error(lua, "a customer is needed; a method is written with a colon: c:has_tag(tag)");
        return (struct doc){ NULL, 0 }; /* not reached */
    }
    snprintf(reference, sizeof reference, "%" PRIu64, *handle);
    buf_clear(&play->rows);
    if (read_customer(rehearsal_engine(play_house(lua)), text_of(reference), &play->rows, &err) !=
        0)
        host_raise(lua, &err);
    sandbox_spend(lua, play->rows.size / 8);
    return (struct doc){ play->rows.data, (uint32_t)play->rows.size };
}

static int customer_has(lua_State *lua)
{
    struct text tag = check_text(lua, 2, "c:has_tag(tag)", "the tag");
    bool has_tag = false;
    for (struct doc_iter it = doc_iter(doc_child(record_of(lua, 1), "tags")); doc_next(&it);)
        has_tag = has_tag || text_equal(it.value.text, tag);
    lua_pushboolean(lua, has_tag);
    return 1;
}

static int customer_consents(lua_State *lua)
{
    struct text purpose = check_text(lua, 2, "c:consent(purpose, channel)", "the purpose");
    struct text channel = check_text(lua, 3, "c:consent(purpose, channel)", "the channel");
    struct doc consents = doc_child(record_of(lua, 1), "consents");
    for (struct doc_iter it = doc_iter(consents); doc_next(&it);)
        if (text_equal(doc_text(it.value.doc, "purpose"), purpose) &&
            text_equal(doc_text(it.value.doc, "channel"), channel)) {
            struct doc_value state = doc_get(it.value.doc, "state");
            convert_push(lua, &state);
            return 1;
        }
    lua_pushnil(lua);
    return 1;
}

static int customer_index(lua_State *lua)
{
    size_t size = 0;
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tolstring(lua, 2, &size) : "";
    if (strcmp(name, "has_tag") == 0 || strcmp(name, "consent") == 0) {
        lua_pushcfunction(lua, name[0] == 'h' ? customer_has : customer_consents);
        return 1;
    }
    struct doc record = record_of(lua, 1);
    struct doc_value value =
        doc_get_text(doc_child(record, "traits"), (struct text){ name, (uint32_t)size });
    if (script_field_find(customer_fields, (struct text){ name, (uint32_t)size }) != SIZE_MAX)
        value = doc_get(record, name);
    convert_push(lua, &value);
    return 1;
}

static int refuse_assignment(lua_State *lua)
{
    return luaL_error(lua, "a test changes nothing by assignment: t:event(c, \"identify\", { name "
                           "= value }) sets a trait");
}

/* -- The objects ----------------------------------------------------------------------- */

static void add_metatable(lua_State *lua, const char *key, const char *name, lua_CFunction index)
{
    luaL_newmetatable(lua, key);
    lua_pushcfunction(lua, index);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_assignment);
    lua_setfield(lua, -2, "__newindex");
    lua_pushstring(lua, name);
    lua_setfield(lua, -2, "__name");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 1);
}

void suite_push_test(lua_State *lua)
{
    lua_newuserdatauv(lua, 0, 0);
    luaL_setmetatable(lua, TEST);
}

void suite_words_add(struct suite_file *file)
{
    lua_State *lua = sandbox_state(file->host.sandbox);
    add_metatable(lua, TEST, "test", test_index);
    add_metatable(lua, CUSTOMER, "customer", customer_index);
    host_add_words(&file->host, suite_words);
}
