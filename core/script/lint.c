/* lint.c -- see lint.h.
 *
 * What a rule can reach is found by walking from its function: functions and tables that its
 * variables hold, and those that it finds by a global name.  The walk follows hash order, which is
 * chance, so findings are put in order at the end, each once.
 */
#include "core/script/lint.h"

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/engine/kind.h"
#include "core/engine/plugins.h"
#include "core/engine/subject.h"
#include "core/script/bundle.h"
#include "core/script/chunk.h"
#include "core/script/explain.h"
#include "core/script/host.h"
#include "core/script/host_inside.h"
#include "core/script/suite.h"

#include <stdlib.h>
#include <string.h>

#define FINDINGS_MAX 1000
#define CHOICES_MAX 64 /* functions of one plugin */

/* What rules hear of Kith's own. */
static const char *const heard[] = {
    "address.changed",
    "budget.ended",
    "budget.granted",
    "budget.refused",
    "budget.released",
    "bundle.activated",
    "channel.paused",
    "channel.resumed",
    "clock.accepted",
    "consent.changed",
    "customer.created",
    "customer.merge",
    "customer.merged",
    "customer.unmerge",
    "customer.unmerged",
    "daemon.started",
    "duplicate.suspected",
    "effect.drop",
    "effect.dropped",
    "effect.expired",
    "effect.failed",
    "effect.held",
    "effect.pending",
    "effect.rejected",
    "effect.release",
    "effect.sent",
    "effect.suppressed",
    "effect.uncertain",
    "identity.linked",
    "key.removed",
    "key.set",
    "member.group",
    "message.bounced",
    "message.clicked",
    "message.complained",
    "message.delivered",
    "message.opened",
    "message.replied",
    "message.resubscribed",
    "message.unsubscribed",
    "owner.changed",
    "plugin.caught_up",
    "plugin.disabled",
    "plugin.enabled",
    "plugin.failed",
    "plugin.passed_over",
    "pool.empty",
    "pool.expired",
    "pool.load",
    "pool.loaded",
    "pool.low",
    "pool.refused",
    "pool.taken",
    "pool.used",
    "record.assign",
    "record.change",
    "record.create",
    "record.link",
    "record.move",
    "record.put",
    "relation.changed",
    "reminder.change",
    "reminder.closed",
    "reminder.created",
    "reminder.done",
    "reminder.due",
    "reminder.escalated",
    "reminder.moved",
    "reminder.set",
    "reminder.snooze",
    "reminder.snoozed",
    "role.changed",
    "rule.failed",
    "rule.paused",
    "rule.resumed",
    "staff.absent",
    "staff.back",
    "staff.removed",
    "staff.set",
    "suppression.changed",
    "tag.changed",
    "world",
    NULL,
};

struct finding {
    char *file, *text;
    int line;
};

struct lint {
    struct host *host;
    struct finding *findings;
    size_t count;
    struct buf chunk, text;
    const char *file; /* of the function at hand */
    const struct plugins
        *plugins; /* only these are looked at, and what is called of them; or NULL */
};

/* -- Findings -------------------------------------------------------------------------- */

static void add(struct lint *lint, const char *file, int line, const char *text)
{
    if (lint->count == FINDINGS_MAX)
        return;
    lint->findings = mem_resize(lint->findings, (lint->count + 1) * sizeof *lint->findings);
    lint->findings[lint->count++] = (struct finding){ mem_string(file), mem_string(text), line };
}

static int compare(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    int order = strcmp(a->file, b->file);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    return order != 0 ? order : strcmp(a->text, b->text);
}

static void put_findings(struct lint *lint, struct doc_writer *w)
{
    if (lint->count != 0)
        qsort(lint->findings, lint->count, sizeof *lint->findings, compare);
    doc_open_array(w, "findings");
    for (size_t i = 0; i < lint->count; i++) {
        const struct finding *finding = &lint->findings[i];
        if (i != 0 && compare(finding, finding - 1) == 0)
            continue;
        doc_open(w, "");
        doc_put_string(w, "file", finding->file);
        doc_put_int(w, "line", finding->line);
        doc_put_string(w, "text", finding->text);
        doc_close(w);
    }
    doc_close(w);
}

/* -- Functions ------------------------------------------------------------------------- */

/* Stack places of the walk. */
enum {
    WORK = 1, /* a list of functions and tables to visit */
    SEEN,     /* a set of them */
    VALUE,    /* the one being visited */
};

/* Add the value on top to the work, if it is new and leads anywhere, and pop it. */
static void plan(lua_State *lua)
{
    bool is_worth = lua_istable(lua, -1) || (lua_isfunction(lua, -1) && !lua_iscfunction(lua, -1));
    lua_pushvalue(lua, -1);
    bool is_seen = lua_rawget(lua, SEEN) != LUA_TNIL;
    lua_pop(lua, 1);
    if (!is_worth || is_seen) {
        lua_pop(lua, 1);
        return;
    }
    lua_pushvalue(lua, -1);
    lua_pushboolean(lua, true);
    lua_rawset(lua, SEEN);
    lua_rawseti(lua, WORK, (lua_Integer)lua_rawlen(lua, WORK) + 1);
}

static void say_unknown(struct lint *lint, const char *name, int line)
{
    const char *const none[] = { NULL };
    struct explain_context context = { lint->host->words, lint->host->methods, none, false };
    bool is_argument = strcmp(name, "event") == 0 || strcmp(name, "customer") == 0;
    struct buf message = BUF_INIT;
    buf_printf(&message, "attempt to %s a nil value (global '%s')", is_argument ? "index" : "call",
               name);
    buf_clear(&lint->text);
    explain_message(buf_string(&message), &context, &lint->text);
    add(lint, lint->file, line, buf_string(&lint->text));
    buf_deinit(&message);
}

/* The address of a shared subject that the bundle does not declare. */
static bool is_undeclared(const struct host *host, const char *address)
{
    const struct ruleset *rules = &host->rules;
    if (!subject_is_address(text_of(address)))
        return false;
    size_t kind = strcspn(address, ":");
    for (size_t i = 0; i < rules->subject_count; i++)
        if (rules->subjects[i].kind.size == kind &&
            memcmp(rules->subjects[i].kind.data, address, kind) == 0 &&
            text_is(rules->subjects[i].name, address + kind + 1))
            return false;
    return true;
}

/* Names of what a plugin offers, in a list that ends with NULL. */
static void list_functions(const struct plugins *plugins, size_t plugin, const char **out_names)
{
    size_t count = 0;
    for (size_t i = 0; i < plugins->function_count && count < CHOICES_MAX; i++)
        if (plugins->functions[i].plugin == plugin)
            out_names[count++] = plugins->functions[i].name.data;
    out_names[count] = NULL;
}

static bool is_among(const char *name, const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* `name` is "plugin.function", or of something that is no plugin. */
static void visit_call(void *arg, enum chunk_use use, const char *name, int line)
{
    const char *names[CHOICES_MAX + 1];
    struct lint *lint = arg;
    const struct plugins *plugins = lint->plugins;
    size_t size = strcspn(name, "."), place = 0;
    while (place < plugins->count && (plugins->names[place].size != size ||
                                      memcmp(plugins->names[place].data, name, size) != 0))
        place++;
    if (use != CHUNK_READS_FIELD || place == plugins->count)
        return;
    list_functions(plugins, place, names);
    if (is_among(name + size + 1, names))
        return;
    buf_clear(&lint->text);
    buf_printf(&lint->text, "plugin %.*s has no function \"%s\"", (int)size, name, name + size + 1);
    explain_choice(name + size + 1, names, &lint->text);
    add(lint, lint->file, line, buf_string(&lint->text));
}

static void visit_use(void *arg, enum chunk_use use, const char *name, int line)
{
    struct lint *lint = arg;
    lua_State *lua = sandbox_state(lint->host->sandbox);
    buf_clear(&lint->text);
    switch (use) {
    case CHUNK_READS_GLOBAL:
        lua_pushglobaltable(lua);
        bool is_there = lua_getfield(lua, -1, name) != LUA_TNIL;
        plan(lua);
        lua_pop(lua, 1);
        if (!is_there)
            say_unknown(lint, name, line);
        return;
    case CHUNK_SETS_GLOBAL:
        buf_printf(&lint->text,
                   "a rule sets the global \"%s\", and fails there: use a local, or keep what "
                   "should last with the customer, customer:set(\"%s\", value)",
                   name, name);
        break;
    case CHUNK_SETS_OUTER:
        buf_printf(&lint->text,
                   "a rule changes \"%s\", a local outside of it: each run begins with the first "
                   "value again; keep what should last with the customer, customer:set(\"%s\", "
                   "value)",
                   name, name);
        break;
    case CHUNK_READS_FIELD: /* of the global, which has been visited */
        return;
    case CHUNK_HAS_PAIR:
        if (!is_undeclared(lint->host, name))
            return;
        buf_printf(&lint->text,
                   "nothing that is called \"%s\" is declared: ask(\"%s\", ...) fails where it "
                   "stands",
                   name, name);
        break;
    }
    add(lint, lint->file, line, buf_string(&lint->text));
}

static int write_chunk(lua_State *lua, const void *data, size_t size, void *arg)
{
    (void)lua;
    buf_append(arg, data, size);
    return 0;
}

static void visit_function(struct lint *lint, lua_State *lua)
{
    lua_Debug place;
    for (int i = 1; lua_getupvalue(lua, VALUE, i) != NULL; i++)
        plan(lua);
    lua_pushvalue(lua, VALUE);
    lua_getinfo(lua, ">S", &place);
    lint->file = place.source + (place.source[0] == '@');
    buf_clear(&lint->chunk);
    lua_pushvalue(lua, VALUE);
    lua_dump(lua, write_chunk, &lint->chunk, 0);
    lua_pop(lua, 1);
    chunk_visit(lint->chunk.data, lint->chunk.size, lint->plugins != NULL ? visit_call : visit_use,
                lint);
}

static void visit_table(lua_State *lua)
{
    sandbox_push_contents(lua, VALUE);
    int contents = lua_gettop(lua);
    lua_pushnil(lua);
    while (lua_next(lua, contents) != 0)
        plan(lua);
    lua_settop(lua, VALUE);
}

static void walk(struct lint *lint, unsigned function)
{
    lua_State *lua = sandbox_state(lint->host->sandbox);
    sandbox_push(lint->host->sandbox, function);
    plan(lua);
    for (lua_Integer left; (left = (lua_Integer)lua_rawlen(lua, WORK)) != 0;) {
        lua_rawgeti(lua, WORK, left);
        lua_pushnil(lua);
        lua_rawseti(lua, WORK, left);
        if (lua_istable(lua, VALUE))
            visit_table(lua);
        else
            visit_function(lint, lua);
        lua_settop(lua, VALUE - 1);
    }
}

/* -- Triggers -------------------------------------------------------------------------- */

static bool is_heard(struct text type)
{
    for (size_t i = 0; heard[i] != NULL; i++)
        if (text_is(type, heard[i]))
            return true;
    return false;
}

static void check_triggers(struct lint *lint, size_t index)
{
    lua_State *lua = sandbox_state(lint->host->sandbox);
    const struct rule *rule = &lint->host->rules.rules[index];
    lua_Debug place;
    sandbox_push(lint->host->sandbox, lint->host->functions[index]);
    lua_getinfo(lua, ">S", &place);
    for (size_t i = 0; i < rule->type_count; i++) {
        if (!event_type_is_system(rule->types[i]) || is_heard(rule->types[i]))
            continue;
        const char *near = explain_near(rule->types[i].data, heard);
        buf_clear(&lint->text);
        buf_printf(&lint->text,
                   "rule \"%s\" waits for \"%s\", which never comes: types that begin so are "
                   "Kith's own, and no rule hears of such a one",
                   rule->name.data, rule->types[i].data);
        if (near != NULL)
            buf_printf(&lint->text, "; did you mean \"%s\"?", near);
        add(lint, place.source + (place.source[0] == '@'), place.linedefined,
            buf_string(&lint->text));
    }
}

/* -- The whole ------------------------------------------------------------------------- */

static void check_rules(struct lint *lint)
{
    lua_State *lua = sandbox_state(lint->host->sandbox);
    lua_settop(lua, 0);
    luaL_checkstack(lua, 20, "checking");
    lua_newtable(lua);
    lua_newtable(lua);
    for (size_t i = 0; i < lint->host->rules.count; i++) {
        walk(lint, lint->host->functions[i]);
        if (lint->plugins == NULL)
            check_triggers(lint, i);
    }
    lua_settop(lua, 0);
}

static bool has_test(const struct suite *suite, const char *file)
{
    for (size_t i = 0; i < suite_count(suite); i++)
        if (strcmp(suite_test(suite, i).file, file) == 0)
            return true;
    return false;
}

static int check_tests(struct lint *lint, const struct suite_options *options, size_t *out_tests,
                       struct err *err)
{
    struct suite *suite;
    int rc = suite_open(options, &suite, err);
    if (rc != 0)
        return rc;
    for (struct doc_iter it = doc_iter(doc_child(options->bundle, "files")); doc_next(&it);)
        if (bundle_is_test(it.name) && !has_test(suite, it.name.data))
            add(lint, it.name.data, 0, "there is no test in this file");
    *out_tests = suite_count(suite);
    suite_close(suite);
    return 0;
}

static void deinit(struct lint *lint)
{
    for (size_t i = 0; i < lint->count; i++) {
        free(lint->findings[i].file);
        free(lint->findings[i].text);
    }
    free(lint->findings);
    buf_deinit(&lint->chunk);
    buf_deinit(&lint->text);
}

int lint_calls(struct ruleset *rules, const struct plugins *plugins, struct err *err)
{
    struct lint lint = { .host = (struct host *)rules, .plugins = plugins };
    int rc = 0;
    if (plugins == NULL)
        return 0;
    check_rules(&lint);
    if (lint.count != 0) {
        qsort(lint.findings, lint.count, sizeof *lint.findings, compare);
        rc = err_set(err, E_INVALID, "%s:%d: %s", lint.findings[0].file, lint.findings[0].line,
                     lint.findings[0].text);
    }
    deinit(&lint);
    return rc;
}

static int check_fields(const struct ruleset *rules, const struct kinds *kinds,
                        const struct kind *kind, const struct kind_field *fields, size_t count,
                        struct err *err)
{
    struct arena arena = ARENA_INIT;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct text of = fields[i].of;
        if (fields[i].type != KIND_RECORD || kinds_find(kinds, of) != NULL)
            continue;
        rc = err_set(
            err, E_INVALID, "kind \"%s\": %s.type: nobody declares the kind \"%.*s\"; %s",
            kind->name.data, fields[i].name.data, (int)of.size, of.data,
            kind_meant(of, &rules->kinds->name, rules->kind_count, sizeof *rules->kinds, &arena)
                .data);
    }
    arena_deinit(&arena);
    return rc;
}

int lint_kinds(struct ruleset *rules, const struct plugins *plugins, struct err *err)
{
    struct kinds kinds;
    int rc = kinds_in_force(plugins, rules, &kinds, err);
    for (size_t i = 0; rc == 0 && i < rules->kind_count; i++) {
        const struct kind *kind = &rules->kinds[i];
        rc = check_fields(rules, &kinds, kind, kind->fields, kind->field_count, err);
        if (rc == 0)
            rc = check_fields(rules, &kinds, kind, kind->lines, kind->line_count, err);
    }
    return rc;
}

int lint_bundle(struct doc bundle, struct doc config, struct plugins *plugins, struct buf *out,
                struct err *err)
{
    struct suite_options options = { .bundle = bundle, .config = config, .plugins = plugins };
    struct script_surroundings surroundings = { .plugins = plugins };
    struct config *read = mem_zero(sizeof *read);
    struct ruleset *rules = NULL;
    struct lint lint = { 0 };
    size_t tests = 0;
    int rc = config_read(read, config, err);
    if (rc == 0)
        rc = script_load(&surroundings, bundle, read, &rules, err);
    if (rc == 0)
        rc = lint_kinds(rules, plugins, err);
    if (rc == 0) {
        lint.host = (struct host *)rules;
        lint.plugins = plugins;
        check_rules(&lint);
        rc = check_tests(&lint, &options, &tests, err);
    }
    if (rc == 0) {
        struct doc_writer w;
        doc_begin(&w, out);
        doc_put_int(&w, "files", (int64_t)bundle_scripts(bundle));
        doc_put_int(&w, "rules", (int64_t)rules->count);
        doc_put_int(&w, "tests", (int64_t)tests);
        put_findings(&lint, &w);
        doc_end(&w);
    }
    deinit(&lint);
    if (rules != NULL)
        rules->free(rules);
    free(read);
    return rc;
}
