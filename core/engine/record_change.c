/* record_change.c -- making and changing records: by staff, by rules, by plugins.
 *
 * All ways lead through one work: the record as it is to be is built in memory, looked at whole,
 * and stored once.  Its state changes only by a transition, its fields by being set; each is told
 * as an event, in this order: created or changed or the new state, then what becomes of its
 * deadlines.
 */
#include "core/engine/record_inside.h"

#include "core/base/blank.h"
#include "core/base/near.h"

#include <string.h>

/* -- The work -------------------------------------------------------------- */

void record_work_begin(struct record_work *work, struct step *step, const char *word)
{
    *work = (struct record_work){
        .engine = step->engine,
        .step = step,
        .customer = step->customer.number != 0 ? &step->customer : NULL,
        .depth = step->event->depth + 1,
        .word = word,
    };
}

/* "create: " in front of a script's errors. */
int record_fail(const struct record_work *work, int code, const char *text, struct err *err)
{
    return err_set(err, code, "%s%s%s", work->word, work->word[0] != '\0' ? ": " : "", text);
}

static const char *say(struct record_work *work, const char *format, struct text text)
{
    struct near_quote quote;
    return arena_printf(&work->engine->arena, format, near_quote(text.data, text.size, &quote))
        .data;
}

static const struct kind *find_kind(struct record_work *work, struct text name, struct err *err)
{
    const struct engine *engine = work->engine;
    const struct kind *kind = kinds_find(&engine->kinds, name);
    struct text names[KINDS_MAX];
    if (kind != NULL)
        return kind;
    for (size_t i = 0; i < engine->kinds.count; i++)
        names[i] = engine->kinds.items[i]->name;
    struct text meant =
        kind_meant(name, names, engine->kinds.count, sizeof *names, &work->engine->arena);
    record_fail(work, E_NOTFOUND,
                arena_printf(&work->engine->arena, "%s; %s",
                             say(work, "no kind is called \"%s\"", name), meant.data)
                    .data,
                err);
    return NULL;
}

static bool is_blank(const struct doc_value *value)
{
    return value->type == DOC_TEXT && blank_text(value->text.data, value->text.size);
}

/* Where something is to be said, a blank says nothing. */
static bool has_value(const struct record *record, const struct kind_field *field)
{
    struct doc_value value = record_field(record, field->name);
    return value.type != DOC_NONE && !is_blank(&value);
}

/* What was taken blank, when that was taken, hinders nothing: a promise is broken all the same. */
static bool was_blank(const struct record_work *work, const struct kind_field *field)
{
    struct doc_value before = { .type = DOC_NONE };
    struct doc_value now = record_field(&work->record, field->name);
    if (work->before.number != 0)
        before = record_field(&work->before, field->name);
    return is_blank(&before) && is_blank(&now);
}

static int check_required(struct record_work *work, struct err *err)
{
    const struct kind *kind = work->record.kind;
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].is_required && !has_value(&work->record, &kind->fields[i]) &&
            !was_blank(work, &kind->fields[i]))
            return record_fail(work, E_INVALID,
                               say(work, "the field \"%s\" is needed", kind->fields[i].name), err);
    for (size_t i = 0; i < kind->role_count; i++) {
        const struct kind_role *role = &kind->roles[i];
        if (role->is_required && !role->is_subject &&
            doc_get_text(work->record.roles, role->name).type == DOC_NONE)
            return record_fail(work, E_INVALID,
                               say(work, "a customer in the role \"%s\" is needed", role->name),
                               err);
    }
    return 0;
}

static int check_externals(struct record_work *work, struct err *err)
{
    const struct record *record = &work->record;
    for (size_t i = 0; i < record->kind->field_count; i++) {
        const struct kind_field *field = &record->kind->fields[i];
        struct doc_value value = record_field(record, field->name);
        if (!field->is_external || value.type != DOC_TEXT)
            continue;
        uint64_t other = record_find(work->engine, record->kind_name, field->name, value.text);
        if (other != 0 && other != record->number)
            return record_fail(work, E_CONFLICT,
                               arena_printf(&work->engine->arena, "%s %llu has that \"%s\" already",
                                            record->kind->name.data, (unsigned long long)other,
                                            field->name.data)
                                   .data,
                               err);
    }
    return 0;
}

static int check_limits(struct record_work *work, struct err *err)
{
    struct engine *engine = work->engine;
    const struct limits *limits = &engine->config.limits;
    struct record *record = &work->record;
    bool is_opened = record->is_open && (work->before.number == 0 || !work->before.is_open);
    if (doc_count(record->lines) > (size_t)limits->record_lines)
        return record_fail(work, E_LIMIT,
                           arena_printf(&engine->arena, "at most %lld lines (limit record_lines)",
                                        (long long)limits->record_lines)
                               .data,
                           err);
    if (record_size(engine, record) > (size_t)limits->record_bytes)
        return record_fail(work, E_LIMIT,
                           arena_printf(&engine->arena,
                                        "a record has at most %lld bytes (limit "
                                        "record_bytes)",
                                        (long long)limits->record_bytes)
                               .data,
                           err);
    if (is_opened && record->customer != 0 &&
        record_count_open(engine, record->customer, limits->records) >= limits->records)
        return record_fail(work, E_LIMIT,
                           arena_printf(&engine->arena,
                                        "the customer has %lld open records: no more "
                                        "(limit records)",
                                        (long long)limits->records)
                               .data,
                           err);
    return 0;
}

static bool is_changed(const struct record *a, const struct record *b)
{
    return !text_equal(a->state, b->state) || !text_equal(a->owner, b->owner) ||
           a->since != b->since || !record_is_same(a->fields, b->fields) ||
           !record_is_same(a->roles, b->roles) || !record_is_same(a->lines, b->lines) ||
           !record_is_same(a->links, b->links);
}

int record_work_store(struct record_work *work, bool *out_changed, struct err *err)
{
    struct record *record = &work->record;
    bool is_new = work->before.number == 0;
    record->is_open = record_has_more(record);
    *out_changed = is_new || is_changed(&work->before, record);
    if (!*out_changed)
        return 0;
    int rc = check_required(work, err);
    if (rc == 0)
        rc = check_externals(work, err);
    if (rc == 0)
        rc = check_limits(work, err);
    if (rc != 0)
        return rc;
    if (is_new)
        record->number = record_next_number(work->engine, record->kind_name);
    record->version++;
    record_store(work->engine, is_new ? NULL : &work->before, record);
    work->step->trace.acts++;
    return 0;
}

/* -- Fields, lines --------------------------------------------------------- */

static struct doc_value given_value(struct doc given, struct text name)
{
    return doc_get_text(given, name);
}

static int check_names(struct record_work *work, const char *what, const struct kind_field *fields,
                       size_t count, struct doc given, struct err *err)
{
    struct err why;
    int rc = record_check_names(what, fields, count, given, &work->engine->arena, &why);
    return rc != 0 ? record_fail(work, rc, why.text, err) : 0;
}

/* The same entry names somebody else: it goes with her too. */
static void note_named(struct record_work *work, uint64_t customer)
{
    const struct step *step = work->step;
    if (step->rule == NULL && customer != 0 && customer != step->event->customer)
        erase_note_entry(work->engine, customer, step->event->customer);
}

/* What she said of herself in a role stands in the entry as well. */
static void note_personal(struct record_work *work, const struct kind_field *field)
{
    struct doc_value role = doc_get_text(work->record.roles, field->role);
    for (struct doc_iter it = doc_iter(role.doc); role.type == DOC_ARRAY && doc_next(&it);)
        note_named(work, (uint64_t)it.value.integer);
}

/* One document of fields: those of `before` with what is given put in. */
static int put_fields(struct record_work *work, struct doc_writer *w,
                      const struct kind_field *fields, size_t count, struct doc before,
                      struct doc given, struct err *err)
{
    struct err why;
    for (size_t i = 0; i < count; i++) {
        struct doc_value value = given_value(given, fields[i].name);
        bool is_given = value.type != DOC_NONE;
        if (!is_given)
            value = doc_get_text(before, fields[i].name);
        if (value.type == DOC_NONE || value.type == DOC_NULL)
            continue;
        if (is_given && record_value(work, &fields[i], &value, &value, &why) != 0)
            return record_fail(work, why.code, why.text, err);
        if (is_given && fields[i].type == KIND_CUSTOMER)
            note_named(work, (uint64_t)value.integer);
        doc_put_value_text(w, fields[i].name, &value);
    }
    return 0;
}

static bool is_another(const struct record_work *work, struct text name)
{
    struct doc_value before = record_field(&work->before, name);
    struct doc_value now = record_field(&work->record, name);
    return before.type != now.type || !doc_value_equal(&before, &now);
}

/* record_value() may look into the state but drafts nothing; the document is written to scratch. */
static int set_fields(struct record_work *work, struct doc given, struct err *err)
{
    struct engine *engine = work->engine;
    struct record *record = &work->record;
    const struct kind *kind = record->kind;
    struct doc_writer w;
    int rc = check_names(work, "here", kind->fields, kind->field_count, given, err);
    if (rc == 0)
        rc = record_check_fields(work, given, err);
    if (rc != 0 || doc_count(given) == 0)
        return rc;
    buf_clear(&engine->scratch);
    doc_begin(&w, &engine->scratch);
    rc = put_fields(work, &w, kind->fields, kind->field_count, record->fields, given, err);
    if (rc != 0)
        return rc;
    record->fields = arena_doc(&engine->arena, doc_end(&w));
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].role.size != 0 &&
            given_value(given, kind->fields[i].name).type != DOC_NONE)
            note_personal(work, &kind->fields[i]);
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        if (kind->fields[i].has_same_subject && is_another(work, kind->fields[i].name))
            rc = record_check_reference(work, &kind->fields[i], err);
    return rc;
}

static int check_line(struct record_work *work, const struct doc_value *line, struct err *err)
{
    const struct kind *kind = work->record.kind;
    if (kind->line_count == 0)
        return record_fail(work, E_INVALID, say(work, "a %s has no lines", kind->name), err);
    if (line->type != DOC_DOC)
        return record_fail(work, E_INVALID, "lines is a list of { name = value }", err);
    int rc = check_names(work, "in a line", kind->lines, kind->line_count, line->doc, err);
    for (size_t i = 0; rc == 0 && i < kind->line_count; i++) {
        struct doc_value value = given_value(line->doc, kind->lines[i].name);
        if (kind->lines[i].is_required && (value.type == DOC_NONE || is_blank(&value)))
            return record_fail(work, E_INVALID,
                               say(work, "each line needs the field \"%s\"", kind->lines[i].name),
                               err);
    }
    return rc;
}

/* All of them anew. */
static int set_lines(struct record_work *work, struct doc lines, struct err *err)
{
    struct engine *engine = work->engine;
    const struct kind *kind = work->record.kind;
    struct doc_writer w;
    int rc = 0;
    buf_clear(&engine->scratch);
    doc_begin(&w, &engine->scratch);
    doc_open_array(&w, "lines");
    for (struct doc_iter it = doc_iter(lines); rc == 0 && doc_next(&it);) {
        rc = check_line(work, &it.value, err);
        doc_open(&w, "");
        if (rc == 0)
            rc = put_fields(work, &w, kind->lines, kind->line_count, (struct doc){ NULL, 0 },
                            it.value.doc, err);
        doc_close(&w);
    }
    doc_close(&w);
    if (rc == 0)
        work->record.lines = doc_child(arena_doc(&engine->arena, doc_end(&w)), "lines");
    return rc;
}

/* -- Roles ----------------------------------------------------------------- */

struct holders { /* of one role, each once */
    uint64_t numbers[RECORD_CUSTOMERS_MAX];
    size_t count;
};

static int add_holder(struct record_work *work, struct holders *holders, struct text role,
                      const struct doc_value *who, struct err *err)
{
    uint64_t number = record_customer(work->engine, who);
    if (number == 0)
        return record_fail(work, E_NOTFOUND, say(work, "the role \"%s\": no such customer", role),
                           err);
    for (size_t i = 0; i < holders->count; i++)
        if (holders->numbers[i] == number)
            return 0;
    holders->numbers[holders->count++] = number;
    note_named(work, number);
    return 0;
}

static int put_role(struct record_work *work, struct doc_writer *w, const struct kind_role *role,
                    const struct doc_value *given, struct err *err)
{
    bool is_list = given->type == DOC_ARRAY;
    struct holders holders = { .count = 0 };
    int rc = 0;
    if (is_list && (doc_count(given->doc) > RECORD_CUSTOMERS_MAX ||
                    (doc_count(given->doc) > 1 && !role->is_many)))
        return record_fail(work, E_LIMIT,
                           say(work,
                               role->is_many ? "the role \"%s\": too many customers"
                                             : "the role \"%s\" is one customer's",
                               role->name),
                           err);
    for (struct doc_iter it = doc_iter(given->doc); is_list && rc == 0 && doc_next(&it);)
        rc = add_holder(work, &holders, role->name, &it.value, err);
    if (!is_list)
        rc = add_holder(work, &holders, role->name, given, err);
    doc_open_array_text(w, role->name);
    for (size_t i = 0; i < holders.count; i++)
        doc_put_int(w, "", (int64_t)holders.numbers[i]);
    doc_close(w);
    return rc;
}

static int check_roles(struct record_work *work, struct doc given, struct err *err)
{
    const struct kind *kind = work->record.kind;
    struct arena *arena = &work->engine->arena;
    ASSERT(kind != NULL);
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        size_t role = kind_role_find(kind, it.name);
        if (role == KIND_NONE)
            return record_fail(work, E_INVALID,
                               arena_printf(arena, "%s; %s",
                                            say(work, "there is no role \"%s\"", it.name),
                                            kind_meant(it.name, &kind->roles->name,
                                                       kind->role_count, sizeof *kind->roles, arena)
                                                .data)
                                   .data,
                               err);
        if (kind->roles[role].is_subject)
            return record_fail(work, E_INVALID,
                               say(work, "\"%s\" is whom it is about, and stays so", it.name), err);
    }
    return 0;
}

/* Those that are given are others from now on; null: nobody. */
static int set_roles(struct record_work *work, struct doc given, struct err *err)
{
    struct engine *engine = work->engine;
    const struct kind *kind = work->record.kind;
    struct doc_writer w;
    ASSERT(kind != NULL);
    int rc = check_roles(work, given, err);
    if (rc != 0 || doc_count(given) == 0)
        return rc;
    buf_clear(&engine->scratch);
    doc_begin(&w, &engine->scratch);
    for (size_t i = 0; rc == 0 && i < kind->role_count; i++) {
        struct doc_value value = given_value(given, kind->roles[i].name);
        struct doc_value before = doc_get_text(work->record.roles, kind->roles[i].name);
        bool is_nobody =
            value.type == DOC_NULL ||
            ((value.type == DOC_ARRAY || value.type == DOC_DOC) && doc_count(value.doc) == 0);
        if (value.type == DOC_NONE)
            doc_put_value_text(&w, kind->roles[i].name, &before);
        else if (!is_nobody)
            rc = put_role(work, &w, &kind->roles[i], &value, err);
    }
    if (rc == 0)
        work->record.roles = arena_doc(&engine->arena, doc_end(&w));
    return rc;
}

/* -- Creating -------------------------------------------------------------- */

static int check_cascade(const struct record_work *work, struct err *err)
{
    if (work->step->rule == NULL)
        return 0;
    int rc = step_check_depth(work->step, work->word, err);
    return rc != 0 ? rc : step_check_derived(work->step, work->word, err);
}

static int begin_new(struct record_work *work, const struct record_request *request,
                     struct err *err)
{
    const struct step *step = work->step;
    struct record *record = &work->record;
    const struct kind *kind = find_kind(work, request->kind, err);
    if (kind == NULL)
        return E_NOTFOUND;
    size_t subject = kind_subject(kind);
    bool has_subject = subject != KIND_NONE && work->customer != NULL;
    if (subject == KIND_NONE && work->customer != NULL && step->event->class == LOG_STAFF)
        return record_fail(work, E_INVALID,
                           say(work, "a %s is about nobody: name no customer", kind->name), err);
    if (subject != KIND_NONE && work->customer == NULL && !kind->roles[subject].is_optional)
        return record_fail(work, E_INVALID,
                           say(work, "a %s is about a customer: one is needed", kind->name), err);
    *record = (struct record){
        .kind = kind,
        .kind_name = kind->name,
        .state = kind->states[0].name,
        .by = step->rule != NULL ? step->rule->name : step->event->by,
        .created = work->engine->now,
        .since = work->engine->now,
    };
    if (has_subject)
        record->customer = step->customer.members[step->customer.own].number;
    else
        work->customer = NULL;
    if (step->rule == NULL && step->event->id.size <= 2 * IDENTITY_BYTES_MAX)
        record->made = step->event->id;
    return record_check_owner(work, request->owner, err);
}

int record_create(struct record_work *work, const struct record_request *request, struct err *err)
{
    bool is_stored;
    int rc = check_cascade(work, err);
    if (rc == 0)
        rc = begin_new(work, request, err);
    if (rc == 0)
        work->to = request->owner.size != 0 ? request->owner : record_first_owner(work);
    if (rc == 0)
        rc = set_roles(work, request->customers, err);
    if (rc == 0)
        rc = set_fields(work, request->fields, err);
    if (rc == 0 && doc_count(request->lines) != 0)
        rc = set_lines(work, request->lines, err);
    if (rc == 0)
        rc = record_own(work, work->to, err);
    if (rc == 0)
        rc = record_work_store(work, &is_stored, err);
    if (rc != 0)
        return rc;
    record_tell_created(work);
    record_deadlines(work);
    return 0;
}

int step_create_record(struct step *step, const struct record_request *request,
                       uint64_t *out_number, struct err *err)
{
    struct record_work work;
    record_work_begin(&work, step, "create");
    int rc = record_create(&work, request, err);
    if (rc == 0)
        *out_number = work.record.number;
    return rc;
}

/* -- Changing -------------------------------------------------------------- */

bool step_record(struct step *step, struct text kind, uint64_t number, struct record *out_record)
{
    struct record record;
    if (!record_load(&record, step->engine, kind, number))
        return false;
    bool is_hers = false;
    for (size_t i = 0; i < step->customer.count; i++)
        is_hers = is_hers || step->customer.members[i].number == record.customer;
    if (!is_hers && (record.customer != 0 || step->customer.number != 0))
        return false;
    *out_record = record;
    return true;
}

/* The lowest number above `last` among a member's open ones; 0: none. */
static uint64_t next_open(struct engine *engine, uint64_t member, struct text kind, uint64_t last)
{
    struct key prefix;
    key_customer(&prefix, member, 'a');
    key_text(&prefix, kind);
    return engine_next_number(engine, &prefix, last);
}

size_t step_open_records(struct step *step, struct text kind, uint64_t last, uint64_t *out_numbers,
                         size_t most)
{
    size_t count = 0;
    uint64_t lowest;
    if (kind.size > KIND_NAME_BYTES_MAX)
        return 0;
    do {
        lowest = 0;
        for (size_t i = 0; i < step->customer.count; i++) {
            uint64_t number = next_open(step->engine, step->customer.members[i].number, kind, last);
            if (number != 0 && (lowest == 0 || number < lowest))
                lowest = number;
        }
        if (lowest != 0 && count < most)
            out_numbers[count++] = lowest;
        last = lowest;
    } while (lowest != 0 && count < most);
    return count;
}

/* Begin to change one that is there. */
int record_open(struct record_work *work, struct text kind, uint64_t number, struct err *err)
{
    struct arena *arena = &work->engine->arena;
    if (!step_record(work->step, kind, number, &work->before))
        return record_fail(work, E_NOTFOUND,
                           arena_printf(arena,
                                        work->step->rule != NULL
                                            ? "there is no %.*s %llu about this customer"
                                            : "there is no %.*s %llu",
                                        (int)(kind.size < KIND_NAME_BYTES_MAX ? kind.size : 0),
                                        kind.data, (unsigned long long)number)
                               .data,
                           err);
    if (work->before.kind == NULL && find_kind(work, kind, err) == NULL)
        return E_NOTFOUND;
    if (work->before.customer == 0)
        work->customer = NULL;
    work->record = work->before;
    return check_cascade(work, err);
}

static int set_all(struct record_work *work, const struct record_change *change, struct err *err)
{
    work->to = change->has_owner ? change->owner : work->record.owner;
    int rc = set_roles(work, change->customers, err);
    if (rc == 0)
        rc = set_fields(work, change->fields, err);
    if (rc == 0 && change->lines.type != DOC_NONE)
        rc = set_lines(work, change->lines.doc, err);
    if (rc == 0 && change->has_owner)
        rc = record_check_owner(work, change->owner, err);
    if (rc == 0 && change->has_owner)
        rc = record_own(work, change->owner, err);
    return rc;
}

int record_set(struct record_work *work, const struct record_change *what, struct err *err)
{
    bool is_stored;
    int rc = set_all(work, what, err);
    if (rc == 0)
        rc = record_work_store(work, &is_stored, err);
    if (rc != 0 || !is_stored)
        return rc;
    if (!record_is_same(work->before.fields, work->record.fields) ||
        !record_is_same(work->before.roles, work->record.roles) ||
        !record_is_same(work->before.lines, work->record.lines))
        record_tell_changed(work);
    if (!text_equal(work->before.owner, work->record.owner))
        record_tell_assigned(work);
    record_deadlines(work);
    return 0;
}

int step_set_record(struct step *step, struct text kind, uint64_t number, struct text name,
                    const struct doc_value *value, struct err *err)
{
    struct record_work work;
    struct doc_writer w;
    record_work_begin(&work, step, "set");
    int rc = record_open(&work, kind, number, err);
    if (rc != 0)
        return rc;
    engine_draft(step->engine, &w);
    doc_put_value_text(&w, name, value);
    struct record_change what = { .fields = engine_doc(step->engine, &w) };
    return record_set(&work, &what, err);
}

int step_assign_record(struct step *step, struct text kind, uint64_t number, struct text to,
                       struct err *err)
{
    struct record_work work;
    struct record_change what = { .owner = to, .has_owner = true };
    record_work_begin(&work, step, "assign");
    int rc = record_open(&work, kind, number, err);
    return rc != 0 ? rc : record_set(&work, &what, err);
}

/* -- Moving ---------------------------------------------------------------- */

/* Waiting begins or ends.  E_LIMIT. */
static int set_pauses(struct record_work *work, bool waits, bool waited, struct err *err)
{
    struct engine *engine = work->engine;
    struct record *record = &work->record;
    struct doc_writer w;
    if (waits == waited)
        return 0;
    if (waits && doc_count(record->pauses) >= 2 * RECORD_PAUSES_MAX)
        return record_fail(work, E_LIMIT,
                           arena_printf(&engine->arena,
                                        "it has waited %d times already, and may not again",
                                        RECORD_PAUSES_MAX)
                               .data,
                           err);
    engine_draft(engine, &w);
    doc_open_array(&w, "pauses");
    for (struct doc_iter it = doc_iter(record->pauses); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_put_int(&w, "", engine->now);
    doc_close(&w);
    record->pauses = doc_child(engine_doc(engine, &w), "pauses");
    return 0;
}

static int refuse_move(struct record_work *work, size_t transition, struct err *err)
{
    const struct kind *kind = work->record.kind;
    const struct kind_transition *wanted = &kind->transitions[transition];
    struct arena *arena = &work->engine->arena;
    return record_fail(work, E_CONFLICT,
                       arena_printf(arena, "\"%s\" is not possible: %s %llu is %s, and not %s",
                                    wanted->name.data, kind->name.data,
                                    (unsigned long long)work->record.number,
                                    arena_text(arena, work->record.state).data,
                                    kind_states_text(kind, wanted->from, arena).data)
                           .data,
                       err);
}

static int check_needed(struct record_work *work, const struct kind_transition *transition,
                        struct err *err)
{
    const struct kind *kind = work->record.kind;
    struct arena *arena = &work->engine->arena;
    for (size_t i = 0; i < transition->field_count; i++)
        if (!has_value(&work->record, &kind->fields[transition->fields[i]]))
            return record_fail(work, E_INVALID,
                               arena_printf(arena, "to \"%s\" it, the field \"%s\" is needed",
                                            transition->name.data,
                                            kind->fields[transition->fields[i]].name.data)
                                   .data,
                               err);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < transition->field_count; i++)
        rc = record_check_reference(work, &kind->fields[transition->fields[i]], err);
    return rc;
}

static int set_state(struct record_work *work, size_t transition, struct err *err)
{
    struct record *record = &work->record;
    const struct kind *kind = record->kind;
    const struct kind_state *to = &kind->states[kind->transitions[transition].to];
    size_t from = kind_state_find(kind, record->state);
    bool waited =
        from != KIND_NONE ? kind->states[from].is_waiting : doc_count(record->pauses) % 2 != 0;
    int rc = set_pauses(work, to->is_waiting, waited, err);
    record->state = to->name;
    record->since = work->engine->now;
    return rc;
}

int record_move(struct record_work *work, struct text name, struct text note,
                const struct record_change *what, struct err *err)
{
    const struct kind *kind = work->record.kind;
    size_t transition = kind_transition_find(kind, name);
    bool is_stored;
    ASSERT(kind != NULL);
    struct err why;
    if (record_check_transition(kind, name, &work->engine->arena, &why) != 0)
        return record_fail(work, why.code, why.text, err);
    /* A state that the kind has no more can be left by whatever may be left from anywhere. */
    size_t state = kind_state_find(kind, work->record.state);
    if (state != KIND_NONE && !kind_is_in(kind->transitions[transition].from, state))
        return refuse_move(work, transition, err);
    int rc = record_check_step(work, &kind->transitions[transition], err);
    if (rc == 0)
        rc = set_all(work, what, err);
    if (rc == 0)
        rc = check_needed(work, &kind->transitions[transition], err);
    if (rc == 0)
        rc = set_state(work, transition, err);
    if (rc == 0)
        rc = record_work_store(work, &is_stored, err);
    if (rc != 0)
        return rc;
    record_tell_moved(work, name, note);
    if (!text_equal(work->before.owner, work->record.owner))
        record_tell_assigned(work);
    record_deadlines(work);
    return 0;
}

int step_move_record(struct step *step, struct text kind, uint64_t number, struct text transition,
                     struct doc fields, struct err *err)
{
    struct record_work work;
    struct record_change what = { .fields = fields };
    record_work_begin(&work, step, "move");
    int rc = record_open(&work, kind, number, err);
    return rc != 0 ? rc : record_move(&work, transition, (struct text){ "", 0 }, &what, err);
}
