/* read_customer.c -- a customer as one document, and the list of all.
 *
 * The document folds over the merged group by the same rules as the engine does
 * (customer.h): it must show what a rule would see.  How the members were read, from the
 * engine's buffers or from a snapshot, makes no difference here.
 *
 * Numbers are given without gaps, so the list counts instead of walking: a walk over the
 * table would pass every timeline on its way from one customer to the next.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"

#include <stdio.h>
#include <string.h>

/* -- Traits ---------------------------------------------------------------------------- */

/* Walk the names of the traits of all members, each once, with the first member that has it. */
struct trait_walk {
    const struct customer *customer;
    size_t member;
    struct doc_iter it;
};

static struct trait_walk trait_walk(const struct customer *customer)
{
    return (struct trait_walk){ customer, 0, doc_iter(customer->members[0].traits) };
}

static bool is_known_before(const struct trait_walk *walk)
{
    for (size_t i = 0; i < walk->member; i++)
        if (doc_get_text(walk->customer->members[i].traits, walk->it.name).type != DOC_NONE)
            return true;
    return false;
}

static bool next_trait(struct trait_walk *walk)
{
    for (;;) {
        while (doc_next(&walk->it))
            if (!is_known_before(walk))
                return true;
        if (++walk->member == walk->customer->count)
            return false;
        walk->it = doc_iter(walk->customer->members[walk->member].traits);
    }
}

void show_traits(struct doc_writer *w, const struct customer *customer)
{
    doc_open(w, "traits");
    for (struct trait_walk walk = trait_walk(customer); next_trait(&walk);) {
        struct assignment winner = { .value = { .type = DOC_NONE } };
        struct doc_iter first = doc_iter(walk.it.value.doc);
        assignment_next(&first, &winner);
        for (size_t i = walk.member + 1; i < customer->count; i++) {
            struct assignment other = profile_trait(&customer->members[i], walk.it.name);
            if (other.value.type != DOC_NONE && other.at > winner.at)
                winner = other;
        }
        if (winner.value.type != DOC_NULL) /* removed */
            doc_put_value_text(w, walk.it.name, &winner.value);
    }
    doc_close(w);
}

static void show_assignments(struct doc_writer *w, struct doc array)
{
    struct assignment assignment;
    for (struct doc_iter it = doc_iter(array); assignment_next(&it, &assignment);) {
        doc_open(w, "");
        doc_put_value(w, "value", &assignment.value);
        doc_put_datetime(w, "at", assignment.at);
        doc_put_text(w, "source", assignment.source);
        doc_close(w);
    }
}

static void show_trait_sources(struct doc_writer *w, const struct customer *customer)
{
    doc_open(w, "trait_sources");
    for (struct trait_walk walk = trait_walk(customer); next_trait(&walk);) {
        doc_open_array_text(w, walk.it.name);
        for (size_t i = walk.member; i < customer->count; i++)
            show_assignments(w, doc_get_text(customer->members[i].traits, walk.it.name).doc);
        doc_close(w);
    }
    doc_close(w);
}

/* -- Identities ------------------------------------------------------------------------ */

/* Walk (name space, value) over all members. */
struct identity_walk {
    const struct customer *customer;
    size_t member, index;
    struct doc_iter it;
    struct text name_space, value;
};

static struct identity_walk identity_walk(const struct customer *customer)
{
    return (struct identity_walk){ .customer = customer, .it = doc_iter(customer->members[0].ids) };
}

static bool next_identity(struct identity_walk *walk)
{
    while (!doc_next(&walk->it)) {
        if (++walk->member == walk->customer->count)
            return false;
        walk->it = doc_iter(walk->customer->members[walk->member].ids);
    }
    walk->name_space = walk->it.value.text;
    doc_next(&walk->it);
    walk->value = walk->it.value.text;
    walk->index++;
    return true;
}

/* Whether an earlier one is in the same name space and, if `value` is given, has it too. */
static bool was_identity(const struct identity_walk *walk, const struct text *value)
{
    struct identity_walk earlier = identity_walk(walk->customer);
    while (next_identity(&earlier) && earlier.index < walk->index)
        if (text_equal(earlier.name_space, walk->name_space) &&
            (value == NULL || text_equal(earlier.value, *value)))
            return true;
    return false;
}

void show_identities(struct doc_writer *w, const struct customer *customer)
{
    doc_open(w, "ids");
    for (struct identity_walk walk = identity_walk(customer); next_identity(&walk);) {
        if (was_identity(&walk, NULL))
            continue;
        doc_open_array_text(w, walk.name_space);
        for (struct identity_walk same = identity_walk(customer); next_identity(&same);)
            if (text_equal(same.name_space, walk.name_space) && !was_identity(&same, &same.value))
                doc_put_text(w, "", same.value);
        doc_close(w);
    }
    doc_close(w);
}

/* -- Sections that are lists ----------------------------------------------------------- */

/* One that nothing is written to says so, also where that is said of the address alone. */
static void show_addresses(struct doc_writer *w, const struct customer *customer,
                           struct engine *engine)
{
    doc_open_array(w, "addresses");
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].addresses); doc_next(&it);) {
            struct doc address = it.value.doc;
            if (doc_text(address, "state").size != 0 ||
                !suppression_has(engine, doc_text(address, "channel"),
                                 doc_text(address, "value"))) {
                doc_put_value(w, "", &it.value);
                continue;
            }
            doc_open(w, "");
            for (struct doc_iter field = doc_iter(address); doc_next(&field);)
                doc_put_value_text(w, field.name, &field.value);
            doc_put_string(w, "state", "suppressed");
            doc_close(w);
        }
    doc_close(w);
}

static int strictness(struct doc consent)
{
    struct text state = doc_text(consent, "state");
    return text_is(state, "withdrawn") ? 3 : text_is(state, "pending") ? 2 : 1;
}

static bool is_same_consent(struct doc a, struct doc b)
{
    return text_equal(doc_text(a, "purpose"), doc_text(b, "purpose")) &&
           text_equal(doc_text(a, "channel"), doc_text(b, "channel"));
}

/* What counts of the members' statements on one purpose and channel: the strictest, of
 * equals the first. */
static bool is_counting(const struct customer *customer, size_t member, struct doc consent)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].consents); doc_next(&it);) {
            int more = strictness(it.value.doc) - strictness(consent);
            if (i != member && is_same_consent(it.value.doc, consent) &&
                (more > 0 || (more == 0 && i < member)))
                return false;
        }
    return true;
}

static void show_consents(struct doc_writer *w, const struct customer *customer)
{
    doc_open_array(w, "consents");
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].consents); doc_next(&it);) {
            struct doc consent = it.value.doc;
            if (!is_counting(customer, i, consent))
                continue;
            doc_open(w, "");
            doc_put_text(w, "purpose", doc_text(consent, "purpose"));
            doc_put_text(w, "channel", doc_text(consent, "channel"));
            doc_put_text(w, "state", doc_text(consent, "state"));
            doc_put_datetime(w, "at", doc_int(consent, "at", 0));
            doc_put_present(w, "source", doc_text(consent, "source"));
            doc_put_present(w, "proof", doc_text(consent, "proof"));
            doc_close(w);
        }
    doc_close(w);
}

static bool is_tagged_before(const struct customer *customer, size_t member, struct text tag)
{
    struct customer before = *customer;
    before.count = member;
    return customer_has_tag(&before, tag);
}

void show_tags(struct doc_writer *w, const struct customer *customer)
{
    doc_open_array(w, "tags");
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].tags); doc_next(&it);)
            if (!is_tagged_before(customer, i, it.value.text))
                doc_put_text(w, "", it.value.text);
    doc_close(w);
}

void show_owner(struct doc_writer *w, const struct customer *customer)
{
    struct text owner = customer_owner(customer);
    if (owner.size != 0)
        doc_put_text(w, "owner", owner);
    else
        doc_put_null(w, "owner");
}

static void show_roles(struct doc_writer *w, const struct customer *customer)
{
    doc_open_array(w, "roles");
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].roles); doc_next(&it);) {
            doc_open(w, "");
            doc_put_text(w, "role", doc_text(it.value.doc, "role"));
            show_time(w, "since", doc_int(it.value.doc, "since", 0));
            show_time(w, "until", doc_int(it.value.doc, "until", 0));
            doc_close(w);
        }
    doc_close(w);
}

static void show_merged(struct doc_writer *w, const struct customer *customer)
{
    doc_open_array(w, "merged");
    for (size_t i = 1; i < customer->count; i++)
        doc_put_int(w, "", (int64_t)customer->members[i].number);
    doc_close(w);
}

/* -- Rows beside the profile ----------------------------------------------------------- */

/* Who `number` is today. */
static uint64_t root_of(struct engine *engine, uint64_t number)
{
    struct customer customer;
    return customer_load(&customer, engine, number) ? customer.number : number;
}

static void show_relation(struct doc_writer *w, struct engine *engine, struct key_reader *reader,
                          struct doc row, struct buf *type)
{
    uint64_t other;
    buf_clear(type);
    if (!key_read_text(reader, type) || !key_read_number(reader, &other))
        return;
    doc_open(w, "");
    doc_put_text(w, "type", (struct text){ (const char *)type->data, (uint32_t)type->size });
    doc_put_int(w, "id", (int64_t)root_of(engine, other));
    show_time(w, "since", doc_int(row, "since", 0));
    show_time(w, "until", doc_int(row, "until", 0));
    doc_put_present(w, "by", doc_text(row, "by"));
    doc_close(w);
}

static void show_relations(struct doc_writer *w, const struct customer *customer,
                           struct engine *engine)
{
    struct buf type = BUF_INIT;
    doc_open_array(w, "relations");
    for (size_t i = 0; i < customer->count; i++) {
        struct key prefix;
        struct cursor cursor;
        key_customer(&prefix, customer->members[i].number, 'l');
        cursor_open(&cursor, engine->state, &prefix);
        while (cursor_next(&cursor)) {
            struct key_reader reader = { cursor.key.data + prefix.size,
                                         cursor.key.data + cursor.key.size };
            show_relation(w, engine, &reader, doc_of(cursor.value), &type);
        }
        cursor_close(&cursor);
    }
    doc_close(w);
    buf_deinit(&type);
}

static int64_t count_reminders(const struct customer *customer, struct engine *engine)
{
    int64_t count = 0;
    for (size_t i = 0; i < customer->count; i++) {
        struct key prefix;
        struct cursor cursor;
        key_customer(&prefix, customer->members[i].number, 'k');
        cursor_open(&cursor, engine->state, &prefix);
        while (cursor_next(&cursor))
            count++;
        cursor_close(&cursor);
    }
    return count;
}

/* -- The record ------------------------------------------------------------------------ */

#define CUSTOMER_FORMS \
    "; a customer is written 42, user_id:u-17, email:ann@example.com or phone:+4930123456"

int customer_find(struct customer *customer, struct engine *engine, struct text reference,
                  struct err *err)
{
    arena_clear(&engine->arena);
    uint64_t number = identity_find(engine, reference);
    if (number != 0 && customer_load(customer, engine, number))
        return 0;
    bool has_form = reference.size == 0 || memchr(reference.data, ':', reference.size) != NULL ||
                    (reference.data[0] >= '0' && reference.data[0] <= '9');
    return err_set(err, E_NOTFOUND, "no such customer: %.*s%s", (int)reference.size, reference.data,
                   has_form ? "" : CUSTOMER_FORMS);
}

int read_exists(struct engine *engine, struct text reference, struct err *err)
{
    struct customer customer;
    return customer_find(&customer, engine, reference, err);
}

static void show_kind(struct doc_writer *w, const struct customer *customer)
{
    ASSERT(customer->count != 0);
    bool is_person = customer->members[0].kind == PROFILE_PERSON;
    doc_put_string(w, "kind", is_person ? "person" : "organisation");
}

int read_customer(struct engine *engine, struct text reference, struct buf *out, struct err *err)
{
    struct customer customer = { 0 };
    int rc = customer_find(&customer, engine, reference, err);
    if (rc != 0)
        return rc;
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_int(&w, "id", (int64_t)customer.number);
    show_kind(&w, &customer);
    doc_put_datetime(&w, "created", customer.members[0].created);
    show_traits(&w, &customer);
    show_trait_sources(&w, &customer);
    show_identities(&w, &customer);
    show_addresses(&w, &customer, engine);
    show_consents(&w, &customer);
    show_tags(&w, &customer);
    show_roles(&w, &customer);
    show_owner(&w, &customer);
    show_relations(&w, &customer, engine);
    show_merged(&w, &customer);
    doc_put_int(&w, "reminders_open", count_reminders(&customer, engine));
    doc_end(&w);
    return 0;
}

/* -- The list -------------------------------------------------------------------------- */

static bool read_profile(struct profile *profile, struct snapshot *snapshot, uint64_t number)
{
    struct key key;
    struct bytes row;
    key_customer(&key, number, 'p');
    if (!snapshot_get(snapshot, &key, &row))
        return false;
    profile_read(profile, number, doc_of(row));
    return true;
}

bool read_group(struct customer *customer, struct snapshot *snapshot, struct arena *arena,
                uint64_t number)
{
    struct profile root;
    if (!read_profile(&root, snapshot, number) || root.merged != 0)
        return false;
    arena_clear(arena);
    size_t count = 1 + doc_count(root.absorbed);
    *customer = (struct customer){ .number = number, .count = 1 };
    customer->members = arena_alloc(arena, count * sizeof *customer->members);
    customer->members[0] = root;
    for (struct doc_iter it = doc_iter(root.absorbed); doc_next(&it);) {
        uint64_t member = (uint64_t)it.value.integer;
        if (read_profile(&customer->members[customer->count], snapshot, member))
            customer->count++;
    }
    return true;
}

void show_customer_name(struct doc_writer *w, const struct customer *customer)
{
    struct assignment name = { .value = { .type = DOC_NONE } };
    for (size_t i = 0; i < customer->count; i++) {
        struct assignment other = profile_trait(&customer->members[i], text_of("name"));
        if (other.value.type != DOC_NONE &&
            (i == 0 || other.at > name.at || name.value.type == DOC_NONE))
            name = other;
    }
    if (name.value.type == DOC_TEXT)
        doc_put_present(w, "customer_name", name.value.text);
}

uint64_t read_root(struct snapshot *snapshot, uint64_t number)
{
    struct profile profile;
    while (read_profile(&profile, snapshot, number) && profile.merged != 0)
        number = profile.merged;
    return number;
}

void show_name_of(struct doc_writer *w, struct snapshot *snapshot, uint64_t number)
{
    struct arena arena = ARENA_INIT;
    struct customer customer;
    if (read_group(&customer, snapshot, &arena, read_root(snapshot, number)))
        show_customer_name(w, &customer);
    arena_deinit(&arena);
}

static uint64_t last_customer(struct snapshot *snapshot)
{
    struct key key;
    struct bytes row;
    key_meta(&key, "counters");
    return snapshot_get(snapshot, &key, &row) ? (uint64_t)doc_int(doc_of(row), "customer", 0) : 0;
}

void show_customer_item(struct doc_writer *w, const struct customer *customer, int64_t last_contact)
{
    doc_put_int(w, "id", (int64_t)customer->number);
    show_kind(w, customer);
    show_traits(w, customer);
    show_identities(w, customer);
    show_tags(w, customer);
    show_owner(w, customer);
    show_time(w, "last_contact", last_contact);
    doc_close(w);
}

/* -- The last contact ------------------------------------------------------------------ */

#define CONTACT_LOOKS 20 /* entries of a timeline looked at; most are what events led to */

struct contact {
    size_t prefix_size, looks;
    int64_t at;
};

/* Something came in or went out; that she was given another owner is no contact. */
static bool is_contact(struct text type)
{
    return !event_type_is_system(type) || text_is(type, "effect.outcome") ||
           text_is(type, "message.replied");
}

static int look_at_entry(void *arg, struct bytes key, struct bytes value)
{
    struct contact *contact = arg;
    struct key_reader reader = { key.data + contact->prefix_size, key.data + key.size };
    uint64_t seq, n;
    bool is_entry = key_read_number_down(&reader, &seq) && key_read_number_down(&reader, &n) &&
                    n == 0 && is_contact(doc_text(doc_of(value), "type"));
    if (is_entry)
        contact->at = doc_int(doc_of(value), "at", 0);
    return is_entry || ++contact->looks == CONTACT_LOOKS ? 1 : 0;
}

int64_t read_last_contact(struct snapshot *snapshot, const struct customer *customer)
{
    int64_t last = 0;
    for (size_t i = 0; i < customer->count; i++) {
        struct key prefix;
        key_customer(&prefix, customer->members[i].number, 't');
        struct contact contact = { .prefix_size = prefix.size };
        snapshot_visit(snapshot, &prefix, NULL, look_at_entry, &contact);
        last = contact.at > last ? contact.at : last;
    }
    return last;
}

/* -- The list, page by page ------------------------------------------------------------ */

int read_customers(struct snapshot *snapshot, const struct read_page *page, struct buf *out,
                   struct err *err)
{
    uint64_t number = 0, n = 0, seq, last = last_customer(snapshot);
    int64_t logged;
    if (page->after.size != 0 && (!event_id_parse(page->after, &number, &n) || n != 0))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of customers gave");
    struct arena arena = ARENA_INIT;
    struct list list;
    char next[EVENT_ID_TEXT_MAX] = "";
    list_begin(&list, out, page->limit);
    for (number = number < last ? number + 1 : last + 1; number <= last; number++) {
        struct customer customer;
        if (list_is_full(&list)) {
            event_id_text(number - 1, 0, next);
            break;
        }
        if (!read_group(&customer, snapshot, &arena, number))
            continue;
        list_item(&list);
        show_customer_item(&list.w, &customer, read_last_contact(snapshot, &customer));
    }
    snapshot_applied(snapshot, &seq, &logged);
    list_end(&list, text_of(next), seq);
    arena_deinit(&arena);
    return 0;
}
