/* kit_probe.c -- the process in which a plugin is tried out; see kit.h.
 *
 * What is about to happen is told before it happens, because afterwards there may be nobody left to
 * tell it.
 */
#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/plugin/configure.h"
#include "core/plugin/kit_cases.h"
#include "core/plugin/kit_inside.h"
#include "core/script/explain.h"
#include "core/script/settings.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* -- Telling ----------------------------------------------------------------------------------- */

struct doc_writer *kit_message(struct probe *probe, struct doc_writer *w)
{
    buf_clear(&probe->message);
    doc_begin(w, &probe->message);
    return w;
}

/* Nobody listens any more: there is nothing left to do. */
void kit_say(struct probe *probe, struct doc_writer *w)
{
    struct doc doc = doc_end(w);
    for (size_t sent = 0; sent < doc.size;) {
        ssize_t put = write(probe->out_fd, doc.data + sent, doc.size - sent);
        if (put <= 0)
            _exit(1);
        sent += (size_t)put;
    }
}

void kit_say_at(struct probe *probe, const char *who, const char *given)
{
    struct doc_writer w;
    doc_put_string(kit_message(probe, &w), "at", who);
    doc_put_string(&w, "given", given);
    doc_put_string(&w, "step", probe->step);
    kit_say(probe, &w);
}

void kit_leave_out(struct probe *probe, const char *who, const char *given, const char *why)
{
    struct doc_writer w;
    doc_open(kit_message(probe, &w), "finding");
    doc_put_string(&w, "level", "not made");
    doc_put_string(&w, "who", who);
    doc_put_present(&w, "given", text_of(given));
    doc_put_string(&w, "what", why);
    doc_put_string(&w, "todo", "mend that, and check again");
    doc_close(&w);
    kit_say(probe, &w);
}

void kit_find(struct probe *probe, struct kit_callee *callee, enum kit_finding kind,
              const char *given, const char *todo, const char *format, ...)
{
    static const bool is_warning[] = { [KIT_SILENT] = true, [KIT_SLOW] = true, [KIT_FAILS] = true };
    char what[ERR_TEXT_MAX];
    struct doc_writer w;
    va_list list;
    if (callee != NULL && (callee->told & 1u << kind) != 0)
        return;
    if (callee != NULL)
        callee->told |= 1u << kind;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    doc_open(kit_message(probe, &w), "finding");
    bool is_mild = kind < sizeof is_warning / sizeof *is_warning && is_warning[kind];
    doc_put_string(&w, "level", is_mild ? "warning" : "error");
    doc_put_string(&w, "who", callee != NULL ? callee->who : "plugin");
    if (given != NULL)
        doc_put_string(&w, "given", given);
    doc_put_string(&w, "what", what);
    doc_put_string(&w, "todo", todo);
    doc_close(&w);
    kit_say(probe, &w);
}

/* -- Loading ----------------------------------------------------------------------------------- */

typedef const struct kith_plugin *describe_fn(void);

static int load(struct probe *probe, struct err *err)
{
    describe_fn *call;
    kit_say_at(probe, "loading", probe->options->path);
    void *code = dlopen(probe->options->path, RTLD_NOW | RTLD_LOCAL);
    if (code == NULL)
        return err_set(err, E_INVALID, "it cannot be loaded: %s", dlerror());
    void *symbol = dlsym(code, "kith_describe");
    if (symbol == NULL)
        return err_set(err, E_INVALID,
                       "it exports no kith_describe(): declare it with "
                       "KITH_EXPORT, in C++ inside of extern \"C\"");
    memcpy(&call, &symbol, sizeof symbol); /* ISO C has no conversion */
    kit_say_at(probe, "kith_describe()", "nothing");
    const struct kith_plugin *theirs = call();
    if (call() != theirs)
        return err_set(err, E_INVALID,
                       "kith_describe() returns another address when it is called "
                       "again: it must return a constant");
    return plugin_describe(&probe->plugin, theirs, err);
}

/* -- Configuration ----------------------------------------------------------------------------- */

/* `usual`, or what is within the bounds of the field. */
static int64_t within(const struct kith_field *field, int64_t usual)
{
    bool is_bound = field->least != 0 || field->most != 0;
    return is_bound && (usual < field->least || usual > field->most) ? field->least : usual;
}

static void put_secret(struct doc_writer *w, const char *name)
{
    char path[64] = "";
    int fd = memfd_create("secret", 0);
    if (fd >= 0 && write(fd, "made up", 7) == 7)
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    doc_open(w, name);
    doc_put_string(w, "secret_file", path);
    doc_close(w);
}

/* A value of the type that a field needs, as somebody would write it. */
static void put_made_up(struct doc_writer *w, const struct kith_field *field)
{
    char text[32] = "made up";
    if ((field->flags & KITH_SECRET) != 0)
        put_secret(w, field->name);
    else if (strcmp(field->type, "flag") == 0)
        doc_put_bool(w, field->name, true);
    else if (strcmp(field->type, "whole") == 0 || strcmp(field->type, "number") == 0)
        doc_put_int(w, field->name, within(field, 1));
    else if (strcmp(field->type, "list") == 0) {
        doc_open_array(w, field->name);
        doc_put_string(w, NULL, text);
        doc_close(w);
    } else {
        if (strcmp(field->type, "channel") == 0)
            snprintf(text, sizeof text, "log");
        else if (strcmp(field->type, "period") == 0)
            snprintf(text, sizeof text, "1d");
        else if (strcmp(field->type, "duration") == 0)
            snprintf(text, sizeof text, "%llds", (long long)((within(field, 30000) + 999) / 1000));
        doc_put_string(w, field->name, text);
    }
}

/* One table, with what it needs. */
static void put_made_up_table(struct doc_writer *w, const struct kith_field *field,
                              const struct plugin_fields *inner)
{
    doc_open(w, field->name);
    doc_open(w, "made_up");
    for (size_t i = 0; i < inner->count; i++)
        if ((inner->items[i].flags & KITH_REQUIRED) != 0)
            put_made_up(w, &inner->items[i]);
    doc_close(w);
    doc_close(w);
}

/* And what the configuration makes of its kinds of records; what is wrong has been told. */
static int configure(struct probe *probe, struct err *err)
{
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    struct doc given = doc_child(probe->options->configs, probe->plugin.name);
    doc_begin(&w, &buf);
    for (struct doc_iter it = doc_iter(given); doc_next(&it);)
        doc_put_value_text(&w, it.name, &it.value);
    for (size_t i = 0; i < probe->plugin.field_count; i++) {
        const struct kith_field *field = &probe->plugin.fields[i];
        if ((field->flags & KITH_REQUIRED) == 0 || doc_get(given, field->name).type != DOC_NONE)
            continue;
        if (probe->plugin.tables[i].count != 0)
            put_made_up_table(&w, field, &probe->plugin.tables[i]);
        else
            put_made_up(&w, field);
    }
    int rc = plugin_configure(&probe->plugin, doc_end(&w), err);
    if (rc != 0)
        kit_find(probe, NULL, KIT_DENIED, NULL,
                 "--config FILE gives a kith.lua; without it what is required is made up", "%s",
                 err->text);
    if (rc == 0 && (rc = plugin_read_kinds(&probe->plugin, err)) != 0)
        kit_find(
            probe, NULL, KIT_DENIED, NULL,
            "a daemon that is to load it does not start: docs/records.md, \"Declaring a kind\", "
            "says what may stand there",
            "%s", err->text);
    buf_deinit(&buf);
    return rc;
}

/* -- Tries ------------------------------------------------------------------------------------- */

static size_t type_count(const struct probe *probe, const struct kit_callee *callee)
{
    size_t count = 0;
    if (callee->kind != KIT_HANDLER)
        return 1;
    while (probe->plugin.handlers[callee->index].types[count] != NULL)
        count++;
    return count;
}

/* All styles, rows of the ordinary ones, and the ordinary one of each further type. */
static size_t list_tries(struct probe *probe, struct kit_try *tries)
{
    size_t count = 0, styles = kit_style_count();
    for (size_t i = 0; i < probe->callee_count; i++) {
        struct kit_callee *callee = &probe->callees[i];
        callee->first_try = count;
        for (size_t style = 0; style < styles; style++)
            tries[count++] = (struct kit_try){ .callee = callee, .style = style };
        for (size_t style = KIT_NOTHING; style <= KIT_ORDINARY + 1; style++)
            tries[count++] = (struct kit_try){ .callee = callee, .style = style, .is_row = true };
        for (size_t type = 1; type < type_count(probe, callee); type++)
            tries[count++] =
                (struct kit_try){ .callee = callee, .style = KIT_ORDINARY, .type = type };
        callee->tries = count - callee->first_try;
    }
    return count;
}

static size_t count_tries(const struct probe *probe)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->callee_count; i++)
        count += kit_style_count() + 3 + type_count(probe, &probe->callees[i]) - 1;
    return count;
}

void kit_say_result(struct probe *probe, uint64_t number, const char *who, const char *given)
{
    struct doc_writer w;
    doc_put_int(kit_message(probe, &w), "result", (int64_t)number);
    doc_put_string(&w, "who", who);
    doc_put_string(&w, "given", given);
    if (probe->out.size <= KIT_TRY_BYTES_MAX)
        doc_put_doc(&w, "out", (struct doc){ probe->out.data, (uint32_t)probe->out.size });
    else {
        uint8_t digest[DIGEST_32_BYTES];
        digest_32(probe->out.data, probe->out.size, digest);
        doc_put_binary(&w, "out", digest, sizeof digest);
    }
    kit_say(probe, &w);
}

static void make_try(struct probe *probe, size_t number, const struct kit_try *try)
{
    struct buf first = BUF_INIT;
    size_t who = (size_t)(try->callee - probe->callees);
    if (!kit_step(probe, KIT_CALLEE, who, 1 + number)) {
        try->callee->left_out++;
        return;
    }
    arena_clear(&probe->arena);
    kit_run_try(probe, try);
    kit_watch_peak(probe, try);
    buf_append(&first, probe->out.data, probe->out.size);
    kit_run_try(probe, try);
    if (first.size != probe->out.size || memcmp(first.data, probe->out.data, first.size) != 0)
        kit_find(probe, try->callee, KIT_DIFFERS, kit_given(probe, try),
                 "no variables that outlive the call, no clock, no randomness, no addresses in "
                 "what it wants",
                 "called twice with the same it wants something else the second time");
    buf_deinit(&first);
    kit_say_result(probe, number, try->callee->who, kit_given(probe, try));
}

/* -- After all calls --------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    int64_t left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

static void tell_times(struct probe *probe)
{
    struct doc_writer w;
    doc_open_array(kit_message(probe, &w), "times");
    for (size_t i = 0; i < probe->callee_count; i++) {
        struct kit_callee *callee = &probe->callees[i];
        size_t count = callee->calls < KIT_TIMES_MAX ? callee->calls : KIT_TIMES_MAX;
        if (count == 0)
            continue;
        qsort(callee->ns, count, sizeof *callee->ns, compare_times);
        doc_open(&w, NULL);
        doc_put_string(&w, "who", callee->who);
        doc_put_int(&w, "calls", (int64_t)callee->calls);
        doc_put_int(&w, "median_ns", callee->ns[count / 2]);
        doc_put_int(&w, "longest_ns", callee->ns[count - 1]);
        doc_close(&w);
    }
    doc_close(&w);
    kit_say(probe, &w);
}

/* The ordinary call over and over, unless that one crashes. */
static void judge_memory(struct probe *probe, struct kit_callee *callee)
{
    struct kit_try try = { .callee = callee, .style = KIT_ORDINARY };
    size_t who = (size_t)(callee - probe->callees), ordinary = 1 + callee->first_try + KIT_ORDINARY;
    bool has_died = kit_has_died(probe, KIT_CALLEE, who, ordinary);
    if (!has_died && kit_step(probe, KIT_CALLEE, who, KIT_MEMORY))
        kit_watch_memory(probe, &try);
    else if (!kit_has_died(probe, KIT_CALLEE, who, KIT_MEMORY))
        kit_leave_out(probe, callee->who, "whether its memory grows",
                      has_died ? "it crashes, or hangs, in the call that is made over and over"
                               : "it has crashed, or hung, too often");
}

static void judge_whole(struct probe *probe)
{
    for (size_t i = 0; i < probe->callee_count; i++) {
        struct kit_callee *callee = &probe->callees[i];
        if (callee->calls != 0 && callee->failures == callee->calls)
            kit_find(probe, callee, KIT_FAILS, NULL,
                     "if it needs something particular, give it with --log, or --config",
                     "it failed in each of %zu calls", callee->calls);
        size_t count = callee->calls < KIT_TIMES_MAX ? callee->calls : KIT_TIMES_MAX;
        qsort(callee->ns, count, sizeof *callee->ns, compare_times);
        if (count != 0 && callee->ns[count / 2] > KIT_SLOW_NS)
            kit_find(probe, callee, KIT_SLOW, NULL,
                     "every event waits for it: what takes long belongs on the outside side",
                     "a call takes %lld ms of the processor",
                     (long long)(callee->ns[count / 2] / 1000000));
        judge_memory(probe, callee);
        if (callee->kind == KIT_HANDLER)
            kit_follow_events(probe, callee);
    }
}

/* No operator can grant what is misspelt. */
static void judge_needs(struct probe *probe)
{
    for (size_t i = 0; i < probe->plugin.need_count; i++) {
        const char *need = probe->plugin.needs[i];
        const char *near = explain_near(need, settings_capabilities);
        if (!settings_is_capability(text_of(need)))
            kit_find(probe, NULL, KIT_DENIED, NULL,
                     "a daemon that is to load it does not start: mend its `needs`",
                     "it needs \"%s\", which nobody can grant%s%s%s", need,
                     near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                     near != NULL ? "\"?" : "");
    }
}

/* What the daemon refuses when it loads it. */
static void judge_routes(struct probe *probe)
{
    struct err err;
    for (size_t i = 0; probe->options->check_route != NULL && i < probe->plugin.route_count; i++)
        if (probe->options->check_route(&probe->plugin, i, &err) != 0)
            kit_find(probe, NULL, KIT_DENIED, NULL,
                     "a daemon that is to load it does not start: mend the route", "%s", err.text);
}

/* -- The whole --------------------------------------------------------------------------------- */

static void try_all(struct probe *probe)
{
    const struct kit_try nothing = { .callee = NULL };
    kit_list_callees(probe);
    kit_measure_clock(probe);
    kit_watch_peak(probe, &nothing);
    kit_learn(probe);
    size_t room = count_tries(probe);
    struct kit_try *tries = mem_zero((room + 1) * sizeof *tries);
    size_t count = list_tries(probe, tries);
    for (size_t i = 0; i < count; i++) {
        size_t number = probe->options->is_again ? count - 1 - i : i;
        make_try(probe, number, &tries[number]);
    }
    free(tries);
    if (!probe->options->is_again)
        judge_whole(probe);
    for (size_t i = 0; i < probe->callee_count; i++)
        kit_tell_left_out(probe, KIT_CALLEE, i, probe->callees[i].who, probe->callees[i].left_out,
                          probe->callees[i].tries, "calls");
    tell_times(probe);
    kit_free_callees(probe);
}

static void deinit(struct probe *probe)
{
    struct buf *bufs[] = { &probe->message, &probe->out, &probe->writes, &probe->answer,
                           &probe->late };
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_deinit(bufs[i]);
    for (size_t i = 0; i < PLUGIN_STATES_MAX; i++) {
        buf_deinit(&probe->states[i]);
        buf_deinit(&probe->learned[i]);
    }
    arena_deinit(&probe->arena);
    arena_deinit(&probe->plugin.arena);
}

int kit_probe(const struct kit_options *options, int out_fd)
{
    struct probe probe = { .options = options, .out_fd = out_fd };
    struct doc_writer w;
    struct err err;
    int rc = load(&probe, &err);
    if (rc != 0)
        kit_find(&probe, NULL, KIT_DENIED, NULL, "without this nothing else can be tried", "%s",
                 err.text);
    else
        kit_say_about(&probe);
    if (rc == 0 && !options->is_again) {
        judge_needs(&probe);
        judge_routes(&probe);
    }
    if (rc == 0)
        rc = configure(&probe, &err);
    if (rc != 0)
        kit_leave_out(&probe, "every call", NULL, "the plugin cannot be loaded as it is");
    bool is_loaded = rc == 0;
    if (is_loaded && options->log != NULL && kit_replay(&probe, &err) != 0)
        kit_find(&probe, NULL, KIT_DENIED, options->log,
                 "name the folder of a backup, or the data of a daemon that does not run", "%s",
                 err.text);
    if (is_loaded && options->log == NULL)
        try_all(&probe);
    if (is_loaded && options->log == NULL && !options->is_again)
        kit_try_outside(&probe);
    doc_put_bool(kit_message(&probe, &w), "end", is_loaded);
    kit_say(&probe, &w);
    deinit(&probe);
    return 0;
}
