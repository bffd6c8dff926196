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
#include "core/base/utf8.h"
#include "core/plugin/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES_MAX 16384 /* a private key is one */

/* Where a field stands: `path` is "config", or "config.receivers.erp". */
struct place {
    struct plugin *plugin;
    const char *path;
    const struct plugin_fields *fields;
    const struct plugin_fields *tables; /* by field; NULL: there are none */
};

static int refuse(const struct place *place, const struct kith_field *field, const char *wanted,
                  struct err *err)
{
    return err_set(err, E_INVALID, "plugin %s: %s.%s is %s (%s)", place->plugin->name, place->path,
                   field->name, wanted, field->about);
}

/* -- Values ------------------------------------------------------------------------------------ */

static int read_duration(const struct place *place, const struct kith_field *field,
                         struct text text, struct doc_value *out, struct err *err)
{
    struct duration duration;
    if (duration_parse(text.data, text.size, &duration, NULL) != 0 ||
        !duration_is_elapsed(duration) || duration.count < 0)
        return refuse(place, field, "a time like \"30s\", \"5min\" or \"2h\"", err);
    *out = (struct doc_value){ .type = DOC_INT64, .integer = duration_elapsed_ms(duration) };
    return 0;
}

/* For the engine's calls, which know the calendar: it stays as it is written. */
static bool is_period(struct text text)
{
    struct duration duration;
    return text.size == 0 ||
           (duration_parse(text.data, text.size, &duration, NULL) == 0 && duration.count >= 0);
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
static int read_type(const struct place *place, const struct kith_field *field,
                     struct doc_value *value, struct err *err)
{
    const char *type = field->type;
    if (strcmp(type, "text") == 0 || strcmp(type, "channel") == 0)
        return value->type == DOC_TEXT ? 0 : refuse(place, field, "text in quotes", err);
    if (strcmp(type, "period") == 0)
        return value->type == DOC_TEXT && is_period(value->text)
                   ? 0
                   : refuse(place, field, "a duration like \"3d\", \"10wd\" or \"4wh\"", err);
    if (strcmp(type, "whole") == 0)
        return value->type == DOC_INT64 ? 0 : refuse(place, field, "a whole number", err);
    if (strcmp(type, "number") == 0)
        return value->type == DOC_INT64 || value->type == DOC_DOUBLE
                   ? 0
                   : refuse(place, field, "a number", err);
    if (strcmp(type, "flag") == 0)
        return value->type == DOC_BOOL ? 0 : refuse(place, field, "true or false", err);
    if (strcmp(type, "list") == 0)
        return is_list_of_texts(value) ? 0 : refuse(place, field, "a list of texts", err);
    if (value->type != DOC_TEXT)
        return refuse(place, field, "a time like \"30s\", \"5min\" or \"2h\"", err);
    return read_duration(place, field, value->text, value, err);
}

static int read_value(const struct place *place, const struct kith_field *field,
                      struct doc_value *value, struct err *err)
{
    int rc = read_type(place, field, value, err);
    bool is_bound = field->least != 0 || field->most != 0;
    if (rc != 0 || !is_bound || value->type != DOC_INT64 ||
        (value->integer >= field->least && value->integer <= field->most))
        return rc;
    char words[80];
    bool is_duration = strcmp(field->type, "duration") == 0;
    snprintf(
        words, sizeof words, "%s from %lld to %lld%s", is_duration ? "a time" : "a whole number",
        (long long)(is_duration ? field->least / 1000 : field->least),
        (long long)(is_duration ? field->most / 1000 : field->most), is_duration ? " seconds" : "");
    return refuse(place, field, words, err);
}

/* -- Standards --------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\n");
}

/* { "a", "b" } */
static bool put_list(struct doc_writer *w, const char *words)
{
    const char *at = skip_blanks(words);
    if (*at++ != '{')
        return false;
    for (at = skip_blanks(at); *at != '}'; at = skip_blanks(at)) {
        const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
        if (end == NULL)
            return false;
        doc_put_text(w, "", (struct text){ at + 1, (uint32_t)(end - at - 1) });
        at = skip_blanks(end + 1);
        if (*at == ',')
            at++;
        else if (*at != '}')
            return false;
    }
    return *skip_blanks(at + 1) == '\0';
}

static bool read_list(struct plugin *plugin, const char *words, struct doc_value *out)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open_array(&w, "");
    bool is_read = put_list(&w, words);
    doc_close(&w);
    *out = doc_get(arena_doc(&plugin->arena, doc_end(&w)), "");
    buf_deinit(&bytes);
    return is_read;
}

static bool read_number(const char *words, bool is_whole, struct doc_value *out)
{
    char *end;
    errno = 0;
    if (is_whole)
        *out = (struct doc_value){ .type = DOC_INT64, .integer = strtoll(words, &end, 10) };
    else
        *out = (struct doc_value){ .type = DOC_DOUBLE, .number = strtod(words, &end) };
    return end != words && *end == '\0' && errno == 0 && (is_whole || isfinite(out->number));
}

static bool parse_standard(struct plugin *plugin, const struct kith_field *field,
                           struct doc_value *out)
{
    const char *words = field->standard;
    if (strcmp(field->type, "whole") == 0 || strcmp(field->type, "number") == 0)
        return read_number(words, strcmp(field->type, "whole") == 0, out);
    if (strcmp(field->type, "list") == 0)
        return utf8_valid(words, strlen(words)) && read_list(plugin, words, out);
    if (strcmp(field->type, "flag") == 0) {
        *out = (struct doc_value){ .type = DOC_BOOL, .boolean = strcmp(words, "true") == 0 };
        return out->boolean || strcmp(words, "false") == 0;
    }
    *out = (struct doc_value){ .type = DOC_TEXT, .text = text_of(words) };
    return utf8_valid(words, strlen(words));
}

/* What it is without being given: as it would be written. */
static int read_standard(const struct place *place, const struct kith_field *field,
                         struct doc_value *out, struct err *err)
{
    struct err reason;
    *out = (struct doc_value){ .type = DOC_NONE };
    if (field->standard == NULL ||
        (parse_standard(place->plugin, field, out) && read_value(place, field, out, &reason) == 0))
        return 0;
    return err_set(err, E_INVALID,
                   "plugin %s: %s.%s: its standard \"%.60s\" is no %s, or not within its bounds",
                   place->plugin->name, place->path, field->name, field->standard, field->type);
}

/* Also of those that are given: who leaves one out some day is not to find out then. */
static int check_standards(const struct place *place, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < place->fields->count; i++) {
        struct doc_value value;
        rc = read_standard(place, &place->fields->items[i], &value, err);
        for (size_t j = 0; rc == 0 && place->tables != NULL && j < place->tables[i].count; j++) {
            struct place inner = { place->plugin, place->path, &place->tables[i], NULL };
            rc = read_standard(&inner, &place->tables[i].items[j], &value, err);
        }
    }
    return rc;
}

/* -- Secrets ----------------------------------------------------------------------------------- */

/* A secret that is being changed has two lines, the new one first. */
static struct doc_value read_lines(struct plugin *plugin, struct text rest)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    doc_open_array(&w, "");
    while (rest.size != 0) {
        const char *end = memchr(rest.data, '\n', rest.size);
        uint32_t size = end != NULL ? (uint32_t)(end - rest.data) : rest.size;
        uint32_t used = end != NULL ? size + 1 : size;
        while (size != 0 && rest.data[size - 1] == '\r')
            size--;
        if (size != 0)
            doc_put_text(&w, "", (struct text){ rest.data, size });
        rest = (struct text){ rest.data + used, rest.size - used };
    }
    doc_close(&w);
    struct doc doc = arena_doc(&plugin->arena, doc_end(&w));
    explicit_bzero(bytes.data, bytes.size);
    buf_deinit(&bytes);
    return doc_get(doc, "");
}

/* The bytes of a file, or what is wrong with it.  A pipe is not waited for. */
static const char *read_bytes(int fd, char out[SECRET_BYTES_MAX], size_t *out_size)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is no file";
    ssize_t got = read(fd, out, SECRET_BYTES_MAX);
    if (got < 0)
        return strerror(errno);
    *out_size = (size_t)got;
    return NULL;
}

static int read_file(const struct place *place, const struct kith_field *field, const char *path,
                     char out[SECRET_BYTES_MAX], size_t *out_size, struct err *err)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = read_bytes(fd, out, &size);
    if (fd >= 0)
        close(fd);
    if (wrong != NULL)
        return err_set(err, E_IO, "plugin %s: %s.%s: %s: %s", place->plugin->name, place->path,
                       field->name, path, wrong);
    while (size != 0 && (out[size - 1] == '\n' || out[size - 1] == '\r'))
        size--;
    if (size == 0 || size == SECRET_BYTES_MAX)
        return err_set(err, E_INVALID, "plugin %s: %s.%s: %s is empty, or larger than %d bytes",
                       place->plugin->name, place->path, field->name, path, SECRET_BYTES_MAX);
    if (memchr(out, '\0', size) != NULL || !utf8_valid(out, size))
        return err_set(err, E_INVALID,
                       "plugin %s: %s.%s: %s is no text: it is not UTF-8, or has a byte that is 0",
                       place->plugin->name, place->path, field->name, path);
    *out_size = size;
    return 0;
}

static int read_secret(const struct place *place, const struct kith_field *field,
                       const struct doc_value *given, struct doc_value *out, struct err *err)
{
    struct text path =
        given->type == DOC_DOC ? doc_text(given->doc, "secret_file") : (struct text){ NULL, 0 };
    if (path.size == 0)
        return refuse(place, field, "secret \"FILE\": a value that is in a file", err);
    if (place->plugin->is_for_trial) {
        *out = (struct doc_value){ .type = DOC_NONE };
        return 0;
    }
    char room[SECRET_BYTES_MAX];
    size_t size = 0;
    int rc = read_file(place, field, path.data, room, &size, err);
    struct text secret = arena_text(&place->plugin->arena, (struct text){ room, (uint32_t)size });
    explicit_bzero(room, sizeof room);
    if (rc != 0)
        return rc;
    *out = strcmp(field->type, "list") == 0
               ? read_lines(place->plugin, secret)
               : (struct doc_value){ .type = DOC_TEXT, .text = secret };
    return 0;
}

/* -- All fields -------------------------------------------------------------------------------- */

static int check_known(const struct place *place, struct doc given, struct err *err)
{
    for (struct doc_iter it = doc_iter(given); doc_next(&it);) {
        size_t best = SIZE_MAX;
        const char *near = "";
        for (size_t i = 0; i < place->fields->count; i++) {
            size_t distance = near_distance(it.name.data, place->fields->items[i].name);
            near = distance < best ? place->fields->items[i].name : near;
            best = distance < best ? distance : best;
        }
        if (best == 0)
            continue;
        bool is_likely = best != SIZE_MAX && near_is_likely(best, it.name.data);
        return err_set(err, E_INVALID, "plugin %s knows no %s.%.40s%s%s%s", place->plugin->name,
                       place->path, it.name.data, is_likely ? "; did you mean " : "",
                       is_likely ? near : "", is_likely ? "?" : "");
    }
    return 0;
}

static int field_value(const struct place *place, const struct kith_field *field, struct doc given,
                       struct doc_value *out, struct err *err)
{
    *out = doc_get(given, field->name);
    if (out->type == DOC_NONE && (field->flags & KITH_REQUIRED) != 0)
        return err_set(err, E_INVALID, "plugin %s needs %s.%s: %s", place->plugin->name,
                       place->path, field->name, field->about);
    if (out->type == DOC_NONE)
        return read_standard(place, field, out, err);
    if ((field->flags & KITH_SECRET) != 0) {
        struct doc_value file = *out;
        return read_secret(place, field, &file, out, err);
    }
    return read_value(place, field, out, err);
}

/* The two documents that come of it. */
struct result {
    struct doc_writer open, secret;
};

static int read_tables(const struct place *place, size_t index, struct doc given,
                       struct result *result, struct err *err);

static int read_fields(const struct place *place, struct doc given, struct result *result,
                       struct err *err)
{
    int rc = check_known(place, given, err);
    for (size_t i = 0; rc == 0 && i < place->fields->count; i++) {
        const struct kith_field *field = &place->fields->items[i];
        struct doc_value value;
        if (place->tables != NULL && place->tables[i].count != 0) {
            rc = read_tables(place, i, given, result, err);
            continue;
        }
        rc = field_value(place, field, given, &value, err);
        if (rc != 0)
            break;
        doc_put_value(&result->secret, field->name, &value);
        if ((field->flags & (KITH_SECRET | KITH_OUTSIDE)) == 0)
            doc_put_value(&result->open, field->name, &value);
    }
    return rc;
}

/* No table is inside of one of these (describe.c), so this is as deep as it goes. */
static int read_table(const struct place *outer, size_t index, const struct doc_iter *table,
                      struct result *result, struct err *err)
{
    char path[sizeof "config.." + 2 * PLUGIN_NAME_MAX];
    const struct kith_field *field = &outer->fields->items[index];
    const struct place place = {
        .plugin = outer->plugin,
        .path = path,
        .fields = &outer->tables[index],
    };
    if (table->value.type != DOC_DOC || !plugin_is_name(table->name.data))
        return refuse(
            outer, field,
            "a table of tables, each with a name of small letters, digits and _, a letter "
            "first",
            err);
    snprintf(path, sizeof path, "%s.%s.%s", outer->path, field->name, table->name.data);
    doc_open_text(&result->open, table->name);
    doc_open_text(&result->secret, table->name);
    int rc = read_fields(&place, table->value.doc, result, err);
    doc_close(&result->open);
    doc_close(&result->secret);
    return rc;
}

static int read_tables(const struct place *place, size_t index, struct doc given,
                       struct result *result, struct err *err)
{
    const struct kith_field *field = &place->fields->items[index];
    struct doc_value value = doc_get(given, field->name);
    int rc = 0;
    if (value.type == DOC_NONE && (field->flags & KITH_REQUIRED) != 0)
        return err_set(err, E_INVALID, "plugin %s needs %s.%s: %s", place->plugin->name,
                       place->path, field->name, field->about);
    if (value.type == DOC_NONE)
        return 0;
    if (value.type != DOC_DOC)
        return refuse(place, field, "a table of tables: { name = { ... }, ... }", err);
    doc_open(&result->open, field->name);
    doc_open(&result->secret, field->name);
    for (struct doc_iter it = doc_iter(value.doc); rc == 0 && doc_next(&it);)
        rc = read_table(place, index, &it, result, err);
    doc_close(&result->open);
    doc_close(&result->secret);
    return rc;
}

static int configure(struct plugin *plugin, struct doc given, struct doc *out_open,
                     struct doc *out_secret, struct err *err)
{
    const struct plugin_fields fields = { plugin->fields, plugin->field_count };
    const struct place place = { plugin, "config", &fields, plugin->tables };
    struct buf open = BUF_INIT, secret = BUF_INIT;
    struct result result;
    doc_begin(&result.open, &open);
    doc_begin(&result.secret, &secret);
    int rc = check_standards(&place, err);
    if (rc == 0)
        rc = read_fields(&place, given, &result, err);
    struct doc open_doc = doc_end(&result.open), secret_doc = doc_end(&result.secret);
    if (rc == 0) {
        *out_open = arena_doc(&plugin->arena, open_doc);
        *out_secret = arena_doc(&plugin->arena, secret_doc);
    }
    buf_deinit(&open);
    buf_deinit(&secret);
    return rc;
}

/* -- Channels that are named here -------------------------------------------------------------- */

/* One channel of each table. */
static int add_named(struct plugin *plugin, const struct kith_channel *channel, size_t tables,
                     struct kith_channel *channels, size_t *count, struct err *err)
{
    struct doc named = doc_child(plugin->config, plugin->fields[tables].name);
    for (struct doc_iter it = doc_iter(named); doc_next(&it);) {
        if (*count == PLUGIN_CHANNELS_MAX)
            return err_set(err, E_LIMIT, "plugin %s: more than %d channels", plugin->name,
                           PLUGIN_CHANNELS_MAX);
        channels[*count] = *channel;
        channels[*count].name = it.name.data;
        if (doc_bool(it.value.doc, "html", false))
            channels[*count].flags |= KITH_HTML;
        ++*count;
    }
    return 0;
}

static int name_channels(struct plugin *plugin, struct err *err)
{
    struct kith_channel *channels =
        arena_zero(&plugin->arena, PLUGIN_CHANNELS_MAX * sizeof *channels);
    size_t count = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plugin->channel_count; i++) {
        size_t tables = plugin_channel_tables(plugin, i);
        if (tables != SIZE_MAX)
            rc = add_named(plugin, &plugin->channels[i], tables, channels, &count, err);
        else if (count < PLUGIN_CHANNELS_MAX)
            channels[count++] = plugin->channels[i];
    }
    plugin->channels = channels;
    plugin->channel_count = count;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; rc == 0 && j < i; j++)
            if (strcmp(channels[i].name, channels[j].name) == 0)
                rc = err_set(err, E_INVALID, "plugin %s: two channels are called %s", plugin->name,
                             channels[i].name);
    return rc;
}

int plugin_configure(struct plugin *plugin, struct doc given, struct err *err)
{
    int rc = configure(plugin, given, &plugin->config, &plugin->secrets, err);
    return rc == 0 ? name_channels(plugin, err) : rc;
}

int plugin_reread(struct plugin *plugin, bool *out_is_changed, struct err *err)
{
    struct doc open, secret;
    int rc = configure(plugin, plugin->given, &open, &secret, err);
    if (rc != 0)
        return rc;
    *out_is_changed = secret.size != plugin->secrets.size ||
                      memcmp(secret.data, plugin->secrets.data, secret.size) != 0;
    if (*out_is_changed)
        plugin->secrets = secret;
    return 0;
}
