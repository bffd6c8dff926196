/* read_records.c -- lists of records, the newest first.
 *
 * Each filter has rows of its own (record.c), and whoever asks by state and owner at once gets the
 * rows of both; so a page costs a page, however many records there are of which only few are asked
 * for.  Of a customer all rows are hers; what else is asked of them is looked at.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/read_record_search.h"
#include "core/engine/record.h"

#include <string.h>

struct visit {
    struct snapshot *snapshot;
    const struct read_records *which;
    struct list list;
    uint64_t last; /* number of the last row done with; 0: none */
    bool is_cut;
};

/* When the next of its deadlines is due. */
static void show_next_due(struct doc_writer *w, struct snapshot *snapshot,
                          const struct record *record)
{
    struct key key;
    struct bytes row;
    int64_t first = INT64_MAX;
    bool is_overdue = false;
    key_deadlines(&key, record->kind_name, record->number);
    if (!snapshot_get(snapshot, &key, &row))
        return;
    for (struct doc_iter it = doc_iter(doc_of(row)); doc_next(&it);) {
        int64_t due = doc_int(it.value.doc, "due", 0);
        if (doc_int(it.value.doc, "ended", 0) != 0 || due == 0)
            continue;
        first = due < first ? due : first;
        is_overdue = is_overdue || doc_int(it.value.doc, "missed", 0) != 0;
    }
    if (first != INT64_MAX)
        doc_put_datetime(w, "due", first);
    if (is_overdue)
        doc_put_bool(w, "overdue", true);
}

static bool is_wanted(const struct read_records *which, const struct record *record)
{
    return (!which->is_open || record->is_open) &&
           (which->state.size == 0 || text_equal(which->state, record->state)) &&
           (which->owner.size == 0 || text_equal(which->owner, record->owner));
}

static void show(struct visit *visit, uint64_t number)
{
    struct record record;
    struct key key;
    struct bytes row;
    key_record(&key, visit->which->kind, number);
    if (!snapshot_get(visit->snapshot, &key, &row))
        return;
    record_read(&record, NULL, visit->which->kind, number, doc_of(row));
    if (!is_wanted(visit->which, &record))
        return;
    if (visit->which->query != NULL) {
        visit->list.looks += RECORD_SEARCH_LOOKS - 1;
        if (!record_query_finds(visit->which->query, record.fields))
            return;
    }
    list_item(&visit->list);
    show_record_head(&visit->list.w, &record, visit->which->title);
    show_next_due(&visit->list.w, visit->snapshot, &record);
    if (record.customer != 0)
        show_name_of(&visit->list.w, visit->snapshot, record.customer);
    doc_close(&visit->list.w);
}

static int visit_number(struct visit *visit, uint64_t number)
{
    if (number == visit->last)
        return 0; /* where the page before ended; or a second role of hers */
    if (list_is_full(&visit->list))
        return visit->is_cut = true;
    visit->last = number;
    show(visit, number);
    return 0;
}

static int after_number(struct text after, uint64_t *out_number, struct err *err)
{
    uint64_t n = 0;
    *out_number = 0;
    if (after.size == 0 || (event_id_parse(after, out_number, &n) && n == 0 && *out_number != 0))
        return 0;
    return err_set(err, E_INVALID, "`after` is no cursor that a page of records gave");
}

/* -- By state and owner ---------------------------------------------------- */

static size_t prefix_size(const struct read_records *which, struct key *prefix)
{
    bool has_owner = which->owner.size != 0;
    enum record_list list = which->state.size != 0
                                ? (has_owner ? RECORDS_STATE_OWNER : RECORDS_STATE)
                            : which->is_open ? (has_owner ? RECORDS_OPEN_OWNER : RECORDS_OPEN)
                                             : RECORDS_OWNER;
    key_records(prefix, list, which->kind, which->state, which->owner);
    return prefix->size;
}

static int visit_listed(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    struct key prefix;
    size_t size = prefix_size(visit->which, &prefix);
    struct key_reader reader = { key.data + size, key.data + key.size };
    uint64_t number = key_take_number_down(&reader);
    (void)value;
    return visit_number(visit, number);
}

static int visit_any(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    struct key prefix;
    key_start(&prefix, 'R');
    key_text(&prefix, visit->which->kind);
    struct key_reader reader = { key.data + prefix.size, key.data + key.size };
    uint64_t number = key_take_number(&reader);
    (void)value;
    return visit_number(visit, number);
}

static void list_all(struct visit *visit)
{
    struct key prefix, before;
    key_start(&prefix, 'R');
    key_text(&prefix, visit->which->kind);
    key_record(&before, visit->which->kind, visit->last);
    snapshot_visit_back(visit->snapshot, &prefix, visit->last != 0 ? &before : NULL, visit_any,
                        visit);
}

static void list_some(struct visit *visit)
{
    struct key prefix, first;
    prefix_size(visit->which, &prefix);
    if (!key_ok(&prefix))
        return;
    first = prefix;
    key_number_down(&first, visit->last);
    snapshot_visit(visit->snapshot, &prefix, visit->last != 0 ? &first : NULL, visit_listed, visit);
}

/* -- Of a customer --------------------------------------------------------- */

struct next_number {
    size_t prefix_size;
    uint64_t below, found;
};

static int visit_below(void *arg, struct bytes key, struct bytes value)
{
    struct next_number *next = arg;
    struct key_reader reader = { key.data + next->prefix_size, key.data + key.size };
    next->found = key_take_number_down(&reader);
    (void)value;
    return next->found < next->below;
}

/* The greatest number below among one member's records; 0: none. */
static uint64_t next_of_member(struct visit *visit, uint64_t member, uint64_t below)
{
    struct key prefix, first;
    struct next_number next = { .below = below };
    key_records_of(&prefix, member, visit->which->kind);
    next.prefix_size = prefix.size;
    first = prefix;
    if (below != UINT64_MAX)
        key_number_down(&first, below);
    bool is_found = snapshot_visit(visit->snapshot, &prefix, &first, visit_below, &next) != 0;
    return is_found ? next.found : 0;
}

static void list_of_customers(struct visit *visit)
{
    const struct read_records *which = visit->which;
    uint64_t below = visit->last != 0 ? visit->last : UINT64_MAX, number;
    do {
        number = 0;
        for (size_t i = 0; i < which->customer_count; i++) {
            uint64_t one = next_of_member(visit, which->customers[i], below);
            number = one > number ? one : number;
        }
        below = number;
    } while (number != 0 && visit_number(visit, number) == 0);
}

int read_records(struct snapshot *snapshot, const struct read_records *which,
                 const struct read_page *page, struct buf *out, struct err *err)
{
    struct visit visit = { .snapshot = snapshot, .which = which };
    char next[EVENT_ID_TEXT_MAX] = "";
    uint64_t seq;
    int64_t logged;
    int rc = after_number(page->after, &visit.last, err);
    if (rc != 0)
        return rc;
    list_begin(&visit.list, out, page->limit);
    if (which->customers != NULL)
        list_of_customers(&visit);
    else if (which->state.size == 0 && which->owner.size == 0 && !which->is_open)
        list_all(&visit);
    else
        list_some(&visit);
    if (visit.is_cut)
        event_id_text(visit.last, 0, next);
    snapshot_applied(snapshot, &seq, &logged);
    list_end(&visit.list, text_of(next), seq);
    return 0;
}
