/* schedule.c -- rules that start by the calendar instead of by an event.
 *
 * `every`, `date` and `yearly` are timers of each customer, under the key of their
 * rule.  They are set when the customer is made, when the trait that they count from
 * changes, and, for customers that are there when a bundle is activated, by a sweep
 * that visits a bounded number a tick.  A timer carries the print of its trigger: if the
 * active bundle has no rule of that name with that print any more, it ends silently.
 *
 * The timer of an `every` also carries where it began and how many periods later it is
 * due (schedule_due.h), so that a bundle which comes or goes, a merge, or a customer who
 * moves changes nothing of its rhythm.
 *
 * After an outage a schedule fires once and goes on with the first that lies ahead: nobody
 * wants five birthday letters because a machine stood still.
 */
#include "core/engine/schedule_due.h"

#include "core/base/near.h"
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"

#include <string.h>

static struct text timer_name(struct engine *engine, const struct rule *rule)
{
    return arena_printf(&engine->arena, "rule:%.*s", (int)rule->name.size, rule->name.data);
}

/* Schedules are the whole customer's: their timers stand under the root. */
static void set_timer(struct engine *engine, struct customer *customer, const struct rule *rule,
                      const struct rhythm *rhythm, int64_t at)
{
    struct profile *profile = &customer->members[0];
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "schedule");
    doc_put_text(&w, "rule", rule->name);
    doc_put_text(&w, "print", rule->print);
    timer_put_depth(&w, engine, at);
    doc_put_int(&w, "since", rhythm->since);
    doc_put_int(&w, "n", rhythm->n);
    timer_set(engine, profile, profile->number, timer_name(engine, rule), at,
              engine_doc(engine, &w));
}

/* Anew: what lies behind `after`, which is not before now. */
static void arm(struct engine *engine, struct customer *customer, const struct rule *rule,
                struct doc context, int64_t after)
{
    const struct zone *zone = customer_zone(customer, engine, context);
    struct profile *profile = &customer->members[0];
    struct rhythm rhythm = { 0, 0 };
    int64_t due;
    bool is_every = rule->trigger == RULE_ON_EVERY;
    bool is_due = is_every ? rhythm_begin(engine, rule, zone, &rhythm, &due)
                           : date_is_due(engine, rule, customer, zone, after, &due);
    if (!is_due) {
        timer_cancel(engine, profile, profile->number, timer_name(engine, rule));
        return;
    }
    if (!is_every)
        rhythm.since = due;
    set_timer(engine, customer, rule, &rhythm, timer_allowed(engine, due));
}

static struct rhythm read_rhythm(struct doc timer)
{
    return (struct rhythm){ doc_int(timer, "since", 0), doc_int(timer, "n", 0) };
}

/* It was due.  A date comes once. */
static void go_on(struct engine *engine, struct customer *customer, const struct rule *rule,
                  struct doc timer)
{
    struct doc context = { NULL, 0 };
    struct rhythm rhythm = read_rhythm(timer);
    int64_t due, behind = rhythm.since + ZONES_APART_MS; /* not the same day again elsewhere */
    if (rule->trigger == RULE_ON_YEARLY)
        arm(engine, customer, rule, context, behind > engine->now ? behind : engine->now);
    else if (rule->trigger == RULE_ON_EVERY &&
             rhythm_go_on(engine, rule, customer_zone(customer, engine, context), &rhythm, &due))
        set_timer(engine, customer, rule, &rhythm, timer_allowed(engine, due));
}

/* The timer that is set for this trigger; none: it is not. */
static struct doc armed_timer(struct engine *engine, const struct customer *customer,
                              const struct rule *rule)
{
    struct doc timer = timer_payload_of(engine, customer->number, timer_name(engine, rule));
    bool is_same = timer.data != NULL && text_equal(doc_text(timer, "print"), rule->print);
    return is_same ? timer : (struct doc){ NULL, 0 };
}

/* The same occurrence by another clock; what would have been due by now is due at once. */
static void move(struct engine *engine, struct customer *customer, const struct rule *rule,
                 struct doc context, struct doc timer)
{
    const struct zone *zone = customer_zone(customer, engine, context);
    struct rhythm rhythm = read_rhythm(timer);
    bool is_every = rule->trigger == RULE_ON_EVERY;
    int64_t due,
        after = rule->trigger == RULE_ON_YEARLY ? rhythm.since - ZONES_APART_MS : CIVIL_MS_MIN;
    bool is_due = is_every ? rhythm_is_due(rule, zone, &rhythm, &due)
                           : date_is_due(engine, rule, customer, zone, after, &due);
    if (!is_due)
        return;
    if (!is_every)
        rhythm.since = due;
    set_timer(engine, customer, rule, &rhythm, timer_soonest(engine, due));
}

/* What is set goes on where it stands, by the clock that the customer now has.  A date that is not
 * has been. */
static void keep(struct engine *engine, struct customer *customer, const struct rule *rule,
                 struct doc context)
{
    struct doc timer = armed_timer(engine, customer, rule);
    if (timer.data == NULL && rule->trigger != RULE_ON_DATE)
        arm(engine, customer, rule, context, engine->now);
    else if (timer.data != NULL && (rule->trigger != RULE_ON_EVERY || rhythm_has_zone(rule)))
        move(engine, customer, rule, context, timer);
}

/* "contract" changed: a rule on "contract.end" counts from it as well. */
static bool is_from_trait(const struct rule *rule, struct text trait)
{
    if (rule->trigger == RULE_ON_EVERY || rule->trait.size < trait.size)
        return false;
    struct text head = { rule->trait.data, trait.size };
    return text_equal(head, trait) &&
           (rule->trait.size == trait.size || rule->trait.data[trait.size] == '.');
}

bool schedule_arm(struct engine *engine, struct customer *customer, struct doc context,
                  const struct text *trait)
{
    bool is_counted_from = false;
    if (engine->rules == NULL || customer->number == 0)
        return false;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger == RULE_ON_TYPES)
            continue;
        bool is_from = trait != NULL && is_from_trait(rule, *trait);
        if (trait == NULL || is_from)
            arm(engine, customer, rule, context, engine->now);
        else if (text_is(*trait, "timezone"))
            keep(engine, customer, rule, context);
        is_counted_from = is_counted_from || is_from;
    }
    return is_counted_from;
}

static bool is_zone_name(struct text text)
{
    char name[ZONE_NAME_SIZE];
    const struct zone *zone;
    if (text.size >= sizeof name)
        return false;
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
    return zone_open(name, &zone, NULL) == 0;
}

void schedule_check_zone(struct step *step)
{
    struct doc_value value = customer_trait(&step->customer, text_of("timezone"));
    struct near_quote quote;
    if (value.type == DOC_NONE || (value.type == DOC_TEXT && is_zone_name(value.text)))
        return;
    const char *shown =
        value.type == DOC_TEXT ? near_quote(value.text.data, value.text.size, &quote) : "no text";
    step_note_line(step, arena_printf(&step->engine->arena,
                                      "timezone (%s) is no zone and is not used: it is written "
                                      "\"Europe/Berlin\"",
                                      shown));
}

void schedule_check_date(struct step *step, struct text trait)
{
    struct engine *engine = step->engine;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger == RULE_ON_TYPES || !is_from_trait(rule, trait))
            continue;
        struct text complaint = date_complaint(engine, rule, &step->customer);
        if (complaint.size != 0)
            step_note_line(step, complaint);
    }
}

/* Whether the date that was waited for is still the one, if by another clock. */
static bool is_awaited(struct engine *engine, struct customer *customer, const struct rule *rule,
                       struct doc context, struct doc timer)
{
    const struct zone *zone = customer_zone(customer, engine, context);
    int64_t due, since = read_rhythm(timer).since;
    return date_is_due(engine, rule, customer, zone, since - ZONES_APART_MS, &due) &&
           due - since <= ZONES_APART_MS;
}

static void rearm_date(struct engine *engine, struct customer *customer, const struct rule *rule,
                       struct doc context)
{
    struct doc timer = armed_timer(engine, customer, rule);
    if (timer.data != NULL && is_awaited(engine, customer, rule, context, timer))
        move(engine, customer, rule, context, timer);
    else
        arm(engine, customer, rule, context, engine->now);
}

void schedule_rearm(struct engine *engine, struct customer *customer, struct doc context)
{
    if (engine->rules == NULL)
        return;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger == RULE_ON_EVERY)
            keep(engine, customer, rule, context);
        else if (rule->trigger != RULE_ON_TYPES)
            rearm_date(engine, customer, rule, context);
    }
}

static const struct rule *find_rule(const struct engine *engine, struct doc payload)
{
    for (size_t i = 0; engine->rules != NULL && i < engine->rules->count; i++) {
        const struct rule *rule = &engine->rules->rules[i];
        if (text_equal(rule->name, doc_text(payload, "rule")) &&
            text_equal(rule->print, doc_text(payload, "print")))
            return rule;
    }
    return NULL;
}

void schedule_fire(struct engine *engine, uint64_t number, struct doc payload)
{
    const struct rule *rule = find_rule(engine, payload);
    struct customer customer;
    if (rule == NULL || !customer_load(&customer, engine, number))
        return;
    if (customer.number != number)
        return; /* absorbed since: the whole customer's schedule is its survivor's */
    go_on(engine, &customer, rule, payload);
    customer_store(&customer, engine);
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of("schedule.due"),
        .by = rule->name,
        .customer = number,
        .depth = timer_depth_of(payload),
        .schedule = &rule->name,
    };
    engine_derive(engine, &event);
}

/* -- Sweeps --------------------------------------------------------------- */

static void put_sweep(struct engine *engine, uint64_t next)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_int(&w, "next", (int64_t)next);
    meta_put(engine, "sweep", engine_doc(engine, &w));
    engine->sweep_is_open = true;
}

static bool has_schedules(const struct engine *engine)
{
    for (size_t i = 0; i < engine->rules->count; i++)
        if (engine->rules->rules[i].trigger != RULE_ON_TYPES)
            return true;
    return false;
}

void schedule_start_sweep(struct engine *engine)
{
    if (has_schedules(engine) && engine->counters.customer != 0)
        put_sweep(engine, 1);
}

static void sweep_customer(struct engine *engine, uint64_t number)
{
    struct customer customer;
    if (!customer_load(&customer, engine, number) || customer.number != number)
        return;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger != RULE_ON_TYPES && armed_timer(engine, &customer, rule).data == NULL)
            arm(engine, &customer, rule, (struct doc){ NULL, 0 }, engine->now);
    }
    customer_store(&customer, engine);
}

void schedule_sweep(struct engine *engine)
{
    if (!engine->sweep_is_open)
        return;
    uint64_t next = (uint64_t)doc_int(meta_get(engine, "sweep"), "next", 1);
    int64_t count = engine->config.limits.sweep_per_tick;
    for (; count > 0 && next <= engine->counters.customer; count--) {
        struct arena_mark mark = arena_mark(&engine->arena);
        sweep_customer(engine, next++);
        arena_release(&engine->arena, mark);
    }
    if (next <= engine->counters.customer) {
        put_sweep(engine, next);
        return;
    }
    meta_put(engine, "sweep", (struct doc){ NULL, 0 });
    engine->sweep_is_open = false;
}
