/* template.c -- see template.h.
 *
 * A template is rendered when its message is claimed, inside the application of that entry, so
 * what it says is true when it goes out and the same in every replay.  The engine has no secrets:
 * for a link it writes {{links.NAME}} again, which the deliverer replaces by the address.
 */
#include "core/engine/template.h"

#include "core/base/locale.h"
#include "core/base/mustache.h"
#include "core/base/near.h"
#include "core/engine/effect.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"

/* -- Which text ----------------------------------------------------------- */

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

int template_channel(const struct engine *engine, struct text name, struct text wanted,
                     struct text *out_channel, struct err *err)
{
    bool is_known;
    struct text only = only_channel(engine, name, &is_known);
    struct text channel = wanted.size != 0 ? wanted : only;
    if (channel.size == 0 && is_known)
        return err_set(err, E_INVALID,
                       "the template \"%.*s\" is for several channels: say which, as `channel`",
                       (int)name.size, name.data);
    if (channel.size != 0 && config_channel(&engine->config, channel) == NULL)
        return err_set(err, E_NOTFOUND, "no channel is called \"%.*s\"", (int)channel.size,
                       channel.data);
    *out_channel = channel;
    return 0;
}

static const struct template *find_exact(const struct ruleset *rules, struct text name,
                                         struct text channel, struct text locale)
{
    for (size_t i = 0; rules != NULL && i < rules->template_count; i++) {
        const struct template *template = &rules->templates[i];
        if (text_equal(template->name, name) && text_equal(template->channel, channel) &&
            locale_equal(template->locale, locale))
            return template;
    }
    return NULL;
}

/* In the language of the tag, the nearest first. */
static const struct template *find_along(const struct ruleset *rules, struct text name,
                                         struct text channel, struct text tag)
{
    const struct template *found = NULL;
    for (; found == NULL && tag.size != 0; tag = locale_parent(tag))
        found = find_exact(rules, name, channel, tag);
    return found;
}

static const struct template *find_text(const struct engine *engine, struct text name,
                                        struct text channel, struct text tag)
{
    const struct text none = { "", 0 };
    const struct template *found = find_along(engine->rules, name, channel, tag);
    if (found == NULL)
        found = find_along(engine->rules, name, channel, text_of(engine->config.locale));
    if (found == NULL)
        found = find_exact(engine->rules, name, channel, none);
    return found != NULL ? found : find_exact(engine->rules, name, none, none);
}

static struct text trait_tag(const struct customer *customer, const char *name)
{
    struct doc_value value = customer_trait(customer, text_of(name));
    bool is_tag = value.type == DOC_TEXT && locale_is_tag(value.text);
    return is_tag ? value.text : (struct text){ "", 0 };
}

static struct text tag_of(const struct template_request *request)
{
    struct text tag = request->locale;
    if (tag.size == 0 && request->customer->number != 0)
        tag = trait_tag(request->customer, "locale");
    if (tag.size == 0 && request->customer->number != 0)
        tag = trait_tag(request->customer, "language");
    return tag;
}

static bool has_name(const struct ruleset *rules, struct text name)
{
    for (size_t i = 0; rules != NULL && i < rules->template_count; i++)
        if (text_equal(rules->templates[i].name, name))
            return true;
    return false;
}

static int refuse_name(struct engine *engine, struct text name, struct err *err)
{
    const struct ruleset *rules = engine->rules;
    struct near_quote quote;
    const char *written = arena_text(&engine->arena, name).data, *near = "";
    size_t least = SIZE_MAX;
    if (written == NULL) /* an entry that names none */
        written = "";
    for (size_t i = 0; rules != NULL && i < rules->template_count; i++) {
        size_t distance = near_distance(written, rules->templates[i].name.data);
        near = distance < least ? rules->templates[i].name.data : near;
        least = distance < least ? distance : least;
    }
    near_quote(name.data, name.size, &quote);
    if (near_is_likely(least, written))
        return err_set(err, E_NOTFOUND, "no template is called \"%s\"; did you mean \"%s\"?",
                       quote.text, near);
    return err_set(err, E_NOTFOUND, "no template is called \"%s\"", quote.text);
}

int template_find(struct engine *engine, const struct template_request *request,
                  const struct template **out_template, struct err *err)
{
    struct text name = request->name, channel = request->channel, tag = tag_of(request);
    const struct template *found = find_text(engine, name, channel, tag);
    if (found != NULL) {
        *out_template = found;
        return 0;
    }
    if (!has_name(engine->rules, name))
        return refuse_name(engine, name, err);
    return err_set(err, E_NOTFOUND,
                   "the template \"%.*s\" has no text for channel \"%.*s\" in the language "
                   "\"%.*s\", none in the company's and none for everybody: "
                   "templates/%.*s.%.*s.md would be that",
                   (int)name.size, name.data, (int)channel.size, channel.data, (int)tag.size,
                   tag.data, (int)name.size, name.data, (int)channel.size, channel.data);
}

int step_check_template(struct step *step, struct text name, struct text channel, struct err *err)
{
    const struct template *template;
    const struct template_request request = { .name = name,
                                              .channel = channel,
                                              .customer = &step->customer };
    return template_find(step->engine, &request, &template, err);
}

/* Whether a text in `locale` was found by way of `tag`. */
static bool leads_to(struct text tag, struct text locale)
{
    while (tag.size != 0 && !locale_equal(tag, locale))
        tag = locale_parent(tag);
    return tag.size != 0;
}

/* The language that a text is finished in: the most exact tag that leads to it. */
static struct text finish_tag(const struct engine *engine, const struct template *template,
                              struct text tag)
{
    struct text company = text_of(engine->config.locale);
    if (template->locale.size == 0)
        return tag.size != 0 ? tag : company;
    if (leads_to(tag, template->locale))
        return tag;
    return leads_to(company, template->locale) ? company : template->locale;
}

/* -- What stands in it ---------------------------------------------------- */

static void put_tags(struct doc_writer *w, const struct customer *customer)
{
    struct customer before = *customer; /* members that were looked at: no tag comes twice */
    doc_open_array(w, "tags");
    for (size_t i = 0; i < customer->count; i++) {
        before.count = i;
        for (struct doc_iter it = doc_iter(customer->members[i].tags); doc_next(&it);)
            if (!customer_has_tag(&before, it.value.text))
                doc_put_value(w, "", &it.value);
    }
    doc_close(w);
}

static void put_roles(struct doc_writer *w, const struct customer *customer)
{
    doc_open_array(w, "roles");
    for (size_t i = 0; i < customer->count; i++)
        for (struct doc_iter it = doc_iter(customer->members[i].roles); doc_next(&it);)
            if (doc_int(it.value.doc, "until", 0) == 0)
                doc_put_text(w, "", doc_text(it.value.doc, "role"));
    doc_close(w);
}

static struct doc traits_of(struct engine *engine, const struct customer *customer)
{
    struct doc_writer w;
    engine_draft(engine, &w);
    show_traits(&w, customer);
    return doc_child(engine_doc(engine, &w), "traits");
}

static void put_customer(struct doc_writer *w, const struct customer *customer, struct doc traits)
{
    bool is_organisation = customer->members[0].kind == PROFILE_ORGANISATION;
    doc_open(w, "customer");
    doc_put_int(w, "id", (int64_t)customer->number);
    doc_put_string(w, "kind", is_organisation ? "organisation" : "person");
    doc_put_present(w, "owner", customer_owner(customer));
    put_tags(w, customer);
    put_roles(w, customer);
    for (struct doc_iter it = doc_iter(traits); doc_next(&it);)
        if (!trait_is_system(it.name))
            doc_put_value_text(w, it.name, &it.value);
    doc_close(w);
}

/* What staff has said of itself; a name that nobody of staff bears is a name all the same. */
static void put_owner(struct engine *engine, struct doc_writer *w, struct text owner)
{
    struct key key;
    struct bytes row;
    key_named(&key, 's', owner);
    if (key_ok(&key) && state_get(engine->state, &key, &row)) {
        doc_put_doc(w, "owner", (struct doc){ row.data, (uint32_t)row.size });
        return;
    }
    doc_open(w, "owner");
    doc_put_text(w, "name", owner);
    doc_close(w);
}

static void put_links(struct engine *engine, struct doc_writer *w, struct doc links)
{
    doc_open(w, "links");
    for (struct doc_iter it = doc_iter(links); doc_next(&it);) {
        struct doc_value mark = { .type = DOC_TEXT };
        mark.text = arena_printf(&engine->arena, TEMPLATE_LINK_BEGIN "%.*s" TEMPLATE_LINK_END,
                                 (int)it.name.size, it.name.data);
        doc_put_value_text(w, it.name, &mark);
    }
    doc_close(w);
}

static struct doc make_context(struct engine *engine, const struct template_request *request)
{
    const struct customer *customer = request->customer;
    bool has_customer = customer->number != 0;
    struct doc traits = { NULL, 0 };
    if (has_customer)
        traits = traits_of(engine, customer);
    struct doc_writer w;
    engine_draft(engine, &w);
    if (has_customer)
        put_customer(&w, customer, traits);
    if (has_customer && customer_owner(customer).size != 0)
        put_owner(engine, &w, customer_owner(customer));
    doc_put_doc(&w, "data", request->data);
    put_links(engine, &w, request->links);
    doc_put_datetime(&w, "now", engine->now);
    return engine_doc(engine, &w);
}

/* -- Rendering ------------------------------------------------------------ */

struct work {
    struct engine *engine;
    struct text channel, tag;
    struct doc contexts[2];
    struct mustache_options options;
    struct err *err;
};

static const struct mustache *find_partial(void *arg, struct text name)
{
    const struct work *work = arg;
    const struct template *found = find_text(work->engine, name, work->channel, work->tag);
    return found != NULL ? found->body : NULL;
}

/* The options count what is left of limits.effect_bytes for all texts of the message. */
static int render_text(struct work *work, const struct mustache *text, struct text *out_text)
{
    struct buf *out = &work->engine->scratch;
    buf_clear(out);
    int rc = mustache_render(text, work->contexts, 2, &work->options, out, work->err);
    if (rc != 0)
        return rc;
    work->options.bytes_max -= out->size;
    *out_text = arena_text(&work->engine->arena,
                           (struct text){ (const char *)out->data, (uint32_t)out->size });
    return 0;
}

/* A subject is one line, whatever a customer has put into her name. */
static struct text one_line(struct engine *engine, struct text text)
{
    char *line = arena_copy(&engine->arena, text.data, text.size);
    for (uint32_t i = 0; i < text.size; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
            line[i] = ' ';
    return (struct text){ line, text.size };
}

static int render_all(struct work *work, const struct template *template,
                      enum mustache_escape escape, struct rendering *rendering)
{
    int rc = 0;
    rendering->template = template;
    for (size_t i = 0; rc == 0 && i < template->field_count; i++) {
        rc = render_text(work, template->fields[i].text, &rendering->fields[i]);
        if (rc == 0)
            rendering->fields[i] = one_line(work->engine, rendering->fields[i]);
    }
    work->options.escape = escape;
    return rc == 0 ? render_text(work, template->body, &rendering->body) : rc;
}

int template_render(struct engine *engine, const struct template_request *request,
                    struct rendering *out_rendering, struct err *err)
{
    const struct channel_config *channel = config_channel(&engine->config, request->channel);
    const struct template *template = NULL;
    struct rendering rendering = { 0 };
    int rc = template_find(engine, request, &template, err);
    if (rc != 0)
        return rc;
    ASSERT(template != NULL);
    struct text tag = finish_tag(engine, template, tag_of(request));
    struct doc system = make_context(engine, request);
    struct work work = {
        .engine = engine,
        .channel = request->channel,
        .tag = tag,
        .contexts = { request->data, system },
        .options = { .has_dotted_names = true,
                     .bytes_max = (size_t)engine->config.limits.effect_bytes,
                     .locale = locale_find(tag),
                     .zone = customer_zone(request->customer, engine, (struct doc){ NULL, 0 }),
                     .partial = find_partial },
        .err = err,
    };
    work.options.arg = &work;
    size_t given = request->data.size + request->links.size;
    work.options.bytes_max -= given < work.options.bytes_max ? given : work.options.bytes_max;
    rc =
        render_all(&work, template, channel != NULL ? channel->escape : MUSTACHE_PLAIN, &rendering);
    if (rc == 0)
        *out_rendering = rendering;
    return rc;
}

void rendering_put(struct doc_writer *w, const struct rendering *rendering)
{
    const struct template *template = rendering->template;
    doc_put_text(w, "template", template->name);
    doc_put_present(w, "locale", template->locale);
    for (size_t i = 0; i < template->field_count; i++) {
        struct doc_value value = { .type = DOC_TEXT, .text = rendering->fields[i] };
        doc_put_value_text(w, template->fields[i].name, &value);
    }
    doc_put_text(w, "body", rendering->body);
}
