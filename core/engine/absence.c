/* absence.c -- who is away, who stands in, and how the work comes back.
 *
 * An absence is {from, until, deputy}.  From `from` on, whatever of hers falls due before `until`
 * stands in her deputy's list and names her as `of`; at `until` all that is still open comes back.
 * What falls due later never leaves her list.  Both happen when a timer fires, one a person, that
 * is set for the next bound of her absences and for the moment at which her record changes.
 *
 *     she is       work of hers                          is
 *     there        in her list                           left alone
 *     there        with a deputy                         taken back
 *     away         in her list, due before she is back   given to her deputy
 *     away         with a deputy who is there            left alone, unless her record is new
 *     away         with a deputy who is away             given to the deputy's deputy
 *
 * A deputy may be away as well, and may have named her in turn: the way is followed from deputy to
 * deputy, no name twice and at most DEPUTIES_MAX of them, and ends with the fallback of kith.lua.
 * A name that nobody bears, or nobody any more, counts as away; only what is addressed to one is
 * left to it where no fallback is named, or nobody is on the staff yet.  If nobody is there at
 * all, the work stays where it belongs, for it must be in some list.
 *
 * Somebody may have any number of open tasks, and no entry may cost without bound: a tick looks at
 * limits.moves_per_tick of them, and the timer goes on where it stopped.
 */
#include "core/base/civil.h"
#include "core/base/moment.h"
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"

#include <string.h>

/* -- Who is away ---------------------------------------------------------- */

static bool is_in_force(struct doc absence, int64_t now)
{
    return now >= doc_int(absence, "from", INT64_MAX) && now < doc_int(absence, "until", INT64_MIN);
}

/* The absence of the record that is in force; none: she is there. */
static struct doc absence_of(struct doc record, int64_t now)
{
    for (struct doc_iter it = doc_iter(doc_child(record, "absences")); doc_next(&it);)
        if (it.value.type == DOC_DOC && is_in_force(it.value.doc, now))
            return it.value.doc;
    return (struct doc){ NULL, 0 };
}

bool staff_is_away(struct engine *engine, struct text name, int64_t *out_until)
{
    struct doc absence = absence_of(staff_row(engine, name), engine->now);
    if (absence.data == NULL)
        return false;
    *out_until = doc_int(absence, "until", INT64_MIN);
    return true;
}

/* -- Who does it ---------------------------------------------------------- */

struct search {
    struct engine *engine;
    const struct customer *customer;
    int64_t due;
    bool takes_turns;
    struct text fallback; /* of kith.lua; empty: none */
    struct duty found;
    struct text seen[DEPUTIES_MAX + 2]; /* whoever was asked, the fallback too */
    size_t seen_count;
};

static void say(struct search *search, struct text words)
{
    struct text why = search->found.why;
    search->found.why = arena_printf(&search->engine->arena, "%.*s%s%.*s", (int)why.size, why.data,
                                     why.size != 0 ? "; " : "", (int)words.size, words.data);
}

static bool was_asked(const struct search *search, struct text name)
{
    for (size_t i = 0; i < search->seen_count; i++)
        if (text_equal(search->seen[i], name))
            return true;
    return search->seen_count == DEPUTIES_MAX + 2;
}

static void say_away(struct search *search, struct text name, struct text deputy, int64_t until)
{
    char text[MOMENT_TEXT_SIZE] = "further notice";
    if (until <= CIVIL_MS_MAX)
        moment_format(until, text);
    say(search,
        arena_printf(&search->engine->arena, "%.*s is away until %s, %s%.*s", (int)name.size,
                     name.data, text, deputy.size != 0 ? "deputy: " : "no deputy", (int)deputy.size,
                     deputy.data));
}

/* Staff may be known elsewhere: the name that work is addressed to is taken as it is written,
 * unless this house says who works here and who does what is nobody's. */
static bool is_nobody(const struct search *search, struct text name)
{
    bool is_first = search->seen_count == 1 && !text_equal(name, search->fallback);
    if (staff_is_known(search->engine, name))
        return false;
    return !is_first || (search->fallback.size != 0 && staff_has_any(search->engine));
}

/* One person or team.  True: it is decided; else *out_next is who is asked next, empty: nobody is
 * named. */
static bool ask(struct search *search, struct text to, struct text *out_next)
{
    struct engine *engine = search->engine;
    bool is_team;
    struct text name = team_name(to, &is_team), why;
    *out_next = (struct text){ "", 0 };
    if (is_nobody(search, to)) {
        say(search, arena_printf(&engine->arena, "nobody is called %.*s", (int)to.size, to.data));
        return false;
    }
    if (team_assigns(engine, name)) {
        struct team_choice choice = { name, search->customer, search->takes_turns };
        search->found.holder = team_choose(engine, &choice, &why);
        say(search, why);
        return search->found.holder.size != 0;
    }
    struct doc record = staff_row(engine, name);
    struct doc absence = absence_of(record, engine->now);
    int64_t until = doc_int(absence, "until", INT64_MIN);
    if (is_team || absence.data == NULL || search->due >= until) {
        search->found.holder = name;
        return true;
    }
    struct text deputy = doc_text(absence, "deputy");
    if (deputy.size == 0)
        deputy = doc_text(record, "deputy");
    if (deputy.size > NAME_BYTES_MAX)
        deputy.size = 0;
    say_away(search, name, deputy, until);
    if (search->found.of.size == 0)
        search->found.of = name;
    *out_next = deputy;
    return false;
}

static struct duty find(struct search *search, struct text to)
{
    struct text first = to, next;
    bool is_team, is_decided = false;
    while (!is_decided && to.size != 0) {
        search->seen[search->seen_count++] = to;
        is_decided = ask(search, to, &next);
        to = next.size != 0 && !was_asked(search, next) ? next : search->fallback;
        if (!is_decided && was_asked(search, to))
            to.size = 0;
        else if (!is_decided && to.size != 0 && text_equal(to, search->fallback))
            say(search, text_of("the fallback of kith.lua"));
    }
    if (!is_decided) { /* it stays whose it is, or in the team's own list */
        search->found.holder =
            search->found.of.size != 0 ? search->found.of : team_name(first, &is_team);
        search->found.of.size = 0;
    }
    if (text_equal(search->found.holder, search->found.of))
        search->found.of.size = 0;
    return search->found;
}

static struct duty assign(struct engine *engine, struct text to, const struct customer *customer,
                          int64_t due, bool takes_turns)
{
    struct search search = {
        .engine = engine, .customer = customer, .due = due, .takes_turns = takes_turns
    };
    search.fallback = text_of(engine->config.fallback);
    search.found.why = search.found.of = search.found.holder = (struct text){ "", 0 };
    if (text_is(to, "owner"))
        to = customer_owner(customer);
    if (to.size == 0)
        to = search.fallback;
    if (to.size > NAME_BYTES_MAX) {
        search.found.holder = to;
        return search.found;
    }
    return find(&search, to);
}

struct duty staff_assign(struct engine *engine, struct text to, const struct customer *customer,
                         int64_t due)
{
    return assign(engine, to, customer, due, true);
}

struct text staff_assignee(struct engine *engine, struct text to, const struct customer *customer)
{
    return assign(engine, to, customer, STAFF_NO_DUE, false).holder;
}

/* -- The timer ------------------------------------------------------------ */

/* Where the walk over somebody's work has come to. */
struct walk {
    struct engine *engine;
    struct text name;
    bool is_anew;   /* her record has changed since deputies were found */
    bool is_at_own; /* of the two lists: what is with deputies, then her own */
    int64_t due;    /* the next row of that list */
    uint64_t task;
};

static struct text timer_name(struct engine *engine, struct text name)
{
    return arena_printf(&engine->arena, "absence:%.*s", (int)name.size, name.data);
}

static void set_timer(const struct walk *walk, int64_t at)
{
    struct engine *engine = walk->engine;
    struct text name = timer_name(engine, walk->name);
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "absence");
    doc_put_text(&w, "name", walk->name);
    if (walk->is_anew)
        doc_put_bool(&w, "anew", true);
    if (walk->is_at_own)
        doc_put_bool(&w, "own", true);
    if (walk->task != 0) {
        doc_put_int(&w, "due", walk->due);
        doc_put_int(&w, "task", (int64_t)walk->task);
    }
    timer_set(engine, NULL, 0, name, at, engine_doc(engine, &w));
}

/* The next moment at which an absence begins or ends; INT64_MAX: none. */
static int64_t next_bound(struct doc record, int64_t now)
{
    static const char *const bounds[] = { "from", "until" };
    int64_t next = INT64_MAX;
    for (struct doc_iter it = doc_iter(doc_child(record, "absences")); doc_next(&it);)
        for (size_t i = 0; i < 2 && it.value.type == DOC_DOC; i++) {
            int64_t bound = doc_int(it.value.doc, bounds[i], INT64_MIN);
            if (bound > now && bound < next)
                next = bound;
        }
    return next;
}

void absence_disarm(struct engine *engine, struct text name)
{
    timer_cancel(engine, NULL, 0, timer_name(engine, name));
}

static bool is_same(struct doc before, struct doc now, const char *field)
{
    struct doc_value a = doc_get(before, field), b = doc_get(now, field);
    return a.type == b.type && (a.type == DOC_NONE || doc_value_equal(&a, &b));
}

void absence_arm(struct engine *engine, struct text name, struct doc before, struct doc now)
{
    struct walk walk = { .engine = engine, .name = name, .is_anew = true };
    if (!is_same(before, now, "absences") || !is_same(before, now, "deputy"))
        set_timer(&walk, engine->now);
}

/* False: not all of them, and the walk stands where it is to go on. */
static bool walk_list(struct walk *walk, char table, int64_t until)
{
    struct engine *engine = walk->engine;
    struct key prefix, first;
    struct cursor cursor;
    bool is_done = true;
    key_start(&prefix, table);
    key_text(&prefix, walk->name);
    first = prefix;
    key_time(&first, walk->due);
    key_number(&first, walk->task);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (is_done && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        bool is_row = key_read_time(&reader, &walk->due) && key_read_number(&reader, &walk->task);
        ASSERT(is_row);
        if (walk->due >= until)
            break;
        is_done = engine->moves_left > 0;
        if (is_done) {
            engine->moves_left--;
            reminder_settle(engine, walk->task, walk->is_anew);
        }
    }
    cursor_close(&cursor);
    return is_done;
}

static void begin_list(struct walk *walk, bool is_own)
{
    walk->is_at_own = is_own;
    walk->due = INT64_MIN;
    walk->task = 0;
}

void absence_fire(struct engine *engine, struct doc timer)
{
    struct walk walk = {
        .engine = engine,
        .name = doc_text(timer, "name"),
        .is_anew = doc_bool(timer, "anew", false),
        .is_at_own = doc_bool(timer, "own", false),
        .due = doc_int(timer, "due", INT64_MIN),
        .task = (uint64_t)doc_int(timer, "task", 0),
    };
    bool is_done = true;
    if (!walk.is_at_own) {
        is_done = walk_list(&walk, 'O', INT64_MAX);
        if (is_done)
            begin_list(&walk, true);
    }
    int64_t until;
    if (is_done && staff_is_away(engine, walk.name, &until))
        is_done = walk_list(&walk, 'o', until);
    if (!is_done) {
        set_timer(&walk, engine->now);
        return;
    }
    int64_t next = next_bound(staff_row(engine, walk.name), engine->now);
    begin_list(&walk, false);
    walk.is_anew = false;
    if (next != INT64_MAX)
        set_timer(&walk, next);
}

/* -- Commands ------------------------------------------------------------- */

int absence_check(struct doc absence, struct err *err)
{
    struct doc_value deputy = doc_get(absence, "deputy");
    if (doc_get(absence, "from").type != DOC_INT64 || doc_get(absence, "until").type != DOC_INT64)
        return err_set(err, E_INVALID,
                       "\"from\" and \"until\" of an absence are milliseconds since 1970");
    if (deputy.type != DOC_NONE && deputy.type != DOC_NULL && deputy.type != DOC_TEXT)
        return err_set(err, E_INVALID, "\"%s\" is text", "deputy");
    if (deputy.type == DOC_TEXT && deputy.text.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "\"%s\" has at most %d bytes", "deputy", NAME_BYTES_MAX);
    return 0;
}

static struct doc with_absences(struct engine *engine, struct doc record, struct doc absences)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    for (struct doc_iter it = doc_iter(record); doc_next(&it);)
        if (!text_is(it.name, "absences"))
            doc_put_value_text(&w, it.name, &it.value);
    if (doc_count(absences) != 0)
        doc_put_array(&w, "absences", absences);
    return engine_doc(engine, &w);
}

static void store(struct engine *engine, struct text name, struct doc before, struct doc now)
{
    struct key key;
    key_named(&key, 's', name);
    state_put(engine->state, &key, now.data, now.size);
    absence_arm(engine, name, before, now);
}

/* Those of the record that have not ended, but for the one that begins at `from`, and one more. */
static struct doc add_absence(struct engine *engine, struct doc record, struct doc data)
{
    int64_t from = doc_int(data, "from", 0);
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(doc_child(record, "absences")); doc_next(&it);)
        if (it.value.type == DOC_DOC && doc_int(it.value.doc, "until", 0) > engine->now &&
            doc_int(it.value.doc, "from", INT64_MIN) != from)
            doc_put_value(&w, "", &it.value);
    doc_open(&w, "");
    doc_put_int(&w, "from", from);
    doc_put_int(&w, "until", doc_int(data, "until", 0));
    doc_put_present(&w, "deputy", doc_text(data, "deputy"));
    doc_close(&w);
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "");
}

/* The record that a command names, refused when there is none. */
static struct doc named_record(struct step *step, struct text *out_name)
{
    struct text name = *out_name = doc_text(step->event->data, "name");
    struct doc record = staff_row(step->engine, name);
    if (record.data == NULL)
        engine_refuse(step->engine, E_NOTFOUND, "nobody of staff is called %.*s", (int)name.size,
                      name.data);
    return record;
}

void command_staff_absent(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text name;
    struct err err;
    struct doc record = named_record(step, &name);
    if (record.data == NULL)
        return;
    int rc = absence_check(data, &err);
    if (rc == 0 && doc_int(data, "until", 0) <= doc_int(data, "from", 0))
        rc = err_set(&err, E_INVALID, "an absence ends after it begins");
    if (rc == 0 && doc_int(data, "until", 0) <= engine->now)
        rc = err_set(&err, E_INVALID, "that absence is over already");
    struct doc absences = add_absence(engine, record, data);
    if (rc == 0 && doc_count(absences) > ABSENCES_MAX)
        rc = err_set(&err, E_LIMIT, "%.*s has %d absences to come: no more", (int)name.size,
                     name.data, ABSENCES_MAX);
    if (rc != 0)
        engine_refuse(engine, rc, "%s", err.text);
    else
        store(engine, name, record, with_absences(engine, record, absences));
}

/* Without those that have ended, and without the one that is called off: the one from `from` on, or
 * (INT64_MIN) all in force.  *out_found: there was one. */
static struct doc drop_absences(struct engine *engine, struct doc record, int64_t from,
                                bool *out_found)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(doc_child(record, "absences")); doc_next(&it);) {
        if (it.value.type != DOC_DOC || doc_int(it.value.doc, "until", 0) <= engine->now)
            continue;
        bool is_meant = from == INT64_MIN ? is_in_force(it.value.doc, engine->now)
                                          : doc_int(it.value.doc, "from", 0) == from;
        *out_found = *out_found || is_meant;
        if (!is_meant)
            doc_put_value(&w, "", &it.value);
    }
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "");
}

void command_staff_back(struct step *step)
{
    struct engine *engine = step->engine;
    struct text name;
    bool is_found = false;
    struct doc record = named_record(step, &name);
    if (record.data == NULL)
        return;
    struct doc absences =
        drop_absences(engine, record, doc_int(step->event->data, "from", INT64_MIN), &is_found);
    if (is_found)
        store(engine, name, record, with_absences(engine, record, absences));
    else
        engine_refuse(engine, E_CONFLICT, "%.*s is not away, and has no absence that begins then",
                      (int)name.size, name.data);
}
