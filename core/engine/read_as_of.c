/* read_as_of.c -- a customer as she was, folded from what her timeline says was changed.
 *
 * Every row of a timeline tells what its event changed, with the new value, and when that was
 * (`at`).  Of each thing that changed the last value until the time asked for is what held then.
 * Whom she was merged with counts from the merge on.  No state is kept for this: what a row had no
 * room for is missing, and the answer says that it is not whole.
 *
 * The rows are read backwards in sequence; since a change is noted only where it counts, the
 * greatest (at, seq, n) of a name is its value, in whatever order events came in.
 */
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"

#include <stdlib.h>
#include <string.h>

struct fact {
    size_t member;
    enum fact_kind { FACT_CHANGE, FACT_IDENTITY, FACT_MERGE } kind;
    struct text name;       /* of a change; of an identity its name space */
    struct doc_value value; /* of a merge: true, or false when it was undone */
    uint64_t absorbed;
    int64_t at;
    uint64_t seq, n;
    bool is_over; /* it did not hold any more, or not of her */
};

struct past {
    const uint64_t *members;
    size_t member, member_count;
    int64_t at;
    size_t prefix_size, rows;
    struct fact *facts; /* all borrow from the snapshot */
    size_t count, capacity;
    bool is_cut, is_known;
};

/* -- Reading --------------------------------------------------------------------------- */

static bool is_same(const struct fact *a, const struct fact *b)
{
    if (a->member != b->member || a->kind != b->kind || !text_equal(a->name, b->name))
        return false;
    if (a->kind == FACT_IDENTITY)
        return text_equal(a->value.text, b->value.text);
    return a->absorbed == b->absorbed;
}

static bool is_later(const struct fact *a, const struct fact *b)
{
    if (a->at != b->at)
        return a->at > b->at;
    return a->seq != b->seq ? a->seq > b->seq : a->n > b->n;
}

static void note(struct past *past, const struct fact *fact)
{
    for (size_t i = 0; i < past->count; i++)
        if (is_same(&past->facts[i], fact)) {
            if (is_later(fact, &past->facts[i]))
                past->facts[i] = *fact;
            return;
        }
    if (past->count == past->capacity) {
        past->capacity = past->capacity != 0 ? 2 * past->capacity : 64;
        past->facts = mem_resize(past->facts, past->capacity * sizeof *past->facts);
    }
    past->facts[past->count++] = *fact;
}

static void note_event(struct past *past, struct fact fact, struct doc row)
{
    struct text type = doc_text(row, "type");
    struct doc data = doc_child(row, "data");
    bool is_merged = text_is(type, "customer.merged");
    if (text_is(type, "identity.linked")) {
        fact.kind = FACT_IDENTITY;
        fact.name = doc_text(data, "namespace");
        fact.value = doc_get(data, "value");
        note(past, &fact);
    } else if (is_merged || text_is(type, "customer.unmerged")) {
        fact.kind = FACT_MERGE;
        fact.name = text_of("");
        fact.absorbed = (uint64_t)doc_int(data, "absorbed", 0);
        fact.value = (struct doc_value){ .type = DOC_BOOL, .boolean = is_merged };
        note(past, &fact);
    }
}

static int read_row(void *arg, struct bytes key, struct bytes value)
{
    struct past *past = arg;
    struct doc row = doc_of(value);
    struct key_reader reader = { key.data + past->prefix_size, key.data + key.size };
    struct fact fact = { .member = past->member, .at = doc_int(row, "at", 0) };
    bool is_id = key_read_number_down(&reader, &fact.seq) && key_read_number_down(&reader, &fact.n);
    ASSERT(is_id);
    if (++past->rows > READ_AS_OF_ROWS_MAX)
        return E_LIMIT;
    if (fact.at > past->at)
        return 0;
    past->is_known = true;
    past->is_cut |= doc_bool(row, "cut", false);
    for (struct doc_iter it = doc_iter(doc_child(row, "changed")); doc_next(&it);) {
        fact.name = it.name;
        fact.value = it.value;
        note(past, &fact);
    }
    if (fact.n != 0)
        note_event(past, fact, row);
    return 0;
}

static int read_rows(struct past *past, struct snapshot *snapshot, struct err *err)
{
    for (past->member = 0; past->member < past->member_count; past->member++) {
        struct key prefix;
        key_customer(&prefix, past->members[past->member], 't');
        past->prefix_size = prefix.size;
        if (snapshot_visit(snapshot, &prefix, NULL, read_row, past) != 0)
            return err_set(err, E_LIMIT,
                           "her timeline has more than %d entries: it is too long to be read back",
                           READ_AS_OF_ROWS_MAX);
    }
    return past->is_known ? 0 : err_set(err, E_NOTFOUND, "nothing is known of her at that time");
}

/* -- Who belonged to her then ---------------------------------------------------------- */

static size_t place_of(const struct past *past, uint64_t number)
{
    size_t i = 0;
    while (i < past->member_count && past->members[i] != number)
        i++;
    return i;
}

/* Merges of merges: until no one comes in any more. */
static void find_members(const struct past *past, bool *is_member)
{
    bool has_changed = true;
    is_member[0] = true;
    while (has_changed) {
        has_changed = false;
        for (size_t i = 0; i < past->count; i++) {
            const struct fact *fact = &past->facts[i];
            if (fact->kind != FACT_MERGE || !fact->value.boolean || !is_member[fact->member])
                continue;
            size_t place = place_of(past, fact->absorbed);
            has_changed |= place < past->member_count && !is_member[place];
            if (place < past->member_count)
                is_member[place] = true;
        }
    }
}

/* Whether another member said something else of the same, later. */
static bool is_overruled(const struct past *past, const bool *is_member, const struct fact *fact)
{
    for (size_t i = 0; i < past->count; i++) {
        struct fact other = past->facts[i];
        if (other.member == fact->member || !is_member[other.member])
            continue;
        other.member = fact->member;
        if (is_same(&other, fact) && is_later(&other, fact))
            return true;
    }
    return false;
}

static void keep_what_held(struct past *past, const bool *is_member)
{
    size_t kept = 0;
    for (size_t i = 0; i < past->count; i++) {
        struct fact *fact = &past->facts[i];
        fact->is_over = !is_member[fact->member] || is_overruled(past, is_member, fact);
    }
    for (size_t i = 0; i < past->count; i++)
        if (!past->facts[i].is_over)
            past->facts[kept++] = past->facts[i];
    past->count = kept;
}

/* -- Showing --------------------------------------------------------------------------- */

/* "tag:vip" with "tag:" is "vip"; false: it is something else. */
static bool has_head(struct text name, const char *head, struct text *out_rest)
{
    size_t size = strlen(head);
    if (name.size <= size || memcmp(name.data, head, size) != 0)
        return false;
    *out_rest = (struct text){ name.data + size, name.size - (uint32_t)size };
    return true;
}

static bool is_trait(const struct fact *fact)
{
    static const char *const heads[] = { "tag:", "role:", "consent:", "address:", "relation:" };
    struct text rest;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (has_head(fact->name, heads[i], &rest))
            return false;
    return fact->kind == FACT_CHANGE && !text_is(fact->name, "owner");
}

static void put_traits(struct doc_writer *w, const struct past *past)
{
    doc_open(w, "traits");
    for (size_t i = 0; i < past->count; i++)
        if (is_trait(&past->facts[i]) && past->facts[i].value.type != DOC_NULL)
            doc_put_value_text(w, past->facts[i].name, &past->facts[i].value);
    doc_close(w);
}

static void put_owner(struct doc_writer *w, const struct past *past)
{
    for (size_t i = 0; i < past->count; i++)
        if (past->facts[i].kind == FACT_CHANGE && text_is(past->facts[i].name, "owner") &&
            past->facts[i].value.type == DOC_TEXT)
            doc_put_present(w, "owner", past->facts[i].value.text);
}

static void put_names(struct doc_writer *w, const struct past *past, const char *list,
                      const char *head)
{
    struct text rest;
    doc_open_array(w, list);
    for (size_t i = 0; i < past->count; i++) {
        const struct fact *fact = &past->facts[i];
        if (fact->kind == FACT_CHANGE && has_head(fact->name, head, &rest) &&
            fact->value.type == DOC_BOOL && fact->value.boolean)
            doc_put_text(w, "", rest);
    }
    doc_close(w);
}

static void put_identities(struct doc_writer *w, const struct past *past)
{
    doc_open(w, "ids");
    for (size_t i = 0; i < past->count; i++) {
        const struct fact *first = &past->facts[i];
        bool is_told = first->kind != FACT_IDENTITY;
        for (size_t k = 0; !is_told && k < i; k++)
            is_told = past->facts[k].kind == FACT_IDENTITY &&
                      text_equal(past->facts[k].name, first->name);
        if (is_told)
            continue;
        doc_open_array_text(w, first->name);
        for (size_t k = i; k < past->count; k++)
            if (past->facts[k].kind == FACT_IDENTITY &&
                text_equal(past->facts[k].name, first->name))
                doc_put_value(w, "", &past->facts[k].value);
        doc_close(w);
    }
    doc_close(w);
}

static void put_consents(struct doc_writer *w, const struct past *past)
{
    struct text rest;
    doc_open_array(w, "consents");
    for (size_t i = 0; i < past->count; i++) {
        const struct fact *fact = &past->facts[i];
        if (fact->kind != FACT_CHANGE || !has_head(fact->name, "consent:", &rest))
            continue;
        const char *slash = memchr(rest.data, '/', rest.size);
        uint32_t size = slash != NULL ? (uint32_t)(slash - rest.data) : rest.size;
        uint32_t behind = slash != NULL ? size + 1 : size;
        doc_open(w, "");
        doc_put_text(w, "purpose", (struct text){ rest.data, size });
        doc_put_text(w, "channel", (struct text){ rest.data + behind, rest.size - behind });
        doc_put_value(w, "state", &fact->value);
        doc_put_datetime(w, "at", fact->at);
        doc_close(w);
    }
    doc_close(w);
}

static void put_addresses(struct doc_writer *w, const struct past *past)
{
    struct text rest;
    doc_open_array(w, "addresses");
    for (size_t i = 0; i < past->count; i++) {
        const struct fact *fact = &past->facts[i];
        if (fact->kind != FACT_CHANGE || !has_head(fact->name, "address:", &rest) ||
            fact->value.type == DOC_NULL)
            continue;
        doc_open(w, "");
        doc_put_text(w, "channel", rest);
        doc_put_value(w, "value", &fact->value);
        doc_close(w);
    }
    doc_close(w);
}

/* "relation:employee:42" is true, or when it ends. */
static void put_relations(struct doc_writer *w, const struct past *past)
{
    struct text rest;
    doc_open_array(w, "relations");
    for (size_t i = 0; i < past->count; i++) {
        const struct fact *fact = &past->facts[i];
        if (fact->kind != FACT_CHANGE || !has_head(fact->name, "relation:", &rest))
            continue;
        const char *colon = memrchr(rest.data, ':', rest.size);
        bool has_ended = fact->value.type == DOC_DATETIME && fact->value.integer <= past->at;
        if (colon == NULL || has_ended)
            continue;
        doc_open(w, "");
        doc_put_text(w, "type", (struct text){ rest.data, (uint32_t)(colon - rest.data) });
        doc_put_int(w, "id", strtoll(colon + 1, NULL, 10)); /* a name ends with a NUL */
        if (fact->value.type == DOC_DATETIME)
            doc_put_datetime(w, "until", fact->value.integer);
        doc_close(w);
    }
    doc_close(w);
}

int read_as_of(struct snapshot *snapshot, const uint64_t *members, size_t member_count, int64_t at,
               struct buf *out, struct err *err)
{
    struct past past = { .members = members, .member_count = member_count, .at = at };
    bool *is_member = mem_zero(member_count * sizeof *is_member);
    struct doc_writer w;
    int rc = read_rows(&past, snapshot, err);
    if (rc == 0) {
        find_members(&past, is_member);
        keep_what_held(&past, is_member);
        doc_begin(&w, out);
        doc_put_int(&w, "id", (int64_t)members[0]);
        doc_put_datetime(&w, "as_of", at);
        put_traits(&w, &past);
        put_identities(&w, &past);
        put_addresses(&w, &past);
        put_consents(&w, &past);
        put_names(&w, &past, "tags", "tag:");
        put_names(&w, &past, "roles", "role:");
        put_owner(&w, &past);
        put_relations(&w, &past);
        doc_open_array(&w, "merged");
        for (size_t i = 1; i < member_count; i++)
            if (is_member[i])
                doc_put_int(&w, "", (int64_t)members[i]);
        doc_close(&w);
        doc_put_bool(&w, "whole", !past.is_cut);
        doc_end(&w);
    }
    free(past.facts);
    free(is_member);
    return rc;
}
