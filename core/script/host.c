/* host.c -- a bundle becomes a ruleset; see host.h. */
#include "core/script/host.h"

#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/base/workday.h"
#include "core/base/zone.h"
#include "core/script/bundle.h"
#include "core/script/explain.h"
#include "core/script/host_inside.h"
#include "core/script/templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Finding the host again ----------------------------------------------- */

struct host *host_of(lua_State *lua)
{
    return sandbox_data(lua);
}

static void exceed_room(lua_State *lua, const struct host *host)
{
    char message[160];
    snprintf(message, sizeof message,
             "over the %lld bytes that one rule may make the engine take (limit "
             "rule_arena_bytes); do less at a time",
             (long long)host->config->limits.rule_arena_bytes);
    sandbox_exceed(lua, message);
}

struct step *host_step(lua_State *lua, const char *word)
{
    struct host *host = host_of(lua);
    if (host->step == NULL)
        luaL_error(lua, "%s acts on a customer: it belongs into the run function of a rule", word);
    if (!step_has_room(host->step))
        exceed_room(lua, host);
    return host->step;
}

int host_raise(lua_State *lua, const struct err *err)
{
    return luaL_error(lua, "%s", err->text);
}

void host_note_word(struct host *host, const char *name)
{
    size_t count = 0;
    while (host->words[count] != NULL)
        count++;
    ASSERT(count + 1 < HOST_WORDS_MAX);
    host->words[count] = name;
}

void host_add_word(struct host *host, const struct script_word *word, int upvalue_count)
{
    host_note_word(host, word->name);
    sandbox_add_function(host->sandbox, word->name, word->call, upvalue_count);
}

void host_add_words(struct host *host, const struct script_word words[])
{
    for (; words->name != NULL; words++)
        if (words->call != NULL)
            host_add_word(host, words, 0);
}

/* -- Failures in words ---------------------------------------------------- */

/* Rules look at fields that are not there all the time: this only takes down the name. */
void host_note_missing(struct host *host, const char *of, struct text name)
{
    char *out = host->missing[host->missing_count++ % HOST_MISSING_MAX];
    size_t before = strlen(of);
    size_t size = utf8_cut(name.data, name.size, HOST_MISSING_BYTES - before - 2);
    memcpy(out, of, before);
    out[before] = '.';
    memcpy(out + before + 1, name.data, size);
    out[before + 1 + size] = '\0';
}

static bool is_listed(const char *const names[], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The last first, each once. */
static void list_missing(const struct host *host, const char *out[HOST_MISSING_MAX + 1])
{
    size_t count = 0;
    unsigned there =
        host->missing_count < HOST_MISSING_MAX ? host->missing_count : HOST_MISSING_MAX;
    for (unsigned back = 1; back <= there; back++) {
        const char *name = host->missing[(host->missing_count - back) % HOST_MISSING_MAX];
        if (!is_listed(out, count, name))
            out[count++] = name;
    }
    out[count] = NULL;
}

static void fill_failure(struct host *host, const struct sandbox_report *report,
                         bool has_no_customer, struct rule_failure *out)
{
    const char *missing[HOST_MISSING_MAX + 1];
    struct explain_context context = { host->words, host->methods, missing, has_no_customer };
    list_missing(host, missing);
    buf_clear(&host->scratch);
    if (report->file[0] != '\0')
        buf_printf(&host->scratch, "%s:%d: ", report->file, report->line);
    explain_message(report->message, &context, &host->scratch);
    if (report->instructions > (uint64_t)host->config->limits.rule_instructions)
        buf_text(&host->scratch, " (limit rule_instructions)");
    explain_copy(&host->scratch, out->message, sizeof out->message);
    snprintf(out->traceback, sizeof out->traceback, "%s", report->traceback);
}

/* -- Running -------------------------------------------------------------- */

static enum rule_outcome run(struct ruleset *rules, size_t index, struct step *step,
                             struct rule_failure *out_failure)
{
    struct host *host = (struct host *)rules;
    lua_State *lua = sandbox_state(host->sandbox);
    struct sandbox_report report;
    host->step = step;
    host->missing_count = 0;
    sandbox_push(host->sandbox, host->event);
    if (step_customer(step) != NULL)
        sandbox_push(host->sandbox, host->customer);
    else
        lua_pushnil(lua);
    enum sandbox_outcome outcome =
        sandbox_call(host->sandbox, host->functions[index], 2, 0, &report);
    host->step = NULL;
    out_failure->changed_local[0] = '\0';
    if (report.changed_name != NULL)
        snprintf(out_failure->changed_local, sizeof out_failure->changed_local,
                 "\"%.40s\" (%.24s:%d)", report.changed_name, report.changed_file,
                 report.changed_line);
    if (outcome == SANDBOX_OK)
        return RULE_OK;
    fill_failure(host, &report, step_customer(step) == NULL, out_failure);
    if (outcome == SANDBOX_MEMORY)
        return RULE_OUT_OF_MEMORY;
    return outcome == SANDBOX_INTERRUPTED ? RULE_OUT_OF_TIME : RULE_ERROR;
}

#define REPEAT_ROOM 4 /* times the memory a rule has the first time */

static void repeat(struct ruleset *rules, bool is_past)
{
    struct host *host = (struct host *)rules;
    size_t room = (size_t)host->config->limits.rule_memory_bytes;
    sandbox_set_room(host->sandbox, is_past ? REPEAT_ROOM * room : room);
    sandbox_set_interrupt(host->sandbox, is_past ? NULL : host->interrupt);
}

/* -- Calendars ------------------------------------------------------------ */

static const struct workweek *find_calendar(const struct ruleset *rules, struct text name)
{
    const struct host *host = (const struct host *)rules;
    for (size_t i = 0; i < host->calendar_count; i++)
        if (text_equal(host->calendars[i].name, name))
            return host->calendars[i].week;
    if (name.size != 0)
        return NULL;
    const struct workweek *company = find_calendar(rules, text_of("company"));
    return company != NULL ? company : host->company;
}

static int make_usual_week(struct host *host, struct err *err)
{
    struct workday_hours hours[5];
    for (int i = 0; i < 5; i++)
        hours[i] = (struct workday_hours){ .weekday = i + 1,
                                           .open_minute = 9 * 60,
                                           .close_minute = 17 * 60 };
    struct workday_plan plan = { .zone = host->config->zone, .hours = hours, .hours_count = 5 };
    return workday_new(&plan, &host->company, err);
}

/* -- Loading -------------------------------------------------------------- */

static void host_free(struct ruleset *rules)
{
    struct host *host = (struct host *)rules;
    sandbox_free(host->sandbox);
    for (size_t i = 0; i < host->calendar_count; i++)
        workday_free(host->calendars[i].week);
    workday_free(host->company);
    free(host->calendars);
    free(host->declarations);
    free(host->functions);
    free(host->rules.rules);
    free(host->rules.purposes);
    free(host->rules.kinds);
    free(host->rules.templates);
    free(host->rules.subjects);
    arena_deinit(&host->arena);
    buf_deinit(&host->scratch);
    free(host);
}

static struct host *host_new(const struct config *config)
{
    struct host *host = mem_zero(sizeof *host);
    struct sandbox_limits limits = {
        .call_instructions = (uint64_t)config->limits.rule_instructions,
        .call_bytes = (size_t)config->limits.rule_memory_bytes,
    };
    host->config = config;
    host->is_loading = true;
    host->sandbox = sandbox_new(&limits);
    host->rules.calendar = find_calendar;
    host->rules.run = run;
    host->rules.repeat = repeat;
    host->rules.free = host_free;
    sandbox_set_data(host->sandbox, host);
    words_declare_add(host);
    words_calendar_add(host);
    words_subject_add(host);
    words_trigger_add(host);
    words_act_add(host);
    words_send_add(host);
    words_time_add(host);
    words_customer_add(host);
    words_record_add(host);
    return host;
}

static int load_files(struct host *host, struct doc files, struct err *err)
{
    const char *const none[] = { NULL };
    struct explain_context context = { host->words, host->methods, none, false };
    int rc = templates_read(files, &host->arena, &host->scratch, &host->rules, err);
    if (rc != 0)
        return rc;
    for (struct doc_iter it = doc_iter(files); rc == 0 && doc_next(&it);)
        if (bundle_is_script(it.name))
            rc = sandbox_load(host->sandbox, it.name.data, it.value.text.data, it.value.text.size,
                              err);
    if (rc == 0)
        rc = declare_finish(host, err);
    if (rc == 0)
        return kinds_finish(host, err);
    explain_err(&context, &host->scratch, err);
    return rc;
}

int script_load(void *arg, struct doc bundle, const struct config *config,
                struct ruleset **out_rules, struct err *err)
{
    int rc = bundle_check(bundle, err);
    if (rc != 0)
        return rc;
    const struct script_surroundings *around = arg;
    struct host *host = host_new(config);
    host->interrupt = around != NULL ? around->interrupt : NULL;
    bundle_hash(bundle, host->rules.hash);
    rc = make_usual_week(host, err);
    if (rc == 0)
        rc = words_plugin_add(host, around != NULL ? around->plugins : NULL, err);
    if (rc == 0)
        rc = load_files(host, doc_child(bundle, "files"), err);
    if (rc == 0)
        rc = sandbox_seal(host->sandbox, err);
    host->is_loading = false;
    if (rc != 0) {
        host_free(&host->rules);
        return rc;
    }
    *out_rules = &host->rules;
    return 0;
}

const char *script_version(void)
{
    return LUA_RELEASE;
}
