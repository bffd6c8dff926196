/* read_rules.c -- which rules there are, what starts them, and which are paused. */
#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"

/* -- What starts it -------------------------------------------------------------------- */

static void put_at(struct buf *out, const struct rule *rule)
{
    if (rule->at_minute >= 0)
        buf_printf(out, " at %02d:%02d", rule->at_minute / 60, rule->at_minute % 60);
}

static void put_date(struct buf *out, const struct rule *rule)
{
    char shift[DURATION_TEXT_SIZE];
    buf_printf(out, "date %.*s", (int)rule->trait.size, rule->trait.data);
    duration_format(rule->period, shift);
    if (rule->period.count != 0)
        buf_printf(out, " %s", shift);
    put_at(out, rule);
}

static void put_types(struct buf *out, const struct rule *rule)
{
    buf_text(out, rule->type_count == 0 ? "*" : "");
    for (size_t i = 0; i < rule->type_count; i++)
        buf_printf(out, "%s%.*s", i != 0 ? ", " : "", (int)rule->types[i].size,
                   rule->types[i].data);
}

static void put_trigger(struct buf *out, const struct rule *rule)
{
    char period[DURATION_TEXT_SIZE];
    switch (rule->trigger) {
    case RULE_ON_TYPES:
        put_types(out, rule);
        return;
    case RULE_ON_EVERY:
        duration_format(rule->period, period);
        buf_printf(out, "every %s", period);
        put_at(out, rule);
        return;
    case RULE_ON_DATE:
        put_date(out, rule);
        return;
    case RULE_ON_YEARLY:
        break;
    }
    buf_printf(out, "yearly %.*s%s", (int)rule->trait.size, rule->trait.data,
               rule->is_chinese ? " chinese" : "");
    put_at(out, rule);
}

static void show_trigger(struct doc_writer *w, const struct rule *rule)
{
    struct buf words = BUF_INIT;
    put_trigger(&words, rule);
    doc_put_text(w, "trigger", (struct text){ buf_string(&words), (uint32_t)words.size });
    buf_deinit(&words);
    if (rule->trigger != RULE_ON_TYPES)
        return;
    doc_open_array(w, "on");
    if (rule->type_count == 0)
        doc_put_string(w, "", "*");
    for (size_t i = 0; i < rule->type_count; i++)
        doc_put_text(w, "", rule->types[i]);
    doc_close(w);
}

/* -- Whether it runs ------------------------------------------------------------------- */

static size_t count_parked(struct engine *engine, struct text rule)
{
    struct key prefix;
    struct cursor cursor;
    size_t count = 0;
    key_parked_prefix(&prefix, rule);
    cursor_open(&cursor, engine->state, &prefix);
    while (count < READ_WAITING_MAX && cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}

/* `rule` NULL: it is not in the bundle in force. */
static void show_rule(struct doc_writer *w, struct engine *engine, struct text name,
                      const struct rule *rule, struct doc paused)
{
    struct doc_value pause = doc_get_text(paused, name);
    bool is_paused = pause.type == DOC_DOC;
    doc_put_text(w, "name", name);
    if (rule != NULL)
        show_trigger(w, rule);
    doc_put_string(w, "state", is_paused ? "paused" : "active");
    if (!is_paused)
        return;
    doc_put_value(w, "paused", &pause);
    doc_put_int(w, "waiting", (int64_t)count_parked(engine, name));
}

static const struct rule *find_rule(const struct engine *engine, struct text name)
{
    for (size_t i = 0; engine->rules != NULL && i < engine->rules->count; i++)
        if (text_equal(engine->rules->rules[i].name, name))
            return &engine->rules->rules[i];
    return NULL;
}

void read_rules(struct engine *engine, struct buf *out)
{
    struct list list;
    arena_clear(&engine->arena);
    struct doc paused = meta_get(engine, "paused_rules");
    list_begin(&list, out, SIZE_MAX);
    for (size_t i = 0; engine->rules != NULL && i < engine->rules->count; i++) {
        const struct rule *rule = &engine->rules->rules[i];
        list_item(&list);
        show_rule(&list.w, engine, rule->name, rule, paused);
        doc_close(&list.w);
    }
    for (struct doc_iter it = doc_iter(paused); doc_next(&it);) {
        if (find_rule(engine, it.name) != NULL)
            continue;
        list_item(&list);
        show_rule(&list.w, engine, it.name, NULL, paused);
        doc_close(&list.w);
    }
    list_end(&list, (struct text){ "", 0 }, engine->seq);
}

int read_rule(struct engine *engine, struct text name, struct buf *out, struct err *err)
{
    struct doc_writer w;
    arena_clear(&engine->arena);
    struct doc paused = meta_get(engine, "paused_rules");
    const struct rule *rule = find_rule(engine, name);
    if (rule == NULL && doc_get_text(paused, name).type != DOC_DOC)
        return err_set(err, E_NOTFOUND, "no rule is called \"%.*s\"", (int)name.size, name.data);
    doc_begin(&w, out);
    show_rule(&w, engine, name, rule, paused);
    doc_end(&w);
    return 0;
}
