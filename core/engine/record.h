/* record.h -- an object of a declared kind: a complaint, a warranty, an order.
 *
 * A record is one row of the state and a few rows by which it is found.  In memory it is a struct
 * whose documents are never changed in place: a change builds new ones in the arena, is checked
 * whole, and is stored at last, so that whatever is refused has changed nothing.
 *
 * It is about one customer, its subject, or about nobody.  It stays with the number that it was
 * created under, also after a merge.  Engine thread only, but for what says otherwise.
 */
#ifndef CORE_ENGINE_RECORD_H
#define CORE_ENGINE_RECORD_H

#include "core/engine/kind.h"

struct engine;
struct err;
struct key;

struct record {
    const struct kind *kind; /* NULL: it is declared no more */
    struct text kind_name;
    uint64_t number, customer, version; /* customer 0: about nobody */
    struct text state, owner, by;
    struct text made;       /* the id of the call that made it; may be empty */
    int64_t created, since; /* logged; since when it is in its state */
    bool is_open;           /* its state is not final, as it is listed */
    struct doc fields;      /* {NAME: value}, in the order of the declaration */
    struct doc roles;       /* {ROLE: [customer, ...]}, without the subject */
    struct doc lines;       /* [{NAME: value}, ...] */
    struct doc links;       /* [{type, kind, number}, ...] */
    struct doc pauses;      /* [from, until, from, ...] in ms: when it waited */
};

#define RECORD_PAUSES_MAX 100
#define RECORD_LINKS_MAX 200
#define RECORD_CUSTOMERS_MAX 50 /* of one role */
#define RECORD_ABOUT_MAX (KIND_NAME_BYTES_MAX + 24)

/* "complaint:17".  False: it is written otherwise.  Pure. */
bool record_about_parse(struct text about, struct text *out_kind, uint64_t *out_number);
struct text record_about(const struct record *record, struct arena *arena);

/* Copied into the engine's arena.  False: no such record. */
bool record_load(struct record *record, struct engine *engine, struct text kind, uint64_t number);
/* The same of a row, which is borrowed; `kind` may be NULL.  Pure. */
void record_read(struct record *record, const struct kind *kind, struct text kind_name,
                 uint64_t number, struct doc row);

/* Whether the kind that is in force has more to come behind its state.  Pure. */
bool record_has_more(const struct record *record);
/* What `record.NAME` is: a field's value; DOC_NONE.  Pure. */
struct doc_value record_field(const struct record *record, struct text name);

/* By an external id; 0: there is none. */
uint64_t record_find(struct engine *engine, struct text kind, struct text field, struct text value);

/* -- What is refused whatever else is known; pure -------------------------- */
/* Fields that are given to a record of that kind.  E_INVALID, E_LIMIT. */
int record_check_given(const struct kind *kind, struct doc given, struct arena *arena,
                       struct err *err);
/* E_NOTFOUND. */
int record_check_transition(const struct kind *kind, struct text name, struct arena *arena,
                            struct err *err);

/* -- Keys (docs/state.md); any thread ------------------------------------- */
void key_record(struct key *key, struct text kind, uint64_t number);
void key_deadlines(struct key *key, struct text kind, uint64_t number);
/* Lists, the newest first: by `list`, then what of state and owner it goes by, then number. */
enum record_list {
    RECORDS_OPEN = 'p',       /* of those that are not final */
    RECORDS_STATE = 's',      /* state */
    RECORDS_OWNER = 'o',      /* owner */
    RECORDS_OPEN_OWNER = 'q', /* owner, of those that are not final */
    RECORDS_STATE_OWNER = 'b',
};
void key_records(struct key *key, enum record_list list, struct text kind, struct text state,
                 struct text owner);
void key_external(struct key *key, struct text kind, struct text field, struct text value);
/* Of a customer: all records in which she has a role, the subject's included. */
void key_records_of(struct key *key, uint64_t customer, struct text kind);
/* Links from the other side. */
void key_links_to(struct key *key, struct text kind, uint64_t number);

#endif
