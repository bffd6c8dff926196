/* kit_call.c -- calls of a plugin's functions with what is made up for them; see kit.h.
 *
 * The stack and the heap of the second process hold other leftovers than those of the first:
 * whoever reads a variable before it is set, or memory from malloc() as it comes, wants something
 * else there.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/plugin/kit_cases.h"
#include "core/plugin/kit_inside.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define NOW_MS 1767225600000 /* 2026-01-01 */
#define DAY_MS (24ll * 3600 * 1000)
#define NAMES_MAX 32
#define STACK_BYTES (64u << 10)

/* -- Who can be called ------------------------------------------------------------------------- */

static void add(struct probe *probe, enum kit_kind kind, size_t index, kith_fn *run,
                const struct plugin_reads *reads, const char *what, const char *name)
{
    if (run == NULL)
        return;
    struct kit_callee *callee = &probe->callees[probe->callee_count++];
    *callee = (struct kit_callee){ .kind = kind, .index = index, .run = run, .reads = reads };
    callee->ns = mem_zero(KIT_TIMES_MAX * sizeof *callee->ns);
    snprintf(callee->who, sizeof callee->who, "%s %s", what, name);
}

void kit_list_callees(struct probe *probe)
{
    const struct plugin *plugin = &probe->plugin;
    probe->callees = mem_zero(KIT_CALLEES_MAX * sizeof *probe->callees);
    for (size_t i = 0; i < plugin->handler_count; i++)
        add(probe, KIT_HANDLER, i, plugin->handlers[i].run, &plugin->handler_reads[i], "handler",
            plugin->handlers[i].name);
    for (size_t i = 0; i < plugin->function_count; i++)
        add(probe, KIT_FUNCTION, i, plugin->functions[i].run, &plugin->function_reads[i],
            "function", plugin->functions[i].name);
    for (size_t i = 0; i < plugin->state_count; i++) {
        const struct kith_state *state = &plugin->states[i];
        add(probe, KIT_MERGE, i, state->merge, NULL, "merge of state", state->key);
        add(probe, KIT_UNMERGE, i, state->unmerge, NULL, "unmerge of state", state->key);
        add(probe, KIT_MIGRATE, i, state->migrate, NULL, "migrate of state", state->key);
        add(probe, KIT_GIVE, i, state->give, NULL, "give of state", state->key);
    }
}

void kit_free_callees(struct probe *probe)
{
    for (size_t i = 0; i < probe->callee_count; i++)
        free(probe->callees[i].ns);
    free(probe->callees);
}

const char *kit_given(struct probe *probe, const struct kit_try *try)
{
    const struct kit_callee *callee = try->callee;
    const char *row = try->is_row ? ", again and again" : "";
    if (callee->kind != KIT_HANDLER)
        return arena_printf(&probe->arena, "%s%s", kit_style_words(try->style), row).data;
    const char *type = probe->plugin.handlers[callee->index].types[try->type];
    return arena_printf(&probe->arena, "event \"%s\" %s%s", type, kit_style_words(try->style), row)
        .data;
}

/* -- What they are given ----------------------------------------------------------------------- */

static struct doc_value text_value(const char *text)
{
    return (struct doc_value){ .type = DOC_TEXT, .text = text_of(text) };
}

struct text kit_type(const struct probe *probe, const struct kit_try *try)
{
    const char *type = "*";
    if (try->callee->kind == KIT_HANDLER)
        type = probe->plugin.handlers[try->callee->index].types[try->type];
    return text_of(strcmp(type, "*") == 0 ? "Order Completed" : type);
}

bool kit_hears(const struct kith_handler *handler, struct text type)
{
    for (const char *const *one = handler->types; *one != NULL; one++)
        if (strcmp(*one, "*") == 0 || text_is(type, *one))
            return true;
    return false;
}

int64_t kit_now(size_t round)
{
    return NOW_MS + (int64_t)round * DAY_MS;
}

bool kit_is_given(struct text name)
{
    return text_is(name, "type") || text_is(name, "id") || text_is(name, "at") ||
           text_is(name, "source");
}

/* Of an event as the engine gives it: what is always there, and what the client sent. */
static struct doc_value event_field(struct probe *probe, const struct kit_try *try,
                                    struct text name, size_t round)
{
    if (!kit_is_given(name))
        return kit_value(try->style, &probe->arena);
    if (text_is(name, "type"))
        return (struct doc_value){ .type = DOC_TEXT, .text = kit_type(probe, try) };
    if (text_is(name, "id"))
        return (struct doc_value){ .type = DOC_TEXT,
                                   .text = arena_printf(&probe->arena, "m-%zu", round) };
    if (text_is(name, "at"))
        return (struct doc_value){ .type = DOC_DATETIME, .integer = kit_now(round) - DAY_MS };
    return text_value("shop");
}

static struct doc_value customer_field(struct probe *probe, const struct kit_try *try,
                                       struct text name)
{
    if (text_is(name, "id"))
        return (struct doc_value){ .type = DOC_INT64, .integer = 17 };
    if (text_is(name, "kind"))
        return text_value("person");
    if (text_is(name, "tags") || text_is(name, "roles"))
        return (struct doc_value){ .type = DOC_ARRAY, .doc = { (const uint8_t *)"\5\0\0\0", 5 } };
    return kit_value(try->style, &probe->arena);
}

static struct doc doc_of(const struct buf *buf)
{
    return (struct doc){ buf->size != 0 ? buf->data : NULL, (uint32_t)buf->size };
}

/* What the call asks for: struct plugin_source. */
struct asked {
    struct probe *probe;
    const struct kit_try *try;
    size_t round;
};

struct doc_value kit_read(struct probe *probe, const struct kit_try *try, size_t round,
                          const struct plugin_read *read)
{
    switch (read->kind) {
    case PLUGIN_READ_EVENT:
        return (struct doc_value){ .type = DOC_DOC,
                                   .doc = kit_doc(try->style, NULL, 0, &probe->arena) };
    case PLUGIN_READ_FIELD:
        return event_field(probe, try, read->name, round);
    case PLUGIN_READ_CUSTOMER:
        return customer_field(probe, try, read->name);
    case PLUGIN_READ_RECORD:
    case PLUGIN_READ_RECORDS:
    case PLUGIN_READ_STATE:
        break;
    }
    return (struct doc_value){ .type = DOC_NONE };
}

static struct doc_value read_value(void *arg, const struct plugin_read *read)
{
    const struct asked *asked = arg;
    return kit_read(asked->probe, asked->try, asked->round, read);
}

/* The fields that the plugin keeps, with whatever values: another version of it kept them. */
static struct doc shaped_state(struct probe *probe, const struct kit_try *try, size_t index)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (struct doc_iter it = doc_iter(doc_of(&probe->learned[index]));
         doc_next(&it) && count < NAMES_MAX;)
        names[count++] = it.name.data;
    return kit_doc(try->style, names, count, &probe->arena);
}

static struct doc read_state(void *arg, size_t index, int64_t *out_version)
{
    const struct asked *asked = arg;
    struct probe *probe = asked->probe;
    *out_version = probe->plugin.states[index].version;
    if (asked->try->is_row)
        return doc_of(&probe->states[index]);
    return asked->try->style != KIT_NOTHING ? shaped_state(probe, asked->try, index)
                                            : (struct doc){ NULL, 0 };
}

/* A state as a hook may find it: what the plugin has kept, or anything. */
static struct doc state_doc(struct probe *probe, const struct kit_try *try)
{
    const struct buf *learned = &probe->learned[try->callee->index];
    if (try->style == KIT_ORDINARY && learned->size != 0)
        return doc_of(learned);
    return shaped_state(probe, try, try->callee->index);
}

static struct doc arguments(struct probe *probe, const struct kit_try *try)
{
    static const char *const fields[][4] = { [KIT_MERGE] = { "survivor", "absorbed" },
                                             [KIT_UNMERGE] = { "now", "survivor", "absorbed" },
                                             [KIT_MIGRATE] = { "state" },
                                             [KIT_GIVE] = { "state" } };
    const struct kit_callee *callee = try->callee;
    const char *names[NAMES_MAX];
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    if (callee->kind == KIT_HANDLER)
        return (struct doc){ NULL, 0 };
    if (callee->kind == KIT_FUNCTION) {
        const char *usage = probe->plugin.functions[callee->index].usage;
        size_t count = kit_usage_names(usage, &probe->arena, names, NAMES_MAX);
        return kit_doc(try->style, names, count, &probe->arena);
    }
    doc_begin(&w, &buf);
    if (callee->kind == KIT_MIGRATE)
        doc_put_int(&w, "version", probe->plugin.states[callee->index].version);
    for (const char *const *name = fields[callee->kind]; *name != NULL; name++)
        if (try->style != KIT_NOTHING || strcmp(*name, "survivor") != 0)
            doc_put_doc(&w, *name, state_doc(probe, try));
    struct doc copy = arena_doc(&probe->arena, doc_end(&w));
    buf_deinit(&buf);
    return copy;
}

/* -- A call ------------------------------------------------------------------------------------ */

static int64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Since `began`, without what looking at the clock takes. */
static int64_t taken_ns(const struct probe *probe, int64_t began)
{
    int64_t taken = processor_ns() - began - probe->clock_ns;
    return taken > 0 ? taken : 0;
}

void kit_measure_clock(struct probe *probe)
{
    probe->clock_ns = INT64_MAX;
    for (int i = 0; i < 100; i++) {
        int64_t began = processor_ns(), taken = processor_ns() - began;
        probe->clock_ns = taken < probe->clock_ns ? taken : probe->clock_ns;
    }
}

/* Leave something behind where the next function has its variables. */
__attribute__((noinline)) static void paint_stack(bool is_again)
{
    volatile unsigned char room[STACK_BYTES];
    for (size_t i = 0; i < sizeof room; i += 1)
        room[i] = is_again ? 0xa5 : 0x5a;
}

bool kit_next_write(const struct buf *writes, size_t *at, struct doc *out)
{
    if (*at >= writes->size)
        return false;
    *out = (struct doc){ writes->data + *at, 0 };
    memcpy(&out->size, out->data, sizeof out->size);
    *at += out->size;
    return true;
}

void kit_keep_states(struct probe *probe, struct buf *states)
{
    struct doc write;
    for (size_t at = 0; kit_next_write(&probe->writes, &at, &write);) {
        if (!text_is(doc_text(write, "w"), "keep"))
            continue;
        struct doc doc = doc_child(write, "v");
        size_t index = plugin_state_find(&probe->plugin, doc_text(write, "k"));
        buf_clear(&states[index]);
        if (doc.size != 0)
            buf_append(&states[index], doc.data, doc.size);
    }
}

/* A refusal is the plugin's mistake; for a failure of its own a reason is enough. */
static void judge(struct probe *probe, const struct kit_try *try, int rc)
{
    struct kit_callee *callee = try->callee;
    const struct kith_call *call = probe->call;
    const char *given = kit_given(probe, try);
    if (call->refused == KITH_DENIED)
        kit_find(probe, callee, KIT_DENIED, given,
                 "what a function reads and wants must stand in its description", "%s",
                 call->words);
    else if (call->refused != KITH_OK)
        kit_find(probe, callee, KIT_REFUSED, given,
                 "look at what the call returns, and at what was put into it", "%s", call->words);
    else if (rc != 0 && call->words[0] == '\0')
        kit_find(probe, callee, KIT_SILENT, given,
                 "return engine->fail(call, \"the reason\"): people will look for it",
                 "it failed and did not say why");
    if (kit_was_late(probe))
        kit_find(probe, callee, KIT_LATE, given,
                 "keep what you have read, and not the kith_call: another call has its own",
                 "it uses the kith_call of a call that has ended");
    bool is_hook = callee->kind != KIT_HANDLER && callee->kind != KIT_FUNCTION;
    enum doc_type answer = plugin_answer(call).type;
    if (rc == 0 && is_hook && answer != DOC_DOC)
        kit_find(probe, callee, KIT_ANSWERS, given,
                 "call answer() with a document before KITH_OK is returned", "%s",
                 answer == DOC_NONE ? "it answered nothing" : "it answered what is no document");
    struct doc write;
    for (size_t at = 0; rc == 0 && kit_next_write(&probe->writes, &at, &write);)
        kit_judge_write(probe, try, write);
}

static int call_once(struct probe *probe, const struct kit_try *try, size_t round, struct err *err)
{
    struct kit_callee *callee = try->callee;
    struct asked asked = { probe, try, round };
    struct plugin_source source = { &asked, read_value, read_state };
    struct kit_one one = {
        .source = &source,
        .reads = callee->reads,
        .run = callee->run,
        .arguments = arguments(probe, try),
        .now = kit_now(round),
    };
    paint_stack(probe->options->is_again);
    int64_t began = processor_ns();
    int rc = kit_call_one(probe, &one, err);
    int64_t taken = taken_ns(probe, began);
    if (callee->calls < KIT_TIMES_MAX)
        callee->ns[callee->calls] = taken;
    if (taken >= KIT_HANG_NS)
        kit_find(probe, callee, KIT_HANGS, kit_given(probe, try),
                 "what takes long belongs on the outside side, or into many calls",
                 "a call takes %lld ms of the processor, and isolated %lld ms are a hang",
                 (long long)(taken / 1000000), (long long)(KIT_HANG_NS / 1000000));
    callee->calls++;
    callee->failures += rc != 0;
    return rc;
}

/* Append {wants, answer}, or {failed}. */
static void put_result(struct probe *probe, int rc, const struct err *err, struct doc_writer *w)
{
    struct doc_value answer = plugin_answer(probe->call);
    struct doc write;
    doc_open(w, NULL);
    doc_open_array(w, "wants");
    for (size_t at = 0; rc == 0 && kit_next_write(&probe->writes, &at, &write);)
        doc_put_doc(w, NULL, write);
    doc_close(w);
    if (rc == 0)
        doc_put_value(w, "answer", &answer);
    else
        doc_put_string(w, "failed", err->text);
    doc_close(w);
}

void kit_run_try(struct probe *probe, const struct kit_try *try)
{
    struct doc_writer w;
    struct err err;
    for (size_t i = 0; i < PLUGIN_STATES_MAX; i++)
        buf_clear(&probe->states[i]);
    buf_clear(&probe->out);
    doc_begin(&w, &probe->out);
    doc_open_array(&w, "calls");
    for (size_t round = 1; round <= (try->is_row ? KIT_ROUNDS : 1); round++) {
        arena_clear(&probe->arena);
        kit_say_at(probe, try->callee->who, kit_given(probe, try));
        int rc = call_once(probe, try, round, &err);
        judge(probe, try, rc);
        kit_keep_states(probe, probe->states);
        put_result(probe, rc, &err, &w);
    }
    doc_close(&w);
    doc_end(&w);
}

void kit_learn(struct probe *probe)
{
    for (size_t i = 0; i < probe->callee_count; i++) {
        struct kit_try try = { .callee = &probe->callees[i],
                               .style = KIT_ORDINARY,
                               .is_row = true };
        if (try.callee->kind != KIT_HANDLER || !kit_step(probe, KIT_CALLEE, i, KIT_LEARN))
            continue;
        kit_run_try(probe, &try);
        kit_watch_peak(probe, &try);
        for (size_t j = 0; j < probe->plugin.state_count; j++)
            if (probe->states[j].size != 0) {
                buf_clear(&probe->learned[j]);
                buf_append(&probe->learned[j], probe->states[j].data, probe->states[j].size);
            }
    }
}

/* -- Memory ------------------------------------------------------------------------------------ */

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void kit_watch_memory(struct probe *probe, const struct kit_try *try)
{
    for (int i = 0; i < 3; i++) /* what is allocated once is no leak */
        kit_run_try(probe, try);
    size_t calls = 0, used = memory_in_use();
    int64_t began = processor_ns();
    while (calls < KIT_GROWTH_CALLS && processor_ns() - began < KIT_GROWTH_MS * 1000000ll) {
        kit_run_try(probe, try);
        calls++;
    }
    size_t now = memory_in_use();
    if (calls != 0 && now > used && (now - used) / calls >= 8)
        kit_find(probe, try->callee, KIT_GROWS, kit_given(probe, try),
                 "give back before it returns what a call takes: nothing may be kept between two",
                 "it takes %zu bytes a call and never gives them back", (now - used) / calls);
}

void kit_watch_peak(struct probe *probe, const struct kit_try *try)
{
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    size_t peak = (size_t)(now.ru_maxrss - probe->peak_kib) << 10;
    if (probe->peak_kib != 0 && peak > KIT_MEMORY_BYTES)
        kit_find(probe, try->callee, KIT_HUNGRY, kit_given(probe, try),
                 "a call needs some KiB: bound what is allocated by what was given",
                 "it took %zu MiB of memory", peak >> 20);
    probe->peak_kib = now.ru_maxrss;
}
