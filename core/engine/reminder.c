/* reminder.c -- follow-ups: a task of a member of staff with a time.
 *
 * A reminder is a task row, and while it is open a row in its assignee's list, one in
 * its customer's, a timer under its customer, and, when a rule made it, a row that finds
 * the one open reminder of (customer, rule, key): asking again with the same key moves
 * it.  It stays with the customer it was created under, also after a merge.
 */
#include "core/base/civil.h"
#include "core/engine/engine_inside.h"
#include "core/engine/reminder_version.h"
#include "core/engine/staff.h"

#include <string.h>

struct task {
    uint64_t number, customer;
    struct text title, assignee, to, key, rule, note, about, state, outcome, by;
    struct text of;  /* whose it is while the assignee stands in for her; else empty */
    struct text why; /* it is the assignee's; empty: because whoever gave it said so */
    struct due due;  /* follows the customer's zone when a rule said it, the company's is staff's */
    struct text escalate_to;
    int64_t created, escalate_due;
    int64_t closed; /* log time; 0: it is open, or was closed by an engine before level 10 */
};

#define TITLE_BYTES_MAX 500
#define NOTE_BYTES_MAX 8000 /* and of an outcome */

static bool is_moment(int64_t ms)
{
    return ms > 0 && ms <= CIVIL_MS_MAX;
}

static void key_task(struct key *key, uint64_t number)
{
    key_start(key, 'k');
    key_number(key, number);
}

static void key_of_assignee(struct key *key, const struct task *task)
{
    key_start(key, 'o');
    key_text(key, task->assignee);
    key_time(key, task->due.ms);
    key_number(key, task->number);
}

/* What somebody who is away will have back. */
static void key_of_absent(struct key *key, const struct task *task)
{
    key_start(key, 'O');
    key_text(key, task->of);
    key_time(key, task->due.ms);
    key_number(key, task->number);
}

static void key_of_customer(struct key *key, const struct task *task)
{
    key_customer(key, task->customer, 'k');
    key_number(key, task->number);
}

static void key_open(struct key *key, const struct task *task)
{
    key_customer(key, task->customer, 'r');
    key_text(key, task->rule);
    key_tail(key, task->key);
}

static bool task_load(struct task *task, struct engine *engine, uint64_t number)
{
    struct key key;
    struct bytes row;
    key_task(&key, number);
    if (!state_get(engine->state, &key, &row))
        return false;
    struct doc doc = { arena_copy(&engine->arena, row.data, row.size), (uint32_t)row.size };
    *task = (struct task){
        .number = number,
        .customer = (uint64_t)doc_int(doc, "customer", 0),
        .title = doc_text(doc, "title"),
        .assignee = doc_text(doc, "assignee"),
        .of = doc_text(doc, "of"),
        .why = doc_text(doc, "why"),
        .to = doc_text(doc, "to"),
        .key = doc_text(doc, "key"),
        .rule = doc_text(doc, "rule"),
        .note = doc_text(doc, "note"),
        .about = doc_text(doc, "about"),
        .state = doc_text(doc, "state"),
        .outcome = doc_text(doc, "outcome"),
        .by = doc_text(doc, "by"),
        .escalate_to = doc_text(doc, "escalate_to"),
        .due = due_read(doc, doc_int(doc, "due", 0)),
        .created = doc_int(doc, "created", 0),
        .closed = doc_int(doc, "closed", 0),
        .escalate_due = doc_int(doc, "escalate_due", 0),
    };
    return true;
}

static void task_store(const struct task *task, struct engine *engine)
{
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_int(&w, "customer", (int64_t)task->customer);
    doc_put_text(&w, "title", task->title);
    doc_put_text(&w, "state", task->state);
    doc_put_text(&w, "assignee", task->assignee);
    doc_put_present(&w, "of", task->of);
    doc_put_present(&w, "why", task->why);
    doc_put_present(&w, "to", task->to);
    doc_put_int(&w, "due", task->due.ms);
    doc_put_int(&w, "created", task->created);
    doc_put_present(&w, "rule", task->rule);
    doc_put_present(&w, "key", task->key);
    doc_put_present(&w, "note", task->note);
    doc_put_present(&w, "about", task->about);
    due_put(&w, &task->due);
    doc_put_present(&w, "outcome", task->outcome);
    doc_put_present(&w, "by", task->by);
    doc_put_present(&w, "escalate_to", task->escalate_to);
    if (task->escalate_due != 0)
        doc_put_int(&w, "escalate_due", task->escalate_due);
    if (task->closed != 0)
        doc_put_int(&w, "closed", task->closed);
    struct doc row = doc_end(&w);
    key_task(&key, task->number);
    state_put(engine->state, &key, row.data, row.size);
}

/* -- Timers and lists of an open task ------------------------------------- */

static struct text timer_name(struct engine *engine, const char *kind, uint64_t number)
{
    return arena_printf(&engine->arena, "%s:%llu", kind, (unsigned long long)number);
}

static void set_timer(struct engine *engine, struct profile *profile, const struct task *task,
                      const char *kind, int64_t due)
{
    struct doc_writer w;
    int64_t at = timer_soonest(engine, due);
    struct text name = timer_name(engine, kind, task->number);
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", kind);
    doc_put_int(&w, "task", (int64_t)task->number);
    timer_put_depth(&w, engine, at);
    timer_set(engine, profile, task->customer, name, at, engine_doc(engine, &w));
}

/* `before` (NULL: it was not there) has timers already, or has been due and is not due again. */
static void set_timers(struct engine *engine, struct profile *profile, const struct task *task,
                       const struct task *before)
{
    if (before == NULL || before->due.ms != task->due.ms)
        set_timer(engine, profile, task, "task", task->due.ms);
    if (task->escalate_due != 0 && (before == NULL || before->escalate_due != task->escalate_due))
        set_timer(engine, profile, task, "escalate", task->escalate_due);
}

/* The member of a step's customer that a task belongs to; NULL when it is nobody's or the
 * task is handled outside a step of its customer. */
static struct profile *member_of(struct customer *customer, uint64_t number)
{
    for (size_t i = 0; customer != NULL && i < customer->count; i++)
        if (customer->members[i].number == number)
            return &customer->members[i];
    return NULL;
}

static void list_for_assignee(const struct task *task, struct engine *engine)
{
    struct key key, value = { .size = 0 };
    key_of_assignee(&key, task);
    key_number(&value, task->customer);
    state_put(engine->state, &key, value.data, value.size);
    team_count(engine, task->assignee, 1);
    key_of_absent(&key, task);
    if (task->of.size != 0)
        state_put(engine->state, &key, value.data, value.size);
}

static void unlist_for_assignee(const struct task *task, struct engine *engine)
{
    struct key key;
    key_of_assignee(&key, task);
    state_delete(engine->state, &key);
    team_count(engine, task->assignee, -1);
    key_of_absent(&key, task);
    if (task->of.size != 0)
        state_delete(engine->state, &key);
}

static void task_open(struct task *task, struct engine *engine, struct customer *customer)
{
    struct key key;
    list_for_assignee(task, engine);
    key_of_customer(&key, task);
    state_put(engine->state, &key, "", 0);
    set_timers(engine, member_of(customer, task->customer), task, NULL);
}

/* It stands in no list any more. */
static void task_unlist(const struct task *task, struct engine *engine, struct customer *customer)
{
    struct profile *profile = member_of(customer, task->customer);
    struct key key;
    unlist_for_assignee(task, engine);
    key_of_customer(&key, task);
    state_delete(engine->state, &key);
    timer_cancel(engine, profile, task->customer, timer_name(engine, "task", task->number));
    timer_cancel(engine, profile, task->customer, timer_name(engine, "escalate", task->number));
}

static void task_close(struct task *task, struct engine *engine, struct customer *customer,
                       struct text outcome)
{
    task_unlist(task, engine, customer);
    task->state = text_of("done");
    task->outcome = outcome;
    task->closed = engine->now;
}

/* The open task has another time, person or title: `before` is what it was. */
static void task_change(const struct task *before, const struct task *task, struct engine *engine,
                        struct customer *customer)
{
    struct profile *profile = member_of(customer, task->customer);
    unlist_for_assignee(before, engine);
    list_for_assignee(task, engine);
    if (task->escalate_due == 0)
        timer_cancel(engine, profile, task->customer, timer_name(engine, "escalate", task->number));
    set_timers(engine, profile, task, before);
    task_store(task, engine);
}

static bool has_timer(struct engine *engine, const struct task *task, const char *kind)
{
    return timer_payload_of(engine, task->customer, timer_name(engine, kind, task->number)).data !=
           NULL;
}

/* Whether there is room for the timers of a task; those that are set are only moved. */
static int check_timers(struct engine *engine, struct customer *customer, const struct task *task,
                        struct err *err)
{
    const struct profile *profile = member_of(customer, task->customer);
    int64_t most = engine->config.limits.timers;
    int64_t more = (has_timer(engine, task, "task") ? 0 : 1) +
                   (task->escalate_due == 0 || has_timer(engine, task, "escalate") ? 0 : 1);
    if (profile == NULL || more == 0 || profile->timers + more <= most)
        return 0;
    return err_set(err, E_LIMIT, "remind: the customer has %lld timers: no more (limit timers)",
                   (long long)most);
}

static struct doc task_note(struct engine *engine, const struct task *task)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "task", (int64_t)task->number);
    doc_put_text(&w, "title", task->title);
    doc_put_text(&w, "assignee", task->assignee);
    doc_put_present(&w, "of", task->of);
    doc_put_present(&w, "why", task->why);
    doc_put_int(&w, "due", task->due.ms);
    doc_put_present(&w, "outcome", task->outcome);
    doc_put_present(&w, "note", task->note);
    return engine_doc(engine, &w);
}

/* -- Whose it is ---------------------------------------------------------- */

static void give(struct task *task, const struct duty *duty)
{
    task->assignee = duty->holder;
    task->of = duty->of;
    task->why = duty->why;
}

static void give_to(struct engine *engine, struct task *task, struct text to,
                    const struct customer *customer)
{
    struct duty duty = staff_assign(engine, to, customer, task->due.ms);
    task->to = to;
    give(task, &duty);
}

/* It has another time, or somebody has come or gone: the deputy's, or hers again.  A deputy who has
 * it keeps it while there is need of one, unless it is found out `is_anew`. */
static void settle(struct engine *engine, struct task *task, const struct customer *customer,
                   bool is_anew)
{
    struct text whose = task->of.size != 0 ? task->of : task->assignee;
    int64_t until = INT64_MIN, deputys;
    bool is_needed = staff_is_away(engine, whose, &until) && task->due.ms < until;
    if (task->of.size == 0 && !is_needed)
        return;
    if (task->of.size != 0 && is_needed && !is_anew &&
        !staff_is_away(engine, task->assignee, &deputys))
        return;
    struct duty duty = staff_assign(engine, whose, customer, task->due.ms);
    if (!text_equal(duty.holder, task->assignee) || !text_equal(duty.of, task->of))
        give(task, &duty);
}

/* Asked for again of the same team, it stays with whoever has it. */
static bool stays(struct engine *engine, const struct task *open, const struct task *wanted)
{
    bool is_team;
    struct text team = team_name(wanted->to, &is_team);
    struct text whose = open->of.size != 0 ? open->of : open->assignee;
    return text_equal(open->to, wanted->to) && team_assigns(engine, team) &&
           team_has_member(engine, team, whose);
}

/* -- Making and moving ---------------------------------------------------- */

static uint64_t find_open(struct engine *engine, const struct task *task)
{
    struct key key;
    struct bytes value;
    key_open(&key, task);
    if (!state_get(engine->state, &key, &value))
        return 0;
    struct key_reader reader = { value.data, value.data + value.size };
    return key_take_number(&reader);
}

static uint64_t task_make(struct step *step, struct task *task)
{
    struct engine *engine = step->engine;
    struct key key, value = { .size = 0 };
    give_to(engine, task, task->to, &step->customer);
    task->number = ++engine->counters.task;
    task->created = engine->now;
    task->state = text_of("open");
    key_open(&key, task);
    key_number(&value, task->number);
    if (task->rule.size != 0)
        state_put(engine->state, &key, value.data, value.size);
    task_open(task, engine, &step->customer);
    task_store(task, engine);
    step_derive(step, "reminder.created", task->customer, task_note(engine, task));
    return task->number;
}

/* The same (customer, rule, key) again: the open one takes the new title, time and person. */
static uint64_t task_move(struct step *step, uint64_t number, const struct task *wanted)
{
    struct engine *engine = step->engine;
    struct task before, task = *wanted;
    bool is_there = task_load(&before, engine, number);
    ASSERT(is_there);
    task.number = number;
    if (stays(engine, &before, wanted)) {
        give(&task, &(struct duty){ before.assignee, before.of, before.why });
        settle(engine, &task, &step->customer, false);
    } else {
        give_to(engine, &task, wanted->to, &step->customer);
    }
    task.customer = before.customer;
    task.created = before.created;
    task.state = text_of("open");
    task_change(&before, &task, engine, &step->customer);
    step_derive(step, "reminder.moved", task.customer, task_note(engine, &task));
    return number;
}

/* All of it lies in one row, and three of them stand in keys. */
int step_remind_check(const struct reminder_request *request, struct err *err)
{
    if (request->key.size > NAME_BYTES_MAX || request->to.size > NAME_BYTES_MAX ||
        request->escalate_to.size > NAME_BYTES_MAX || request->about.size > NAME_BYTES_MAX ||
        request->due.words.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "remind: key, to, about and due have at most %d bytes",
                       NAME_BYTES_MAX);
    if (request->title.size > TITLE_BYTES_MAX || request->note.size > NOTE_BYTES_MAX)
        return err_set(err, E_LIMIT, "remind: a title has at most %d bytes and a note %d",
                       TITLE_BYTES_MAX, NOTE_BYTES_MAX);
    return 0;
}

static void note_why(struct step *step, uint64_t number)
{
    struct task task;
    if (task_load(&task, step->engine, number) && task.why.size != 0)
        step_note_line(step, arena_printf(&step->engine->arena, "task %llu is %.*s's: %.*s",
                                          (unsigned long long)number, (int)task.assignee.size,
                                          task.assignee.data, (int)task.why.size, task.why.data));
}

int step_remind(struct step *step, const struct reminder_request *request, uint64_t *out_task,
                struct err *err)
{
    struct engine *engine = step->engine;
    if (step->customer.number == 0)
        return err_set(err, E_INVALID, "remind: this event has no customer to be reminded of");
    int rc = step_remind_check(request, err);
    if (rc == 0 && !is_moment(request->due.ms))
        rc = err_set(err, E_INVALID, "remind: due is no moment");
    if (rc == 0)
        rc = timer_check_depth(step, request->due.ms, "remind", err);
    if (rc != 0)
        return rc;
    struct task task = {
        .customer = step->customer.members[step->customer.own].number,
        .title = request->title,
        .to = request->to,
        .key = request->key,
        .rule = step->rule != NULL ? step->rule->name : (struct text){ "", 0 },
        .by = step->rule != NULL ? step->rule->name : step->event->by,
        .note = request->note,
        .about = request->about,
        .due = request->due,
        .escalate_to = request->escalate_to,
        .escalate_due = request->escalate_due,
    };
    if (step->rule != NULL)
        due_follow(&task.due, engine->now);
    struct task under = task;
    uint64_t open = 0;
    for (size_t i = 0; task.rule.size != 0 && open == 0 && i < step->customer.count; i++) {
        under.customer = step->customer.members[i].number;
        under.number = open = find_open(engine, &under);
    }
    rc = check_timers(engine, &step->customer, open != 0 ? &under : &task, err);
    if (rc != 0)
        return rc;
    *out_task = open != 0 ? task_move(step, open, &task) : task_make(step, &task);
    step->trace.acts++;
    note_why(step, *out_task);
    return 0;
}

uint64_t reminder_customer(struct engine *engine, uint64_t number)
{
    struct task task;
    return task_load(&task, engine, number) ? task.customer : 0;
}

void reminder_erase(struct engine *engine, uint64_t number, uint64_t customer)
{
    struct task task;
    struct key key;
    if (!task_load(&task, engine, number) || task.customer != customer)
        return;
    if (text_is(task.state, "open"))
        task_unlist(&task, engine, NULL);
    key_task(&key, number);
    state_delete(engine->state, &key);
}

/* -- Being due ------------------------------------------------------------ */

static void derive(struct engine *engine, const char *type, const struct task *task, unsigned depth)
{
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of(type),
        .by = task->by,
        .about = arena_printf(&engine->arena, "task:%llu", (unsigned long long)task->number),
        .data = task_note(engine, task),
        .customer = task->customer,
        .depth = depth,
    };
    if (depth <= engine->config.limits.cascade_depth)
        engine_derive(engine, &event);
}

void reminder_fire(struct engine *engine, uint64_t customer, struct doc timer)
{
    struct task task;
    unsigned depth = timer_depth_of(timer);
    if (!task_load(&task, engine, (uint64_t)doc_int(timer, "task", 0)) ||
        !text_is(task.state, "open"))
        return;
    ASSERT(task.customer == customer);
    if (text_is(doc_text(timer, "kind"), "task")) {
        derive(engine, "reminder.due", &task, depth);
        return;
    }
    struct customer whole;
    customer_load(&whole, engine, customer);
    unlist_for_assignee(&task, engine);
    give_to(engine, &task, task.escalate_to, &whole);
    task.escalate_due = 0;
    list_for_assignee(&task, engine);
    task_store(&task, engine);
    derive(engine, "reminder.escalated", &task, depth);
}

/* -- Coming and going of staff -------------------------------------------- */

void reminder_settle(struct engine *engine, uint64_t number, bool is_anew)
{
    struct task before, task;
    struct customer customer;
    bool is_open = task_load(&before, engine, number) && text_is(before.state, "open");
    ASSERT(is_open); /* it stands in a list */
    if (erase_is_open(engine, before.customer))
        return;
    if (!customer_load(&customer, engine, before.customer))
        customer = (struct customer){ .number = 0 };
    task = before;
    settle(engine, &task, &customer, is_anew);
    if (text_equal(task.assignee, before.assignee) && text_equal(task.of, before.of))
        return;
    unlist_for_assignee(&before, engine);
    list_for_assignee(&task, engine);
    task_store(&task, engine);
    derive(engine, "reminder.moved", &task, engine->depth + 1);
}

/* -- Of deadlines ---------------------------------------------------------- */

uint64_t reminder_put(struct engine *engine, struct customer *customer,
                      const struct own_reminder *own, unsigned depth)
{
    struct task task = {
        .customer = own->customer,
        .title = own->title,
        .by = own->by,
        .about = own->about,
        .state = text_of("open"),
        .created = engine->now,
        .due = { .ms = own->due, .at_minute = DUE_NO_MINUTE, .base = DUE_FIXED },
    };
    if (check_timers(engine, customer, &task, NULL) != 0)
        return 0;
    give_to(engine, &task, own->to, customer);
    task.number = ++engine->counters.task;
    task_open(&task, engine, customer);
    task_store(&task, engine);
    derive(engine, "reminder.created", &task, depth);
    return task.number;
}

static bool load_open(struct task *task, struct engine *engine, uint64_t number)
{
    return number != 0 && task_load(task, engine, number) && text_is(task->state, "open");
}

void reminder_shift(struct engine *engine, struct customer *customer, uint64_t number, int64_t due,
                    unsigned depth)
{
    struct task before, task;
    if (!load_open(&before, engine, number) || before.due.ms == due)
        return;
    task = before;
    task.due.ms = due;
    settle(engine, &task, customer, false);
    task_change(&before, &task, engine, customer);
    derive(engine, "reminder.moved", &task, depth);
}

bool reminder_hand(struct engine *engine, struct customer *customer, uint64_t number,
                   struct text to, const char *type, unsigned depth)
{
    struct task task;
    if (!load_open(&task, engine, number))
        return false;
    unlist_for_assignee(&task, engine);
    give_to(engine, &task, to, customer);
    list_for_assignee(&task, engine);
    task_store(&task, engine);
    derive(engine, type, &task, depth);
    return true;
}

void reminder_close(struct engine *engine, struct customer *customer, uint64_t number,
                    struct text outcome, unsigned depth)
{
    struct task task;
    if (!load_open(&task, engine, number))
        return;
    task_close(&task, engine, customer, outcome);
    task_store(&task, engine);
    derive(engine, "reminder.closed", &task, depth);
}

/* -- Moving with the customer --------------------------------------------- */

uint64_t reminder_of_timer(struct text name)
{
    const char *colon = memchr(name.data, ':', name.size);
    uint64_t number = 0, n;
    ASSERT(colon != NULL);
    struct text digits = { colon + 1, (uint32_t)(name.data + name.size - colon - 1) };
    bool is_number = event_id_parse(digits, &number, &n);
    ASSERT(is_number);
    return number;
}

/* Its escalation keeps its distance. */
void reminder_move(struct engine *engine, struct customer *customer, uint64_t number,
                   const struct zone *zone)
{
    struct task before, task;
    int64_t ms;
    bool is_there = task_load(&before, engine, number);
    ASSERT(is_there);
    task = before;
    if (!due_moves(&before.due, zone, &ms) || !is_moment(ms))
        return;
    if (task.escalate_due != 0)
        task.escalate_due += ms - before.due.ms;
    task.due.ms = ms;
    settle(engine, &task, customer, false);
    task_change(&before, &task, engine, customer);
    derive(engine, "reminder.moved", &task, engine->depth + 1);
}

/* -- Commands of staff ---------------------------------------------------- */

/* People at their desks think in the company's zone: what they say does not follow the customer. */
static struct due due_of_command(struct doc data, const char *name)
{
    return (struct due){
        .ms = doc_int(data, name, 0),
        .words = doc_text(data, "civil"),
        .at_minute = DUE_NO_MINUTE,
        .base = DUE_FIXED,
    };
}

static bool is_due(const struct due *due)
{
    return is_moment(due->ms) && due->words.size <= NAME_BYTES_MAX;
}

void command_reminder_set(struct step *step)
{
    struct doc data = step->event->data;
    struct reminder_request request = {
        .title = doc_text(data, "title"),
        .to = doc_text(data, "to"),
        .note = doc_text(data, "note"),
        .about = doc_text(data, "about"),
        .due = due_of_command(data, "due"),
    };
    struct err err;
    uint64_t task = 0;
    int rc = request.title.size == 0 ? err_set(&err, E_INVALID, "a reminder needs a title")
                                     : step_remind(step, &request, &task, &err);
    if (rc != 0)
        engine_refuse(step->engine, rc, "%s", err.text);
    step->engine->result->task = task;
}

/* Whether it still is what whoever gave the command has seen. */
static bool is_expected(struct step *step, const struct task *task)
{
    char version[REMINDER_VERSION_SIZE];
    struct text expected = doc_text(step->event->data, "expect");
    reminder_version_of(task->title, task->note, task->assignee, task->state, task->due.ms,
                        version);
    if (expected.size == 0 || text_is(expected, version))
        return true;
    engine_refuse(step->engine, E_STALE,
                  "reminder %llu has changed since: read it again, and see whether what you mean "
                  "still holds",
                  (unsigned long long)task->number);
    return false;
}

/* The open task a command names; refuses when there is none. */
static bool command_task(struct step *step, struct task *task)
{
    struct engine *engine = step->engine;
    uint64_t number = (uint64_t)doc_int(step->event->data, "task", 0);
    if (!task_load(task, engine, number)) {
        engine_refuse(engine, E_NOTFOUND, "no reminder has the number %llu",
                      (unsigned long long)number);
        return false;
    }
    if (!text_is(task->state, "open")) {
        engine_refuse(engine, E_CONFLICT, "reminder %llu is %.*s already",
                      (unsigned long long)number, (int)task->state.size, task->state.data);
        return false;
    }
    if (!is_expected(step, task))
        return false;
    engine->result->task = number;
    return true;
}

/* What was changed of it with the same word, after it has left its lists. */
static void change_closed(struct task *task, struct doc data, const struct due *due)
{
    if (doc_text(data, "title").size != 0)
        task->title = doc_text(data, "title");
    if (doc_get(data, "note").type == DOC_TEXT)
        task->note = doc_text(data, "note");
    if (due->ms != 0)
        task->due = *due;
}

void command_reminder_done(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct task task;
    struct key key;
    if (!command_task(step, &task))
        return;
    struct due next = due_of_command(data, "next"), due = due_of_command(data, "due");
    if (doc_text(data, "outcome").size > NOTE_BYTES_MAX ||
        doc_text(data, "note").size > NOTE_BYTES_MAX ||
        doc_text(data, "title").size > TITLE_BYTES_MAX || (next.ms != 0 && !is_due(&next)) ||
        (due.ms != 0 && !is_due(&due))) {
        engine_refuse(engine, E_INVALID,
                      "outcome and note have at most %d bytes, a title %d, and next and due are "
                      "moments",
                      NOTE_BYTES_MAX, TITLE_BYTES_MAX);
        return;
    }
    task_close(&task, engine, &step->customer, doc_text(data, "outcome"));
    key_open(&key, &task);
    if (task.rule.size != 0)
        state_delete(engine->state, &key);
    change_closed(&task, data, &due);
    task_store(&task, engine);
    step_derive(step, "reminder.closed", task.customer, task_note(engine, &task));

    if (next.ms == 0)
        return;
    struct reminder_request again = {
        .title = task.title, .to = task.to, .about = task.about, .due = next
    };
    struct err err;
    if (step_remind(step, &again, &engine->result->next, &err) != 0)
        engine_refuse(engine, err.code, "%s", err.text); /* and the old one stays open */
}

/* What is given is changed, the rest stays. */
static int change_task(struct engine *engine, struct customer *customer, struct task *task,
                       struct doc data, struct err *err)
{
    struct text title = doc_text(data, "title"), to = doc_text(data, "to");
    if (title.size > TITLE_BYTES_MAX || to.size > NAME_BYTES_MAX ||
        doc_text(data, "note").size > NOTE_BYTES_MAX)
        return err_set(err, E_LIMIT, "a title has at most %d bytes, a note %d, and to %d",
                       TITLE_BYTES_MAX, NOTE_BYTES_MAX, NAME_BYTES_MAX);
    if (title.size != 0)
        task->title = title;
    if (doc_get(data, "note").type == DOC_TEXT)
        task->note = doc_text(data, "note");
    bool has_due = doc_get(data, "due").type != DOC_NONE;
    if (has_due)
        task->due = due_of_command(data, "due");
    if (to.size != 0)
        give_to(engine, task, to, customer);
    else
        settle(engine, task, customer, false);
    if (!has_due)
        return 0;
    return is_due(&task->due) ? check_timers(engine, customer, task, err)
                              : err_set(err, E_INVALID, "due is no moment");
}

void command_reminder_change(struct step *step)
{
    struct engine *engine = step->engine;
    struct task before, task;
    struct err err;
    if (!command_task(step, &before))
        return;
    task = before;
    if (change_task(engine, &step->customer, &task, step->event->data, &err) != 0) {
        engine_refuse(engine, err.code, "%s", err.text);
        return;
    }
    task_change(&before, &task, engine, &step->customer);
    step_derive(step, "reminder.moved", task.customer, task_note(engine, &task));
}

void command_reminder_snooze(struct step *step)
{
    struct engine *engine = step->engine;
    struct task before, task;
    struct err err;
    if (!command_task(step, &before))
        return;
    task = before;
    task.due = due_of_command(step->event->data, "due");
    if (!is_due(&task.due)) {
        engine_refuse(engine, E_INVALID, "a reminder is snoozed until a moment, due");
        return;
    }
    if (check_timers(engine, &step->customer, &task, &err) != 0) {
        engine_refuse(engine, err.code, "%s", err.text);
        return;
    }
    settle(engine, &task, &step->customer, false);
    task_change(&before, &task, engine, &step->customer);
    step_derive(step, "reminder.snoozed", task.customer, task_note(engine, &task));
}
