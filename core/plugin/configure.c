/* configure.c -- see configure.h.
 *
 * Two documents come of it.  A secret is only in the second, which never leaves the process: the
 * first goes into the log, as part of the world.
 */
#include "core/plugin/configure.h"

#include "core/base/buf.h"
#include "core/base/duration.h"
#include "core/base/err.h"
#include "core/base/near.h"
#include "core/plugin/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_BYTES_MAX 16384 /* a private key is one */

static int refuse(const struct plugin *plugin, const struct kith_field *field, const char *wanted,
                  struct err *err)
{
    return err_set(err, E_INVALID, "plugin %s: config.%s is %s (%s)", plugin->name, field->name,
                   wanted, field->about);
}

/* -- Values ------------------------------------------------------------------------------------ */

static int read_duration(const struct plugin *plugin, const struct kith_field *field,
                         struct text text, struct doc_value *out, struct err *err)
{
    struct duration duration;
    if (duration_parse(text.data, text.size, &duration, NULL) != 0 ||
        !duration_is_elapsed(duration) || duration.count < 0)
        return refuse(plugin, field, "a time like \"30s\", \"5min\" or \"2h\"", err);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = duration_elapsed_ms(duration) };
    return 0;
}

static bool is_list_of_texts(const struct doc_value *value)
{
    if (value->type != DOC_ARRAY)
        return false;
    for (struct doc_iter it = doc_iter(value->doc); doc_next(&it);)
        if (it.value.type != DOC_TEXT)
            return false;
    return true;
}

/* Of the type that the field has; a duration becomes a number. */
static int read_value(const struct plugin *plugin, const struct kith_field *field,
                      struct doc_value *value, struct err *err)
{
    const char *type = field->type;
    if (strcmp(type, "text") == 0)
        return value->type == DOC_TEXT ? 0 : refuse(plugin, field, "text in quotes", err);
    if (strcmp(type, "whole") == 0)
        return value->type == DOC_INT64 ? 0 : refuse(plugin, field, "a whole number", err);
    if (strcmp(type, "number") == 0)
        return value->type == DOC_INT64 || value->type == DOC_DOUBLE
                   ? 0
                   : refuse(plugin, field, "a number", err);
    if (strcmp(type, "flag") == 0)
        return value->type == DOC_BOOL ? 0 : refuse(plugin, field, "true or false", err);
    if (strcmp(type, "list") == 0)
        return is_list_of_texts(value) ? 0 : refuse(plugin, field, "a list of texts", err);
    if (value->type != DOC_TEXT)
        return refuse(plugin, field, "a time like \"30s\", \"5min\" or \"2h\"", err);
    return read_duration(plugin, field, value->text, value, err);
}

/* { "a", "b" }: what stands between quotation marks. */
static struct doc_value read_list(struct plugin *plugin, const char *words)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open_array(&w, "");
    for (const char *from = strchr(words, '"'), *to; from != NULL; from = strchr(to + 1, '"')) {
        to = strchr(from + 1, '"');
        if (to == NULL)
            break;
        doc_put_text(&w, "", (struct text){ from + 1, (uint32_t)(to - from - 1) });
    }
    doc_close(&w);
    struct doc doc = arena_doc(&plugin->arena, doc_end(&w));
    buf_deinit(&bytes);
    return doc_get(doc, "");
}

/* What it is without being given: as it would be written. */
static int read_standard(struct plugin *plugin, const struct kith_field *field,
                         struct doc_value *out, struct err *err)
{
    const char *standard = field->standard;
    char *end;
    *out = (struct doc_value){ .type = DOC_NONE };
    if (standard == NULL)
        return 0;
    if (strcmp(field->type, "flag") == 0)
        *out = (struct doc_value){ .type = DOC_BOOL, .boolean = strcmp(standard, "true") == 0 };
    else if (strcmp(field->type, "whole") == 0)
        *out = (struct doc_value){ .type = DOC_INT64, .integer = strtoll(standard, &end, 10) };
    else if (strcmp(field->type, "number") == 0)
        *out = (struct doc_value){ .type = DOC_DOUBLE, .number = strtod(standard, &end) };
    else if (strcmp(field->type, "list") == 0)
        *out = read_list(plugin, standard);
    else
        *out = (struct doc_value){ .type = DOC_TEXT, .text = text_of(standard) };
    return out->type == DOC_NONE ? 0 : read_value(plugin, field, out, err);
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static int read_secret(struct plugin *plugin, const struct kith_field *field,
                       const struct doc_value *given, struct doc_value *out, struct err *err)
{
    struct text path =
        given->type == DOC_DOC ? doc_text(given->doc, "secret_file") : (struct text){ NULL, 0 };
    if (path.size == 0)
        return refuse(plugin, field, "secret \"FILE\": a value that is in a file", err);
    char *room = arena_alloc(&plugin->arena, SECRET_BYTES_MAX);
    int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, room, SECRET_BYTES_MAX) : -1;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return err_set(err, E_IO, "plugin %s: config.%s: %s: %s", plugin->name, field->name,
                       path.data, strerror(code));
    size_t size = (size_t)got;
    while (size != 0 && (room[size - 1] == '\n' || room[size - 1] == '\r'))
        size--;
    if (size == 0 || size == SECRET_BYTES_MAX)
        return err_set(err, E_INVALID, "plugin %s: config.%s: %s is empty, or larger than %d bytes",
                       plugin->name, field->name, path.data, SECRET_BYTES_MAX);
    *out = (struct doc_value){ .type = DOC_TEXT, .text = { room, (uint32_t)size } };
    return 0;
}

/* -- All fields -------------------------------------------------------------------------------- */

static int check_known(const struct plugin *plugin, struct doc given, struct err *err)
{
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        size_t best = SIZE_MAX;
        const char *near = "";
        for (size_t i = 0; i < plugin->field_count; i++) {
            size_t distance = near_distance(it.name.data, plugin->fields[i].name);
            near = distance < best ? plugin->fields[i].name : near;
            best = distance < best ? distance : best;
        }
        if (best == 0)
            continue;
        bool is_likely = best != SIZE_MAX && near_is_likely(best, it.name.size);
        return err_set(err, E_INVALID, "plugin %s knows no config.%.40s%s%s%s", plugin->name,
                       it.name.data, is_likely ? "; did you mean " : "", is_likely ? near : "",
                       is_likely ? "?" : "");
    }
    return 0;
}

static int field_value(struct plugin *plugin, const struct kith_field *field, struct doc given,
                       struct doc_value *out, struct err *err)
{
    *out = doc_get(given, field->name);
    if (out->type == DOC_NONE && (field->flags & KITH_REQUIRED) != 0)
        return err_set(err, E_INVALID, "plugin %s needs config.%s: %s", plugin->name, field->name,
                       field->about);
    if (out->type == DOC_NONE)
        return read_standard(plugin, field, out, err);
    if ((field->flags & KITH_SECRET) != 0) {
        struct doc_value file = *out;
        return read_secret(plugin, field, &file, out, err);
    }
    return read_value(plugin, field, out, err);
}

int plugin_configure(struct plugin *plugin, struct doc given, struct err *err)
{
    struct buf open = BUF_INIT, secret = BUF_INIT;
    struct doc_writer w, s;
    int rc = check_known(plugin, given, err);
    doc_begin(&w, &open);
    doc_begin(&s, &secret);
    for (size_t i = 0; rc == 0 && i < plugin->field_count; i++) {
        const struct kith_field *field = &plugin->fields[i];
        struct doc_value value;
        rc = field_value(plugin, field, given, &value, err);
        if (rc != 0)
            break;
        doc_put_value(&s, field->name, &value);
        if ((field->flags & KITH_SECRET) == 0)
            doc_put_value(&w, field->name, &value);
    }
    plugin->config = arena_doc(&plugin->arena, doc_end(&w));
    plugin->secrets = arena_doc(&plugin->arena, doc_end(&s));
    buf_deinit(&open);
    buf_deinit(&secret);
    return rc;
}
