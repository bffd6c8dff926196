/* pause.c -- channels that nothing is claimed for.
 *
 * A channel is paused by a person, or by its receiver: one that says that it is gone for good must
 * not be called again until somebody has looked at it.  So the pause is an entry and outlives the
 * process.  What is meant for the channel goes on being made, waits in its lines and expires there;
 * what has been claimed goes on to its outcome.
 *
 * "*" is all of them, those that a later configuration adds as well.  It is a pause of its own, so
 * that who ends it finds each channel as it was: one that its receiver has closed stays closed.
 */
#include "core/engine/engine_inside.h"

#include "core/base/utf8.h"

#define PAUSE_REASON_BYTES_MAX 500

/* The channel that the entry names, if there is one; or all. */
static bool find_channel(struct step *step, struct text *out_name)
{
    struct engine *engine = step->engine;
    *out_name = doc_text(step->event->data, "channel");
    if (text_is(*out_name, CHANNEL_ALL) || config_channel(&engine->config, *out_name) != NULL)
        return true;
    engine_refuse(engine, E_NOTFOUND, "no channel is called \"%.*s\"", (int)out_name->size,
                  out_name->data);
    return false;
}

void pause_put_others(struct doc_writer *w, struct doc paused, struct text without)
{
    for (struct doc_iter it = doc_iter(paused); doc_next(&it);)
        if (!text_equal(it.name, without))
            doc_put_value_text(w, it.name, &it.value);
}

void pause_put(struct doc_writer *w, const struct event *event, struct text name)
{
    struct text reason = doc_text(event->data, "reason");
    reason.size = (uint32_t)utf8_cut(reason.data, reason.size, PAUSE_REASON_BYTES_MAX);
    doc_open_text(w, name);
    doc_put_int(w, "seq", (int64_t)event->seq);
    doc_put_datetime(w, "since", event->logged);
    doc_put_present(w, "reason", reason);
    doc_put_present(w, "by", event->by);
    doc_close(w);
}

void channel_paused(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc paused = meta_get(engine, "paused");
    struct text name;
    struct doc_writer w;
    if (!find_channel(step, &name) || doc_get_text(paused, name).type == DOC_DOC)
        return; /* the first reason is kept */
    engine_draft(engine, &w);
    pause_put_others(&w, paused, name);
    pause_put(&w, step->event, name);
    meta_put(engine, "paused", engine_doc(engine, &w));
}

void channel_resumed(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc paused = meta_get(engine, "paused");
    struct text name;
    struct doc_writer w;
    if (!find_channel(step, &name) || doc_get_text(paused, name).type != DOC_DOC)
        return;
    engine_draft(engine, &w);
    pause_put_others(&w, paused, name);
    struct doc rest = engine_doc(engine, &w);
    meta_put(engine, "paused", doc_count(rest) != 0 ? rest : (struct doc){ NULL, 0 });
    for (size_t i = 0; i < engine->config.channel_count; i++) {
        struct text channel = text_of(engine->config.channels[i].name);
        if (text_is(name, CHANNEL_ALL) || text_equal(name, channel))
            engine_note_ready(engine, channel);
    }
}

/* -- Questions ------------------------------------------------------------ */

bool engine_is_paused(struct engine *engine, struct text channel)
{
    arena_clear(&engine->arena);
    struct doc paused = meta_get(engine, "paused");
    return doc_get_text(paused, channel).type == DOC_DOC ||
           doc_get(paused, CHANNEL_ALL).type == DOC_DOC;
}

size_t engine_waiting(struct engine *engine, struct text channel, size_t count_max)
{
    struct key prefix;
    struct cursor cursor;
    size_t count = 0;
    key_start(&prefix, 'x');
    key_text(&prefix, channel);
    cursor_open(&cursor, engine->state, &prefix);
    while (count < count_max && cursor_next(&cursor))
        count++;
    cursor_close(&cursor);
    return count;
}
