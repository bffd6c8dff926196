/* engine_inside.h -- what the engine's own files share; nobody else includes this.
 *
 * `struct step` is the application of one event.  While it lasts, the event's
 * customer is in memory (a savepoint is a copy of the struct, since sections are
 * never changed in place) and its trace grows; at its end the customer's rows and
 * the timeline row are written.
 */
#ifndef CORE_ENGINE_ENGINE_INSIDE_H
#define CORE_ENGINE_ENGINE_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/customer.h"
#include "core/engine/engine.h"
#include "core/engine/event.h"
#include "core/engine/keys.h"
#include "core/engine/rule_index.h"
#include "core/engine/rules.h"
#include "core/engine/step.h"
#include "storage/state.h"

struct counters {
    uint64_t customer, task;
};

struct event_queue { /* derived events, first in first out */
    struct event *items;
    size_t count, capacity, next;
};

struct engine {
    struct state *state;
    const struct engine_hooks *hooks;
    void *arg;
    struct arena arena;
    struct buf scratch, draft;

    struct config config;
    uint64_t world_seq;
    struct ruleset *rules;
    struct rule_index *index;     /* type -> rules, in order */
    struct ruleset *rules_coming; /* activated by this entry: in force from the next on */

    uint64_t seq;
    int64_t now;
    uint64_t run;       /* seq of the last daemon.started applied */
    uint64_t live_from; /* reports for entries behind it; 0: none */
    struct counters counters, counters_stored;
    bool sweep_is_open;
    bool has_outgoing;    /* this entry put a row into `outgoing` */
    bool has_new_verdict; /* a rule of this entry was killed: to be recorded */
    /* No timer's key lies before it (timer.c); size 0: not known yet. */
    struct key timers_from;

    /* While an entry is applied: */
    struct event_queue queue;
    uint64_t derived_n;   /* last n given */
    size_t cause_derived; /* events derived of the present cause, against limits.derived */
    struct doc verdict;   /* array of {rule, kind} for this entry; none: nothing recorded */
    struct engine_result *result;
    bool is_ready[CONFIG_CHANNELS_MAX]; /* channels to report ready at the end */
};

/* -- engine.c ------------------------------------------------------------- */
static inline bool engine_is_live(const struct engine *engine)
{
    return engine->live_from != 0 && engine->seq > engine->live_from;
}
/* Effects made now are held: the entry is replayed under a world appended after it. */
static inline bool engine_holds(const struct engine *engine)
{
    return engine->world_seq > engine->seq;
}
__attribute__((format(printf, 3, 4))) void engine_refuse(struct engine *engine, int code,
                                                         const char *format, ...);
/* At the end of this entry, report that the channel has an effect to claim. */
void engine_note_ready(struct engine *engine, struct text channel);
struct doc meta_get(struct engine *engine, const char *name);           /* copied into the arena */
void meta_put(struct engine *engine, const char *name, struct doc doc); /* none: delete */
/* Begin a document in the engine's one draft, and end it as a copy in the arena.  Nothing
 * that drafts may be called in between. */
void engine_draft(struct engine *engine, struct doc_writer *w);
struct doc engine_doc(struct engine *engine, struct doc_writer *w);

/* -- step.c --------------------------------------------------------------- */

struct traced_change {
    struct text name;
    struct doc_value value;
};

struct trace {
    struct text rules[64]; /* those that did something */
    size_t rule_count;
    struct traced_change *changes;                    /* in the arena */
    size_t change_count, change_capacity, change_own; /* `change_own`: the running rule's first */
    size_t acts;                    /* whatever a rule does counts, also what leaves no line here */
    uint64_t made_first, made_last; /* derived events, by n; 0: none */
    uint64_t effects[64];           /* by n; their seq is the event's */
    size_t effect_count;
    struct text lines[64];
    size_t line_count;
    bool has_lost_lines; /* limits.trace_lines */
    bool is_cut;         /* more than a row can keep */
    bool is_foreign;
};

struct step {
    struct engine *engine;
    struct event *event;
    struct customer customer; /* number 0: the event has none */
    const struct rule *rule;  /* running; NULL: none */
    struct trace trace;
};

/* Apply one event whose customer is known: rules, trace, timeline row. */
void step_run(struct engine *engine, struct event *event);

/* The two halves of step_run for handlers that change the customer in between. */
void step_begin(struct step *step, struct engine *engine, struct event *event);
void step_finish(struct step *step);

void step_note_change(struct step *step, struct text name, const struct doc_value *value);
/* Assign a trait of the step's customer; what readers now see differently is noted, and the
 * schedules that count from it are set anew.  E_LIMIT. */
int step_assign(struct step *step, struct text name, const struct doc_value *value, int64_t at,
                struct text source, struct err *err);
void step_note_line(struct step *step, struct text line);

/* Derive an event of the system for `customer`.  False: over limits.derived or cascade_depth
 * (then the trace of the cause says so). */
bool step_derive(struct step *step, const char *type, uint64_t customer, struct doc data);
/* The same without a step: seq, n and times are filled in.  Returns the event's n; 0: over the
 * limit. */
uint64_t engine_derive(struct engine *engine, const struct event *event);
/* Apply all derived events that wait, and those they derive. */
void engine_drain(struct engine *engine);

/* -- timer.c -------------------------------------------------------------- */

/* Set or move the timer `key` of `owner`; `payload` is what it fires.  Returns false when the
 * owner has limits.timers already. `profile` of the owner counts them; NULL for the company. */
bool timer_set(struct engine *engine, struct profile *profile, uint64_t owner, struct text key,
               int64_t due, struct doc payload);
bool timer_cancel(struct engine *engine, struct profile *profile, uint64_t owner, struct text key);
/* What a set timer carries, copied into the arena; none when it is not set. */
struct doc timer_payload_of(struct engine *engine, uint64_t owner, struct text name);
/* Fire what is due, at most limits.timers_per_tick; events go through the queue. */
void timer_fire_due(struct engine *engine);
/* The first timer's due; INT64_MAX: none. */
int64_t timer_first_due(struct engine *engine);

/* -- reminder.c ----------------------------------------------------------- */
uint64_t reminder_customer(struct engine *engine, uint64_t number); /* 0: no such task */
void reminder_fire(struct engine *engine, uint64_t customer, uint64_t number, bool is_escalation);
void command_reminder_set(struct step *step);
void command_reminder_done(struct step *step);
void command_reminder_snooze(struct step *step);

/* -- schedule.c ----------------------------------------------------------- */
/* Set the timers of schedule rules for this customer: all, or those on a trait that changed. */
void schedule_arm(struct engine *engine, struct customer *customer, struct doc context,
                  const struct text *trait);
/* A merge or its undoing changed what is known: dates are counted anew, periods go on. */
void schedule_rearm(struct engine *engine, struct customer *customer, struct doc context);
void schedule_fire(struct engine *engine, uint64_t number, struct doc payload);
void schedule_start_sweep(struct engine *engine);
void schedule_sweep(struct engine *engine); /* one slice */

/* -- effect.c ------------------------------------------------------------- */
void effect_fire_retry(struct engine *engine, struct text id);
void effect_claim(struct step *step);
void effect_outcome(struct step *step);
void effect_release(struct step *step);
void effect_drop(struct step *step);
void effect_close_run(struct step *step); /* open claims of earlier runs */

/* -- identity.c ----------------------------------------------------------- */

/* The customer of a CUSTOMER reference ("42", "user_id:u-17", "email:..."), as the member
 * it names; 0: none. */
uint64_t identity_find(struct engine *engine, struct text reference);
/* The member that a client's event came from, as far as it is known already; 0: not. */
uint64_t identity_of_event(struct engine *engine, const struct event *event);
/* Link what an event says of identity to the step's writing member, with all consequences
 * (merge, suspected duplicate). */
void identity_link(struct step *step, struct text name_space, struct text value);
/* Normalise an identity's value for its name space; empty when it cannot be one. */
struct text identity_normal(struct engine *engine, struct text name_space, struct text value);
/* The value of a name space in the group; empty: none. */
struct text customer_identity(const struct customer *customer, struct text name_space);

/* -- merge.c -------------------------------------------------------------- */
/* E_LIMIT, E_CONFLICT (already one), E_NOTFOUND. */
int merge_customers(struct engine *engine, uint64_t survivor, uint64_t absorbed, struct err *err);
/* The same for the customer of a step and another: the one with a user_id survives, else the
 * older.  The step goes on with the merged group. */
void merge_into_step(struct step *step, uint64_t other);
void command_merge(struct step *step);
void command_unmerge(struct step *step);

/* -- dedupe.c ------------------------------------------------------------- */
/* Whether (source, id) of the event is known under its customer or any member of its group;
 * if not, it is from now on. */
bool dedupe_seen(struct engine *engine, struct customer *customer, const struct event *event);

/* -- calls.c, commands.c, system.c ---------------------------------------- */
void calls_apply(struct engine *engine, struct event *event);
void calls_note_created(struct step *step, uint64_t number);
/* The step's customer is in relation `type` to `other`; `until` 0: open. */
void relation_set(struct step *step, struct text type, uint64_t other, int64_t since,
                  int64_t until);
bool command_apply(struct engine *engine, struct event *event); /* false: not a command */
void system_apply(struct engine *engine, struct event *event);
int engine_load_active(struct engine *engine, struct err *err); /* the bundle that meta names */
void engine_use_rules(struct engine *engine, struct ruleset *rules); /* takes them; NULL: none */

/* -- staff.c -------------------------------------------------------------- */
void command_staff_set(struct step *step);
void command_key_set(struct step *step);
void command_key_removed(struct step *step);
/* Who does what is addressed `to`: the deputy of somebody absent, the fallback of nobody. */
struct text staff_assignee(struct engine *engine, struct text to, const struct customer *customer);

#endif
