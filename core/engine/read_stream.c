/* read_stream.c -- all events in their order, whoever's they are: what the stream shows.
 *
 * Table `v` tells which events there are, the timeline holds what Kith itself made, the log what
 * came from outside.  So a piece is made in two steps, as a page of a timeline is: the rows from
 * the engine, which sees the last entry, or from a snapshot, which holds up nobody; then, on a
 * thread that may wait for the disk, the entries, in one pass.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "storage/log.h"

#define ROWS_BYTES (256u << 10) /* of one piece; what Kith made may be large */
#define SPAN_ENTRIES 1000       /* of one piece: those between its events are read too */

bool read_place_is_behind(const struct read_place *place, const struct read_place *other)
{
    return place->seq != other->seq ? place->seq > other->seq : place->n > other->n;
}

/* -- Rows ------------------------------------------------------------------------------ */

/* A piece that is being collected. */
struct scan {
    struct doc_writer w;
    size_t start, limit, count;
    struct read_place behind, last;
    uint64_t first_seq; /* of its first event */
    bool is_full;
    bool has_erasures;     /* somebody is being erased */
    struct engine *engine; /* one of the two */
    struct snapshot *snapshot;
};

static bool get(struct scan *scan, const struct key *key, struct bytes *out_row)
{
    return scan->engine != NULL ? state_get(scan->engine->state, key, out_row)
                                : snapshot_get(scan->snapshot, key, out_row);
}

static bool get_row(struct scan *scan, uint64_t customer, const struct read_place *place,
                    struct bytes *out_row)
{
    struct key key;
    key_customer(&key, customer, 't');
    key_number_down(&key, place->seq);
    key_number_down(&key, place->n);
    return get(scan, &key, out_row);
}

static bool is_being_erased(struct scan *scan, uint64_t customer)
{
    struct key key;
    struct bytes row;
    key_erasure(&key, customer);
    return get(scan, &key, &row);
}

/* Her entries become tombstones at the end; until then nothing but the state knows whose they
 * were.  `out_row` is set for what Kith made. */
static bool is_erased(struct scan *scan, uint64_t customer, const struct read_place *place,
                      struct bytes *out_row)
{
    struct bytes row;
    if (place->n != 0)
        return (scan->has_erasures && is_being_erased(scan, customer)) ||
               !get_row(scan, customer, place, out_row);
    return scan->has_erasures &&
           (is_being_erased(scan, customer) || !get_row(scan, customer, place, &row));
}

static bool has_room(const struct scan *scan, uint64_t seq)
{
    return scan->count == 0 ||
           (scan->count < scan->limit && scan->w.buf->size - scan->start < ROWS_BYTES &&
            seq - scan->first_seq < SPAN_ENTRIES);
}

static void add(struct scan *scan, uint64_t customer, const struct read_place *place)
{
    struct bytes row = { NULL, 0 };
    scan->last = *place;
    if (is_erased(scan, customer, place, &row))
        return;
    if (scan->count++ == 0)
        scan->first_seq = place->seq;
    doc_open(&scan->w, "");
    doc_put_int(&scan->w, "seq", (int64_t)place->seq);
    doc_put_int(&scan->w, "n", (int64_t)place->n);
    doc_put_int(&scan->w, "customer", (int64_t)customer);
    if (row.data != NULL)
        doc_put_doc(&scan->w, "row", doc_of(row));
    doc_close(&scan->w);
}

/* A row of table `v`; other than 0 when the piece is full. */
static int scan_row(void *arg, struct bytes key, struct bytes value)
{
    struct scan *scan = arg;
    struct key_reader id = { key.data + 1, key.data + key.size };
    struct key_reader pairs = { value.data, value.data + value.size };
    struct read_place place;
    uint64_t customer;
    bool is_row = key_read_number(&id, &place.seq);
    ASSERT(is_row);
    while (pairs.at < pairs.end) {
        is_row = key_read_number(&pairs, &customer) && key_read_number(&pairs, &place.n);
        ASSERT(is_row);
        if (!read_place_is_behind(&place, &scan->behind))
            continue;
        scan->is_full = !has_room(scan, place.seq);
        if (scan->is_full)
            return 1;
        add(scan, customer, &place);
    }
    return 0;
}

static int note_erasure(void *arg, struct bytes key, struct bytes value)
{
    struct scan *scan = arg;
    (void)key;
    (void)value;
    scan->has_erasures = true;
    return 1;
}

static void scan_begin(struct scan *scan, const struct read_place *behind, size_t limit,
                       struct buf *out)
{
    scan->start = out->size;
    scan->limit = limit;
    scan->behind = scan->last = *behind;
    doc_begin(&scan->w, out);
    doc_open_array(&scan->w, "items");
}

/* `end`: the last entry there was to look at. */
static void scan_end(struct scan *scan, uint64_t end)
{
    struct read_place to = scan->last;
    if (!scan->is_full && end > to.seq)
        to = (struct read_place){ end, 0 };
    doc_close(&scan->w);
    doc_put_bool(&scan->w, "more", scan->is_full);
    doc_put_int(&scan->w, "seq", (int64_t)to.seq);
    doc_put_int(&scan->w, "n", (int64_t)to.n);
    doc_end(&scan->w);
}

static void key_events(struct key *key, uint64_t seq)
{
    key_start(key, 'v');
    key_id(key, seq, 0);
}

void read_stream(struct engine *engine, const struct read_place *behind, size_t limit,
                 struct buf *out)
{
    struct scan scan = { .engine = engine, .has_erasures = engine->erasures != 0 };
    struct key prefix, first;
    struct cursor cursor;
    key_start(&prefix, 'v');
    key_events(&first, behind->seq);
    scan_begin(&scan, behind, limit, out);
    cursor_open_at(&cursor, engine->state, &prefix, &first);
    while (cursor_next(&cursor) && scan_row(&scan, cursor.key, cursor.value) == 0)
        continue;
    cursor_close(&cursor);
    scan_end(&scan, engine->seq);
}

void read_stream_stored(struct snapshot *snapshot, const struct read_place *behind, size_t limit,
                        struct buf *out)
{
    struct scan scan = { .snapshot = snapshot };
    struct key prefix, first;
    uint64_t end;
    int64_t logged;
    key_start(&prefix, 'z');
    snapshot_visit(snapshot, &prefix, NULL, note_erasure, &scan);
    key_start(&prefix, 'v');
    key_events(&first, behind->seq);
    scan_begin(&scan, behind, limit, out);
    snapshot_visit(snapshot, &prefix, &first, scan_row, &scan);
    snapshot_applied(snapshot, &end, &logged);
    scan_end(&scan, end);
}

void read_stream_end(struct engine *engine, struct read_place *out_end)
{
    struct key prefix;
    struct cursor cursor;
    uint64_t customer;
    *out_end = (struct read_place){ engine->seq, 0 };
    key_start(&prefix, 'v');
    key_number(&prefix, engine->seq);
    cursor_open(&cursor, engine->state, &prefix);
    while (cursor_next(&cursor)) {
        struct key_reader pairs = { cursor.value.data, cursor.value.data + cursor.value.size };
        while (key_read_number(&pairs, &customer) && key_read_number(&pairs, &out_end->n))
            continue;
    }
    cursor_close(&cursor);
}

/* -- What only the log has ------------------------------------------------------------- */

/* Rows and entries, walked beside each other. */
struct pass {
    struct doc_iter rows;
    bool has_row; /* it.value of `rows` is waiting for its entry */
    struct read_place place;
    uint64_t customer;
    read_stream_fn *each;
    void *arg;
    struct buf event;
    int result; /* of `each` */
};

static void next_row(struct pass *pass)
{
    pass->has_row = doc_next(&pass->rows);
    if (!pass->has_row)
        return;
    struct doc item = pass->rows.value.doc;
    pass->place.seq = (uint64_t)doc_int(item, "seq", 0);
    pass->place.n = (uint64_t)doc_int(item, "n", 0);
    pass->customer = (uint64_t)doc_int(item, "customer", 0);
}

static const char *class_name(enum log_class class)
{
    switch (class) {
    case LOG_CLIENT:
        return "client";
    case LOG_STAFF:
        return "staff";
    case LOG_PLUGIN:
        return "plugin";
    case LOG_SYSTEM:
        break;
    }
    return "system";
}

static void show_head(struct doc_writer *w, const struct pass *pass, struct text own_id,
                      struct text type)
{
    doc_put_int(w, "seq", (int64_t)pass->place.seq);
    doc_put_int(w, "n", (int64_t)pass->place.n);
    show_event_id(w, "event", pass->place.seq, pass->place.n);
    if (own_id.size != 0)
        doc_put_text(w, "id", own_id);
    else
        show_event_id(w, "id", pass->place.seq, pass->place.n);
    doc_put_text(w, "type", type);
}

static void show_made(struct doc_writer *w, const struct pass *pass, const struct log_entry *entry)
{
    struct doc row = doc_child(pass->rows.value.doc, "row");
    show_head(w, pass, (struct text){ "", 0 }, doc_text(row, "type"));
    if (pass->customer != 0)
        doc_put_int(w, "customer", (int64_t)pass->customer);
    doc_put_datetime(w, "at", doc_int(row, "at", 0));
    doc_put_datetime(w, "logged", entry->logged);
    doc_put_string(w, "class", class_name(LOG_SYSTEM));
    doc_put_string(w, "source", "kith");
    doc_put_present(w, "by", doc_text(row, "by"));
    doc_put_present(w, "about", doc_text(row, "about"));
    doc_put_doc(w, "data", doc_child(row, "data"));
}

static void show_came(struct doc_writer *w, const struct pass *pass, const struct log_entry *entry,
                      const struct event *event)
{
    struct doc body = { entry->body, (uint32_t)entry->size };
    struct doc_value extra = doc_get(body, "extra");
    show_head(w, pass, event->id, event->type);
    doc_put_present(w, "call", event->call);
    doc_put_present(w, "messageId", event->id);
    doc_put_present(w, "userId", event->user);
    doc_put_present(w, "anonymousId", event->anon);
    if (pass->customer != 0)
        doc_put_int(w, "customer", (int64_t)pass->customer);
    doc_put_datetime(w, "at", event->at);
    doc_put_datetime(w, "logged", event->logged);
    doc_put_string(w, "class", class_name(entry->class));
    doc_put_present(w, "source", event->source);
    doc_put_present(w, "by", event->by);
    doc_put_present(w, "about", event->about);
    if (event->historic)
        doc_put_bool(w, "historic", true);
    doc_put_doc(w, "data", event->data);
    if (event->context.data != NULL)
        doc_put_doc(w, "context", event->context);
    doc_put_value(w, "extra", &extra);
}

static int show_event(struct pass *pass, const struct log_entry *entry)
{
    struct doc_writer w;
    struct event event;
    buf_clear(&pass->event);
    doc_begin(&w, &pass->event);
    if (pass->place.n != 0)
        show_made(&w, pass, entry);
    else if (!entry->is_tombstone && event_read(&event, entry, NULL) == 0)
        show_came(&w, pass, entry, &event);
    else
        return 0; /* erased: nobody is told that there was anything */
    struct doc doc = doc_end(&w);
    return pass->each(pass->arg, &pass->place, doc_text(doc, "type"), doc);
}

/* All events of an entry.  Other than 0 ends the read: enough was seen. */
static int pass_entry(void *arg, const struct log_entry *entry)
{
    struct pass *pass = arg;
    while (pass->result == 0 && pass->has_row && pass->place.seq <= entry->seq) {
        if (pass->place.seq == entry->seq)
            pass->result = show_event(pass, entry);
        if (pass->result == 0)
            next_row(pass);
    }
    return pass->result != 0 || !pass->has_row;
}

/* Entries that cannot be read are told of once, and what they were is left out. */
static void show_unreadable(struct pass *pass, uint64_t next, const char *reason)
{
    struct doc_writer w;
    buf_clear(&pass->event);
    doc_begin(&w, &pass->event);
    doc_put_int(&w, "seq", (int64_t)pass->place.seq);
    doc_put_string(&w, "unreadable", reason);
    struct doc doc = doc_end(&w);
    struct read_place last = pass->place;
    while (pass->has_row && pass->place.seq < next) {
        last = pass->place;
        next_row(pass);
    }
    pass->result = pass->each(pass->arg, &last, (struct text){ "", 0 }, doc);
}

int read_stream_each(struct log *log, struct doc rows, read_stream_fn *each, void *arg,
                     struct err *err)
{
    struct pass pass = { .rows = doc_iter(doc_child(rows, "items")), .each = each, .arg = arg };
    int rc = 0;
    next_row(&pass);
    while (rc == 0 && pass.result == 0 && pass.has_row) {
        uint64_t next = 0, seq = pass.place.seq;
        rc = log_read(log, seq, SPAN_ENTRIES, pass_entry, &pass, &next, err);
        bool is_damaged = pass.result == 0 && (rc == E_CORRUPT || rc == E_VERSION);
        if (is_damaged) {
            show_unreadable(&pass, next > seq ? next : seq + 1, err->text);
            rc = 0;
        } else if (rc > 0) {
            rc = 0;
        } else if (rc == 0 && next <= seq) { /* nothing is left to be read there */
            break;
        }
    }
    buf_deinit(&pass.event);
    return pass.result != 0 ? 0 : rc;
}
