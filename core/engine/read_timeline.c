/* read_timeline.c -- what happened to a customer, the newest first.
 *
 * A row of the timeline holds what the log does not: the trace, and a derived event's data.
 * So a page is made in two steps, on two threads.  The engine merges the rows of the
 * group's members, which stand in the order in which they are read; then a thread that may
 * wait for the disk fetches the entries.  A derived event happened when its entry was
 * logged, and needs no fetching.
 *
 * Of an entry that can no longer be read its row still tells that it happened and what came of it.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "storage/log.h"

#include <string.h>

#define MADE_SHOWN_MAX 100 /* of the events that one event made */

/* -- Rows ------------------------------------------------------------------------------ */

/* One member's rows; `rest` is the key behind the prefix: it orders rows of all members. */
struct lane {
    struct cursor cursor;
    uint64_t member;
    size_t prefix_size;
    struct bytes rest; /* data NULL: at the end */
};

static void lane_next(struct lane *lane)
{
    lane->rest = (struct bytes){ NULL, 0 };
    if (cursor_next(&lane->cursor))
        lane->rest = (struct bytes){ lane->cursor.key.data + lane->prefix_size,
                                     lane->cursor.key.size - lane->prefix_size };
}

static void lane_open(struct lane *lane, struct engine *engine, uint64_t member,
                      const uint64_t *behind)
{
    struct key prefix, first;
    key_customer(&prefix, member, 't');
    first = prefix;
    if (behind != NULL) {
        key_number_down(&first, behind[0]);
        key_number_down(&first, behind[1]);
    }
    lane->member = member;
    lane->prefix_size = prefix.size;
    cursor_open_at(&lane->cursor, engine->state, &prefix, &first);
    lane_next(lane);
    bool is_that_row = lane->rest.data != NULL && lane->cursor.key.size == first.size &&
                       memcmp(lane->cursor.key.data, first.data, first.size) == 0;
    if (behind != NULL && is_that_row)
        lane_next(lane);
}

static bool is_newer(struct bytes a, struct bytes b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data != NULL;
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order < 0 || (order == 0 && a.size < b.size);
}

static struct lane *newest(struct lane *lanes, size_t count)
{
    struct lane *first = &lanes[0];
    for (size_t i = 1; i < count; i++)
        if (is_newer(lanes[i].rest, first->rest))
            first = &lanes[i];
    return first->rest.data != NULL ? first : NULL;
}

static void read_id(const struct lane *lane, uint64_t out_id[2])
{
    struct key_reader reader = { lane->rest.data, lane->rest.data + lane->rest.size };
    bool is_id =
        key_read_number_down(&reader, &out_id[0]) && key_read_number_down(&reader, &out_id[1]);
    ASSERT(is_id);
}

static void show_row(struct list *list, const struct lane *lane, const uint64_t id[2])
{
    list_item(list);
    doc_put_int(&list->w, "seq", (int64_t)id[0]);
    doc_put_int(&list->w, "n", (int64_t)id[1]);
    doc_put_int(&list->w, "member", (int64_t)lane->member);
    doc_put_doc(&list->w, "row", doc_of(lane->cursor.value));
    doc_close(&list->w);
}

static bool is_until(const struct lane *lane, int64_t at)
{
    return at == INT64_MAX || doc_int(doc_of(lane->cursor.value), "at", 0) <= at;
}

int read_timeline(struct engine *engine, struct text reference, const struct read_page *page,
                  struct buf *out_rows, struct err *err)
{
    return read_timeline_as_of(engine, reference, page, INT64_MAX, out_rows, err);
}

int read_timeline_as_of(struct engine *engine, struct text reference, const struct read_page *page,
                        int64_t at, struct buf *out_rows, struct err *err)
{
    struct customer customer;
    uint64_t id[2] = { 0, 0 };
    char next[EVENT_ID_TEXT_MAX] = "";
    bool has_begin = page->after.size != 0;
    if (has_begin && !event_id_parse(page->after, &id[0], &id[1]))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of a timeline gave");
    int rc = customer_find(&customer, engine, reference, err);
    if (rc != 0)
        return rc;

    struct lane *lanes = arena_alloc(&engine->arena, customer.count * sizeof *lanes), *lane;
    for (size_t i = 0; i < customer.count; i++)
        lane_open(&lanes[i], engine, customer.members[i].number, has_begin ? id : NULL);
    struct list list;
    list_begin(&list, out_rows, page->limit);
    while ((lane = newest(lanes, customer.count)) != NULL) {
        if (list_is_full(&list)) {
            event_id_text(id[0], id[1], next);
            break;
        }
        read_id(lane, id);
        if (is_until(lane, at))
            show_row(&list, lane, id);
        lane_next(lane);
    }
    list_end(&list, text_of(next), engine->seq);
    for (size_t i = 0; i < customer.count; i++)
        cursor_close(&lanes[i].cursor);
    return 0;
}

/* -- The trace ------------------------------------------------------------------------- */

void show_rules(struct doc_writer *w, struct doc row)
{
    struct doc_value bundle = doc_get(row, "bundle");
    char hash[HEX_SIZE(8)] = "";
    if (bundle.type == DOC_BINARY && bundle.binary.size == 8)
        hex_encode(bundle.binary.data, 8, hash);
    doc_open_array(w, "rules");
    for (struct doc_iter it = doc_iter(doc_child(row, "rules")); doc_next(&it);) {
        doc_open(w, "");
        doc_put_text(w, "name", it.value.text);
        doc_put_string(w, "bundle", hash);
        doc_close(w);
    }
    doc_close(w);
    if (doc_child(row, "handlers").data != NULL)
        doc_put_array(w, "handlers", doc_child(row, "handlers"));
}

static bool is_effect(struct doc effects, uint64_t n)
{
    for (struct doc_iter it = doc_iter(effects); doc_next(&it);)
        if ((uint64_t)it.value.integer == n)
            return true;
    return false;
}

/* Effects have numbers among those of the events. */
static void show_made(struct doc_writer *w, uint64_t seq, struct doc row)
{
    struct doc effects = doc_child(row, "effects");
    uint64_t first = (uint64_t)doc_int(row, "made", 0),
             last = (uint64_t)doc_int(row, "made_last", 0);
    doc_open_array(w, "effects");
    for (struct doc_iter it = doc_iter(effects); doc_next(&it);)
        show_event_id(w, "", seq, (uint64_t)it.value.integer);
    doc_close(w);
    if (first == 0)
        return;
    uint64_t count = last - first + 1 - doc_count(effects), shown = 0;
    if (count == 0)
        return;
    doc_open_array(w, "made");
    for (uint64_t n = first; n <= last && shown < MADE_SHOWN_MAX; n++)
        if (!is_effect(effects, n)) {
            show_event_id(w, "", seq, n);
            shown++;
        }
    doc_close(w);
    if (count > shown)
        doc_put_int(w, "made_count", (int64_t)count);
}

void show_trace(struct doc_writer *w, uint64_t seq, struct doc row)
{
    struct doc log = doc_child(row, "log");
    doc_open(w, "trace");
    show_rules(w, row);
    if (doc_child(row, "handlers").data != NULL)
        doc_put_array(w, "handlers", doc_child(row, "handlers"));
    doc_put_doc(w, "changed", doc_child(row, "changed"));
    show_made(w, seq, row);
    if (log.data != NULL)
        doc_put_array(w, "log", log);
    if (doc_bool(row, "foreign", false))
        doc_put_bool(w, "foreign", true);
    doc_put_present(w, "refused", doc_text(row, "refused"));
    if (doc_bool(row, "cut", false))
        doc_put_bool(w, "cut", true);
    doc_close(w);
}

/* -- What only the log has ------------------------------------------------------------- */

struct item {
    struct doc_writer *w;
    uint64_t seq, n;
    struct doc row;
    bool is_shown;
};

static void show_head(const struct item *item, struct text own_id, int64_t at, int64_t logged)
{
    struct doc_writer *w = item->w;
    doc_put_int(w, "seq", (int64_t)item->seq);
    doc_put_int(w, "n", (int64_t)item->n);
    show_event_id(w, "event", item->seq, item->n);
    if (own_id.size != 0)
        doc_put_text(w, "id", own_id);
    else
        show_event_id(w, "id", item->seq, item->n);
    doc_put_datetime(w, "at", at);
    doc_put_datetime(w, "logged", logged);
    doc_put_text(w, "type", doc_text(item->row, "type"));
}

/* Its entry is gone, or, at `logged`, a tombstone; or, with a reason, cannot be read. */
static void show_without(struct item *item, int64_t logged, const char *unreadable)
{
    int64_t at = doc_int(item->row, "at", 0);
    doc_open(item->w, "");
    show_head(item, (struct text){ "", 0 }, at, logged);
    if (unreadable != NULL)
        doc_put_string(item->w, "unreadable", unreadable);
    else
        doc_put_bool(item->w, "erased", true);
    show_trace(item->w, item->seq, item->row);
    doc_close(item->w);
    item->is_shown = true;
}

static int show_entry(void *arg, const struct log_entry *entry)
{
    struct item *item = arg;
    struct doc_writer *w = item->w;
    struct event event;
    if (entry->seq != item->seq)
        return 0;
    if (entry->is_tombstone || event_read(&event, entry, NULL) != 0) {
        show_without(item, entry->logged, NULL);
        return 0;
    }
    doc_open(w, "");
    show_head(item, event.id, event.at, event.logged);
    doc_put_present(w, "call", event.call);
    doc_put_present(w, "messageId", event.id);
    doc_put_present(w, "source", event.source);
    doc_put_present(w, "by", event.by);
    doc_put_present(w, "about", event.about);
    if (event.historic)
        doc_put_bool(w, "historic", true);
    doc_put_doc(w, "data", event.data);
    show_trace(w, item->seq, item->row);
    doc_close(w);
    item->is_shown = true;
    return 0;
}

static void show_derived(struct item *item)
{
    struct doc_writer *w = item->w;
    int64_t at = doc_int(item->row, "at", 0);
    doc_open(w, "");
    show_head(item, (struct text){ "", 0 }, at, at);
    doc_put_string(w, "source", "kith");
    doc_put_present(w, "by", doc_text(item->row, "by"));
    doc_put_present(w, "about", doc_text(item->row, "about"));
    doc_put_doc(w, "data", doc_child(item->row, "data"));
    show_trace(w, item->seq, item->row);
    doc_close(w);
}

static int show_item(struct doc_writer *w, read_entry_fn *read, void *arg, struct doc doc,
                     struct err *err)
{
    struct item item = {
        .w = w,
        .seq = (uint64_t)doc_int(doc, "seq", 0),
        .n = (uint64_t)doc_int(doc, "n", 0),
        .row = doc_child(doc, "row"),
    };
    if (item.n != 0) {
        show_derived(&item);
        return 0;
    }
    int64_t at = doc_int(item.row, "at", 0);
    int rc = read(arg, item.seq, show_entry, &item, err);
    bool is_damaged = rc == E_CORRUPT || rc == E_VERSION;
    if (is_damaged)
        show_without(&item, at, err->text);
    else if (rc == 0 && !item.is_shown) /* before the log's base */
        show_without(&item, at, NULL);
    return is_damaged ? 0 : rc;
}

int read_timeline_kept(read_entry_fn *read, void *arg, struct doc rows, struct buf *out,
                       struct err *err)
{
    struct doc_writer w;
    struct doc_value next = doc_get(rows, "next"), seq = doc_get(rows, "seq");
    size_t start = out->size;
    int rc = 0;
    doc_begin(&w, out);
    doc_open_array(&w, "items");
    for (struct doc_iter it = doc_iter(doc_child(rows, "items")); rc == 0 && doc_next(&it);)
        rc = show_item(&w, read, arg, it.value.doc, err);
    if (rc != 0) {
        out->size = start;
        return rc;
    }
    doc_close(&w);
    doc_put_value(&w, "next", &next);
    doc_put_value(&w, "seq", &seq);
    doc_end(&w);
    return 0;
}

static int read_from_log(void *arg, uint64_t seq, log_visit_fn *visit, void *visit_arg,
                         struct err *err)
{
    return log_read(arg, seq, 1, visit, visit_arg, NULL, err);
}

int read_timeline_events(struct log *log, struct doc rows, struct buf *out, struct err *err)
{
    return read_timeline_kept(read_from_log, log, rows, out, err);
}
