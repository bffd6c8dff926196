/* read_template.c -- a template as a customer would get it; see read.h.
 *
 * The same code renders it that renders a message at its claim, so a preview cannot show
 * anything else than what would go out.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/read.h"
#include "core/engine/template.h"

/* The channel of the template's texts, if it is the same for all; else empty. */
static struct text only_channel(const struct engine *engine, struct text name, bool *out_is_known)
{
    const struct ruleset *rules = engine->rules;
    struct text channel = { "", 0 };
    *out_is_known = false;
    for (size_t i = 0; rules != NULL && i < rules->template_count; i++) {
        const struct template *template = &rules->templates[i];
        if (!text_equal(template->name, name))
            continue;
        *out_is_known = true;
        if (template->channel.size == 0 ||
            (channel.size != 0 && !text_equal(channel, template->channel)))
            return (struct text){ "", 0 };
        channel = template->channel;
    }
    return channel;
}

static int choose_channel(struct engine *engine, const struct read_preview *which,
                          struct text *out_channel, struct err *err)
{
    bool is_known;
    struct text only = only_channel(engine, which->template, &is_known);
    struct text channel = which->channel.size != 0 ? which->channel : only;
    if (channel.size == 0 && is_known)
        return err_set(err, E_INVALID,
                       "the template \"%.*s\" is for several channels: say which, as `channel`",
                       (int)which->template.size, which->template.data);
    if (channel.size != 0 && config_channel(&engine->config, channel) == NULL)
        return err_set(err, E_NOTFOUND, "no channel is called \"%.*s\"", (int)channel.size,
                       channel.data);
    *out_channel = channel;
    return 0;
}

static void show(const struct template_request *request, const struct rendering *rendering,
                 struct buf *out)
{
    struct doc_writer w;
    doc_begin(&w, out);
    doc_put_text(&w, "channel", request->channel);
    doc_put_int(&w, "customer", (int64_t)request->customer->number);
    rendering_put(&w, rendering);
    doc_end(&w);
}

int read_preview(struct engine *engine, const struct read_preview *which, struct buf *out,
                 struct err *err)
{
    struct customer customer;
    struct rendering rendering;
    struct template_request request = { .name = which->template,
                                        .locale = which->locale,
                                        .data = which->data,
                                        .customer = &customer };
    arena_clear(&engine->arena);
    uint64_t number = identity_find(engine, which->customer);
    if (number == 0 || !customer_load(&customer, engine, number))
        return err_set(err, E_NOTFOUND, "no such customer: %.*s", (int)which->customer.size,
                       which->customer.data);
    int rc = choose_channel(engine, which, &request.channel, err);
    if (rc == 0)
        rc = template_render(engine, &request, &rendering, err);
    if (rc == 0)
        show(&request, &rendering, out);
    return rc;
}
