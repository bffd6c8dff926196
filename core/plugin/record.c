/* record.c -- see record.h.
 *
 * The plugin is somebody else's code: pointers that must not be NULL may be, documents may be no
 * documents, and names may be anything.  Each call answers a code and keeps the words for it; which
 * words are told in the end is what kith.h says: those of fail(), else those of the last refusal.
 */
#include "core/plugin/record.h"

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/plugin/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct record {
    struct arena arena;
    const struct record_input *input; /* NULL: nobody is being called */
    struct record_want *wants;
    size_t want_count, want_room, note_count, bytes;
    struct doc_value answer;
    int32_t refusal_code;
    char refusal[ERR_TEXT_MAX], reason[ERR_TEXT_MAX];
};

/* What the plugin has is the record; kith.h has no name for it. */
static struct record *of_call(struct kith_call *call)
{
    return (struct record *)(void *)call;
}

__attribute__((format(printf, 3, 4))) static int32_t refuse(struct record *record, int32_t code,
                                                            const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(record->refusal, sizeof record->refusal, format, list);
    va_end(list);
    record->refusal_code = code;
    return code;
}

/* -- Values, from ours to theirs and back --------------------------------------------------------- */

static struct kith_value to_kith(const struct doc_value *value)
{
    switch (value->type) {
    case DOC_DOUBLE:
        return kith_double(value->number);
    case DOC_TEXT:
        return kith_bytes(KITH_TEXT, value->text.data, value->text.size);
    case DOC_DOC:
    case DOC_ARRAY:
        return kith_bytes((uint32_t)value->type, value->doc.data, value->doc.size);
    case DOC_BINARY:
        return kith_bytes(KITH_BINARY, value->binary.data, value->binary.size);
    case DOC_BOOL:
        return kith_bool(value->boolean);
    case DOC_DATETIME:
        return kith_time(value->integer);
    case DOC_NULL:
        return kith_bytes(KITH_NULL, NULL, 0);
    case DOC_INT32:
    case DOC_INT64:
        return kith_int(value->integer);
    case DOC_DECIMAL:
        return kith_bytes(KITH_DECIMAL, value->decimal, sizeof value->decimal);
    case DOC_NONE:
        break;
    }
    return kith_bytes(KITH_NONE, NULL, 0);
}

/* Room for what the plugin says; false: it says too much, and that has been refused. */
static bool take_bytes(struct record *record, size_t size, int32_t *out_code)
{
    if (size <= RECORD_BYTES_MAX - record->bytes) {
        record->bytes += size;
        return true;
    }
    *out_code = refuse(record, KITH_LIMIT, "one call may want %u KiB in all, and no more",
                       RECORD_BYTES_MAX >> 10);
    return false;
}

static int32_t copy_doc(struct record *record, const char *what, const void *data, size_t size,
                        struct doc *out)
{
    struct err err;
    int32_t code = KITH_OK;
    *out = (struct doc){ NULL, 0 };
    if (size == 0)
        return KITH_OK;
    if (!take_bytes(record, size, &code))
        return code;
    if (data == NULL || doc_validate(data, size, NESTING_MAX, &err) != 0)
        return refuse(record, KITH_INVALID, "the document of %s is no BSON: %s", what,
                      data != NULL ? err.text : "it has a size, and no bytes");
    *out = arena_doc(&record->arena, (struct doc){ data, (uint32_t)size });
    return KITH_OK;
}

static int32_t copy_text(struct record *record, const char *what, const char *data, size_t size,
                         struct text *out)
{
    int32_t code = KITH_OK;
    if (!take_bytes(record, size, &code))
        return code;
    if (size != 0 && (data == NULL || !utf8_valid(data, size)))
        return refuse(record, KITH_INVALID, "the text of %s is not UTF-8", what);
    *out = arena_text(&record->arena, (struct text){ size != 0 ? data : "", (uint32_t)size });
    return KITH_OK;
}

/* -- What a plugin says --------------------------------------------------------------------------- */

static int32_t copy_bytes(struct record *record, const char *what, const struct kith_value *value,
                          struct doc_value *out)
{
    int32_t code = KITH_OK;
    if (value->type == KITH_TEXT)
        return copy_text(record, what, value->as.bytes, value->size, &out->text);
    if (value->type == KITH_DOC || value->type == KITH_ARRAY)
        return copy_doc(record, what, value->as.bytes, value->size, &out->doc);
    if (!take_bytes(record, value->size, &code))
        return code;
    if (value->size != 0 && value->as.bytes == NULL)
        return refuse(record, KITH_INVALID, "the value of %s has a size, and no bytes", what);
    if (value->type == KITH_BINARY) {
        out->binary.data = arena_copy(&record->arena, value->as.bytes, value->size);
        out->binary.size = value->size;
        out->binary.subtype = 0;
    } else if (value->size == sizeof out->decimal)
        memcpy(out->decimal, value->as.bytes, sizeof out->decimal);
    else
        return refuse(record, KITH_INVALID, "the decimal number of %s has %u bytes, not %zu", what,
                      value->size, sizeof out->decimal);
    return KITH_OK;
}

static int32_t from_kith(struct record *record, const char *what, const struct kith_value *value,
                         struct doc_value *out)
{
    *out = (struct doc_value){ .type = DOC_NONE };
    if (value == NULL)
        return refuse(record, KITH_INVALID, "%s was given no value", what);
    struct doc_value copy = { .type = (enum doc_type)value->type };
    int32_t rc = KITH_OK;
    switch (value->type) {
    case KITH_DOUBLE:
        copy.number = value->as.number;
        break;
    case KITH_BOOL:
        copy.boolean = value->as.integer != 0;
        break;
    case KITH_INT:
    case KITH_TIME:
        copy.integer = value->as.integer;
        break;
    case KITH_NULL:
        break;
    case KITH_TEXT:
    case KITH_DOC:
    case KITH_ARRAY:
    case KITH_BINARY:
    case KITH_DECIMAL:
        rc = copy_bytes(record, what, value, &copy);
        break;
    default:
        return refuse(record, KITH_INVALID, "%s was given a value of type %u, which is none", what,
                      value->type);
    }
    if (rc == KITH_OK)
        *out = copy;
    return rc;
}

static int32_t want(struct record *record, const struct record_want *one)
{
    if (record->want_count == RECORD_WANTS_MAX)
        return refuse(record, KITH_LIMIT, "one call may want %d things, and no more",
                      RECORD_WANTS_MAX);
    if (record->want_count == record->want_room) {
        record->want_room = record->want_room != 0 ? 2 * record->want_room : 16;
        record->wants = mem_resize(record->wants, record->want_room * sizeof *record->wants);
    }
    record->wants[record->want_count++] = *one;
    return KITH_OK;
}

/* A name that the author of the plugin wrote. */
static int32_t take_name(struct record *record, const char *what, const char *name,
                         struct text *out)
{
    size_t size = name != NULL ? strnlen(name, NAME_BYTES_MAX + 1) : 0;
    if (size == 0 || size > NAME_BYTES_MAX)
        return refuse(record, KITH_INVALID, "%s needs a name of 1 to %d bytes", what,
                      NAME_BYTES_MAX);
    return copy_text(record, what, name, size, out);
}

/* -- The table ------------------------------------------------------------------------------------ */

static int32_t on_read(struct kith_call *call, uint32_t index, struct kith_value *out)
{
    struct record *record = of_call(call);
    const struct plugin_reads *reads = record->input->reads;
    size_t count = reads != NULL ? reads->count : 0;
    if (out == NULL || index >= count)
        return refuse(record, KITH_DENIED,
                      "read(%u): there are %zu in `reads`, numbered from 0: declare what is read",
                      index, count);
    *out = to_kith(&record->input->values[index]);
    return KITH_OK;
}

static int32_t on_state(struct kith_call *call, const char *key, struct kith_doc *out)
{
    struct record *record = of_call(call);
    const struct plugin_reads *reads = record->input->reads;
    for (size_t i = 0; key != NULL && out != NULL && reads != NULL && i < reads->count; i++) {
        const struct doc_value *value = &record->input->values[i];
        if (reads->items[i].kind != PLUGIN_READ_STATE || !text_is(reads->items[i].name, key))
            continue;
        *out = (struct kith_doc){ NULL, 0 };
        if (value->type == DOC_DOC)
            *out = (struct kith_doc){ value->doc.data, value->doc.size };
        return KITH_OK;
    }
    return refuse(record, KITH_DENIED, "state(\"%.60s\"): declare \"state.%.60s\" in `reads`",
                  key != NULL ? key : "", key != NULL ? key : "KEY");
}

static int32_t give_doc(struct record *record, const char *what, struct doc doc,
                        struct kith_doc *out)
{
    if (out == NULL)
        return refuse(record, KITH_INVALID, "%s() was given no room for its answer", what);
    *out = (struct kith_doc){ doc.data, doc.size };
    return KITH_OK;
}

static int32_t on_config(struct kith_call *call, struct kith_doc *out)
{
    struct record *record = of_call(call);
    return give_doc(record, "config", record->input->plugin->config, out);
}

static int32_t on_arguments(struct kith_call *call, struct kith_doc *out)
{
    struct record *record = of_call(call);
    return give_doc(record, "arguments", record->input->arguments, out);
}

static int64_t on_now(struct kith_call *call)
{
    return of_call(call)->input->now_ms;
}

static int32_t on_keep(struct kith_call *call, const char *key, struct kith_doc doc)
{
    struct record *record = of_call(call);
    struct record_want one = { .kind = RECORD_KEEP };
    int32_t rc = take_name(record, "keep()", key, &one.name);
    if (rc == KITH_OK && plugin_state_find(record->input->plugin, one.name) == SIZE_MAX)
        rc = refuse(record, KITH_DENIED, "keep(\"%.60s\"): declare this key in `states`", key);
    if (rc == KITH_OK && doc.size > PLUGIN_STATE_BYTES_MAX)
        rc = refuse(record, KITH_LIMIT, "keep(\"%.60s\"): %zu bytes, at most %u are kept", key,
                    doc.size, PLUGIN_STATE_BYTES_MAX);
    if (rc == KITH_OK)
        rc = copy_doc(record, "keep()", doc.data, doc.size, &one.doc);
    return rc == KITH_OK ? want(record, &one) : rc;
}

static int32_t on_publish(struct kith_call *call, const char *name, const struct kith_value *value)
{
    struct record *record = of_call(call);
    struct record_want one = { .kind = RECORD_PUBLISH };
    int32_t rc = take_name(record, "publish()", name, &one.name);
    if (rc == KITH_OK && plugin_trait_find(record->input->plugin, one.name) == SIZE_MAX)
        rc = refuse(record, KITH_DENIED, "publish(\"%.60s\"): declare this name in `traits`", name);
    if (rc == KITH_OK)
        rc = from_kith(record, "publish()", value, &one.value);
    return rc == KITH_OK ? want(record, &one) : rc;
}

static int32_t on_emit(struct kith_call *call, const char *name, struct kith_doc data,
                       struct kith_text to)
{
    struct record *record = of_call(call);
    struct record_want one = { .kind = RECORD_EMIT };
    int32_t rc = take_name(record, "emit()", name, &one.name);
    if (rc == KITH_OK && to.size > IDENTITY_BYTES_MAX + NAME_BYTES_MAX)
        rc = refuse(record, KITH_LIMIT, "emit(\"%.60s\"): no customer is called so long", name);
    if (rc == KITH_OK && data.size > DERIVED_BYTES_MAX)
        rc = refuse(record, KITH_LIMIT, "emit(\"%.60s\"): %zu bytes of data, at most %u", name,
                    data.size, DERIVED_BYTES_MAX);
    if (rc == KITH_OK)
        rc = copy_doc(record, "emit()", data.data, data.size, &one.doc);
    if (rc == KITH_OK)
        rc = copy_text(record, "emit()", to.data, to.size, &one.to);
    return rc == KITH_OK ? want(record, &one) : rc;
}

static int32_t on_act(struct kith_call *call, const char *word, struct kith_doc doc)
{
    struct record *record = of_call(call);
    struct record_want one = { .kind = RECORD_ACT };
    char need[NAME_BYTES_MAX + 8];
    int32_t rc = take_name(record, "act()", word, &one.name);
    if (rc != KITH_OK)
        return rc;
    snprintf(need, sizeof need, "act:%s", word);
    if (!plugin_may(record->input->plugin, need))
        return refuse(record, KITH_DENIED, "act(\"%.60s\"): declare \"%.70s\" in `needs`", word,
                      need);
    rc = copy_doc(record, "act()", doc.data, doc.size, &one.doc);
    return rc == KITH_OK ? want(record, &one) : rc;
}

static int32_t on_answer(struct kith_call *call, const struct kith_value *value)
{
    struct record *record = of_call(call);
    struct doc_value answer;
    int32_t rc = from_kith(record, "answer()", value, &answer);
    if (rc == KITH_OK)
        record->answer = answer;
    return rc;
}

static int32_t on_note(struct kith_call *call, struct kith_text line)
{
    struct record *record = of_call(call);
    struct record_want one = { .kind = RECORD_NOTE };
    if (line.size > RECORD_NOTE_BYTES_MAX || record->note_count == RECORD_NOTES_MAX)
        return refuse(record, KITH_LIMIT, "note(): %d lines of at most %d bytes, and no more",
                      RECORD_NOTES_MAX, RECORD_NOTE_BYTES_MAX);
    int32_t rc = copy_text(record, "note()", line.data, line.size, &one.name);
    record->note_count += rc == KITH_OK;
    return rc == KITH_OK ? want(record, &one) : rc;
}

static int32_t on_fail(struct kith_call *call, const char *reason)
{
    struct record *record = of_call(call);
    size_t size = reason != NULL ? strnlen(reason, sizeof record->reason - 1) : 0;
    size = utf8_cut(reason, utf8_valid_prefix(reason, size), size);
    memcpy(record->reason, size != 0 ? reason : "", size);
    record->reason[size] = '\0';
    return KITH_FAILED;
}

static const struct kith_engine engine_table = {
    .size = sizeof engine_table,
    .read = on_read,
    .state = on_state,
    .config = on_config,
    .arguments = on_arguments,
    .now = on_now,
    .keep = on_keep,
    .publish = on_publish,
    .emit = on_emit,
    .act = on_act,
    .answer = on_answer,
    .note = on_note,
    .fail = on_fail,
};

/* -- Runs ----------------------------------------------------------------------------------------- */

struct record *record_new(void)
{
    return mem_zero(sizeof(struct record));
}

void record_free(struct record *record)
{
    if (record == NULL)
        return;
    arena_deinit(&record->arena);
    free(record->wants);
    free(record);
}

static void begin(struct record *record, const struct record_input *input)
{
    arena_clear(&record->arena);
    record->input = input;
    record->want_count = record->note_count = record->bytes = 0;
    record->answer = (struct doc_value){ .type = DOC_NONE };
    record->refusal[0] = record->reason[0] = '\0';
    record->refusal_code = KITH_OK;
}

int record_run(struct record *record, const struct record_input *input, kith_fn *run,
               struct err *err)
{
    begin(record, input);
    int32_t code = run(&engine_table, (struct kith_call *)(void *)record);
    record->input = NULL;
    if (code == KITH_OK)
        return 0;
    record->want_count = 0;
    record->answer = (struct doc_value){ .type = DOC_NONE };
    if (record->reason[0] != '\0' || record->refusal[0] != '\0')
        return err_set(err, E_INVALID, "%s",
                       record->reason[0] != '\0' ? record->reason : record->refusal);
    return err_set(err, E_INVALID, "it returned %d, and said no reason by fail()", code);
}

const struct record_want *record_wants(const struct record *record, size_t *out_count)
{
    *out_count = record->want_count;
    return record->wants;
}

struct doc_value record_answer(const struct record *record)
{
    return record->answer;
}

const char *record_refusal(const struct record *record, int32_t *out_code)
{
    *out_code = record->refusal_code;
    return record->refusal[0] != '\0' ? record->refusal : NULL;
}

void record_write(const struct record *record, struct doc_writer *w)
{
    static const char *const kinds[] = { "keep", "publish", "emit", "act", "note" };
    static const char *const docs[] = { "doc", "", "data", "doc", "" };
    doc_open_array(w, "wants");
    for (size_t i = 0; i < record->want_count; i++) {
        const struct record_want *one = &record->wants[i];
        doc_open(w, NULL);
        doc_put_text(w, kinds[one->kind], one->name);
        if (one->kind == RECORD_PUBLISH)
            doc_put_value(w, "value", &one->value);
        else if (one->doc.data != NULL)
            doc_put_doc(w, docs[one->kind], one->doc);
        doc_put_present(w, "to", one->to);
        doc_close(w);
    }
    doc_close(w);
    doc_put_value(w, "answer", &record->answer);
}
