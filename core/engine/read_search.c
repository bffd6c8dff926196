/* read_search.c -- who is found by what somebody typed; see read.h and search_query.h.
 *
 * Each row that is met names a member.  Her group's terms say where she stands; if that is this
 * row she is an item, if not she was or will be met there.  So nothing has to be remembered from
 * one page to the next but a place, and a page costs what it shows: what is looked at in vain is
 * bounded by SEARCH_LOOKS_MAX.
 *
 * The cursor is the range and the row where the next page begins to look, in hexadecimal digits.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"
#include "core/engine/search_query.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_LOOKS_MAX 1000 /* rows of one page */

struct place {
    size_t range;
    struct key row; /* behind it; size 0: at the range's first row */
};
#define PLACE_BYTES (2 + KEY_BYTES_MAX)

struct hit {
    uint64_t number;
    enum search_rank rank;
    int64_t last_contact;
};

struct search {
    struct snapshot *snapshot;
    struct search_query query;
    struct arena arena, one; /* of the query; of the customer being looked at */
    size_t limit, looks;
    struct place place; /* behind the last row looked at */
    struct hit *hits;
    size_t count;
    bool is_full;
};

/* -- One customer -------------------------------------------------------------------------- */

struct member_terms {
    uint64_t number;
    struct search_terms terms;
};

struct candidate {
    struct customer customer;
    struct member_terms *members;
    struct search_terms all;
};

static struct doc forms_of(struct search *search, const struct profile *profile)
{
    struct key key;
    struct bytes row;
    key_customer(&key, profile->number, 'f');
    return snapshot_get(search->snapshot, &key, &row) ? doc_of(row) : (struct doc){ NULL, 0 };
}

static void read_terms(struct search *search, struct candidate *out)
{
    size_t count = out->customer.count, used = 0;
    out->members = arena_alloc(&search->one, count * sizeof *out->members);
    out->all = (struct search_terms){ NULL, 0 };
    for (size_t i = 0; i < count; i++) {
        const struct profile *profile = &out->customer.members[i];
        out->members[i].number = profile->number;
        out->members[i].terms = search_terms(forms_of(search, profile), profile->ids, &search->one);
        out->all.count += out->members[i].terms.count;
    }
    out->all.items = arena_alloc(&search->one, (out->all.count + 1) * sizeof *out->all.items);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < out->members[i].terms.count; k++)
            out->all.items[used++] = out->members[i].terms.items[k];
}

/* False: she is nobody who is found by this range. */
static bool read_candidate(struct search *search, const struct search_range *range, uint64_t member,
                           struct candidate *out)
{
    struct snapshot *snapshot = search->snapshot;
    if (!read_group(&out->customer, snapshot, &search->one, member) &&
        !read_group(&out->customer, snapshot, &search->one, read_root(snapshot, member)))
        return false;
    const struct profile *profile = &out->customer.members[0];
    if (range->wants_all && out->customer.count == 1 &&
        !search_may_have_all(&search->query, forms_of(search, profile), profile->ids))
        return false;
    read_terms(search, out);
    return true;
}

static bool is_before(const struct key *a, const struct key *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, common);
    return order < 0 || (order == 0 && a->size < b->size);
}

/* Her first row in the range.  False: she has none. */
static bool first_row(const struct candidate *candidate, const struct search_range *range,
                      struct key *out_row, bool *out_exact)
{
    bool has = false;
    for (size_t i = 0; i < candidate->customer.count; i++) {
        const struct member_terms *member = &candidate->members[i];
        for (size_t k = 0; k < member->terms.count; k++) {
            const struct search_term *term = &member->terms.items[k];
            struct key row;
            if (!search_range_has(range, term))
                continue;
            key_search_row(&row, term, member->number);
            if (has && !is_before(&row, out_row))
                continue;
            *out_row = row;
            *out_exact = term->text.size == range->text.size;
            has = true;
        }
    }
    return has;
}

/* Whether she stands at this row of this range. */
static bool stands_here(const struct search_query *query, const struct candidate *candidate,
                        size_t range, struct bytes row, bool *out_exact)
{
    struct key first;
    if (query->number != 0 && candidate->customer.number == query->number)
        return false; /* she stands before all */
    for (size_t i = 0; i <= range; i++) {
        const struct search_range *at = &query->ranges[i];
        if (first_row(candidate, at, &first, out_exact) &&
            (!at->wants_all || search_has_all(query, &candidate->all)))
            return i == range && first.size == row.size &&
                   memcmp(first.data, row.data, row.size) == 0;
    }
    return false;
}

static void add_hit(struct search *search, const struct customer *customer, enum search_rank rank)
{
    search->hits[search->count++] = (struct hit){
        .number = customer->number,
        .rank = rank,
        .last_contact = read_last_contact(search->snapshot, customer),
    };
}

/* -- The walk ------------------------------------------------------------------------------ */

static bool read_member(enum search_kind kind, struct bytes row, struct bytes value,
                        uint64_t *out_member)
{
    struct buf term = BUF_INIT;
    struct key_reader reader = { row.data + 2, row.data + row.size }; /* table, kind */
    if (kind == SEARCH_USER) {
        reader = (struct key_reader){ value.data, value.data + value.size };
        return key_read_number(&reader, out_member);
    }
    bool is_row = key_read_text(&reader, &term) && key_read_number_down(&reader, out_member);
    buf_deinit(&term);
    return is_row;
}

static int look_at_row(void *arg, struct bytes row, struct bytes value)
{
    struct search *search = arg;
    struct place *place = &search->place;
    struct candidate candidate;
    uint64_t member;
    bool is_exact = false;
    const struct search_range *range = &search->query.ranges[place->range];
    if (place->row.size == row.size && memcmp(place->row.data, row.data, row.size) == 0)
        return 0; /* where the page before ended */
    if (search->count == search->limit || search->looks == SEARCH_LOOKS_MAX) {
        search->is_full = true;
        return 1;
    }
    search->looks++;
    place->row.size = (uint16_t)row.size;
    memcpy(place->row.data, row.data, row.size);
    if (!read_member(range->kind, row, value, &member) ||
        !read_candidate(search, range, member, &candidate))
        return 0;
    if (stands_here(&search->query, &candidate, place->range, row, &is_exact))
        add_hit(search, &candidate.customer,
                is_exact && range->rank == RANK_NAME ? RANK_EXACT : range->rank);
    return 0;
}

static void look_at_number(struct search *search)
{
    struct customer customer;
    if (search->query.number != 0 &&
        read_group(&customer, search->snapshot, &search->one, search->query.number))
        add_hit(search, &customer, RANK_EXACT);
}

static void walk(struct search *search)
{
    struct place *place = &search->place;
    for (; place->range < search->query.range_count && !search->is_full; place->range++) {
        const struct search_range *range = &search->query.ranges[place->range];
        struct key prefix;
        key_search(&prefix, range->kind, range->text);
        snapshot_visit(search->snapshot, &prefix, place->row.size != 0 ? &place->row : NULL,
                       look_at_row, search);
        if (search->is_full)
            break;
        place->row.size = 0;
    }
}

/* -- Cursors ------------------------------------------------------------------------------- */

static struct text place_text(const struct place *place, struct arena *arena)
{
    uint8_t bytes[PLACE_BYTES];
    size_t size = 2u + place->row.size;
    bytes[0] = (uint8_t)(place->range >> 8);
    bytes[1] = (uint8_t)place->range;
    memcpy(bytes + 2, place->row.data, place->row.size);
    char *text = arena_alloc(arena, HEX_SIZE(PLACE_BYTES));
    hex_encode(bytes, size, text);
    return text_of(text);
}

/* The dictionary may have another word by now, and the range another number. */
static void find_range(const struct search_query *query, struct place *place)
{
    for (size_t i = 0; i < query->range_count; i++) {
        struct key prefix;
        size_t at = (place->range + i) % query->range_count;
        key_search(&prefix, query->ranges[at].kind, query->ranges[at].text);
        if (place->row.size >= prefix.size &&
            memcmp(place->row.data, prefix.data, prefix.size) == 0) {
            place->range = at;
            return;
        }
    }
    place->row.size = 0; /* it is gone, and what was behind it has its place */
}

static int read_place(struct text text, const struct search_query *query, struct place *out_place,
                      struct err *err)
{
    uint8_t bytes[PLACE_BYTES];
    size_t size = text.size / 2;
    if (size < 2 || size > sizeof bytes || !hex_decode(text.data, text.size, bytes, size))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of this search gave");
    out_place->range = (size_t)bytes[0] << 8 | bytes[1];
    out_place->row.size = (uint16_t)(size - 2);
    out_place->row.is_full = false;
    memcpy(out_place->row.data, bytes + 2, size - 2);
    find_range(query, out_place);
    return 0;
}

/* -- The page ------------------------------------------------------------------------------ */

static int compare_hits(const void *a, const void *b)
{
    const struct hit *one = a, *other = b;
    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    if (one->last_contact != other->last_contact)
        return one->last_contact > other->last_contact ? -1 : 1;
    return one->number < other->number ? -1 : one->number > other->number;
}

static void write_page(struct search *search, struct buf *out)
{
    struct list list;
    uint64_t seq;
    int64_t logged;
    struct text next = { "", 0 };
    qsort(search->hits, search->count, sizeof *search->hits, compare_hits);
    list_begin(&list, out, search->limit);
    for (size_t i = 0; i < search->count; i++) {
        struct customer customer;
        if (!read_group(&customer, search->snapshot, &search->one, search->hits[i].number))
            continue;
        list_item(&list);
        show_customer_item(&list.w, &customer, search->hits[i].last_contact);
    }
    if (search->is_full)
        next = place_text(&search->place, &search->arena);
    snapshot_applied(search->snapshot, &seq, &logged);
    list_end(&list, next, seq);
}

static int begin(struct search *search, struct text query, const struct read_page *page,
                 struct err *err)
{
    if (query.size > READ_QUERY_MAX)
        return err_set(err, E_INVALID, "a search has at most %d bytes", READ_QUERY_MAX);
    if (!search_query_read(&search->query, search->snapshot, query, &search->arena))
        return err_set(err, E_INVALID, "a search needs a letter or a digit");
    return page->after.size != 0 ? read_place(page->after, &search->query, &search->place, err) : 0;
}

int read_search(struct snapshot *snapshot, struct text query, const struct read_page *page,
                struct buf *out, struct err *err)
{
    struct search *search = mem_zero(sizeof *search);
    search->snapshot = snapshot;
    search->limit = page->limit;
    int rc = begin(search, query, page, err);
    if (rc == 0) {
        search->hits = mem_alloc(search->limit * sizeof *search->hits);
        if (page->after.size == 0)
            look_at_number(search);
        walk(search);
        write_page(search, out);
    }
    free(search->hits);
    arena_deinit(&search->arena);
    arena_deinit(&search->one);
    free(search);
    return rc;
}
