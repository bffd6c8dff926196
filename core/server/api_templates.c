/* api_templates.c -- /v1/preview: a template as a customer would get it.
 *
 * A POST that changes nothing: what is asked for does not fit into an address.  Nothing of it
 * gets into the log.
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
    if (which->locale.size != 0 && !locale_is_tag(which->locale))
        call_problem(call, 422, "\"locale\" is a language, as \"de\" or \"en-GB\"");
    else
        call_read(call, read_one, which);
}

const struct route routes_templates[] = {
    { "POST", "/v1/preview", SCOPE_READ, BODY_MAX, true, post_preview,
      "A template as a customer would get it; nothing is sent", NULL, preview_fields, "Preview" },
    ROUTES_END,
};
