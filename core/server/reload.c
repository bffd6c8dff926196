/* reload.c -- see reload.h for the steps. */
#include "core/server/reload.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/rules.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"
#include "core/script/settings.h"
#include "core/server/change.h"
#include "core/server/deploy.h"
#include "core/server/node.h"
#include "core/server/nurse.h"
#include "core/server/plugins.h"
#include "core/server/rehearsal.h"
#include "core/server/reread.h"
#include "core/server/say.h"
#include "core/server/world.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define REST_POLL_MS 20
#define SHORT_HASH 6 /* bytes of a file's, in messages */

struct reload {
    struct reload_options options;
    uv_timer_t timer;
    uv_work_t work;
    struct job job;
    bool is_busy;
    size_t index;           /* of the plugin, in every set */
    struct settings wanted; /* as kith.lua has it now */
    struct settings trial;  /* those in force, with what the new one adds to the world */
    const struct plugin_settings *plugin; /* in `wanted` */
    struct plugin_member probe;           /* the new one, where it may crash; or nothing */
    struct plugin_set *set;               /* with the new one; NULL: not loaded, or in force */
    struct buf code;                      /* of the world with it */
    bool has_bundle;                      /* rules are in force ... */
    uint8_t bundle[BUNDLE_HASH_BYTES];    /* ... which load with it, as far as is known */
    struct reread_missing missing;        /* what is in force names */
    int code_of_step;
    struct err err;
    reload_done_fn *done;
    void *done_arg;
};

static const char *name_of(const struct reload *reload)
{
    return plugin_set_at(reload->options.plugins, reload->index)->name;
}

/* -- The end --------------------------------------------------------------------- */

static void drop_probe(struct reload *reload)
{
    remote_close(reload->probe.remote);
    plugin_free(reload->probe.plugin);
    reload->probe = (struct plugin_member){ NULL, NULL };
}

static void end(struct reload *reload, int status)
{
    drop_probe(reload);
    settings_deinit(&reload->wanted);
    settings_deinit(&reload->trial);
    buf_deinit(&reload->code);
    nurse_release(reload->options.nurse);
    change_give_back(node_change(reload->options.node));
    reload->is_busy = false;
    reload->done(reload->done_arg, status, &reload->err);
    reload->options.on_rest(reload->options.arg);
}

static void refuse(struct reload *reload)
{
    plugin_set_free(reload->set);
    reload->set = NULL;
    say("plugin %s is not reloaded: %s", name_of(reload), reload->err.text);
    end(reload, reload->code_of_step == E_BUSY || reload->code_of_step == E_FULL ? 503 : 422);
}

/* -- Change ---------------------------------------------------------------------- */

/* What was asked of kith.lua now is what is in force. */
static void note_settings(struct reload *reload)
{
    struct settings *settings = reload->options.settings;
    for (size_t i = 0; i < settings->plugin_count; i++) {
        struct plugin_settings *plugin = &settings->plugins[i];
        if (strcmp(plugin->name, reload->plugin->name) != 0)
            continue;
        plugin->is_isolated = reload->plugin->is_isolated;
        plugin->place = arena_text(&settings->arena, text_of(reload->plugin->place)).data;
        plugin->grant = arena_doc(&settings->arena, reload->plugin->grant);
        plugin->config = arena_doc(&settings->arena, reload->plugin->config);
    }
    settings->plugin_worlds = arena_doc(&settings->arena, reload->trial.plugin_worlds);
    settings->plugin_channels = arena_doc(&settings->arena, reload->trial.plugin_channels);
    settings_finish(settings);
}

static void say_done(const struct reload *reload)
{
    const struct plugin *plugin = plugin_set_at(reload->options.plugins, reload->index);
    char hash[HEX_SIZE(SHORT_HASH)];
    hex_encode(plugin->hash, SHORT_HASH, hash);
    say("plugin %s has been reloaded: version %s, file %s", plugin->name,
        plugin->version != NULL ? plugin->version : "unknown", hash);
}

static void in_force(void *arg)
{
    struct reload *reload = arg;
    const struct reload_options *options = &reload->options;
    plugin_set_succeed(reload->set, options->plugins);
    options->in_force(options->arg, reload->set);
}

static void on_changed(void *arg, int code, const struct err *err)
{
    struct reload *reload = arg;
    struct reload_options *options = &reload->options;
    struct plugin_set *former = options->plugins;
    reload->code_of_step = code;
    if (code != 0) {
        reload->err = *err;
        options->start_outside(options->arg, former, reload->index);
        return;
    }
    options->plugins = reload->set;
    reload->set = NULL;
    note_settings(reload);
    nurse_use(options->nurse, options->plugins);
    options->use(options->arg, options->plugins);
    plugin_set_replace(former, reload->index, NULL); /* its process, if it had one */
    options->start_outside(options->arg, options->plugins, reload->index);
    say_done(reload);
}

static void look_again(struct engine *engine, void *arg)
{
    struct reload *reload = arg;
    reread_look(engine, reload->options.plugins, &reload->missing);
}

/* What it is configured with may name a calendar, and its code a kind: as at a start it is said,
 * and no more. */
static void on_looked_again(struct mail *mail, void *reader)
{
    struct reload *reload = ((struct job *)mail)->arg;
    (void)reader;
    reread_say_missing(&reload->missing);
    if (reload->missing.calendar[0] != '\0')
        err_set(&reload->err, E_NOTFOUND,
                "no calendar is called %s, by which a plugin of kith.lua is to count: the "
                "company's is used until the bundle declares it",
                reload->missing.calendar);
    else if (reload->missing.kinds[0] != '\0')
        err_set(&reload->err, E_NOTFOUND,
                "%s, and nobody declares that kind: it reads nothing until a bundle does; is it "
                "spelt right?",
                reload->missing.kinds);
    end(reload, 200);
}

static void on_over(void *arg)
{
    struct reload *reload = arg;
    if (reload->code_of_step != 0) {
        refuse(reload);
        return;
    }
    reload->job =
        (struct job){ .mail = { .handle = on_looked_again }, .run = look_again, .arg = reload };
    fold_ask(node_fold(reload->options.node), &reload->job);
}

static int load_rules(struct reload *reload, const uint8_t hash[BUNDLE_HASH_BYTES])
{
    struct buf bytes = BUF_INIT;
    struct err reason;
    int rc = log_get_blob(node_log(reload->options.node), hash, &bytes, &reason);
    if (rc == 0)
        rc = deploy_check((struct doc){ bytes.data, (uint32_t)bytes.size }, reload->trial.config,
                          plugin_set_engine(reload->set), NULL, &reason);
    buf_deinit(&bytes);
    if (rc != 0)
        return err_set(&reload->err, E_INVALID,
                       "the rules in force do not load with it: %s; deploy rules that load with "
                       "both, then reload",
                       reason.text);
    return 0;
}

/* Others may have been deployed since they were tried. */
static int check(void *arg, const uint8_t hash[BUNDLE_HASH_BYTES], struct err *err)
{
    struct reload *reload = arg;
    if (reload->has_bundle && memcmp(hash, reload->bundle, sizeof reload->bundle) == 0)
        return 0;
    int rc = load_rules(reload, hash);
    *err = reload->err;
    return rc;
}

static void begin_change(struct reload *reload)
{
    struct change_wanted wanted = {
        .code = { reload->code.data, (uint32_t)reload->code.size },
        .config = reload->trial.config,
        .plugins = plugin_set_engine(reload->set),
        .check = check,
        .in_force = in_force,
        .done = on_changed,
        .over = on_over,
        .arg = reload,
    };
    change_begin(node_change(reload->options.node), &wanted);
}

/* -- Rehearsal ------------------------------------------------------------------- */

static void on_rehearsed(void *arg, int code, const struct err *err)
{
    struct reload *reload = arg;
    struct reload_options *options = &reload->options;
    drop_probe(reload);
    reload->code_of_step = code;
    if (code == 0) {
        begin_change(reload);
        return;
    }
    reload->err = *err;
    options->start_outside(options->arg, options->plugins, reload->index);
    refuse(reload);
}

/* The one before has gone, and with it whatever both of them want to have open. */
static void on_outside_stopped(void *arg)
{
    struct reload *reload = arg;
    struct remote_ends ends;
    struct err err;
    int rc = 0;
    if (reload->probe.plugin->start == NULL)
        begin_change(reload);
    else if ((rc = remote_ends(reload->probe.remote, &ends, &err)) != 0)
        on_rehearsed(reload, rc, &err);
    else
        rehearsal_begin(reload->options.loop, reload->probe.plugin, &ends, on_rehearsed, reload);
}

/* -- Load ------------------------------------------------------------------------ */

/* A constructor, kith_describe() or start() that crashes ends a process that nobody needs. */
static int probe(struct reload *reload, unsigned number)
{
    struct plugin_settings isolated = *reload->plugin;
    isolated.is_isolated = true;
    return plugins_open(reload->trial.plugin_dir, &isolated, number, &reload->probe, &reload->err);
}

/* Effects wait for channels by name, and a channel is begun with the daemon. */
static int check_channels(const struct plugin *now, const struct plugin *wanted, struct err *err)
{
    bool is_same = now->channel_count == wanted->channel_count;
    for (size_t i = 0; is_same && i < now->channel_count; i++)
        is_same = strcmp(now->channels[i].name, wanted->channels[i].name) == 0 &&
                  now->channels[i].flags == wanted->channels[i].flags;
    if (is_same)
        return 0;
    return err_set(err, E_CONFLICT,
                   "plugin %s brings other channels than before, which needs a restart of kithd",
                   wanted->name);
}

static int load_plugin(struct reload *reload)
{
    const struct plugin *now = plugin_set_at(reload->options.plugins, reload->index);
    struct plugin_member member;
    int rc = probe(reload, now->number);
    if (rc == 0)
        rc = plugins_open(reload->trial.plugin_dir, reload->plugin, now->number, &member,
                          &reload->err);
    if (rc != 0)
        return rc;
    reload->set = plugin_set_exchange(reload->options.plugins, reload->index, &member);
    rc = check_channels(now, member.plugin, &reload->err);
    if (rc == 0)
        rc = plugins_check_states(now, member.plugin, &reload->err);
    return rc == 0 ? plugins_check_kinds(reload->set, &reload->err) : rc;
}

static void load(uv_work_t *work)
{
    struct reload *reload = work->data;
    int rc = load_plugin(reload);
    if (rc == 0)
        rc = plugins_add_to_config(&reload->trial, reload->set, &reload->err);
    if (rc == 0)
        world_code(reload->set, &reload->code);
    if (rc == 0 && reload->has_bundle)
        rc = load_rules(reload, reload->bundle);
    reload->code_of_step = rc;
}

static void on_loaded(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    const struct reload_options *options = &reload->options;
    (void)status;
    if (reload->code_of_step == 0)
        reload->code_of_step =
            options->try_outside(options->arg, reload->set, reload->index, &reload->err);
    if (reload->code_of_step != 0)
        refuse(reload);
    else
        options->stop_outside(options->arg, reload->index, on_outside_stopped, reload);
}

static void look(struct engine *engine, void *arg)
{
    struct reload *reload = arg;
    const struct ruleset *rules = engine_rules(engine);
    reload->has_bundle = rules != NULL;
    if (rules != NULL)
        memcpy(reload->bundle, rules->hash, sizeof reload->bundle);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct reload *reload = ((struct job *)mail)->arg;
    (void)reader;
    reload->work.data = reload;
    uv_queue_work(reload->options.loop, &reload->work, load, on_loaded);
}

/* -- Rest, read ------------------------------------------------------------------ */

static void rest(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    if (!nurse_is_at_rest(reload->options.nurse)) {
        uv_timer_start(&reload->timer, rest, REST_POLL_MS, 0);
        return;
    }
    reload->job = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = reload };
    fold_ask(node_fold(reload->options.node), &reload->job);
}

/* What kith.lua says of this one now; all else is as it is in force. */
static int read_settings(struct reload *reload)
{
    const struct reload_options *options = &reload->options;
    int rc = options->read_settings(options->read_arg, &reload->wanted, &reload->err);
    reload->trial = *options->settings;
    reload->trial.arena = (struct arena)ARENA_INIT;
    reload->trial.scratch = (struct buf)BUF_INIT;
    reload->plugin = NULL;
    for (size_t i = 0; rc == 0 && i < reload->wanted.plugin_count; i++)
        if (strcmp(reload->wanted.plugins[i].name, name_of(reload)) == 0)
            reload->plugin = &reload->wanted.plugins[i];
    if (rc == 0 && reload->plugin == NULL)
        rc = err_set(&reload->err, E_CONFLICT,
                     "kith.lua does not name plugin %s any more: restart kithd to go on without it",
                     name_of(reload));
    return rc;
}

static int find(struct reload *reload, struct text name)
{
    const struct plugin_set *set = reload->options.plugins;
    for (size_t i = 0; i < plugin_set_count(set); i++)
        if (text_is(name, plugin_set_at(set, i)->name)) {
            reload->index = i;
            return 0;
        }
    return err_set(&reload->err, E_NOTFOUND, "there is no plugin \"%.*s\"", (int)name.size,
                   name.data);
}

void reload_begin(struct reload *reload, struct text name, reload_done_fn *done, void *arg)
{
    struct node *node = reload->options.node;
    struct err err = { 0 };
    int status = 200;
    if (reload->is_busy || change_reserve(node_change(node), &err) != 0) {
        if (reload->is_busy)
            err_set(&err, E_CONFLICT, "a plugin is being reloaded: wait for it");
        done(arg, 409, &err);
        return;
    }
    reload->is_busy = true;
    reload->done = done;
    reload->done_arg = arg;
    reload->err = (struct err){ 0 };
    reload->set = NULL;
    nurse_hold(reload->options.nurse);
    settings_init(&reload->wanted);
    settings_init(&reload->trial);
    if (find(reload, name) != 0)
        status = 404;
    else if (node_health(node, &reload->err) != 0 || !node_is_ready(node))
        status = 503;
    else if (read_settings(reload) != 0)
        status = 422;
    if (status == 200)
        rest(&reload->timer);
    else
        end(reload, status);
}

/* -- Life ------------------------------------------------------------------------ */

struct reload *reload_open(const struct reload_options *options)
{
    struct reload *reload = mem_zero(sizeof *reload);
    reload->options = *options;
    uv_timer_init(options->loop, &reload->timer);
    reload->timer.data = reload;
    return reload;
}

bool reload_is_at_rest(const struct reload *reload)
{
    return !reload->is_busy;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void reload_close(struct reload *reload)
{
    if (reload != NULL)
        uv_close((uv_handle_t *)&reload->timer, on_closed);
}
