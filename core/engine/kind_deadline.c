/* kind_deadline.c -- the deadlines of a declaration: when they run, how long, who hears of it.
 *
 *     answer = { from = "received", due = "1wd", due_by = { severity = { critical = "4wh" } },
 *                to = "owner", escalate = { { after = "4wh", to = "managers" } } }
 *
 * It runs in the states of `from`; it is met by leaving them, or with `met` by entering one of
 * those.  A state that waits pauses all deadlines, so none can run in it.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/moment.h"
#include "core/engine/kind_inside.h"

#include <stdio.h>
#include <string.h>

static int read_span(struct parsing *p, const char *where, const char *name, struct text words,
                     struct kind_span *span)
{
    struct err err;
    span->words = words;
    if (words.size == 0)
        return parse_fail(p, E_INVALID, "%s%s is needed: how long, as in \"1wd\"", where, name);
    if (duration_parse(words.data, words.size, &span->duration, &err) != 0)
        return parse_fail(p, E_INVALID, "%s%s: %s", where, name, err.text);
    if (span->duration.count <= 0)
        return parse_fail(p, E_INVALID, "%s%s: \"%s\" is not ahead: it is more than 0", where, name,
                          words.data);
    return 0;
}

static int read_case(struct parsing *p, const char *where, struct kind_deadline *deadline,
                     const struct doc_iter *it)
{
    const struct kind_field *field = &p->kind->fields[deadline->by_field];
    struct kind_case *one = &deadline->cases[deadline->case_count++];
    size_t i = 0;
    while (i < field->value_count && !text_equal(field->values[i], it->name))
        i++;
    if (i == field->value_count)
        return parse_fail(
            p, E_INVALID, "%sdue_by.%s: \"%.64s\" is none of its values; %s", where,
            field->name.data, it->name.data,
            kind_meant(it->name, field->values, field->value_count, sizeof *field->values, p->arena)
                .data);
    one->value = it->name;
    if (it->value.type != DOC_TEXT)
        return parse_fail(p, E_INVALID, "%sdue_by.%s.%s is how long, as in \"4wh\"", where,
                          field->name.data, it->name.data);
    return read_span(p, where, "due_by", it->value.text, &one->due);
}

/* due_by = { severity = { critical = "4wh", high = "1wd" } } */
static int read_cases(struct parsing *p, const char *where, struct doc doc,
                      struct kind_deadline *deadline)
{
    struct doc_value by = { .type = DOC_NONE };
    deadline->by_field = KIND_NONE;
    int rc = parse_get(p, where, doc, "due_by", DOC_DOC,
                       "{ FIELD = { VALUE = how long } } of one field that is a choice", &by);
    if (rc != 0 || by.type == DOC_NONE)
        return rc;
    struct doc_iter it = doc_iter(by.doc);
    bool is_one = doc_count(by.doc) == 1 && doc_next(&it) && it.value.type == DOC_DOC;
    if (is_one)
        deadline->by_field = kind_field_find(p->kind, it.name);
    if (!is_one || deadline->by_field == KIND_NONE ||
        p->kind->fields[deadline->by_field].type != KIND_CHOICE)
        return parse_fail(
            p, E_INVALID,
            "%sdue_by is { FIELD = { VALUE = how long } } of one field that is a choice", where);
    deadline->cases = arena_zero(p->arena, (doc_count(it.value.doc) + 1) * sizeof *deadline->cases);
    for (struct doc_iter each = doc_iter(it.value.doc); rc == 0 && doc_next(&each);)
        rc = read_case(p, where, deadline, &each);
    return rc;
}

/* "4wh managers": what an operator writes into a list of texts. */
static int read_step_words(struct parsing *p, const char *where, struct text words,
                           struct kind_step *step)
{
    const char *blank = words.size != 0 ? memchr(words.data, ' ', words.size) : NULL;
    if (blank == NULL || blank[1] == '\0')
        return parse_fail(p, E_INVALID,
                          "%sescalate: \"%.64s\" is how long and to whom, as in \"4wh managers\"",
                          where, words.data);
    uint32_t size = (uint32_t)(blank - words.data);
    step->to = (struct text){ blank + 1, words.size - size - 1 };
    return read_span(p, where, "escalate", arena_text(p->arena, (struct text){ words.data, size }),
                     &step->after);
}

static int read_step(struct parsing *p, const char *where, const struct doc_value *value,
                     struct kind_deadline *deadline)
{
    static const char *const names[] = { "after", "to" };
    const char *at = arena_printf(p->arena, "%sescalate.", where).data;
    struct kind_step *step = &deadline->steps[deadline->step_count++];
    struct text after = { "", 0 };
    if (value->type == DOC_TEXT)
        return read_step_words(p, where, value->text, step);
    if (value->type != DOC_DOC)
        return parse_fail(p, E_INVALID,
                          "%sescalate is a list of { after = \"4wh\", to = \"manager\" }", where);
    int rc = parse_check_names(p, at, value->doc, names, COUNT(names));
    if (rc == 0)
        rc = parse_text(p, at, value->doc, "after", &after);
    if (rc == 0)
        rc = read_span(p, at, "after", after, &step->after);
    if (rc == 0)
        rc = parse_text(p, at, value->doc, "to", &step->to);
    if (rc == 0 && step->to.size == 0)
        return parse_fail(p, E_INVALID, "%sto is needed: whose it is from then on", at);
    return rc;
}

static int read_steps(struct parsing *p, const char *where, struct doc doc,
                      struct kind_deadline *deadline)
{
    struct doc_value steps = doc_get(doc, "escalate");
    size_t count = steps.type == DOC_ARRAY ? doc_count(steps.doc) : 1;
    int rc = 0;
    if (steps.type == DOC_NONE || steps.type == DOC_NULL)
        return 0;
    if (count > KIND_ESCALATE_MAX)
        return parse_fail(p, E_LIMIT, "%sescalate: at most %d steps", where, KIND_ESCALATE_MAX);
    deadline->steps = arena_zero(p->arena, (count + 1) * sizeof *deadline->steps);
    if (steps.type != DOC_ARRAY)
        return read_step(p, where, &steps, deadline);
    for (struct doc_iter it = doc_iter(steps.doc); rc == 0 && doc_next(&it);)
        rc = read_step(p, where, &it.value, deadline);
    return rc;
}

/* "17:30"; -1: not said. */
static int read_minute(struct parsing *p, const char *where, struct doc doc,
                       struct kind_deadline *deadline)
{
    struct text at = { "", 0 };
    int rc = parse_text(p, where, doc, "at", &at);
    deadline->at_minute = -1;
    if (rc != 0 || at.size == 0)
        return rc;
    if (!moment_parse_clock(at.data, at.size, &deadline->at_minute))
        return parse_fail(p, E_INVALID, "%sat is a time of day like \"17:30\"", where);
    if (duration_is_elapsed(deadline->due.duration) ||
        deadline->due.duration.unit == DURATION_WORKHOURS)
        return parse_fail(p, E_INVALID, "%sat goes with d, w, mo, y and wd", where);
    return 0;
}

/* Since when: entering one of the states, "created", or what a field says. */
static int read_since(struct parsing *p, const char *where, struct doc doc,
                      struct kind_deadline *deadline)
{
    const struct kind *kind = p->kind;
    struct text since = { "", 0 };
    int rc = parse_text(p, where, doc, "since", &since);
    deadline->since_field = KIND_NONE;
    if (rc != 0 || since.size == 0)
        return rc;
    deadline->since = KIND_SINCE_CREATED;
    if (text_is(since, "created"))
        return 0;
    deadline->since = KIND_SINCE_FIELD;
    deadline->since_field = kind_field_find(kind, since);
    if (deadline->since_field != KIND_NONE &&
        (kind->fields[deadline->since_field].type == KIND_TIME ||
         kind->fields[deadline->since_field].type == KIND_DATE))
        return 0;
    return parse_fail(p, E_INVALID, "%ssince is \"created\", or a field that is a time or a date",
                      where);
}

static int check_from(struct parsing *p, const char *where, const struct kind_deadline *deadline)
{
    const struct kind *kind = p->kind;
    if (deadline->from == 0)
        return parse_fail(p, E_INVALID, "%sfrom is needed: the states in which it runs", where);
    for (size_t i = 0; i < kind->state_count; i++)
        if (kind_is_in(deadline->from, i) &&
            (kind->states[i].is_waiting || kind->states[i].is_final))
            return parse_fail(p, E_INVALID, "%sfrom: in \"%s\" no deadline runs: it is %s", where,
                              kind->states[i].name.data,
                              kind->states[i].is_final ? "final" : "waiting, which pauses all");
    if ((deadline->from & deadline->met) != 0)
        return parse_fail(p, E_INVALID, "%smet: it runs in that state: it is met by leaving it",
                          where);
    return 0;
}

static int read_deadline(struct parsing *p, const struct doc_iter *it,
                         struct kind_deadline *deadline)
{
    static const char *const names[] = { "from",     "since", "met",        "due",
                                         "due_by",   "at",    "to",         "calendar",
                                         "escalate", "title", "description" };
    const char *where = parse_place(p, "deadlines", it->name);
    struct doc doc = it->value.doc;
    struct text due = { "", 0 };
    if (it->value.type != DOC_DOC)
        return parse_fail(p, E_INVALID, "deadlines.%s is { from = ..., due = \"1wd\", to = ... }",
                          it->name.data);
    deadline->name = it->name;
    int rc = parse_check_names(p, where, doc, names, COUNT(names));
    if (rc == 0)
        rc = parse_states(p, where, doc, "from", false, &deadline->from);
    if (rc == 0)
        rc = parse_states(p, where, doc, "met", true, &deadline->met);
    if (rc == 0)
        rc = check_from(p, where, deadline);
    if (rc == 0)
        rc = parse_text(p, where, doc, "due", &due);
    if (rc == 0)
        rc = read_span(p, where, "due", due, &deadline->due);
    if (rc == 0)
        rc = read_cases(p, where, doc, deadline);
    if (rc == 0)
        rc = read_since(p, where, doc, deadline);
    if (rc == 0)
        rc = read_minute(p, where, doc, deadline);
    if (rc == 0)
        rc = parse_text(p, where, doc, "calendar", &deadline->calendar);
    if (rc == 0)
        rc = parse_text(p, where, doc, "to", &deadline->to);
    if (rc == 0)
        rc = parse_text(p, where, doc, "title", &deadline->title);
    return rc != 0 ? rc : read_steps(p, where, doc, deadline);
}

int kind_read_deadlines(struct parsing *p, struct doc doc)
{
    struct kind *kind = p->kind;
    struct doc map;
    int rc = parse_map(p, doc, "deadlines", KIND_DEADLINES_MAX, &map, &kind->deadline_count);
    if (rc != 0)
        return rc;
    kind->deadlines = arena_zero(p->arena, (kind->deadline_count + 1) * sizeof *kind->deadlines);
    struct kind_deadline *deadline = kind->deadlines;
    for (struct doc_iter it = doc_iter(map); rc == 0 && doc_next(&it);)
        rc = read_deadline(p, &it, deadline++);
    return rc;
}
