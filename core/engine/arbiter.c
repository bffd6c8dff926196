/* arbiter.c -- whether an effect may go out, decided when it is claimed.
 *
 * The order is fixed and the first that says no gives the reason: an import of the past,
 * expiry, consent, address, suppression.  The decision is made from the state of that moment,
 * inside the application of the claim, so a consent withdrawn a second before counts.
 *
 * Notifications go to staff: neither consent nor suppression is asked.  Nor is it for what a
 * program is told about nobody.  A test goes to the address that staff has named.
 */
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/template.h"

static const struct verdict go = { NULL, { NULL, 0 }, { NULL, 0 } };

static struct verdict no(const char *state, struct text reason)
{
    return (struct verdict){ .state = state, .reason = reason };
}

static const struct purpose *find_purpose(const struct engine *engine, struct text name)
{
    for (size_t i = 0; engine->rules != NULL && i < engine->rules->purpose_count; i++)
        if (text_equal(engine->rules->purposes[i].name, name))
            return &engine->rules->purposes[i];
    return NULL;
}

bool effect_knows_purpose(const struct engine *engine, struct text name)
{
    return text_is(name, "service") || find_purpose(engine, name) != NULL;
}

/* `service` is what the customer asked for by being one: allowed unless withdrawn. */
static struct verdict ask_consent(struct engine *engine, const struct effect *effect,
                                  const struct customer *customer)
{
    const struct purpose *purpose = find_purpose(engine, effect->purpose);
    if (!effect_knows_purpose(engine, effect->purpose))
        return no("suppressed", arena_printf(&engine->arena, "no purpose is called %.*s",
                                             (int)effect->purpose.size, effect->purpose.data));
    enum consent_state consent = customer_consent(customer, effect->purpose, effect->channel);
    if (consent == CONSENT_WITHDRAWN)
        return no("suppressed", text_of("consent withdrawn"));
    if (purpose != NULL && purpose->opt_in && consent != CONSENT_GRANTED)
        return no("suppressed", text_of("no consent"));
    return go;
}

/* The bytes are those of the first attempt, and so is the address in them, whichever the customer
 * has now. */
static struct verdict ask_again(struct engine *engine, const struct effect *effect,
                                const struct customer *customer)
{
    struct text address = doc_text(effect->message, "address");
    if (address.size == 0)
        return go;
    if (customer_lost_address(customer, effect->channel, address))
        return no("rejected", text_of("its address has bounced or complained since"));
    if (suppression_has(engine, effect->channel, address))
        return no("suppressed", text_of("on the suppression list"));
    return go;
}

/* It goes to whoever wants to look at it; but never where nobody wants to be written to. */
static struct verdict ask_test(struct engine *engine, const struct effect *effect)
{
    if (suppression_has(engine, effect->channel, effect->to))
        return no("suppressed", text_of("on the suppression list"));
    return (struct verdict){ .address = effect->to };
}

struct verdict effect_decide(struct engine *engine, const struct effect *effect,
                             const struct customer *customer)
{
    if (effect->is_historic)
        return no("suppressed", text_of("historic"));
    if (engine->now > effect->expires)
        return no("expired", text_of("its time was up before it could be sent"));
    const struct channel_config *channel = config_channel(&engine->config, effect->channel);
    if (channel == NULL)
        return no("rejected", text_of("the channel is gone"));
    if (effect->is_test)
        return ask_test(engine, effect);
    if (effect->is_notification || effect->customer == 0)
        return go;

    struct verdict verdict = ask_consent(engine, effect, customer);
    struct address address = { .value = { "", 0 } };
    if (verdict.state != NULL)
        return verdict;
    if (effect->message.data != NULL)
        return ask_again(engine, effect, customer);
    bool has_address = customer_address(customer, effect->channel, &address);
    if (channel->needs_address && !has_address)
        return no("rejected", text_of("no address for this channel"));
    if (has_address && suppression_has(engine, effect->channel, address.value))
        return no("suppressed", text_of("on the suppression list"));
    return (struct verdict){ .address = address.value };
}

static int render_template(struct engine *engine, const struct effect *effect,
                           const struct customer *customer, struct rendering *rendering,
                           struct err *err)
{
    const struct template_request request = {
        .name = doc_text(effect->content, "template"),
        .channel = effect->channel,
        .locale = doc_text(effect->content, "locale"),
        .data = doc_child(effect->content, "data"),
        .links = doc_child(effect->content, "links"),
        .customer = customer,
    };
    if (request.name.size == 0)
        return 0;
    return template_render(engine, &request, rendering, err);
}

/* What the rule gave, the rendering where it named the template. */
static void put_content(struct doc_writer *w, const struct effect *effect,
                        const struct rendering *rendering)
{
    for (struct doc_iter it = doc_iter(effect->content); doc_next(&it);) {
        if (text_is(it.name, "template"))
            rendering_put(w, rendering);
        else if (!text_is(it.name, "locale"))
            doc_put_value_text(w, it.name, &it.value);
    }
}

int effect_render(struct engine *engine, const struct effect *effect,
                  const struct customer *customer, struct text address, struct doc *out_message,
                  struct err *err)
{
    struct rendering rendering = { .template = NULL };
    int rc = render_template(engine, effect, customer, &rendering, err);
    if (rc != 0)
        return rc;
    char id[EVENT_ID_TEXT_MAX];
    struct doc_writer w;
    engine_draft(engine, &w);
    doc_put_text(&w, "id", event_id_text(effect->seq, effect->n, id));
    if (effect->customer != 0 || effect->is_notification)
        doc_put_int(&w, "customer", (int64_t)effect->customer);
    if (effect->is_notification)
        doc_put_text(&w, "staff", staff_assignee(engine, effect->to, customer));
    else if (address.size != 0)
        doc_put_text(&w, "address", address);
    if (effect->is_test)
        doc_put_bool(&w, "test", true);
    put_content(&w, effect, &rendering);
    *out_message = engine_doc(engine, &w);
    return 0;
}
