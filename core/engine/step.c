/* step.c -- applying one event: its rules, its trace, its row on the timeline.
 *
 * Each rule runs inside a savepoint of everything it could change: the state's
 * buffer, the customer in memory, the trace, the queue of derived events, the
 * counters.  A rule that fails is undone whole and becomes a `rule.failed` event;
 * the rules behind it run as if it had not been there.
 *
 * The order is the author's: files by path, rules by line.  Each sees what those
 * before it changed.
 */
#include "core/engine/step.h"

#include "core/engine/engine_inside.h"

#include <string.h>

#define COUNT_MAX(array) (sizeof(array) / sizeof *(array))

/* -- The trace -------------------------------------------------------------------- */

/* Only appended to: an undo is then the old count. */
void step_note_change(struct step *step, struct text name, const struct doc_value *value)
{
    struct trace *trace = &step->trace;
    if (trace->change_count < COUNT_MAX(trace->changes))
        trace->changes[trace->change_count++] = (struct traced_change){ name, *value };
}

void step_note_line(struct step *step, struct text line)
{
    struct trace *trace = &step->trace;
    size_t most = (size_t)step->engine->config.limits.trace_lines;
    most = most < COUNT_MAX(trace->lines) ? most : COUNT_MAX(trace->lines);
    if (trace->line_count < most)
        trace->lines[trace->line_count++] = line;
    else if (most != 0)
        trace->lines[most - 1] = text_of("(more lines were dropped: limit trace_lines)");
}

static bool is_last_change(const struct trace *trace, size_t index)
{
    for (size_t i = index + 1; i < trace->change_count; i++)
        if (text_equal(trace->changes[i].name, trace->changes[index].name))
            return false;
    return true;
}

static void put_trace(struct doc_writer *w, const struct step *step)
{
    const struct trace *trace = &step->trace;
    if (trace->rule_count != 0) {
        doc_put_binary(w, "bundle", step->engine->rules->hash, 8);
        doc_open_array(w, "rules");
        for (size_t i = 0; i < trace->rule_count; i++)
            doc_put_text(w, "", trace->rules[i]);
        doc_close(w);
    }
    if (trace->change_count != 0) {
        doc_open(w, "changed");
        for (size_t i = 0; i < trace->change_count; i++)
            if (is_last_change(trace, i))
                doc_put_value_text(w, trace->changes[i].name, &trace->changes[i].value);
        doc_close(w);
    }
    if (trace->effect_count != 0) {
        doc_open_array(w, "effects");
        for (size_t i = 0; i < trace->effect_count; i++)
            doc_put_int(w, "", (int64_t)trace->effects[i]);
        doc_close(w);
    }
    if (trace->made_last >= trace->made_first && trace->made_first != 0) {
        doc_put_int(w, "made", (int64_t)trace->made_first);
        doc_put_int(w, "made_last", (int64_t)trace->made_last);
    }
    if (trace->line_count != 0) {
        doc_open_array(w, "log");
        for (size_t i = 0; i < trace->line_count; i++)
            doc_put_text(w, "", trace->lines[i]);
        doc_close(w);
    }
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
}

/* -- Savepoints ----------------------------------------------------------------------- */

struct savepoint {
    struct customer customer;
    struct profile members[8]; /* a copy; larger groups are copied to the arena */
    struct profile *copy;
    size_t changes, effects, lines, rules; /* how many the trace has */
    size_t queue_count, cause_derived;
    uint64_t derived_n;
    struct counters counters;
};

static void save(struct step *step, struct savepoint *point)
{
    struct engine *engine = step->engine;
    size_t count = step->customer.count;
    point->customer = step->customer;
    point->copy = count <= COUNT_MAX(point->members)
                      ? point->members
                      : arena_alloc(&engine->arena, count * sizeof *point->copy);
    if (count != 0)
        memcpy(point->copy, step->customer.members, count * sizeof *point->copy);
    point->changes = step->trace.change_count;
    point->effects = step->trace.effect_count;
    point->lines = step->trace.line_count;
    point->rules = step->trace.rule_count;
    point->queue_count = engine->queue.count;
    point->cause_derived = engine->cause_derived;
    point->derived_n = engine->derived_n;
    point->counters = engine->counters;
    state_save(engine->state);
}

static void undo(struct step *step, const struct savepoint *point)
{
    struct engine *engine = step->engine;
    state_undo(engine->state);
    step->customer = point->customer;
    if (point->customer.count != 0)
        memcpy(step->customer.members, point->copy, point->customer.count * sizeof *point->copy);
    step->trace.change_count = point->changes;
    step->trace.effect_count = point->effects;
    step->trace.line_count = point->lines;
    step->trace.rule_count = point->rules;
    engine->queue.count = point->queue_count;
    engine->cause_derived = point->cause_derived;
    engine->derived_n = point->derived_n;
    engine->counters = point->counters;
}

/* -- Rules ----------------------------------------------------------------------------- */

/* What a verdict recorded for this rule at this entry; empty: nothing. */
static struct text verdict_on(const struct engine *engine, const struct rule *rule)
{
    for (struct doc_iter it = doc_iter(engine->verdict); doc_next(&it);)
        if (text_equal(doc_text(it.value.doc, "rule"), rule->name))
            return doc_text(it.value.doc, "kind");
    return (struct text){ "", 0 };
}

static void report_failure(struct step *step, const struct rule *rule, const char *message,
                           const char *traceback)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "rule", rule->name);
    doc_put_string(&w, "message", message);
    if (traceback[0] != '\0')
        doc_put_string(&w, "traceback", traceback);
    step_derive(step, "rule.failed", step->event->customer, engine_doc(engine, &w));
}

static void report_memory(struct step *step, const struct rule *rule)
{
    struct text message =
        arena_printf(&step->engine->arena, "rule \"%.*s\" needed more than %lld bytes of memory",
                     (int)rule->name.size, rule->name.data,
                     (long long)step->engine->config.limits.rule_memory_bytes);
    report_failure(step, rule, message.data, "");
}

/* Whether the rule left something behind, so that the trace should name it. */
static bool has_acted(const struct step *step, const struct savepoint *point)
{
    const struct trace *trace = &step->trace;
    return trace->change_count != point->changes || trace->line_count != point->lines ||
           trace->effect_count != point->effects || step->engine->derived_n != point->derived_n ||
           (step->customer.count != 0 && memcmp(step->customer.members, point->copy,
                                                step->customer.count * sizeof *point->copy) != 0);
}

/* A replay must find the rule failed here, whatever its own memory looks like then. */
static void add_verdict(struct engine *engine, const struct rule *rule)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "rules");
    for (struct doc_iter it = doc_iter(engine->verdict); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_open(&w, "");
    doc_put_text(&w, "rule", rule->name);
    doc_put_string(&w, "kind", "memory");
    doc_close(&w);
    doc_close(&w);
    engine->verdict = doc_child(engine_doc(engine, &w), "rules");
    engine->has_new_verdict = true;
}

static void run_rule(struct step *step, size_t index)
{
    struct engine *engine = step->engine;
    const struct rule *rule = &engine->rules->rules[index];
    struct savepoint point;
    struct rule_failure failure;
    if (engine->verdict.data != NULL && verdict_on(engine, rule).size != 0) {
        report_memory(step, rule);
        return;
    }

    save(step, &point);
    step->rule = rule;
    enum rule_outcome outcome = engine->rules->run(engine->rules, index, step, &failure);
    step->rule = NULL;
    if (outcome == RULE_OK) {
        state_keep(engine->state);
        if (failure.changed_local[0] != '\0')
            step_note_line(step, arena_printf(&engine->arena,
                                              "rule \"%.*s\" changed the local %s, which does not "
                                              "last: keep it in the customer",
                                              (int)rule->name.size, rule->name.data,
                                              failure.changed_local));
        if (has_acted(step, &point) && step->trace.rule_count < COUNT_MAX(step->trace.rules))
            step->trace.rules[step->trace.rule_count++] = rule->name;
        return;
    }
    undo(step, &point);
    if (outcome == RULE_ERROR) {
        report_failure(step, rule, failure.message, failure.traceback);
        return;
    }
    report_memory(step, rule);
    add_verdict(engine, rule);
}

static void run_rules(struct step *step)
{
    struct engine *engine = step->engine;
    const struct event *event = step->event;
    if (engine->rules == NULL || event->historic)
        return;
    struct rule_list list = rule_index_find(engine->index, event->type);
    bool is_foreign = step->trace.is_foreign;
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (event->only_rule != NULL ? !text_is(rule->name, event->only_rule)
                                     : is_foreign && rule->type_count != 0)
            continue;
        run_rule(step, list.items[i]);
    }
}

/* -- One event ------------------------------------------------------------------------- */

void step_begin(struct step *step, struct engine *engine, struct event *event)
{
    step->engine = engine;
    step->event = event;
    step->rule = NULL;
    step->trace.rule_count = step->trace.change_count = step->trace.effect_count = 0;
    step->trace.line_count = 0;
    step->trace.made_first = engine->derived_n + 1;
    step->trace.made_last = 0;
    step->trace.is_duplicate = false;
    step->trace.is_foreign = event->class != LOG_SYSTEM && event->class != LOG_STAFF &&
                             event_type_is_system(event->type);
    if (event->customer == 0 || !customer_load(&step->customer, engine, event->customer)) {
        event->customer = 0;
        step->customer = (struct customer){ 0 };
    }
}

void step_finish(struct step *step)
{
    run_rules(step);
    step->trace.made_last = step->engine->derived_n;
    customer_store(&step->customer, step->engine);
    write_timeline(step);
}

void step_run(struct engine *engine, struct event *event)
{
    struct step step;
    step_begin(&step, engine, event);
    step_finish(&step);
}

/* -- Derived events ---------------------------------------------------------------------- */

uint64_t engine_derive(struct engine *engine, const struct event *event)
{
    struct event_queue *queue = &engine->queue;
    if (engine->cause_derived >= (size_t)engine->config.limits.derived)
        return 0;
    engine->cause_derived++;
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity != 0 ? queue->capacity * 2 : 64;
        queue->items = mem_resize(queue->items, queue->capacity * sizeof *queue->items);
    }
    struct event *derived = &queue->items[queue->count++];
    *derived = *event;
    derived->seq = engine->seq;
    derived->n = ++engine->derived_n;
    derived->at = derived->logged = engine->now;
    return derived->n;
}

bool step_derive(struct step *step, const char *type, uint64_t customer, struct doc data)
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
    if (event.depth > step->engine->config.limits.cascade_depth ||
        engine_derive(step->engine, &event) == 0) {
        step_note_line(step, text_of("an event was not derived: limit cascade_depth or derived"));
        return false;
    }
    return true;
}

void engine_drain(struct engine *engine)
{
    struct event_queue *queue = &engine->queue;
    while (queue->next < queue->count) {
        struct event event = queue->items[queue->next++]; /* the queue may move */
        step_run(engine, &event);
    }
    queue->next = queue->count = 0;
}
