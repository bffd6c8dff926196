/* schedule.c -- rules that start by the calendar instead of by an event.
 *
 * `every`, `date` and `yearly` are timers of each customer, under the key of their
 * rule.  They are set when the customer is made, when the trait that they count from
 * changes, and, for customers that are there when a bundle is activated, by a sweep
 * that visits a bounded number a tick.  A timer carries the print of its trigger: if the
 * active bundle has no rule of that name with that print any more, it ends silently.
 *
 * After an outage a schedule fires once and goes on from now: nobody wants five
 * birthday letters because a machine stood still.
 */
#include "core/base/moment.h"
#include "core/base/yearly.h"
#include "core/base/zone.h"
#include "core/engine/engine_inside.h"

#define YEARLY_AT_MINUTE 540 /* 09:00, when a yearly trigger does not say */

static int64_t at_minute_of(const struct zone *zone, int64_t day, int minute)
{
    return zone_ms_from_local(zone, day * CIVIL_DAY_MS + minute * CIVIL_MINUTE_MS);
}

/* One period from now; with `at_minute` at that time of the day, which may be today still: a daily
 * rule at 09:00 set at 08:00 is due in an hour.  Days are counted on the calendar, so that an hour
 * which the clocks leave out does not make the same day due twice. */
static bool next_every(const struct rule *rule, const struct zone *zone, int64_t now,
                       int64_t *out_due)
{
    if (duration_is_elapsed(rule->period)) {
        *out_due = now + duration_elapsed_ms(rule->period);
        return true;
    }
    if (civil_add(zone, now, rule->period, out_due, NULL) != 0)
        return false;
    if (rule->at_minute < 0)
        return true;
    int64_t today =
        at_minute_of(zone, civil_local_days(zone_local_from_ms(zone, now)), rule->at_minute);
    int64_t day = civil_local_days(zone_local_from_ms(zone, *out_due));
    *out_due = today > now ? today : at_minute_of(zone, day, rule->at_minute);
    return *out_due > now;
}

/* A trait that holds a date: text "2026-11-21", a moment, or milliseconds. */
static bool date_of_trait(const struct customer *customer, const struct rule *rule,
                          const struct zone *zone, int64_t *out_day, int64_t *out_local)
{
    struct doc_value value = customer_trait(customer, rule->trait);
    int64_t ms;
    if (value.type != DOC_TEXT && (value.integer < CIVIL_MS_MIN || value.integer > CIVIL_MS_MAX))
        value.type = DOC_NONE;
    if (value.type == DOC_TEXT &&
        moment_parse_date(value.text.data, value.text.size, out_day, NULL) == 0) {
        *out_local = *out_day * CIVIL_DAY_MS;
        return true;
    }
    if (value.type == DOC_TEXT && moment_parse(value.text.data, value.text.size, &ms, NULL) == 0)
        *out_local = zone_local_from_ms(zone, ms);
    else if (value.type == DOC_DATETIME || value.type == DOC_INT64)
        *out_local = zone_local_from_ms(zone, value.integer);
    else
        return false;
    *out_day = civil_local_days(*out_local);
    return true;
}

static bool next_date(const struct rule *rule, const struct customer *customer,
                      const struct zone *zone, int64_t now, int64_t *out_due)
{
    int64_t day, local;
    if (!date_of_trait(customer, rule, zone, &day, &local))
        return false;
    if (rule->at_minute >= 0)
        local = day * CIVIL_DAY_MS + rule->at_minute * CIVIL_MINUTE_MS;
    int64_t ms = zone_ms_from_local(zone, local);
    return civil_add(zone, ms, rule->period, out_due, NULL) == 0 && *out_due > now;
}

static bool next_due(struct engine *engine, const struct rule *rule,
                     const struct customer *customer, struct doc context, int64_t *out_due)
{
    const struct zone *zone = customer_zone(customer, engine, context);
    int64_t day, local;
    switch (rule->trigger) {
    case RULE_ON_EVERY:
        return next_every(rule, zone, engine->now, out_due);
    case RULE_ON_DATE:
        return next_date(rule, customer, zone, engine->now, out_due);
    case RULE_ON_YEARLY:
        return date_of_trait(customer, rule, zone, &day, &local) &&
               yearly_next(zone, rule->is_chinese ? YEARLY_CHINESE : YEARLY_GREGORIAN, day,
                           rule->at_minute >= 0 ? rule->at_minute : YEARLY_AT_MINUTE, engine->now,
                           out_due, NULL) == 0;
    case RULE_ON_TYPES:
        break;
    }
    return false;
}

static struct text timer_name(struct engine *engine, const struct rule *rule)
{
    return arena_printf(&engine->arena, "rule:%.*s", (int)rule->name.size, rule->name.data);
}

static void arm(struct engine *engine, struct customer *customer, const struct rule *rule,
                struct doc context)
{
    struct profile *profile = &customer->members[0]; /* schedules are the whole customer's */
    struct text name = timer_name(engine, rule);
    int64_t due;
    if (!next_due(engine, rule, customer, context, &due)) {
        timer_cancel(engine, profile, profile->number, name);
        return;
    }
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "schedule");
    doc_put_text(&w, "rule", rule->name);
    doc_put_text(&w, "print", rule->print);
    timer_set(engine, profile, profile->number, name, due, engine_doc(engine, &w));
}

/* "contract" changed: a rule on "contract.end" counts from it as well. */
static bool is_from_trait(const struct rule *rule, const struct text *trait)
{
    if (trait == NULL)
        return true;
    if (text_is(*trait, "timezone"))
        return rule->trigger != RULE_ON_EVERY || rule->at_minute >= 0;
    if (rule->trigger == RULE_ON_EVERY || rule->trait.size < trait->size)
        return false;
    struct text head = { rule->trait.data, trait->size };
    return text_equal(head, *trait) &&
           (rule->trait.size == trait->size || rule->trait.data[trait->size] == '.');
}

void schedule_arm(struct engine *engine, struct customer *customer, struct doc context,
                  const struct text *trait)
{
    if (engine->rules == NULL || customer->number == 0)
        return;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger != RULE_ON_TYPES && is_from_trait(rule, trait))
            arm(engine, customer, rule, context);
    }
}

/* A schedule whose timer stands with the same print goes on undisturbed. */
static bool is_armed(struct engine *engine, uint64_t number, const struct rule *rule)
{
    struct doc payload = timer_payload_of(engine, number, timer_name(engine, rule));
    return payload.data != NULL && text_equal(doc_text(payload, "print"), rule->print);
}

void schedule_rearm(struct engine *engine, struct customer *customer, struct doc context)
{
    if (engine->rules == NULL)
        return;
    struct rule_list list = rule_index_find(engine->index, text_of("schedule.due"));
    for (size_t i = 0; i < list.count; i++) {
        const struct rule *rule = &engine->rules->rules[list.items[i]];
        if (rule->trigger != RULE_ON_TYPES &&
            (rule->trigger != RULE_ON_EVERY || !is_armed(engine, customer->number, rule)))
            arm(engine, customer, rule, context);
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
    if (rule->trigger != RULE_ON_DATE) { /* a date comes once */
        arm(engine, &customer, rule, (struct doc){ NULL, 0 });
        customer_store(&customer, engine);
    }
    struct event event = {
        .class = LOG_SYSTEM,
        .type = text_of("schedule.due"),
        .by = rule->name,
        .customer = number,
        .depth = 1,
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
        if (rule->trigger != RULE_ON_TYPES && !is_armed(engine, number, rule))
            arm(engine, &customer, rule, (struct doc){ NULL, 0 });
    }
    customer_store(&customer, engine);
}

void schedule_sweep(struct engine *engine)
{
    if (!engine->sweep_is_open)
        return;
    uint64_t next = (uint64_t)doc_int(meta_get(engine, "sweep"), "next", 1);
    int64_t count = engine->config.limits.sweep_per_tick;
    for (; count > 0 && next <= engine->counters.customer; count--)
        sweep_customer(engine, next++);
    if (next <= engine->counters.customer) {
        put_sweep(engine, next);
        return;
    }
    meta_put(engine, "sweep", (struct doc){ NULL, 0 });
    engine->sweep_is_open = false;
}
