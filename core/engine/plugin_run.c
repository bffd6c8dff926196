/* plugin_run.c -- calling plugins: who hears of what, and what becomes of one that is lost.
 *
 * How one comes back is plugin_back.c's.
 *
 * A plugin's code is somebody else's.  In this process it may end us in the middle of an entry; in
 * its own it may end, or never answer.  Either way the entry must be applied without it, and every
 * replay must do the same, so what cannot be recomputed is a verdict of the entry:
 * {plugin, kind: "crash" or "hang", nth}.  `nth` counts the calls into this plugin that the entry
 * has made, from 1 on: there it is not called, and all that follows is what followed then.  Without
 * `nth`, as after a crash of the whole process, it takes no part in the entry at all.
 *
 *     state           event                       becomes
 *     -----------     -------------------------   ------------------------------------------
 *     there           a call crashes or hangs     quarantined; what it heard of is parked
 *     there           plugin.disabled             quarantined
 *     quarantined     plugin.disabled of staff's  the same, and only a person lets it in again
 *     quarantined     an event it listens to      the same; the event is parked, or over
 *                                                 limits.plugin_parked counted as missed
 *     quarantined     plugin.enabled              behind, if anything is parked, else there
 *     behind          tick                        hears of so many parked events; at last: there
 *     behind          an event it listens to      the same; the event is parked
 *     behind          a call crashes or hangs     quarantined
 *
 *     `m` plugins            {NAME: {kind, seq, reason, since, parked, missed}, ...}; `kind`
 *                            only of those that are quarantined
 *     `p` plugin seq n       customer: the events that are parked, in order ...
 *     `c` customer `Q` plugin seq n    ... and what they say, which lies with the customer
 */
#include "core/engine/engine_inside.h"
#include "core/engine/plugin_standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Rows ----------------------------------------------------------------- */

void plugin_key_queue(struct key *key, struct text plugin)
{
    key_start(key, 'p');
    key_text(key, plugin);
}

void plugin_key_parked(struct key *key, uint64_t customer, struct text plugin, uint64_t seq,
                       uint64_t n)
{
    key_customer(key, customer, 'Q');
    key_text(key, plugin);
    key_id(key, seq, n);
}

static struct doc row_of(struct engine *engine, struct text plugin)
{
    struct doc_value row = doc_get_text(meta_get(engine, "plugins"), plugin);
    return row.type == DOC_DOC ? row.doc : (struct doc){ NULL, 0 };
}

struct standing plugin_standing(struct engine *engine, struct text plugin)
{
    struct doc row = row_of(engine, plugin);
    return (struct standing){
        .kind = arena_text(&engine->arena, doc_text(row, "kind")),
        .reason = arena_text(&engine->arena, doc_text(row, "reason")),
        .seq = doc_int(row, "seq", 0),
        .about = doc_int(row, "about", 0),
        .since = doc_int(row, "since", 0),
        .parked = doc_int(row, "parked", 0),
        .missed = doc_int(row, "missed", 0),
    };
}

static void put_standing(struct doc_writer *w, struct text plugin, const struct standing *standing)
{
    doc_open_text(w, plugin);
    if (standing->kind.size != 0) {
        doc_put_text(w, "kind", standing->kind);
        doc_put_int(w, "seq", standing->seq);
        if (standing->about != 0)
            doc_put_int(w, "about", standing->about);
        doc_put_present(w, "reason", standing->reason);
        doc_put_int(w, "since", standing->since);
    }
    doc_put_int(w, "parked", standing->parked);
    doc_put_int(w, "missed", standing->missed);
    doc_close(w);
}

void plugins_note_away(struct engine *engine)
{
    engine->parked_is_open = false;
    for (size_t i = 0; engine->plugins != NULL && i < engine->plugins->count; i++) {
        struct plugin_standing *known = &engine->standings[i];
        struct doc row = row_of(engine, engine->plugins->names[i]);
        bool is_quarantined = doc_text(row, "kind").size != 0 || known->lost != PLUGIN_OK;
        known->presence = is_quarantined                   ? PLUGIN_QUARANTINED
                          : doc_int(row, "parked", 0) != 0 ? PLUGIN_BEHIND
                                                           : PLUGIN_THERE;
        if (known->presence == PLUGIN_BEHIND)
            engine->parked_is_open = true;
    }
}

void plugins_begin_entry(struct engine *engine)
{
    for (size_t i = 0; engine->plugins != NULL && i < engine->plugins->count; i++)
        engine->standings[i].calls = 0;
}

void plugin_set_standing(struct engine *engine, struct text plugin, const struct standing *standing)
{
    struct doc_writer w;
    bool is_nothing = standing->kind.size == 0 && standing->parked == 0 && standing->missed == 0;
    struct doc before = meta_get(engine, "plugins");
    engine_draft(engine, &w);
    pause_put_others(&w, before, plugin);
    if (!is_nothing)
        put_standing(&w, plugin, standing);
    struct doc rows = engine_doc(engine, &w);
    meta_put(engine, "plugins", doc_count(rows) != 0 ? rows : (struct doc){ NULL, 0 });
    plugins_note_away(engine);
}

/* -- Parking -------------------------------------------------------------- */

static struct doc put_parked(struct engine *engine, const struct event *event, bool is_foreign)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "type", event->type);
    doc_put_int(&w, "at", event->at);
    doc_put_int(&w, "logged", event->logged);
    doc_put_int(&w, "class", event->class);
    doc_put_int(&w, "depth", event->depth);
    if (is_foreign)
        doc_put_bool(&w, "foreign", true);
    doc_put_present(&w, "id", event->id);
    doc_put_present(&w, "source", event->source);
    doc_put_present(&w, "by", event->by);
    doc_put_present(&w, "about", event->about);
    doc_put_doc(&w, "data", event->data);
    if (event->context.data != NULL)
        doc_put_doc(&w, "context", event->context);
    return engine_doc(engine, &w);
}

struct event *plugin_read_parked(struct engine *engine, uint64_t seq, uint64_t n, struct doc row)
{
    struct event *event = arena_zero(&engine->lasting, sizeof *event);
    row = arena_doc(&engine->lasting, row);
    *event = (struct event){
        .seq = seq,
        .n = n,
        .class = (enum log_class)doc_int(row, "class", LOG_CLIENT),
        .type = doc_text(row, "type"),
        .at = doc_int(row, "at", 0),
        .logged = doc_int(row, "logged", 0),
        .depth = (unsigned)doc_int(row, "depth", 0),
        .parked_is_foreign = doc_bool(row, "foreign", false),
        .id = doc_text(row, "id"),
        .source = doc_text(row, "source"),
        .by = doc_text(row, "by"),
        .about = doc_text(row, "about"),
        .data = doc_child(row, "data"),
        .context = doc_child(row, "context"),
    };
    return event;
}

/* What does not fit into a row: an event as large as one may be. */
static bool is_too_large(struct doc row)
{
    return row.size > STATE_VALUE_MAX;
}

/* Whether what plugins hear of only bears a name that is the system's or a plugin's. */
static bool hears_foreign(const struct step *step)
{
    const struct event *parked = step->event->parked;
    return parked != NULL ? parked->parked_is_foreign : step->trace.is_foreign;
}

static void park(struct step *step, size_t plugin)
{
    struct engine *engine = step->engine;
    struct text name = engine->plugins->names[plugin];
    const struct event *event = step_event(step);
    struct standing standing = plugin_standing(engine, name);
    struct doc row = put_parked(engine, event, hears_foreign(step));
    struct key key, number = { .size = 0 };
    bool has_room = standing.parked < engine->config.limits.plugin_parked && !is_too_large(row);
    step_note_line(step,
                   arena_printf(&engine->arena, "plugin %.*s %s: this event %s", (int)name.size,
                                name.data, standing.kind.size != 0 ? "is quarantined" : "is behind",
                                has_room ? "is parked for it" : "passes it by"));
    if (has_room) {
        uint64_t customer = step->event->customer;
        plugin_key_parked(&key, customer, name, event->seq, event->n);
        state_put(engine->state, &key, row.data, row.size);
        plugin_key_queue(&key, name);
        key_id(&key, event->seq, event->n);
        key_number(&number, customer);
        state_put(engine->state, &key, number.data, number.size);
        standing.parked++;
    } else {
        standing.missed++;
    }
    plugin_set_standing(engine, name, &standing);
}

/* -- Quarantine ----------------------------------------------------------- */

size_t plugin_place(const struct engine *engine, struct text name)
{
    size_t count = engine->plugins != NULL ? engine->plugins->count : 0, i = 0;
    while (i < count && !text_equal(engine->plugins->names[i], name))
        i++;
    return i < count ? i : SIZE_MAX;
}

struct text plugin_owner(const struct engine *engine, struct text name)
{
    struct text owner = config_owner(&engine->config, name);
    size_t place = SIZE_MAX;
    if (owner.size == 0)
        place = plugin_place(engine, event_type_word(name));
    return place != SIZE_MAX ? engine->plugins->names[place] : owner;
}

void plugin_quarantine(struct engine *engine, struct text name, const char *kind,
                       struct text reason, int64_t about)
{
    struct standing standing = plugin_standing(engine, name);
    standing.kind = text_of(kind);
    standing.seq = (int64_t)engine->seq;
    standing.since = engine->now;
    standing.reason = reason;
    standing.about = about;
    plugin_set_standing(engine, name, &standing);
}

bool engine_plugin_is_there(const struct engine *engine, struct text name)
{
    size_t place = plugin_place(engine, name);
    return place != SIZE_MAX && engine->standings[place].presence != PLUGIN_QUARANTINED;
}

/* -- Calls ---------------------------------------------------------------- */

static enum plugin_outcome outcome_of(struct doc verdict)
{
    return text_is(doc_text(verdict, "kind"), "hang") ? PLUGIN_HUNG : PLUGIN_CRASHED;
}

/* What a verdict says of this call into the plugin; none: nothing. */
static struct doc verdict_on(const struct engine *engine, struct text plugin, uint64_t call)
{
    for (struct doc_iter it = doc_iter(engine->plugin_verdict); doc_next(&it);)
        if (text_equal(doc_text(it.value.doc, "plugin"), plugin) &&
            (uint64_t)doc_int(it.value.doc, "nth", 0) <= call)
            return it.value.doc;
    return (struct doc){ NULL, 0 };
}

/* As the verdict has it; what is longer was not written by us. */
static void note_reason(struct plugin_standing *standing, struct doc verdict)
{
    struct text reason = doc_text(verdict, "reason");
    size_t size = reason.size < sizeof standing->reason ? reason.size : sizeof standing->reason - 1;
    if (size != 0)
        memcpy(standing->reason, reason.data, size);
    standing->reason[size] = '\0';
}

void plugins_obey_verdict(struct engine *engine)
{
    for (struct doc_iter it = doc_iter(engine->plugin_verdict); doc_next(&it);) {
        size_t place = plugin_place(engine, doc_text(it.value.doc, "plugin"));
        if (place == SIZE_MAX || doc_get(it.value.doc, "nth").type != DOC_NONE)
            continue;
        engine->standings[place].lost = outcome_of(it.value.doc);
        engine->standings[place].about = doc_int(it.value.doc, "about", 0);
        note_reason(&engine->standings[place], it.value.doc);
    }
    plugins_note_lost(engine);
}

/* Before a call: whether it was the one that the plugin was lost in.  Counts it. */
static enum plugin_outcome enter(struct engine *engine, size_t plugin)
{
    uint64_t call = ++engine->standings[plugin].calls;
    if (engine->plugin_verdict.data == NULL)
        return PLUGIN_OK;
    struct doc verdict = verdict_on(engine, engine->plugins->names[plugin], call);
    if (verdict.data == NULL)
        return PLUGIN_OK;
    note_reason(&engine->standings[plugin], verdict);
    return outcome_of(verdict);
}

/* What it was called for, in words for people: "handler", "visit". */
struct callee {
    const char *what;
    struct text name;
};

/* "it crashed (SIGSEGV) in its handler visit".  In no arena: what the call did there is undone. */
static void note_loss_reason(struct plugin_standing *standing, enum plugin_outcome outcome,
                             const struct callee *callee, const struct err *err)
{
    const char *how = outcome == PLUGIN_HUNG ? "it did not answer in time" : "it crashed";
    if (err->text[0] != '\0')
        how = err->text;
    snprintf(standing->reason, sizeof standing->reason, "%.90s in its %s %.*s", how, callee->what,
             (int)(callee->name.size < 40 ? callee->name.size : 40), callee->name.data);
}

/* After it: one that was lost is quarantined, and if nobody knew, it will be known. */
static void leave(struct engine *engine, size_t plugin, enum plugin_outcome outcome, bool is_known,
                  const struct callee *callee, const struct err *err)
{
    if (!plugin_is_lost(outcome))
        return;
    if (!is_known) {
        note_loss_reason(&engine->standings[plugin], outcome, callee, err);
        plugin_note_loss(engine, plugin, outcome);
    }
    engine->standings[plugin].presence = PLUGIN_QUARANTINED;
    engine->standings[plugin].lost = outcome;
    engine->standings[plugin].is_news = true;
}

void plugins_note_lost(struct engine *engine)
{
    for (size_t i = 0; engine->plugins != NULL && i < engine->plugins->count; i++) {
        struct plugin_standing *standing = &engine->standings[i];
        enum plugin_outcome lost = standing->lost;
        int64_t about = standing->about;
        struct text reason = arena_text(&engine->arena, text_of(standing->reason));
        standing->lost = PLUGIN_OK;
        standing->about = 0;
        if (lost != PLUGIN_OK)
            plugin_quarantine(engine, engine->plugins->names[i],
                              lost == PLUGIN_HUNG ? "hang" : "crash", reason, about);
    }
}

void plugins_report_lost(struct engine *engine)
{
    for (size_t i = 0; engine->plugins != NULL && i < engine->plugins->count; i++) {
        bool is_news = engine->standings[i].is_news;
        engine->standings[i].is_news = false;
        if (is_news && engine_is_live(engine) && engine->hooks->plugin_lost != NULL)
            engine->hooks->plugin_lost(engine->arg, engine->plugins->names[i],
                                       engine->standings[i].reason);
    }
}

static int lost_error(struct text name, enum plugin_outcome outcome, struct err *err)
{
    return err_set(err, E_BUSY,
                   "plugin %.*s %s and is quarantined: see kith plugin list, then kith plugin "
                   "enable %.*s",
                   (int)name.size, name.data, outcome == PLUGIN_HUNG ? "did not answer" : "crashed",
                   (int)name.size, name.data);
}

int step_call_plugin(struct step *step, size_t function, struct doc arguments,
                     struct doc_value *out_answer, struct err *err)
{
    struct engine *engine = step->engine;
    size_t plugin = engine->plugins->functions[function].plugin;
    struct text name = engine->plugins->names[plugin];
    if (engine->standings[plugin].presence == PLUGIN_QUARANTINED)
        return err_set(err, E_BUSY, "plugin %.*s is quarantined: see kith plugin list",
                       (int)name.size, name.data);
    struct savepoint point;
    const struct callee callee = { "function", engine->plugins->functions[function].name };
    struct err own = { 0 };
    step_save(step, &point);
    enum plugin_outcome outcome = enter(engine, plugin);
    bool is_known = outcome != PLUGIN_OK;
    unsigned tries = 0;
    while (!is_known) {
        outcome =
            engine->plugins->call(engine->plugins, function, step, arguments, out_answer, &own);
        if (!plugin_tries_again(engine, plugin, outcome, &tries))
            break;
    }
    leave(engine, plugin, outcome, is_known, &callee, &own);
    if (outcome == PLUGIN_OK) {
        step_keep(step);
        return 0;
    }
    step_undo(step, &point); /* the rule may go on */
    if (outcome != PLUGIN_FAILED)
        return lost_error(name, outcome, err);
    *err = own;
    return own.code;
}

int64_t plugin_version(struct engine *engine, struct text plugin, struct text key)
{
    size_t place = plugin_place(engine, plugin);
    return place != SIZE_MAX ? engine->plugins->version(engine->plugins, place, key) : 0;
}

bool plugin_fold(struct engine *engine, struct text plugin, enum plugin_fold what, struct text key,
                 struct doc arguments, struct doc *out_answer)
{
    size_t place = plugin_place(engine, plugin);
    struct err err = { 0 };
    *out_answer = (struct doc){ NULL, 0 };
    if (place == SIZE_MAX)
        return false;
    if (engine->standings[place].presence == PLUGIN_QUARANTINED) {
        plugin_hook_passed_over(engine, place, what, key);
        return false;
    }
    enum plugin_outcome outcome = enter(engine, place);
    bool is_known = outcome != PLUGIN_OK;
    unsigned tries = 0;
    while (!is_known) {
        outcome = engine->plugins->fold(engine->plugins, place, what, key, arguments,
                                        &engine->arena, out_answer, &err);
        if (!plugin_tries_again(engine, place, outcome, &tries))
            break;
    }
    leave(engine, place, outcome, is_known, &(struct callee){ "hook of the document", key }, &err);
    if (outcome == PLUGIN_OK && plugin_hook_check(engine, what, key, *out_answer, &err) != 0)
        outcome = PLUGIN_FAILED;
    if (outcome == PLUGIN_FAILED)
        plugin_hook_failed(engine, plugin, what, key, err.text);
    return outcome == PLUGIN_OK && out_answer->data != NULL;
}

/* -- Handlers ------------------------------------------------------------- */

static void report_failure(struct step *step, size_t plugin, const struct rule *handler,
                           const char *message)
{
    struct engine *engine = step->engine;
    struct text name = engine->plugins->names[plugin];
    struct doc_writer w;
    engine->failures++;
    if (text_is(step->event->type, "plugin.failed") ||
        step_check_derived(step, "plugin.failed", NULL) != 0) {
        step_note_line(step, arena_printf(&engine->arena, "plugin %.*s failed: %s", (int)name.size,
                                          name.data, message));
        return;
    }
    engine_draft(engine, &w);
    doc_put_text(&w, "plugin", name);
    doc_put_text(&w, "handler", handler->name);
    doc_put_string(&w, "message", message);
    step_derive(step, "plugin.failed", step->event->customer, engine_doc(engine, &w));
}

static void note_handler(struct step *step, const struct rule *handler)
{
    struct trace *trace = &step->trace;
    if (trace->handler_count < sizeof trace->handlers / sizeof *trace->handlers)
        trace->handlers[trace->handler_count++] = handler->name;
    else
        trace->is_cut = true;
}

/* "PLUGIN.visit" without the plugin. */
static struct text handler_word(const struct plugins *plugins, size_t index)
{
    struct text name = plugins->handlers[index].name;
    uint32_t before = plugins->names[plugins->owners[index]].size + 1;
    return before < name.size ? (struct text){ name.data + before, name.size - before } : name;
}

/* Whether the plugin is still there afterwards. */
static bool run_handler(struct step *step, size_t index)
{
    struct engine *engine = step->engine;
    struct plugins *plugins = engine->plugins;
    size_t plugin = plugins->owners[index];
    const struct rule *handler = &plugins->handlers[index];
    struct savepoint point;
    struct err err = { 0 };
    step_save(step, &point);
    step->rule = handler;
    step->rule_from = engine_bytes(engine);
    const struct callee callee = { "handler", handler_word(plugins, index) };
    enum plugin_outcome outcome = enter(engine, plugin);
    bool is_known = outcome != PLUGIN_OK;
    unsigned tries = 0;
    while (!is_known) {
        outcome = plugins->run(plugins, index, step, &err);
        if (!plugin_tries_again(engine, plugin, outcome, &tries))
            break;
    }
    leave(engine, plugin, outcome, is_known, &callee, &err);
    step->rule = NULL;
    if (outcome == PLUGIN_OK) {
        step_keep(step);
        if (step_has_acted(step, &point))
            note_handler(step, handler);
        return true;
    }
    step_undo(step, &point);
    if (outcome == PLUGIN_FAILED)
        report_failure(step, plugin, handler, err.text);
    return outcome == PLUGIN_FAILED;
}

static bool is_meant(const struct step *step, size_t index)
{
    const struct event *event = step->event;
    const struct plugins *plugins = step->engine->plugins;
    return (event->parked == NULL || plugins->owners[index] == event->parked_for) &&
           (!hears_foreign(step) || plugins->handlers[index].type_count == 0);
}

/* Those of a list that the event is for. */
static size_t count_meant(const struct step *step, struct rule_list list)
{
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += is_meant(step, list.items[i]);
    return count;
}

/* One plugin hears of it.  When it is lost in one of several handlers, what those before did is
 * undone too: it will hear of the whole event again. */
static void hear(struct step *step, size_t plugin, struct rule_list list, bool are_several)
{
    struct engine *engine = step->engine;
    struct savepoint point;
    bool is_there = true;
    if (are_several)
        step_save(step, &point);
    for (size_t i = 0; is_there && i < list.count; i++)
        is_there = !is_meant(step, list.items[i]) || run_handler(step, list.items[i]);
    if (are_several && is_there)
        step_keep(step);
    else if (are_several)
        step_undo(step, &point);
    if (is_there)
        return;
    plugins_note_lost(engine);
    park(step, plugin);
}

/* Handlers of one plugin follow one another. */
void plugins_hear(struct step *step)
{
    struct engine *engine = step->engine;
    if (engine->plugins == NULL || step->event->historic)
        return;
    struct rule_list left = rule_index_find(engine->plugin_index, step_event(step)->type);
    while (left.count != 0) {
        size_t plugin = engine->plugins->owners[left.items[0]];
        struct rule_list own = { left.items, 0 };
        while (own.count < left.count && engine->plugins->owners[left.items[own.count]] == plugin)
            own.count++;
        left = (struct rule_list){ left.items + own.count, left.count - own.count };

        size_t meant = count_meant(step, own);
        enum plugin_presence presence = engine->standings[plugin].presence;
        bool is_next = step->event->parked != NULL && presence == PLUGIN_BEHIND;
        if (meant != 0 && (presence == PLUGIN_THERE || is_next))
            hear(step, plugin, own, meant > 1);
        else if (meant != 0)
            park(step, plugin);
    }
}

/* -- What is to come ------------------------------------------------------ */

bool engine_foresees(const struct engine *engine)
{
    return engine->plugins != NULL && engine->plugins->foresee != NULL &&
           engine->plugins->handler_count != 0;
}

struct glimpse { /* of a group that is about to be applied */
    struct engine *engine;
    uint64_t customers[ENGINE_FORESEEN_MAX];
    size_t count;
};

static bool is_first_of(struct glimpse *glimpse, uint64_t customer)
{
    for (size_t i = 0; i < glimpse->count; i++)
        if (glimpse->customers[i] == customer)
            return customer == 0;
    glimpse->customers[glimpse->count++] = customer;
    return true;
}

/* As far as it can be known before those in front of it are applied. */
static void foresee(struct glimpse *glimpse, const struct log_entry *entry)
{
    struct engine *engine = glimpse->engine;
    struct event event;
    struct step step;
    if (entry->is_tombstone || event_read(&event, entry, NULL) != 0 || event.historic)
        return;
    struct rule_list list = rule_index_find(engine->plugin_index, event.type);
    if (list.count == 0)
        return;
    event.customer = identity_of_event(engine, &event);
    engine->now = entry->logged;
    step_begin(&step, engine, &event);
    bool is_first = is_first_of(glimpse, step.customer.number);
    for (size_t i = 0; i < list.count; i++)
        if (engine->standings[engine->plugins->owners[list.items[i]]].presence == PLUGIN_THERE)
            engine->plugins->foresee(engine->plugins, list.items[i], &step, is_first);
}

void engine_foresee(struct engine *engine, const struct log_entry *entries, size_t count)
{
    struct glimpse glimpse = { .engine = engine };
    int64_t now = engine->now;
    arena_clear(&engine->arena);
    for (size_t i = 0; i < count && i < ENGINE_FORESEEN_MAX; i++)
        foresee(&glimpse, &entries[i]);
    engine->now = now;
    engine->plugins->post(engine->plugins);
}

/* -- Life ---------------------------------------------------------------- */

void engine_set_plugins(struct engine *engine, struct plugins *plugins)
{
    rule_index_free(engine->plugin_index);
    free(engine->standings);
    engine->plugins = plugins;
    engine->plugin_index = NULL;
    engine->standings = NULL;
    if (plugins != NULL) {
        engine->plugin_index = rule_index_new(plugins->handlers, plugins->handler_count);
        engine->standings = mem_zero((plugins->count + 1) * sizeof *engine->standings);
    }
    engine_note_kinds(engine);
    plugins_note_away(engine);
}
