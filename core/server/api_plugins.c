/* api_plugins.c -- /v1/plugins: what is loaded, how it does, and what a person decides about it.
 *
 * What a plugin is does not change while it is loaded, and may be read by any thread; who is
 * quarantined, and what waits for him, is the engine's.  So a list is made there.  Loading one anew
 * makes another set of all (core/server/reload.h).
 */
#include "core/base/hash.h"
#include "core/engine/plugins.h"
#include "core/plugin/set.h"
#include "core/server/api_command.h"
#include "core/server/home.h"
#include "core/server/nurse.h"
#include "core/server/plugins.h"
#include "core/server/reload.h"

#include <stdio.h>

#define BODY_MAX (16u << 10)

/* -- Reading ----------------------------------------------------------------------------------- */

/* The functions again, with what they are for. */
static void put_words(struct doc_writer *w, const struct plugin *plugin)
{
    char name[2 * PLUGIN_NAME_MAX + 2];
    doc_open_array(w, "words");
    for (size_t i = 0; i < plugin->function_count; i++) {
        const struct kith_function *function = &plugin->functions[i];
        snprintf(name, sizeof name, "%s.%s", plugin->name, function->name);
        doc_open(w, NULL);
        doc_put_string(w, "word", name);
        doc_put_string(w, "usage", function->usage != NULL ? function->usage : "");
        doc_put_string(w, "about", function->about != NULL ? function->about : "");
        doc_close(w);
    }
    doc_close(w);
}

static void put_names(struct doc_writer *w, const struct plugin *plugin)
{
    doc_open_array(w, "needs");
    for (size_t i = 0; i < plugin->need_count; i++)
        doc_put_string(w, NULL, plugin->needs[i]);
    doc_close(w);
    doc_open_array(w, "traits");
    for (size_t i = 0; i < plugin->trait_count; i++)
        doc_put_string(w, NULL, plugin->traits[i].name);
    doc_close(w);
    doc_open_array(w, "functions");
    for (size_t i = 0; i < plugin->function_count; i++)
        doc_put_string(w, NULL, plugin->functions[i].usage);
    doc_close(w);
    put_words(w, plugin);
    doc_open_array(w, "channels");
    for (size_t i = 0; i < plugin->channel_count; i++)
        doc_put_string(w, NULL, plugin->channels[i].name);
    doc_close(w);
}

/* A hook: merge, unmerge, migrate and give of its documents, and forgetting whom Kith erases. */
static void put_numbers(struct doc_writer *w, const struct plugin *plugin, const struct home *home)
{
    int64_t calls = (int64_t)atomic_load(&plugin->calls);
    doc_put_int(w, "calls", calls);
    doc_put_int(w, "failures", (int64_t)atomic_load(&plugin->failures));
    doc_put_int(w, "hook_failures",
                (int64_t)atomic_load(&plugin->hook_failures) +
                    (int64_t)home_forget_failures(home, plugin->name));
    doc_put_int(w, "mean_ns", calls != 0 ? (int64_t)atomic_load(&plugin->nanoseconds) / calls : 0);
}

/* What the engine knows of it; none: there is nothing to say. */
static struct doc standing_of(struct doc standings, struct text name)
{
    for (struct doc_iter it = doc_iter(standings); doc_next(&it);)
        if (it.value.type == DOC_DOC && text_equal(doc_text(it.value.doc, "name"), name))
            return it.value.doc;
    return (struct doc){ NULL, 0 };
}

/* Whoever disabled it knows why; else one with a process of its own may come back by itself. */
static void put_advice(struct doc_writer *w, struct doc standing, bool is_isolated)
{
    struct text name = doc_text(standing, "name");
    bool is_decided = text_is(doc_text(doc_child(standing, "quarantined"), "kind"), "staff");
    char words[160];
    snprintf(words, sizeof words, "it takes no part until %s: kith plugin enable %.*s",
             is_isolated && !is_decided ? "its process is back, or at once with" : "it is enabled",
             (int)name.size, name.data);
    doc_put_string(w, "advice", words);
}

/* `failed`: why its outside side did not start; NULL: it did. */
static void put_standing(struct doc_writer *w, struct doc standing, bool is_loaded,
                         bool is_isolated, const char *failed)
{
    struct doc_value quarantined = doc_get(standing, "quarantined");
    int64_t parked = doc_int(standing, "parked", 0);
    doc_put_string(w, "state",
                   quarantined.type == DOC_DOC ? "quarantined"
                   : !is_loaded                ? "not loaded"
                   : failed != NULL            ? "failed"
                   : parked != 0               ? "behind"
                                               : "active");
    doc_put_value(w, "quarantined", &quarantined);
    if (quarantined.type == DOC_DOC && is_loaded)
        put_advice(w, standing, is_isolated);
    if (failed != NULL)
        doc_put_string(w, "failed", failed);
    doc_put_int(w, "parked", parked);
    doc_put_int(w, "missed", doc_int(standing, "missed", 0));
}

static void put_plugin(struct doc_writer *w, const struct plugin_set *set, size_t index,
                       struct doc standings, const struct home *home)
{
    const struct plugin *plugin = plugin_set_at(set, index);
    char hash[HEX_SIZE(DIGEST_32_BYTES)];
    hex_encode(plugin->hash, DIGEST_32_BYTES, hash);
    doc_put_string(w, "name", plugin->name);
    doc_put_string(w, "version", plugin->version != NULL ? plugin->version : "");
    doc_put_string(w, "about", plugin->about != NULL ? plugin->about : "");
    doc_put_string(w, "hash", hash);
    doc_put_bool(w, "isolated", plugin_set_is_isolated(set, index));
    put_standing(w, standing_of(standings, text_of(plugin->name)), true,
                 plugin_set_is_isolated(set, index), home_failed(home, plugin->name));
    put_names(w, plugin);
    put_numbers(w, plugin, home);
}

/* {plugins: [...]} as the engine shows them, in the arena. */
static struct doc standings_of(struct engine *engine, struct call *call)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    plugins_show(engine, &w);
    struct doc doc = arena_doc(&call->arena, doc_end(&w));
    buf_deinit(&buf);
    return doc_child(doc, "plugins");
}

static size_t find(const struct plugin_set *set, struct text name)
{
    for (size_t i = 0; i < plugin_set_count(set); i++)
        if (text_is(name, plugin_set_at(set, i)->name))
            return i;
    return SIZE_MAX;
}

/* One that was quarantined and is not loaded any more is not forgotten. */
static void put_others(struct doc_writer *w, const struct plugin_set *set, struct doc standings)
{
    for (struct doc_iter it = doc_iter(standings); doc_next(&it);) {
        struct text name = doc_text(it.value.doc, "name");
        if (find(set, name) != SIZE_MAX)
            continue;
        doc_open(w, NULL);
        doc_put_text(w, "name", name);
        put_standing(w, it.value.doc, false, false, NULL);
        doc_close(w);
    }
}

static int list_plugins(struct engine *engine, struct call *call, void *arg, struct buf *out,
                        struct err *err)
{
    const struct plugin_set *set = call->api->plugins;
    struct doc standings = standings_of(engine, call);
    struct doc_writer w;
    (void)arg;
    (void)err;
    doc_begin(&w, out);
    doc_open_array(&w, "items");
    for (size_t i = 0; i < plugin_set_count(set); i++) {
        doc_open(&w, NULL);
        put_plugin(&w, set, i, standings, call->api->home);
        doc_close(&w);
    }
    put_others(&w, set, standings);
    doc_close(&w);
    doc_put_null(&w, "next");
    doc_end(&w);
    return 0;
}

bool plugins_are_well(struct engine *engine, struct call *call, struct buf *out)
{
    const struct plugin_set *set = call->api->plugins;
    size_t loaded = plugin_set_count(set), behind = 0;
    bool is_well = true;
    buf_printf(out, "%zu loaded", loaded);
    for (struct doc_iter it = doc_iter(standings_of(engine, call)); doc_next(&it);) {
        struct text name = doc_text(it.value.doc, "name");
        struct doc quarantined = doc_child(it.value.doc, "quarantined");
        struct text reason = doc_text(quarantined, "reason");
        bool is_decided = text_is(doc_text(quarantined, "kind"), "staff");
        if (quarantined.data == NULL || find(set, name) == SIZE_MAX) {
            behind += doc_int(it.value.doc, "parked", 0) != 0;
            continue;
        }
        is_well = is_well && is_decided;
        buf_printf(out, "; %.*s is %s%s%.*s: kith plugin enable %.*s", (int)name.size, name.data,
                   is_decided ? "disabled" : "quarantined", reason.size != 0 ? ", " : "",
                   (int)reason.size, reason.data, (int)name.size, name.data);
    }
    if (behind != 0)
        buf_printf(out, "; %zu with parked events: kith plugin list", behind);
    struct buf lacking = BUF_INIT; /* which a bundle may yet declare */
    if (plugins_lack_kinds(set, engine, &lacking) != 0)
        buf_printf(out, "; %s, and nobody declares that kind", buf_string(&lacking));
    buf_deinit(&lacking);
    return is_well;
}

static void get_plugins(struct call *call)
{
    call_read(call, list_plugins, NULL);
}

static int read_one(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    const struct plugin_set *set = call->api->plugins;
    struct text name = call_param(call, "name");
    size_t index = find(set, name);
    const struct text *warning = arg;
    struct doc_writer w;
    if (index == SIZE_MAX)
        return err_set(err, E_NOTFOUND, "there is no plugin \"%.*s\"", (int)name.size, name.data);
    doc_begin(&w, out);
    put_plugin(&w, set, index, standings_of(engine, call), call->api->home);
    doc_put_present(&w, "warning", warning != NULL ? *warning : (struct text){ NULL, 0 });
    doc_end(&w);
    return 0;
}

static void get_plugin(struct call *call)
{
    call_read(call, read_one, NULL);
}

/* -- Deciding ---------------------------------------------------------------------------------- */

static void decide(struct call *call, const char *type)
{
    struct doc_writer w;
    struct command *command = command_new(call, type);
    struct doc_value skip = doc_get(call->body, "skip");
    buf_clear(&call->out);
    doc_begin(&w, &call->out);
    doc_put_text(&w, "plugin", call_param(call, "name"));
    doc_put_present(&w, "reason", doc_text(call->body, "reason"));
    doc_put_value(&w, "skip", &skip);
    command->data = arena_doc(&call->arena, doc_end(&w));
    command->read = read_one;
    command_run(call);
}

static bool is_loaded(struct call *call)
{
    struct text name = call_param(call, "name");
    if (find(call->api->plugins, name) != SIZE_MAX)
        return true;
    call_problem(call, 404, "there is no plugin \"%.*s\"", (int)name.size, name.data);
    return false;
}

static void look_at_standing(struct engine *engine, struct call *call)
{
    struct doc *quarantined = arena_zero(&call->arena, sizeof *quarantined);
    *quarantined =
        doc_child(standing_of(standings_of(engine, call), call_param(call, "name")), "quarantined");
    call->data = quarantined;
}

/* The process of an isolated one that is gone has to be begun first; whoever does so writes. */
static void enable(struct call *call)
{
    const struct doc *quarantined = call->data;
    bool skip = doc_bool(call->body, "skip", false);
    if (quarantined->data != NULL &&
        nurse_enable(call->api->nurse, call_param(call, "name"), call_by(call), skip))
        call_read(call, read_one, NULL);
    else
        decide(call, "plugin.enabled");
}

static void post_enable(struct call *call)
{
    if (!is_loaded(call))
        return;
    if (home_enable(call->api->home, call_param(call, "name")) || call->api->nurse == NULL)
        decide(call, "plugin.enabled");
    else
        call_ask(call, look_at_standing, enable);
}

static void post_disable(struct call *call)
{
    if (is_loaded(call))
        decide(call, "plugin.disabled");
}

static void on_reloaded(void *arg, int status, const struct err *err)
{
    struct call *call = arg;
    if (status == 200) {
        struct text *warning = arena_zero(&call->arena, sizeof *warning);
        *warning = arena_text(&call->arena, text_of(err->text));
        call_read(call, read_one, warning);
    } else
        call_problem(call, status, "%s", err->text);
}

static void post_reload(struct call *call)
{
    if (is_loaded(call))
        reload_begin(call->api->reload, call_param(call, "name"), on_reloaded, call);
}

static const struct field enable_fields[] = { { "skip", FIELD_BOOL, false }, FIELDS_END };
static const struct field disable_fields[] = { { "reason", FIELD_LINE, false }, FIELDS_END };

const struct route routes_plugins[] = {
    { "GET", "/v1/plugins", SCOPE_READ, 0, false, get_plugins,
      "The plugins that are loaded, how they do, and which are quarantined; one page",
      "limit after", NULL, "Plugin[]" },
    { "GET", "/v1/plugins/{name}", SCOPE_READ, 0, false, get_plugin, "One plugin", NULL, NULL,
      "Plugin" },
    { "POST", "/v1/plugins/{name}/enable", SCOPE_ADMIN, BODY_MAX, true, post_enable,
      "Let a quarantined plugin take part again; what was parked for it comes first, unless it is "
      "to be skipped",
      "wait", enable_fields, "Plugin" },
    { "POST", "/v1/plugins/{name}/disable", SCOPE_ADMIN, BODY_MAX, true, post_disable,
      "Let a plugin take no part any more; what it would have heard of is parked", "wait",
      disable_fields, "Plugin" },
    { "POST", "/v1/plugins/{name}/reload", SCOPE_ADMIN, BODY_MAX, true, post_reload,
      "Load the plugin's file anew, as kith.lua has it configured by now, while all goes on", NULL,
      no_fields, "Plugin" },
    ROUTES_END,
};
