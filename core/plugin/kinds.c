/* kinds.c -- the kinds of records that a plugin declares, read as those of a bundle are. */
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/kind.h"
#include "core/plugin/plugin.h"

#include <string.h>

/* The declaration with the name in front, which its author writes beside it. */
static struct doc with_name(struct buf *out, const char *name, struct doc declared)
{
    struct doc_writer w;
    buf_clear(out);
    doc_begin(&w, out);
    doc_put_string(&w, "name", name);
    for (struct doc_iter it = doc_iter(declared); doc_next(&it);)
        if (!text_is(it.name, "name"))
            doc_put_value_text(&w, it.name, &it.value);
    return doc_end(&w);
}

static int read_kind(struct plugin *plugin, size_t index, struct json_reader *reader,
                     struct err *err)
{
    static const struct json_limits limits = { .depth_max = NESTING_MAX };
    const struct kith_kind *said = &plugin->kinds[index];
    struct buf json = BUF_INIT, whole = BUF_INIT;
    struct doc declared;
    struct err reason;
    int rc =
        json_to_doc(reader, said->json, strlen(said->json), &limits, &json, &declared, &reason);
    if (rc == 0)
        rc = kind_parse(with_name(&whole, said->name, declared), &plugin->arena,
                        &plugin->record_kinds[index], &reason);
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
