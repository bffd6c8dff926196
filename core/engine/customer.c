/* customer.c -- folding a merged group into one customer; see customer.h. */
#include "core/engine/customer.h"

#include "core/base/zone.h"
#include "core/engine/engine_inside.h"

#include <string.h>

/* -- Loading and storing -------------------------------------------------- */

bool customer_load(struct customer *customer, struct engine *engine, uint64_t number)
{
    *customer = (struct customer){ 0 };
    struct profile first;
    if (!profile_load(&first, engine->state, &engine->arena, number))
        return false;
    while (first.merged != 0) {
        bool is_there = profile_load(&first, engine->state, &engine->arena, first.merged);
        ASSERT(is_there);
    }

    size_t count = 1 + doc_count(first.absorbed);
    struct profile *members = arena_alloc(&engine->arena, count * sizeof *members);
    members[0] = first;
    customer->number = first.number;
    customer->members = members;
    customer->count = 1;
    for (struct doc_iter it = doc_iter(first.absorbed); doc_next(&it);) {
        uint64_t member = (uint64_t)it.value.integer;
        bool is_there =
            profile_load(&members[customer->count], engine->state, &engine->arena, member);
        ASSERT(is_there);
        if (member == number)
            customer->own = customer->count;
        customer->count++;
    }
    return true;
}

uint64_t customer_create(struct customer *customer, struct engine *engine)
{
    struct profile *profile = arena_zero(&engine->arena, sizeof *profile);
    profile->number = ++engine->counters.customer;
    profile->created = engine->now;
    profile->marks_first = profile->marks_last = -1;
    profile->is_dirty = true;
    *customer = (struct customer){ .number = profile->number, .members = profile, .count = 1 };
    schedule_arm(engine, customer, (struct doc){ NULL, 0 }, NULL);
    return profile->number;
}

static void store(struct profile *profile, struct engine *engine)
{
    profile_store(profile, engine->state, &engine->scratch);
    if (profile->has_new_terms)
        search_update(engine, profile);
    profile->has_new_terms = false;
}

void customer_store(struct customer *customer, struct engine *engine)
{
    for (size_t i = 0; i < customer->count; i++)
        if (customer->members[i].is_dirty)
            store(&customer->members[i], engine);
}

static struct profile *own(const struct customer *customer)
{
    return &customer->members[customer->own];
}

/* One that is over the limit already, because that was lowered, may still shrink. */
int customer_check_size(struct profile *profile, const struct profile *before,
                        const struct engine *engine, struct err *err)
{
    size_t size = profile_size(profile);
    if (size <= (size_t)engine->config.limits.profile_bytes || size <= profile_size(before))
        return 0;
    *profile = *before;
    return err_set(
        err, E_LIMIT, "customer %llu: the profile would exceed %lld bytes (limit profile_bytes)",
        (unsigned long long)before->number, (long long)engine->config.limits.profile_bytes);
}

/* -- Traits --------------------------------------------------------------- */

static struct assignment winning_trait(const struct customer *customer, struct text name)
{
    struct assignment winner = profile_trait(&customer->members[0], name);
    for (size_t i = 1; i < customer->count; i++) {
        struct assignment other = profile_trait(&customer->members[i], name);
        if (other.value.type != DOC_NONE && other.at > winner.at)
            winner = other;
        else if (winner.value.type == DOC_NONE)
            winner = other;
    }
    return winner;
}

/* A document trait reached into by a dotted name: "contract.end". */
static struct doc_value nested_trait(const struct customer *customer, struct text name)
{
    const char *dot = name.size != 0 ? memchr(name.data, '.', name.size) : NULL;
    struct doc_value value = { .type = DOC_NONE };
    if (dot == NULL)
        return value;
    struct text head = { name.data, (uint32_t)(dot - name.data) };
    value = winning_trait(customer, head).value;
    while (dot != NULL && value.type == DOC_DOC) {
        const char *start = dot + 1;
        size_t left = (size_t)(name.data + name.size - start);
        dot = memchr(start, '.', left);
        struct text part = { start, dot != NULL ? (uint32_t)(dot - start) : (uint32_t)left };
        value = doc_get_text(value.doc, part);
    }
    if (dot != NULL)
        value.type = DOC_NONE;
    return value;
}

struct doc_value customer_trait(const struct customer *customer, struct text name)
{
    struct doc_value value = winning_trait(customer, name).value;
    if (value.type == DOC_NONE)
        value = nested_trait(customer, name);
    if (value.type == DOC_NULL)
        value.type = DOC_NONE;
    return value;
}

int64_t customer_moment(const struct customer *customer, struct text name, int64_t now)
{
    int64_t moment = now;
    for (size_t i = 0; i < customer->count; i++) {
        struct assignment latest = profile_trait(&customer->members[i], name);
        int64_t next = i == customer->own ? latest.at : latest.at + 1;
        if (latest.value.type != DOC_NONE && next > moment)
            moment = next;
    }
    return moment;
}

bool trait_is_system(struct text name)
{
    static const char *const names[] = { "id", "kind", "roles", "owner", "tags", "consents" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_is(name, names[i]))
            return true;
    return false;
}

int customer_set(struct customer *customer, struct engine *engine, struct text name,
                 const struct doc_value *value, int64_t at, struct text source, bool *out_changed,
                 struct err *err)
{
    const struct limits *limits = &engine->config.limits;
    struct trait_limits trait_limits = { limits->traits, limits->trait_sources };
    struct assignment assignment = { .value = *value, .at = at, .source = source };
    struct profile before = *own(customer);
    bool is_full = false;
    *out_changed = false;
    if (name.size == 0 || name.size > NAME_BYTES_MAX || memchr(name.data, '\0', name.size) != NULL)
        return err_set(err, E_LIMIT, "a trait's name has 1 to %d bytes, none of them NUL",
                       NAME_BYTES_MAX);
    bool is_changed = profile_set_trait(own(customer), &engine->arena, &engine->scratch, name,
                                        &assignment, &trait_limits, &is_full);
    if (is_full)
        return err_set(err, E_LIMIT, "customer %llu has %lld traits: no more (limit traits)",
                       (unsigned long long)own(customer)->number, (long long)limits->traits);
    int rc = customer_check_size(own(customer), &before, engine, err);
    *out_changed = is_changed && rc == 0;
    return rc;
}

/* Replace the element at `index` of a section; SIZE_MAX: append. */
static struct doc section_put(struct doc section, struct engine *engine, size_t index,
                              const struct doc_value *value)
{
    return index == SIZE_MAX
               ? section_append(section, &engine->arena, &engine->scratch, value)
               : section_replace(section, &engine->arena, &engine->scratch, index, value);
}

/* -- Tags ----------------------------------------------------------------- */

static size_t section_find_text(struct doc section, struct text text)
{
    size_t i = 0;
    for (struct doc_iter it = doc_iter(section); doc_next(&it); i++)
        if (it.value.type == DOC_TEXT && text_equal(it.value.text, text))
            return i;
    return SIZE_MAX;
}

bool customer_has_tag(const struct customer *customer, struct text tag)
{
    for (size_t i = 0; i < customer->count; i++)
        if (section_find_text(customer->members[i].tags, tag) != SIZE_MAX)
            return true;
    return false;
}

int customer_tag(struct customer *customer, struct engine *engine, struct text tag,
                 bool *out_changed, struct err *err)
{
    *out_changed = false;
    if (customer_has_tag(customer, tag))
        return 0;
    struct profile *profile = own(customer), before = *profile;
    struct doc_value value = { .type = DOC_TEXT, .text = tag };
    profile->tags = section_append(profile->tags, &engine->arena, &engine->scratch, &value);
    profile->is_dirty = true;
    int rc = customer_check_size(profile, &before, engine, err);
    *out_changed = rc == 0;
    return rc;
}

/* From every member: "she has the tag" must be false afterwards. */
bool customer_untag(struct customer *customer, struct engine *engine, struct text tag)
{
    bool is_changed = false;
    for (size_t i = 0; i < customer->count; i++) {
        struct profile *profile = &customer->members[i];
        size_t at = section_find_text(profile->tags, tag);
        if (at == SIZE_MAX)
            continue;
        profile->tags = section_replace(profile->tags, &engine->arena, &engine->scratch, at, NULL);
        profile->is_dirty = is_changed = true;
    }
    return is_changed;
}

struct text customer_owner(const struct customer *customer)
{
    for (size_t i = 0; i < customer->count; i++)
        if (customer->members[i].owner.size != 0)
            return customer->members[i].owner;
    return (struct text){ "", 0 };
}

/* -- Consents ------------------------------------------------------------- */

static const char *const consent_names[] = { "none", "granted", "pending", "withdrawn" };

static enum consent_state consent_of(struct text name)
{
    for (int i = CONSENT_GRANTED; i <= CONSENT_WITHDRAWN; i++)
        if (text_is(name, consent_names[i]))
            return (enum consent_state)i;
    return CONSENT_NONE;
}

static bool consent_matches(struct doc entry, struct text purpose, struct text channel)
{
    return text_equal(doc_text(entry, "purpose"), purpose) &&
           text_equal(doc_text(entry, "channel"), channel);
}

enum consent_state customer_consent(const struct customer *customer, struct text purpose,
                                    struct text channel)
{
    enum consent_state strictest = CONSENT_NONE;
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].consents); doc_next(&it);)
            if (consent_matches(it.value.doc, purpose, channel)) {
                enum consent_state state = consent_of(doc_text(it.value.doc, "state"));
                strictest = state > strictest ? state : strictest;
            }
    return strictest;
}

static struct doc consent_write(struct engine *engine, const struct consent *consent)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "purpose", consent->purpose);
    doc_put_text(&w, "channel", consent->channel);
    doc_put_string(&w, "state", consent_names[consent->state]);
    doc_put_int(&w, "at", consent->at);
    doc_put_text(&w, "source", consent->source);
    doc_put_present(&w, "proof", consent->proof);
    return engine_doc(engine, &w);
}

int customer_set_consent(struct customer *customer, struct engine *engine,
                         const struct consent *consent, struct err *err)
{
    struct doc_value value = { .type = DOC_DOC, .doc = consent_write(engine, consent) };
    struct profile *profile = own(customer), before = *profile;
    size_t i = 0, at = SIZE_MAX;
    for (struct doc_iter it = doc_iter(profile->consents); doc_next(&it); i++) {
        if (!consent_matches(it.value.doc, consent->purpose, consent->channel))
            continue;
        if (doc_int(it.value.doc, "at", 0) > consent->at)
            return err_set(err, E_CONFLICT, "a later statement of this consent is known");
        at = i;
    }
    profile->consents = section_put(profile->consents, engine, at, &value);
    profile->is_dirty = true;
    return customer_check_size(profile, &before, engine, err);
}

/* -- Addresses ------------------------------------------------------------ */

static struct address address_read(struct doc entry)
{
    return (struct address){
        .channel = doc_text(entry, "channel"),
        .value = doc_text(entry, "value"),
        .label = doc_text(entry, "label"),
        .state = doc_text(entry, "state"),
        .verified = doc_bool(entry, "verified", false),
        .preferred = doc_bool(entry, "preferred", false),
    };
}

static bool is_lost(const struct address *address)
{
    return address->state.size != 0 && !text_is(address->state, "ok");
}

bool customer_address(const struct customer *customer, struct text channel,
                      struct address *out_address)
{
    bool is_found = false;
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].addresses); doc_next(&it);) {
            struct address address = address_read(it.value.doc);
            if (!text_equal(address.channel, channel) || is_lost(&address))
                continue;
            if (!is_found || (address.preferred && !out_address->preferred))
                *out_address = address;
            is_found = true;
        }
    return is_found;
}

bool customer_has_address(const struct customer *customer, struct text channel, struct text value)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].addresses); doc_next(&it);)
            if (text_equal(doc_text(it.value.doc, "channel"), channel) &&
                text_equal(doc_text(it.value.doc, "value"), value))
                return true;
    return false;
}

bool customer_lost_address(const struct customer *customer, struct text channel, struct text value)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].addresses); doc_next(&it);) {
            struct address address = address_read(it.value.doc);
            if (text_equal(address.channel, channel) && text_equal(address.value, value) &&
                is_lost(&address))
                return true;
        }
    return false;
}

static struct doc address_write(struct engine *engine, const struct address *address)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "channel", address->channel);
    doc_put_text(&w, "value", address->value);
    doc_put_present(&w, "label", address->label);
    doc_put_present(&w, "state", address->state);
    if (address->verified)
        doc_put_bool(&w, "verified", true);
    if (address->preferred)
        doc_put_bool(&w, "preferred", true);
    return engine_doc(engine, &w);
}

/* Take the flag from all addresses of the channel but this one. */
static bool prefer_only(struct customer *customer, struct engine *engine,
                        const struct address *address)
{
    bool is_changed = false;
    for (size_t i = 0; i < customer->count; i++) {
        struct profile *profile = &customer->members[i];
        size_t at = 0;
        for (struct doc_iter it = doc_iter(profile->addresses); doc_next(&it); at++) {
            struct address other = address_read(it.value.doc);
            if (!other.preferred || !text_equal(other.channel, address->channel) ||
                text_equal(other.value, address->value))
                continue;
            other.preferred = false;
            struct doc_value value = { .type = DOC_DOC, .doc = address_write(engine, &other) };
            profile->addresses = section_put(profile->addresses, engine, at, &value);
            profile->is_dirty = is_changed = true;
        }
    }
    return is_changed;
}

static int lose_address(struct profile *profile, struct engine *engine, const struct address *lost,
                        bool *out_changed, struct err *err)
{
    struct profile before = *profile;
    size_t at = 0;
    for (struct doc_iter it = doc_iter(profile->addresses); doc_next(&it); at++) {
        struct address address = address_read(it.value.doc);
        if (!text_equal(address.channel, lost->channel) ||
            !text_equal(address.value, lost->value) || text_equal(address.state, lost->state) ||
            text_is(address.state, "complained"))
            continue;
        address.state = lost->state;
        struct doc_value value = { .type = DOC_DOC, .doc = address_write(engine, &address) };
        profile->addresses = section_put(profile->addresses, engine, at, &value);
        profile->is_dirty = *out_changed = true;
        return customer_check_size(profile, &before, engine, err);
    }
    return 0;
}

int customer_lose_address(struct customer *customer, struct engine *engine, struct text channel,
                          struct text value, struct text state, bool *out_changed, struct err *err)
{
    const struct address lost = { .channel = channel, .value = value, .state = state };
    int rc = 0;
    *out_changed = false;
    for (size_t i = 0; rc == 0 && i < customer->count; i++)
        rc = lose_address(&customer->members[i], engine, &lost, out_changed, err);
    return rc;
}

int customer_set_address(struct customer *customer, struct engine *engine,
                         const struct address *address, bool *out_changed, struct err *err)
{
    struct profile *profile = own(customer), before = *profile;
    struct doc_value value = { .type = DOC_DOC, .doc = address_write(engine, address) };
    size_t i = 0, at = SIZE_MAX;
    bool is_same = false;
    *out_changed = false;
    for (struct doc_iter it = doc_iter(profile->addresses); doc_next(&it); i++) {
        struct address old = address_read(it.value.doc);
        if (!text_equal(old.channel, address->channel) || !text_equal(old.value, address->value))
            continue;
        is_same = doc_value_equal(&it.value, &value);
        at = i;
    }
    if (!is_same) {
        profile->addresses = section_put(profile->addresses, engine, at, &value);
        profile->is_dirty = profile->has_new_terms = true;
        int rc = customer_check_size(profile, &before, engine, err);
        if (rc != 0)
            return rc;
    }
    bool is_alone = address->preferred && prefer_only(customer, engine, address);
    *out_changed = !is_same || is_alone;
    return 0;
}

/* -- Roles and zone ------------------------------------------------------- */

static struct doc role_write(struct engine *engine, struct text role, int64_t since,
                             const int64_t *until)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "role", role);
    doc_put_int(&w, "since", since);
    if (until != NULL)
        doc_put_int(&w, "until", *until);
    return engine_doc(engine, &w);
}

/* Where the role stands open; SIZE_MAX: nowhere. */
static size_t find_open_role(const struct profile *profile, struct text role, int64_t *out_since)
{
    size_t i = 0;
    for (struct doc_iter it = doc_iter(profile->roles); doc_next(&it); i++) {
        *out_since = doc_int(it.value.doc, "since", 0);
        if (text_equal(doc_text(it.value.doc, "role"), role) &&
            doc_get(it.value.doc, "until").type == DOC_NONE)
            return i;
    }
    return SIZE_MAX;
}

int customer_set_role(struct customer *customer, struct engine *engine, struct text role,
                      bool is_member, int64_t at, bool *out_changed, struct err *err)
{
    bool is_open = false;
    *out_changed = false;
    for (size_t i = 0; i < customer->count; i++) {
        struct profile *profile = &customer->members[i], before = *profile;
        int64_t since;
        size_t found = find_open_role(profile, role, &since);
        is_open = is_open || found != SIZE_MAX;
        if (found == SIZE_MAX || is_member)
            continue;
        struct doc_value closed = { .type = DOC_DOC, .doc = role_write(engine, role, since, &at) };
        profile->roles = section_put(profile->roles, engine, found, &closed);
        profile->is_dirty = *out_changed = true;
        int rc = customer_check_size(profile, &before, engine, err);
        if (rc != 0)
            return rc;
    }
    if (!is_member || is_open)
        return 0;
    struct profile *profile = own(customer), before = *profile;
    struct doc_value open = { .type = DOC_DOC, .doc = role_write(engine, role, at, NULL) };
    profile->roles = section_put(profile->roles, engine, SIZE_MAX, &open);
    profile->is_dirty = *out_changed = true;
    return customer_check_size(profile, &before, engine, err);
}

static const struct zone *zone_of(struct doc_value value)
{
    char name[CONFIG_NAME_MAX];
    const struct zone *zone = NULL;
    if (value.type != DOC_TEXT || value.text.size >= sizeof name)
        return NULL;
    memcpy(name, value.text.data, value.text.size);
    name[value.text.size] = '\0';
    return zone_open(name, &zone, NULL) == 0 ? zone : NULL;
}

const struct zone *customer_zone(const struct customer *customer, struct engine *engine,
                                 struct doc context)
{
    const struct zone *zone = NULL;
    if (customer != NULL && customer->number != 0)
        zone = zone_of(customer_trait(customer, text_of("timezone")));
    if (zone == NULL && context.data != NULL)
        zone = zone_of(doc_get(context, "timezone"));
    return zone != NULL ? zone : engine->config.zone;
}

/* -- Fields --------------------------------------------------------------- */

/* Each tag once, whoever of the group has it. */
static void put_tags(struct doc_writer *w, const struct customer *customer)
{
    struct customer before = *customer; /* members that were looked at */
    for (size_t i = 0; i < customer->count; i++) {
        before.count = i;
        for (struct doc_iter it = doc_iter(customer->members[i].tags); doc_next(&it);)
            if (!customer_has_tag(&before, it.value.text))
                doc_put_value(w, "", &it.value);
    }
}

static void put_roles(struct doc_writer *w, const struct customer *customer)
{
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].roles); doc_next(&it);)
            if (doc_int(it.value.doc, "until", 0) == 0)
                doc_put_text(w, "", doc_text(it.value.doc, "role"));
}

static struct doc_value list_of(struct engine *engine, const struct customer *customer,
                                void (*put)(struct doc_writer *w, const struct customer *customer))
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    put(&w, customer);
    doc_close(&w);
    return doc_get(engine_doc(engine, &w), "");
}

struct doc_value customer_field(const struct customer *customer, struct engine *engine,
                                struct text name)
{
    struct text owner = customer_owner(customer);
    if (text_is(name, "id"))
        return (struct doc_value){ .type = DOC_INT64, .integer = (int64_t)customer->number };
    if (text_is(name, "kind")) {
        bool is_person = customer->members[0].kind != PROFILE_ORGANISATION;
        return (struct doc_value){ .type = DOC_TEXT,
                                   .text = text_of(is_person ? "person" : "organisation") };
    }
    if (text_is(name, "owner"))
        return (struct doc_value){ .type = owner.size != 0 ? DOC_TEXT : DOC_NONE, .text = owner };
    if (text_is(name, "tags"))
        return list_of(engine, customer, put_tags);
    if (text_is(name, "roles"))
        return list_of(engine, customer, put_roles);
    return customer_trait(customer, name);
}
