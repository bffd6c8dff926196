/* profile.c -- one customer's row: sections, traits; see profile.h. */
#include "core/engine/profile.h"

#include "core/engine/keys.h"
#include "core/engine/search.h"
#include "storage/state.h"

void profile_read(struct profile *profile, uint64_t number, struct doc row)
{
    *profile = (struct profile){ .number = number, .marks_first = -1, .marks_last = -1 };
    for (struct doc_iter it = doc_iter(row); doc_next(&it);) {
        const struct doc_value *value = &it.value;
        switch (it.name.data[0]) { /* the names that profile_write gives */
        case 'k':
            profile->kind = (enum profile_kind)value->integer;
            break;
        case 'c':
            profile->created = value->integer;
            break;
        case 'm':
            profile->merged = (uint64_t)value->integer;
            break;
        case 'o':
            profile->owner = value->text;
            break;
        case 'b':
            profile->absorbed = value->doc;
            break;
        case 'i':
            profile->ids = value->doc;
            break;
        case 't':
            profile->traits = value->doc;
            break;
        case 'r':
            profile->roles = value->doc;
            break;
        case 'a':
            profile->addresses = value->doc;
            break;
        case 's':
            profile->consents = value->doc;
            break;
        case 'g':
            profile->tags = value->doc;
            break;
        case 'd':
            profile->marks_first = value->integer;
            break;
        case 'e':
            profile->marks_last = value->integer;
            break;
        case 'f':
            profile->has_marks_forever = value->boolean;
            break;
        case 'w':
            profile->timers = value->integer;
            break;
        default:
            break;
        }
    }
}

bool profile_load(struct profile *profile, struct state *state, struct arena *arena,
                  uint64_t number)
{
    struct key key;
    struct bytes row;
    key_customer(&key, number, 'p');
    if (number == 0 || !state_get(state, &key, &row))
        return false;
    profile_read(profile, number,
                 (struct doc){ arena_copy(arena, row.data, row.size), (uint32_t)row.size });
    return true;
}

static void put_section(struct doc_writer *w, const char *name, struct doc section)
{
    if (section.data != NULL && section.size > 5) /* an empty one is 5 bytes */
        doc_put_array(w, name, section);
}

static struct doc profile_write(const struct profile *profile, struct buf *scratch)
{
    struct doc_writer w;
    buf_clear(scratch);
    doc_begin(&w, scratch);
    if (profile->kind != PROFILE_PERSON)
        doc_put_int(&w, "k", profile->kind);
    doc_put_int(&w, "c", profile->created);
    if (profile->merged != 0)
        doc_put_int(&w, "m", (int64_t)profile->merged);
    doc_put_present(&w, "o", profile->owner);
    put_section(&w, "b", profile->absorbed);
    put_section(&w, "i", profile->ids);
    if (profile->traits.data != NULL && profile->traits.size > 5)
        doc_put_doc(&w, "t", profile->traits);
    put_section(&w, "r", profile->roles);
    put_section(&w, "a", profile->addresses);
    put_section(&w, "s", profile->consents);
    put_section(&w, "g", profile->tags);
    if (profile->marks_first >= 0) {
        doc_put_int(&w, "d", profile->marks_first);
        doc_put_int(&w, "e", profile->marks_last);
    }
    if (profile->has_marks_forever)
        doc_put_bool(&w, "f", true);
    if (profile->timers != 0)
        doc_put_int(&w, "w", profile->timers);
    return doc_end(&w);
}

size_t profile_size(const struct profile *profile)
{
    return 200u + profile->owner.size + profile->absorbed.size + profile->ids.size +
           profile->traits.size + profile->roles.size + profile->addresses.size +
           profile->consents.size + profile->tags.size;
}

void profile_store(struct profile *profile, struct state *state, struct buf *scratch)
{
    struct doc doc = profile_write(profile, scratch);
    struct key key;
    key_customer(&key, profile->number, 'p');
    state_put(state, &key, doc.data, doc.size);
    profile->is_dirty = false;
}

/* -- Traits --------------------------------------------------------------- */

bool assignment_next(struct doc_iter *it, struct assignment *out)
{
    if (!doc_next(it))
        return false;
    out->value = it->value;
    if (!doc_next(it))
        return false;
    out->at = it->value.integer;
    if (!doc_next(it))
        return false;
    out->source = it->value.text;
    return true;
}

static struct assignment winner_of(struct doc traits, struct text name)
{
    struct assignment winner = { .value = { .type = DOC_NONE } };
    struct doc_value value = doc_get_text(traits, name);
    if (value.type == DOC_ARRAY) {
        struct doc_iter it = doc_iter(value.doc);
        assignment_next(&it, &winner);
    }
    return winner;
}

struct assignment profile_trait(const struct profile *profile, struct text name)
{
    return winner_of(profile->traits, name);
}

static void put_assignment(struct doc_writer *w, const struct assignment *assignment)
{
    doc_put_value(w, "", &assignment->value);
    doc_put_int(w, "", assignment->at);
    doc_put_text(w, "", assignment->source);
}

/* Write the trait's new array: the others in their order, the new one in front of the
 * first that it wins over. */
static void put_assignments(struct doc_writer *w, struct doc old,
                            const struct assignment *assignment, int64_t sources_max)
{
    bool is_written = false;
    size_t count = 0;
    struct assignment other;
    for (struct doc_iter it = doc_iter(old); assignment_next(&it, &other);) {
        if (text_equal(other.source, assignment->source))
            continue;
        if (!is_written && assignment->at >= other.at) {
            put_assignment(w, assignment);
            is_written = true;
            count++;
        }
        if (count < (size_t)sources_max) {
            put_assignment(w, &other);
            count++;
        }
    }
    if (!is_written && count < (size_t)sources_max)
        put_assignment(w, assignment);
}

/* What the source of `assignment` says now. */
static struct assignment assignment_of_source(struct doc old, struct text source)
{
    struct assignment other, none = { .value = { .type = DOC_NONE } };
    for (struct doc_iter it = doc_iter(old); assignment_next(&it, &other);)
        if (text_equal(other.source, source))
            return other;
    return none;
}

/* Whether it would be written where it stands: nothing as late has come in front of it since. */
static bool is_written(struct doc old, const struct assignment *assignment)
{
    struct assignment other;
    struct doc_iter it = doc_iter(old);
    while (assignment_next(&it, &other))
        if (other.at <= assignment->at)
            return other.at == assignment->at && text_equal(other.source, assignment->source) &&
                   doc_value_equal(&other.value, &assignment->value);
    return false;
}

static void note_winner(struct profile *profile, struct doc traits, struct text name)
{
    struct doc_value before = profile_trait(profile, name).value;
    struct doc_value after = winner_of(traits, name).value;
    profile->has_new_terms = profile->has_new_terms || !doc_value_equal(&before, &after);
}

bool profile_set_trait(struct profile *profile, struct arena *arena, struct buf *scratch,
                       struct text name, const struct assignment *assignment,
                       const struct trait_limits *limits, bool *out_full)
{
    struct doc_value old = doc_get_text(profile->traits, name);
    struct doc old_array = old.type == DOC_ARRAY ? old.doc : (struct doc){ NULL, 0 };
    struct assignment before = assignment_of_source(old_array, assignment->source);
    *out_full = false;
    if (before.value.type != DOC_NONE && before.at > assignment->at)
        return false;
    if (is_written(old_array, assignment))
        return false;
    if (old.type == DOC_NONE && doc_count(profile->traits) >= (size_t)limits->traits) {
        *out_full = true;
        return false;
    }

    struct doc_writer w;
    buf_clear(scratch);
    doc_begin(&w, scratch);
    for (struct doc_iter it = doc_iter(profile->traits); doc_next(&it);)
        if (!text_equal(it.name, name))
            doc_put_value_text(&w, it.name, &it.value);
    doc_open_array_text(&w, name);
    put_assignments(&w, old_array, assignment, limits->sources);
    doc_close(&w);
    struct doc traits = arena_doc(arena, doc_end(&w));
    if (search_reads_trait(name))
        note_winner(profile, traits, name);
    profile->traits = traits;
    profile->is_dirty = true;
    return true;
}

/* -- Sections ------------------------------------------------------------- */

struct doc section_append(struct doc section, struct arena *arena, struct buf *scratch,
                          const struct doc_value *value)
{
    struct doc_writer w;
    buf_clear(scratch);
    doc_begin(&w, scratch);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(section); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_put_value(&w, "", value);
    doc_close(&w);
    return arena_doc(arena, doc_child(doc_end(&w), ""));
}

struct doc section_replace(struct doc section, struct arena *arena, struct buf *scratch,
                           size_t index, const struct doc_value *value)
{
    struct doc_writer w;
    buf_clear(scratch);
    doc_begin(&w, scratch);
    doc_open_array(&w, "");
    size_t i = 0;
    for (struct doc_iter it = doc_iter(section); doc_next(&it); i++)
        if (i != index)
            doc_put_value(&w, "", &it.value);
        else if (value != NULL)
            doc_put_value(&w, "", value);
    doc_close(&w);
    return arena_doc(arena, doc_child(doc_end(&w), ""));
}
