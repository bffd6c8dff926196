/* read_reminder.c -- follow-ups: one, a customer's, a person's, everybody's.
 *
 * Open ones are listed by the rows of their assignees (table `o`: assignee, due, task);
 * whoever wants to know what is due today skips from each assignee's first later one to the
 * next assignee.  Closed ones are looked for among all, the newest first.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/reminder_version.h"

#include <string.h>

static void key_task(struct key *key, uint64_t number)
{
    key_start(key, 'k');
    key_number(key, number);
}

void show_reminder(struct doc_writer *w, uint64_t task, struct doc row)
{
    static const char *const texts[] = { "rule", "key",   "note",        "about", "outcome",
                                         "by",   "civil", "escalate_to", "of",    "why" };
    doc_put_int(w, "id", (int64_t)task);
    doc_put_int(w, "customer", doc_int(row, "customer", 0));
    doc_put_text(w, "title", doc_text(row, "title"));
    doc_put_text(w, "state", doc_text(row, "state"));
    doc_put_text(w, "assignee", doc_text(row, "assignee"));
    doc_put_present(w, "to", doc_text(row, "to"));
    doc_put_datetime(w, "due", doc_int(row, "due", 0));
    doc_put_datetime(w, "created", doc_int(row, "created", 0));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        doc_put_present(w, texts[i], doc_text(row, texts[i]));
    show_time(w, "escalate_due", doc_int(row, "escalate_due", 0));
    show_time(w, "closed", doc_int(row, "closed", 0));
    char version[REMINDER_VERSION_SIZE];
    reminder_version(row, version);
    doc_put_string(w, "version", version);
}

int read_reminder(struct engine *engine, uint64_t task, struct buf *out, struct err *err)
{
    struct key key;
    struct bytes row;
    struct doc_writer w;
    key_task(&key, task);
    if (!state_get(engine->state, &key, &row))
        return err_set(err, E_NOTFOUND, "no reminder has the number %llu",
                       (unsigned long long)task);
    struct customer customer;
    uint64_t number = (uint64_t)doc_int(doc_of(row), "customer", 0);
    arena_clear(&engine->arena);
    struct doc doc = arena_doc(&engine->arena, doc_of(row));
    doc_begin(&w, out);
    show_reminder(&w, task, doc);
    if (customer_load(&customer, engine, number))
        show_customer_name(&w, &customer);
    doc_end(&w);
    return 0;
}

/* -- Of a customer --------------------------------------------------------------------- */

static int after_number(struct text after, uint64_t *out_number, struct err *err)
{
    uint64_t n = 0;
    *out_number = 0;
    if (after.size == 0 || (event_id_parse(after, out_number, &n) && n == 0))
        return 0;
    return err_set(err, E_INVALID, "`after` is no cursor that a page of reminders gave");
}

/* The lowest number above `last` among one member's open reminders; 0: none. */
static uint64_t next_of_member(struct engine *engine, uint64_t member, uint64_t last)
{
    struct key prefix;
    key_customer(&prefix, member, 'k');
    return engine_next_number(engine, &prefix, last);
}

static uint64_t next_of_group(struct engine *engine, const struct customer *customer, uint64_t last)
{
    uint64_t lowest = 0;
    for (size_t i = 0; i < customer->count; i++) {
        uint64_t number = next_of_member(engine, customer->members[i].number, last);
        if (number != 0 && (lowest == 0 || number < lowest))
            lowest = number;
    }
    return lowest;
}

static bool is_wanted(const struct read_reminders *which, struct doc row)
{
    bool is_of_customer = which->customer_count == 0;
    for (size_t i = 0; !is_of_customer && i < which->customer_count; i++)
        is_of_customer = which->customers[i] == (uint64_t)doc_int(row, "customer", 0);
    return is_of_customer && doc_int(row, "due", 0) < which->due_before &&
           (which->state.size == 0 || text_equal(doc_text(row, "state"), which->state)) &&
           (which->of.size == 0 || text_equal(doc_text(row, "of"), which->of)) &&
           (which->to.size == 0 || text_equal(doc_text(row, "assignee"), which->to));
}

int read_members(struct engine *engine, struct text reference, struct buf *out, struct err *err)
{
    struct customer customer;
    int rc = customer_find(&customer, engine, reference, err);
    for (size_t i = 0; rc == 0 && i < customer.count; i++)
        buf_append(out, &customer.members[i].number, sizeof customer.members[i].number);
    return rc;
}

int read_reminders_of(struct engine *engine, struct text reference,
                      const struct read_reminders *which, const struct read_page *page,
                      struct buf *out, struct err *err)
{
    struct customer customer;
    uint64_t last, number;
    char next[EVENT_ID_TEXT_MAX] = "";
    int rc = after_number(page->after, &last, err);
    if (rc == 0)
        rc = customer_find(&customer, engine, reference, err);
    if (rc != 0)
        return rc;
    struct list list;
    list_begin(&list, out, page->limit);
    for (; (number = next_of_group(engine, &customer, last)) != 0; last = number) {
        struct key key;
        struct bytes row;
        if (list_is_full(&list)) {
            event_id_text(last, 0, next);
            break;
        }
        key_task(&key, number);
        bool is_there = state_get(engine->state, &key, &row);
        ASSERT(is_there);
        if (!is_wanted(which, doc_of(row)))
            continue;
        list_item(&list);
        show_reminder(&list.w, number, doc_of(row));
        show_customer_name(&list.w, &customer);
        doc_close(&list.w);
    }
    list_end(&list, text_of(next), engine->seq);
    return 0;
}

/* -- Open ones, by assignee ------------------------------------------------------------ */

struct visit {
    struct snapshot *snapshot;
    const struct read_reminders *which;
    struct list list;
    struct key last; /* of the rows done with */
    bool is_cut;     /* the page ended before the rows did */
    bool is_late;    /* the rest of this assignee's is due later than asked for */
};

static bool show_task(struct visit *visit, uint64_t number)
{
    struct key key;
    struct bytes row;
    key_task(&key, number);
    if (!snapshot_get(visit->snapshot, &key, &row))
        return false;
    list_item(&visit->list);
    show_reminder(&visit->list.w, number, doc_of(row));
    show_name_of(&visit->list.w, visit->snapshot, (uint64_t)doc_int(doc_of(row), "customer", 0));
    doc_close(&visit->list.w);
    return true;
}

static void note_last(struct visit *visit, struct bytes key)
{
    ASSERT(key.size <= sizeof visit->last.data);
    visit->last.size = (uint16_t)key.size;
    memcpy(visit->last.data, key.data, key.size);
}

static int visit_open(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct buf assignee = BUF_INIT;
    int64_t due;
    uint64_t number;
    (void)value;
    if (key.size == visit->last.size && memcmp(key.data, visit->last.data, key.size) == 0)
        return 0; /* where the page before ended */
    if (list_is_full(&visit->list))
        return visit->is_cut = true;
    bool is_key = key_read_text(&reader, &assignee) && key_read_time(&reader, &due) &&
                  key_read_number(&reader, &number);
    buf_deinit(&assignee);
    ASSERT(is_key);
    note_last(visit, key);
    visit->is_late = due >= visit->which->due_before;
    if (visit->is_late)
        return 1;
    show_task(visit, number);
    return 0;
}

/* Behind all rows of the assignee whose row is `last`: its text ends with two zeros, and the
 * time and the number follow. */
static void skip_assignee(struct key *last)
{
    struct key_reader reader = { last->data + 1, last->data + last->size };
    struct buf assignee = BUF_INIT;
    bool is_text = key_read_text(&reader, &assignee);
    ASSERT(is_text);
    last->size = (uint16_t)(reader.at - last->data);
    last->data[last->size - 1] = 1;
    buf_deinit(&assignee);
}

static int after_key(struct text after, struct key *out_key, struct err *err)
{
    out_key->size = 0;
    out_key->is_full = false;
    if (after.size == 0)
        return 0;
    size_t size = after.size / 2;
    if (size <= sizeof out_key->data && hex_decode(after.data, after.size, out_key->data, size)) {
        out_key->size = (uint16_t)size;
        return 0;
    }
    return err_set(err, E_INVALID, "`after` is no cursor that a page of reminders gave");
}

static int read_open(struct snapshot *snapshot, const struct read_reminders *which,
                     const struct read_page *page, struct buf *out, struct err *err)
{
    struct visit visit = { .snapshot = snapshot, .which = which };
    struct key prefix;
    char next[HEX_SIZE(KEY_BYTES_MAX)] = "";
    uint64_t seq;
    int64_t logged;
    int rc = after_key(page->after, &visit.last, err);
    if (rc != 0)
        return rc;
    struct text list_of = which->of.size != 0 ? which->of : which->to;
    key_start(&prefix, which->of.size != 0 ? 'O' : 'o');
    if (list_of.size != 0)
        key_text(&prefix, list_of);
    list_begin(&visit.list, out, page->limit);
    do {
        struct key first = visit.last;
        visit.is_late = false;
        if (key_ok(&prefix))
            snapshot_visit(snapshot, &prefix, first.size != 0 ? &first : NULL, visit_open, &visit);
        if (visit.is_late)
            skip_assignee(&visit.last);
    } while (visit.is_late && list_of.size == 0);
    if (visit.is_cut)
        hex_encode(visit.last.data, visit.last.size, next);
    snapshot_applied(snapshot, &seq, &logged);
    list_end(&visit.list, text_of(next), seq);
    return 0;
}

/* -- Others, the newest first ---------------------------------------------------------- */

static int visit_any(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    struct key_reader reader = { key.data + 1, key.data + key.size };
    struct doc row = doc_of(value);
    uint64_t number = key_take_number(&reader);
    if (list_is_full(&visit->list))
        return visit->is_cut = true;
    note_last(visit, key);
    if (!is_wanted(visit->which, row))
        return 0;
    list_item(&visit->list);
    show_reminder(&visit->list.w, number, row);
    show_name_of(&visit->list.w, visit->snapshot, (uint64_t)doc_int(row, "customer", 0));
    doc_close(&visit->list.w);
    return 0;
}

static int read_any(struct snapshot *snapshot, const struct read_reminders *which,
                    const struct read_page *page, struct buf *out, struct err *err)
{
    struct visit visit = { .snapshot = snapshot, .which = which };
    struct key prefix, before;
    char next[EVENT_ID_TEXT_MAX] = "";
    uint64_t number, seq;
    int64_t logged;
    int rc = after_number(page->after, &number, err);
    if (rc != 0)
        return rc;
    key_start(&prefix, 'k');
    key_task(&before, number);
    list_begin(&visit.list, out, page->limit);
    snapshot_visit_back(snapshot, &prefix, number != 0 ? &before : NULL, visit_any, &visit);
    if (visit.is_cut) {
        struct key_reader reader = { visit.last.data + 1, visit.last.data + visit.last.size };
        number = key_take_number(&reader);
        event_id_text(number, 0, next);
    }
    snapshot_applied(snapshot, &seq, &logged);
    list_end(&visit.list, text_of(next), seq);
    return 0;
}

int read_reminders(struct snapshot *snapshot, const struct read_reminders *which,
                   const struct read_page *page, struct buf *out, struct err *err)
{
    return which->is_open ? read_open(snapshot, which, page, out, err)
                          : read_any(snapshot, which, page, out, err);
}
