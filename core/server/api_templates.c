/* api_templates.c -- /v1/preview: a template as a customer would get it.
 *
 * A POST that changes nothing: what is asked for does not fit into an address.  Nothing of it
 * gets into the log, unless it is to be sent: then it is a message like any other, by way of the
 * log, that goes to another address and counts nowhere.
 */
#include "core/base/locale.h"
#include "core/engine/read.h"
#include "core/server/api_command.h"

#define BODY_MAX (64u << 10)

static int read_one(struct engine *engine, struct call *call, void *arg, struct buf *out,
                    struct err *err)
{
    (void)call;
    return read_preview(engine, arg, out, err);
}

static bool check_locale(struct call *call)
{
    struct text locale = doc_text(call->body, "locale");
    if (locale.size == 0 || locale_is_tag(locale))
        return true;
    call_problem(call, 422, "\"locale\" is a language, as \"de\" or \"en-GB\"");
    return false;
}

static const struct field preview_fields[] = {
    { "template", FIELD_NAME, true }, { "customer", FIELD_CUSTOMER, true },
    { "channel", FIELD_NAME, false }, { "locale", FIELD_NAME, false },
    { "data", FIELD_DOC, false },     FIELDS_END,
};

static void post_preview(struct call *call)
{
    struct read_preview *which = arena_zero(&call->arena, sizeof *which);
    which->template = doc_text(call->body, "template");
    which->customer = field_customer(call, call->body, "customer");
    which->channel = doc_text(call->body, "channel");
    which->locale = doc_text(call->body, "locale");
    which->data = doc_child(call->body, "data");
    if (check_locale(call))
        call_read(call, read_one, which);
}

/* -- To an address ------------------------------------------------------------------- */

/* The entry makes one thing, and so its number is 1. */
static int read_sent(struct engine *engine, struct call *call, void *arg, struct buf *out,
                     struct err *err)
{
    const struct command *command = arg;
    struct text id = arena_printf(&call->arena, "%llu.1", (unsigned long long)command->seq);
    return read_effect(engine, id, out, err);
}

static const struct field send_fields[] = {
    { "template", FIELD_NAME, true },
    { "customer", FIELD_CUSTOMER, true },
    { "to", FIELD_NAME, true },
    { "channel", FIELD_NAME, false },
    { "locale", FIELD_NAME, false },
    { "data", FIELD_DOC, false },
    FIELDS_END,
};

static void post_send(struct call *call)
{
    if (!check_locale(call))
        return;
    struct command *command = command_new(call, "effect.test");
    command->ref = field_customer(call, call->body, "customer");
    command->data = command_data(call, call->body, "customer");
    command->status = 201;
    command->read = read_sent;
    command_run(call);
}

const struct route routes_templates[] = {
    { "POST", "/v1/preview", SCOPE_READ, BODY_MAX, true, post_preview,
      "A template as a customer would get it; nothing is sent", NULL, preview_fields, "Preview" },
    { "POST", "/v1/preview/send", SCOPE_STAFF, BODY_MAX, true, post_send,
      "The same as a message to an address, marked as a test", "wait", send_fields, "201 Effect" },
    ROUTES_END,
};
