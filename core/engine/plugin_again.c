/* plugin_again.c -- what a replay does about a plugin that it loses, and no verdict says so.
 *
 * The process of an isolated plugin may end whatever it was called for: the machine takes it, or
 * it is full of what earlier calls left, which in the run before ended with another process.  A
 * call is a pure function, so it is made again, in another process.  Where all are lost the loss is
 * a verdict if the entry was not applied before, and else the replay is stuck.
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"

bool plugin_is_lost(enum plugin_outcome outcome)
{
    return outcome == PLUGIN_CRASHED || outcome == PLUGIN_HUNG;
}

bool plugin_renew(struct engine *engine, size_t plugin)
{
    return engine->plugins->renew != NULL && engine->plugins->renew(engine->plugins, plugin);
}

/* Behind a call: whether it is made once more, in another process.  What a replay loses was not
 * lost then, or was not known to be: the machine took it, or what earlier calls left in a process
 * that, then, was another by now. */
bool plugin_tries_again(struct engine *engine, size_t plugin, enum plugin_outcome outcome,
                        unsigned *tries)
{
    if (!plugin_is_lost(outcome) || engine_is_live(engine))
        return false;
    while ((*tries)++ < PLUGIN_TRIES_MAX)
        if (plugin_renew(engine, plugin))
            return true;
    return false;
}

static void add_verdict(struct engine *engine, struct text plugin, enum plugin_outcome outcome,
                        uint64_t call, const char *reason)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "plugin", plugin);
    doc_put_string(&w, "kind", outcome == PLUGIN_HUNG ? "hang" : "crash");
    doc_put_int(&w, "nth", (int64_t)call);
    doc_put_string(&w, "reason", reason);
    engine_add_verdict(engine, "plugins", doc_end(&w));
}

/* A loss that nobody knew of.  A verdict on what was applied without one would give another state
 * than the one that everybody has seen. */
void plugin_note_loss(struct engine *engine, size_t plugin, enum plugin_outcome outcome)
{
    const struct engine_hooks *asked = engine->hooks;
    struct text name = engine->plugins->names[plugin];
    if (!engine_is_live(engine) && asked->was_applied != NULL &&
        asked->was_applied(engine->arg, engine->seq)) {
        engine->is_stuck = true;
        engine->stuck_at = name;
    } else {
        add_verdict(engine, name, outcome, engine->standings[plugin].calls,
                    engine->standings[plugin].reason);
    }
}

void plugins_note_stuck(struct engine *engine)
{
    engine_refuse(
        engine, E_BUSY,
        "the process of plugin %.*s ended or did not answer at entry %llu, %d times, where "
        "it was not lost before",
        (int)engine->stuck_at.size, engine->stuck_at.data, (unsigned long long)engine->seq,
        PLUGIN_TRIES_MAX + 1);
    engine->result->status = ENGINE_STUCK;
}
