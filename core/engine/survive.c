/* survive.c -- giving memory back between the rules of one event.
 *
 * A section of a customer is never changed in place: each change leaves the one before behind in
 * the arena, which is emptied at the end of the event.  What one rule may take has a limit, but a
 * bundle may have any number of rules for an event.  So once they have taken much, what outlives a
 * rule is copied out, all that they took is given back, and it is copied in again: the sections of
 * the customer, and what the trace will tell.  Everything else that a rule makes is in the state
 * or in engine->lasting by then.
 */
#include "core/engine/engine_inside.h"

#define SHRINK_BYTES (1u << 20) /* taken since the last time: less is not worth the copies */

static void copy_profile(struct profile *profile, struct arena *to)
{
    struct doc *const sections[] = {
        &profile->absorbed,  &profile->ids,      &profile->traits, &profile->roles,
        &profile->addresses, &profile->consents, &profile->tags,
    };
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        *sections[i] = arena_doc(to, *sections[i]);
    profile->owner = arena_text(to, profile->owner);
}

static void copy_value(struct doc_value *value, struct arena *to)
{
    switch (value->type) {
    case DOC_TEXT:
        value->text = arena_text(to, value->text);
        break;
    case DOC_DOC:
    case DOC_ARRAY:
        value->doc = arena_doc(to, value->doc);
        break;
    case DOC_BINARY:
        value->binary.data = arena_copy(to, value->binary.data, value->binary.size);
        break;
    default:
        break;
    }
}

static void copy_trace(struct trace *trace, struct arena *to)
{
    trace->changes = arena_copy(to, trace->changes, trace->change_count * sizeof *trace->changes);
    trace->change_capacity = trace->change_count;
    for (size_t i = 0; i < trace->change_count; i++) {
        trace->changes[i].name = arena_text(to, trace->changes[i].name);
        copy_value(&trace->changes[i].value, to);
    }
    for (size_t i = 0; i < trace->line_count; i++)
        trace->lines[i] = arena_text(to, trace->lines[i]);
}

static void copy_step(struct step *step, struct arena *to)
{
    for (size_t i = 0; i < step->customer.count; i++)
        copy_profile(&step->customer.members[i], to);
    copy_trace(&step->trace, to);
}

void step_shrink(struct step *step, struct arena_mark from, size_t *kept_bytes)
{
    struct engine *engine = step->engine;
    if (engine->arena.bytes - *kept_bytes < SHRINK_BYTES)
        return;
    copy_step(step, &engine->spare);
    arena_release(&engine->arena, from);
    copy_step(step, &engine->arena);
    arena_clear(&engine->spare);
    *kept_bytes = engine->arena.bytes;
}
