/* step.h -- what a rule may do and read while its event is applied.
 *
 * The script host translates these one to one into the words of scripts.  All
 * belong to the event's own subject; whatever concerns somebody else is an event
 * sent there.  On failure `err` says why in words for the author of the rule, and
 * nothing has changed.  Engine thread only, inside ruleset->run().
 */
#ifndef CORE_ENGINE_STEP_H
#define CORE_ENGINE_STEP_H

#include "core/base/doc.h"
#include "core/engine/intent.h"

struct arena;
struct customer;
struct err;
struct event;
struct step;
struct zone;

struct arena *step_arena(struct step *step); /* memory that lives as long as the rule runs */
/* False: the running rule has made the engine take limits.rule_arena_bytes, and must end. */
bool step_has_room(const struct step *step);
const struct event *step_event(const struct step *step);
struct customer *step_customer(struct step *step); /* NULL: the event has none */
int64_t step_now(const struct step *step);         /* `logged`: ms since 1970 UTC */
const struct zone *step_zone(struct step *step);   /* the customer's, else the company's */
struct text step_calendar(struct step *step,
                          struct text to); /* of whoever would get the work; empty: the company's */
struct text step_assignee(struct step *step, struct text to); /* who that is; empty: nobody */

/* The moment that `words` mean ("3d", "1wd", "2026-12-01 10:00": intent.h), counted from `from`;
 * working time by the calendar of `who`, else the company's.  `word` is named in errors. */
int step_when(struct step *step, const char *word, struct text words, int at_minute,
              struct text who, int64_t from, int64_t *out_ms, struct err *err);

/* Assign a trait in the name of the running rule.  E_DENIED: the system's own; E_LIMIT. */
int step_set(struct step *step, struct text name, const struct doc_value *value, struct err *err);
/* Lists: add an item once, or remove it. */
int step_add(struct step *step, struct text name, const struct doc_value *item, struct err *err);
int step_remove(struct step *step, struct text name, const struct doc_value *item, struct err *err);
int step_tag(struct step *step, struct text tag, struct err *err);
int step_untag(struct step *step, struct text tag, struct err *err);

/* Her owner is `to` from now on: a member of staff, nobody (empty), or whoever the team assigns
 * ("team:sales").  *out_owner is who that is.  E_CONFLICT: nobody of the team is there. */
int step_own(struct step *step, struct text to, struct text *out_owner, struct err *err);

/* A derived event: for the same customer, or (`to` not empty) for another one, by way of the
 * log.  E_DENIED: a system type; E_LIMIT: cascade. */
int step_emit(struct step *step, struct text type, struct doc data, struct text to,
              struct err *err);

/* Ask a shared subject ("pool:spring") for something; its answer comes as an event of the customer
 * (subject.h).  E_NOTFOUND: the bundle declares no such one; E_INVALID: what its kind says. */
int step_ask(struct step *step, struct text address, struct text word, struct doc given,
             struct err *err);

struct reminder_request {
    struct text title, to, key, note, about;
    struct due due; /* its base is the engine's to set */
    struct text escalate_to;
    int64_t escalate_due; /* 0: no escalation */
};
/* One open reminder per (customer, rule, key): the same key moves it. */
int step_remind(struct step *step, const struct reminder_request *request, uint64_t *out_task,
                struct err *err);

/* A timer that comes back as an event of `type`; the same key moves it. */
struct after_request {
    struct text key, type;
    struct due due; /* as above */
    struct doc data;
};
int step_after(struct step *step, const struct after_request *request, struct err *err);
bool step_cancel(struct step *step, struct text key); /* whether there was one */

struct send_request {
    struct text channel, purpose, key; /* texts may be empty */
    struct text to;                    /* staff, of a notification; an address, of a test */
    struct doc content;                /* {body, data, ...} as the script gave it */
    int64_t expires_ms;                /* 0: the default */
    bool is_notification;              /* to staff: outside marketing policy */
    bool is_test;                      /* what she would get, to an address of staff's */
};
int step_send(struct step *step, const struct send_request *request, struct err *err);
/* Put the files of a message into its content, as `attach`: [{hash, name}, ...]; `given` is a list
 * of hashes, or of documents that have a `hash` and perhaps a `name`, as events name their files.
 * E_INVALID, E_LIMIT. */
int step_attach(struct step *step, struct text channel, const struct doc_value *given,
                struct doc *io_content, struct err *err);
/* Whether the template has a text for that channel that the step's customer could be sent now.
 * E_NOTFOUND. */
int step_check_template(struct step *step, struct text name, struct text channel, struct err *err);

/* -- Records (record.h): only those whose subject is the step's customer -------------------- */

struct record;
struct record_request {
    struct text kind;
    struct doc fields;
    struct text owner;    /* empty: as the kind says */
    struct doc lines;     /* array; none: none */
    struct doc customers; /* {ROLE: CUSTOMER or list}, without the subject */
};
/* E_NOTFOUND: no such kind; E_INVALID: a field; E_CONFLICT: an external id is taken; E_LIMIT. */
int step_create_record(struct step *step, const struct record_request *request,
                       uint64_t *out_number, struct err *err);
/* False: there is none, or it is about somebody else. */
bool step_record(struct step *step, struct text kind, uint64_t number, struct record *out_record);
/* These fail with E_NOTFOUND in the same case.  A transition: E_CONFLICT: not from its state. */
int step_move_record(struct step *step, struct text kind, uint64_t number, struct text transition,
                     struct doc fields, struct err *err);
/* DOC_NULL removes. */
int step_set_record(struct step *step, struct text kind, uint64_t number, struct text name,
                    const struct doc_value *value, struct err *err);
int step_assign_record(struct step *step, struct text kind, uint64_t number, struct text to,
                       struct err *err);
/* Numbers of those of a kind that are open and above `last`, the oldest first, up to `most`. */
size_t step_open_records(struct step *step, struct text kind, uint64_t last, uint64_t *out_numbers,
                         size_t most);
/* Append {deadlines: {NAME: {status, due ...}}} as read.h has it. */
struct buf;
void step_record_deadlines(struct step *step, const struct record *record, struct buf *out);
/* To another record, "order:5"; `is_on` false: no more. */
int step_link_record(struct step *step, struct text kind, uint64_t number, struct text type,
                     struct text to, bool is_on, struct err *err);

/* -- What is refused by what is asked alone, whoever it is about --------------------------------
 *
 * The functions above ask these first, and so may whoever has no engine.  Pure. */

/* Words for a time; `word` as above. */
int step_when_check(const char *word, struct text words, int at_minute, struct intent *out_intent,
                    struct err *err);
int step_remind_check(const struct reminder_request *request, struct err *err); /* but its moment */
int step_after_check(const struct after_request *request, struct err *err);     /* the same */
int step_attach_check(const struct doc_value *given, struct err *err);
int step_tag_check(struct text tag, struct err *err);
int step_set_check(struct text name, struct err *err); /* the trait's name */

/* A line for the trace; beyond limits.trace_lines dropped, with a last line saying so. */
void step_log(struct step *step, struct text line);

#endif
