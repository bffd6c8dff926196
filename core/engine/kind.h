/* kind.h -- what a kind of record is: its fields, states, transitions, roles and deadlines.
 *
 * A kind is declared by one document, the same whether a bundle's Lua or somebody else made it, and
 * read by one parser, whose errors are for the author: where, what is wrong, what is allowed, which
 * name was probably meant.  docs/records.md, "Declaring a kind", has the document.
 *
 *     {name, description, fields: {NAME: FIELD}, roles: {NAME: ROLE}, states: [STATE, ...],
 *      transitions: {NAME: TRANSITION}, lines: {NAME: FIELD}, deadlines: {NAME: DEADLINE},
 *      owner, title}
 *
 * Without `roles` it has one, "customer", an optional subject; with none in it all records are
 * about nobody.  States are at most 64, so that a set of them is one word.  A kind never changes
 * once it is read; all that it holds is memory of the arena it was read into, which must outlive
 * it.  Any thread.
 */
#ifndef CORE_ENGINE_KIND_H
#define CORE_ENGINE_KIND_H

#include "core/base/arena.h"
#include "core/base/doc.h"
#include "core/base/duration.h"

struct err;
struct plugins;
struct ruleset;

/* Of one declaration. */
#define KINDS_MAX 64 /* in force */
#define KIND_NAME_BYTES_MAX 64
#define KIND_FIELDS_MAX 100 /* and of a line */
#define KIND_VALUES_MAX 200 /* of a choice */
#define KIND_ROLES_MAX 16
#define KIND_STATES_MAX 64
#define KIND_TRANSITIONS_MAX 100
#define KIND_DEADLINES_MAX 16
#define KIND_ESCALATE_MAX 8 /* steps of a deadline */

#define KIND_NONE SIZE_MAX /* no such field, state ... */

enum kind_type {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_WHOLE,
    KIND_MONEY,    /* {amount, currency} */
    KIND_DATE,     /* text, 2026-12-01 */
    KIND_TIME,     /* an instant */
    KIND_FLAG,     /* true or false */
    KIND_CHOICE,   /* one of the texts in `values` */
    KIND_CUSTOMER, /* her number */
    KIND_STAFF,    /* a name */
    KIND_RECORD,   /* the number of a record of the kind `of` */
    KIND_LIST,     /* of values of the type `item` */
};

struct kind_field {
    struct text name;
    enum kind_type type;
    enum kind_type item; /* of a list: text, number, whole or choice */
    struct text of;      /* of a record */
    struct text *values;
    size_t value_count;
    bool is_required, is_searchable, is_external;
    bool is_personal;
    bool is_plugins;       /* a plugin alone sets it */
    bool is_callers;       /* the name of whoever sets it, where her key says who she is */
    bool is_unsigned;      /* of numbers and money: not below zero */
    bool has_same_subject; /* of a record: it is about the same customer, and no circle closes */
    struct text role;      /* whose personal data it is; empty: the subject's */
};

struct kind_role {
    struct text name;
    bool is_subject, is_required, is_many;
    bool is_optional; /* the subject's: a record may be about nobody */
};

struct kind_state {
    struct text name;
    bool is_final, is_waiting;
};

struct kind_transition {
    struct text name;
    uint64_t from; /* states */
    size_t to;
    size_t *fields; /* that the record must have then */
    size_t field_count;
    bool is_plugins; /* a plugin alone takes it */
};

/* How long: "1wd". */
struct kind_span {
    struct text words;
    struct duration duration;
};

/* A value of the field that a deadline goes by, and how long it has then. */
struct kind_case {
    struct text value;
    struct kind_span due;
};

/* So long after it was due the reminder is somebody else's. */
struct kind_step {
    struct kind_span after;
    struct text to;
};

enum kind_since { KIND_SINCE_STATE, KIND_SINCE_CREATED, KIND_SINCE_FIELD };

struct kind_deadline {
    struct text name, title;
    uint64_t from; /* it runs in these states ... */
    uint64_t met;  /* ... and is met in these; 0: in all others */
    enum kind_since since;
    size_t since_field;
    struct kind_span due;
    size_t by_field; /* KIND_NONE: it is always `due` */
    struct kind_case *cases;
    size_t case_count;
    int at_minute;        /* of the day; -1: not said */
    struct text calendar; /* empty: the company's */
    struct text to;       /* who is reminded; empty: nobody */
    struct kind_step *steps;
    size_t step_count;
};

struct kind {
    struct text name, description;
    struct kind_field *fields;
    size_t field_count;
    struct kind_field *lines; /* fields of a line; none: it has no lines */
    size_t line_count;
    struct kind_role *roles;
    size_t role_count;
    struct kind_state *states;
    size_t state_count;
    struct kind_transition *transitions;
    size_t transition_count;
    struct kind_deadline *deadlines;
    size_t deadline_count;
    struct text owner; /* of a new one; empty: nobody, "owner": the customer's */
    size_t title;      /* the field that it is called by; KIND_NONE: none */
};

/* Read a declaration.  `document` is copied into the arena first.  E_INVALID, E_LIMIT. */
int kind_parse(struct doc document, struct arena *arena, struct kind *out, struct err *err);

/* The place of a name; KIND_NONE. */
size_t kind_field_find(const struct kind *kind, struct text name);
size_t kind_state_find(const struct kind *kind, struct text name);
size_t kind_role_find(const struct kind *kind, struct text name);
size_t kind_transition_find(const struct kind *kind, struct text name);
size_t kind_deadline_find(const struct kind *kind, struct text name);
/* The role whose customer is the subject; KIND_NONE: records of this kind are about nobody. */
size_t kind_subject(const struct kind *kind);

static inline bool kind_is_in(uint64_t states, size_t state)
{
    return state != KIND_NONE && (states >> state & 1) != 0;
}

/* What a field's type is called. */
const char *kind_type_name(enum kind_type type);

/* The names of a list of things, for reasons: "received, acknowledged, closed", cut where it
 * becomes too long. */
struct text kind_states_text(const struct kind *kind, uint64_t states, struct arena *arena);

/* "did you mean X?" or the list of what there is, behind a name that is none: `names` is an array
 * of `count` texts, `stride` bytes apart. */
struct text kind_meant(struct text given, const struct text *names, size_t count, size_t stride,
                       struct arena *arena);

/* What happens to records of any kind, as the second word of an event's type: "complaint.overdue".
 * No state may be called so. */
bool kind_is_happening(struct text word);

/* -- The kinds in force: those of the bundle, and of whoever else declares some -------------------
 *
 * Whoever declares keeps the memory; a table holds pointers. */
struct kinds {
    const struct kind *items[KINDS_MAX];
    size_t count;
};

/* What plugins and rules declare together; either may be NULL.  E_CONFLICT: a name is taken, or is
 * that of a plugin which does not declare it; E_LIMIT.  The table is then of no use. */
int kinds_in_force(const struct plugins *plugins, const struct ruleset *rules, struct kinds *out,
                   struct err *err);
const struct kind *kinds_find(const struct kinds *kinds, struct text name); /* NULL: none */
/* Whether the type is an event of a kind in force: its first word, up to a dot, is its name. */
bool kinds_own_type(const struct kinds *kinds, struct text type);

#endif
