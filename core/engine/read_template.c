/* read_template.c -- a template as a customer would get it; see read.h.
 *
 * The same code renders it that renders a message at its claim, so a preview cannot show
 * anything else than what would go out.
 */
#include "core/engine/engine_inside.h"
#include "core/engine/read.h"
#include "core/engine/template.h"

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
    struct template_request request = {
        .name = which->template, .locale = which->locale, .data = which->data, .customer = &customer
    };
    arena_clear(&engine->arena);
    uint64_t number = identity_find(engine, which->customer);
    if (number == 0 || !customer_load(&customer, engine, number))
        return err_set(err, E_NOTFOUND, "no such customer: %.*s", (int)which->customer.size,
                       which->customer.data);
    int rc = template_channel(engine, which->template, which->channel, &request.channel, err);
    if (rc == 0)
        rc = template_render(engine, &request, &rendering, err);
    if (rc == 0)
        show(&request, &rendering, out);
    return rc;
}
