/* merge.c -- two customers found to be one, and the way back.
 *
 * A merge is a link.  The absorbed root gets `merged`; the surviving root lists, in
 * `absorbed`, every member below it.  No other row moves, so unmerging is taking the
 * member and what it had absorbed itself out of the list again: what arrived in the
 * meantime already lies with the member by whose identity it came.
 */
#include "core/engine/engine_inside.h"

static struct doc append_members(struct engine *engine, struct doc list, uint64_t number,
                                 struct doc below)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_put_int(&w, "", (int64_t)number);
    for (struct doc_iter it = doc_iter(below); doc_next(&it);)
        doc_put_value(&w, "", &it.value);
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "");
}

static bool is_listed(struct doc list, uint64_t number)
{
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if ((uint64_t)it.value.integer == number)
            return true;
    return false;
}

static struct doc remove_members(struct engine *engine, struct doc list, uint64_t number,
                                 struct doc below)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_open_array(&w, "");
    for (struct doc_iter it = doc_iter(list); doc_next(&it);)
        if ((uint64_t)it.value.integer != number && !is_listed(below, (uint64_t)it.value.integer))
            doc_put_value(&w, "", &it.value);
    doc_close(&w);
    return doc_child(engine_doc(engine, &w), "");
}

int merge_customers(struct engine *engine, uint64_t survivor, uint64_t absorbed, struct err *err)
{
    struct customer a, b;
    if (!customer_load(&a, engine, survivor) || !customer_load(&b, engine, absorbed))
        return err_set(err, E_NOTFOUND, "no such customer: %llu or %llu",
                       (unsigned long long)survivor, (unsigned long long)absorbed);
    if (a.number == b.number)
        return err_set(err, E_CONFLICT, "customers %llu and %llu are one already",
                       (unsigned long long)survivor, (unsigned long long)absorbed);
    if (a.count + b.count > (size_t)engine->config.limits.group)
        return err_set(err, E_LIMIT, "a customer is made of at most %lld (limit group)",
                       (long long)engine->config.limits.group);
    struct profile before = a.members[0];
    a.members[0].absorbed =
        append_members(engine, a.members[0].absorbed, b.number, b.members[0].absorbed);
    a.members[0].is_dirty = true;
    int rc = customer_check_size(&a.members[0], &before, engine, err);
    if (rc != 0)
        return rc;
    plugin_states_merge(engine, a.number, b.number);
    b.members[0].merged = a.number;
    b.members[0].is_dirty = true;
    customer_store(&a, engine);
    customer_store(&b, engine);
    return 0;
}

static void note_merge(struct step *step, const char *type, uint64_t survivor, uint64_t absorbed)
{
    struct doc_writer w;
    engine_draft(step->engine, &w);
    doc_put_int(&w, "survivor", (int64_t)survivor);
    doc_put_int(&w, "absorbed", (int64_t)absorbed);
    step_derive(step, type, survivor, engine_doc(step->engine, &w));
    plugins_tell_hook_failures(step, survivor);
}

static void go_on_merged(struct step *step, uint64_t own, const struct customer *survivor,
                         const struct customer *absorbed)
{
    struct engine *engine = step->engine;
    struct doc context = step->event->context;
    const struct zone *zone = customer_zone(survivor, engine, context);
    const struct zone *other_zone = customer_zone(absorbed, engine, context);
    customer_load(&step->customer, engine, own);
    schedule_rearm(engine, &step->customer, context);
    step->has_moved = step->has_moved || zone != other_zone;
    note_merge(step, "customer.merged", survivor->number, absorbed->number);
}

void merge_into_step(struct step *step, uint64_t other)
{
    struct engine *engine = step->engine;
    uint64_t own = step->customer.members[step->customer.own].number;
    struct customer theirs;
    struct err err;
    bool is_found = customer_load(&theirs, engine, other);
    ASSERT(is_found);

    struct text user_id = text_of("user_id");
    bool we_are_known = customer_identity(&step->customer, user_id).size != 0;
    bool they_are_known = customer_identity(&theirs, user_id).size != 0;
    bool we_survive =
        we_are_known != they_are_known ? we_are_known : step->customer.number < theirs.number;
    struct customer ours = step->customer;
    const struct customer *survivor = we_survive ? &ours : &theirs;
    const struct customer *absorbed = we_survive ? &theirs : &ours;
    customer_store(&step->customer, engine);
    if (merge_customers(engine, survivor->number, absorbed->number, &err) != 0) {
        step_note_line(step, arena_printf(&engine->arena, "not merged: %s", err.text));
        return;
    }
    go_on_merged(step, own, survivor, absorbed);
}

void command_merge(struct step *step)
{
    struct engine *engine = step->engine;
    uint64_t absorbed = identity_find(engine, doc_text(step->event->data, "absorbed"));
    uint64_t own = step->customer.members[step->customer.own].number;
    struct customer survivor = step->customer, other;
    struct err err;
    customer_store(&step->customer, engine);
    if (!customer_load(&other, engine, absorbed)) {
        engine_refuse(engine, E_NOTFOUND, "no such customer: %.*s",
                      (int)doc_text(step->event->data, "absorbed").size,
                      doc_text(step->event->data, "absorbed").data);
        return;
    }
    int rc = merge_customers(engine, survivor.number, absorbed, &err);
    if (rc != 0) {
        engine_refuse(engine, rc, "%s", err.text);
        return;
    }
    erase_note_entry(engine, absorbed, own);
    go_on_merged(step, own, &survivor, &other);
}

/* The reference names the member to let go; its customer is the whole group. */
void command_unmerge(struct step *step)
{
    struct engine *engine = step->engine;
    struct profile *member = &step->customer.members[step->customer.own];
    uint64_t number = member->number, root = step->customer.number;
    struct doc context = { NULL, 0 };
    if (member->merged == 0) {
        engine_refuse(engine, E_CONFLICT,
                      "customer %llu is not merged into another: name the one to let go",
                      (unsigned long long)number);
        return;
    }
    /* It was absorbed by a member of the group, perhaps not by the root: every list above
     * that names it lets it go. */
    for (size_t i = 0; i < step->customer.count; i++) {
        struct profile *above = &step->customer.members[i];
        if (!is_listed(above->absorbed, number))
            continue;
        above->absorbed = remove_members(engine, above->absorbed, number, member->absorbed);
        above->is_dirty = true;
    }
    plugin_states_unmerge(engine, &step->customer, number);
    const struct zone *zone = customer_zone(&step->customer, engine, context);
    member->merged = 0;
    member->is_dirty = true;
    customer_store(&step->customer, engine);
    struct customer rest;
    customer_load(&rest, engine, root);
    schedule_rearm(engine, &rest, context);
    if (customer_zone(&rest, engine, context) != zone)
        moving_begin(engine, &rest, context);
    customer_store(&rest, engine);
    customer_load(&step->customer, engine, number);
    schedule_rearm(engine, &step->customer, context);
    step->has_moved = customer_zone(&step->customer, engine, context) != zone;
    note_merge(step, "customer.unmerged", root, number);
}
