/* step.c -- applying one event: its rules, its trace, its row on the timeline.
 *
 * Each rule runs inside a savepoint of everything it could change: the state's
 * buffer, the customer in memory, the trace, the queue of derived events, the
 * counters.  A rule that fails is undone whole and becomes a `rule.failed` event;
 * the rules behind it run as if it had not been there.  A command of staff that is refused
 * is undone by the same means.
 *
 * The order is the author's: files by path, rules by line.  Each sees what those
 * before it changed.
 */
#include "core/engine/step.h"

#include "core/engine/engine_inside.h"

#include <string.h>

#define COUNT_MAX(array) (sizeof(array) / sizeof *(array))
#define CHANGES_MAX 1000      /* noted of one event */
#define ROW_BYTES (60u << 10) /* of a timeline row, below STATE_VALUE_MAX */
#define FIELD_BYTES 32        /* of a field without its name and value, at most */

/* -- The trace ------------------------------------------------------------ */

static void grow_changes(struct step *step)
{
    struct trace *trace = &step->trace;
    size_t capacity = trace->change_capacity != 0 ? 2 * trace->change_capacity : 16;
    struct traced_change *changes = arena_alloc(&step->engine->arena, capacity * sizeof *changes);
    if (trace->change_count != 0)
        memcpy(changes, trace->changes, trace->change_count * sizeof *changes);
    trace->changes = changes;
    trace->change_capacity = capacity;
}

/* What stood there before the running rule is only appended to: an undo is then the old count. */
void step_note_change(struct step *step, struct text name, const struct doc_value *value)
{
    struct trace *trace = &step->trace;
    struct traced_change change = { name, *value };
    for (size_t i = trace->change_own; i < trace->change_count; i++)
        if (text_equal(trace->changes[i].name, name)) {
            trace->changes[i] = change;
            return;
        }
    if (trace->change_count == CHANGES_MAX) {
        trace->is_cut = true;
        return;
    }
    if (trace->change_count == trace->change_capacity)
        grow_changes(step);
    trace->changes[trace->change_count++] = change;
}

void step_note_line(struct step *step, struct text line)
{
    struct trace *trace = &step->trace;
    size_t most = (size_t)step->engine->config.limits.trace_lines;
    most = most < COUNT_MAX(trace->lines) ? most : COUNT_MAX(trace->lines);
    if (trace->line_count < most)
        trace->lines[trace->line_count++] = arena_text(&step->engine->arena, line);
    else
        trace->has_lost_lines = true;
}

static bool is_last_change(const struct trace *trace, size_t index)
{
    for (size_t i = index + 1; i < trace->change_count; i++)
        if (text_equal(trace->changes[i].name, trace->changes[index].name))
            return false;
    return true;
}

static size_t value_size(const struct doc_value *value)
{
    switch (value->type) {
    case DOC_TEXT:
        return value->text.size;
    case DOC_DOC:
    case DOC_ARRAY:
        return value->doc.size;
    case DOC_BINARY:
        return value->binary.size;
    default:
        return 16;
    }
}

/* Whether the row can take so many bytes more. */
static bool has_room(const struct doc_writer *w, size_t size)
{
    return w->buf->size + size + FIELD_BYTES <= ROW_BYTES;
}

static void put_rules(struct doc_writer *w, const struct step *step)
{
    const struct trace *trace = &step->trace;
    doc_put_binary(w, "bundle", step->engine->rules->hash, 8);
    doc_open_array(w, "rules");
    for (size_t i = 0; i < trace->rule_count; i++)
        doc_put_text(w, "", trace->rules[i]);
    doc_close(w);
}

static void put_changes(struct doc_writer *w, struct trace *trace)
{
    doc_open(w, "changed");
    for (size_t i = 0; i < trace->change_count; i++) {
        const struct traced_change *change = &trace->changes[i];
        if (!is_last_change(trace, i))
            continue;
        if (has_room(w, change->name.size + value_size(&change->value)))
            doc_put_value_text(w, change->name, &change->value);
        else
            trace->is_cut = true;
    }
    doc_close(w);
}

static void put_lines(struct doc_writer *w, struct trace *trace)
{
    doc_open_array(w, "log");
    for (size_t i = 0; i < trace->line_count; i++)
        if (has_room(w, trace->lines[i].size))
            doc_put_text(w, "", trace->lines[i]);
        else
            trace->is_cut = true;
    if (trace->has_lost_lines)
        doc_put_string(w, "", "(more lines were dropped: limit trace_lines)");
    doc_close(w);
}

static void put_trace(struct doc_writer *w, struct step *step)
{
    struct trace *trace = &step->trace;
    if (trace->handler_count != 0) {
        doc_open_array(w, "handlers");
        for (size_t i = 0; i < trace->handler_count; i++)
            doc_put_text(w, "", trace->handlers[i]);
        doc_close(w);
    }
    if (trace->rule_count != 0)
        put_rules(w, step);
    if (trace->effect_count != 0) {
        doc_open_array(w, "effects");
        for (size_t i = 0; i < trace->effect_count; i++)
            doc_put_int(w, "", (int64_t)trace->effects[i]);
        doc_close(w);
    }
    if (trace->made_last >= trace->made_first) {
        doc_put_int(w, "made", (int64_t)trace->made_first);
        doc_put_int(w, "made_last", (int64_t)trace->made_last);
    }
    if (trace->change_count != 0)
        put_changes(w, trace);
    if (trace->line_count != 0 || trace->has_lost_lines)
        put_lines(w, trace);
    if (trace->is_cut)
        doc_put_bool(w, "cut", true);
}

/* A command that made no sense is no event for anybody. */
static bool is_refused(const struct step *step)
{
    return step->event->n == 0 && step->engine->result->status == ENGINE_REFUSED;
}

/* The row holds what the log does not: the trace, and a derived event's data. */
static void write_timeline(struct step *step)
{
    struct engine *engine = step->engine;
    const struct event *event = step->event;
    struct doc_writer w;
    struct key key;
    engine_draft(engine, &w);
    doc_put_text(&w, "type", event->type);
    doc_put_int(&w, "at", event->at);
    if (step->trace.is_foreign)
        doc_put_bool(&w, "foreign", true);
    if (is_refused(step))
        doc_put_string(&w, "refused", engine->result->reason);
    if (event->n != 0 && event->by.size != 0)
        doc_put_text(&w, "by", event->by);
    if (event->n != 0 && event->about.size != 0)
        doc_put_text(&w, "about", event->about);
    if (event->n != 0 && event->data.data != NULL)
        doc_put_doc(&w, "data", event->data);
    put_trace(&w, step);
    struct doc row = doc_end(&w);
    key_customer(&key, event->customer, 't');
    key_number_down(&key, event->seq); /* the newest first: that is how it is read */
    key_number_down(&key, event->n);
    state_put(engine->state, &key, row.data, row.size);
    if (!is_refused(step))
        events_note(engine, event->customer, event->n);
}

/* -- Derived events ------------------------------------------------------- */

bool engine_derive(struct engine *engine, const struct event *event)
{
    struct event_queue *queue = &engine->queue;
    if (engine->cause->derived >= (size_t)engine->config.limits.derived)
        return false;
    engine->cause->derived++;
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity != 0 ? queue->capacity * 2 : 64;
        queue->items = mem_resize(queue->items, queue->capacity * sizeof *queue->items);
    }
    struct event *derived = &queue->items[queue->count++];
    struct arena *lasting = &engine->lasting;
    *derived = *event;
    derived->type = arena_text(lasting, event->type);
    derived->source = arena_text(lasting, event->source);
    derived->by = arena_text(lasting, event->by);
    derived->about = arena_text(lasting, event->about);
    derived->data = arena_doc(lasting, event->data);
    derived->seq = engine->seq;
    derived->n = ++engine->derived_n;
    derived->logged = engine->now;
    derived->at = event->at != 0 ? event->at : engine->now;
    derived->cause = engine->cause;
    return true;
}

static void derive(struct step *step, const char *type, uint64_t customer, struct doc data)
{
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of(type),
        .by = step->rule != NULL ? step->rule->name : step->event->by,
        .about = step->event->about,
        .data = data,
        .customer = customer,
        .depth = step->event->depth + 1,
        .historic = step->event->historic,
    };
    engine_derive(step->engine, &event);
}

void step_derive(struct step *step, const char *type, uint64_t customer, struct doc data)
{
    struct err err;
    if (step_check_depth(step, type, &err) == 0 && step_check_derived(step, type, &err) == 0)
        derive(step, type, customer, data);
    else
        step_note_line(step, arena_printf(&step->engine->arena, "not derived: %s", err.text));
}

/* -- Savepoints ----------------------------------------------------------- */

static void mark_trace(struct trace_mark *mark, const struct trace *trace)
{
    *mark = (struct trace_mark){
        .changes = trace->changes,
        .change_count = trace->change_count,
        .change_capacity = trace->change_capacity,
        .change_own = trace->change_own,
        .acts = trace->acts,
        .rule_count = trace->rule_count,
        .handler_count = trace->handler_count,
        .effect_count = trace->effect_count,
        .line_count = trace->line_count,
        .has_lost_lines = trace->has_lost_lines,
        .is_cut = trace->is_cut,
    };
}

static void undo_trace(struct trace *trace, const struct trace_mark *mark)
{
    trace->changes = mark->changes;
    trace->change_count = mark->change_count;
    trace->change_capacity = mark->change_capacity;
    trace->change_own = mark->change_own;
    trace->acts = mark->acts;
    trace->rule_count = mark->rule_count;
    trace->handler_count = mark->handler_count;
    trace->effect_count = mark->effect_count;
    trace->line_count = mark->line_count;
    trace->has_lost_lines = mark->has_lost_lines;
    trace->is_cut = mark->is_cut;
}

void step_save(struct step *step, struct savepoint *point)
{
    struct engine *engine = step->engine;
    point->arena = arena_mark(&engine->arena);
    point->lasting = arena_mark(&engine->lasting);
    size_t count = step->customer.count;
    point->customer = step->customer;
    point->copy = count <= COUNT_MAX(point->members)
                      ? point->members
                      : arena_alloc(&engine->arena, count * sizeof *point->copy);
    if (count != 0)
        memcpy(point->copy, step->customer.members, count * sizeof *point->copy);
    mark_trace(&point->trace, &step->trace);
    step->trace.change_own = step->trace.change_count;
    point->queue_count = engine->queue.count;
    point->cause = engine->cause;
    point->cause_then = *engine->cause;
    point->depth = engine->depth;
    point->derived_n = engine->derived_n;
    point->counters = engine->counters;
    point->has_moved = step->has_moved;
    state_save(engine->state);
}

void step_undo(struct step *step, const struct savepoint *point)
{
    struct engine *engine = step->engine;
    state_undo(engine->state);
    step->customer = point->customer;
    if (point->customer.count != 0)
        memcpy(step->customer.members, point->copy, point->customer.count * sizeof *point->copy);
    undo_trace(&step->trace, &point->trace);
    engine->queue.count = point->queue_count;
    engine->cause = point->cause;
    *engine->cause = point->cause_then;
    engine->depth = point->depth;
    engine->derived_n = point->derived_n;
    engine->counters = point->counters;
    step->has_moved = point->has_moved;
    arena_release(&engine->arena, point->arena);
    arena_release(&engine->lasting, point->lasting);
}

void step_keep(struct step *step)
{
    state_keep(step->engine->state);
}

/* -- Rules ---------------------------------------------------------------- */

/* What a verdict says this rule was killed for at this event, or at one before it of the same
 * entry: then it does not run in the rest of the entry.  RULE_OK: it was not. */
static enum rule_outcome verdict_on(const struct engine *engine, const struct rule *rule,
                                    const struct event *event)
{
    for (struct doc_iter it = doc_iter(engine->verdict); doc_next(&it);)
        if (text_equal(doc_text(it.value.doc, "rule"), rule->name) &&
            (uint64_t)doc_int(it.value.doc, "n", 0) <= event->n)
            return text_is(doc_text(it.value.doc, "kind"), "time") ? RULE_OUT_OF_TIME
                                                                   : RULE_OUT_OF_MEMORY;
    return RULE_OK;
}

/* A failure is told of also where a cascade ends, or nobody would hear why it did: one deeper than
 * anything else.  Of a rule that fails at that event only a line tells, or one on "*" would fail
 * for ever. */
static void report_failure(struct step *step, const struct rule *rule, const char *message,
                           const char *traceback)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    engine->failures++;
    if (text_is(step->event->type, "rule.failed") ||
        step_check_derived(step, "rule.failed", NULL) != 0) {
        step_note_line(step, arena_printf(&engine->arena, "rule \"%.*s\" failed: %s",
                                          (int)rule->name.size, rule->name.data, message));
        return;
    }
    engine_draft(engine, &w);
    doc_put_text(&w, "rule", rule->name);
    doc_put_string(&w, "message", message);
    if (traceback[0] != '\0')
        doc_put_string(&w, "traceback", traceback);
    derive(step, "rule.failed", step->event->customer, engine_doc(engine, &w));
}

/* The same words for whom it befell and for who finds the verdict. */
static void report_killed(struct step *step, const struct rule *rule, enum rule_outcome outcome)
{
    const struct limits *limits = &step->engine->config.limits;
    bool is_time = outcome == RULE_OUT_OF_TIME;
    struct text message =
        arena_printf(&step->engine->arena,
                     is_time ? "rule \"%.*s\" computed for more than %lld ms (limit rule_cpu_ms); "
                               "do less at a time"
                             : "rule \"%.*s\" needed more than %lld bytes of memory (limit "
                               "rule_memory_bytes); do less at a time",
                     (int)rule->name.size, rule->name.data,
                     (long long)(is_time ? limits->rule_cpu_ms : limits->rule_memory_bytes));
    report_failure(step, rule, message.data, "");
}

/* Whether the rule left something behind, so that the trace should name it. */
bool step_has_acted(const struct step *step, const struct savepoint *point)
{
    return step->trace.acts != point->trace.acts || step->engine->derived_n != point->derived_n;
}

/* A replay must find the rule failed here, whatever its own memory and machine are like then. */
static void add_verdict(struct engine *engine, const struct rule *rule, uint64_t n,
                        enum rule_outcome outcome)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "rule", rule->name);
    doc_put_string(&w, "kind", outcome == RULE_OUT_OF_TIME ? "time" : "memory");
    if (n != 0)
        doc_put_int(&w, "n", (int64_t)n); /* of the derived event */
    engine_add_verdict(engine, "rules", doc_end(&w));
}

static void note_rule(struct step *step, const struct rule *rule)
{
    struct trace *trace = &step->trace;
    if (trace->rule_count < COUNT_MAX(trace->rules))
        trace->rules[trace->rule_count++] = rule->name;
    else
        trace->is_cut = true;
}

static void run_rule(struct step *step, size_t index)
{
    struct engine *engine = step->engine;
    const struct rule *rule = &engine->rules->rules[index];
    struct savepoint point;
    struct rule_failure failure;
    enum rule_outcome outcome = RULE_OK;
    if (engine->verdict.data != NULL)
        outcome = verdict_on(engine, rule, step->event);
    if (outcome != RULE_OK) {
        report_killed(step, rule, outcome);
        return;
    }

    step_save(step, &point);
    step->rule = rule;
    step->rule_from = engine_bytes(engine);
    outcome = engine->rules->run(engine->rules, index, step, &failure);
    step->rule = NULL;
    step->plugin = (struct text){ "", 0 };
    if (outcome == RULE_OK) {
        step_keep(step);
        plugins_note_lost(engine);
        if (failure.changed_local[0] != '\0')
            step_note_line(step, arena_printf(&engine->arena,
                                              "rule \"%.*s\" changed the local %s, which does not "
                                              "last: keep it in the customer",
                                              (int)rule->name.size, rule->name.data,
                                              failure.changed_local));
        if (step_has_acted(step, &point))
            note_rule(step, rule);
        return;
    }
    step_undo(step, &point);
    plugins_note_lost(engine);
    if (outcome == RULE_ERROR) {
        report_failure(step, rule, failure.message, failure.traceback);
        return;
    }
    report_killed(step, rule, outcome);
    add_verdict(engine, rule, step->event->n, outcome);
}

/* A schedule runs when it is due and never because somebody says so; an event that only bears the
 * name of the system's is for those who want every event. */
static bool is_meant(const struct step *step, const struct rule *rule)
{
    if (rule->trigger != RULE_ON_TYPES)
        return step->event->schedule != NULL && text_equal(rule->name, *step->event->schedule);
    return !step->trace.is_foreign || rule->type_count == 0;
}

static void run_rules(struct step *step)
{
    struct engine *engine = step->engine;
    const struct event *event = step->event;
    if (engine->rules == NULL || event->historic || is_refused(step))
        return;
    struct rule_list list = rule_index_find(engine->index, event->type);
    struct arena_mark from = arena_mark(&engine->arena);
    size_t kept_bytes = engine->arena.bytes;
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (!is_meant(step, rule))
            continue;
        if (engine->paused_rules != NULL && engine->paused_rules[list.items[i]])
            step_note_line(step, arena_printf(&engine->arena, "rule \"%.*s\" is paused",
                                              (int)rule->name.size, rule->name.data));
        else
            run_rule(step, list.items[i]);
        step_shrink(step, from, &kept_bytes);
    }
}

bool step_has_room(const struct step *step)
{
    const struct engine *engine = step->engine;
    return engine_bytes(engine) - step->rule_from <= (size_t)engine->config.limits.rule_arena_bytes;
}

/* -- One event ------------------------------------------------------------ */

/* Whether somebody calls it what only the system, or only a plugin, may. */
static bool is_foreign(const struct engine *engine, const struct event *event)
{
    struct text word = event_type_word(event->type);
    if (event->class == LOG_SYSTEM || event->is_command)
        return false;
    if (event->class == LOG_PLUGIN && event_type_is_feedback(event->type))
        return false;
    if (engine_owns_type(engine, event->type))
        return true;
    return event->class == LOG_PLUGIN ? word.size == 0 || !text_equal(word, event_plugin(event))
                                      : plugin_owner(engine, event->type).size != 0;
}

void step_begin(struct step *step, struct engine *engine, struct event *event)
{
    step->engine = engine;
    step->event = event;
    step->rule = NULL;
    step->plugin = (struct text){ "", 0 };
    step->has_moved = false;
    engine->depth = event->depth;
    if (event->cause != NULL)
        engine->cause = event->cause;
    undo_trace(&step->trace, &(struct trace_mark){ 0 });
    step->trace.made_first = engine->derived_n + 1;
    step->trace.made_last = 0;
    step->trace.is_foreign = is_foreign(engine, event);
    if (event->customer == 0 || !customer_load(&step->customer, engine, event->customer)) {
        event->customer = 0;
        step->customer = (struct customer){ 0 };
    }
}

void step_finish(struct step *step)
{
    if (!is_refused(step))
        plugins_hear(step);
    if (step->event->parked == NULL)
        run_rules(step);
    step_finish_unheard(step);
}

void step_finish_unheard(struct step *step)
{
    if (step->has_moved)
        moving_begin(step->engine, &step->customer, step->event->context);
    step->trace.made_last = step->engine->derived_n;
    customer_store(&step->customer, step->engine);
    write_timeline(step);
}

void step_run(struct engine *engine, struct event *event)
{
    struct step step;
    step_begin(&step, engine, event);
    calls_derived(&step);
    step_finish(&step);
}

/* -- All that was derived ------------------------------------------------- */

void engine_drain(struct engine *engine)
{
    struct event_queue *queue = &engine->queue;
    while (queue->next < queue->count) {
        struct event event = queue->items[queue->next++]; /* the queue may move */
        struct arena_mark mark = arena_mark(&engine->arena);
        step_run(engine, &event);
        arena_release(&engine->arena, mark);
    }
    queue->next = queue->count = 0;
}
