/* effect_test.c -- a template sent to whoever wants to see what a customer would get.
 *
 * It is an effect like any other, so it takes the way of one: claimed, rendered from her state,
 * delivered at most once, listed.  What tells it from a message to her is the address, which
 * staff has given, and that nothing follows from it.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/template.h"

/* What a rule would have given. */
static struct doc content_of(struct engine *engine, const struct event *event, struct text channel)
{
    const struct channel_config *config = config_channel(&engine->config, channel);
    struct doc given = doc_child(event->data, "data");
    struct doc_writer w;
    engine_draft(engine, &w);
    if (config != NULL && config->is_machine) {
        doc_put_text(&w, "type", event->type);
        doc_put_datetime(&w, "timestamp", event->at);
    }
    doc_put_text(&w, "template", doc_text(event->data, "template"));
    doc_put_present(&w, "locale", doc_text(event->data, "locale"));
    if (given.data != NULL)
        doc_put_doc(&w, "data", given);
    return engine_doc(engine, &w);
}

static int check(struct step *step, struct text channel, struct text to, struct err *err)
{
    const struct template *template;
    const struct template_request request = {
        .name = doc_text(step->event->data, "template"),
        .channel = channel,
        .locale = doc_text(step->event->data, "locale"),
        .customer = &step->customer,
    };
    int rc = template_find(step->engine, &request, &template, err);
    if (rc == 0 && to.size == 0)
        rc = err_set(err, E_INVALID, "a test needs an address that is valid on its channel");
    return rc;
}

void effect_test(struct step *step)
{
    struct engine *engine = step->engine;
    struct doc data = step->event->data;
    struct text channel = { "", 0 };
    struct err err;
    int rc = template_channel(engine, doc_text(data, "template"), doc_text(data, "channel"),
                              &channel, &err);
    struct text to = address_normal(engine, channel, doc_text(data, "to"));
    if (rc == 0)
        rc = check(step, channel, to, &err);
    if (rc == 0) {
        const struct send_request request = { .channel = channel,
                                              .purpose = text_of("service"),
                                              .to = to,
                                              .content = content_of(engine, step->event, channel),
                                              .is_test = true };
        rc = step_send(step, &request, &err);
    }
    if (rc != 0)
        engine_refuse(engine, rc, "%s", err.text);
}
