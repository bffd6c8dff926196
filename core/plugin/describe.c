/* describe.c -- what a plugin says of itself becomes what we know of it; see plugin.h.
 *
 * Everything here was written by somebody who may have made a mistake, so each refusal says which
 * member of which item is wrong and what would be right.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/engine/event.h"
#include "core/plugin/plugin.h"

#include <stdio.h>
#include <string.h>

#define SMALL_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define NAME_LETTERS SMALL_LETTERS "0123456789_"

/* -- Names and words --------------------------------------------------------------------------- */

bool plugin_is_name(const char *name)
{
    size_t size = name != NULL ? strspn(name, NAME_LETTERS) : 0;
    return size != 0 && size <= PLUGIN_NAME_MAX && name[size] == '\0' &&
           strchr(SMALL_LETTERS, name[0]) != NULL;
}

static int check_name(const struct plugin *plugin, const char *what, const char *name,
                      struct err *err)
{
    if (plugin_is_name(name))
        return 0;
    return err_set(err, E_INVALID,
                   "plugin %s: a %s is called \"%.40s\": a name has 1 to %d small letters, digits "
                   "and _, a letter first",
                   plugin->name, what, name != NULL ? name : "", PLUGIN_NAME_MAX);
}

/* Words for people; `is_needed` of those that nobody can do without. */
static int check_words(const struct plugin *plugin, const char *what, const char *words,
                       bool is_needed, struct err *err)
{
    size_t size = words != NULL ? strnlen(words, PLUGIN_WORDS_MAX + 1) : 0;
    if (size > PLUGIN_WORDS_MAX || (size != 0 && !utf8_valid(words, size)))
        return err_set(err, E_INVALID, "plugin %s: the %s is at most %d bytes of UTF-8",
                       plugin->name, what, PLUGIN_WORDS_MAX);
    if (size == 0 && is_needed)
        return err_set(err, E_INVALID, "plugin %s: it has no %s", plugin->name, what);
    return 0;
}

static int refuse_many(const struct plugin *plugin, const char *what, size_t most, struct err *err)
{
    return err_set(err, E_LIMIT, "plugin %s: more than %zu %s", plugin->name, most, what);
}

/* -- Lists ------------------------------------------------------------------------------------- */

/* One kind of item: what it is called, how large ours is, how large any may be at least. */
struct shape {
    const char *what; /* in the plural */
    size_t size, least, most;
};

#define SHAPE(what, type, last, most)                                               \
    {                                                                               \
        what, sizeof(struct type),                                                  \
            offsetof(struct type, last) + sizeof(((struct type *)NULL)->last), most \
    }

static const struct shape field_shape =
    SHAPE("config fields", kith_field, reserved, PLUGIN_FIELDS_MAX);
static const struct shape handler_shape = SHAPE("handlers", kith_handler, run, PLUGIN_HANDLERS_MAX);
static const struct shape function_shape =
    SHAPE("functions", kith_function, run, PLUGIN_FUNCTIONS_MAX);
static const struct shape state_shape = SHAPE("states", kith_state, give, PLUGIN_STATES_MAX);
static const struct shape trait_shape = SHAPE("traits", kith_trait, reserved, PLUGIN_TRAITS_MAX);
static const struct shape kind_shape = SHAPE("kinds", kith_kind, json, PLUGIN_KINDS_MAX);
static const struct shape channel_shape =
    SHAPE("channels", kith_channel, status, PLUGIN_CHANNELS_MAX);
static const struct shape route_shape = SHAPE("routes", kith_route, handle, PLUGIN_ROUTES_MAX);
static const struct shape job_shape = SHAPE("jobs", kith_job, run, PLUGIN_JOBS_MAX);

/* Pointers of whatever type are read as they lie. */
static const void *item_at(const void *list, size_t index)
{
    const void *item;
    memcpy(&item, (const char *)list + index * sizeof item, sizeof item);
    return item;
}

/* Copy a list of pointers, NULL behind the last, into an array of our own structs. */
static int copy_list(struct plugin *plugin, const void *list, const struct shape *shape,
                     void **out_items, size_t *out_count, struct err *err)
{
    size_t count = 0;
    while (list != NULL && item_at(list, count) != NULL)
        if (++count > shape->most)
            return refuse_many(plugin, shape->what, shape->most, err);
    char *items = arena_zero(&plugin->arena, (count != 0 ? count : 1) * shape->size);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        memcpy(&size, item_at(list, i), sizeof size);
        if (size < shape->least)
            return err_set(err, E_INVALID,
                           "plugin %s: the first member of each of its %s is its size, at least "
                           "%zu: it is %zu",
                           plugin->name, shape->what, shape->least, size);
        memcpy(items + i * shape->size, item_at(list, i), size < shape->size ? size : shape->size);
        memcpy(items + i * shape->size, &shape->size, sizeof shape->size);
    }
    *out_items = items;
    *out_count = count;
    return 0;
}

/* How many texts stand in a list; E_LIMIT. */
static int count_texts(const struct plugin *plugin, const char *const *list, const char *what,
                       size_t most, size_t *out_count, struct err *err)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL)
        if (++count > most)
            return refuse_many(plugin, what, most, err);
    *out_count = count;
    return 0;
}

/* -- What functions read ----------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "KIND", "KIND?FIELD=NAME" */
static bool parse_records(struct plugin_read *out)
{
    const char *kind = out->name.data, *field = strchr(kind, '?'), *said = strchr(kind, '=');
    out->kind = PLUGIN_READ_RECORDS;
    if (field == NULL)
        return true;
    if (field == kind || said == NULL || said <= field + 1 || said[1] == '\0')
        return false;
    out->name = (struct text){ kind, (uint32_t)(field - kind) };
    out->field = (struct text){ field + 1, (uint32_t)(said - field - 1) };
    out->said = text_of(said + 1);
    return true;
}

static bool parse_read(const char *words, struct plugin_read *out)
{
    const char *dot = strchr(words, '.');
    *out = (struct plugin_read){ PLUGIN_READ_EVENT, { "", 0 }, { "", 0 }, { "", 0 } };
    if (strcmp(words, "event") == 0)
        return true;
    if (dot == NULL || dot[1] == '\0' || strlen(dot + 1) > NAME_BYTES_MAX)
        return false;
    out->name = text_of(dot + 1);
    if (starts_with(words, "event."))
        out->kind = PLUGIN_READ_FIELD;
    else if (starts_with(words, "customer."))
        out->kind = PLUGIN_READ_CUSTOMER;
    else if (starts_with(words, "state."))
        out->kind = PLUGIN_READ_STATE;
    else if (starts_with(words, "record."))
        out->kind = PLUGIN_READ_RECORD;
    else if (starts_with(words, "records."))
        return parse_records(out);
    else
        return false;
    return true;
}

static int read_reads(struct plugin *plugin, const char *owner, const char *const *list,
                      struct plugin_reads *out, struct err *err)
{
    size_t count = 0;
    int rc =
        count_texts(plugin, list, "values that a function reads", PLUGIN_READS_MAX, &count, err);
    if (rc != 0)
        return rc;
    struct plugin_read *items = arena_zero(&plugin->arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        if (!utf8_valid(list[i], strlen(list[i])))
            return err_set(err, E_INVALID,
                           "plugin %s: %s: what it reads is named in UTF-8, and value %zu is not",
                           plugin->name, owner, i + 1);
        if (!parse_read(list[i], &items[i]))
            return err_set(err, E_INVALID,
                           "plugin %s: %s reads \"%.40s\": it is \"event\", \"event.NAME\", "
                           "\"customer.NAME\", \"state.KEY\", \"record.NAME\", \"records.KIND\" "
                           "or \"records.KIND?FIELD=NAME\"",
                           plugin->name, owner, list[i]);
        if (items[i].kind == PLUGIN_READ_STATE &&
            plugin_state_find(plugin, items[i].name) == SIZE_MAX)
            return err_set(err, E_INVALID,
                           "plugin %s: %s reads \"%.40s\", which is not among its states",
                           plugin->name, owner, list[i]);
    }
    *out = (struct plugin_reads){ items, count };
    return 0;
}

/* Names that lead to somebody must lead to one. */
static int check_unique(const struct plugin *plugin, const char *what, const void *items,
                        size_t size, size_t offset, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const char *a = item_at((const char *)items + i * size + offset, 0);
            const char *b = item_at((const char *)items + j * size + offset, 0);
            if (strcmp(a, b) == 0)
                return err_set(err, E_INVALID, "plugin %s: two %s are called %s", plugin->name,
                               what, a);
        }
    return 0;
}

/* -- One kind after another -------------------------------------------------------------------- */

static int check_field(const struct plugin *plugin, const struct kith_field *field, bool is_inside,
                       struct err *err)
{
    static const char *const types[] = { "text",     "whole",  "number",  "flag",  "list",
                                         "duration", "period", "channel", "tables" };
    size_t count = sizeof types / sizeof *types - (is_inside ? 2 : 0);
    bool is_known = false;
    for (size_t i = 0; field->type != NULL && i < count; i++)
        is_known = is_known || strcmp(field->type, types[i]) == 0;
    int rc = check_name(plugin, "config field", field->name, err);
    if (rc == 0)
        rc = check_words(plugin, "sentence about a config field", field->about, true, err);
    if (rc == 0 && !is_known)
        rc = err_set(err, E_INVALID,
                     "plugin %s: config field %s is a \"%.20s\": there are text, whole, number, "
                     "flag, duration, period, list%s",
                     plugin->name, field->name, field->type != NULL ? field->type : "",
                     is_inside ? "" : ", channel and tables");
    return rc;
}

/* What each of the tables of a field may have. */
static int check_tables(struct plugin *plugin, size_t index, struct err *err)
{
    const struct kith_field *field = &plugin->fields[index];
    struct plugin_fields *tables = &plugin->tables[index];
    if (strcmp(field->type, "tables") != 0)
        return 0;
    int rc = copy_list(plugin, field->fields, &field_shape, (void **)&tables->items, &tables->count,
                       err);
    if (rc == 0 && (tables->count == 0 || (field->flags & KITH_SECRET) != 0))
        rc = err_set(err, E_INVALID,
                     "plugin %s: config field %s has tables: it needs fields, and is no secret "
                     "itself",
                     plugin->name, field->name);
    for (size_t i = 0; rc == 0 && i < tables->count; i++)
        rc = check_field(plugin, &tables->items[i], true, err);
    return rc != 0
               ? rc
               : check_unique(plugin, "fields of one table", tables->items, sizeof *tables->items,
                              offsetof(struct kith_field, name), tables->count, err);
}

static int check_fields(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    plugin->tables = arena_zero(&plugin->arena, (plugin->field_count + 1) * sizeof *plugin->tables);
    for (size_t i = 0; rc == 0 && i < plugin->field_count; i++) {
        rc = check_field(plugin, &plugin->fields[i], false, err);
        if (rc == 0)
            rc = check_tables(plugin, i, err);
    }
    return rc;
}

static int check_types(const struct plugin *plugin, const struct kith_handler *handler,
                       struct err *err)
{
    size_t count = 0;
    int rc = count_texts(plugin, handler->types, "types of events in one handler", PLUGIN_TYPES_MAX,
                         &count, err);
    if (rc == 0 && count == 0)
        rc = err_set(err, E_INVALID, "plugin %s: handler %s names no types of events", plugin->name,
                     handler->name);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t size = strlen(handler->types[i]);
        bool is_every = strcmp(handler->types[i], "*") == 0;
        if (size == 0 || size > TYPE_BYTES_MAX || (is_every && count != 1))
            rc = err_set(err, E_INVALID,
                         "plugin %s: handler %s: a type has 1 to %d bytes, and \"*\" stands alone",
                         plugin->name, handler->name, TYPE_BYTES_MAX);
        else if (!utf8_valid(handler->types[i], size))
            rc = err_set(err, E_INVALID,
                         "plugin %s: handler %s: a type is UTF-8, and type %zu of it is not",
                         plugin->name, handler->name, i + 1);
    }
    return rc;
}

static int check_handlers(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    plugin->handler_reads =
        arena_zero(&plugin->arena, (plugin->handler_count + 1) * sizeof *plugin->handler_reads);
    for (size_t i = 0; rc == 0 && i < plugin->handler_count; i++) {
        const struct kith_handler *handler = &plugin->handlers[i];
        rc = check_name(plugin, "handler", handler->name, err);
        if (rc == 0 && handler->run == NULL)
            rc = err_set(err, E_INVALID, "plugin %s: handler %s has no function to run",
                         plugin->name, handler->name);
        if (rc == 0)
            rc = check_types(plugin, handler, err);
        if (rc == 0)
            rc = read_reads(plugin, handler->name, handler->reads, &plugin->handler_reads[i], err);
    }
    return rc;
}

static int check_takes(const struct plugin *plugin, const struct kith_function *function,
                       struct err *err)
{
    size_t count = 0;
    int rc = count_texts(plugin, function->takes, "values that a function takes", PLUGIN_TAKES_MAX,
                         &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = check_name(plugin, "value that a function takes", function->takes[i], err);
    return rc;
}

static int check_functions(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    plugin->function_reads =
        arena_zero(&plugin->arena, (plugin->function_count + 1) * sizeof *plugin->function_reads);
    for (size_t i = 0; rc == 0 && i < plugin->function_count; i++) {
        const struct kith_function *function = &plugin->functions[i];
        rc = check_name(plugin, "function", function->name, err);
        if (rc == 0 && function->run == NULL)
            rc = err_set(err, E_INVALID, "plugin %s: function %s has nothing to run", plugin->name,
                         function->name);
        if (rc == 0)
            rc = check_words(plugin, "sentence about a function", function->about, true, err);
        if (rc == 0)
            rc = check_words(plugin, "usage of a function", function->usage, true, err);
        if (rc == 0)
            rc = read_reads(plugin, function->name, function->reads, &plugin->function_reads[i],
                            err);
        if (rc == 0)
            rc = check_takes(plugin, function, err);
    }
    return rc;
}

static int check_states(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->state_count; i++) {
        rc = check_name(plugin, "state", plugin->states[i].key, err);
        if (rc == 0 && plugin->states[i].version == 0)
            rc = err_set(err, E_INVALID, "plugin %s: the version of state %s begins with 1",
                         plugin->name, plugin->states[i].key);
    }
    return rc;
}

static int check_traits(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->trait_count; i++) {
        rc = check_name(plugin, "trait", plugin->traits[i].name, err);
        if (rc == 0)
            rc = check_words(plugin, "sentence about a trait", plugin->traits[i].about, true, err);
        if (rc == 0)
            rc = check_words(plugin, "type of a trait", plugin->traits[i].type, true, err);
    }
    return rc;
}

static int check_kinds(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->kind_count; i++) {
        rc = check_name(plugin, "kind of record", plugin->kinds[i].name, err);
        if (rc == 0 && plugin->kinds[i].json == NULL)
            rc = err_set(err, E_INVALID, "plugin %s: the kind %s has no declaration", plugin->name,
                         plugin->kinds[i].name);
    }
    return rc;
}

/* "{receivers}" */
size_t plugin_channel_tables(const struct plugin *plugin, size_t index)
{
    const char *name = plugin->channels[index].name;
    size_t size = name != NULL ? strlen(name) : 0;
    for (size_t i = 0; i < plugin->field_count; i++)
        if (size > 2 && name[0] == '{' && name[size - 1] == '}' && plugin->tables[i].count != 0 &&
            strlen(plugin->fields[i].name) == size - 2 &&
            memcmp(plugin->fields[i].name, name + 1, size - 2) == 0)
            return i;
    return SIZE_MAX;
}

/* What is handed messages or requests says so: the operator grants it before anything runs. */
static int check_need(const struct plugin *plugin, const char *need, const char *what,
                      struct err *err)
{
    if (plugin_may(plugin, need))
        return 0;
    return err_set(err, E_INVALID, "plugin %s: it has %s, and \"%s\" is not among its needs",
                   plugin->name, what, need);
}

static int check_channels(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->channel_count; i++) {
        rc = plugin_channel_tables(plugin, i) != SIZE_MAX
                 ? 0
                 : check_name(plugin, "channel", plugin->channels[i].name, err);
        if (rc == 0 && plugin->channels[i].send == NULL)
            rc = err_set(err, E_INVALID, "plugin %s: the channel %s has no send()", plugin->name,
                         plugin->channels[i].name);
    }
    return rc != 0 || plugin->channel_count == 0 ? rc
                                                 : check_need(plugin, "channel", "channels", err);
}

static int check_routes(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->route_count; i++) {
        const struct kith_route *route = &plugin->routes[i];
        if (route->path == NULL || route->path[0] != '/' || route->method == NULL ||
            route->method[0] == '\0' || route->handle == NULL || route->auth > KITH_AUTH_ADMIN)
            rc = err_set(err, E_INVALID,
                         "plugin %s: the route %s %s needs a method, a path from / on, one of "
                         "KITH_AUTH_... and a function to handle it",
                         plugin->name, route->method != NULL ? route->method : "?",
                         route->path != NULL ? route->path : "?");
        if (rc == 0)
            rc = check_words(plugin, "summary of a route", route->summary, true, err);
    }
    return rc != 0 || plugin->route_count == 0 ? rc : check_need(plugin, "routes", "routes", err);
}

static int check_jobs(struct plugin *plugin, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->job_count; i++) {
        const struct kith_job *job = &plugin->jobs[i];
        rc = check_name(plugin, "job", job->name, err);
        if (rc == 0 && (job->run == NULL || job->every_ms < 1000))
            rc = err_set(err, E_INVALID,
                         "plugin %s: the job %s needs a function, and at least 1,000 ms between",
                         plugin->name, job->name);
    }
    return rc;
}

/* -- All of it --------------------------------------------------------------------------------- */

#define LEAST_SIZE \
    (offsetof(struct kith_plugin, erased) + sizeof(((struct kith_plugin *)0)->erased))

bool plugin_is_reserved(const char *name)
{
    char type[PLUGIN_NAME_MAX + sizeof ".x"];
    snprintf(type, sizeof type, "%s.x", name);
    return event_type_is_system(text_of(type));
}

static int check_head(struct plugin *plugin, const struct kith_plugin *theirs, struct err *err)
{
    if (theirs->size < LEAST_SIZE)
        return err_set(err, E_INVALID,
                       "its description has %zu bytes, not at least %zu: `size` is "
                       "sizeof(struct kith_plugin)",
                       theirs->size, LEAST_SIZE);
    if (theirs->abi != KITH_ABI)
        return err_set(err, E_VERSION,
                       "it was built for version %u of the contract, and this is version %d: build "
                       "it with the kith.h of this Kith",
                       theirs->abi, KITH_ABI);
    if (!plugin_is_name(theirs->name))
        return err_set(err, E_INVALID,
                       "its name is \"%.40s\": a name has 1 to %d small letters, digits and _, a "
                       "letter first",
                       theirs->name != NULL ? theirs->name : "", PLUGIN_NAME_MAX);
    if (plugin_is_reserved(theirs->name))
        return err_set(err, E_INVALID, "it is called %s, which is a word of Kith's own events",
                       theirs->name);
    plugin->name = theirs->name;
    plugin->version = theirs->version;
    plugin->about = theirs->about;
    int rc = check_words(plugin, "version", theirs->version, true, err);
    return rc != 0 ? rc : check_words(plugin, "sentence about itself", theirs->about, true, err);
}

#define COPY(list, shape, items, count) \
    copy_list(plugin, theirs->list, &(shape), (void **)&plugin->items, &plugin->count, err)

static int copy_lists(struct plugin *plugin, const struct kith_plugin *theirs, struct err *err)
{
    int rc =
        count_texts(plugin, theirs->needs, "needs", PLUGIN_NEEDS_MAX, &plugin->need_count, err);
    plugin->needs = theirs->needs;
    if (rc == 0)
        rc = COPY(config, field_shape, fields, field_count);
    if (rc == 0)
        rc = COPY(handlers, handler_shape, handlers, handler_count);
    if (rc == 0)
        rc = COPY(functions, function_shape, functions, function_count);
    if (rc == 0)
        rc = COPY(states, state_shape, states, state_count);
    if (rc == 0)
        rc = COPY(traits, trait_shape, traits, trait_count);
    if (rc == 0)
        rc = COPY(kinds, kind_shape, kinds, kind_count);
    if (rc == 0)
        rc = COPY(channels, channel_shape, channels, channel_count);
    if (rc == 0)
        rc = COPY(routes, route_shape, routes, route_count);
    if (rc == 0)
        rc = COPY(jobs, job_shape, jobs, job_count);
    return rc;
}

#define UNIQUE(what, items, count, member)                                                     \
    check_unique(plugin, what, plugin->items, sizeof *plugin->items,                           \
                 (size_t)((const char *)&plugin->items->member - (const char *)plugin->items), \
                 plugin->count, err)

static int check_all_unique(const struct plugin *plugin, struct err *err)
{
    int rc = UNIQUE("config fields", fields, field_count, name);
    if (rc == 0)
        rc = UNIQUE("handlers", handlers, handler_count, name);
    if (rc == 0)
        rc = UNIQUE("functions", functions, function_count, name);
    if (rc == 0)
        rc = UNIQUE("states", states, state_count, key);
    if (rc == 0)
        rc = UNIQUE("traits", traits, trait_count, name);
    if (rc == 0)
        rc = UNIQUE("kinds", kinds, kind_count, name);
    if (rc == 0)
        rc = UNIQUE("channels", channels, channel_count, name);
    if (rc == 0)
        rc = UNIQUE("jobs", jobs, job_count, name);
    return rc;
}

int plugin_describe(struct plugin *plugin, const struct kith_plugin *theirs, struct err *err)
{
    static int (*const checks[])(struct plugin * plugin, struct err * err) = {
        check_fields, check_states,   check_handlers, check_functions, check_traits,
        check_kinds,  check_channels, check_routes,   check_jobs,
    };
    if (theirs == NULL)
        return err_set(err, E_INVALID, "kith_describe() returned nothing");
    int rc = check_head(plugin, theirs, err);
    if (rc == 0)
        rc = copy_lists(plugin, theirs, err);
    for (size_t i = 0; rc == 0 && i < sizeof checks / sizeof *checks; i++)
        rc = checks[i](plugin, err);
    if (rc == 0)
        rc = check_all_unique(plugin, err);
    if (rc == 0 && theirs->stop == NULL && theirs->start != NULL)
        rc = err_set(err, E_INVALID, "plugin %s: it has start() and no stop()", plugin->name);
    plugin->start = theirs->start;
    plugin->stop = theirs->stop;
    plugin->erased = theirs->erased;
    plugin->reread = KITH_HAS(theirs, reread) ? theirs->reread : NULL;
    return rc;
}

/* -- Looking things up ------------------------------------------------------------------------- */

bool plugin_may(const struct plugin *plugin, const char *need)
{
    for (size_t i = 0; i < plugin->need_count; i++)
        if (strcmp(plugin->needs[i], need) == 0)
            return true;
    return false;
}

bool plugin_may_act(const struct plugin *plugin, struct text word)
{
    for (size_t i = 0; i < plugin->need_count; i++)
        if (strncmp(plugin->needs[i], "act:", 4) == 0 && text_is(word, plugin->needs[i] + 4))
            return true;
    return false;
}

size_t plugin_state_find(const struct plugin *plugin, struct text name)
{
    for (size_t i = 0; i < plugin->state_count; i++)
        if (plugin->states[i].key != NULL && text_is(name, plugin->states[i].key))
            return i;
    return SIZE_MAX;
}

size_t plugin_trait_find(const struct plugin *plugin, struct text name)
{
    for (size_t i = 0; i < plugin->trait_count; i++)
        if (text_is(name, plugin->traits[i].name))
            return i;
    return SIZE_MAX;
}
