/* engine_inside.h -- what the engine's own files share; nobody else includes this.
 *
 * `struct step` is the application of one event.  While it lasts, the event's
 * customer is in memory (a savepoint is a copy of the struct, since sections are
 * never changed in place) and its trace grows; at its end the customer's rows and
 * the timeline row are written.  Engine thread only.
 */
#ifndef CORE_ENGINE_ENGINE_INSIDE_H
#define CORE_ENGINE_ENGINE_INSIDE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/config.h"
#include "core/engine/customer.h"
#include "core/engine/engine.h"
#include "core/engine/event.h"
#include "core/engine/keys.h"
#include "core/engine/kind.h"
#include "core/engine/plugins.h"
#include "core/engine/rule_index.h"
#include "core/engine/rules.h"
#include "core/engine/search.h"
#include "core/engine/step.h"
#include "storage/state.h"

struct counters {
    uint64_t customer, task;
};

/* What the events that follow from one cause have made together.  A cause is an entry, a timer, or
 * what became of a message.  Lives in engine->lasting. */
struct cause {
    uint64_t first;             /* n of the first thing it makes */
    size_t derived, effects;    /* so many so far, against limits.derived and effects_most */
    const struct effect *after; /* the message that something became of; NULL: none */
    int64_t effects_most;       /* -1: not known yet (effect.c) */
};

struct event_queue { /* derived events, first in first out */
    struct event *items;
    size_t count, capacity, next;
};

struct engine {
    struct state *state;
    const struct engine_hooks *hooks;
    void *arg;
    struct arena arena;   /* of the step being taken: gone at its end (step.c, timer.c) */
    struct arena lasting; /* until the entry is applied: derived events that wait, their causes */
    struct arena spare;   /* empty but for moments (survive.c) */
    struct buf scratch, draft;
    struct buf events;     /* of this entry, not yet in the state (events.c) ... */
    uint64_t events_first; /* ... from this n on */

    uint64_t failures; /* of rules, since it was opened: for metrics */
    struct config config;
    uint64_t world_seq;
    int64_t replay_until; /* the wall clock when the past was last replayed; 0: never */
    struct ruleset *rules;
    struct rule_index *index;     /* type -> rules, in order */
    struct ruleset *rules_coming; /* activated by this entry: in force from the next on */
    struct kinds kinds;           /* of records, in force */
    struct workweek *usual_week;  /* the company's while there are no rules; NULL: not wanted yet */
    bool *paused_rules;           /* by index, as the state has it; NULL: none is paused */
    bool has_paused_rules;        /* whether or not they are in the bundle in force */
    struct plugins *plugins;      /* NULL: none */
    struct rule_index *plugin_index;
    struct plugin_standing *standings; /* by plugin; NULL: there are none */
    struct hook_failure {              /* of hooks of this step, not told yet: in its arena */
        struct text plugin, key, message;
        const char *hook;
    } hook_failures[HOOK_FAILURES_MAX];
    size_t hook_failure_count; /* may be more than are told */
    bool is_stuck;             /* a replay lost a plugin where it was not lost before: */
    struct text stuck_at;      /* this one */

    uint64_t seq;
    int64_t now;
    uint64_t run;       /* seq of the last daemon.started applied */
    uint64_t live_from; /* reports for entries behind it; 0: none */
    struct counters counters, counters_stored;
    bool sweep_is_open;
    bool parked_is_open;    /* a plugin that is back has not heard of all that was parked */
    bool records_are_swept; /* rules or the world have changed: deadlines are worked out anew */
    bool resume_is_open;    /* messages of resumed rules are to be put into their lines again */
    uint64_t erasures;      /* begun and not done */
    bool erase_is_wanted;   /* a tick would find rows of theirs to take */
    bool has_erased;        /* one is through: to be reported */
    bool has_outgoing;      /* this entry put a row into `outgoing` */
    bool has_new_verdict;   /* a rule of this entry was killed: to be recorded */
    /* No timer's key lies before it (timer.c); size 0: not known yet. */
    struct key timers_from;
    /* The same of the dedupe marks of a few customers (dedupe.c). */
    struct marks_place {
        uint64_t customer;
        struct key from;
    } marks[16];

    /* While an entry is applied: */
    struct event_queue queue;
    uint64_t derived_n;        /* last n given */
    struct cause *cause;       /* of the event being applied */
    unsigned depth;            /* of that event: what it causes stands one deeper */
    int64_t moves_left;        /* of limits.moves_per_tick */
    struct doc verdict;        /* array of {rule, kind} for this entry; none: nothing recorded */
    struct doc plugin_verdict; /* the same of plugins: {plugin, kind, call} */
    struct buf verdict_bytes;  /* that both lie in */
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
/* A type of Kith's own: the system's, or of a kind of records in force ("complaint.created"). */
static inline bool engine_owns_type(const struct engine *engine, struct text type)
{
    return event_type_is_system(type) || kinds_own_type(&engine->kinds, type);
}
/* At the end of this entry, report that the channel has an effect to claim. */
void engine_note_ready(struct engine *engine, struct text channel);
/* The lowest number above `last` that stands behind `prefix`; 0: none. */
uint64_t engine_next_number(struct engine *engine, const struct key *prefix, uint64_t last);
struct doc meta_get(struct engine *engine, const char *name);           /* copied into the arena */
void meta_put(struct engine *engine, const char *name, struct doc doc); /* none: delete */
/* What is known of this entry, {rules, plugins}; copied. */
void engine_keep_verdict(struct engine *engine, struct doc verdict);
/* One more, of `name`: to be recorded. */
void engine_add_verdict(struct engine *engine, const char *name, struct doc item);
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
    struct text handlers[64]; /* the same of plugins */
    size_t handler_count;
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
    const struct rule *rule;  /* running, or a plugin's handler; NULL: none */
    struct text plugin;       /* in whose name it acts; empty: the rule's own */
    size_t rule_from;         /* engine_bytes() when it began */
    bool has_moved;           /* her zone may be another: what is due by her clock is seen to */
    struct trace trace;
};

/* What there was before a rule or a command, which may fail: of the state, the customer in
 * memory, the trace, the queue, the counters, and of the memory taken. */
struct trace_mark {
    struct traced_change *changes;
    size_t change_count, change_capacity, change_own, acts;
    size_t rule_count, handler_count, effect_count, line_count;
    bool has_lost_lines, is_cut;
};
struct savepoint {
    struct arena_mark arena, lasting;
    struct customer customer;
    struct profile members[8]; /* a copy; larger groups are copied to the arena */
    struct profile *copy;
    struct trace_mark trace;
    size_t queue_count;
    struct cause *cause, cause_then;
    unsigned depth;
    uint64_t derived_n;
    struct counters counters;
    bool has_moved;
};
void step_save(struct step *step, struct savepoint *point);
void step_undo(struct step *step, const struct savepoint *point);
void step_keep(struct step *step);
/* Whether anything was left behind since, so that the trace should name who ran. */
bool step_has_acted(const struct step *step, const struct savepoint *point);

/* Apply one event whose customer is known: rules, trace, timeline row. */
void step_run(struct engine *engine, struct event *event);

/* The two halves of step_run for handlers that change the customer in between. */
void step_begin(struct step *step, struct engine *engine, struct event *event);
void step_finish(struct step *step);
/* The second half for entries by which Kith keeps its books: no rule hears of them, or one that
 * answers every event would answer what came of its own answers. */
void step_finish_unheard(struct step *step);

void step_note_change(struct step *step, struct text name, const struct doc_value *value);
/* Assign a trait of the step's customer; what readers now see differently is noted, and the
 * schedules that count from it are set anew.  E_LIMIT. */
int step_assign(struct step *step, struct text name, const struct doc_value *value, int64_t at,
                struct text source, struct err *err);
void step_note_line(struct step *step, struct text line);

/* Derive an event of the system for `customer`; over limits.cascade_depth or derived the trace
 * says so instead. */
void step_derive(struct step *step, const char *type, uint64_t customer, struct doc data);
/* The same without a step: seq, n and times are filled in, `at` where it is not given, and what
 * the event borrows is copied.  False: over limits.derived. */
bool engine_derive(struct engine *engine, const struct event *event);
/* Apply all derived events that wait, and those they derive. */
void engine_drain(struct engine *engine);

/* -- survive.c ------------------------------------------------------------ */
/* What has been asked of the engine's memory and not been given back; the same in every replay. */
static inline size_t engine_bytes(const struct engine *engine)
{
    return engine->arena.bytes + engine->lasting.bytes;
}
/* Give back what the step has taken since the mark, but for what outlives a rule: `step` is what
 * it was.  Nothing happens as long as it is little. */
void step_shrink(struct step *step, struct arena_mark from, size_t *kept_bytes);

/* -- cascade.c ------------------------------------------------------------ */

/* From here on what is made counts for a cause of its own, that nothing came before. */
void engine_begin_cause(struct engine *engine);

/* Whether what the step's event causes may stand one deeper; whether its cause may derive an event
 * more, or make a message more.  E_LIMIT names the limit; `word` is the script's. */
int step_check_depth(const struct step *step, const char *word, struct err *err);
int step_check_derived(const struct step *step, const char *word, struct err *err);
int effect_check_cascade(struct step *step, struct err *err);

/* A timer set for less than limits.cascade_rest_ms ahead goes on with the cascade of the event
 * being applied: whether it may.  E_LIMIT. */
int timer_check_depth(const struct step *step, int64_t due, const char *word, struct err *err);
/* The same where nobody can be refused: the moment for which it may be set, which makes it wait but
 * is no rest. */
int64_t timer_allowed(const struct engine *engine, int64_t due);
/* And not in this very tick either, or a rule could ask for ever. */
int64_t timer_soonest(const struct engine *engine, int64_t due);
/* How deep the event stands that a timer set for `at` comes back as, kept in what it carries. */
void timer_put_depth(struct doc_writer *w, const struct engine *engine, int64_t at);
unsigned timer_depth_of(struct doc payload);

/* -- timer.c -------------------------------------------------------------- */

/* Set or move the timer `key` of `owner`; `payload` is what it fires.  Returns false when the
 * owner has limits.timers already.  `profile` of the owner counts what rules ask for; NULL for the
 * company, and where nothing of the kind is set. */
bool timer_set(struct engine *engine, struct profile *profile, uint64_t owner, struct text key,
               int64_t due, struct doc payload);
bool timer_cancel(struct engine *engine, struct profile *profile, uint64_t owner, struct text key);
/* What a set timer carries, copied into the arena; none when it is not set. */
struct doc timer_payload_of(struct engine *engine, uint64_t owner, struct text name);
/* Fire what is due, at most limits.timers_per_tick; events go through the queue. */
void timer_fire_due(struct engine *engine);
/* The first timer's due; INT64_MAX: none. */
int64_t timer_first_due(struct engine *engine);

/* -- after.c -------------------------------------------------------------- */
void after_fire(struct engine *engine, uint64_t owner, struct doc timer);
/* The timer `name`, due at `due`, as its words have it in `zone`. */
void after_move(struct engine *engine, struct profile *profile, struct text name, int64_t due,
                const struct zone *zone);

/* -- reminder.c ----------------------------------------------------------- */
uint64_t reminder_customer(struct engine *engine, uint64_t number); /* 0: no such task */
void reminder_fire(struct engine *engine, uint64_t customer, struct doc timer);
/* The task whose timer is called so; and the same for it as after_move(). */
uint64_t reminder_of_timer(struct text name);
void reminder_move(struct engine *engine, struct customer *customer, uint64_t number,
                   const struct zone *zone);
void reminder_erase(struct engine *engine, uint64_t number, uint64_t customer); /* if it is hers */
/* Of a deadline: a task that follows it, under the record's customer. */
struct own_reminder {
    struct text title, to, about, by;
    uint64_t customer;
    int64_t due;
};
/* 0: she has limits.timers already.  The others do nothing when it is done with. */
uint64_t reminder_put(struct engine *engine, struct customer *customer,
                      const struct own_reminder *own, unsigned depth);
void reminder_shift(struct engine *engine, struct customer *customer, uint64_t number, int64_t due,
                    unsigned depth);
void reminder_close(struct engine *engine, struct customer *customer, uint64_t number,
                    struct text outcome, unsigned depth);
/* It is somebody else's, told as `type`.  False: it is done with. */
bool reminder_hand(struct engine *engine, struct customer *customer, uint64_t number,
                   struct text to, const char *type, unsigned depth);
void command_reminder_set(struct step *step);
void command_reminder_change(struct step *step);
void command_reminder_done(struct step *step);
void command_reminder_snooze(struct step *step);

/* -- moving.c ------------------------------------------------------------- */
/* Her zone may be another since: what is due by her clock is worked out anew.  The caller stores
 * the customer. */
void moving_begin(struct engine *engine, struct customer *customer, struct doc context);
void moving_fire(struct engine *engine, uint64_t owner, struct doc timer, int64_t due);

/* -- schedule.c ----------------------------------------------------------- */
/* Set the timers of schedule rules for this customer: all, or those on a trait that changed.
 * Returns whether any of them counts from the date in that trait. */
bool schedule_arm(struct engine *engine, struct customer *customer, struct doc context,
                  const struct text *trait);
/* What nobody can read in a trait of the step's customer is said in the trace: in one that
 * schedules count from, and in `timezone`. */
void schedule_check_date(struct step *step, struct text trait);
void schedule_check_zone(struct step *step);
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
void effect_test(struct step *step);      /* effect_test.c */
void effect_close_run(struct step *step); /* open claims of earlier runs */
/* Of a rule that was paused: at the end of its line, as if it were made now. */
void effect_unpark(struct engine *engine, struct text id);
/* Forget an effect of `customer`.  False: a channel has it; then only its words are forgotten, and
 * it goes when the answer is there. */
bool effect_erase(struct engine *engine, struct text id, uint64_t customer);

/* What a plugin says became of it, by its word (delivered ...): the first time is kept, and one
 * that was uncertain has been sent. */
void effect_note_feedback(struct step *step, struct effect *effect, const char *word);

/* -- feedback.c ----------------------------------------------------------- */
bool feedback_apply(struct engine *engine, struct event *event); /* false: it is none */

/* -- suppression.c -------------------------------------------------------- */
/* Whether nothing may be sent to it, by somebody who was forgotten too. */
bool suppression_has(struct engine *engine, struct text channel, struct text address);
void suppression_put(struct step *step, struct text channel, struct text address,
                     struct text reason);
/* message.unsubscribed or message.resubscribed of an address. */
void suppression_apply(struct engine *engine, struct event *event, bool is_on);

/* -- pause.c -------------------------------------------------------------- */
void channel_paused(struct step *step);
void channel_resumed(struct step *step);
/* Of a document {NAME: pause, ...} all but `without`; and the pause that an entry tells of. */
void pause_put_others(struct doc_writer *w, struct doc paused, struct text without);
void pause_put(struct doc_writer *w, const struct event *event, struct text name);

/* -- pause_rule.c --------------------------------------------------------- */
void command_rule_paused(struct step *step);
void command_rule_resumed(struct step *step);
/* What the state says of the rules in force, when they or it have changed. */
void rules_note_paused(struct engine *engine);
bool rule_is_paused(struct engine *engine, struct text name);
/* The rows of messages that wait, out of its line, for their rule to be resumed. */
void key_parked_prefix(struct key *prefix, struct text rule);
void key_parked(struct key *key, struct text rule, uint64_t seq, uint64_t n);
void pause_sweep(struct engine *engine); /* one slice */

/* -- record_change.c, record_deadline.c, record_erase.c -------------------- */
void command_record_create(struct step *step);
void command_record_put(struct step *step);
void command_record_change(struct step *step);
void command_record_move(struct step *step);
void command_record_assign(struct step *step);
void command_record_link(struct step *step);
/* The record that a command names, by number or external id; 0: there is none.  The second is whose
 * it is, 0: nobody's. */
uint64_t record_of_command(struct engine *engine, struct doc data);
uint64_t record_customer_of_command(struct engine *engine, struct doc data);
void record_fire(struct engine *engine, uint64_t owner, struct doc timer);
/* Rules or the world have changed: what is due may be due at another moment. */
void record_start_sweep(struct engine *engine);
void record_sweep(struct engine *engine); /* one slice */
/* Somebody who is being erased has a role in it: it goes with its subject, else her role does. */
void record_erase(struct engine *engine, uint64_t customer, struct text kind, uint64_t number);

/* -- act.c ---------------------------------------------------------------- */
/* Whether a rule may make such an event: E_INVALID, E_DENIED, E_LIMIT. */
int event_check_size(struct text type, struct doc data, const char *word, struct err *err);
int step_check_event(const struct step *step, struct text type, struct doc data, const char *word,
                     struct err *err);
/* Whether a trait or type of this name is the acting plugin's, or nobody's. E_DENIED. */
int step_check_owner(const struct step *step, struct text name, const char *word, struct err *err);

/* -- plugin_run.c --------------------------------------------------------- */

enum plugin_presence { PLUGIN_THERE, PLUGIN_BEHIND, PLUGIN_QUARANTINED };
struct plugin_standing {
    enum plugin_presence presence;
    bool is_news;                     /* that it was lost: to be reported */
    enum plugin_outcome lost;         /* in a call of this entry, and the row does not say so yet */
    int64_t about;                    /* the entry that it was called for then; 0: not known */
    char reason[PLUGIN_REASON_BYTES]; /* how, and in which function */
    uint64_t calls;                   /* into it, in this entry */
};
void plugins_begin_entry(struct engine *engine);
/* Those that took the process with them at this entry take no part in it. */
void plugins_obey_verdict(struct engine *engine);
/* What the state says of the plugins in force, when they or it have changed. */
void plugins_note_away(struct engine *engine);
/* Those that were lost since: from here on the state says so.  Outside of savepoints. */
void plugins_note_lost(struct engine *engine);
void plugins_report_lost(struct engine *engine);
void plugins_hear(struct step *step);
void plugins_sweep(struct engine *engine); /* one slice */
void plugin_enabled(struct step *step);
void plugin_disabled(struct step *step);
/* Its place in engine->plugins; SIZE_MAX: it is not loaded. */
size_t plugin_place(const struct engine *engine, struct text name);
/* The plugin that types of events and traits of this name belong to; empty: none.  By the config,
 * and one that is there also where the config is older than it: entries that were written before
 * the daemon was started with it, and are applied after. */
struct text plugin_owner(const struct engine *engine, struct text name);
/* The version that the plugin's documents under `key` have today; 0: there is no telling. */
int64_t plugin_version(struct engine *engine, struct text plugin, struct text key);
/* What the plugin makes of its documents.  False: it leaves that to us. */
/* Tell what hooks failed at since the last time, on the timeline of the customer they failed for;
 * whoever merges or parts customers does so at the end. */
void plugins_tell_hook_failures(struct step *step, uint64_t customer);
void plugin_hook_failed(struct engine *engine, struct text plugin, enum plugin_fold what,
                        struct text key, const char *message);
/* E_LIMIT: what a hook made of a document is larger than one that is kept. */
int plugin_hook_check(struct engine *engine, enum plugin_fold what, struct text key,
                      struct doc answer, struct err *err);
bool plugin_fold(struct engine *engine, struct text plugin, enum plugin_fold what, struct text key,
                 struct doc arguments, struct doc *out_answer);

/* It is quarantined: what is not asked of it is told like what failed. */
void plugin_hook_passed_over(struct engine *engine, size_t place, enum plugin_fold what,
                             struct text key);

/* -- plugin_again.c ------------------------------------------------------- */
bool plugin_is_lost(enum plugin_outcome outcome);
bool plugin_renew(struct engine *engine, size_t plugin); /* its process, if it has one */
/* Behind a call: whether it is made once more, in another process. */
bool plugin_tries_again(struct engine *engine, size_t plugin, enum plugin_outcome outcome,
                        unsigned *tries);
/* It was lost in a call, and nobody knew: a verdict, or the replay is stuck. */
void plugin_note_loss(struct engine *engine, size_t plugin, enum plugin_outcome outcome);
void plugins_note_stuck(struct engine *engine); /* in the result of the entry */

/* -- plugin_state.c ------------------------------------------------------- */
/* E_LIMIT: larger than limits.plugin_state_bytes; `who` keeps it. */
int plugin_document_check(const struct engine *engine, const char *who, struct text key,
                          struct doc doc, struct err *err);
/* Both while the link between them is not made yet, or still there. */
void plugin_states_merge(struct engine *engine, uint64_t survivor, uint64_t absorbed);
void plugin_states_unmerge(struct engine *engine, const struct customer *group, uint64_t leaving);

/* An event for another subject, by way of the log: a row in `outgoing` until its entry is applied.
 */
struct event_sent {
    struct text type, to, by, about; /* `to`: a CUSTOMER, or the address of a shared subject */
    struct doc data;
    uint64_t from; /* the customer because of whom; 0: none */
    unsigned depth;
};
void event_send(struct engine *engine, const struct event_sent *sent);
/* The same of a rule: whether it may, E_LIMIT in words of `word`; then it does. */
int step_check_send(struct step *step, const char *word, struct err *err);
void step_send_event(struct step *step, struct text type, struct doc data, struct text to);

/* -- identity.c ----------------------------------------------------------- */

/* The customer of a CUSTOMER reference ("42", "user_id:u-17", "email:..."), as the member
 * it names; 0: none. */
uint64_t identity_find(struct engine *engine, struct text reference);
/* The member who has an email or phone, or another name, longest, of several too; 0: nobody. */
uint64_t identity_first(struct engine *engine, struct text reference);
/* The member that a client's event came from, as far as it is known already; 0: not. */
uint64_t identity_of_event(struct engine *engine, const struct event *event);
/* "email:ann@example.com", "external:erp:4711" in two.  False: it is written otherwise. */
bool identity_split(struct text reference, struct text *out_name_space, struct text *out_value);
/* Nobody is known by it any more, if it was this customer. */
void identity_forget(struct engine *engine, struct text name_space, struct text value,
                     uint64_t customer);
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

/* -- erase.c -------------------------------------------------------------- */
/* What is in the state of erasures, when the engine is opened. */
void erase_open(struct engine *engine);
/* Whether this customer is being erased: nothing of hers happens any more. */
bool erase_is_open(struct engine *engine, uint64_t customer);
/* What an erasure waited for has come, if she is being erased: a tick goes on with it. */
void erase_wake(struct engine *engine, uint64_t customer);
void erase_sweep(struct engine *engine); /* one slice */
void command_erase(struct step *step);
void erase_done(struct step *step);
/* The present entry is to be erased with `customer`, although her timeline does not show it; it
 * stands on that of `where` (0: nobody's). */
void erase_note_entry(struct engine *engine, uint64_t customer, uint64_t where);
/* The same with whoever will be known by this name, which nobody is yet; of a CUSTOMER reference;
 * of an address. */
void erase_note_name(struct engine *engine, struct text name_space, struct text value,
                     uint64_t where);
void erase_note_reference(struct engine *engine, struct text reference, uint64_t where);
void erase_note_address(struct engine *engine, struct text channel, struct text value);
/* Of an entry that a rule sent: with the customer whose event it answered. */
void erase_note_sender(struct engine *engine, const struct event *event);
/* Whether the event names somebody who was erased by her number, which was looked up before: then
 * it is refused, leaves nothing, and its entry is erased with her. */
bool erase_refuse_late(struct engine *engine, const struct event *event);
/* Row `u` of an address that was erased and must still not be written to. */
void key_suppression_hidden(struct key *key, struct text channel, struct text value);

/* -- file.c --------------------------------------------------------------- */
/* Remember that the event's customer has the files that it names. */
void file_note(struct step *step);
/* Append {hash, event} of each that the entry names. */
void file_show(struct engine *engine, uint64_t customer, uint64_t seq, struct buf *out);
/* Entry `seq` of `customer` (0: nobody) goes with `erased`: it names no file any more.  Of one that
 * nothing names now a row `G` says that its bytes must go (core/server/files.h: files_sweep) ... */
void file_forget(struct engine *engine, uint64_t erased, uint64_t customer, uint64_t seq);
/* ... until the erasure of `customer` is done: then these rows go too. */
void file_forgotten(struct engine *engine, uint64_t customer);

/* -- dedupe.c ------------------------------------------------------------- */
/* Whether (source, id) of the event is known under its customer or any member of its group, of a
 * plugin's event under anybody; if not, it is from now on. */
bool dedupe_seen(struct engine *engine, struct customer *customer, const struct event *event);
/* The same, and nothing changes.  Of nobody only what plugins have said is known here. */
bool dedupe_knows(struct engine *engine, const struct customer *customer,
                  const struct event *event);

/* -- events.c ------------------------------------------------------------- */
/* The event `n` of the entry being applied has happened, to this customer. */
void events_note(struct engine *engine, uint64_t customer, uint64_t n);
void events_store(struct engine *engine); /* at the end of the entry */

/* -- calls.c, commands.c, system.c ---------------------------------------- */
void calls_apply(struct engine *engine, struct event *event);
void calls_note_created(struct step *step, uint64_t number);
/* What a derived event changes of its customer, before rules hear of it. */
void calls_derived(struct step *step);
/* customer_set_address() for the step's customer, noted in the trace. */
int address_set(struct step *step, const struct address *address, struct err *err);
/* As addresses of a channel are compared; empty when it can be none there. */
struct text address_normal(struct engine *engine, struct text channel, struct text value);
/* The step's customer is in relation `type` to `other`; `until` 0: open. */
void relation_set(struct step *step, struct text type, uint64_t other, int64_t since,
                  int64_t until);
bool command_apply(struct engine *engine, struct event *event); /* false: not a command */
void system_apply(struct engine *engine, struct event *event);
int engine_load_active(struct engine *engine, struct err *err); /* the bundle that meta names */
/* The first deadline of a plugin's kind that names a calendar which these rules do not declare;
 * either may be NULL.  False: there is none. */
bool kinds_lack_calendar(const struct plugins *plugins, const struct ruleset *rules,
                         const struct kind **out_kind, const struct kind_deadline **out_deadline);
void engine_note_kinds(struct engine *engine); /* of the bundle and the plugins in force */
void engine_use_rules(struct engine *engine, struct ruleset *rules); /* takes them; NULL: none */

/* -- staff.c -------------------------------------------------------------- */
void command_staff_set(struct step *step);
void command_staff_removed(struct step *step); /* and the keys that were hers */
void command_key_set(struct step *step);
void command_key_removed(struct step *step);
/* A member of the team, by its way of assigning, else in turn; where nobody of it is there the
 * fallback, or one of it; else the team itself.  The trace says why.  E_CONFLICT: there is no such
 * team. */
int step_choose_member(struct step *step, struct text team, struct text *out_owner,
                       struct err *err);
/* Who does what is addressed `to`: the deputy of somebody absent, the fallback of nobody. */
struct text staff_assignee(struct engine *engine, struct text to, const struct customer *customer);

#endif
