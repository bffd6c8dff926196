/* kind_parse.c -- the one reader of declarations of kinds.
 *
 * Whatever a declaration says is either understood or refused: an attribute that nobody reads would
 * be a wish that nobody hears.  Reasons name the place ("fields.amount"), and the nearest of what
 * would have been right.  What refers to something else (a transition to its states, a deadline to
 * a field) is read after it, so the order in the document does not matter.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/engine/event.h"
#include "core/engine/kind_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- Complaints ------------------------------------------------------------ */

int parse_fail(struct parsing *p, int code, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(p->err, code, "kind \"%s\": %s", p->kind->name.data, text);
}

/* Every field of the document is one of those; `where` ends with a dot, or is empty. */
int parse_check_names(struct parsing *p, const char *where, struct doc doc,
                      const char *const names[], size_t count)
{
    struct text known[16];
    for (size_t i = 0; i < count; i++)
        known[i] = text_of(names[i]);
    for (struct doc_iter it = doc_iter(doc); doc_next(&it);) {
        size_t i = 0;
        while (i < count && !text_equal(it.name, known[i]))
            i++;
        if (i == count)
            return parse_fail(p, E_INVALID, "%s%s: there is no such attribute; %s", where,
                              it.name.data,
                              kind_meant(it.name, known, count, sizeof *known, p->arena).data);
    }
    return 0;
}

/* Names stand in addresses, in types of events and in conditions. */
static bool is_word(struct text name)
{
    if (name.size == 0 || name.size > KIND_NAME_BYTES_MAX ||
        (name.data[0] >= '0' && name.data[0] <= '9'))
        return false;
    for (uint32_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] <= ' ' || name.data[i] == 0x7f ||
            strchr(".:/*\"'\\%?#&=+,;()[]{}<>", name.data[i]) != NULL)
            return false;
    return true;
}

static int check_word(struct parsing *p, const char *what, struct text name)
{
    if (is_word(name))
        return 0;
    return parse_fail(
        p, E_INVALID,
        "%s: \"%.*s\" is no name: it has 1 to %d bytes, no blanks and no punctuation, and "
        "begins with no digit",
        what, (int)(name.size < 40 ? name.size : 40), name.data, KIND_NAME_BYTES_MAX);
}

/* -- Parts of documents ---------------------------------------------------- */

/* An attribute of one type, or absent. */
int parse_get(struct parsing *p, const char *where, struct doc doc, const char *name,
              enum doc_type type, const char *expected, struct doc_value *out)
{
    struct doc_value value = doc_get(doc, name);
    if (value.type == DOC_NULL)
        value.type = DOC_NONE;
    if (value.type != DOC_NONE && value.type != type)
        return parse_fail(p, E_INVALID, "%s%s is %s", where, name, expected);
    *out = value;
    return 0;
}

int parse_text(struct parsing *p, const char *where, struct doc doc, const char *name,
               struct text *out)
{
    struct doc_value value = { .type = DOC_NONE };
    int rc = parse_get(p, where, doc, name, DOC_TEXT, "text", &value);
    if (rc == 0 && value.type == DOC_TEXT && value.text.size > NAME_BYTES_MAX)
        return parse_fail(p, E_LIMIT, "%s%s has at most %d bytes", where, name, NAME_BYTES_MAX);
    if (rc == 0 && value.type == DOC_TEXT)
        *out = value.text;
    return rc;
}

static int get_flag(struct parsing *p, const char *where, struct doc doc, const char *name,
                    bool *out)
{
    struct doc_value value = { .type = DOC_NONE };
    int rc = parse_get(p, where, doc, name, DOC_BOOL, "true or false", &value);
    if (rc == 0 && value.type == DOC_BOOL)
        *out = value.boolean;
    return rc;
}

/* {NAME: ...} with at most `most` names; none: empty. */
int parse_map(struct parsing *p, struct doc doc, const char *name, size_t most, struct doc *out,
              size_t *out_count)
{
    struct doc_value value = { .type = DOC_NONE };
    int rc = parse_get(p, "", doc, name, DOC_DOC, "a table of names: { name = { ... } }", &value);
    if (rc != 0)
        return rc;
    *out = value.type == DOC_DOC ? value.doc : (struct doc){ NULL, 0 };
    *out_count = doc_count(*out);
    if (*out_count > most)
        return parse_fail(p, E_LIMIT, "%s: at most %zu, not %zu", name, most, *out_count);
    for (struct doc_iter it = doc_iter(*out); rc == 0 && doc_next(&it);)
        rc = check_word(p, name, it.name);
    return rc;
}

/* A list of texts, or one text; `most` of them. */
static int get_texts(struct parsing *p, const char *where, struct doc doc, const char *name,
                     size_t most, struct text **out, size_t *out_count)
{
    struct doc_value value = doc_get(doc, name);
    size_t count = value.type == DOC_ARRAY ? doc_count(value.doc) : value.type == DOC_TEXT ? 1 : 0;
    struct text *texts = arena_alloc(p->arena, (count + 1) * sizeof *texts);
    bool is_empty = value.type == DOC_NONE || value.type == DOC_NULL ||
                    (value.type == DOC_DOC && doc_count(value.doc) == 0);
    *out = texts;
    *out_count = 0;
    if (count > most)
        return parse_fail(p, E_LIMIT, "%s%s: at most %zu, not %zu", where, name, most, count);
    if (value.type == DOC_TEXT)
        texts[(*out_count)++] = value.text;
    else if (value.type != DOC_ARRAY && !is_empty)
        return parse_fail(p, E_INVALID, "%s%s is a text or a list of texts", where, name);
    for (struct doc_iter it = doc_iter(value.doc); value.type == DOC_ARRAY && doc_next(&it);) {
        if (it.value.type != DOC_TEXT || it.value.text.size == 0 ||
            it.value.text.size > NAME_BYTES_MAX)
            return parse_fail(p, E_INVALID, "%s%s is a list of texts of 1 to %d bytes", where, name,
                              NAME_BYTES_MAX);
        texts[(*out_count)++] = it.value.text;
    }
    return 0;
}

const char *parse_place(struct parsing *p, const char *list, struct text name)
{
    return arena_printf(p->arena, "%s.%s.", list, name.data).data;
}

/* -- Fields ---------------------------------------------------------------- */

static const char *const types[] = { "text", "number", "whole",    "money", "date",   "time",
                                     "flag", "choice", "customer", "staff", "record", "list" };

static int find_type(struct parsing *p, const char *where, struct text name, enum kind_type *out)
{
    struct text known[COUNT(types)];
    for (size_t i = 0; i < COUNT(types); i++) {
        known[i] = text_of(types[i]);
        if (text_equal(name, known[i])) {
            *out = (enum kind_type)i;
            return 0;
        }
    }
    return parse_fail(p, E_INVALID, "%stype: there is no type \"%.40s\"; %s", where, name.data,
                      kind_meant(name, known, COUNT(types), sizeof *known, p->arena).data);
}

/* "money", "record:order" */
static int read_type(struct parsing *p, const char *where, struct text words,
                     struct kind_field *field)
{
    const char *colon = words.size != 0 ? memchr(words.data, ':', words.size) : NULL;
    if (words.size == 0)
        return parse_fail(p, E_INVALID, "%stype is needed: %s", where,
                          "text, number, whole, money, date, time, flag, choice, customer, staff, "
                          "record:KIND or list");
    if (colon != NULL) {
        field->of = (struct text){ colon + 1, (uint32_t)(words.data + words.size - colon - 1) };
        words.size = (uint32_t)(colon - words.data);
        words = arena_text(p->arena, words);
    }
    int rc = find_type(p, where, words, &field->type);
    if (rc == 0 && (field->type == KIND_RECORD) != (colon != NULL))
        return parse_fail(p, E_INVALID,
                          "%stype: a record is written \"record:KIND\", all others without "
                          "a colon",
                          where);
    if (rc == 0 && field->type == KIND_RECORD && !is_word(field->of))
        return parse_fail(p, E_INVALID, "%stype: \"record:KIND\" names a kind", where);
    return rc;
}

static int read_item(struct parsing *p, const char *where, struct doc doc, struct kind_field *field)
{
    struct text of = { "", 0 };
    int rc = parse_text(p, where, doc, "of", &of);
    if (rc != 0)
        return rc;
    if (field->type != KIND_LIST && of.size != 0)
        return parse_fail(p, E_INVALID, "%sof: only a list is of something", where);
    if (field->type != KIND_LIST)
        return 0;
    rc = find_type(p, where, of.size != 0 ? of : text_of("text"), &field->item);
    if (rc == 0 && field->item != KIND_TEXT && field->item != KIND_NUMBER &&
        field->item != KIND_WHOLE && field->item != KIND_CHOICE)
        return parse_fail(p, E_INVALID, "%sof: a list is of text, number, whole or choice", where);
    return rc;
}

static int read_values(struct parsing *p, const char *where, struct doc doc,
                       struct kind_field *field)
{
    bool is_choice =
        field->type == KIND_CHOICE || (field->type == KIND_LIST && field->item == KIND_CHOICE);
    int rc =
        get_texts(p, where, doc, "values", KIND_VALUES_MAX, &field->values, &field->value_count);
    if (rc == 0 && is_choice != (field->value_count != 0))
        return parse_fail(p, E_INVALID,
                          is_choice ? "%svalues: a choice needs the list of its values"
                                    : "%svalues: only a choice has values",
                          where);
    for (size_t i = 0; rc == 0 && i < field->value_count; i++)
        for (size_t other = 0; other < i; other++)
            if (text_equal(field->values[i], field->values[other]))
                return parse_fail(p, E_INVALID, "%svalues: \"%.64s\" stands there twice", where,
                                  arena_text(p->arena, field->values[i]).data);
    return rc;
}

/* Who alone may do it: by = "plugin"; of a field also "caller". */
static int read_by(struct parsing *p, const char *where, struct doc doc, bool *out_is_plugins,
                   bool *out_is_callers)
{
    struct text by = { "", 0 };
    int rc = parse_text(p, where, doc, "by", &by);
    *out_is_plugins = text_is(by, "plugin");
    if (out_is_callers != NULL)
        *out_is_callers = text_is(by, "caller");
    if (rc != 0 || by.size == 0 || *out_is_plugins || (out_is_callers != NULL && *out_is_callers))
        return rc;
    return parse_fail(p, E_INVALID, "%sby is \"plugin\", or of a field also \"caller\"", where);
}

static int read_field_flags(struct parsing *p, const char *where, struct doc doc,
                            struct kind_field *field)
{
    int rc = get_flag(p, where, doc, "required", &field->is_required);
    if (rc == 0)
        rc = get_flag(p, where, doc, "searchable", &field->is_searchable);
    if (rc == 0)
        rc = get_flag(p, where, doc, "personal", &field->is_personal);
    if (rc == 0)
        rc = get_flag(p, where, doc, "external", &field->is_external);
    if (rc == 0)
        rc = get_flag(p, where, doc, "same_subject", &field->has_same_subject);
    if (rc == 0)
        rc = get_flag(p, where, doc, "unsigned", &field->is_unsigned);
    if (rc == 0)
        rc = parse_text(p, where, doc, "role", &field->role);
    if (rc == 0)
        rc = read_by(p, where, doc, &field->is_plugins, &field->is_callers);
    if (rc != 0)
        return rc;
    if (field->is_external && field->type != KIND_TEXT)
        return parse_fail(p, E_INVALID, "%sexternal: an id of another system is text", where);
    if (field->has_same_subject && field->type != KIND_RECORD)
        return parse_fail(p, E_INVALID, "%ssame_subject: only another record has a subject", where);
    if (field->is_unsigned && field->type != KIND_NUMBER && field->type != KIND_WHOLE &&
        field->type != KIND_MONEY)
        return parse_fail(p, E_INVALID, "%sunsigned: that is said of numbers and money", where);
    if (field->is_searchable && field->type != KIND_TEXT && field->type != KIND_CHOICE)
        return parse_fail(p, E_INVALID, "%ssearchable: a field that is searched for is text",
                          where);
    if (field->role.size != 0 && !field->is_personal)
        return parse_fail(p, E_INVALID, "%srole says whose personal data it is: personal = true",
                          where);
    if (field->role.size != 0 && kind_role_find(p->kind, field->role) == KIND_NONE)
        return parse_fail(p, E_INVALID, "%srole: no role is called \"%s\"; %s", where,
                          field->role.data,
                          kind_meant(field->role, &p->kind->roles->name, p->kind->role_count,
                                     sizeof *p->kind->roles, p->arena)
                              .data);
    return 0;
}

/* A field is a table, or the name of its type alone. */
static int read_field(struct parsing *p, const char *list, const struct doc_iter *it,
                      struct kind_field *field)
{
    static const char *const names[] = { "type",        "required", "searchable",   "personal",
                                         "role",        "external", "values",       "of",
                                         "description", "by",       "same_subject", "unsigned" };
    const char *where = parse_place(p, list, it->name);
    struct text type = { "", 0 }, description = { "", 0 };
    struct doc doc = { NULL, 0 };
    int rc = 0;
    *field = (struct kind_field){ .name = it->name };
    if (it->value.type == DOC_TEXT)
        type = it->value.text;
    else if (it->value.type == DOC_DOC)
        doc = it->value.doc;
    else
        return parse_fail(p, E_INVALID, "%s%s is { type = \"text\", ... }", list, it->name.data);
    if (doc.data != NULL)
        rc = parse_check_names(p, where, doc, names, COUNT(names));
    if (rc == 0 && doc.data != NULL)
        rc = parse_text(p, where, doc, "type", &type);
    if (rc == 0)
        rc = parse_text(p, where, doc, "description", &description);
    if (rc == 0)
        rc = read_type(p, where, type, field);
    if (rc == 0)
        rc = read_item(p, where, doc, field);
    if (rc == 0)
        rc = read_values(p, where, doc, field);
    return rc != 0 ? rc : read_field_flags(p, where, doc, field);
}

/* What `record.NAME` means already. */
static bool is_taken(struct text name)
{
    static const char *const words[] = { "id",     "kind",   "state",     "owner",    "created",
                                         "since",  "number", "version",   "customer", "customers",
                                         "lines",  "links",  "deadlines", "move",     "set",
                                         "assign", "link",   "unlink",    "note" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (text_is(name, words[i]))
            return true;
    return false;
}

static int read_fields(struct parsing *p, struct doc doc, const char *list, struct kind_field **out,
                       size_t *out_count)
{
    struct doc map;
    int rc = parse_map(p, doc, list, KIND_FIELDS_MAX, &map, out_count);
    if (rc != 0)
        return rc;
    *out = arena_zero(p->arena, (*out_count + 1) * sizeof **out);
    size_t i = 0;
    for (struct doc_iter it = doc_iter(map); rc == 0 && doc_next(&it); i++) {
        rc = read_field(p, list, &it, &(*out)[i]);
        if (rc == 0 && is_taken(it.name))
            return parse_fail(
                p, E_INVALID,
                "%s.%s: record.%s is something else already: call the field otherwise", list,
                it.name.data, it.name.data);
        if (rc == 0 && text_is(text_of(list), "lines") && (*out)[i].is_external)
            return parse_fail(p, E_INVALID, "lines.%s.external: a line has no id of its own",
                              it.name.data);
        if (rc == 0 && text_is(text_of(list), "lines") && (*out)[i].has_same_subject)
            return parse_fail(p, E_INVALID, "lines.%s.same_subject: a line has no subject",
                              it.name.data);
    }
    return rc;
}

/* -- Roles and states ------------------------------------------------------ */

/* Who says nothing of customers means that there may be one. */
static void usual_role(struct parsing *p)
{
    struct kind *kind = p->kind;
    kind->roles = arena_zero(p->arena, sizeof *kind->roles);
    kind->roles[kind->role_count++] = (struct kind_role){
        .name = text_of("customer"),
        .is_subject = true,
        .is_optional = true,
    };
}

static int read_roles(struct parsing *p, struct doc doc)
{
    static const char *const names[] = { "subject", "required", "many", "optional", "description" };
    struct kind *kind = p->kind;
    struct doc map;
    int rc = parse_map(p, doc, "roles", KIND_ROLES_MAX, &map, &kind->role_count);
    if (rc == 0 && doc_get(doc, "roles").type == DOC_NONE)
        usual_role(p);
    if (rc != 0 || kind->role_count == 1 + doc_count(map))
        return rc;
    kind->roles = arena_zero(p->arena, (kind->role_count + 1) * sizeof *kind->roles);
    size_t subjects = 0;
    struct kind_role *role = kind->roles;
    for (struct doc_iter it = doc_iter(map); rc == 0 && doc_next(&it); role++) {
        const char *where = parse_place(p, "roles", it.name);
        if (it.value.type != DOC_DOC)
            return parse_fail(p, E_INVALID, "roles.%s is a table: { subject = true }, or { }",
                              it.name.data);
        role->name = it.name;
        rc = parse_check_names(p, where, it.value.doc, names, COUNT(names));
        if (rc == 0)
            rc = get_flag(p, where, it.value.doc, "subject", &role->is_subject);
        if (rc == 0)
            rc = get_flag(p, where, it.value.doc, "required", &role->is_required);
        if (rc == 0)
            rc = get_flag(p, where, it.value.doc, "many", &role->is_many);
        if (rc == 0)
            rc = get_flag(p, where, it.value.doc, "optional", &role->is_optional);
        if (rc == 0 && role->is_optional && !role->is_subject)
            return parse_fail(p, E_INVALID, "%soptional: that is said of the subject", where);
        if (rc == 0 && role->is_subject && role->is_many)
            return parse_fail(p, E_INVALID, "%smany: one customer is the subject", where);
        subjects += role->is_subject ? 1 : 0;
    }
    if (rc == 0 && kind->role_count != 0 && subjects != 1)
        return parse_fail(p, E_INVALID, "roles: one of them is the subject: { subject = true }");
    return rc;
}

static int read_state(struct parsing *p, const struct doc_value *value, struct kind_state *state)
{
    static const char *const names[] = { "name", "final", "waiting", "description" };
    int rc = 0;
    if (value->type == DOC_TEXT) {
        state->name = value->text;
    } else if (value->type == DOC_DOC) {
        rc = parse_check_names(p, "states.", value->doc, names, COUNT(names));
        if (rc == 0)
            rc = parse_text(p, "states.", value->doc, "name", &state->name);
        if (rc == 0)
            rc = get_flag(p, "states.", value->doc, "final", &state->is_final);
        if (rc == 0)
            rc = get_flag(p, "states.", value->doc, "waiting", &state->is_waiting);
    } else {
        return parse_fail(p, E_INVALID,
                          "states is a list of names, or of { name = ..., final = true }");
    }
    if (rc == 0)
        rc = check_word(p, "states", state->name);
    if (rc == 0 && kind_is_happening(state->name))
        return parse_fail(p, E_INVALID,
                          "states: \"%s\" is what happens to records of any kind: call the state "
                          "otherwise",
                          state->name.data);
    if (rc == 0 && state->is_final && state->is_waiting)
        return parse_fail(p, E_INVALID, "states: \"%s\" is final or waiting, not both",
                          state->name.data);
    return rc;
}

static int read_states(struct parsing *p, struct doc doc)
{
    struct kind *kind = p->kind;
    struct doc_value list = doc_get(doc, "states");
    size_t count = list.type == DOC_ARRAY ? doc_count(list.doc) : 0;
    int rc = 0;
    if (count == 0)
        return parse_fail(p, E_INVALID,
                          "states is a list of at least one: the first is where it begins");
    if (count > KIND_STATES_MAX)
        return parse_fail(p, E_LIMIT, "states: at most %d, not %zu", KIND_STATES_MAX, count);
    kind->states = arena_zero(p->arena, count * sizeof *kind->states);
    for (struct doc_iter it = doc_iter(list.doc); rc == 0 && doc_next(&it);) {
        struct kind_state state = { .name = { "", 0 } };
        rc = read_state(p, &it.value, &state);
        if (rc == 0 && kind_state_find(kind, state.name) != KIND_NONE)
            return parse_fail(p, E_INVALID, "states: \"%s\" stands there twice", state.name.data);
        kind->states[kind->state_count++] = state;
    }
    if (rc == 0 && (kind->states[0].is_final || kind->states[0].is_waiting))
        return parse_fail(p, E_INVALID,
                          "states: it begins in \"%s\", which is neither final nor waiting",
                          kind->states[0].name.data);
    return rc;
}

static int refuse_state(struct parsing *p, const char *where, const char *name, struct text given)
{
    const struct kind *kind = p->kind;
    return parse_fail(
        p, E_INVALID, "%s%s: no state is called \"%.64s\"; %s", where, name, given.data,
        kind_meant(given, &kind->states->name, kind->state_count, sizeof *kind->states, p->arena)
            .data);
}

/* One state, a list of them, or "*": all that are not final, nor waiting where it must run. */
int parse_states(struct parsing *p, const char *where, struct doc doc, const char *name,
                 bool has_waiting, uint64_t *out)
{
    const struct kind *kind = p->kind;
    struct text *texts;
    size_t count;
    int rc = get_texts(p, where, doc, name, KIND_STATES_MAX, &texts, &count);
    *out = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t state = kind_state_find(kind, texts[i]);
        if (state == KIND_NONE && !text_is(texts[i], "*"))
            return refuse_state(p, where, name, texts[i]);
        for (size_t each = 0; state == KIND_NONE && each < kind->state_count; each++)
            if (!kind->states[each].is_final && (has_waiting || !kind->states[each].is_waiting))
                *out |= UINT64_C(1) << each;
        if (state != KIND_NONE)
            *out |= UINT64_C(1) << state;
    }
    return rc;
}

/* -- Transitions ----------------------------------------------------------- */

/* The path behind a record means something else already. */
static bool is_path(struct text name)
{
    static const char *const words[] = { "assign", "links", "notes", "timeline", "customers",
                                         "lines",  "files", "move",  "deadlines" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (text_is(name, words[i]))
            return true;
    return false;
}

static int read_needed(struct parsing *p, const char *where, struct doc doc,
                       struct kind_transition *transition)
{
    const struct kind *kind = p->kind;
    struct text *names;
    int rc = get_texts(p, where, doc, "fields", KIND_FIELDS_MAX, &names, &transition->field_count);
    if (rc != 0)
        return rc;
    transition->fields =
        arena_alloc(p->arena, (transition->field_count + 1) * sizeof *transition->fields);
    for (size_t i = 0; i < transition->field_count; i++) {
        transition->fields[i] = kind_field_find(kind, names[i]);
        if (transition->fields[i] == KIND_NONE)
            return parse_fail(p, E_INVALID, "%sfields: no field is called \"%.64s\"; %s", where,
                              names[i].data,
                              kind_meant(names[i], &kind->fields->name, kind->field_count,
                                         sizeof *kind->fields, p->arena)
                                  .data);
    }
    return 0;
}

static int read_transition(struct parsing *p, const struct doc_iter *it,
                           struct kind_transition *transition)
{
    static const char *const names[] = { "from", "to", "fields", "by", "description" };
    const char *where = parse_place(p, "transitions", it->name);
    struct text to = { "", 0 };
    if (it->value.type != DOC_DOC)
        return parse_fail(p, E_INVALID, "transitions.%s is { from = ..., to = ... }",
                          it->name.data);
    if (is_path(it->name))
        return parse_fail(
            p, E_INVALID,
            "transitions.%s: /v1/records/KIND/NUMBER/%s is something else already: call it "
            "otherwise",
            it->name.data, it->name.data);
    transition->name = it->name;
    int rc = parse_check_names(p, where, it->value.doc, names, COUNT(names));
    if (rc == 0)
        rc = parse_states(p, where, it->value.doc, "from", true, &transition->from);
    if (rc == 0 && transition->from == 0)
        return parse_fail(p, E_INVALID, "%sfrom is needed: a state, a list of them, or \"*\"",
                          where);
    if (rc == 0)
        rc = parse_text(p, where, it->value.doc, "to", &to);
    if (rc == 0)
        rc = read_by(p, where, it->value.doc, &transition->is_plugins, NULL);
    if (rc != 0)
        return rc;
    transition->to = kind_state_find(p->kind, to);
    if (to.size == 0)
        return parse_fail(p, E_INVALID, "%sto is needed: a state", where);
    if (transition->to == KIND_NONE)
        return refuse_state(p, where, "to", to);
    return read_needed(p, where, it->value.doc, transition);
}

static int read_transitions(struct parsing *p, struct doc doc)
{
    struct kind *kind = p->kind;
    struct doc map;
    int rc = parse_map(p, doc, "transitions", KIND_TRANSITIONS_MAX, &map, &kind->transition_count);
    if (rc != 0)
        return rc;
    kind->transitions =
        arena_zero(p->arena, (kind->transition_count + 1) * sizeof *kind->transitions);
    struct kind_transition *transition = kind->transitions;
    for (struct doc_iter it = doc_iter(map); rc == 0 && doc_next(&it);)
        rc = read_transition(p, &it, transition++);
    return rc;
}

/* -- The whole ------------------------------------------------------------- */

/* Its name begins the types of its events, and is what `about` says before the colon. */
static int check_kind_name(struct parsing *p)
{
    static const char *const words[] = { "task",    "record", "file",     "message",
                                         "segment", "email",  "campaign", "journey" };
    struct text name = p->kind->name;
    int rc = check_word(p, "name", name);
    if (rc != 0)
        return rc;
    bool is_reserved = event_type_is_system(arena_printf(p->arena, "%s.x", name.data));
    for (size_t i = 0; i < COUNT(words); i++)
        is_reserved = is_reserved || text_is(name, words[i]);
    return is_reserved
               ? parse_fail(p, E_INVALID, "name: that word is Kith's own: call it otherwise")
               : 0;
}

static int read_title(struct parsing *p, struct doc doc)
{
    struct kind *kind = p->kind;
    struct text title = { "", 0 };
    int rc = parse_text(p, "", doc, "title", &title);
    kind->title = KIND_NONE;
    if (rc != 0 || title.size == 0)
        return rc;
    kind->title = kind_field_find(kind, title);
    if (kind->title != KIND_NONE && kind->fields[kind->title].type == KIND_TEXT)
        return 0;
    return parse_fail(p, E_INVALID, "title is a field that is text: what a record is called by");
}

int kind_parse(struct doc document, struct arena *arena, struct kind *out, struct err *err)
{
    static const char *const names[] = { "name",  "description", "fields",    "roles", "states",
                                         "lines", "transitions", "deadlines", "owner", "title" };
    struct doc doc = arena_doc(arena, document);
    struct parsing p = { .arena = arena, .kind = out, .err = err };
    *out = (struct kind){ .name = arena_text(arena, doc_text(doc, "name")) };
    int rc = check_kind_name(&p);
    if (rc == 0)
        rc = parse_check_names(&p, "", doc, names, COUNT(names));
    if (rc == 0)
        rc = parse_text(&p, "", doc, "description", &out->description);
    if (rc == 0)
        rc = parse_text(&p, "", doc, "owner", &out->owner);
    if (rc == 0)
        rc = read_roles(&p, doc);
    if (rc == 0)
        rc = read_fields(&p, doc, "fields", &out->fields, &out->field_count);
    if (rc == 0)
        rc = read_fields(&p, doc, "lines", &out->lines, &out->line_count);
    if (rc == 0)
        rc = read_title(&p, doc);
    if (rc == 0)
        rc = read_states(&p, doc);
    if (rc == 0)
        rc = read_transitions(&p, doc);
    return rc != 0 ? rc : kind_read_deadlines(&p, doc);
}
