/* suite_expect.c -- what a test looks for: messages that were sent, reminders that are open.
 *
 * One is found when it has all the fields that were named.  What is prose (body, text, title, note)
 * may say more than was asked for: a test that has to repeat every word of a letter is one that
 * nobody mends.  Everything else is equal or is not.
 */
#include "core/script/suite_inside.h"

#include "core/base/civil.h"
#include "core/base/json_write.h"
#include "core/base/moment.h"
#include "core/base/zone.h"
#include "core/engine/rehearsal.h"
#include "core/script/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct script_field sent_fields[] = {
    { "body", "text", "what it contains", false },
    { "channel", "text", "how it went", false },
    { "data", "table", "of which only what is named is looked at", false },
    { "key", "text", "as of `send`", false },
    { "purpose", "text", "as of `send`", false },
    { "rule", "text", "the name of the rule", false },
    { "text", "text", "of `notify`: what it contains", false },
    { "times", "number", "how many there must be; not where none is expected", false },
    { "to", "text", "who got it, of `notify`", false },
    { "type", "text", "of a webhook", false },
    { 0 },
};

const struct script_field reminder_fields[] = {
    { "about", "text", "as of `remind`", false },
    { "due", "date, moment", "when it is due; a date is any time of that day", false },
    { "key", "text", "as of `remind`", false },
    { "note", "text", "what it contains", false },
    { "rule", "text", "the name of the rule", false },
    { "times", "number", "how many there must be; not where none is expected", false },
    { "title", "text", "what it contains", false },
    { "to", "text", "whose it is, or was meant for", false },
    { 0 },
};

const struct script_field record_expected[] = {
    { "kind", "text", "its kind", false },
    { "id", "number", "its number", false },
    { "state", "text", "the state that it is in", false },
    { "owner", "text", "whose it is", false },
    { "open", "true or false", "whether its state is not final", false },
    { "fields", "table", "of which only what is named is looked at", false },
    { "times", "number", "how many there must be; not where none is expected", false },
    { 0 },
};

/* What is looked for, and among what. */
struct search {
    lua_State *lua;
    struct suite *suite;
    const char *word, *what; /* "t:expect_sent", "message" */
    const char *state;       /* that it must be in; NULL: any */
    uint64_t number;         /* of the customer */
    struct doc wanted, items;
    size_t found;
    struct doc first; /* of those found */
};

/* -- Comparing ------------------------------------------------------------------------- */

static bool is_prose(struct text name)
{
    return text_is(name, "body") || text_is(name, "text") || text_is(name, "title") ||
           text_is(name, "note");
}

static bool contains(struct text text, struct text part)
{
    return part.size == 0 ||
           (text.size >= part.size && memmem(text.data, text.size, part.data, part.size) != NULL);
}

/* Whether a document has all the fields of `wanted`, each with an equal value. */
static bool has_fields(const struct doc_value *value, const struct doc_value *wanted)
{
    if (wanted->type != DOC_DOC || value->type != DOC_DOC)
        return doc_value_equal(value, wanted);
    for (struct doc_iter it = doc_iter(wanted->doc); doc_next(&it);) {
        struct doc_value field = doc_get_text(value->doc, it.name);
        if (!doc_value_equal(&field, &it.value))
            return false;
    }
    return true;
}

/* "2026-02-02" is any time of that day, as the company's clocks show it. */
static bool is_due(const struct search *search, int64_t due, const struct doc_value *wanted)
{
    int64_t day;
    if (wanted->type == DOC_INT64)
        return due == wanted->integer;
    if (wanted->type != DOC_TEXT)
        luaL_error(search->lua, "%s: due is a moment like \"2026-01-31 10:00\"", search->word);
    if (moment_parse_date(wanted->text.data, wanted->text.size, &day, NULL) == 0)
        return civil_local_days(zone_local_from_ms(search->suite->config->zone, due)) == day;
    return due == play_moment(search->lua, search->word, wanted->text);
}

/* Fields of the row itself, then of what the rule gave; what notify calls text is a body. */
static struct doc_value field_of(struct doc item, struct text name)
{
    struct doc message = doc_child(item, "message");
    if (text_is(name, "text"))
        name = text_of("body");
    struct doc_value value = doc_get_text(item, name);
    if (value.type == DOC_NONE)
        value = doc_get_text(message.data != NULL ? message : doc_child(item, "content"), name);
    return value;
}

static bool has_field(const struct search *search, struct doc item, const struct doc_iter *wanted)
{
    struct doc_value value = field_of(item, wanted->name);
    if (text_is(wanted->name, "times"))
        return true;
    if (text_is(wanted->name, "due"))
        return is_due(search, value.integer, &wanted->value);
    if (is_prose(wanted->name) && value.type == DOC_TEXT && wanted->value.type == DOC_TEXT)
        return contains(value.text, wanted->value.text);
    if (text_is(wanted->name, "to")) {
        struct doc_value assignee = doc_get(item, "assignee");
        return doc_value_equal(&assignee, &wanted->value) ||
               doc_value_equal(&value, &wanted->value);
    }
    return has_fields(&value, &wanted->value);
}

static bool is_found(const struct search *search, struct doc item)
{
    if (search->state != NULL && !text_is(doc_text(item, "state"), search->state))
        return false;
    for (struct doc_iter it = doc_iter(search->wanted); doc_next(&it);)
        if (!has_field(search, item, &it))
            return false;
    return true;
}

/* -- Looking --------------------------------------------------------------------------- */

typedef void list_fn(struct rehearsal *rehearsal, uint64_t number, struct buf *out);

static void look(struct search *search, lua_State *lua, const struct script_field fields[],
                 list_fn *list)
{
    struct rehearsal *house = play_house(lua);
    search->lua = lua;
    search->suite = suite_of(lua);
    struct play *play = &search->suite->play;
    search->number = check_handle(lua, 2, search->word, true);
    search->wanted = check_fields(lua, 3, search->word, fields);
    buf_clear(&play->rows);
    list(house, search->number, &play->rows);
    sandbox_spend(lua, play->rows.size / 8);
    struct doc rows = { play->rows.data, (uint32_t)play->rows.size };
    search->items = doc_child(rows, "items");
    for (struct doc_iter it = doc_iter(search->items); doc_next(&it);)
        if (is_found(search, it.value.doc) && search->found++ == 0)
            search->first = it.value.doc;
}

/* "a message to customer 1 with body "Welcome", channel "log"" */
static void describe(const struct search *search, const char *before, struct buf *out)
{
    const char *gap = " with ";
    buf_clear(out);
    buf_printf(out, "%s%s", before, search->what);
    if (search->number != 0)
        buf_printf(out, "%s customer %" PRIu64, search->what[0] == 'm' ? " to" : " about",
                   search->number);
    for (struct doc_iter it = doc_iter(search->wanted); doc_next(&it); gap = ", ") {
        if (text_is(it.name, "times"))
            continue;
        buf_printf(out, "%s%s ", gap, it.name.data);
        json_write_value(out, &it.value);
    }
}

/* Does not return. */
static int miss(struct search *search, const char *before, const char *what_came)
{
    struct play *play = &search->suite->play;
    describe(search, before, &play->expected);
    buf_clear(&play->got);
    buf_append(&play->got, play->rows.data, play->rows.size);
    play->is_missed = true;
    buf_clear(&play->scratch);
    buf_printf(&play->scratch, "expected %s; %s", buf_string(&play->expected), what_came);
    lua_pushlstring(search->lua, (const char *)play->scratch.data, play->scratch.size);
    luaL_where(search->lua, 1);
    lua_insert(search->lua, -2);
    lua_concat(search->lua, 2);
    return lua_error(search->lua);
}

#define CAME_SIZE 64

/* "none was sent", "1 was sent", "2 were sent" */
static void say_count(size_t count, const char *passive, char out[CAME_SIZE])
{
    const char *verb = count > 1 ? "were" : "was";
    if (count == 0)
        snprintf(out, CAME_SIZE, "none was %s", passive);
    else
        snprintf(out, CAME_SIZE, "%zu %s %s", count, verb, passive);
}

/* At least one, or as many as `times` says; the first is what the test gets. */
static int expect_some(struct search *search, const char *passive)
{
    struct doc_value times = doc_get(search->wanted, "times");
    char before[32] = "a ", came[CAME_SIZE];
    if (times.type != DOC_NONE && (times.type != DOC_INT64 || times.integer < 1))
        return luaL_error(search->lua, "%s: times is a whole number from 1", search->word);
    bool is_enough =
        times.type == DOC_NONE ? search->found != 0 : search->found == (uint64_t)times.integer;
    if (!is_enough) {
        if (times.type != DOC_NONE && times.integer == 1)
            snprintf(before, sizeof before, "once a ");
        else if (times.type != DOC_NONE)
            snprintf(before, sizeof before, "%" PRIi64 " times a ", times.integer);
        say_count(search->found, passive, came);
        return miss(search, before, came);
    }
    struct doc_value first = { .type = DOC_DOC, .doc = search->first };
    convert_push(search->lua, &first);
    return 1;
}

static int expect_none(struct search *search, const char *passive)
{
    char came[CAME_SIZE];
    if (doc_get(search->wanted, "times").type != DOC_NONE)
        return luaL_error(search->lua, "%s: none is expected, so there are no times", search->word);
    if (search->found == 0)
        return 0;
    say_count(search->found, passive, came);
    return miss(search, "no ", came);
}

int expect_sent(lua_State *lua)
{
    struct search search = { .word = "t:expect_sent", .what = "message", .state = "sent" };
    look(&search, lua, sent_fields, rehearsal_effects);
    return expect_some(&search, "sent");
}

int expect_not_sent(lua_State *lua)
{
    struct search search = { .word = "t:expect_not_sent", .what = "message", .state = "sent" };
    look(&search, lua, sent_fields, rehearsal_effects);
    return expect_none(&search, "sent");
}

int expect_record(lua_State *lua)
{
    struct search search = { .word = "t:expect_record", .what = "record" };
    look(&search, lua, record_expected, rehearsal_records);
    return expect_some(&search, "there");
}

int expect_no_record(lua_State *lua)
{
    struct search search = { .word = "t:expect_no_record", .what = "record" };
    look(&search, lua, record_expected, rehearsal_records);
    return expect_none(&search, "there");
}

int expect_reminder(lua_State *lua)
{
    struct search search = { .word = "t:expect_reminder", .what = "reminder", .state = "open" };
    look(&search, lua, reminder_fields, rehearsal_reminders);
    return expect_some(&search, "open");
}

int expect_no_reminder(lua_State *lua)
{
    struct search search = { .word = "t:expect_no_reminder", .what = "reminder", .state = "open" };
    look(&search, lua, reminder_fields, rehearsal_reminders);
    return expect_none(&search, "open");
}
