/* subject.h -- shared subjects: what many customers draw on, and none of them owns.
 *
 * A step changes one subject alone.  A pool of coupons or a budget is a subject like a customer: it
 * has an address ("pool:spring"), a state, timers and a timeline of its own, and whoever wants
 * something of it sends it an event and is answered by one.
 *
 *     a rule, in the customer's step    ask("pool:spring", "take", {...})
 *     table `outgoing`, then the log    pool.take {pool, key, members}   ref pool:spring, from 42
 *     the subject's step                its rows change; nobody else is read or written
 *     table `outgoing`, then the log    pool.taken {pool, key, code}      ref 42, from 42
 *     the customer's step               rules on "pool.taken" run
 *
 * Both ways have ids made of their causes, so that a crash or a replay lets neither happen twice
 * (docs/log.md).  What a kind of subject is made of is one `struct subject_kind`: its words, what
 * it answers, its timers.  Kinds know nothing of the log, of rules or of HTTP; another kind is
 * another file and a row in subject.c.
 *
 * Rows of a subject lie under `S` and its address (docs/state.md).  Engine thread only.
 */
#ifndef CORE_ENGINE_SUBJECT_H
#define CORE_ENGINE_SUBJECT_H

#include "core/base/doc.h"
#include "storage/key.h"

struct customer;
struct engine;
struct err;
struct event;
struct step;
struct subject_kind;

struct subject {
    struct engine *engine;
    const struct subject_kind *kind;
    struct text name, address; /* "spring", "pool:spring" */
    struct doc terms;          /* as the bundle in force declares it; none: it does not */
    struct doc row;            /* its own, as it is stored; none: nothing has happened yet */
    unsigned depth;            /* of the event or timer that it answers */
};

/* What a customer wants. */
struct ask {
    struct text word; /* "take" */
    struct text key;  /* told apart by it; may be empty */
    struct doc data;  /* all of it, as kind->check() has left it */
    uint64_t customer;
    uint64_t *members; /* all who are she: `customer` first */
    size_t member_count;
};

struct subject_kind {
    const char *name;
    const char *const *words; /* NULL behind the last */
    /* What a rule gave with `word` is copied to `w`, checked: E_INVALID in words for its author. */
    int (*check)(struct text word, struct doc given, struct doc_writer *w, struct err *err);
    /* Change rows of the subject, and answer by subject_answer() once. */
    void (*answer)(struct subject *subject, const struct ask *ask);
    /* Staff's "pool.load": refused by engine_refuse().  NULL: no command is the kind's. */
    void (*command)(struct subject *subject, struct text word, struct doc data);
    void (*timer)(struct subject *subject, struct doc payload);
    /* What this customer has under `key` stays as it is and is nobody's. */
    void (*forget)(struct subject *subject, uint64_t customer, struct text key);
    void (*show)(const struct subject *subject, struct doc_writer *w);
};

extern const struct subject_kind pool_kind, budget_kind;

/* -- For kinds ------------------------------------------------------------ */

/* A row of it, in sub-table `table`; the caller adds what follows. */
void subject_key(struct key *key, const struct subject *subject, char table);
void subject_store(struct subject *subject, struct doc row); /* its own row */
/* A document begun with the subject's name under its kind's: {pool: "spring", ... */
void subject_draft(const struct subject *subject, struct doc_writer *w);
/* To whoever asked, or (a timer's) to a customer: an event "<kind>.<word>". */
void subject_answer(struct subject *subject, uint64_t customer, const char *word, struct doc data);
/* An event of the subject itself, about nobody: on its timeline, and rules hear of it. */
void subject_tell(struct subject *subject, const char *word, struct doc data);
/* One timer a name, with `value` in its payload. */
void subject_timer(struct subject *subject, struct text name, int64_t due, struct text value);
void subject_timer_cancel(struct subject *subject, struct text name);
/* The customer has something of the subject under `name`: it is forgotten with her. */
void subject_hold(struct subject *subject, uint64_t customer, struct text name);
void subject_release(struct subject *subject, uint64_t customer, struct text name);
/* The key of row `table` of the first of the asking customer's members that has one. */
bool subject_find_of(const struct subject *subject, const struct ask *ask, char table,
                     uint64_t *out_member, struct doc *out_row);
void subject_key_of(struct key *key, const struct subject *subject, char table, uint64_t customer,
                    struct text name);
struct doc subject_get(const struct subject *subject, const struct key *key); /* in the arena */
void subject_put(struct subject *subject, const struct key *key, struct doc row);

/* -- For the engine ------------------------------------------------------- */

/* "pool:spring" of a known kind. */
bool subject_is_address(struct text text);
/* False: it is no address of a known kind. */
bool subject_open(struct subject *subject, struct engine *engine, struct text address);
void subject_apply(struct engine *engine, struct event *event); /* an ask that has arrived */
void subject_fire(struct engine *engine, struct doc timer);
void subject_forget(struct engine *engine, uint64_t customer, struct key_reader at);
void command_subject(struct step *step); /* "<kind>.<word>" of staff: {<kind>: name, ...} */

#endif
