/* recorder_fixture.c -- see recorder_fixture.h. */
#include "tests/plugins/complaint/recorder_fixture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* -- Lines ------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void say(struct kith_call *call, const char *format,
                                                      ...)
{
    size_t used = strlen(call->wanted);
    va_list args;
    va_start(args, format);
    vsnprintf(call->wanted + used, sizeof call->wanted - used, format, args);
    va_end(args);
}

static void say_value(struct kith_call *call, const struct kith_value *value)
{
    struct kith_text text = kith_as_text(value);
    if (value->type == KITH_TEXT)
        say(call, "%.*s", (int)text.size, text.data);
    else if (value->type == KITH_INT || value->type == KITH_TIME)
        say(call, "%" PRId64, value->as.integer);
    else if (value->type == KITH_BOOL)
        say(call, "%s", value->as.integer != 0 ? "true" : "false");
    else
        say(call, "%s", value->type == KITH_NULL ? "null" : "?");
}

/* Documents as deep as those of this plugin are. */
static void say_doc(struct kith_call *call, struct kith_doc doc)
{
    struct kith_iter open[KITH_NESTING_MAX];
    size_t depth = 0;
    int is_first = 1;
    open[0] = kith_iter(doc);
    say(call, "{");
    for (;;) {
        struct kith_iter *it = &open[depth];
        if (!kith_next(it)) {
            say(call, "}");
            is_first = 0;
            if (depth-- == 0)
                return;
            continue;
        }
        say(call, "%s%.*s:", is_first ? "" : ",", (int)it->name.size, it->name.data);
        is_first = 0;
        if ((it->value.type == KITH_DOC || it->value.type == KITH_ARRAY) &&
            depth + 1 < KITH_NESTING_MAX) {
            say(call, "{");
            open[++depth] = kith_iter(kith_as_doc(&it->value));
            is_first = 1;
        } else {
            say_value(call, &it->value);
        }
    }
}

/* -- The table --------------------------------------------------------------------------------- */

static int32_t recorder_read(struct kith_call *call, uint32_t index, struct kith_value *out)
{
    *out = call->values[index];
    return KITH_OK;
}

static int32_t recorder_state(struct kith_call *call, const char *key, struct kith_doc *out)
{
    (void)key;
    *out = call->state;
    return KITH_OK;
}

static int32_t recorder_config(struct kith_call *call, struct kith_doc *out)
{
    *out = call->config;
    return KITH_OK;
}

static int32_t recorder_arguments(struct kith_call *call, struct kith_doc *out)
{
    *out = call->arguments;
    return KITH_OK;
}

static int64_t recorder_now(struct kith_call *call)
{
    return call->now;
}

static int32_t recorder_keep(struct kith_call *call, const char *key, struct kith_doc doc)
{
    say(call, "keep %s ", key);
    say_doc(call, doc);
    say(call, "\n");
    return KITH_OK;
}

static int32_t recorder_publish(struct kith_call *call, const char *name,
                                const struct kith_value *value)
{
    say(call, "publish %s ", name);
    say_value(call, value);
    say(call, "\n");
    return KITH_OK;
}

static int32_t recorder_act(struct kith_call *call, const char *word, struct kith_doc doc)
{
    say(call, "act %s ", word);
    say_doc(call, doc);
    say(call, "\n");
    return doc.size != 0 ? KITH_OK : KITH_INVALID;
}

static int32_t recorder_answer(struct kith_call *call, const struct kith_value *value)
{
    say(call, "answer ");
    say_doc(call, kith_as_doc(value));
    say(call, "\n");
    return KITH_OK;
}

static int32_t recorder_note(struct kith_call *call, struct kith_text line)
{
    say(call, "note %.*s\n", (int)line.size, line.data);
    return KITH_OK;
}

static int32_t recorder_fail(struct kith_call *call, const char *reason)
{
    snprintf(call->failed, sizeof call->failed, "%s", reason);
    return KITH_FAILED;
}

const struct kith_engine recorder_engine = {
    .size = sizeof recorder_engine,
    .level = KITH_LEVEL,
    .read = recorder_read,
    .state = recorder_state,
    .config = recorder_config,
    .arguments = recorder_arguments,
    .now = recorder_now,
    .keep = recorder_keep,
    .publish = recorder_publish,
    .act = recorder_act,
    .answer = recorder_answer,
    .note = recorder_note,
    .fail = recorder_fail,
};
