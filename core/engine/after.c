/* after.c -- the timers that rules set: after() and cancel().
 *
 * A rule's timer comes back as an event of the customer, with the data that it was given.  Its key
 * finds it again, whichever member of a merged group it stands under.
 */
#include "core/engine/engine_inside.h"

static struct text timer_name(struct engine *engine, struct text key)
{
    return arena_printf(&engine->arena, "after:%.*s", (int)key.size, key.data);
}

static struct doc payload(struct engine *engine, struct text by,
                          const struct after_request *request, int64_t at)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_string(&w, "kind", "after");
    doc_put_text(&w, "type", request->type);
    doc_put_text(&w, "by", by);
    timer_put_depth(&w, engine, at);
    due_put(&w, &request->due);
    doc_put_doc(&w, "data", request->data);
    return engine_doc(engine, &w);
}

int step_after_check(const struct after_request *request, struct err *err)
{
    int rc = event_check_size(request->type, request->data, "after", err);
    if (rc != 0)
        return rc;
    if (request->key.size == 0 || request->key.size > NAME_BYTES_MAX)
        return err_set(err, E_INVALID,
                       "after: a key of 1 to %d bytes is needed, to move or cancel it",
                       NAME_BYTES_MAX);
    if (request->due.words.size > NAME_BYTES_MAX)
        return err_set(err, E_LIMIT, "after: due has at most %d bytes", NAME_BYTES_MAX);
    return 0;
}

static int check(struct step *step, const struct after_request *request, struct err *err)
{
    const struct limits *limits = &step->engine->config.limits;
    if (step->customer.number == 0)
        return err_set(err, E_INVALID, "after: this event has no customer");
    int rc = step_check_event(step, request->type, request->data, "after", err);
    if (rc == 0)
        rc = step_after_check(request, err);
    if (rc != 0)
        return rc;
    const struct profile *profile = &step->customer.members[step->customer.own];
    if (profile->timers >= limits->timers &&
        timer_payload_of(step->engine, profile->number, timer_name(step->engine, request->key))
                .data == NULL)
        return err_set(err, E_LIMIT, "after: the customer has %lld timers: no more (limit timers)",
                       (long long)limits->timers);
    return timer_check_depth(step, request->due.ms, "after", err);
}

int step_after(struct step *step, const struct after_request *request, struct err *err)
{
    struct engine *engine = step->engine;
    struct after_request wanted = *request;
    int rc = check(step, request, err);
    if (rc != 0)
        return rc;
    due_follow(&wanted.due, engine->now);
    step_cancel(step, request->key); /* it may stand under another member of the group */
    struct profile *profile = &step->customer.members[step->customer.own];
    bool is_set =
        timer_set(engine, profile, profile->number, timer_name(engine, request->key),
                  request->due.ms, payload(engine, step->rule->name, &wanted, request->due.ms));
    ASSERT(is_set);
    step->trace.acts++;
    return 0;
}

/* The timer may have been set by an event that came to another member of the group. */
bool step_cancel(struct step *step, struct text key)
{
    bool is_found = false;
    for (size_t i = 0; i < step->customer.count && key.size <= NAME_BYTES_MAX; i++) {
        struct profile *profile = &step->customer.members[i];
        is_found =
            timer_cancel(step->engine, profile, profile->number, timer_name(step->engine, key)) ||
            is_found;
    }
    step->trace.acts += is_found ? 1 : 0;
    return is_found;
}

void after_fire(struct engine *engine, uint64_t owner, struct doc timer)
{
    struct event event = {
        .class = LOG_SYSTEM,
        .type = doc_text(timer, "type"),
        .by = doc_text(timer, "by"),
        .data = doc_child(timer, "data"),
        .customer = owner,
        .depth = timer_depth_of(timer),
    };
    engine_derive(engine, &event);
}

void after_move(struct engine *engine, struct profile *profile, struct text name, int64_t due,
                const struct zone *zone)
{
    struct doc timer = timer_payload_of(engine, profile->number, name);
    struct after_request request = {
        .type = doc_text(timer, "type"),
        .due = due_read(timer, due),
        .data = doc_child(timer, "data"),
    };
    if (!due_moves(&request.due, zone, &request.due.ms))
        return;
    int64_t at = timer_soonest(engine, request.due.ms);
    if (request.due.ms < due && due < at) /* it waits already, and must not wait for ever */
        return;
    timer_set(engine, profile, profile->number, name, at,
              payload(engine, doc_text(timer, "by"), &request, at));
}
