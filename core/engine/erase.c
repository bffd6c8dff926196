/* erase.c -- forgetting a customer: at once for everybody, row by row for the disk.
 *
 *     erase.requested   her profile, identities and words for search are gone: nobody finds her,
 *                       the stream tells no more of her (read_stream.c), and whoever comes
 *                       by one of them is somebody new.  Row `z` says what is still to be done.
 *     ticks             the rest goes in slices of limits.erase_per_tick rows: her timers first,
 *                       then what was said to nobody by one of her names, then her cluster.  The
 *                       entries that concern her are listed beside row `z`, by number only.
 *     the last slice    row `z` says that she is gone, and the node is told: it has the entries
 *                       replaced in the log and all files made anew (core/server/purge.h).
 *     erase.done        the node is through: row `z` goes too.
 *
 * What names her by her number afterwards was looked up while she was there, and came too late by
 * moments: it is refused, and her erasure is open again for that one entry (erase_refuse_late).
 *
 * Until erase.done a customer that has a row `z` is being erased: no timer of hers fires, no claim
 * of hers goes, no event that her rules sent to somebody else arrives.  Two things are waited for,
 * because they are under way outside of the engine: the answer of a channel that has her message
 * already, and her rules' events that are on their way into the log.
 *
 * A replay never meets the entries that were replaced: the node keeps the state behind the last
 * slice as the place where a fold begins (docs/log.md, "Erasing").  So nothing here has to work out
 * what others would have become without her.
 */
#include "core/base/hash.h"
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/search.h"
#include "core/engine/subject.h"

#include <string.h>

#define LISTED_BYTES_MAX 2000    /* of a row of entries */
#define ADDRESS_SPACE "address:" /* of names: what was said of an address on a channel */

/* -- Rows ----------------------------------------------------------------- */

struct erasure {
    struct engine *engine;
    uint64_t number;
    uint64_t since;    /* the entry that asked for it */
    int64_t at;        /* when it was logged */
    uint64_t done;     /* the entry that took the last row; 0: not yet */
    int64_t entries;   /* listed so far */
    bool is_counted;   /* she was erased before: this one is for what came too late */
    struct doc names;  /* array: name space, value, ...; none: seen to */
    struct buf listed; /* by this slice: numbers, one behind the other ... */
    uint64_t parts;    /* ... beyond so many full rows of them */
    int64_t left;      /* rows that this slice may still take */
};

static bool erasure_load(struct erasure *erasure, struct engine *engine, uint64_t number)
{
    struct key key;
    struct bytes row;
    key_erasure(&key, number);
    if (!state_get(engine->state, &key, &row))
        return false;
    struct doc doc = arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
    *erasure = (struct erasure){
        .engine = engine,
        .number = number,
        .since = (uint64_t)doc_int(doc, "since", 0),
        .at = doc_int(doc, "at", 0),
        .done = (uint64_t)doc_int(doc, "done", 0),
        .entries = doc_int(doc, "entries", 0),
        .is_counted = doc_bool(doc, "counted", false),
        .names = doc_child(doc, "names"),
        .listed = BUF_INIT,
    };
    return true;
}

static void erasure_store(const struct erasure *erasure)
{
    struct engine *engine = erasure->engine;
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_int(&w, "since", (int64_t)erasure->since);
    doc_put_int(&w, "at", erasure->at);
    if (erasure->done != 0)
        doc_put_int(&w, "done", (int64_t)erasure->done);
    doc_put_int(&w, "entries", erasure->entries);
    if (erasure->is_counted)
        doc_put_bool(&w, "counted", true);
    if (erasure->names.data != NULL)
        doc_put_array(&w, "names", erasure->names);
    struct doc row = doc_end(&w);
    key_erasure(&key, erasure->number);
    state_put(engine->state, &key, row.data, row.size);
}

bool erase_is_open(struct engine *engine, uint64_t customer)
{
    struct key key;
    struct bytes row;
    if (engine->erasures == 0 || customer == 0)
        return false;
    key_erasure(&key, customer);
    return state_get(engine->state, &key, &row);
}

/* The next erasure behind `number`, of those whose rows are not gone yet.  False: none. */
static bool next_open(struct erasure *erasure, struct engine *engine, uint64_t number)
{
    struct key prefix, first;
    struct cursor cursor;
    bool is_found = false;
    key_start(&prefix, 'z');
    key_erasure(&first, number + 1);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (!is_found && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        number = key_take_number(&reader);
        is_found =
            reader.at == reader.end && erasure_load(erasure, engine, number) && erasure->done == 0;
    }
    cursor_close(&cursor);
    return is_found;
}

void erase_open(struct engine *engine)
{
    struct key prefix;
    struct cursor cursor;
    key_start(&prefix, 'z');
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + 1, cursor.key.data + cursor.key.size };
        struct doc row = { cursor.value.data, (uint32_t)cursor.value.size };
        key_take_number(&reader);
        if (reader.at != reader.end)
            continue;
        bool is_open = doc_int(row, "done", 0) == 0;
        engine->erasures++;
        engine->erase_is_wanted = engine->erase_is_wanted || is_open;
        engine->has_erased = engine->has_erased || !is_open;
    }
    cursor_close(&cursor);
}

void erase_wake(struct engine *engine, uint64_t customer)
{
    if (erase_is_open(engine, customer))
        engine->erase_is_wanted = true;
}

/* -- What is remembered so that it can be found ---------------------------- */

void erase_note_entry(struct engine *engine, uint64_t customer, uint64_t where)
{
    struct key key, value = { .size = 0 };
    if (customer == 0)
        return;
    key_customer(&key, customer, 'x');
    key_number(&key, engine->seq);
    key_number(&value, where);
    state_put(engine->state, &key, value.data, value.size);
}

void erase_note_name(struct engine *engine, struct text name_space, struct text value,
                     uint64_t where)
{
    struct key key, owner = { .size = 0 };
    key_start(&key, 'N');
    key_text(&key, name_space);
    key_text(&key, value);
    key_number(&key, engine->seq);
    key_number(&owner, where);
    if (value.size != 0 && key_ok(&key))
        state_put(engine->state, &key, owner.data, owner.size);
}

void erase_note_reference(struct engine *engine, struct text reference, uint64_t where)
{
    struct text name_space, value;
    if (!identity_split(reference, &name_space, &value))
        return;
    value = identity_normal(engine, name_space, value);
    if (!config_is_blocked(&engine->config, value))
        erase_note_name(engine, name_space, value, where);
}

void erase_note_address(struct engine *engine, struct text channel, struct text value)
{
    struct text name_space =
        arena_printf(&engine->arena, ADDRESS_SPACE "%.*s", (int)channel.size, channel.data);
    erase_note_name(engine, name_space, value, 0);
}

/* Unless she has been erased to the end. */
void erase_note_sender(struct engine *engine, const struct event *event)
{
    struct key key;
    struct bytes row;
    key_customer(&key, event->from, 'p');
    if (event->from != 0 &&
        (state_get(engine->state, &key, &row) || erase_is_open(engine, event->from)))
        erase_note_entry(engine, event->from, event->customer);
}

/* No address looks like this. */
void key_suppression_hidden(struct key *key, struct text channel, struct text value)
{
    uint8_t digest[DIGEST_32_BYTES];
    char name[1 + HEX_SIZE(DIGEST_32_BYTES)] = "#";
    digest_32(value.data, value.size, digest);
    hex_encode(digest, sizeof digest, name + 1);
    key_suppression(key, channel, text_of(name));
}

/* -- Asked for ------------------------------------------------------------- */

static void put_addresses(struct engine *engine, struct doc_writer *w,
                          const struct profile *profile)
{
    for (struct doc_iter it = doc_iter(profile->addresses); doc_next(&it);) {
        struct text channel = doc_text(it.value.doc, "channel");
        doc_put_text(
            w, "",
            arena_printf(&engine->arena, ADDRESS_SPACE "%.*s", (int)channel.size, channel.data));
        doc_put_text(w, "", doc_text(it.value.doc, "value"));
    }
}

/* All she is called by, as pairs. */
static struct doc names_of(struct engine *engine, const struct profile *profile)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "names");
    for (struct doc_iter it = doc_iter(profile->ids); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    put_addresses(engine, &w, profile);
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "names");
}

static void forget_identities(struct engine *engine, const struct profile *profile)
{
    for (struct doc_iter it = doc_iter(profile->ids); doc_next(&it);) {
        struct text name_space = it.value.text;
        doc_next(&it);
        identity_forget(engine, name_space, it.value.text, profile->number);
    }
}

static void begin(struct engine *engine, const struct profile *profile)
{
    struct erasure erasure = {
        .engine = engine,
        .number = profile->number,
        .since = engine->seq,
        .at = engine->now,
        .names = names_of(engine, profile),
    };
    struct key key;
    erasure_store(&erasure);
    forget_identities(engine, profile);
    search_forget(engine, profile->number);
    key_customer(&key, profile->number, 'p');
    state_delete(engine->state, &key);
    engine->erasures++;
}

/* With all that were merged into her: they are she. */
void command_erase(struct step *step)
{
    struct engine *engine = step->engine;
    for (size_t i = 0; i < step->customer.count; i++)
        begin(engine, &step->customer.members[i]);
    engine->erase_is_wanted = true;
    step->customer = (struct customer){ .number = 0 }; /* nothing of her is stored any more */
    step->has_moved = false;
}

/* -- Said too late --------------------------------------------------------- */

/* No number is given twice, and only who was erased has none of the rows of one that was given. */
static uint64_t erased_number(struct engine *engine, struct text reference)
{
    struct key key;
    struct bytes row;
    uint64_t number, n;
    if (!event_id_parse(reference, &number, &n) || n != 0 || number == 0 ||
        number > engine->counters.customer)
        return 0;
    key_customer(&key, number, 'p');
    return state_get(engine->state, &key, &row) ? 0 : number;
}

/* Of an erasure that is with the node already the entry comes too late as well. */
static void begin_again(struct engine *engine, uint64_t number)
{
    struct erasure erasure = { .engine = engine, .number = number, .is_counted = true };
    if (!erasure_load(&erasure, engine, number))
        engine->erasures++;
    else if (erasure.done == 0)
        return;
    if (erasure.since == 0) {
        erasure.since = engine->seq;
        erasure.at = engine->now;
    }
    erasure.done = 0;
    erasure_store(&erasure);
}

bool erase_refuse_late(struct engine *engine, const struct event *event)
{
    uint64_t number = 0;
    if (event->customer == 0 && event->from == 0)
        number = erased_number(engine, event->ref);
    if (number == 0)
        return false;
    begin_again(engine, number);
    erase_note_entry(engine, number, 0);
    engine->erase_is_wanted = true;
    engine_refuse(engine, E_NOTFOUND, "no such customer: %llu", (unsigned long long)number);
    return true;
}

/* -- Entries, effects, tasks ----------------------------------------------- */

/* What is listed, as a row: all of it, or as much as one holds. */
static void store_listed(struct erasure *erasure)
{
    struct engine *engine = erasure->engine;
    struct key key;
    if (erasure->listed.size == 0)
        return;
    key_erasure(&key, erasure->number);
    key_number(&key, engine->seq);
    if (erasure->parts != 0)
        key_number(&key, erasure->parts);
    erasure->parts++;
    state_put(engine->state, &key, erasure->listed.data, erasure->listed.size);
    buf_clear(&erasure->listed);
}

static void list_entry(struct erasure *erasure, uint64_t seq)
{
    struct key number = { .size = 0 };
    key_number(&number, seq);
    if (erasure->listed.size + number.size > LISTED_BYTES_MAX)
        store_listed(erasure);
    buf_append(&erasure->listed, number.data, number.size);
    erasure->entries++;
}

/* A row of the timeline of `owner`, and what was made by what it tells of. */
static void forget_event(struct erasure *erasure, uint64_t owner, uint64_t seq, uint64_t n,
                         struct doc row)
{
    struct engine *engine = erasure->engine;
    char id[EVENT_ID_TEXT_MAX];
    for (struct doc_iter it = doc_iter(doc_child(row, "effects")); doc_next(&it);)
        effect_erase(engine, event_id_text(seq, (uint64_t)it.value.integer, id), owner);
    uint64_t task = (uint64_t)doc_int(doc_child(row, "data"), "task", 0);
    if (n != 0 && task != 0)
        reminder_erase(engine, task, owner);
    if (n == 0)
        list_entry(erasure, seq);
}

/* -- Names ----------------------------------------------------------------- */

/* An entry that was said to `owner` by a name of hers: to nobody, then all that it led to goes; or
 * to somebody else and in vain, then what was answered goes. */
static void forget_named(struct erasure *erasure, uint64_t owner, uint64_t seq)
{
    struct engine *engine = erasure->engine;
    struct key prefix;
    struct cursor cursor;
    key_customer(&prefix, owner, 't');
    key_number_down(&prefix, seq);
    list_entry(erasure, seq);
    file_forget(engine, erasure->number, owner, seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        struct doc row = arena_doc(&engine->arena,
                                   (struct doc){ cursor.value.data, (uint32_t)cursor.value.size });
        struct key key = { .size = (uint16_t)cursor.key.size };
        uint64_t n = key_take_number_down(&reader);
        memcpy(key.data, cursor.key.data, key.size);
        if (owner != 0 && doc_get(row, "refused").type == DOC_NONE)
            continue;
        if (n != 0 || owner == 0)
            forget_event(erasure, owner, seq, n != 0 ? n : 1, row);
        state_delete(engine->state, &key);
    }
    cursor_close(&cursor);
}

/* Rows of one name.  False: the slice is over. */
static bool forget_name(struct erasure *erasure, struct text name_space, struct text value)
{
    struct engine *engine = erasure->engine;
    struct key prefix;
    struct cursor cursor;
    bool is_done = true;
    key_start(&prefix, 'N');
    key_text(&prefix, name_space);
    key_text(&prefix, value);
    cursor_open(&cursor, engine->state, &prefix);
    while (is_done && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        struct key_reader owner_reader = { cursor.value.data,
                                           cursor.value.data + cursor.value.size };
        uint64_t seq, owner;
        is_done = erasure->left-- > 0;
        if (!is_done)
            break;
        bool is_row = key_read_number(&reader, &seq) && key_read_number(&owner_reader, &owner);
        ASSERT(is_row);
        struct key key = prefix;
        key_number(&key, seq);
        forget_named(erasure, owner, seq);
        state_delete(engine->state, &key);
    }
    cursor_close(&cursor);
    return is_done;
}

/* An address that nobody may write to stays one, and cannot be read any more. */
static void hide_suppression(struct engine *engine, struct text channel, struct text value)
{
    struct key key, hidden;
    struct bytes row;
    key_suppression(&key, channel, value);
    if (!key_ok(&key) || !state_get(engine->state, &key, &row))
        return;
    struct doc old = arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "channel", channel);
    doc_put_present(&w, "state", doc_text(old, "state"));
    struct doc doc = engine_doc(engine, &w);
    state_delete(engine->state, &key);
    key_suppression_hidden(&hidden, channel, value);
    state_put(engine->state, &hidden, doc.data, doc.size);
}

static void hide_suppressions(struct engine *engine, struct text name_space, struct text value)
{
    size_t prefix = strlen(ADDRESS_SPACE);
    if (text_is(name_space, "email"))
        hide_suppression(engine, name_space, value);
    else if (text_is(name_space, "phone"))
        hide_suppression(engine, text_of("sms"), value);
    else if (name_space.size > prefix && memcmp(name_space.data, ADDRESS_SPACE, prefix) == 0)
        hide_suppression(
            engine, (struct text){ name_space.data + prefix, (uint32_t)(name_space.size - prefix) },
            value);
}

/* False: the slice is over. */
static bool forget_names(struct erasure *erasure)
{
    for (struct doc_iter it = doc_iter(erasure->names); doc_next(&it);) {
        struct text name_space = it.value.text;
        doc_next(&it);
        if (!forget_name(erasure, name_space, it.value.text))
            return false;
        hide_suppressions(erasure->engine, name_space, it.value.text);
    }
    erasure->names = (struct doc){ NULL, 0 };
    return true;
}

/* -- Her cluster ------------------------------------------------------------ */

/* Her timers are taken first of all, by themselves: while there are any, what else there is does
 * not matter.  Returns how many more this tick may take. */
static int64_t forget_timers(struct engine *engine, uint64_t number, int64_t left)
{
    struct key prefix;
    struct cursor cursor;
    key_customer(&prefix, number, 'w');
    cursor_open(&cursor, engine->state, &prefix);
    while (left > 0 && cursor_next(&cursor)) {
        struct text name = { (const char *)cursor.key.data + prefix.size,
                             (uint32_t)(cursor.key.size - prefix.size) };
        timer_cancel(engine, NULL, number, arena_text(&engine->arena, name));
        left--;
    }
    cursor_close(&cursor);
    return left;
}

/* The other side of a relation: row `table` of the customer that `at` names, to `to`. */
static void forget_relation(struct engine *engine, char table, struct key_reader *at, uint64_t to)
{
    struct buf type = BUF_INIT;
    uint64_t other;
    struct key key;
    bool is_relation = key_read_text(at, &type) && key_read_number(at, &other);
    ASSERT(is_relation);
    key_customer(&key, other, table);
    key_text(&key, (struct text){ (const char *)type.data, (uint32_t)type.size });
    key_number(&key, to);
    state_delete(engine->state, &key);
    buf_deinit(&type);
}

/* A message of hers in its line.  False: a channel has it, and its answer is waited for. */
static bool forget_in_line(struct erasure *erasure, struct key_reader *at)
{
    struct buf channel = BUF_INIT;
    char id[EVENT_ID_TEXT_MAX];
    uint64_t place, seq, n;
    bool is_line = key_read_text(at, &channel) && key_read_number(at, &place) &&
                   key_read_number(at, &seq) && key_read_number(at, &n);
    ASSERT(is_line);
    buf_deinit(&channel);
    return effect_erase(erasure->engine, event_id_text(seq, n, id), erasure->number);
}

/* A record in which she has a role. */
static void forget_record(struct engine *engine, struct key_reader *at, uint64_t customer)
{
    struct buf kind = BUF_INIT;
    uint64_t number;
    bool is_record = key_read_text(at, &kind) && key_read_number_down(at, &number);
    ASSERT(is_record);
    struct text name =
        arena_text(&engine->arena, (struct text){ (const char *)kind.data, (uint32_t)kind.size });
    buf_deinit(&kind);
    record_erase(engine, customer, name, number);
}

/* One row of her cluster, `at` behind the letter of its table.  False: it has to wait. */
static bool forget_row(struct erasure *erasure, char table, struct key_reader at, struct doc row)
{
    struct engine *engine = erasure->engine;
    uint64_t seq, n;
    switch (table) {
    case 't': {
        bool is_id = key_read_number_down(&at, &seq) && key_read_number_down(&at, &n);
        ASSERT(is_id);
        forget_event(erasure, erasure->number, seq, n, row);
        return true;
    }
    case 'k':
        if (key_read_number(&at, &n))
            reminder_erase(engine, n, erasure->number);
        return true;
    case 'x': {
        struct key_reader where = { row.data, row.data + row.size };
        bool is_row = key_read_number(&at, &seq) && key_read_number(&where, &n);
        ASSERT(is_row);
        list_entry(erasure, seq);
        file_forget(engine, erasure->number, n, seq);
        return true;
    }
    case 'R':
        forget_record(engine, &at, erasure->number);
        return true;
    case 'F': {
        bool is_row = key_read_number(&at, &seq);
        ASSERT(is_row);
        file_forget(engine, erasure->number, erasure->number, seq);
        return true;
    }
    case 'h':
        subject_forget(engine, erasure->number, at);
        return true;
    case 'l':
        forget_relation(engine, 'b', &at, erasure->number);
        return true;
    case 'b':
        forget_relation(engine, 'l', &at, erasure->number);
        return true;
    case 'q':
        return forget_in_line(erasure, &at);
    case 'g': /* on its way into the log */
    case 'w':
        return false;
    default:
        return true;
    }
}

/* True: nothing is left. */
static bool forget_cluster(struct erasure *erasure)
{
    struct engine *engine = erasure->engine;
    struct key prefix;
    struct cursor cursor;
    bool is_empty = true;
    key_start(&prefix, 'c');
    key_number(&prefix, erasure->number);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct arena_mark mark = arena_mark(&engine->arena);
        struct key key = { .size = (uint16_t)cursor.key.size };
        memcpy(key.data, cursor.key.data, key.size);
        struct doc row = arena_doc(&engine->arena,
                                   (struct doc){ cursor.value.data, (uint32_t)cursor.value.size });
        struct key_reader at = { key.data + prefix.size + 1, key.data + key.size };
        if (erasure->left == 0) {
            is_empty = false;
            break;
        }
        if (forget_row(erasure, (char)key.data[prefix.size], at, row)) {
            state_delete(engine->state, &key);
            erasure->left--;
        } else {
            is_empty = false;
        }
        arena_release(&engine->arena, mark);
    }
    cursor_close(&cursor);
    return is_empty;
}

/* -- Slices ----------------------------------------------------------------- */

/* Returns how many rows more this tick may take. */
static int64_t forget_slice(struct erasure *erasure, int64_t left)
{
    erasure->left = left;
    bool is_gone = forget_names(erasure) && forget_cluster(erasure);
    if (is_gone) {
        erasure->done = erasure->engine->seq;
        erasure->engine->has_erased = true;
    }
    store_listed(erasure);
    buf_deinit(&erasure->listed);
    erasure_store(erasure);
    return erasure->left > 0 ? erasure->left : 0;
}

void erase_sweep(struct engine *engine)
{
    struct erasure erasure;
    int64_t timers = engine->config.limits.erase_per_tick, rows = timers;
    uint64_t number = 0;
    if (engine->erasures == 0)
        return;
    while (timers > 0 && next_open(&erasure, engine, number)) {
        number = erasure.number;
        timers = forget_timers(engine, number, timers);
    }
    number = 0;
    while (rows > 0 && next_open(&erasure, engine, number)) {
        number = erasure.number;
        rows = forget_slice(&erasure, rows);
    }
    engine->erase_is_wanted = timers == 0 || rows == 0;
}

/* -- Done ------------------------------------------------------------------- */

static void count_erased(struct engine *engine, const struct erasure *erasure)
{
    struct doc before = meta_get(engine, "erased");
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "customers", doc_int(before, "customers", 0) + !erasure->is_counted);
    doc_put_int(&w, "entries", doc_int(before, "entries", 0) + erasure->entries);
    meta_put(engine, "erased", engine_doc(engine, &w));
}

/* Of a copy of the data that was restored, the entry may speak of an erasure that is not known; and
 * one that was opened again since waits for the next. */
void erase_done(struct step *step)
{
    struct engine *engine = step->engine;
    uint64_t number = (uint64_t)doc_int(step->event->data, "customer", 0);
    uint64_t done = (uint64_t)doc_int(step->event->data, "done", 0);
    struct erasure erasure;
    struct key prefix;
    struct cursor cursor;
    if (!erasure_load(&erasure, engine, number) || erasure.done == 0 ||
        (done != 0 && done != erasure.done))
        return;
    key_erasure(&prefix, number);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key key = { .size = (uint16_t)cursor.key.size };
        memcpy(key.data, cursor.key.data, key.size);
        state_delete(engine->state, &key);
    }
    cursor_close(&cursor);
    file_forgotten(engine, number);
    engine->erasures--;
    count_erased(engine, &erasure);
}
