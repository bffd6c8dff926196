/* kit_replay.c -- a plugin's handlers called for what is in a log; see kit.h.
 *
 * This is no fold: there is no engine, so a customer is who an entry says she is (a user_id, or
 * what else it came by), and of her nothing is known but what this plugin has kept and published.
 * That is enough to see whether two runs, or two versions, want the same of the same events.
 *
 * The log must not be open elsewhere: a backup, or the data of a daemon that does not run.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/plugin/kit_inside.h"
#include "storage/log.h"

#include <stdio.h>
#include <stdlib.h>

/* What is kept and published about one customer. */
struct person {
    uint64_t key; /* a hash of whom the entry names; 0: the place is free */
    struct buf states[PLUGIN_STATES_MAX];
    struct buf traits; /* {name: value} */
};

struct replay {
    struct probe *probe;
    struct person *people; /* by hash, open addressing; a power of two */
    size_t room, count;
    const struct event *event;
    struct person *person; /* of the event */
    char id[EVENT_ID_TEXT_MAX];
    struct buf scratch;
};

/* -- People ------------------------------------------------------------------------------------ */

static struct text who_of(const struct event *event)
{
    return event->user.size != 0 ? event->user : event->ref.size != 0 ? event->ref : event->anon;
}

static uint64_t key_of(const struct event *event)
{
    struct text who = who_of(event);
    return hash64(who.data, who.size) | 1;
}

static struct person *place_of(struct person *people, size_t room, uint64_t key)
{
    size_t at = (size_t)key & (room - 1);
    while (people[at].key != 0 && people[at].key != key)
        at = (at + 1) & (room - 1);
    return &people[at];
}

static void grow(struct replay *replay)
{
    size_t room = replay->room != 0 ? 2 * replay->room : 1024;
    struct person *people = mem_zero(room * sizeof *people);
    for (size_t i = 0; i < replay->room; i++)
        if (replay->people[i].key != 0)
            *place_of(people, room, replay->people[i].key) = replay->people[i];
    free(replay->people);
    replay->people = people;
    replay->room = room;
}

static struct person *person_of(struct replay *replay, uint64_t key)
{
    if (2 * replay->count >= replay->room)
        grow(replay);
    struct person *person = place_of(replay->people, replay->room, key);
    replay->count += person->key == 0;
    person->key = key;
    return person;
}

static void free_people(struct replay *replay)
{
    for (size_t i = 0; i < replay->room; i++) {
        for (size_t j = 0; j < PLUGIN_STATES_MAX; j++)
            buf_deinit(&replay->people[i].states[j]);
        buf_deinit(&replay->people[i].traits);
    }
    free(replay->people);
    buf_deinit(&replay->scratch);
}

/* -- What a call is given ---------------------------------------------------------------------- */

static struct doc doc_of(const struct buf *buf)
{
    return (struct doc){ buf->size != 0 ? buf->data : NULL, (uint32_t)buf->size };
}

/* Its own traits, which it published before; of others nothing is known. */
static struct doc_value customer_field(struct replay *replay, struct text name)
{
    const char *plugin = replay->probe->plugin.name;
    size_t size = strlen(plugin);
    struct doc_value none = { .type = DOC_NONE };
    if (name.size <= size || memcmp(name.data, plugin, size) != 0 || name.data[size] != '.')
        return none;
    struct text own = { name.data + size + 1, name.size - (uint32_t)size - 1 };
    return doc_get_text(doc_of(&replay->person->traits), own);
}

static struct doc_value read_value(void *arg, const struct plugin_read *read)
{
    struct replay *replay = arg;
    if (read->kind == PLUGIN_READ_EVENT)
        return (struct doc_value){ .type = DOC_DOC, .doc = replay->event->data };
    if (read->kind == PLUGIN_READ_FIELD)
        return event_field(replay->event, read->name, replay->id);
    return customer_field(replay, read->name);
}

static struct doc read_state(void *arg, size_t index, int64_t *out_version)
{
    struct replay *replay = arg;
    *out_version = replay->probe->plugin.states[index].version;
    return doc_of(&replay->person->states[index]);
}

/* -- What it wants ----------------------------------------------------------------------------- */

static void set_trait(struct replay *replay, struct text name, const struct doc_value *value)
{
    struct doc_writer w;
    struct doc before = doc_of(&replay->person->traits);
    buf_clear(&replay->scratch);
    doc_begin(&w, &replay->scratch);
    for (struct doc_iter it = doc_iter(before); doc_next(&it);)
        if (!text_equal(it.name, name))
            doc_put_value_text(&w, it.name, &it.value);
    if (value->type != DOC_NULL)
        doc_put_value_text(&w, name, value);
    doc_end(&w);
    buf_clear(&replay->person->traits);
    buf_append(&replay->person->traits, replay->scratch.data, replay->scratch.size);
}

static void keep(struct replay *replay, struct doc write)
{
    struct text word = doc_text(write, "w"), name = doc_text(write, "k");
    struct doc_value value = doc_get(write, "v");
    if (text_is(word, "publish"))
        set_trait(replay, name, &value);
    if (!text_is(word, "keep"))
        return;
    struct buf *state = &replay->person->states[plugin_state_find(&replay->probe->plugin, name)];
    buf_clear(state);
    if (value.type == DOC_DOC)
        buf_append(state, value.doc.data, value.doc.size);
}

static void call_handler(struct replay *replay, size_t index, struct doc_writer *w)
{
    struct probe *probe = replay->probe;
    struct plugin_source source = { replay, read_value, read_state };
    struct err err;
    struct doc write;
    struct kit_one one = {
        .source = &source,
        .reads = &probe->plugin.handler_reads[index],
        .run = probe->plugin.handlers[index].run,
        .now = replay->event->logged,
    };
    int rc = kit_call_one(probe, &one, &err);
    doc_open(w, NULL);
    doc_put_string(w, "handler", probe->plugin.handlers[index].name);
    if (rc != 0)
        doc_put_string(w, "failed", err.text);
    doc_open_array(w, "wants");
    for (size_t at = 0; rc == 0 && kit_next_write(&probe->writes, &at, &write);) {
        doc_put_doc(w, NULL, write);
        keep(replay, write);
    }
    doc_close(w);
    doc_close(w);
}

/* -- Entries ----------------------------------------------------------------------------------- */

/* "entry 3, Order Completed, customer u-1" */
static void put_given(const struct event *event, char *out, size_t room)
{
    struct text who = who_of(event);
    snprintf(out, room, "entry %llu, %.*s%s%.*s", (unsigned long long)event->seq,
             (int)(event->type.size < 100 ? event->type.size : 100), event->type.data,
             who.size != 0 ? ", customer " : "", (int)(who.size < 200 ? who.size : 200), who.data);
}

static bool is_heard(const struct plugin *plugin, struct text type)
{
    for (size_t i = 0; i < plugin->handler_count; i++)
        if (kit_hears(&plugin->handlers[i], type))
            return true;
    return false;
}

static void call_handlers(struct replay *replay, const char *given, struct doc_writer *w)
{
    const struct plugin *plugin = &replay->probe->plugin;
    doc_open_array(w, "calls");
    for (size_t i = 0; i < plugin->handler_count; i++) {
        if (!kit_hears(&plugin->handlers[i], replay->event->type))
            continue;
        kit_say_at(replay->probe, plugin->handlers[i].name, given);
        call_handler(replay, i, w);
    }
    doc_close(w);
}

static int visit(void *arg, const struct log_entry *entry)
{
    struct replay *replay = arg;
    struct probe *probe = replay->probe;
    struct event event = { .seq = entry->seq };
    struct doc_writer w;
    char given[400];
    if (entry->is_tombstone || event_read(&event, entry, NULL) != 0 ||
        !is_heard(&probe->plugin, event.type))
        return 0;
    replay->event = &event;
    replay->person = person_of(replay, key_of(&event));
    put_given(&event, given, sizeof given);
    buf_clear(&probe->out);
    doc_begin(&w, &probe->out);
    if (kit_step(probe, KIT_ENTRY, entry->seq, 0))
        call_handlers(replay, given, &w);
    else
        doc_put_bool(&w, "crashed", true);
    doc_end(&w);
    kit_say_result(probe, entry->seq, "replay", given);
    return 0;
}

/* Nothing is written, so nothing is salted. */
static void no_salt(void *arg, void *data, size_t size)
{
    (void)arg;
    memset(data, 0, size);
}

int kit_replay(struct probe *probe, struct err *err)
{
    struct replay replay = { .probe = probe };
    struct log_options options = { .dir = probe->options->log, .random = no_salt };
    struct log *log;
    int rc = log_open(&options, &log, err);
    if (rc != 0)
        return rc;
    rc = log_read(log, 1, SIZE_MAX, visit, &replay, NULL, err);
    log_close(log);
    free_people(&replay);
    return rc;
}
