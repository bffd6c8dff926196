/* team.c -- teams: who is in one, and whose turn it is.
 *
 * A team is whatever staff belong to: a person says so (`team`, `teams`), or the team's own record
 * does (`members`, which may be none).  Table `M` is the index of both, so that giving work to a
 * team of ten costs ten rows and not the whole staff.
 *
 * How a team gives work to its members is a list of words in its record, `assign`.  Each narrows
 * the choice among those who are there, in the order in which they stand:
 *
 *     owner      the customer's owner, if she is one of them
 *     language   those who speak the customer's language, if there are any
 *     load       those with the fewest open tasks
 *     turn       the next one behind whoever had the last turn, in order of names
 *
 * A turn is what decides in the end, always: nothing is left to chance or to the order in which
 * rows happen to lie.  A team without `assign` has a list that its members take from.
 *
 * Table `L` has what changes with every piece of work: how many tasks stand open in a list, and
 * who had a team's last turn.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/staff.h"

#include "core/base/locale.h"

#include <string.h>

#define PREFIX "team:"
#define SAID_BY_HER 1u  /* in a row of `M`: her record names the team ... */
#define SAID_BY_TEAM 2u /* ... or the team's names her */

struct text team_name(struct text to, bool *out_is_team)
{
    size_t size = strlen(PREFIX);
    *out_is_team = to.size > size && memcmp(to.data, PREFIX, size) == 0;
    return *out_is_team ? (struct text){ to.data + size, to.size - (uint32_t)size } : to;
}

/* -- Members -------------------------------------------------------------- */

static void key_members(struct key *key, struct text team)
{
    key_start(key, 'M');
    key_text(key, team);
}

static void key_member(struct key *key, struct text team, struct text member)
{
    key_members(key, team);
    key_tail(key, member);
}

static unsigned member_bits(struct engine *engine, struct text team, struct text member)
{
    struct key key;
    struct bytes row;
    key_member(&key, team, member);
    if (!key_ok(&key) || !state_get(engine->state, &key, &row) || row.size != 1)
        return 0;
    return row.data[0];
}

static void note_member(struct engine *engine, struct text team, struct text member, unsigned bit,
                        bool is_on)
{
    unsigned before = member_bits(engine, team, member);
    uint8_t bits = (uint8_t)(is_on ? before | bit : before & ~bit);
    struct key key;
    key_member(&key, team, member);
    if (!key_ok(&key) || team.size == 0 || member.size == 0 || bits == before)
        return;
    if (bits != 0)
        state_put(engine->state, &key, &bits, 1);
    else
        state_delete(engine->state, &key);
}

static bool fits(struct text name)
{
    return name.size != 0 && name.size <= NAME_BYTES_MAX;
}

static void index_record(struct engine *engine, struct text name, struct doc record, bool is_on)
{
    if (fits(doc_text(record, "team")))
        note_member(engine, doc_text(record, "team"), name, SAID_BY_HER, is_on);
    for (struct doc_iter it = doc_iter(doc_child(record, "teams")); doc_next(&it);)
        if (it.value.type == DOC_TEXT && fits(it.value.text))
            note_member(engine, it.value.text, name, SAID_BY_HER, is_on);
    for (struct doc_iter it = doc_iter(doc_child(record, "members")); doc_next(&it);)
        if (it.value.type == DOC_TEXT && fits(it.value.text))
            note_member(engine, name, it.value.text, SAID_BY_TEAM, is_on);
}

void team_index(struct engine *engine, struct text name, struct doc before, struct doc now)
{
    index_record(engine, name, before, false);
    index_record(engine, name, now, true);
}

static size_t count_members(struct engine *engine, struct text team)
{
    struct key prefix;
    struct cursor cursor;
    size_t count = 0;
    key_members(&prefix, team);
    cursor_open(&cursor, engine->state, &prefix);
    while (count <= TEAM_MEMBERS_MAX && cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}

static int check_room(struct engine *engine, struct text team, struct text member, struct err *err)
{
    if (!fits(team) || member_bits(engine, team, member) != 0 ||
        count_members(engine, team) < TEAM_MEMBERS_MAX)
        return 0;
    return err_set(err, E_LIMIT, "team %.*s has %d members: no more", (int)team.size, team.data,
                   TEAM_MEMBERS_MAX);
}

int team_check_members(struct engine *engine, struct text name, struct doc now, struct err *err)
{
    int rc = check_room(engine, doc_text(now, "team"), name, err);
    for (struct doc_iter it = doc_iter(doc_child(now, "teams")); rc == 0 && doc_next(&it);)
        if (it.value.type == DOC_TEXT)
            rc = check_room(engine, it.value.text, name, err);
    if (rc == 0 && doc_count(doc_child(now, "members")) > TEAM_MEMBERS_MAX)
        rc = err_set(err, E_LIMIT, "a team has at most %d members", TEAM_MEMBERS_MAX);
    return rc;
}

bool team_has_member(struct engine *engine, struct text team, struct text name)
{
    return member_bits(engine, team, name) != 0;
}

bool team_is_record(struct doc record)
{
    return doc_get(record, "assign").type == DOC_ARRAY ||
           doc_get(record, "members").type == DOC_ARRAY;
}

bool team_is_known(struct engine *engine, struct text name)
{
    struct key prefix;
    struct cursor cursor;
    if (!fits(name))
        return false;
    key_members(&prefix, name);
    cursor_open(&cursor, engine->state, &prefix);
    bool has_any = cursor_next(&cursor);
    cursor_close(&cursor);
    return has_any || team_is_record(staff_row(engine, name));
}

/* -- The way -------------------------------------------------------------- */

enum way { WAY_OWNER, WAY_LANGUAGE, WAY_LOAD, WAY_TURN, WAY_COUNT };
static const char *const ways[] = { "owner", "language", "load", "turn" };

static enum way way_of(const struct doc_value *value)
{
    size_t way = 0;
    while (way < WAY_COUNT && (value->type != DOC_TEXT || !text_is(value->text, ways[way])))
        way++;
    return (enum way)way;
}

int team_check_way(struct doc staff, struct err *err)
{
    struct doc_value assign = doc_get(staff, "assign");
    unsigned seen = 0;
    if (assign.type == DOC_NONE || assign.type == DOC_NULL)
        return 0;
    if (assign.type != DOC_ARRAY)
        return err_set(err, E_INVALID, "\"assign\" is a list of owner, language, load, turn");
    for (struct doc_iter it = doc_iter(assign.doc); doc_next(&it);) {
        enum way way = way_of(&it.value);
        if (way == WAY_COUNT || (seen >> way & 1) != 0)
            return err_set(
                err, E_INVALID,
                "\"assign\" is a list of owner, language, load, turn, each at most once");
        seen |= 1u << way;
    }
    return 0;
}

bool team_assigns(struct engine *engine, struct text name)
{
    return doc_count(doc_child(staff_row(engine, name), "assign")) != 0;
}

/* -- Turns and load ------------------------------------------------------- */

static void key_list(struct key *key, struct text holder)
{
    key_named(key, 'L', holder);
}

static struct doc list_row(struct engine *engine, struct text holder)
{
    struct key key;
    struct bytes row;
    key_list(&key, holder);
    if (!state_get(engine->state, &key, &row))
        return (struct doc){ NULL, 0 };
    return arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
}

static void store_list(struct engine *engine, struct text holder, int64_t open, struct text last)
{
    struct doc_writer w;
    struct key key;
    key_list(&key, holder);
    if (open <= 0 && last.size == 0) {
        state_delete(engine->state, &key);
        return;
    }
    engine_draft(engine, &w);
    if (open > 0)
        doc_put_int(&w, "open", open);
    doc_put_present(&w, "last", last);
    struct doc row = doc_end(&w);
    state_put(engine->state, &key, row.data, row.size);
}

void team_count(struct engine *engine, struct text holder, int change)
{
    struct doc row = list_row(engine, holder);
    store_list(engine, holder, doc_int(row, "open", 0) + change, doc_text(row, "last"));
}

static int64_t open_tasks(struct engine *engine, struct text name)
{
    return doc_int(list_row(engine, name), "open", 0);
}

/* -- Choosing ------------------------------------------------------------- */

struct candidates {
    struct engine *engine;
    const struct team_choice *choice;
    struct text *names; /* in order */
    size_t count;
    struct text why;
};

static void say(struct candidates *among, const char *words)
{
    struct text why = among->why;
    among->why = arena_printf(&among->engine->arena, "%.*s%s%s", (int)why.size, why.data,
                              why.size != 0 && why.data[why.size - 1] != ':' ? ", " : " ", words);
}

/* Those who are there.  Returns how many are away; whoever is not on the staff is not counted. */
static size_t gather(struct candidates *among)
{
    struct engine *engine = among->engine;
    struct text team = among->choice->team;
    struct key prefix;
    struct cursor cursor;
    size_t away = 0;
    int64_t until;
    among->names = arena_alloc(&engine->arena, TEAM_MEMBERS_MAX * sizeof *among->names);
    key_members(&prefix, team);
    cursor_open(&cursor, engine->state, &prefix);
    while (among->count < TEAM_MEMBERS_MAX && cursor_next(&cursor)) {
        struct text name = { (const char *)cursor.key.data + prefix.size,
                             (uint32_t)(cursor.key.size - prefix.size) };
        name = arena_text(&engine->arena, name);
        if (staff_is_away(engine, name, &until))
            away++;
        else if (staff_row(engine, name).data != NULL)
            among->names[among->count++] = name;
    }
    cursor_close(&cursor);
    return away;
}

/* Keep those that `is_one` says; all of them if there are none. */
static bool narrow(struct candidates *among, bool (*is_one)(struct candidates *, struct text))
{
    size_t count = 0;
    struct text *kept = arena_alloc(&among->engine->arena, among->count * sizeof *kept);
    for (size_t i = 0; i < among->count; i++)
        if (is_one(among, among->names[i]))
            kept[count++] = among->names[i];
    if (count == 0)
        return false;
    among->names = kept;
    among->count = count;
    return true;
}

static bool is_owner(struct candidates *among, struct text name)
{
    const struct customer *customer = among->choice->customer;
    return customer != NULL && customer->number != 0 && text_equal(customer_owner(customer), name);
}

/* "zh" of "zh-Hans-CN": whoever speaks it reads the letter. */
static struct text language_of(struct text tag)
{
    for (struct text parent; (parent = locale_parent(tag)).size != 0;)
        tag = parent;
    return tag;
}

/* Empty: it is not known. */
static struct text language_of_customer(const struct customer *customer)
{
    static const char *const traits[] = { "language", "locale" };
    for (size_t i = 0; i < 2 && customer != NULL && customer->number != 0; i++) {
        struct doc_value value = customer_trait(customer, text_of(traits[i]));
        if (value.type == DOC_TEXT && locale_is_tag(value.text))
            return language_of(value.text);
    }
    return (struct text){ "", 0 };
}

static bool speaks(struct candidates *among, struct text name)
{
    struct doc record = staff_row(among->engine, name);
    struct text language = language_of_customer(among->choice->customer);
    if (language.size == 0)
        return false;
    if (locale_equal(language_of(doc_text(record, "language")), language))
        return true;
    for (struct doc_iter it = doc_iter(doc_child(record, "languages")); doc_next(&it);)
        if (it.value.type == DOC_TEXT && locale_equal(language_of(it.value.text), language))
            return true;
    return false;
}

static void narrow_by_load(struct candidates *among)
{
    int64_t least = INT64_MAX;
    size_t count = 0;
    for (size_t i = 0; i < among->count; i++) {
        int64_t open = open_tasks(among->engine, among->names[i]);
        if (open < least) {
            least = open;
            count = 0;
        }
        if (open == least)
            among->names[count++] = among->names[i];
    }
    among->count = count;
    say(among,
        arena_printf(&among->engine->arena, "has the fewest open tasks (%lld)", (long long)least)
            .data);
}

/* The first behind whoever had the last turn, else the first of all. */
static struct text next_in_turn(struct candidates *among)
{
    struct engine *engine = among->engine;
    struct text team = among->choice->team;
    struct doc row = list_row(engine, team);
    struct text last = doc_text(row, "last");
    size_t next = 0;
    while (next < among->count && last.size != 0 && text_compare(among->names[next], last) <= 0)
        next++;
    struct text name = among->names[next < among->count ? next : 0];
    if (among->choice->takes_turn)
        store_list(engine, team, doc_int(row, "open", 0), name);
    if (among->count > 1)
        say(among, "next in turn");
    return name;
}

/* One word of the way.  True: it has decided. */
static bool follow(struct candidates *among, enum way way)
{
    switch (way) {
    case WAY_OWNER:
        if (!narrow(among, is_owner))
            return false;
        say(among, "is the customer's owner");
        return true;
    case WAY_LANGUAGE:
        if (narrow(among, speaks)) {
            struct text language = language_of_customer(among->choice->customer);
            say(among, arena_printf(&among->engine->arena, "speaks %.*s", (int)language.size,
                                    language.data)
                           .data);
        }
        return false;
    case WAY_LOAD:
        narrow_by_load(among);
        return false;
    case WAY_TURN:
    case WAY_COUNT:
        break;
    }
    return false;
}

struct text team_choose(struct engine *engine, const struct team_choice *choice,
                        struct text *out_why)
{
    struct candidates among = { .engine = engine, .choice = choice };
    struct text team = choice->team, chosen = { "", 0 };
    struct doc record = staff_row(engine, team);
    bool is_decided = false;
    among.why = arena_printf(&engine->arena, "team %.*s:", (int)team.size, team.data);
    size_t away = gather(&among);
    if (among.count == 0) {
        say(&among, away != 0 ? "everybody is away" : "nobody belongs to it");
        *out_why = among.why;
        return chosen;
    }
    for (struct doc_iter it = doc_iter(doc_child(record, "assign")); !is_decided && doc_next(&it);)
        is_decided = follow(&among, way_of(&it.value));
    chosen = is_decided ? among.names[0] : next_in_turn(&among);
    if (among.why.data[among.why.size - 1] == ':')
        say(&among, "nobody else is there");
    if (away != 0)
        say(&among, arena_printf(&engine->arena, "%zu away", away).data);
    *out_why = among.why;
    return chosen;
}
