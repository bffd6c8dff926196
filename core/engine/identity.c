/* identity.c -- from what a sender calls somebody to a customer, and back.
 *
 * Two kinds of name space.  `user_id`, `anonymous_id` and `external:<system>`
 * identify: a value belongs to one customer, and two customers that have different
 * values of `user_id` or of one external system never become one by themselves.
 * `email` and `phone` only match: several customers may have the same, so the
 * customer stands in the key, and a match counts only when it is the only one and
 * nothing contradicts it; otherwise people are asked (`duplicate.suspected`).
 */
#include "core/base/identity_text.h"
#include "core/base/phone.h"
#include "core/engine/engine_inside.h"

#include <string.h>

static bool is_shared(struct text name_space)
{
    return text_is(name_space, "email") || text_is(name_space, "phone");
}

/* Fits into a key, whatever stands in it. */
static bool is_identity(struct text name_space, struct text value)
{
    return name_space.size <= NAME_BYTES_MAX && value.size != 0 &&
           value.size <= IDENTITY_BYTES_MAX && memchr(value.data, '\0', value.size) == NULL &&
           (name_space.size == 0 || memchr(name_space.data, '\0', name_space.size) == NULL);
}

struct text identity_normal(struct engine *engine, struct text name_space, struct text value)
{
    struct text none = { "", 0 };
    if (!is_identity(name_space, value))
        return none;
    if (!is_shared(name_space))
        return value;
    char normal[IDENTITY_EMAIL_SIZE];
    const char *region = engine->config.country[0] != '\0' ? engine->config.country : NULL;
    int rc = text_is(name_space, "email")
                 ? identity_email(value.data, value.size, normal, NULL)
                 : phone_normalise(value.data, value.size, region, normal, NULL);
    return rc == 0 ? arena_text(&engine->arena, text_of(normal)) : none;
}

static uint64_t read_number(struct bytes value)
{
    struct key_reader reader = { value.data, value.data + value.size };
    uint64_t number = 0;
    return key_read_number(&reader, &number) ? number : 0;
}

static uint64_t find_single(struct engine *engine, struct text name_space, struct text value)
{
    struct key key;
    struct bytes row;
    if (!is_identity(name_space, value))
        return 0;
    key_identity(&key, name_space, value);
    return state_get(engine->state, &key, &row) ? read_number(row) : 0;
}

/* Without loading the group: an address may be shared by many. */
static uint64_t root_of(struct engine *engine, uint64_t member)
{
    struct profile profile;
    bool is_there = profile_load(&profile, engine->state, &engine->arena, member);
    while (is_there && profile.merged != 0)
        is_there = profile_load(&profile, engine->state, &engine->arena, profile.merged);
    return is_there ? profile.number : 0;
}

/* The customers that have this e-mail or phone: the first, and how many roots.  The member is
 * the one by whom a single root has it; several have it: the root. */
static size_t find_shared(struct engine *engine, struct text name_space, struct text value,
                          uint64_t roots[], size_t roots_max, uint64_t *out_member)
{
    struct key prefix;
    key_identity(&prefix, name_space, value);
    size_t count = 0;
    struct cursor cursor;
    *out_member = 0;
    cursor_open(&cursor, engine->state, &prefix);
    while (count < roots_max && cursor_next(&cursor)) {
        struct key_reader reader = { cursor.key.data + prefix.size,
                                     cursor.key.data + cursor.key.size };
        uint64_t member = 0;
        uint64_t root = key_read_number(&reader, &member) ? root_of(engine, member) : 0;
        size_t i = 0;
        while (i < count && roots[i] != root)
            i++;
        if (root == 0)
            continue;
        *out_member = count == 0 ? member : roots[0];
        if (i == count)
            roots[count++] = root;
    }
    cursor_close(&cursor);
    return count;
}

static uint64_t find_unique(struct engine *engine, struct text name_space, struct text value)
{
    uint64_t roots[2], member;
    struct text normal = identity_normal(engine, name_space, value);
    if (normal.size == 0 || find_shared(engine, name_space, normal, roots, 2, &member) != 1)
        return 0;
    return member;
}

bool identity_split(struct text reference, struct text *out_name_space, struct text *out_value)
{
    const char *colon = reference.size != 0 ? memchr(reference.data, ':', reference.size) : NULL;
    if (colon == NULL)
        return false;
    struct text name_space = { reference.data, (uint32_t)(colon - reference.data) };
    if (text_is(name_space, "external")) { /* external:<system>:<value> */
        const char *second =
            memchr(colon + 1, ':', (size_t)(reference.data + reference.size - colon - 1));
        colon = second != NULL ? second : colon;
        name_space.size = (uint32_t)(colon - reference.data);
    }
    *out_name_space = name_space;
    *out_value =
        (struct text){ colon + 1, (uint32_t)(reference.data + reference.size - colon - 1) };
    return true;
}

void identity_forget(struct engine *engine, struct text name_space, struct text value,
                     uint64_t customer)
{
    struct key key;
    key_identity(&key, name_space, value);
    if (is_shared(name_space))
        key_number(&key, customer);
    else if (find_single(engine, name_space, value) != customer)
        return;
    state_delete(engine->state, &key);
}

uint64_t identity_find(struct engine *engine, struct text reference)
{
    if (reference.size == 0)
        return 0;
    uint64_t number = 0, n = 0;
    if (memchr(reference.data, ':', reference.size) == NULL) {
        struct profile profile;
        bool is_number = event_id_parse(reference, &number, &n) && n == 0;
        return is_number && profile_load(&profile, engine->state, &engine->arena, number) ? number
                                                                                          : 0;
    }
    struct text name_space = { "", 0 }, value = { "", 0 };
    identity_split(reference, &name_space, &value);
    return is_shared(name_space) ? find_unique(engine, name_space, value)
                                 : find_single(engine, name_space, value);
}

uint64_t identity_first(struct engine *engine, struct text reference)
{
    struct text name_space, value;
    uint64_t root, member = identity_find(engine, reference);
    if (member != 0 || !identity_split(reference, &name_space, &value) || !is_shared(name_space))
        return member;
    value = identity_normal(engine, name_space, value);
    if (value.size != 0)
        find_shared(engine, name_space, value, &root, 1, &member);
    return member;
}

struct text customer_identity(const struct customer *customer, struct text name_space)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].ids); doc_next(&it);) {
            bool is_match = text_equal(it.value.text, name_space);
            if (doc_next(&it) && is_match)
                return it.value.text;
        }
    return (struct text){ "", 0 };
}

static bool customer_has_identity(const struct customer *customer, struct text name_space,
                                  struct text value)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].ids); doc_next(&it);) {
            bool is_match = text_equal(it.value.text, name_space);
            if (doc_next(&it) && is_match && text_equal(it.value.text, value))
                return true;
        }
    return false;
}

/* Somebody known by user_id stays apart from somebody else known by user_id, and a person from
 * the organisation whose e-mail they use. */
static bool can_take_user_id(struct engine *engine, uint64_t member)
{
    struct customer customer;
    return customer_load(&customer, engine, member) && customer.members[0].kind == PROFILE_PERSON &&
           customer_identity(&customer, text_of("user_id")).size == 0;
}

uint64_t identity_of_event(struct engine *engine, const struct event *event)
{
    if (event->ref.size != 0)
        return identity_find(engine, event->ref);
    if (event->user.size == 0)
        return find_single(engine, text_of("anonymous_id"), event->anon);
    uint64_t member = find_single(engine, text_of("user_id"), event->user);
    if (member != 0 || !text_is(event->call, "identify"))
        return member;

    /* A user_id never seen: is it somebody we know by another name? */
    member = find_single(engine, text_of("anonymous_id"), event->anon);
    if (member == 0)
        member = find_unique(engine, text_of("email"), doc_text(event->data, "email"));
    if (member == 0)
        member = find_unique(engine, text_of("phone"), doc_text(event->data, "phone"));
    return member != 0 && can_take_user_id(engine, member) ? member : 0;
}

/* -- Linking -------------------------------------------------------------- */

static void note_identity(struct step *step, const char *type, struct text name_space,
                          struct text value, uint64_t other)
{
    struct doc_writer w;
    engine_draft(step->engine, &w);
    doc_put_text(&w, "namespace", name_space);
    doc_put_text(&w, "value", value);
    if (other != 0)
        doc_put_int(&w, "other", (int64_t)other);
    step_derive(step, type, step->event->customer, engine_doc(step->engine, &w));
}

/* Write the row and the profile's entry. */
static bool add_identity(struct step *step, struct text name_space, struct text value)
{
    struct engine *engine = step->engine;
    struct profile *profile = &step->customer.members[step->customer.own];
    if (doc_count(profile->ids) / 2 >= (size_t)engine->config.limits.identities) {
        step_note_line(
            step,
            arena_printf(&engine->arena,
                         "%.*s not linked: the customer has %lld identities (limit identities)",
                         (int)name_space.size, name_space.data,
                         (long long)engine->config.limits.identities));
        return false;
    }
    struct key key;
    key_identity(&key, name_space, value);
    struct key number = { .size = 0 };
    key_number(&number, profile->number);
    if (is_shared(name_space))
        key_number(&key, profile->number);

    struct profile before = *profile;
    struct err err;
    struct doc_value part = { .type = DOC_TEXT, .text = name_space };
    profile->ids = section_append(profile->ids, &engine->arena, &engine->scratch, &part);
    part.text = value;
    profile->ids = section_append(profile->ids, &engine->arena, &engine->scratch, &part);
    profile->is_dirty = true;
    if (!text_is(name_space, "user_id") && !text_is(name_space, "anonymous_id"))
        profile->has_new_terms = true;
    if (customer_check_size(profile, &before, engine, &err) != 0) {
        step_note_line(step, arena_printf(&engine->arena, "%.*s not linked: %s",
                                          (int)name_space.size, name_space.data, err.text));
        return false;
    }
    state_put(engine->state, &key, number.data, number.size);
    note_identity(step, "identity.linked", name_space, value, 0);
    return true;
}

/* The two may be one: both a person or both an organisation, and no name space in which both
 * are known has two values. */
static bool contradicts(struct engine *engine, const struct customer *customer, uint64_t other)
{
    struct customer theirs;
    if (!customer_load(&theirs, engine, other))
        return true;
    if (theirs.members[0].kind != customer->members[0].kind)
        return true;
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].ids); doc_next(&it);) {
            struct text name_space = it.value.text;
            doc_next(&it);
            if (is_shared(name_space) || text_is(name_space, "anonymous_id"))
                continue;
            if (customer_identity(&theirs, name_space).size != 0 &&
                !customer_has_identity(&theirs, name_space, it.value.text))
                return true;
        }
    return false;
}

static void link_single(struct step *step, struct text name_space, struct text value)
{
    uint64_t other = find_single(step->engine, name_space, value);
    if (other == 0)
        add_identity(step, name_space, value);
    else if (contradicts(step->engine, &step->customer, other))
        note_identity(step, "duplicate.suspected", name_space, value, other);
    else
        merge_into_step(step, other);
}

static void link_shared(struct step *step, struct text name_space, struct text value)
{
    uint64_t roots[3], member;
    size_t count = find_shared(step->engine, name_space, value, roots, 3, &member);
    if (!add_identity(step, name_space, value) || count == 0)
        return;
    if (count == 1 && !contradicts(step->engine, &step->customer, roots[0]))
        merge_into_step(step, roots[0]);
    else
        note_identity(step, "duplicate.suspected", name_space, value, roots[0]);
}

void identity_link(struct step *step, struct text name_space, struct text value)
{
    struct engine *engine = step->engine;
    struct text normal = identity_normal(engine, name_space, value);
    if (value.size == 0)
        return;
    if (normal.size == 0) {
        step_note_line(step, arena_printf(&engine->arena, "%.*s is not a valid identity",
                                          (int)name_space.size, name_space.data));
        return;
    }
    if (config_is_blocked(&engine->config, normal)) {
        step_note_line(step, arena_printf(&engine->arena, "%.*s is blocked: it identifies nobody",
                                          (int)normal.size, normal.data));
        return;
    }
    if (customer_has_identity(&step->customer, name_space, normal))
        return;
    if (is_shared(name_space))
        link_shared(step, name_space, normal);
    else
        link_single(step, name_space, normal);
}
