/* kinds.c -- the kinds of records that a plugin declares, read as those of a bundle are.
 *
 * How soon a complaint must be answered is the operator's to say and not the plugin's: a text
 * "$NAME" in a declaration is what `config` has under that name.
 */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/kind.h"
#include "core/plugin/plugin.h"

#include <string.h>

/* What "$NAME" stands for: the plugin's configuration.  E_INVALID: it has no such field. */
static int look_up(const struct plugin *plugin, struct doc_value *value, struct err *err)
{
    struct text name = value->text;
    if (value->type != DOC_TEXT || name.size < 2 || name.data[0] != '$')
        return 0;
    name = (struct text){ name.data + 1, name.size - 1 };
    *value = doc_get_text(plugin->config, name);
    if (value->type != DOC_NONE)
        return 0;
    return err_set(err, E_INVALID, "$%.*s stands for config.%.*s, which is not there",
                   (int)name.size, name.data, (int)name.size, name.data);
}

/* The declaration with the name in front, which its author writes beside it, and with what the
 * operator has configured in its places. */
static int complete(const struct plugin *plugin, const char *name, struct doc declared,
                    struct doc_writer *w, struct err *err)
{
    struct doc_iter open[NESTING_MAX + 1];
    size_t depth = 0;
    int rc = 0;
    open[0] = doc_iter(declared);
    doc_put_string(w, "name", name);
    for (;;) {
        struct doc_iter *it = &open[depth];
        if (!doc_next(it)) {
            if (depth-- == 0)
                return rc;
            doc_close(w);
            continue;
        }
        struct doc_value value = it->value;
        bool is_name = depth == 0 && text_is(it->name, "name");
        if (rc == 0)
            rc = look_up(plugin, &value, err);
        if (value.type == DOC_DOC)
            doc_open_text(w, it->name);
        else if (value.type == DOC_ARRAY)
            doc_open_array_text(w, it->name);
        else if (!is_name)
            doc_put_value_text(w, it->name, &value);
        if (value.type == DOC_DOC || value.type == DOC_ARRAY)
            open[++depth] = doc_iter(value.doc);
    }
}

static int read_kind(struct plugin *plugin, size_t index, struct json_reader *reader,
                     struct err *err)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    const struct kith_kind *said = &plugin->kinds[index];
    struct buf json = BUF_INIT, whole = BUF_INIT;
    struct doc declared;
    struct doc_writer w;
    struct err reason;
    int rc =
        json_to_doc(reader, said->json, strlen(said->json), &limits, &json, &declared, &reason);
    doc_begin(&w, &whole);
    if (rc == 0)
        rc = complete(plugin, said->name, declared, &w, &reason);
    struct doc doc = doc_end(&w);
    if (rc == 0)
        rc = kind_parse(doc, &plugin->arena, &plugin->record_kinds[index], &reason);
    if (rc != 0)
        err_set(err, rc, "plugin %s: the kind %s: %s", plugin->name, said->name, reason.text);
    buf_deinit(&json);
    buf_deinit(&whole);
    return rc;
}

int plugin_read_kinds(struct plugin *plugin, struct err *err)
{
    struct json_reader *reader = json_reader_new();
    int rc = 0;
    plugin->record_kinds =
        arena_zero(&plugin->arena, (plugin->kind_count + 1) * sizeof *plugin->record_kinds);
    for (size_t i = 0; rc == 0 && i < plugin->kind_count; i++)
        rc = read_kind(plugin, i, reader, err);
    json_reader_free(reader);
    return rc;
}
