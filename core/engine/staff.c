/* staff.c -- people working in Kith, and the keys they come with.
 *
 * A key is known by its hash only.  Who a piece of work goes to is decided when it
 * is given: somebody absent has a deputy, nobody's work goes to the fallback team.
 */
#include "core/engine/staff.h"
#include "core/engine/engine_inside.h"

#include <string.h>

#define RECORD_BYTES_MAX (16u << 10)

static void store_named(struct engine *engine, char table, struct text name, struct doc doc)
{
    struct key key;
    key_named(&key, table, name);
    state_put(engine->state, &key, doc.data, doc.size);
}

static bool is_name(struct engine *engine, struct text name, const char *what)
{
    if (name.size != 0 && name.size <= NAME_BYTES_MAX)
        return true;
    engine_refuse(engine, E_INVALID, "%s needs a name of 1 to %d bytes", what, NAME_BYTES_MAX);
    return false;
}

/* What nobody does would be hers, and she does it no more. */
static bool is_fallback(struct engine *engine, struct text name)
{
    bool is_team;
    return text_equal(team_name(text_of(engine->config.fallback), &is_team), name);
}

/* Open tasks in somebody's list, or hers with a deputy; an index each, so two looks. */
static bool has_tasks(struct engine *engine, struct text name)
{
    static const char tables[] = { 'o', 'O' };
    bool has_any = false;
    for (size_t i = 0; i < sizeof tables && !has_any; i++) {
        struct key prefix;
        struct cursor cursor;
        key_start(&prefix, tables[i]);
        key_text(&prefix, name);
        cursor_open(&cursor, engine->state, &prefix);
        has_any = cursor_next(&cursor);
        cursor_close(&cursor);
    }
    return has_any;
}

static bool fits(struct engine *engine, struct doc data)
{
    if (data.size <= RECORD_BYTES_MAX)
        return true;
    engine_refuse(engine, E_LIMIT, "it has %u bytes, more than %u", data.size, RECORD_BYTES_MAX);
    return false;
}

/* -- The shape of a record ------------------------------------------------ */

static bool is_list_of(const struct doc_value *value, enum doc_type type)
{
    if (value->type != DOC_ARRAY)
        return false;
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (it.value.type != type)
            return false;
    return true;
}

/* Fields that mean something to Kith; others may be anything. */
static int check_fields(struct doc doc, const char *const texts[], const char *const lists[],
                        struct err *err)
{
    for (; *texts != NULL; texts++) {
        struct doc_value value = doc_get(doc, *texts);
        if (value.type != DOC_NONE && value.type != DOC_NULL && value.type != DOC_TEXT)
            return err_set(err, E_INVALID, "\"%s\" is text", *texts);
        if (value.type == DOC_TEXT && value.text.size > NAME_BYTES_MAX)
            return err_set(err, E_LIMIT, "\"%s\" has at most %d bytes", *texts, NAME_BYTES_MAX);
    }
    for (; *lists != NULL; lists++) {
        struct doc_value value = doc_get(doc, *lists);
        if (value.type != DOC_NONE && value.type != DOC_NULL && !is_list_of(&value, DOC_TEXT))
            return err_set(err, E_INVALID, "\"%s\" is a list of texts", *lists);
    }
    return 0;
}

static int check_absences(struct doc data, struct err *err)
{
    struct doc_value absences = doc_get(data, "absences");
    int rc = 0;
    if (absences.type == DOC_NONE || absences.type == DOC_NULL)
        return 0;
    if (!is_list_of(&absences, DOC_DOC))
        return err_set(err, E_INVALID, "\"absences\" is a list of {from, until, deputy}");
    for (struct doc_iter it = doc_iter(absences.doc); rc == 0 && doc_next(&it);)
        rc = absence_check(it.value.doc, err);
    return rc;
}

/* -- Commands ------------------------------------------------------------- */

/* Borrowed from the state: until somebody writes there. */
static struct doc stored(struct engine *engine, char table, struct text name)
{
    struct key key;
    struct bytes row;
    key_named(&key, table, name);
    if (name.size > NAME_BYTES_MAX || !state_get(engine->state, &key, &row))
        return (struct doc){ NULL, 0 };
    return (struct doc){ row.data, (uint32_t)row.size };
}

struct doc staff_row(struct engine *engine, struct text name)
{
    return arena_doc(&engine->arena, stored(engine, 's', name));
}

bool staff_is_known(struct engine *engine, struct text to)
{
    bool is_team;
    struct text name = team_name(to, &is_team);
    return team_is_known(engine, name) || (!is_team && staff_row(engine, name).data != NULL);
}

/* The row behind `name`, borrowed; the first behind the empty one.  False: there is none. */
static bool next_row(struct engine *engine, struct text *name, struct doc *out_row)
{
    struct key prefix, first;
    struct cursor cursor;
    bool is_found = false;
    key_start(&prefix, 's');
    key_named(&first, 's', *name);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (!is_found && cursor_next(&cursor)) {
        struct text next = { (const char *)cursor.key.data + 1, (uint32_t)cursor.key.size - 1 };
        is_found = !text_equal(next, *name);
        if (is_found)
            *name = arena_text(&engine->arena, next);
    }
    cursor_close(&cursor);
    *out_row = is_found ? stored(engine, 's', *name) : (struct doc){ NULL, 0 };
    return is_found;
}

bool staff_has_any(struct engine *engine)
{
    struct text first = { "", 0 };
    struct doc row;
    return next_row(engine, &first, &row);
}

static int check_staff(struct engine *engine, struct text name, struct doc data, struct err *err)
{
    static const char *const texts[] = { "calendar", "deputy", "team", "language", NULL };
    static const char *const lists[] = { "languages", "members", "teams", NULL };
    int rc = check_fields(data, texts, lists, err);
    if (rc == 0)
        rc = check_absences(data, err);
    if (rc == 0)
        rc = team_check_way(data, err);
    return rc != 0 ? rc : team_check_members(engine, name, data, err);
}

static void store(struct engine *engine, struct text name, struct doc before, struct doc now)
{
    team_index(engine, name, before, now);
    store_named(engine, 's', name, now);
    absence_arm(engine, name, before, now);
}

void command_staff_set(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text name = doc_text(data, "name");
    struct err err;
    if (!is_name(engine, name, "a member of staff") || !fits(engine, data))
        return;
    if (check_staff(engine, name, data, &err) != 0) {
        engine_refuse(engine, err.code, "staff %.*s: %s", (int)name.size, name.data, err.text);
        return;
    }
    store(engine, name, staff_row(engine, name), data);
}

/* Names that mean Kith itself, or a plugin, where a source is named. */
static bool is_reserved(struct text name)
{
    size_t size = strlen(EVENT_PLUGIN_PREFIX);
    return text_is(name, "kith") || text_is(name, "rules") ||
           (name.size >= size && memcmp(name.data, EVENT_PLUGIN_PREFIX, size) == 0);
}

static int check_key(struct doc data, struct err *err)
{
    static const char *const texts[] = { "staff", NULL }, *const lists[] = { "scopes", NULL };
    struct text name = doc_text(data, "name"), hash = doc_text(data, "hash");
    if (is_reserved(name))
        return err_set(err, E_INVALID,
                       "no key may be called %.*s: what Kith itself says bears that name",
                       (int)name.size, name.data);
    if (hash.size == 0 || hash.size > NAME_BYTES_MAX)
        return err_set(err, E_INVALID, "a key needs the hash of its secret");
    return check_fields(data, texts, lists, err);
}

static void forget_hash(struct engine *engine, struct text name)
{
    struct key key;
    struct text hash = doc_text(stored(engine, 'K', name), "hash");
    key_named(&key, 'h', hash);
    if (hash.size != 0)
        state_delete(engine->state, &key);
}

void command_key_set(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "name");
    struct text hash = doc_text(step->event->data, "hash");
    struct key key;
    struct err err;
    if (!is_name(engine, name, "a key") || !fits(engine, step->event->data))
        return;
    if (check_key(step->event->data, &err) != 0) {
        engine_refuse(engine, err.code, "%s", err.text);
        return;
    }
    key_named(&key, 'h', hash);
    struct bytes other;
    if (state_get(engine->state, &key, &other) &&
        !text_equal(name, (struct text){ (const char *)other.data, (uint32_t)other.size })) {
        engine_refuse(engine, E_CONFLICT, "another key has this hash");
        return;
    }
    forget_hash(engine, name);
    store_named(engine, 'K', name, step->event->data);
    state_put(engine->state, &key, name.data, name.size);
}

static void remove_key(struct engine *engine, struct text name)
{
    struct key key;
    forget_hash(engine, name);
    key_named(&key, 'K', name);
    state_delete(engine->state, &key);
}

void command_key_removed(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "name");
    if (stored(engine, 'K', name).data == NULL)
        engine_refuse(engine, E_NOTFOUND, "no key is called %.*s", (int)name.size, name.data);
    else
        remove_key(engine, name);
}

/* The first key that is `name`'s, copied; empty: she has none. */
static struct text key_of_staff(struct engine *engine, struct text name)
{
    struct key prefix;
    struct cursor cursor;
    struct text found = { "", 0 };
    key_start(&prefix, 'K');
    cursor_open(&cursor, engine->state, &prefix);
    while (found.size == 0 && cursor_next(&cursor)) {
        struct doc row = { cursor.value.data, (uint32_t)cursor.value.size };
        struct text key = { (const char *)cursor.key.data + 1, (uint32_t)cursor.key.size - 1 };
        if (text_equal(doc_text(row, "staff"), name))
            found = arena_text(&engine->arena, key);
    }
    cursor_close(&cursor);
    return found;
}

/* -- Leaving -------------------------------------------------------------- */

struct leaver {
    struct text name;
    bool is_named; /* in what was written without her */
};

static bool is_hers(struct leaver *leaver, const struct doc_value *value)
{
    bool is_team;
    bool is_name =
        value->type == DOC_TEXT && text_equal(team_name(value->text, &is_team), leaver->name);
    leaver->is_named = leaver->is_named || is_name;
    return is_name;
}

static void put_absence(struct doc_writer *w, struct doc absence, struct leaver *leaver)
{
    doc_open(w, "");
    for (struct doc_iter it = doc_iter(absence); doc_next(&it);)
        if (!text_is(it.name, "deputy") || !is_hers(leaver, &it.value))
            doc_put_value_text(w, it.name, &it.value);
    doc_close(w);
}

/* Members, teams or absences. */
static void put_list(struct doc_writer *w, const struct doc_iter *list, struct leaver *leaver)
{
    doc_open_array_text(w, list->name);
    for (struct doc_iter it = doc_iter(list->value.doc); doc_next(&it);)
        if (it.value.type == DOC_DOC)
            put_absence(w, it.value.doc, leaver);
        else if (!is_hers(leaver, &it.value))
            doc_put_value(w, "", &it.value);
    doc_close(w);
}

static bool is_one_of(struct text name, const char *const words[])
{
    for (; *words != NULL; words++)
        if (text_is(name, *words))
            return true;
    return false;
}

/* The record without what names her; borrowed from the draft. */
static struct doc without(struct engine *engine, struct doc row, struct leaver *leaver)
{
    static const char *const texts[] = { "deputy", "team", NULL };
    static const char *const lists[] = { "absences", "members", "teams", NULL };
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(row); doc_next(&it);)
        if (it.value.type == DOC_ARRAY && is_one_of(it.name, lists))
            put_list(&w, &it, leaver);
        else if (!is_one_of(it.name, texts) || !is_hers(leaver, &it.value))
            doc_put_value_text(&w, it.name, &it.value);
    return doc_end(&w);
}

/* No team has her, and nobody's deputy is she: also not if she comes back, or another of her name.
 */
static void take_out(struct engine *engine, struct text name)
{
    struct text other = { "", 0 };
    struct doc row;
    while (next_row(engine, &other, &row)) {
        struct leaver leaver = { .name = name };
        struct doc now = without(engine, row, &leaver);
        if (leaver.is_named)
            store(engine, other, staff_row(engine, other), arena_doc(&engine->arena, now));
    }
}

void command_staff_removed(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name = doc_text(step->event->data, "name"), theirs;
    struct key key;
    if (stored(engine, 's', name).data == NULL) {
        engine_refuse(engine, E_NOTFOUND, "nobody of staff is called %.*s", (int)name.size,
                      name.data);
        return;
    }
    if (is_fallback(engine, name)) {
        engine_refuse(engine, E_CONFLICT,
                      "%.*s is the fallback of kith.lua: name another there first, and restart",
                      (int)name.size, name.data);
        return;
    }
    if (has_tasks(engine, name)) {
        engine_refuse(engine, E_CONFLICT,
                      "%.*s has open reminders: give them to somebody else first, or be done "
                      "with them",
                      (int)name.size, name.data);
        return;
    }
    while ((theirs = key_of_staff(engine, name)).size != 0)
        remove_key(engine, theirs);
    take_out(engine, name);
    team_index(engine, name, staff_row(engine, name), (struct doc){ NULL, 0 });
    absence_disarm(engine, name);
    key_named(&key, 's', name);
    state_delete(engine->state, &key);
}

/* -- Who does it ---------------------------------------------------------- */

struct text step_calendar(struct step *step, struct text to)
{
    struct engine *engine = step->engine;
    struct text assignee = staff_assignee(engine, to, &step->customer);
    return arena_text(&engine->arena, doc_text(stored(engine, 's', assignee), "calendar"));
}
