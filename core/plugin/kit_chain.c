/* kit_chain.c -- whether the events that a plugin makes of events come to an end; see kit.h.
 *
 * A handler that hears of what it emits, itself or by way of another, makes more of it.  The engine
 * ends that at a depth and at a number, with a failure on the timeline, at every such event anew,
 * and all others wait for it meanwhile.  So each type that a handler names is followed here through
 * everything that it leads to, with an ordinary event, for one customer of whom nothing is kept.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/plugin/kit_cases.h"
#include "core/plugin/kit_inside.h"

#include <stdio.h>
#include <stdlib.h>

struct link {
    struct text type;
    struct doc data; /* none: the first, whose fields are made up */
    unsigned depth;
};

struct chain {
    struct probe *probe;
    struct kit_try try; /* the first */
    struct link links[DERIVED_MAX + 1];
    size_t count;
    const struct link *now; /* the one that is heard of */
    struct arena arena;     /* of all that is made */
};

static struct doc_value read_value(void *arg, const struct plugin_read *read)
{
    struct chain *chain = arg;
    const struct link *now = chain->now;
    if (now != chain->links && read->kind == PLUGIN_READ_EVENT)
        return (struct doc_value){ .type = DOC_DOC, .doc = now->data };
    if (now != chain->links && read->kind == PLUGIN_READ_FIELD && text_is(read->name, "type"))
        return (struct doc_value){ .type = DOC_TEXT, .text = now->type };
    if (now != chain->links && read->kind == PLUGIN_READ_FIELD && !kit_is_given(read->name))
        return doc_get_text(now->data, read->name);
    return kit_read(chain->probe, &chain->try, 1, read);
}

static struct doc read_state(void *arg, size_t index, int64_t *out_version)
{
    struct chain *chain = arg;
    const struct buf *state = &chain->probe->states[index];
    *out_version = chain->probe->plugin.states[index].version;
    return (struct doc){ state->size != 0 ? state->data : NULL, (uint32_t)state->size };
}

/* False: the engine would take no more. */
static bool add_emitted(struct chain *chain, struct doc write)
{
    struct text name = doc_text(write, "k");
    struct doc data = doc_child(write, "v");
    unsigned depth = chain->now->depth + 1;
    if (!text_is(doc_text(write, "w"), "emit"))
        return true;
    if (depth > CASCADE_DEPTH_MAX || chain->count == DERIVED_MAX + 1)
        return false;
    chain->links[chain->count++] = (struct link){
        .type = arena_printf(&chain->arena, "%s.%.*s", chain->probe->plugin.name, (int)name.size,
                             name.data),
        .data = data.data != NULL ? arena_doc(&chain->arena, data) : data,
        .depth = depth,
    };
    return true;
}

static bool hear(struct chain *chain, struct kit_callee *callee)
{
    struct probe *probe = chain->probe;
    struct plugin_source source = { chain, read_value, read_state };
    struct kit_one one = { .source = &source, .reads = callee->reads, .run = callee->run };
    struct doc write;
    struct err err;
    kit_say_at(probe, callee->who, kit_given(probe, &chain->try));
    one.now = kit_now(1);
    if (kit_call_one(probe, &one, &err) != 0)
        return true;
    kit_keep_states(probe, probe->states);
    bool has_room = true;
    for (size_t at = 0; has_room && kit_next_write(&probe->writes, &at, &write);)
        has_room = add_emitted(chain, write);
    return has_room;
}

static void refuse(struct chain *chain, struct kit_callee *callee)
{
    kit_find(chain->probe, chain->try.callee, KIT_ENDLESS, kit_given(chain->probe, &chain->try),
             "do not hear of what you emit, or have what you emit say when it is enough",
             "it leads to more events of its own than are taken (%d, or %d deep), and %s is still "
             "emitting",
             DERIVED_MAX, CASCADE_DEPTH_MAX, callee->who);
}

static void follow(struct chain *chain)
{
    struct probe *probe = chain->probe;
    for (size_t i = 0; i < PLUGIN_STATES_MAX; i++)
        buf_clear(&probe->states[i]);
    for (size_t i = 0; i < chain->count; i++)
        for (size_t j = 0; j < probe->callee_count; j++) {
            struct kit_callee *callee = &probe->callees[j];
            chain->now = &chain->links[i];
            if (callee->kind != KIT_HANDLER ||
                !kit_hears(&probe->plugin.handlers[callee->index], chain->now->type))
                continue;
            if (!hear(chain, callee)) {
                refuse(chain, callee);
                return;
            }
        }
}

void kit_follow_events(struct probe *probe, struct kit_callee *callee)
{
    struct chain *chain = mem_zero(sizeof *chain);
    const char *const *types = probe->plugin.handlers[callee->index].types;
    size_t who = (size_t)(callee - probe->callees);
    for (size_t i = 0; types[i] != NULL; i++) {
        if (!kit_step(probe, KIT_CALLEE, who, KIT_EVENTS + i))
            continue;
        chain->probe = probe;
        chain->try = (struct kit_try){ .callee = callee, .style = KIT_ORDINARY, .type = i };
        chain->links[0] = (struct link){ .type = kit_type(probe, &chain->try) };
        chain->count = 1;
        arena_clear(&probe->arena);
        follow(chain);
        arena_clear(&chain->arena);
    }
    arena_deinit(&chain->arena);
    free(chain);
}
