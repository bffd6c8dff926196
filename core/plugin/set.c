/* set.c -- making a set of plugins, and what it says of itself; see set.h. */
#include "core/plugin/set.h"

#include "core/base/mem.h"
#include "core/engine/kind.h"
#include "core/plugin/set_inside.h"

#include <stdlib.h>
#include <string.h>

/* -- Making a set ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
    const struct plugin_member *first = a, *second = b;
    return strcmp(first->plugin->name, second->plugin->name);
}

static size_t count_types(const struct kith_handler *handler)
{
    size_t count = 0;
    while (handler->types[count] != NULL)
        count++;
    return count == 1 && strcmp(handler->types[0], "*") == 0 ? 0 : count;
}

static void fill_rule(struct plugin_set *set, const struct plugin *plugin,
                      const struct kith_handler *handler, struct rule *rule)
{
    size_t count = count_types(handler);
    struct text *types = arena_alloc(&set->arena, (count + 1) * sizeof *types);
    for (size_t i = 0; i < count; i++)
        types[i] = text_of(handler->types[i]);
    *rule = (struct rule){
        .name = arena_printf(&set->arena, "%s.%s", plugin->name, handler->name),
        .trigger = RULE_ON_TYPES,
        .types = types,
        .type_count = count,
        .at_minute = -1,
    };
}

static void fill(struct plugin_set *set)
{
    size_t handlers = 0, functions = 0, kinds = 0;
    for (size_t i = 0; i < set->count; i++) {
        handlers += set->plugins[i]->handler_count;
        functions += set->plugins[i]->function_count;
        kinds += set->plugins[i]->kind_count;
    }
    set->handlers = arena_zero(&set->arena, (handlers + 1) * sizeof *set->handlers);
    set->owners = arena_zero(&set->arena, (handlers + 1) * sizeof *set->owners);
    set->handler_places = arena_zero(&set->arena, (handlers + 1) * sizeof *set->handler_places);
    set->function_places = arena_zero(&set->arena, (functions + 1) * sizeof *set->function_places);
    set->functions = arena_zero(&set->arena, (functions + 1) * sizeof *set->functions);
    struct kind *all = arena_zero(&set->arena, (kinds + 1) * sizeof *all);
    size_t *kind_owners = arena_zero(&set->arena, (kinds + 1) * sizeof *kind_owners);
    handlers = functions = kinds = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct plugin *plugin = set->plugins[i];
        set->names[i] = text_of(plugin->name);
        for (size_t j = 0; j < plugin->handler_count; j++, handlers++) {
            fill_rule(set, plugin, &plugin->handlers[j], &set->handlers[handlers]);
            set->owners[handlers] = i;
            set->handler_places[handlers] = (struct place){ i, j };
        }
        for (size_t j = 0; j < plugin->kind_count; j++, kinds++) {
            all[kinds] = plugin->record_kinds[j];
            kind_owners[kinds] = i;
        }
        for (size_t j = 0; j < plugin->function_count; j++, functions++) {
            set->functions[functions].name = text_of(plugin->functions[j].name);
            set->functions[functions].plugin = i;
            set->functions[functions].takes = plugin->functions[j].takes;
            set->function_places[functions] = (struct place){ i, j };
        }
    }
    set->engine = (struct plugins){
        .names = set->names,
        .count = set->count,
        .handlers = set->handlers,
        .owners = set->owners,
        .handler_count = handlers,
        .functions = set->functions,
        .function_count = functions,
        .kinds = all,
        .kind_owners = kind_owners,
        .kind_count = kinds,
        .run = set_run,
        .call = set_call,
        .version = set_version,
        .fold = set_fold,
        .pass_over = set_pass_over,
    };
    for (size_t i = 0; i < set->count; i++)
        if (set->is_isolated[i]) {
            set->engine.renew = set_renew;
            set->engine.foresee = set_foresee;
            set->engine.post = set_post;
        }
}

int plugin_set_new(const struct plugin_member *members, size_t count, struct plugin_set **out_set,
                   struct err *err)
{
    struct plugin_member sorted[PLUGINS_MAX];
    if (count > PLUGINS_MAX)
        return err_set(err, E_LIMIT, "more than %d plugins", PLUGINS_MAX);
    if (count != 0)
        memcpy(sorted, members, count * sizeof *members);
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count; i++)
        if (compare(&sorted[i - 1], &sorted[i]) == 0)
            return err_set(err, E_INVALID, "two plugins are called %s", sorted[i].plugin->name);
    struct plugin_set *set = mem_zero(sizeof *set);
    set->count = count;
    for (size_t i = 0; i < count; i++) {
        set->plugins[i] = sorted[i].plugin;
        set->remotes[i] = sorted[i].remote;
        set->is_isolated[i] = sorted[i].remote != NULL;
    }
    fill(set);
    *out_set = set;
    return 0;
}

int plugin_set_another(const struct plugin_set *set, size_t index, struct remote **out_remote,
                       struct err *err)
{
    const struct plugin *plugin = set->plugins[index];
    struct plugin_options options = {
        .name = plugin->name,
        .path = plugin->path,
        .copy = plugin->copy,
        .grant = plugin->grant,
        .config = plugin->given,
        .is_for_trial = plugin->is_for_trial,
    };
    struct plugin *same = NULL;
    int rc = remote_open(&options, out_remote, &same, err);
    plugin_free(same);
    return rc;
}

bool set_renew(struct plugins *plugins, size_t index)
{
    struct plugin_set *set = (struct plugin_set *)plugins;
    struct remote *remote = NULL;
    struct err err;
    if (!set->is_isolated[index] || plugin_set_another(set, index, &remote, &err) != 0)
        return false;
    plugin_set_replace(set, index, remote);
    return true;
}

int plugin_set_view(const struct plugin_set *set, struct plugin_set **out_view, struct err *err)
{
    int rc = 0;
    *out_view = NULL;
    if (set == NULL)
        return 0;
    struct plugin_set *view = mem_zero(sizeof *view);
    view->count = set->count;
    memcpy(view->plugins, set->plugins, sizeof view->plugins);
    memcpy(view->is_isolated, set->is_isolated, sizeof view->is_isolated);
    view->is_view = true;
    fill(view);
    for (size_t i = 0; rc == 0 && i < set->count; i++)
        if (set->is_isolated[i])
            rc = plugin_set_another(set, i, &view->remotes[i], err);
    if (rc == 0)
        *out_view = view;
    else
        plugin_set_free(view);
    return rc;
}

struct plugin_set *plugin_set_exchange(const struct plugin_set *set, size_t index,
                                       const struct plugin_member *member)
{
    struct plugin_set *other = mem_zero(sizeof *other);
    ASSERT(strcmp(set->plugins[index]->name, member->plugin->name) == 0);
    other->count = set->count;
    memcpy(other->plugins, set->plugins, sizeof other->plugins);
    memcpy(other->is_isolated, set->is_isolated, sizeof other->is_isolated);
    for (size_t i = 0; i < set->count; i++)
        other->is_shared[i] = i != index;
    other->plugins[index] = member->plugin;
    other->remotes[index] = member->remote;
    other->is_isolated[index] = member->remote != NULL;
    fill(other);
    return other;
}

void plugin_set_succeed(struct plugin_set *set, struct plugin_set *former)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->is_shared[i]) {
            set->remotes[i] = former->remotes[i];
            former->remotes[i] = NULL;
        }
    set->former = former;
}

static void free_one(struct plugin_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        remote_close(set->remotes[i]);
        if (!set->is_view && !set->is_shared[i])
            plugin_free(set->plugins[i]);
    }
    buf_deinit(&set->writes);
    buf_deinit(&set->answer);
    buf_deinit(&set->item);
    arena_deinit(&set->arena);
    free(set);
}

void plugin_set_free(struct plugin_set *set)
{
    while (set != NULL) {
        struct plugin_set *former = set->former;
        free_one(set);
        set = former;
    }
}

void plugin_set_replace(struct plugin_set *set, size_t index, struct remote *remote)
{
    remote_close(set->remotes[index]);
    set->remotes[index] = remote;
}

int plugin_set_ends(const struct plugin_set *set, size_t index, struct remote_ends *out_ends,
                    struct err *err)
{
    return remote_ends(set->remotes[index], out_ends, err);
}

int plugin_set_pid(const struct plugin_set *set, size_t index)
{
    return set->remotes[index] != NULL ? remote_pid(set->remotes[index]) : 0;
}

bool plugin_set_is_lost(const struct plugin_set *set, size_t index)
{
    return set->remotes[index] != NULL && remote_is_lost(set->remotes[index]);
}

bool plugin_set_is_isolated(const struct plugin_set *set, size_t index)
{
    return set->is_isolated[index];
}

struct plugins *plugin_set_engine(struct plugin_set *set)
{
    return set != NULL ? &set->engine : NULL;
}

size_t plugin_set_count(const struct plugin_set *set)
{
    return set != NULL ? set->count : 0;
}

const struct plugin *plugin_set_at(const struct plugin_set *set, size_t index)
{
    return set->plugins[index];
}

/* -- The world --------------------------------------------------------------------------------- */

void plugin_set_put_config(const struct plugin_set *set, struct doc_writer *w)
{
    if (plugin_set_count(set) == 0)
        return;
    doc_open(w, "plugins");
    for (size_t i = 0; i < set->count; i++) {
        doc_open(w, set->plugins[i]->name);
        doc_put_string(w, "version", set->plugins[i]->version);
        doc_put_doc(w, "config", set->plugins[i]->config);
        doc_close(w);
    }
    doc_close(w);
}

void plugin_set_put_code(const struct plugin_set *set, struct doc_writer *w)
{
    if (plugin_set_count(set) == 0)
        return;
    struct buf both = BUF_INIT;
    uint8_t digest[DIGEST_32_BYTES];
    doc_open(w, "plugins");
    for (size_t i = 0; i < set->count; i++) {
        const struct plugin *plugin = set->plugins[i];
        buf_clear(&both);
        buf_append(&both, plugin->hash, sizeof plugin->hash);
        buf_append(&both, plugin->config.data, plugin->config.size);
        digest_32(both.data, both.size, digest);
        doc_put_binary(w, plugin->name, digest, sizeof digest);
    }
    doc_close(w);
    buf_deinit(&both);
}
