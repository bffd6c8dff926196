/* record_deadline.c -- deadlines of records: when they begin, move, are met, missed and escalated.
 *
 *     state of the record     deadline         then
 *     -------------------     --------         ----
 *     enters `from`           none, or ended   begins: a timer, a reminder
 *     in `from`               runs             worked out again: it may move, and says why
 *     waiting                 runs             paused: no timer; what is left is kept
 *     back in `from`          paused           goes on with what was left
 *     elsewhere               runs, paused     ends: met in time, missed, or dropped
 *     (its timer)             runs             overdue, step by step; the reminder is handed on
 *
 * Row `D` has one document for each deadline, with all that must be known to say why it is due when
 * it is.  The moment is never changed by hand: each time it is worked out from the beginning by the
 * rule, the calendar and the pauses of now (deadline.h), and when that gives another moment, the
 * difference is told with its reason.  So whatever changes (a field, a state, the bundle, the
 * company's zone) this is the one thing to do about it; for the last two a sweep does it by slices
 * of ticks, and a timer that fires before its slice has come does it for its record first.
 */
#include "core/engine/deadline.h"

#include "core/base/civil.h"
#include "core/base/hash.h"
#include "core/base/moment.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/engine/record_inside.h"

#include <string.h>

#define MOVES_KEPT 8
#define TITLE_BYTES_MAX 400
#define DEADLINES_STORED_MAX 20 /* with some that are declared no more */

struct deadline {
    struct text name;
    const struct kind_deadline *rule; /* NULL: it is declared no more */
    int64_t since, due;               /* due 0: it is paused */
    int64_t left_ms;                  /* while it is */
    int64_t week;                     /* the same: by which working time it would go on */
    struct text event;                /* that it began with */
    struct text start;           /* "created", "field:NAME", "state:NAME": what it counts from */
    struct text words, calendar; /* by which it was worked out */
    int64_t level;               /* steps that have been told: 1: it was due */
    int64_t missed, ended;       /* when; 0: not */
    struct text outcome;         /* of one that has ended: met, missed, dropped */
    uint64_t task;
    struct doc moves;
};

struct deadlines {
    struct record_work *work;
    struct deadline items[DEADLINES_STORED_MAX];
    size_t count;
    bool is_changed;
};

/* -- Rows ------------------------------------------------------------------ */

static void read_deadline(struct deadline *deadline, const struct record *record, struct text name,
                          struct doc row)
{
    size_t rule = record->kind != NULL ? kind_deadline_find(record->kind, name) : KIND_NONE;
    *deadline = (struct deadline){
        .name = name,
        .rule = rule != KIND_NONE ? &record->kind->deadlines[rule] : NULL,
        .since = doc_int(row, "since", 0),
        .due = doc_int(row, "due", 0),
        .left_ms = doc_int(row, "left", 0),
        .week = doc_int(row, "week", 0),
        .event = doc_text(row, "event"),
        .start = doc_text(row, "start"),
        .words = doc_text(row, "words"),
        .calendar = doc_text(row, "calendar"),
        .level = doc_int(row, "level", 0),
        .missed = doc_int(row, "missed", 0),
        .ended = doc_int(row, "ended", 0),
        .outcome = doc_text(row, "outcome"),
        .task = (uint64_t)doc_int(row, "task", 0),
        .moves = doc_child(row, "moves"),
    };
}

static void load(struct deadlines *deadlines, struct record_work *work)
{
    struct engine *engine = work->engine;
    struct key key;
    struct bytes row;
    deadlines->work = work;
    deadlines->count = 0;
    deadlines->is_changed = false;
    key_deadlines(&key, work->record.kind_name, work->record.number);
    if (!state_get(engine->state, &key, &row))
        return;
    struct doc doc = arena_doc(&engine->arena, (struct doc){ row.data, (uint32_t)row.size });
    for (struct doc_iter it = doc_iter(doc);
         deadlines->count < DEADLINES_STORED_MAX && doc_next(&it);)
        read_deadline(&deadlines->items[deadlines->count++], &work->record, it.name, it.value.doc);
}

static void put_int(struct doc_writer *w, const char *name, int64_t value)
{
    if (value != 0)
        doc_put_int(w, name, value);
}

static void put_deadline(struct doc_writer *w, const struct deadline *deadline)
{
    doc_open_text(w, deadline->name);
    doc_put_int(w, "since", deadline->since);
    doc_put_present(w, "event", deadline->event);
    doc_put_present(w, "start", deadline->start);
    put_int(w, "due", deadline->due);
    put_int(w, "left", deadline->left_ms);
    put_int(w, "week", deadline->week);
    doc_put_present(w, "words", deadline->words);
    doc_put_present(w, "calendar", deadline->calendar);
    put_int(w, "level", deadline->level);
    put_int(w, "missed", deadline->missed);
    put_int(w, "ended", deadline->ended);
    doc_put_present(w, "outcome", deadline->outcome);
    put_int(w, "task", (int64_t)deadline->task);
    if (doc_count(deadline->moves) != 0)
        doc_put_array(w, "moves", deadline->moves);
    doc_close(w);
}

static void store(const struct deadlines *deadlines)
{
    const struct record *record = &deadlines->work->record;
    struct engine *engine = deadlines->work->engine;
    struct doc_writer w;
    struct key key;
    if (!deadlines->is_changed)
        return;
    engine_draft(engine, &w);
    for (size_t i = 0; i < deadlines->count; i++)
        put_deadline(&w, &deadlines->items[i]);
    struct doc row = doc_end(&w);
    key_deadlines(&key, record->kind_name, record->number);
    state_put(engine->state, &key, row.data, row.size);
}

/* -- Timers and reminders -------------------------------------------------- */

static struct text timer_name(struct record_work *work, const struct deadline *deadline)
{
    return arena_printf(&work->engine->arena, "deadline:%.*s:%llu:%.*s",
                        (int)work->record.kind_name.size, work->record.kind_name.data,
                        (unsigned long long)work->record.number, (int)deadline->name.size,
                        deadline->name.data);
}

static void cancel_timer(struct record_work *work, const struct deadline *deadline)
{
    timer_cancel(work->engine, NULL, work->record.customer, timer_name(work, deadline));
}

static void set_timer(struct record_work *work, const struct deadline *deadline, int64_t due)
{
    struct engine *engine = work->engine;
    struct doc_writer w;
    struct text name = timer_name(work, deadline);
    int64_t at = timer_soonest(engine, due);
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "deadline");
    doc_put_text(&w, "of", work->record.kind_name);
    doc_put_int(&w, "record", (int64_t)work->record.number);
    doc_put_text(&w, "name", deadline->name);
    timer_put_depth(&w, engine, at);
    timer_set(engine, NULL, work->record.customer, name, at, engine_doc(engine, &w));
}

/* Who is meant: the record's own owner before the customer's. */
static struct text receiver(const struct record_work *work, struct text to)
{
    return text_is(to, "owner") && work->record.owner.size != 0 ? work->record.owner : to;
}

/* "complaint 17: answer (The box was empty)" */
static struct text title_of(struct record_work *work, const struct deadline *deadline)
{
    const struct record *record = &work->record;
    struct arena *arena = &work->engine->arena;
    struct text title = deadline->rule->title, called = { "", 0 };
    if (record->kind->title != KIND_NONE)
        called = doc_text(record->fields, record->kind->fields[record->kind->title].name.data);
    if (title.size == 0)
        title = deadline->name;
    if (called.size > TITLE_BYTES_MAX || called.size == 0)
        return arena_printf(arena, "%.*s %llu: %.*s", (int)record->kind_name.size,
                            record->kind_name.data, (unsigned long long)record->number,
                            (int)title.size, title.data);
    return arena_printf(arena, "%.*s %llu: %.*s (%.*s)", (int)record->kind_name.size,
                        record->kind_name.data, (unsigned long long)record->number, (int)title.size,
                        title.data, (int)called.size, called.data);
}

/* Reminders are of customers; a record about nobody has none. */
static void remind(struct record_work *work, struct deadline *deadline, struct text to, int64_t due)
{
    struct own_reminder own = {
        .title = title_of(work, deadline),
        .to = receiver(work, to),
        .about = record_about(&work->record, &work->engine->arena),
        .by = work->record.kind_name,
        .customer = work->record.customer,
        .due = due > work->engine->now ? due : work->engine->now,
    };
    deadline->task = 0;
    if (to.size != 0 && work->customer != NULL)
        deadline->task = reminder_put(work->engine, work->customer, &own, work->depth);
}

static void end_reminder(struct record_work *work, struct deadline *deadline, const char *outcome)
{
    reminder_close(work->engine, work->customer, deadline->task, text_of(outcome), work->depth);
    deadline->task = 0;
}

/* -- Working it out -------------------------------------------------------- */

static const struct workweek *find_week(struct engine *engine, struct text calendar)
{
    const struct ruleset *rules = engine->rules;
    const struct workweek *week = rules != NULL ? rules->calendar(rules, calendar) : NULL;
    if (week == NULL && rules != NULL)
        week = rules->calendar(rules, (struct text){ "", 0 });
    if (week != NULL)
        return week;
    if (engine->usual_week == NULL) {
        struct workday_hours hours[5];
        for (int i = 0; i < 5; i++)
            hours[i] = (struct workday_hours){ i + 1, 9 * 60, 17 * 60 };
        struct workday_plan plan = { engine->config.zone, hours, 5, NULL, 0, NULL, 0 };
        int rc = workday_new(&plan, &engine->usual_week, NULL);
        ASSERT(rc == 0);
    }
    return engine->usual_week;
}

/* What is told of: a plugin may name a calendar that no bundle in force declares; then it is the
 * company's (empty). */
static struct text calendar_used(const struct engine *engine, struct text calendar)
{
    const struct ruleset *rules = engine->rules;
    bool is_there = rules != NULL && rules->calendar(rules, calendar) != NULL;
    return is_there ? calendar : (struct text){ "", 0 };
}

/* How long, by the value of the field that the deadline goes by. */
static const struct kind_span *span_of(const struct record *record,
                                       const struct kind_deadline *rule)
{
    if (rule->by_field == KIND_NONE)
        return &rule->due;
    struct text value = doc_text(record->fields, record->kind->fields[rule->by_field].name.data);
    for (size_t i = 0; i < rule->case_count; i++)
        if (text_equal(rule->cases[i].value, value))
            return &rule->cases[i].due;
    return &rule->due;
}

/* Since when it runs; false: the field that says so is empty. */
static bool since_of(const struct record_work *work, const struct kind_deadline *rule,
                     const struct deadline *running, int64_t *out_since)
{
    const struct record *record = &work->record;
    int64_t days;
    *out_since = running != NULL ? running->since : record->since;
    if (rule->since == KIND_SINCE_CREATED)
        *out_since = record->created;
    if (rule->since != KIND_SINCE_FIELD)
        return true;
    const struct kind_field *field = &record->kind->fields[rule->since_field];
    struct doc_value value = record_field(record, field->name);
    if (value.type == DOC_DATETIME)
        *out_since = value.integer;
    else if (value.type == DOC_TEXT &&
             moment_parse_date(value.text.data, value.text.size, &days, NULL) == 0)
        *out_since = zone_ms_from_local(workday_zone(find_week(work->engine, rule->calendar)),
                                        days * CIVIL_DAY_MS);
    else
        return false;
    return true;
}

static size_t read_pauses(const struct record *record,
                          struct deadline_pause pauses[RECORD_PAUSES_MAX])
{
    size_t count = 0;
    struct doc_iter it = doc_iter(record->pauses);
    while (count < RECORD_PAUSES_MAX && doc_next(&it)) {
        pauses[count].from = it.value.integer;
        pauses[count].until = doc_next(&it) ? it.value.integer : INT64_MAX;
        count++;
    }
    return count;
}

static struct deadline_rule rule_of(const struct record_work *work,
                                    const struct kind_deadline *rule)
{
    return (struct deadline_rule){
        .due = span_of(&work->record, rule)->duration,
        .at_minute = rule->at_minute,
        .week = find_week(work->engine, rule->calendar),
    };
}

/* Which calendar it counts by, as a number; 0: by none. */
static int64_t week_of(const struct deadline_rule *rule)
{
    bool counts = rule->due.unit == DURATION_WORKDAYS || rule->due.unit == DURATION_WORKHOURS;
    return counts ? (int64_t)workday_print(rule->week) : 0;
}

/* False: it lies beyond the calendar, and is never due. */
static bool work_out(const struct record_work *work, struct deadline *deadline, int64_t since)
{
    struct deadline_pause pauses[RECORD_PAUSES_MAX];
    struct deadline_rule rule = rule_of(work, deadline->rule);
    struct deadline_due due;
    size_t count = read_pauses(&work->record, pauses);
    if (since <= 0 || since > CIVIL_MS_MAX ||
        deadline_due(&rule, since, pauses, count, &due, NULL) != 0)
        return false;
    deadline->since = since;
    deadline->due = due.is_paused ? 0 : due.due;
    deadline->left_ms = due.is_paused ? due.left_ms : 0;
    deadline->week = due.is_paused ? week_of(&rule) : 0;
    deadline->words = span_of(&work->record, deadline->rule)->words;
    deadline->calendar = calendar_used(work->engine, deadline->rule->calendar);
    return true;
}

/* When its step `level` is told: 0 is when it is due.  Never before the step in front of it. */
static int64_t step_at(const struct record_work *work, const struct deadline *deadline,
                       int64_t level)
{
    struct deadline_rule rule = rule_of(work, deadline->rule);
    int64_t at = deadline->due, ms;
    for (int64_t i = 0; i < level; i++) {
        struct duration after = deadline->rule->steps[i].after.duration;
        if (deadline_after(&rule, deadline->due, after, &ms, NULL) == 0 && ms > at)
            at = ms;
    }
    return at;
}

static bool has_step(const struct deadline *deadline)
{
    ASSERT(deadline->rule != NULL); /* one that runs is declared */
    return deadline->level <= (int64_t)deadline->rule->step_count;
}

static bool is_armed_for(struct record_work *work, const struct deadline *deadline, int64_t at)
{
    struct key key;
    struct bytes row;
    int64_t due = 0;
    key_customer(&key, work->record.customer, 'w');
    key_tail(&key, timer_name(work, deadline));
    if (!state_get(work->engine->state, &key, &row))
        return false;
    struct key_reader reader = { row.data, row.data + row.size };
    return key_read_time(&reader, &due) && due == at;
}

/* The timer of what is told next; none where nothing is. */
static void arm(struct record_work *work, const struct deadline *deadline)
{
    if (deadline->due == 0 || !has_step(deadline)) {
        cancel_timer(work, deadline);
        return;
    }
    int64_t at = step_at(work, deadline, deadline->level);
    if (!is_armed_for(work, deadline, at))
        set_timer(work, deadline, at);
}

/* -- Why it moved ---------------------------------------------------------- */

static struct text say_moment(struct record_work *work, int64_t ms)
{
    char text[MOMENT_TEXT_SIZE];
    moment_format(ms, text);
    return arena_text(&work->engine->arena, text_of(text));
}

static struct text bundle_name(struct record_work *work)
{
    const struct ruleset *rules = work->engine->rules;
    char hex[HEX_SIZE(6)];
    if (rules == NULL)
        return text_of("no bundle");
    hex_encode(rules->hash, 6, hex);
    return arena_printf(&work->engine->arena, "bundle %s", hex);
}

static struct text why_other_words(struct record_work *work, const struct deadline *before,
                                   const struct deadline *now)
{
    struct arena *arena = &work->engine->arena;
    const struct kind *kind = work->record.kind;
    size_t by = now->rule->by_field;
    if (by != KIND_NONE && work->before.number != 0) {
        const struct kind_field *field = &kind->fields[by];
        struct text old = doc_text(work->before.fields, field->name.data);
        struct text new = doc_text(work->record.fields, field->name.data);
        if (!text_equal(old, new))
            return arena_printf(arena, "%.*s is %.*s: %.*s instead of %.*s", (int)field->name.size,
                                field->name.data, (int)new.size, new.data, (int)now->words.size,
                                now->words.data, (int)before->words.size, before->words.data);
    }
    return arena_printf(arena, "the policy says %.*s instead of %.*s (%s)", (int)now->words.size,
                        now->words.data, (int)before->words.size, before->words.data,
                        bundle_name(work).data);
}

/* Before the sweep came to it: what was left of another calendar's time is had by this one. */
static const char *why_week(struct record_work *work, const struct deadline *before,
                            const struct deadline *now)
{
    struct deadline_rule rule = rule_of(work, now->rule);
    if (before->week == 0 || before->week == week_of(&rule))
        return "";
    return arena_printf(&work->engine->arena, ", and the calendar is another (%s)",
                        bundle_name(work).data)
        .data;
}

static struct text why_waited(struct record_work *work, const struct deadline *before,
                              const struct deadline *now)
{
    struct deadline_pause pauses[RECORD_PAUSES_MAX];
    size_t count = read_pauses(&work->record, pauses);
    if (count == 0)
        return text_of("it waits no more");
    struct text from = say_moment(work, pauses[count - 1].from);
    if (pauses[count - 1].until == INT64_MAX)
        return arena_printf(&work->engine->arena, "it waits: %.*s", (int)work->record.state.size,
                            work->record.state.data);
    return arena_printf(&work->engine->arena, "it waited from %s until %s%s", from.data,
                        say_moment(work, pauses[count - 1].until).data,
                        why_week(work, before, now));
}

static const char *say_calendar(struct arena *arena, struct text calendar)
{
    return calendar.size == 0
               ? "the company's calendar"
               : arena_printf(arena, "the calendar \"%.*s\"", (int)calendar.size, calendar.data)
                     .data;
}

static struct text why_moved(struct record_work *work, const struct deadline *before,
                             const struct deadline *now)
{
    struct arena *arena = &work->engine->arena;
    if ((before->due == 0) != (now->due == 0))
        return why_waited(work, before, now);
    if (before->since != now->since && now->rule->since == KIND_SINCE_FIELD) {
        const struct kind_field *field = &work->record.kind->fields[now->rule->since_field];
        return arena_printf(arena, "%.*s is another moment", (int)field->name.size,
                            field->name.data);
    }
    if (!text_equal(before->words, now->words))
        return why_other_words(work, before, now);
    if (!text_equal(before->calendar, now->calendar))
        return arena_printf(arena, "it goes by %s instead of %s (%s)",
                            say_calendar(arena, now->calendar),
                            say_calendar(arena, before->calendar), bundle_name(work).data);
    return arena_printf(arena, "the calendar or the policy is another (%s)",
                        bundle_name(work).data);
}

static struct text this_event(struct record_work *work)
{
    char id[EVENT_ID_TEXT_MAX];
    uint64_t n = work->step != NULL ? work->step->event->n : 0;
    return arena_text(&work->engine->arena, event_id_text(work->engine->seq, n, id));
}

static void note_move(struct record_work *work, struct deadline *deadline, int64_t was,
                      struct text why)
{
    struct engine *engine = work->engine;
    struct doc_writer w;
    size_t count = doc_count(deadline->moves), i = 0;
    engine_draft(engine, &w);
    doc_open_array(&w, "moves");
    for (struct doc_iter it = doc_iter(deadline->moves); doc_next(&it); i++)
        if (i + MOVES_KEPT > count)
            doc_put_value(&w, "", &it.value);
    doc_open(&w, "");
    doc_put_int(&w, "at", engine->now);
    doc_put_text(&w, "event", this_event(work));
    put_int(&w, "was", was);
    put_int(&w, "due", deadline->due);
    put_int(&w, "left", deadline->left_ms);
    doc_put_text(&w, "why", why);
    doc_close(&w);
    doc_close(&w);
    deadline->moves = doc_child(engine_doc(engine, &w), "moves");
}

/* -- What happens ---------------------------------------------------------- */

static void begin_data(struct record_work *work, struct doc_writer *w,
                       const struct deadline *deadline)
{
    record_begin_data(work, w);
    doc_put_text(w, "deadline", deadline->name);
    if (deadline->due != 0)
        doc_put_datetime(w, "due", deadline->due);
}

static void tell(struct record_work *work, const struct deadline *deadline, const char *what)
{
    struct doc_writer w;
    begin_data(work, &w, deadline);
    record_tell(work, text_of(what), engine_doc(work->engine, &w));
}

/* Where a deadline stands, or will: of those that are declared no more one makes room. */
static size_t place_of(const struct deadlines *deadlines, struct text name)
{
    size_t free = deadlines->count;
    for (size_t i = 0; i < deadlines->count; i++) {
        if (text_equal(deadlines->items[i].name, name))
            return i;
        if (free == DEADLINES_STORED_MAX && deadlines->items[i].rule == NULL)
            free = i;
    }
    ASSERT(free < DEADLINES_STORED_MAX);
    return free;
}

static struct text start_of(struct record_work *work, const struct kind_deadline *rule)
{
    const struct record *record = &work->record;
    struct arena *arena = &work->engine->arena;
    if (rule->since == KIND_SINCE_CREATED)
        return text_of("created");
    if (rule->since == KIND_SINCE_STATE)
        return arena_printf(arena, "state:%.*s", (int)record->state.size, record->state.data);
    return arena_printf(arena, "field:%s", record->kind->fields[rule->since_field].name.data);
}

static void start(struct deadlines *deadlines, const struct kind_deadline *rule)
{
    struct record_work *work = deadlines->work;
    struct deadline deadline = {
        .name = rule->name,
        .rule = rule,
        .event = this_event(work),
        .start = start_of(work, rule),
    };
    int64_t since;
    if (!since_of(work, rule, NULL, &since) || !work_out(work, &deadline, since))
        return;
    size_t place = place_of(deadlines, rule->name);
    if (place < deadlines->count && deadlines->items[place].rule != NULL)
        deadline.moves = deadlines->items[place].moves;
    remind(work, &deadline, rule->to, deadline.due);
    arm(work, &deadline);
    deadlines->items[place] = deadline;
    deadlines->count += place == deadlines->count ? 1 : 0;
    deadlines->is_changed = true;
}

/* It is due, or has been for so long as the next step says. */
static void escalate(struct deadlines *deadlines, struct deadline *deadline)
{
    struct record_work *work = deadlines->work;
    const struct kind_deadline *rule = deadline->rule;
    struct doc_writer w;
    int64_t level = deadline->level++;
    struct text to = level > 0 ? rule->steps[level - 1].to : rule->to;
    deadlines->is_changed = true;
    if (level == 0)
        deadline->missed = deadline->due;
    else if (!reminder_hand(work->engine, work->customer, deadline->task, receiver(work, to),
                            "reminder.escalated", work->depth))
        remind(work, deadline, to, work->engine->now);
    begin_data(work, &w, deadline);
    doc_put_int(&w, "level", level);
    doc_put_present(&w, "to", receiver(work, to));
    record_tell(work, text_of("overdue"), engine_doc(work->engine, &w));
}

/* All steps whose time has come: a change may be applied before the tick that would tell them. */
static void escalate_due(struct deadlines *deadlines, struct deadline *deadline)
{
    struct record_work *work = deadlines->work;
    while (deadline->due != 0 && has_step(deadline) &&
           step_at(work, deadline, deadline->level) <= work->engine->now)
        escalate(deadlines, deadline);
}

/* The record has left the states in which it runs, or nobody declares it any more. */
static void end(struct deadlines *deadlines, struct deadline *deadline, bool is_met)
{
    struct record_work *work = deadlines->work;
    const char *outcome = !is_met ? "dropped" : deadline->missed != 0 ? "missed" : "met";
    deadline->ended = work->engine->now;
    deadline->outcome = text_of(outcome);
    cancel_timer(work, deadline);
    end_reminder(work, deadline, outcome);
    if (strcmp(outcome, "dropped") != 0)
        tell(work, deadline, outcome);
    deadlines->is_changed = true;
}

static void tell_moved(struct record_work *work, const struct deadline *deadline, int64_t was,
                       struct text why)
{
    struct doc_writer w;
    begin_data(work, &w, deadline);
    if (was != 0)
        doc_put_datetime(&w, "was", was);
    doc_put_text(&w, "reason", why);
    record_tell(work, text_of("rescheduled"), engine_doc(work->engine, &w));
}

/* It has another moment than before: the reminder follows, and escalation begins anew where it is
 * not due any more. */
static void move(struct deadlines *deadlines, struct deadline *deadline,
                 const struct deadline *before)
{
    struct record_work *work = deadlines->work;
    struct text why = why_moved(work, before, deadline);
    deadlines->is_changed = true;
    if (deadline->due == 0 || deadline->due > work->engine->now) {
        deadline->level = 0;
        deadline->missed = 0;
    }
    note_move(work, deadline, before->due, why);
    if (deadline->due == 0)
        end_reminder(work, deadline, "paused");
    else if (before->due == 0)
        remind(work, deadline, deadline->rule->to, deadline->due);
    else
        reminder_shift(work->engine, work->customer, deadline->task, deadline->due, work->depth);
    arm(work, deadline);
    if (deadline->due != 0)
        tell_moved(work, deadline, before->due, why);
}

/* It runs on.  The moment is the same, or it moves. */
static void go_on(struct deadlines *deadlines, struct deadline *deadline)
{
    struct record_work *work = deadlines->work;
    struct deadline before = *deadline;
    int64_t since;
    if (!since_of(work, deadline->rule, deadline, &since) || !work_out(work, deadline, since)) {
        end(deadlines, deadline, false);
        return;
    }
    bool is_another_week = before.week != 0 && deadline->due == 0 && before.week != deadline->week;
    if (before.due != deadline->due || before.left_ms != deadline->left_ms || is_another_week) {
        move(deadlines, deadline, &before);
        return;
    }
    deadlines->is_changed = deadlines->is_changed || before.week != deadline->week ||
                            !text_equal(before.words, deadline->words) ||
                            !text_equal(before.calendar, deadline->calendar);
    if (work->step == NULL)
        arm(work, deadline); /* its ladder may be another */
}

/* Whoever has the record has the reminder, until it is escalated. */
static void follow_owner(struct record_work *work, const struct deadline *deadline)
{
    if (work->before.number != 0 && deadline->task != 0 && deadline->level <= 1 &&
        text_is(deadline->rule->to, "owner") && !text_equal(work->before.owner, work->record.owner))
        reminder_hand(work->engine, work->customer, deadline->task,
                      receiver(work, deadline->rule->to), "reminder.moved", work->depth);
}

/* First the moment is worked out by the rules of now; then what is past by them is told. */
static void update(struct deadlines *deadlines, struct deadline *deadline, size_t state)
{
    struct record_work *work = deadlines->work;
    const struct kind_deadline *rule = deadline->rule;
    int64_t level = deadline->level;
    if (deadline->ended != 0)
        return;
    if (rule == NULL || state == KIND_NONE) {
        end(deadlines, deadline, false);
        return;
    }
    go_on(deadlines, deadline);
    if (deadline->ended != 0)
        return;
    escalate_due(deadlines, deadline);
    if (deadline->level != level)
        arm(work, deadline);
    if (work->record.kind->states[state].is_waiting || kind_is_in(rule->from, state))
        follow_owner(work, deadline);
    else
        end(deadlines, deadline, rule->met == 0 || kind_is_in(rule->met, state));
}

static bool is_running(const struct deadlines *deadlines, struct text name)
{
    for (size_t i = 0; i < deadlines->count; i++)
        if (text_equal(deadlines->items[i].name, name))
            return deadlines->items[i].ended == 0;
    return false;
}

static void update_all(struct deadlines *deadlines)
{
    const struct record *record = &deadlines->work->record;
    const struct kind *kind = record->kind;
    size_t state = kind != NULL ? kind_state_find(kind, record->state) : KIND_NONE;
    for (size_t i = 0; i < deadlines->count; i++)
        update(deadlines, &deadlines->items[i], state);
    for (size_t i = 0; kind != NULL && i < kind->deadline_count; i++)
        if (kind_is_in(kind->deadlines[i].from, state) &&
            !is_running(deadlines, kind->deadlines[i].name))
            start(deadlines, &kind->deadlines[i]);
}

void record_deadlines(struct record_work *work)
{
    struct deadlines deadlines;
    load(&deadlines, work);
    update_all(&deadlines);
    store(&deadlines);
}

/* -- Ticks ----------------------------------------------------------------- */

bool record_work_load(struct record_work *work, struct engine *engine, struct customer *customer,
                      struct text kind, uint64_t number)
{
    *work = (struct record_work){ .engine = engine, .word = "" };
    if (!record_load(&work->record, engine, kind, number) ||
        erase_is_open(engine, work->record.customer))
        return false;
    if (work->record.customer != 0 && customer_load(customer, engine, work->record.customer))
        work->customer = customer;
    work->before = work->record;
    return true;
}

void record_work_end(struct record_work *work)
{
    if (work->customer != NULL)
        customer_store(work->customer, work->engine);
}

void record_fire(struct engine *engine, uint64_t owner, struct doc timer)
{
    struct record_work work;
    struct deadlines deadlines;
    struct customer customer;
    if (!record_work_load(&work, engine, &customer, doc_text(timer, "of"),
                          (uint64_t)doc_int(timer, "record", 0)))
        return;
    ASSERT(work.record.customer == owner);
    work.depth = timer_depth_of(timer);
    engine->depth = work.depth;
    load(&deadlines, &work);
    for (size_t i = 0; i < deadlines.count; i++) {
        struct deadline *deadline = &deadlines.items[i];
        if (!text_equal(deadline->name, doc_text(timer, "name")) || deadline->ended != 0)
            continue;
        if (deadline->rule != NULL)
            go_on(&deadlines, deadline);
        else
            end(&deadlines, deadline, false);
        if (deadline->ended == 0 && deadline->due != 0) {
            escalate_due(&deadlines, deadline);
            arm(&work, deadline);
        }
    }
    store(&deadlines);
    record_work_end(&work);
}

void record_forget_deadlines(struct engine *engine, const struct record *record,
                             struct customer *customer)
{
    struct record_work work = { .engine = engine, .customer = customer, .record = *record };
    struct deadlines deadlines;
    struct key key;
    load(&deadlines, &work);
    for (size_t i = 0; i < deadlines.count; i++)
        cancel_timer(&work, &deadlines.items[i]);
    key_deadlines(&key, record->kind_name, record->number);
    state_delete(engine->state, &key);
}
