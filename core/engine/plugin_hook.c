/* plugin_hook.c -- hooks of plugins' documents that fail, told on the timeline.
 *
 * A hook is called deep inside of a merge, where no step is at hand and no event can be derived;
 * so what failed is noted and told when the merge is done, behind the event that it happened.  The
 * error of a hook is its own and the same in every replay; that one crashes or hangs is not, and
 * becomes a verdict (plugin_run.c).
 */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"

static const char *const hooks[] = { "merge", "unmerge", "migrate", "give" };

int plugin_hook_check(struct engine *engine, enum plugin_fold what, struct text key,
                      struct doc answer, struct err *err)
{
    if (what != PLUGIN_UNMERGE)
        return plugin_document_check(engine, hooks[what], key, answer, err);
    int rc = plugin_document_check(engine, hooks[what], key, doc_child(answer, "survivor"), err);
    return rc != 0 ? rc
                   : plugin_document_check(engine, hooks[what], key, doc_child(answer, "absorbed"),
                                           err);
}

void plugin_hook_failed(struct engine *engine, struct text plugin, enum plugin_fold what,
                        struct text key, const char *message)
{
    engine->failures++;
    if (engine->hook_failure_count++ >= HOOK_FAILURES_MAX)
        return;
    engine->hook_failures[engine->hook_failure_count - 1] = (struct hook_failure){
        .plugin = plugin,
        .key = key,
        .message = arena_text(&engine->arena, text_of(message)),
        .hook = hooks[what],
    };
}

/* One that is quarantined is not asked, which is told: what its hook would have made is not made
 * later.  Documents that cannot be brought up wait for it. */
void plugin_hook_passed_over(struct engine *engine, size_t place, enum plugin_fold what,
                             struct text key)
{
    struct plugins *plugins = engine->plugins;
    bool is_final = what == PLUGIN_MERGE || what == PLUGIN_UNMERGE;
    if (is_final && (plugins->pass_over == NULL || plugins->pass_over(plugins, place, what, key)))
        plugin_hook_failed(engine, plugins->names[place], what, key,
                           "it is quarantined and was not asked");
}

static void tell_hook_failure(struct step *step, const struct hook_failure *failure,
                              uint64_t customer)
{
    struct engine *engine = step->engine;
    struct doc_writer w;
    if (step_check_derived(step, "plugin.failed", NULL) != 0) {
        step_note_line(
            step, arena_printf(&engine->arena, "plugin %.*s failed in %s of \"%.*s\": %s",
                               (int)failure->plugin.size, failure->plugin.data, failure->hook,
                               (int)failure->key.size, failure->key.data, failure->message.data));
        return;
    }
    engine_draft(engine, &w);
    doc_put_text(&w, "plugin", failure->plugin);
    doc_put_string(&w, "hook", failure->hook);
    doc_put_text(&w, "key", failure->key);
    doc_put_text(&w, "message", failure->message);
    step_derive(step, "plugin.failed", customer, engine_doc(engine, &w));
}

void plugins_tell_hook_failures(struct step *step, uint64_t customer)
{
    struct engine *engine = step->engine;
    size_t count = engine->hook_failure_count;
    for (size_t i = 0; i < count && i < HOOK_FAILURES_MAX; i++)
        tell_hook_failure(step, &engine->hook_failures[i], customer);
    if (count > HOOK_FAILURES_MAX)
        step_note_line(step, arena_printf(&engine->arena, "%zu more hooks of plugins failed",
                                          count - HOOK_FAILURES_MAX));
    engine->hook_failure_count = 0;
}
