/* reread.c -- see reread.h.
 *
 * A start is what tells whether a configuration is good, so this does what a start does as far as
 * nothing comes of it: a file that only parses was told to be used from the next start on, and that
 * start ended with its first mistake.
 */
#include "core/server/reread.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/rules.h"
#include "core/plugin/set.h"
#include "core/script/settings.h"
#include "core/server/hosting.h"
#include "core/server/node.h"
#include "core/server/plugins.h"
#include "core/server/say.h"
#include "core/server/scripts.h"
#include "core/server/settings_differ.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct reread {
    struct reread_options options;
    uv_work_t work;
    struct job job;
    bool is_busy, is_wanted; /* wanted: once more, behind this one */
    bool is_closed;
    struct settings wanted;   /* as kith.lua has it now */
    struct plugin_set *tried; /* its plugins; NULL: none, or they cannot be loaded */
    int code;
    struct err err;
    struct reread_missing missing;
    bool has_bundle;
    uint8_t bundle[BUNDLE_HASH_BYTES];
};

/* -- What is named and not there --------------------------------------------------------------- */

static void look_for_kinds(struct engine *engine, const struct plugin_set *plugins,
                           struct reread_missing *missing)
{
    struct buf lacking = BUF_INIT;
    if (plugins_lack_kinds(plugins, engine, &lacking) != 0)
        snprintf(missing->kinds, sizeof missing->kinds, "%s", buf_string(&lacking));
    buf_deinit(&lacking);
}

void reread_look(struct engine *engine, const struct plugin_set *plugins,
                 struct reread_missing *out_missing)
{
    *out_missing = (struct reread_missing){ .calendar = "" };
    read_fallback(engine, &out_missing->fallback);
    read_missing_owner(engine, &out_missing->owner);
    if (engine_rules(engine) == NULL)
        return;
    read_missing_calendar(engine, out_missing->calendar);
    look_for_kinds(engine, plugins, out_missing);
}

void reread_say_missing(const struct reread_missing *missing)
{
    const struct read_fallback *fallback = &missing->fallback;
    if (!fallback->is_known)
        say("nobody is called %s, the fallback of kith.lua: kith staff add %s, or name another",
            fallback->name, fallback->name);
    if (missing->owner.kind[0] != '\0')
        say("nobody is called %s, whose the records of the kind %s are to be: they are the "
            "fallback's, or nobody's; is it spelt right?",
            missing->owner.owner, missing->owner.kind);
    if (missing->calendar[0] != '\0')
        say("no calendar is called %s, by which a plugin of kith.lua is to count: the company's is "
            "used until the bundle declares it",
            missing->calendar);
    if (missing->kinds[0] != '\0')
        say("%s, and nobody declares that kind: it reads nothing until a bundle does; is it spelt "
            "right?",
            missing->kinds);
}

/* -- Say --------------------------------------------------------------------------------------- */

/* What is configured otherwise of plugins that are the same; whether there is any. */
static bool say_plugins(const struct settings *now, const struct settings *wanted)
{
    bool is_any = false;
    for (size_t i = 0; i < now->plugin_count; i++)
        if (settings_plugin_differs(now, wanted, i)) {
            say("plugin %s is configured otherwise: it is used from the next start on, or with: "
                "kith plugin reload %s",
                now->plugins[i].name, now->plugins[i].name);
            is_any = true;
        }
    return is_any;
}

static void say_good(struct reread *reread)
{
    const struct settings *now = reread->options.settings;
    plugins_carry_over(&reread->wanted, now);
    if (settings_differ(now, &reread->wanted))
        say("the configuration has changed: it is used from the next start on");
    else if (!say_plugins(now, &reread->wanted))
        say("the configuration has been read: it has not changed");
    reread->options.use(reread->options.arg, &reread->wanted);
    if (reread->wanted.scripts != NULL)
        scripts_compare(reread->wanted.scripts, reread->wanted.config,
                        hosting_plugins(reread->options.hosting),
                        reread->has_bundle ? reread->bundle : NULL);
}

static void finish(struct reread *reread)
{
    const struct reread_options *options = &reread->options;
    if (reread->code == 0) {
        say_good(reread);
    } else {
        say("the configuration is not used: %s", reread->err.text);
        options->use(options->arg, options->settings);
    }
    reread_say_missing(&reread->missing);
    plugin_set_free(reread->tried);
    reread->tried = NULL;
    settings_deinit(&reread->wanted);
    reread->is_busy = false;
    options->done(options->arg);
    if (reread->is_wanted)
        reread_begin(reread);
}

/* -- Look -------------------------------------------------------------------------------------- */

static void look(struct engine *engine, void *arg)
{
    struct reread *reread = arg;
    const struct ruleset *rules = engine_rules(engine);
    const char *fallback = reread->wanted.fallback;
    reread_look(engine, hosting_plugins(reread->options.hosting), &reread->missing);
    reread->has_bundle = rules != NULL;
    if (rules != NULL)
        memcpy(reread->bundle, rules->hash, sizeof reread->bundle);
    if (reread->code != 0)
        return;
    read_fallback_called(engine, fallback != NULL ? fallback : "", &reread->missing.fallback);
    read_missing_owner_of(engine, plugin_set_engine(reread->tried), &reread->missing.owner);
    reread->missing.kinds[0] = '\0';
    if (rules == NULL)
        return;
    read_missing_calendar_of(engine, plugin_set_engine(reread->tried), reread->missing.calendar);
    look_for_kinds(engine, reread->tried, &reread->missing);
}

static void on_looked(struct mail *mail, void *reader)
{
    struct reread *reread = ((struct job *)mail)->arg;
    (void)reader;
    if (!reread->is_closed)
        finish(reread);
}

/* -- Try --------------------------------------------------------------------------------------- */

static void try_plugins(uv_work_t *work)
{
    struct reread *reread = work->data;
    reread->code = plugins_try(&reread->wanted, &reread->tried, &reread->err);
}

/* A start would refuse one that cannot read what those in force keep. */
static int check_states(const struct reread *reread, struct err *err)
{
    const struct plugin_set *now = hosting_plugins(reread->options.hosting);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin_set_count(reread->tried); i++)
        for (size_t j = 0; rc == 0 && j < plugin_set_count(now); j++) {
            const struct plugin *wanted = plugin_set_at(reread->tried, i);
            if (strcmp(wanted->name, plugin_set_at(now, j)->name) == 0)
                rc = plugins_check_states(plugin_set_at(now, j), wanted, err);
        }
    return rc;
}

static void on_tried(uv_work_t *work, int status)
{
    struct reread *reread = work->data;
    (void)status;
    if (reread->is_closed)
        return;
    if (reread->code == 0)
        reread->code = check_states(reread, &reread->err);
    reread->job = (struct job){ .mail = { .handle = on_looked }, .run = look, .arg = reread };
    fold_ask(node_fold(reread->options.node), &reread->job);
}

/* -- Read -------------------------------------------------------------------------------------- */

static void skip(uv_work_t *work)
{
    (void)work;
}

void reread_begin(struct reread *reread)
{
    const struct reread_options *options = &reread->options;
    if (reread->is_closed)
        return;
    reread->is_wanted = reread->is_busy;
    if (reread->is_busy)
        return;
    reread->is_busy = true;
    settings_init(&reread->wanted);
    reread->code = options->read_settings(options->read_arg, &reread->wanted, &reread->err);
    reread->work.data = reread;
    uv_queue_work(options->loop, &reread->work, reread->code == 0 ? try_plugins : skip, on_tried);
}

/* -- Life -------------------------------------------------------------------------------------- */

struct reread *reread_open(const struct reread_options *options)
{
    struct reread *reread = mem_zero(sizeof *reread);
    reread->options = *options;
    return reread;
}

void reread_close(struct reread *reread)
{
    if (reread != NULL)
        reread->is_closed = true;
}

void reread_free(struct reread *reread)
{
    if (reread == NULL)
        return;
    if (reread->is_busy) {
        plugin_set_free(reread->tried);
        settings_deinit(&reread->wanted);
    }
    free(reread);
}
