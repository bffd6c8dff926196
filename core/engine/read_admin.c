/* read_admin.c -- the house: channels, bundles, staff, keys. */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/near.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/record_inside.h"
#include "core/engine/rules.h"
#include "core/engine/staff.h"

#include <stdio.h>
#include <string.h>

/* -- Channels -------------------------------------------------------------------------- */

void read_channels(struct engine *engine, struct buf *out)
{
    struct doc_writer w;
    arena_clear(&engine->arena);
    struct doc paused = meta_get(engine, "paused");
    doc_begin(&w, out);
    for (size_t i = 0; i < engine->config.channel_count; i++) {
        struct text name = text_of(engine->config.channels[i].name);
        struct doc_value pause = doc_get_text(paused, name), all = doc_get(paused, CHANNEL_ALL);
        doc_open_text(&w, name);
        doc_put_int(&w, "waiting", (int64_t)engine_waiting(engine, name, READ_WAITING_MAX));
        doc_put_value(&w, "paused", pause.type == DOC_DOC ? &pause : &all);
        doc_close(&w);
    }
    doc_end(&w);
}

void read_paused(struct engine *engine, struct text channel, struct buf *out)
{
    struct doc_writer w;
    arena_clear(&engine->arena);
    struct doc paused = meta_get(engine, "paused");
    struct doc_value pause = doc_get_text(paused, channel), all = doc_get(paused, CHANNEL_ALL);
    const struct doc_value *shown = pause.type == DOC_DOC ? &pause : &all;
    doc_begin(&w, out);
    doc_put_text(&w, "name", channel);
    doc_put_string(&w, "state", shown->type == DOC_DOC ? "paused" : "active");
    doc_put_value(&w, "paused", shown);
    if (config_channel(&engine->config, channel) != NULL)
        doc_put_int(&w, "waiting", (int64_t)engine_waiting(engine, channel, READ_WAITING_MAX));
    doc_end(&w);
}

static void count_pauses(struct engine *engine, const char *meta, struct read_pauses *out_pauses)
{
    *out_pauses = (struct read_pauses){ .since = INT64_MAX };
    arena_clear(&engine->arena);
    for (struct doc_iter it = doc_iter(meta_get(engine, meta)); doc_next(&it);) {
        struct doc_value since = doc_get(it.value.doc, "since");
        out_pauses->count++;
        if (since.integer >= out_pauses->since)
            continue;
        out_pauses->since = since.integer;
        snprintf(out_pauses->name, sizeof out_pauses->name, "%.*s", (int)it.name.size,
                 it.name.data);
    }
}

void read_paused_rules(struct engine *engine, struct read_pauses *out_pauses)
{
    count_pauses(engine, "paused_rules", out_pauses);
}

void read_paused_channels(struct engine *engine, struct read_pauses *out_pauses)
{
    count_pauses(engine, "paused", out_pauses);
}

/* -- Consents -------------------------------------------------------------------------- */

struct nearest {
    const char *written, *name; /* NULL: nothing is near */
    size_t distance;
    bool is_known;
};

static void compare(struct nearest *nearest, const char *name)
{
    size_t distance = near_distance(nearest->written, name);
    nearest->is_known = nearest->is_known || strcmp(nearest->written, name) == 0;
    if (!near_is_likely(distance, nearest->written) ||
        (nearest->name != NULL && distance >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = distance;
}

static int check_purpose(const struct engine *engine, const char *written, struct err *err)
{
    const struct ruleset *rules = engine->rules;
    struct nearest nearest = { .written = written };
    compare(&nearest, "service");
    for (size_t i = 0; i < rules->purpose_count; i++)
        compare(&nearest, rules->purposes[i].name.data);
    if (nearest.is_known)
        return 0;
    return nearest.name != NULL
               ? err_set(err, E_INVALID, "no purpose is called \"%s\": did you mean \"%s\"?",
                         written, nearest.name)
               : err_set(err, E_INVALID,
                         "no purpose is called \"%s\": the rules in force declare which there are",
                         written);
}

/* Staff may note what was agreed for a way that Kith knows nothing of, such as letters. */
static int check_channel(const struct engine *engine, const char *written, struct err *err)
{
    struct nearest nearest = { .written = written };
    compare(&nearest, "email");
    compare(&nearest, "sms");
    for (size_t i = 0; i < engine->config.channel_count; i++)
        compare(&nearest, engine->config.channels[i].name);
    if (nearest.is_known || nearest.name == NULL)
        return 0;
    return err_set(err, E_INVALID, "no channel is called \"%s\": did you mean \"%s\"?", written,
                   nearest.name);
}

int read_consent_terms(struct engine *engine, struct text reference, struct text purpose,
                       struct text channel, struct err *err)
{
    struct customer customer;
    int rc = customer_find(&customer, engine, reference, err);
    bool declares = engine->rules != NULL && engine->rules->purpose_count != 0;
    if (rc != 0 || !declares || customer_consent(&customer, purpose, channel) != CONSENT_NONE)
        return rc;
    rc = check_purpose(engine, arena_text(&engine->arena, purpose).data, err);
    return rc != 0 ? rc : check_channel(engine, arena_text(&engine->arena, channel).data, err);
}

/* -- Bundles --------------------------------------------------------------------------- */

/* The hash `back` places before the active one; type DOC_NONE: there is none. */
static struct doc_value hash_of(struct doc bundle, size_t back)
{
    struct doc_value hash = doc_get(bundle, "hash");
    struct doc_iter it = doc_iter(doc_child(bundle, "before"));
    for (; back > 0; back--) {
        bool is_there = doc_next(&it);
        hash = it.value;
        if (!is_there)
            hash.type = DOC_NONE;
    }
    return hash;
}

size_t read_bundle_back(struct engine *engine)
{
    return 1 + (size_t)doc_int(meta_get(engine, "bundle"), "back", 0);
}

/* In which entry it became active; 0: not known. */
static int64_t seq_of(struct doc bundle, size_t back)
{
    int64_t seq = doc_int(bundle, "seq", 0);
    struct doc_iter it = doc_iter(doc_child(bundle, "seqs"));
    for (; back > 0; back--)
        seq = doc_next(&it) ? it.value.integer : 0;
    return seq;
}

bool read_bundle_hash(struct engine *engine, size_t back, uint8_t out_hash[32])
{
    arena_clear(&engine->arena);
    struct doc_value hash = hash_of(meta_get(engine, "bundle"), back);
    if (hash.type != DOC_BINARY || hash.binary.size != LOG_HASH_BYTES)
        return false;
    memcpy(out_hash, hash.binary.data, LOG_HASH_BYTES);
    return true;
}

static bool is_listed(struct doc bundle, size_t back, struct doc_value hash)
{
    for (size_t i = 0; i < back; i++) {
        struct doc_value other = hash_of(bundle, i);
        if (doc_value_equal(&other, &hash))
            return true;
    }
    return false;
}

int read_bundles(struct engine *engine, struct buf *out, struct err *err)
{
    struct list list;
    struct doc_value hash;
    (void)err;
    arena_clear(&engine->arena);
    struct doc bundle = meta_get(engine, "bundle");
    list_begin(&list, out, SIZE_MAX);
    for (size_t back = 0; (hash = hash_of(bundle, back)).type == DOC_BINARY; back++) {
        char text[HEX_SIZE(LOG_HASH_BYTES)];
        if (hash.binary.size != LOG_HASH_BYTES || is_listed(bundle, back, hash))
            continue;
        hex_encode(hash.binary.data, hash.binary.size, text);
        list_item(&list);
        doc_put_string(&list.w, "hash", text);
        doc_put_bool(&list.w, "active", back == 0);
        if (seq_of(bundle, back) != 0)
            doc_put_int(&list.w, "seq", seq_of(bundle, back));
        doc_close(&list.w);
    }
    list_end(&list, (struct text){ "", 0 }, engine->seq);
    return 0;
}

void read_config(struct engine *engine, struct buf *out)
{
    arena_clear(&engine->arena);
    struct doc config = doc_child(meta_get(engine, "world"), "config");
    struct doc_writer w;
    doc_begin(&w, out);
    for (struct doc_iter it = doc_iter(config); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    doc_end(&w);
}

/* -- Staff and keys -------------------------------------------------------------------- */

static void show_absences(struct doc_writer *w, struct doc absences)
{
    doc_open_array(w, "absences");
    for (struct doc_iter it = doc_iter(absences); doc_next(&it);) {
        if (it.value.type != DOC_DOC)
            continue;
        doc_open(w, "");
        show_time(w, "from", doc_int(it.value.doc, "from", 0));
        show_time(w, "until", doc_int(it.value.doc, "until", 0));
        doc_put_present(w, "deputy", doc_text(it.value.doc, "deputy"));
        doc_close(w);
    }
    doc_close(w);
}

static void show_member(struct doc_writer *w, struct text name, struct doc row)
{
    doc_put_text(w, "name", name);
    for (struct doc_iter it = doc_iter(row); doc_next(&it);)
        if (text_is(it.name, "absences") && it.value.type == DOC_ARRAY)
            show_absences(w, it.value.doc);
        else if (!text_is(it.name, "name"))
            doc_put_value_text(w, it.name, &it.value);
}

static void show_key(struct doc_writer *w, struct text name, struct doc row)
{
    struct doc_value scopes = doc_get(row, "scopes");
    doc_put_text(w, "name", name);
    doc_put_present(w, "staff", doc_text(row, "staff"));
    doc_put_value(w, "scopes", &scopes);
    doc_put_present(w, "rate", doc_text(row, "rate"));
    if (doc_int(row, "burst", 0) != 0)
        doc_put_int(w, "burst", doc_int(row, "burst", 0));
}

/* The rows of a table whose key is a name. */
static int read_named(struct engine *engine, char table, const struct read_page *page,
                      void (*show)(struct doc_writer *w, struct text name, struct doc row),
                      struct buf *out, struct err *err)
{
    struct list list;
    struct cursor cursor;
    struct key prefix, first, last;
    struct text next = { "", 0 };
    key_start(&prefix, table);
    key_named(&first, table, page->after);
    if (!key_ok(&first))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of names gave");
    last = first;
    list_begin(&list, out, page->limit);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (cursor_next(&cursor)) {
        if (cursor.key.size == first.size && memcmp(cursor.key.data, first.data, first.size) == 0)
            continue;
        if (list_is_full(&list)) {
            next = (struct text){ (const char *)last.data + 1, last.size - 1u };
            break;
        }
        struct text name = { (const char *)cursor.key.data + 1, (uint32_t)cursor.key.size - 1 };
        list_item(&list);
        show(&list.w, name, doc_of(cursor.value));
        doc_close(&list.w);
        key_named(&last, table, name);
    }
    cursor_close(&cursor);
    list_end(&list, next, engine->seq);
    return 0;
}

int read_staff(struct engine *engine, const struct read_page *page, struct buf *out,
               struct err *err)
{
    return read_named(engine, 's', page, show_member, out, err);
}

int read_keys(struct engine *engine, const struct read_page *page, struct buf *out, struct err *err)
{
    return read_named(engine, 'K', page, show_key, out, err);
}

int read_staff_member(struct engine *engine, struct text name, struct buf *out, struct err *err)
{
    struct key key;
    struct bytes row;
    struct doc_writer w;
    key_named(&key, 's', name);
    if (!key_ok(&key) || !state_get(engine->state, &key, &row))
        return err_set(err, E_NOTFOUND, "nobody of staff is called %.*s", (int)name.size,
                       name.data);
    doc_begin(&w, out);
    show_member(&w, name, doc_of(row));
    doc_end(&w);
    return 0;
}

void read_fallback_called(struct engine *engine, const char *name,
                          struct read_fallback *out_fallback)
{
    snprintf(out_fallback->name, sizeof out_fallback->name, "%s", name);
    out_fallback->is_known = name[0] == '\0' || staff_is_known(engine, text_of(name));
}

void read_fallback(struct engine *engine, struct read_fallback *out_fallback)
{
    read_fallback_called(engine, engine->config.fallback, out_fallback);
}

static bool note_owner(struct engine *engine, const struct kind *kinds, size_t count,
                       struct read_kind_owner *out_missing)
{
    struct err err;
    for (size_t i = 0; i < count; i++) {
        struct text owner = kinds[i].owner;
        if (owner.size == 0 || text_is(owner, "owner") || record_somebody(engine, owner, &err) == 0)
            continue;
        snprintf(out_missing->kind, sizeof out_missing->kind, "%s", kinds[i].name.data);
        snprintf(out_missing->owner, sizeof out_missing->owner, "%s", owner.data);
        return true;
    }
    return false;
}

void read_missing_owner_of(struct engine *engine, const struct plugins *plugins,
                           struct read_kind_owner *out_missing)
{
    const struct ruleset *rules = engine->rules;
    *out_missing = (struct read_kind_owner){ .kind = "" };
    arena_clear(&engine->arena);
    if (rules == NULL || !note_owner(engine, rules->kinds, rules->kind_count, out_missing))
        note_owner(engine, plugins != NULL ? plugins->kinds : NULL,
                   plugins != NULL ? plugins->kind_count : 0, out_missing);
}

void read_missing_owner(struct engine *engine, struct read_kind_owner *out_missing)
{
    read_missing_owner_of(engine, engine->plugins, out_missing);
}

bool read_has_kind(struct engine *engine, struct text kind)
{
    return kinds_find(&engine->kinds, kind) != NULL;
}

void read_missing_calendar_of(struct engine *engine, const struct plugins *plugins,
                              char out_name[NAME_BYTES_MAX + 1])
{
    const struct kind *kind;
    const struct kind_deadline *deadline;
    out_name[0] = '\0';
    if (kinds_lack_calendar(plugins, engine->rules, &kind, &deadline))
        snprintf(out_name, NAME_BYTES_MAX + 1, "%s", deadline->calendar.data);
}

void read_missing_calendar(struct engine *engine, char out_name[NAME_BYTES_MAX + 1])
{
    read_missing_calendar_of(engine, engine->plugins, out_name);
}
