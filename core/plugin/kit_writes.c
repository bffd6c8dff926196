/* kit_writes.c -- what the engine will refuse of what a call wants; see kit.h.
 *
 * There is no engine here, so whoever a word is about is nobody, and no bundle says which purposes
 * there are.  What a word says alone is judged by what the engine asks of it first: a time that is
 * none, a field that the plugin's own kind of record does not have.  Of a function only the names
 * are looked at: what it was called with is its caller's, who is told at the line of his rule.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/engine/record.h"
#include "core/plugin/kit_inside.h"
#include "core/plugin/words.h"

/* The kind of record that a word is about, if the plugin has declared it; NULL. */
static const struct kind *own_kind(const struct plugin *plugin, struct doc fields)
{
    struct text name = doc_text(fields, "kind");
    uint64_t number;
    if (name.size == 0 && !record_about_parse(doc_text(fields, "record"), &name, &number))
        return NULL;
    for (size_t i = 0; i < plugin->kind_count; i++)
        if (text_equal(plugin->record_kinds[i].name, name))
            return &plugin->record_kinds[i];
    return NULL;
}

static int check_values(struct probe *probe, struct text word, struct doc fields, struct err *err)
{
    int rc = plugin_word_check(word, fields, err);
    const struct kind *kind = rc == 0 ? own_kind(&probe->plugin, fields) : NULL;
    if (kind == NULL)
        return rc;
    if (text_is(word, "move"))
        rc = record_check_transition(kind, doc_text(fields, "transition"), &probe->arena, err);
    return rc == 0 ? record_check_given(kind, doc_child(fields, "fields"), &probe->arena, err) : rc;
}

void kit_judge_write(struct probe *probe, const struct kit_try *try, struct doc write)
{
    struct text word = doc_text(write, "w"), name = doc_text(write, "k");
    struct doc value = doc_child(write, "v");
    size_t most = text_is(word, "keep") ? PLUGIN_STATE_BYTES_MAX : DERIVED_BYTES_MAX;
    struct err err;
    int rc = !text_is(word, "act")               ? 0
             : try->callee->kind == KIT_FUNCTION ? plugin_word_check_names(name, value, &err)
                                                 : check_values(probe, name, value, &err);
    if (rc != 0)
        kit_find(probe, try->callee, KIT_REFUSED, kit_given(probe, try),
                 "the words and their fields stand in kith.h, what these take in "
                 "docs/lua-reference.md: look for a misspelt one",
                 "act(\"%.*s\"): %s", (int)name.size, name.data, err.text);
    if (!text_is(word, "publish") && value.size > most)
        kit_find(probe, try->callee, KIT_REFUSED, kit_given(probe, try),
                 "bound what is taken over from an event: a text may have 60,000 bytes",
                 "%.*s(\"%.*s\"): a document of %u bytes, and at most %zu are taken",
                 (int)word.size, word.data, (int)name.size, name.data, value.size, most);
}
