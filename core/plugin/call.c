/* call.c -- see call.h.
 *
 * Whatever a plugin gives is checked here and now, so that its author is told by the very call: a
 * name that it has not declared, a document that is none, a text that is not UTF-8.  What only the
 * engine can know, whether a customer has room for one more reminder, comes out when it is done.
 */
#include "core/plugin/call.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"

#include <stdio.h>
#include <string.h>

static int32_t refuse(struct kith_call *call, int32_t code, const char *word, const char *reason)
{
    snprintf(call->words, sizeof call->words, "%.30s: %.200s", word, reason);
    call->refused = code;
    return code;
}

/* -- Values across the border ------------------------------------------------------------------ */

static struct kith_value out_of(const struct doc_value *value)
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
    case DOC_INT32:
    case DOC_INT64:
        return kith_int(value->integer);
    case DOC_DECIMAL:
        return kith_bytes(KITH_DECIMAL, value->decimal, sizeof value->decimal);
    case DOC_NULL:
        return kith_bytes(KITH_NULL, NULL, 0);
    case DOC_NONE:
        break;
    }
    return kith_bytes(KITH_NONE, NULL, 0);
}

static bool is_doc(const void *data, size_t size)
{
    return data != NULL && doc_validate(data, size, NESTING_MAX, NULL) == 0;
}

/* False: it is no value. */
static bool into(const struct kith_value *value, struct doc_value *out)
{
    const void *bytes = value->as.bytes;
    *out = (struct doc_value){ .type = (enum doc_type)value->type };
    switch (value->type) {
    case KITH_NULL:
        return true;
    case KITH_BOOL:
        out->boolean = value->as.integer != 0;
        return true;
    case KITH_INT:
    case KITH_TIME:
        out->integer = value->as.integer;
        return true;
    case KITH_DOUBLE:
        out->number = value->as.number;
        return true;
    case KITH_TEXT:
        out->text = (struct text){ bytes, value->size };
        return value->size == 0 || (bytes != NULL && utf8_valid(bytes, value->size));
    case KITH_DOC:
    case KITH_ARRAY:
        out->doc = (struct doc){ bytes, value->size };
        return is_doc(bytes, value->size);
    case KITH_BINARY:
        out->binary.data = bytes;
        out->binary.size = value->size;
        return bytes != NULL || value->size == 0;
    case KITH_DECIMAL:
        if (bytes != NULL && value->size == sizeof out->decimal)
            memcpy(out->decimal, bytes, sizeof out->decimal);
        return bytes != NULL && value->size == sizeof out->decimal;
    default:
        return false;
    }
}

/* -- Reading ----------------------------------------------------------------------------------- */

static int32_t call_read(struct kith_call *call, uint32_t index, struct kith_value *out)
{
    if (index >= call->reads->count)
        return refuse(call, KITH_DENIED, "read", "there are not so many in `reads`");
    struct doc_value value = call->source->read(call->source->arg, &call->reads->items[index]);
    *out = out_of(&value);
    if (value.type == DOC_DECIMAL) /* its bytes lie in `value` itself */
        out->as.bytes = memcpy(call->decimals[index], value.decimal, sizeof value.decimal);
    return KITH_OK;
}

static bool is_declared(const struct kith_call *call, const char *key)
{
    for (size_t i = 0; i < call->reads->count; i++)
        if (call->reads->items[i].kind == PLUGIN_READ_STATE &&
            text_is(call->reads->items[i].name, key))
            return true;
    return false;
}

/* What an older version of the plugin kept, as this one would have.  It lives as the call does. */
static struct doc migrate(struct kith_call *call, size_t index, struct doc doc, int64_t version,
                          int32_t *out_code)
{
    static const struct plugin_reads nothing = { NULL, 0 };
    struct buf arguments = BUF_INIT, writes = BUF_INIT;
    struct kith_call inner = {
        .plugin = call->plugin,
        .reads = &nothing,
        .source = call->source,
        .now = call->now,
        .writes = &writes,
        .answer = &call->converted[index],
    };
    struct doc_writer w;
    struct err err;
    *out_code = KITH_OK;
    if ((call->converted_states & 1u << index) != 0)
        return doc_child(
            (struct doc){ call->converted[index].data, (uint32_t)call->converted[index].size },
            "answer");
    call->converted[index] = (struct buf)BUF_INIT;
    call->converted_states |= 1u << index;
    doc_begin(&w, &arguments);
    doc_put_int(&w, "version", version);
    doc_put_doc(&w, "state", doc);
    inner.arguments = doc_end(&w);
    if (plugin_call(&inner, call->plugin->states[index].migrate, &err) != 0) {
        *out_code = refuse(call, KITH_FAILED, "migrate", inner.words);
        call->hooks_failed++;
    }
    buf_deinit(&arguments);
    buf_deinit(&writes);
    struct doc_value answer = plugin_answer(&inner);
    return answer.type == DOC_DOC ? answer.doc : (struct doc){ NULL, 0 };
}

static int32_t call_state(struct kith_call *call, const char *key, struct kith_doc *out)
{
    int64_t version = 0;
    int32_t code = KITH_OK;
    if (key == NULL || !is_declared(call, key))
        return refuse(call, KITH_DENIED, "state", "the key is not among `reads`, as \"state.KEY\"");
    size_t index = plugin_state_find(call->plugin, text_of(key));
    struct doc doc = call->source->state(call->source->arg, index, &version);
    const struct kith_state *state = &call->plugin->states[index];
    if (doc.data != NULL && version > state->version)
        return refuse(call, KITH_FAILED, "state",
                      "it was kept by a later version of the plugin: load that one");
    if (doc.data != NULL && version < state->version && state->migrate != NULL)
        doc = migrate(call, index, doc, version, &code);
    *out = (struct kith_doc){ doc.data, doc.size };
    return code;
}

static int32_t call_config(struct kith_call *call, struct kith_doc *out)
{
    *out = (struct kith_doc){ call->plugin->config.data, call->plugin->config.size };
    return KITH_OK;
}

static int32_t call_arguments(struct kith_call *call, struct kith_doc *out)
{
    *out = (struct kith_doc){ call->arguments.data, call->arguments.size };
    return KITH_OK;
}

static int64_t call_now(struct kith_call *call)
{
    return call->now;
}

/* -- Wanting ----------------------------------------------------------------------------------- */

static int32_t want(struct kith_call *call, const char *word, struct text name,
                    const struct doc_value *value, struct text to)
{
    struct doc_writer w;
    size_t before = call->writes->size;
    doc_begin(&w, call->writes);
    doc_put_string(&w, "w", word);
    doc_put_present(&w, "k", name);
    doc_put_value(&w, "v", value);
    doc_put_present(&w, "to", to);
    doc_end(&w);
    if (call->writes->size <= PLUGIN_WRITES_BYTES_MAX)
        return KITH_OK;
    call->writes->size = before;
    return refuse(call, KITH_LIMIT, word, "one call wants more than 1 MiB in all: do less at once");
}

static const struct text no_text = { "", 0 };

static int32_t call_keep(struct kith_call *call, const char *key, struct kith_doc doc)
{
    struct doc_value value = { .type = DOC_NULL };
    if (key == NULL || plugin_state_find(call->plugin, text_of(key)) == SIZE_MAX)
        return refuse(call, KITH_DENIED, "keep", "the key is not among the plugin's states");
    if (doc.size != 0 && !is_doc(doc.data, doc.size))
        return refuse(call, KITH_INVALID, "keep", "these bytes are no document");
    if (doc.size != 0)
        value = (struct doc_value){ .type = DOC_DOC, .doc = { doc.data, (uint32_t)doc.size } };
    return want(call, "keep", text_of(key), &value, no_text);
}

static int32_t call_publish(struct kith_call *call, const char *name,
                            const struct kith_value *value)
{
    struct doc_value wanted;
    if (name == NULL || plugin_trait_find(call->plugin, text_of(name)) == SIZE_MAX)
        return refuse(call, KITH_DENIED, "publish", "the name is not among the plugin's traits");
    if (value == NULL || !into(value, &wanted))
        return refuse(call, KITH_INVALID, "publish", "this is no value");
    return want(call, "publish", text_of(name), &wanted, no_text);
}

static int32_t call_emit(struct kith_call *call, const char *name, struct kith_doc doc,
                         struct kith_text to)
{
    struct doc_value data = { .type = DOC_NONE };
    size_t size = name != NULL ? strnlen(name, TYPE_BYTES_MAX) : 0;
    if (size == 0 || size + strlen(call->plugin->name) + 1 > TYPE_BYTES_MAX ||
        !utf8_valid(name, size))
        return refuse(call, KITH_INVALID, "emit", "the type of an event has 1 to 128 bytes");
    if (doc.size != 0 && !is_doc(doc.data, doc.size))
        return refuse(call, KITH_INVALID, "emit", "these bytes are no document");
    if (doc.size != 0)
        data = (struct doc_value){ .type = DOC_DOC, .doc = { doc.data, (uint32_t)doc.size } };
    if (to.size > IDENTITY_BYTES_MAX || (to.size != 0 && !utf8_valid(to.data, to.size)))
        return refuse(call, KITH_INVALID, "emit", "`to` is a customer, \"42\" or \"user_id:u-17\"");
    return want(call, "emit", text_of(name), &data, (struct text){ to.data, (uint32_t)to.size });
}

static int32_t call_act(struct kith_call *call, const char *word, struct kith_doc doc)
{
    if (word == NULL || !plugin_may_act(call->plugin, text_of(word)))
        return refuse(call, KITH_DENIED, "act", "\"act:WORD\" is not among the plugin's needs");
    if (!is_doc(doc.data, doc.size))
        return refuse(call, KITH_INVALID, word, "these bytes are no document");
    struct doc_value value = { .type = DOC_DOC, .doc = { doc.data, (uint32_t)doc.size } };
    return want(call, "act", text_of(word), &value, no_text);
}

static int32_t call_answer(struct kith_call *call, const struct kith_value *value)
{
    struct doc_value answer;
    struct doc_writer w;
    if (value == NULL || !into(value, &answer))
        return refuse(call, KITH_INVALID, "answer", "this is no value");
    buf_clear(call->answer);
    doc_begin(&w, call->answer);
    doc_put_value(&w, "answer", &answer);
    doc_end(&w);
    if (call->answer->size <= PLUGIN_WRITES_BYTES_MAX)
        return KITH_OK;
    buf_clear(call->answer);
    return refuse(call, KITH_LIMIT, "answer", "it has more than 1 MiB");
}

#define LINE_BYTES_MAX 500 /* as of log() in rules */

static int32_t call_note(struct kith_call *call, struct kith_text line)
{
    struct doc_value value = { .type = DOC_TEXT };
    if (line.data == NULL || !utf8_valid(line.data, line.size))
        return refuse(call, KITH_INVALID, "note", "a line is UTF-8");
    value.text =
        (struct text){ line.data, (uint32_t)utf8_cut(line.data, line.size, LINE_BYTES_MAX) };
    return want(call, "note", no_text, &value, no_text);
}

static int32_t call_fail(struct kith_call *call, const char *reason)
{
    size_t size = reason != NULL ? strnlen(reason, sizeof call->words - 1) : 0;
    size = reason != NULL ? utf8_valid_prefix(reason, size) : 0;
    memcpy(call->words, reason != NULL ? reason : "", size);
    call->words[size] = '\0';
    return KITH_FAILED;
}

/* -- One call ---------------------------------------------------------------------------------- */

static const struct kith_engine engine = {
    .size = sizeof engine,
    .level = KITH_LEVEL,
    .read = call_read,
    .state = call_state,
    .config = call_config,
    .arguments = call_arguments,
    .now = call_now,
    .keep = call_keep,
    .publish = call_publish,
    .emit = call_emit,
    .act = call_act,
    .answer = call_answer,
    .note = call_note,
    .fail = call_fail,
};

kith_fn *plugin_state_hook(const struct kith_state *state, enum plugin_fold what)
{
    switch (what) {
    case PLUGIN_MERGE:
        return state->merge;
    case PLUGIN_UNMERGE:
        return state->unmerge;
    case PLUGIN_MIGRATE:
        return state->migrate;
    case PLUGIN_GIVE:
        return state->give;
    }
    return NULL;
}

int plugin_call(struct kith_call *call, kith_fn *fn, struct err *err)
{
    call->words[0] = '\0';
    call->refused = KITH_OK;
    call->converted_states = 0;
    call->hooks_failed = 0;
    buf_clear(call->writes);
    buf_clear(call->answer);
    int32_t code = fn(&engine, call);
    for (size_t i = 0; call->converted_states != 0 && i < PLUGIN_STATES_MAX; i++)
        if ((call->converted_states >> i & 1) != 0)
            buf_deinit(&call->converted[i]);
    if (code == KITH_OK)
        return 0;
    buf_clear(call->writes);
    return err_set(err, E_INVALID, "plugin %s: %s", call->plugin->name,
                   call->words[0] != '\0' ? call->words : "it failed and did not say why");
}

struct doc_value plugin_answer(const struct kith_call *call)
{
    struct doc answer = { call->answer->data, (uint32_t)call->answer->size };
    return call->answer->size != 0 ? doc_get(answer, "answer")
                                   : (struct doc_value){ .type = DOC_NONE };
}
