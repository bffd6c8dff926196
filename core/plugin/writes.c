/* writes.c -- see writes.h. */
#include "core/plugin/writes.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/engine/plugins.h"
#include "core/engine/step.h"
#include "core/plugin/plugin.h"
#include "core/plugin/words.h"

#include <string.h>

struct write {
    struct text word, name, to;
    struct doc_value value;
};

static int keep(const struct plugin *plugin, struct step *step, const struct write *write,
                struct err *err)
{
    const struct kith_state *state = &plugin->states[plugin_state_find(plugin, write->name)];
    struct doc doc = write->value.type == DOC_DOC ? write->value.doc : (struct doc){ NULL, 0 };
    return step_keep_document(step, text_of(plugin->name), write->name, (int64_t)state->version,
                              doc, err);
}

/* "PLUGIN.name": how others know it. */
static struct text full_name(const struct plugin *plugin, struct step *step, struct text name)
{
    return arena_printf(step_arena(step), "%s.%.*s", plugin->name, (int)name.size, name.data);
}

static int publish(const struct plugin *plugin, struct step *step, const struct write *write,
                   struct err *err)
{
    return step_set(step, full_name(plugin, step, write->name), &write->value, err);
}

static int emit(const struct plugin *plugin, struct step *step, const struct write *write,
                struct err *err)
{
    struct doc data = write->value.type == DOC_DOC ? write->value.doc : (struct doc){ NULL, 0 };
    return step_emit(step, full_name(plugin, step, write->name), data, write->to, err);
}

static int note(const struct plugin *plugin, struct step *step, const struct write *write,
                struct err *err)
{
    (void)plugin;
    (void)err;
    step_log(step, write->value.text);
    return 0;
}

static int act(const struct plugin *plugin, struct step *step, const struct write *write,
               struct err *err)
{
    (void)plugin;
    return plugin_word(step, write->name, write->value.doc, err);
}

static const struct {
    const char *word;
    int (*apply)(const struct plugin *plugin, struct step *step, const struct write *write,
                 struct err *err);
} words[] = {
    { "keep", keep }, { "publish", publish }, { "emit", emit }, { "note", note }, { "act", act },
};

static struct write read_write(struct doc doc)
{
    return (struct write){
        .word = doc_text(doc, "w"),
        .name = doc_text(doc, "k"),
        .to = doc_text(doc, "to"),
        .value = doc_get(doc, "v"),
    };
}

static int apply(const struct plugin *plugin, struct step *step, struct doc doc, struct err *err)
{
    struct write write = read_write(doc);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_is(write.word, words[i].word))
            return words[i].apply(plugin, step, &write, err);
    return err_set(err, E_INVALID, "plugin %s wants \"%.*s\", which nobody knows", plugin->name,
                   (int)write.word.size, write.word.data);
}

int plugin_do(const struct plugin *plugin, const struct buf *writes, struct step *step,
              struct err *err)
{
    int rc = 0;
    step_set_plugin(step, text_of(plugin->name));
    for (size_t at = 0; rc == 0 && at < writes->size;) {
        struct doc doc = { writes->data + at, 0 };
        memcpy(&doc.size, doc.data, sizeof doc.size); /* how a document begins */
        rc = apply(plugin, step, doc, err);
        at += doc.size;
    }
    step_set_plugin(step, (struct text){ "", 0 });
    return rc;
}

static bool is_wanted(const struct plugin *plugin, const struct write *write)
{
    enum doc_type type = write->value.type;
    if (text_is(write->word, "keep"))
        return plugin_state_find(plugin, write->name) != SIZE_MAX &&
               (type == DOC_DOC || type == DOC_NULL);
    if (text_is(write->word, "publish"))
        return plugin_trait_find(plugin, write->name) != SIZE_MAX && type != DOC_NONE;
    if (text_is(write->word, "note"))
        return type == DOC_TEXT;
    if (text_is(write->word, "act"))
        return type == DOC_DOC && plugin_may_act(plugin, write->name);
    return text_is(write->word, "emit") && write->name.size != 0;
}

int plugin_check_writes(const struct plugin *plugin, const struct buf *writes, struct err *err)
{
    for (size_t at = 0; at < writes->size;) {
        struct doc doc = { writes->data + at, 0 };
        size_t left = writes->size - at;
        if (left >= 5)
            memcpy(&doc.size, doc.data, sizeof doc.size);
        bool is_doc = doc.size >= 5 && doc.size <= left &&
                      doc_validate(doc.data, doc.size, NESTING_MAX + 1, NULL) == 0;
        struct write write = is_doc ? read_write(doc) : (struct write){ .word = { "", 0 } };
        if (!is_doc || !is_wanted(plugin, &write))
            return err_set(err, E_INVALID, "plugin %s: its process wants what it has not declared",
                           plugin->name);
        at += doc.size;
    }
    return 0;
}
