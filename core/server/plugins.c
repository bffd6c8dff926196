/* plugins.c -- see plugins.h. */
#include "core/server/plugins.h"

#include "core/base/err.h"
#include "core/engine/kind.h"
#include "core/engine/read.h"
#include "core/plugin/breadcrumb.h"
#include "core/plugin/remote.h"
#include "core/plugin/set.h"
#include "core/script/settings.h"
#include "core/server/say.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096

/* NULL: the run before did not end while this one was loaded. */
static const struct breadcrumb_crash *blame_of(const char *name)
{
    size_t count;
    const struct breadcrumb_crash *blames = breadcrumb_blames(&count);
    for (size_t i = 0; i < count; i++)
        if (blames[i].call == BREADCRUMB_DESCRIBE && strcmp(blames[i].plugin, name) == 0)
            return &blames[i];
    return NULL;
}

/* How they are loaded beside what kith.lua says. */
struct manner {
    bool is_apart;     /* each in a process of its own, which nobody needs for long */
    bool is_for_trial; /* without its secrets */
};

/* Where it stands in kith.lua, as of any other setting. */
static int place_error(const struct plugin_settings *wanted, int rc, struct err *err)
{
    struct err reason = *err;
    return err_set(err, rc, "%s%s", wanted->place != NULL ? wanted->place : "", reason.text);
}

static int open_one(const char *dir, const struct plugin_settings *wanted, unsigned number,
                    bool is_for_trial, struct plugin_member *out_member, struct err *err)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s.so", dir, wanted->name);
    struct plugin_options options = {
        .name = wanted->name,
        .path = path,
        .number = number,
        .grant = wanted->grant,
        .config = wanted->config,
        .is_for_trial = is_for_trial,
    };
    *out_member = (struct plugin_member){ NULL, NULL };
    int rc = wanted->is_isolated
                 ? remote_open(&options, &out_member->remote, &out_member->plugin, err)
                 : plugin_load(&options, &out_member->plugin, err);
    return rc == 0 ? 0 : place_error(wanted, rc, err);
}

int plugins_open(const char *dir, const struct plugin_settings *wanted, unsigned number,
                 struct plugin_member *out_member, struct err *err)
{
    return open_one(dir, wanted, number, false, out_member, err);
}

/* Without it nobody would know what it hears of, and nothing could be parked: events would pass it
 * by for good. */
static int refuse_blamed(const struct settings *settings, const struct plugin_settings *wanted,
                         const struct breadcrumb_crash *blame, struct err *err)
{
    return place_error(wanted,
                       err_set(err, E_INVALID,
                               "plugin %s %s when it was loaded: mend %s/%s.so, or take the plugin "
                               "out of the configuration, and start again",
                               wanted->name, blame->is_hang ? "did not come back" : "crashed",
                               settings->plugin_dir, wanted->name),
                       err);
}

static int load_all(struct settings *settings, struct manner manner, struct plugin_member *members,
                    size_t *out_count, struct err *err)
{
    int rc = 0;
    *out_count = 0;
    for (size_t i = 0; rc == 0 && i < settings->plugin_count; i++) {
        const struct plugin_settings *wanted = &settings->plugins[i];
        bool is_apart = wanted->is_isolated || manner.is_apart;
        const struct breadcrumb_crash *blame = is_apart ? NULL : blame_of(wanted->name);
        if (blame != NULL)
            return refuse_blamed(settings, wanted, blame, err);
        if (!manner.is_apart) /* else these are names of those that are in force */
            breadcrumb_name((unsigned)i, wanted->name);
        struct plugin_settings own = *wanted;
        own.is_isolated = is_apart;
        rc = open_one(settings->plugin_dir, &own, (unsigned)i, manner.is_for_trial,
                      &members[*out_count], err);
        *out_count += rc == 0;
    }
    return rc;
}

static bool is_kind(const struct plugin_set *plugins, struct engine *engine, struct text name)
{
    bool is_known = read_has_kind(engine, name);
    for (size_t i = 0; !is_known && i < plugin_set_count(plugins); i++) {
        const struct plugin *plugin = plugin_set_at(plugins, i);
        for (size_t j = 0; j < plugin->kind_count; j++)
            is_known = is_known || text_equal(plugin->record_kinds[j].name, name);
    }
    return is_known;
}

/* Of all that its functions read, one list behind another; NULL: there are not so many. */
static const struct plugin_read *read_at(const struct plugin *plugin, size_t index)
{
    size_t lists = plugin->handler_count + plugin->function_count;
    for (size_t i = 0; i < lists; i++) {
        const struct plugin_reads *reads = i < plugin->handler_count
                                               ? &plugin->handler_reads[i]
                                               : &plugin->function_reads[i - plugin->handler_count];
        if (index < reads->count)
            return &reads->items[index];
        index -= reads->count;
    }
    return NULL;
}

static bool was_named(const struct plugin *plugin, size_t index)
{
    const struct plugin_read *read = read_at(plugin, index);
    for (size_t i = 0; i < index; i++) {
        const struct plugin_read *other = read_at(plugin, i);
        if (other->kind == read->kind && text_equal(other->name, read->name))
            return true;
    }
    return false;
}

size_t plugins_lack_kinds(const struct plugin_set *plugins, struct engine *engine, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < plugin_set_count(plugins); i++) {
        const struct plugin *plugin = plugin_set_at(plugins, i);
        const struct plugin_read *read;
        for (size_t j = 0; (read = read_at(plugin, j)) != NULL; j++)
            if (read->kind == PLUGIN_READ_RECORDS && !is_kind(plugins, engine, read->name) &&
                !was_named(plugin, j))
                buf_printf(out, "%s%s reads records.%.*s", count++ != 0 ? ", " : "", plugin->name,
                           (int)read->name.size, read->name.data);
    }
    return count;
}

/* What the later version has kept the earlier could not read: each event would be lost to it. */
int plugins_check_states(const struct plugin *now, const struct plugin *wanted, struct err *err)
{
    for (size_t i = 0; i < wanted->state_count; i++) {
        const struct kith_state *state = &wanted->states[i];
        size_t place = plugin_state_find(now, text_of(state->key));
        if (place != SIZE_MAX && state->version < now->states[place].version)
            return err_set(
                err, E_CONFLICT,
                "plugin %s keeps \"%s\" in version %u, and the one in force in version "
                "%u: it could not read what was kept; load one that declares at least %u",
                wanted->name, state->key, state->version, now->states[place].version,
                now->states[place].version);
    }
    return 0;
}

int plugins_check_kinds(struct plugin_set *plugins, struct err *err)
{
    struct kinds kinds;
    return kinds_in_force(plugin_set_engine(plugins), NULL, &kinds, err);
}

/* -- What they add to the config --------------------------------------------------------------- */

static int put_channels(const struct plugin_set *set, struct doc_writer *w, struct err *err)
{
    for (size_t i = 0; i < plugin_set_count(set); i++) {
        const struct plugin *plugin = plugin_set_at(set, i);
        for (size_t j = 0; j < plugin->channel_count; j++) {
            const struct kith_channel *channel = &plugin->channels[j];
            if (strcmp(channel->name, "log") == 0)
                return err_set(err, E_CONFLICT,
                               "plugin %s brings a channel \"log\", and that is there already: "
                               "give it another name",
                               plugin->name);
            doc_open(w, channel->name);
            doc_put_bool(w, "address", (channel->flags & KITH_NEEDS_ADDRESS) != 0);
            doc_put_bool(w, "idempotent", (channel->flags & KITH_IDEMPOTENT) != 0);
            doc_put_bool(w, "machine", (channel->flags & KITH_MACHINE) != 0);
            doc_put_bool(w, "html", (channel->flags & KITH_HTML) != 0);
            doc_put_bool(w, "markdown", (channel->flags & KITH_MARKDOWN) != 0);
            doc_put_bool(w, "files", (channel->flags & KITH_FILES) != 0);
            doc_close(w);
        }
    }
    return 0;
}

/* What one is to send by, as far as the operator wrote it: else nobody would notice before it is to
 * send. */
static int check_channels(const struct settings *settings, const struct plugin_settings *wanted,
                          const struct plugin *plugin, struct err *err)
{
    struct doc channels = doc_child(settings->config, "channels");
    for (size_t i = 0; i < plugin->field_count; i++) {
        const struct kith_field *field = &plugin->fields[i];
        struct text name = doc_text(wanted->config, field->name);
        if (strcmp(field->type, "channel") != 0 || name.size == 0 ||
            doc_get_text(channels, name).type != DOC_NONE)
            continue;
        int rc = err_set(err, E_INVALID, "plugin %s: config.%s: no channel is called \"%.*s\" (%s)",
                         plugin->name, field->name, (int)name.size, name.data, field->about);
        return place_error(wanted, rc, err);
    }
    return 0;
}

static int check_all_channels(const struct settings *settings, const struct plugin_set *set,
                              struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin_set_count(set); i++)
        for (size_t j = 0; rc == 0 && j < settings->plugin_count; j++)
            if (strcmp(settings->plugins[j].name, plugin_set_at(set, i)->name) == 0)
                rc = check_channels(settings, &settings->plugins[j], plugin_set_at(set, i), err);
    return rc;
}

int plugins_add_to_config(struct settings *settings, const struct plugin_set *set, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    int rc = put_channels(set, &w, err);
    if (rc == 0)
        settings->plugin_channels = arena_doc(&settings->arena, doc_end(&w));
    buf_clear(&bytes);
    doc_begin(&w, &bytes);
    plugin_set_put_config(set, &w);
    if (rc == 0) {
        struct doc whole = arena_doc(&settings->arena, doc_end(&w));
        settings->plugin_worlds = doc_child(whole, "plugins");
        settings_finish(settings);
    }
    if (rc == 0)
        rc = check_all_channels(settings, set, err);
    buf_deinit(&bytes);
    return rc;
}

static int load(struct settings *settings, struct manner manner, struct plugin_set **out_set,
                struct err *err)
{
    struct plugin_member members[PLUGINS_MAX];
    struct plugin_set *set = NULL;
    size_t count = 0;
    *out_set = NULL;
    if (settings->plugin_count == 0)
        return 0;
    if (settings->plugin_dir == NULL)
        return err_set(err, E_INVALID,
                       "%splugin \"%s\": where is it? --plugins DIR, or plugins \"DIR\" in the "
                       "configuration",
                       settings->plugins[0].place, settings->plugins[0].name);
    int rc = load_all(settings, manner, members, &count, err);
    if (rc == 0)
        rc = plugin_set_new(members, count, &set, err);
    for (size_t i = 0; rc != 0 && i < count; i++) {
        remote_close(members[i].remote);
        plugin_free(members[i].plugin);
    }
    if (rc == 0)
        rc = plugins_check_kinds(set, err);
    if (rc == 0)
        rc = plugins_add_to_config(settings, set, err);
    if (rc == 0)
        *out_set = set;
    else
        plugin_set_free(set);
    return rc;
}

int plugins_load(struct settings *settings, struct plugin_set **out_set, struct err *err)
{
    const struct manner manner = { .is_apart = false };
    return load(settings, manner, out_set, err);
}

int plugins_load_for_trial(struct settings *settings, struct plugin_set **out_set, struct err *err)
{
    const struct manner manner = { .is_apart = true, .is_for_trial = true };
    return load(settings, manner, out_set, err);
}

int plugins_try(struct settings *settings, struct plugin_set **out_set, struct err *err)
{
    const struct manner manner = { .is_apart = true };
    return load(settings, manner, out_set, err);
}

void plugins_carry_over(struct settings *settings, const struct settings *loaded)
{
    settings->plugin_worlds = loaded->plugin_worlds;
    settings->plugin_channels = loaded->plugin_channels;
    settings_finish(settings);
}
