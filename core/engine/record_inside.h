/* record_inside.h -- what the files of records share; nobody else includes this.
 *
 * A work is one change of one record, until it is stored and told of: in a step (a command of
 * staff's, a running rule) or in a tick (a deadline that is due, a sweep).
 */
#ifndef CORE_ENGINE_RECORD_INSIDE_H
#define CORE_ENGINE_RECORD_INSIDE_H

#include "core/engine/engine_inside.h"
#include "core/engine/record.h"

struct record_work {
    struct engine *engine;
    struct step *step;         /* NULL: of a tick */
    struct customer *customer; /* the subject's; NULL: it is about nobody */
    struct record before;      /* number 0: it is new */
    struct record record;
    struct text to;   /* whose it is or will be: times in words go by his calendar */
    unsigned depth;   /* of what is told */
    const char *word; /* of scripts: "create", for their errors; "" of others */
};

/* -- record.c ------------------------------------------------------------- */
/* Write the row and those it is found by; `before` NULL: it is new. */
void record_store(struct engine *engine, const struct record *before, const struct record *record);
/* Two sections; one that is empty is as good as none. */
bool record_is_same(struct doc a, struct doc b);
size_t record_size(struct engine *engine, const struct record *record);
/* How many open ones this customer is the subject of, counted up to `most`. */
int64_t record_count_open(struct engine *engine, uint64_t customer, int64_t most);
uint64_t record_next_number(struct engine *engine, struct text kind);
void record_remove(struct engine *engine, const struct record *record);

/* -- record_form.c: pure -------------------------------------------------- */
/* Whether the field takes `value`, whatever that names.  E_INVALID, E_LIMIT with its name. */
int record_value_check(const struct kind_field *field, const struct doc_value *value,
                       struct arena *arena, struct err *err);
/* Of a record that is named as 17, or "order:17"; 0: it is written otherwise. */
uint64_t record_value_number(const struct kind_field *field, const struct doc_value *value);
/* "-0.00", of which nobody could say whether it is owed or due. */
bool record_is_minus_nothing(const struct doc_value *amount);
/* Whether all of them are among `fields`; `what` says where: "in a line". */
int record_check_names(const char *what, const struct kind_field *fields, size_t count,
                       struct doc given, struct arena *arena, struct err *err);

/* -- record_value.c ------------------------------------------------------- */
/* What the field holds when it is given `value`, in the engine's arena.  E_INVALID, E_NOTFOUND with
 * the field's name. */
int record_value(struct record_work *work, const struct kind_field *field,
                 const struct doc_value *value, struct doc_value *out, struct err *err);
/* A time in words; record_time.c. */
int record_time(struct record_work *work, const struct kind_field *field, struct text words,
                int64_t *out_ms, struct err *err);
/* A CUSTOMER, as text or number; 0: nobody is called so. */
uint64_t record_customer(struct engine *engine, const struct doc_value *value);

/* -- record_tell.c -------------------------------------------------------- */
/* The event KIND.`what` for the subject with `data`, and for the other customers of the record with
 * no more than its number and state. */
void record_tell(struct record_work *work, struct text what, struct doc data);
void record_tell_created(struct record_work *work);
void record_tell_changed(struct record_work *work);
void record_tell_moved(struct record_work *work, struct text transition, struct text note);
void record_tell_assigned(struct record_work *work);
/* {kind, number, state ...} to go on with, in the engine's draft. */
void record_begin_data(struct record_work *work, struct doc_writer *w);
/* Fields that may stand on the subject's timeline: no personal ones of others. */
bool record_is_told(const struct kind_field *field);

/* -- record_deadline.c ---------------------------------------------------- */
/* The record is stored: what runs, is met or moves by that. */
void record_deadlines(struct record_work *work);
/* A work on a record outside of a step, and its end.  False: there is none, or whoever it is about
 * is being erased. */
bool record_work_load(struct record_work *work, struct engine *engine, struct customer *customer,
                      struct text kind, uint64_t number);
void record_work_end(struct record_work *work);
void record_forget_deadlines(struct engine *engine, const struct record *record,
                             struct customer *customer);

/* -- record_owner.c ------------------------------------------------------- */
/* An owner that somebody gives by name is on the staff, or a team: else E_INVALID, E_LIMIT. */
int record_check_owner(struct record_work *work, struct text owner, struct err *err);
/* Whether somebody, or a team, is called so: E_INVALID with whoever may have been meant.  Where
 * nobody is on the staff anybody may be. */
int record_somebody(struct engine *engine, struct text owner, struct err *err);
/* Whose a new one is of which nobody says it: as its kind says; where nobody is called so the
 * fallback of kith.lua, else nobody, and the trace says why. */
struct text record_first_owner(struct record_work *work);
/* The record is `to`'s ("owner": the customer's), or the member's that the team chooses.
 * E_CONFLICT: nobody is there. */
int record_own(struct record_work *work, struct text to, struct err *err);

/* -- record_refer.c ------------------------------------------------------- */
/* A field that names another record of the same subject: E_INVALID if that is none, or if one
 * names the other until the first is named again.  E_LIMIT: nobody follows that far. */
int record_check_reference(struct record_work *work, const struct kind_field *field,
                           struct err *err);

/* -- record_plugin.c ------------------------------------------------------ */
/* Whether whoever asks may set these, and may take that step.  E_DENIED: it is a plugin's alone. */
int record_check_fields(struct record_work *work, struct doc given, struct err *err);
int record_check_step(struct record_work *work, const struct kind_transition *transition,
                      struct err *err);

/* -- record_change.c ------------------------------------------------------ */
struct record_request;
struct record_change { /* what of it is to be another */
    struct doc fields, customers;
    struct doc_value lines; /* none: as they are */
    struct text owner;
    bool has_owner;
};
void record_work_begin(struct record_work *work, struct step *step, const char *word);
/* A reason, with the script's word in front. */
int record_fail(const struct record_work *work, int code, const char *text, struct err *err);
/* One that is there and about the step's customer; then one of these.  Nothing that fails has
 * changed anything. */
int record_open(struct record_work *work, struct text kind, uint64_t number, struct err *err);
int record_create(struct record_work *work, const struct record_request *request, struct err *err);
int record_set(struct record_work *work, const struct record_change *what, struct err *err);
int record_move(struct record_work *work, struct text name, struct text note,
                const struct record_change *what, struct err *err);
/* Check it whole and store it, if it is another. */
int record_work_store(struct record_work *work, bool *out_changed, struct err *err);

#endif
