/* record_plugin.c -- steps and fields of records that are a plugin's alone: `by = "plugin"`.
 *
 * Some of what a record says is a finding and no decision: that a promise was broken, that an
 * answer came in time.  A kind says of these that they are a plugin's, and then whatever staff, a
 * rule or a command asks for is refused.  A plugin acts by what it appends, by its requests to the
 * HTTP interface (their source is its name, and no key may be called so), and by its handlers and
 * functions inside of a step.
 *
 * A field may also say who has done something, as a signature does: `by = "caller"`.  Where the key
 * of a call is somebody's, it is her name and no other.
 *
 * To name such a field with the value it has is no change: whoever reads a record and sends it back
 * is let be.
 */
#include "core/engine/record_inside.h"

#include <string.h>

static bool is_plugins(const struct step *step)
{
    const struct event *event = step->event;
    size_t size = strlen(EVENT_PLUGIN_PREFIX);
    if (step->rule != NULL)
        return step->plugin.size != 0;
    return event->class == LOG_PLUGIN ||
           (event->class == LOG_STAFF && event->source.size > size &&
            memcmp(event->source.data, EVENT_PLUGIN_PREFIX, size) == 0);
}

/* Who a call of staff's came from, as her key says; empty: it does not. */
static struct text caller(struct record_work *work)
{
    struct engine *engine = work->engine;
    struct text source = work->step->event->source;
    struct key key;
    struct bytes row;
    key_named(&key, 'K', source);
    if (work->step->rule != NULL || work->step->event->class != LOG_STAFF || source.size == 0 ||
        !key_ok(&key) || !state_get(engine->state, &key, &row))
        return (struct text){ "", 0 };
    return arena_text(&engine->arena,
                      doc_text((struct doc){ row.data, (uint32_t)row.size }, "staff"));
}

static int check_caller(struct record_work *work, const struct kind_field *field,
                        const struct doc_value *value, struct err *err)
{
    struct text who = caller(work);
    if (who.size == 0 || (value->type == DOC_TEXT && text_equal(value->text, who)))
        return 0;
    return record_fail(work, E_DENIED,
                       arena_printf(&work->engine->arena,
                                    "\"%s\" is whoever says so, and the key is %s's",
                                    field->name.data, who.data)
                           .data,
                       err);
}

static bool is_as_it_is(const struct record *record, struct text name,
                        const struct doc_value *value)
{
    struct doc_value now = record_field(record, name);
    if (value->type == DOC_NULL)
        return now.type == DOC_NONE;
    return now.type == value->type && doc_value_equal(&now, value);
}

int record_check_fields(struct record_work *work, struct doc given, struct err *err)
{
    const struct kind *kind = work->record.kind;
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        size_t place = kind_field_find(kind, it.name);
        if (place == KIND_NONE || is_as_it_is(&work->record, it.name, &it.value))
            continue;
        const struct kind_field *field = &kind->fields[place];
        if (field->is_callers && check_caller(work, field, &it.value, err) != 0)
            return err->code;
        if (!field->is_plugins || is_plugins(work->step))
            continue;
        return record_fail(work, E_DENIED,
                           arena_printf(&work->engine->arena,
                                        "the field \"%s\" is written by a plugin, and by nobody "
                                        "else",
                                        field->name.data)
                               .data,
                           err);
    }
    return 0;
}

int record_check_step(struct record_work *work, const struct kind_transition *transition,
                      struct err *err)
{
    if (!transition->is_plugins || is_plugins(work->step))
        return 0;
    return record_fail(work, E_DENIED,
                       arena_printf(&work->engine->arena,
                                    "\"%s\" is a step that a plugin takes by itself, and nobody "
                                    "else",
                                    transition->name.data)
                           .data,
                       err);
}
