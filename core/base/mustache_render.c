/* mustache_render.c -- tokens and documents become text; see mustache.h.
 *
 * The renderer stands at one token of one template.  What it has entered lies on a stack of
 * TEMPLATE_DEPTH_MAX frames: a section, with the item it is at, or a partial, with the place to
 * go back to.  Sections end in the template in which they begin, so the two never cross.
 *
 * Each token that is looked at is a step, and steps are counted: an empty section over a list in
 * a section over a list costs no output and would else cost any time.
 */
#include "core/base/err.h"
#include "core/base/html.h"
#include "core/base/limits.h"
#include "core/base/markdown.h"
#include "core/base/mem.h"
#include "core/base/mustache_inside.h"

#include <string.h>

struct frame {
    /* A section: */
    struct doc_value context; /* DOC_NONE: none, it is a partial */
    struct doc_iter items;
    bool is_list;
    /* A partial: */
    const struct mustache *from;
    uint32_t at;
    struct text indent;
};

struct renderer {
    const struct mustache *of;
    uint32_t at;
    struct frame frames[TEMPLATE_DEPTH_MAX];
    unsigned depth;
    unsigned indents; /* partials among the frames */
    const struct doc *contexts;
    size_t context_count;
    const struct mustache_options *options;
    struct buf value; /* of one tag, before it is escaped */
    struct buf *out;
    size_t begin; /* of the rendering in `out` */
    unsigned steps;
    struct err *err;
};

/* -- Names ---------------------------------------------------------------- */

static struct text first_word(struct text name)
{
    const char *dot = memchr(name.data, '.', name.size);
    return dot != NULL ? (struct text){ name.data, (uint32_t)(dot - name.data) } : name;
}

/* The field that the name begins with; *out_used: so much of the name, its dot included. */
static struct doc_value step_into(const struct renderer *r, struct doc doc, struct text name,
                                  uint32_t *out_used)
{
    struct doc_value none = { .type = DOC_NONE };
    struct text first = first_word(name);
    if (r->options->has_dotted_names || first.size == name.size) {
        struct doc_value value = doc_get_text(doc, name);
        *out_used = name.size;
        if (value.type != DOC_NONE || first.size == name.size)
            return value;
    }
    *out_used = first.size + 1;
    return first.size != 0 ? doc_get_text(doc, first) : none;
}

/* What the whole name is in the documents, the innermost first.  One that has its first word
 * hides all outer ones, whether it has the rest or not. */
static struct doc_value resolve(const struct renderer *r, struct text name)
{
    struct doc_value value = { .type = DOC_NONE };
    uint32_t used = 0;
    for (unsigned i = r->depth; i > 0 && value.type == DOC_NONE; i--)
        if (r->frames[i - 1].context.type == DOC_DOC)
            value = step_into(r, r->frames[i - 1].context.doc, name, &used);
    for (size_t i = r->context_count; i > 0 && value.type == DOC_NONE; i--)
        value = step_into(r, r->contexts[i - 1], name, &used);
    while (value.type != DOC_NONE && used < name.size) {
        name = (struct text){ name.data + used, name.size - used };
        if (value.type == DOC_DOC || value.type == DOC_ARRAY)
            value = step_into(r, value.doc, name, &used);
        else
            value.type = DOC_NONE;
    }
    return value;
}

/* {{.}} */
static struct doc_value innermost(const struct renderer *r)
{
    for (unsigned i = r->depth; i > 0; i--)
        if (r->frames[i - 1].context.type != DOC_NONE)
            return r->frames[i - 1].context;
    if (r->context_count == 0)
        return (struct doc_value){ .type = DOC_NONE };
    return (struct doc_value){ .type = DOC_DOC, .doc = r->contexts[r->context_count - 1] };
}

static struct doc_value look_up(const struct renderer *r, struct text name)
{
    return text_is(name, ".") ? innermost(r) : resolve(r, name);
}

static bool is_there(const struct doc_value *value)
{
    switch (value->type) {
    case DOC_NONE:
    case DOC_NULL:
        return false;
    case DOC_BOOL:
        return value->boolean;
    case DOC_TEXT:
        return value->text.size != 0;
    case DOC_DOC:
    case DOC_ARRAY:
        return doc_count(value->doc) != 0;
    default:
        return true;
    }
}

/* -- Output --------------------------------------------------------------- */

static void write_value(struct renderer *r, const struct token *token)
{
    struct doc_value value = look_up(r, token->text);
    struct locale_format format = { r->options->locale, r->options->zone, token->style,
                                    token->detail };
    buf_clear(&r->value);
    locale_write(&format, &value, &r->value);
    struct text text = { (const char *)r->value.data, (uint32_t)r->value.size };
    switch (token->is_raw ? MUSTACHE_PLAIN : r->options->escape) {
    case MUSTACHE_HTML:
        html_escape(text, r->out);
        break;
    case MUSTACHE_MARKDOWN:
        markdown_escape(text, r->out);
        break;
    case MUSTACHE_PLAIN:
        if (text.size != 0)
            buf_append(r->out, text.data, text.size);
    }
}

static void write_indents(struct renderer *r)
{
    for (unsigned i = 0; r->indents != 0 && i < r->depth; i++)
        if (r->frames[i].from != NULL && r->frames[i].indent.size != 0)
            buf_append(r->out, r->frames[i].indent.data, r->frames[i].indent.size);
}

/* -- Sections and partials ------------------------------------------------ */

static int enter(struct renderer *r, const struct frame *frame)
{
    if (r->depth == TEMPLATE_DEPTH_MAX)
        return err_set(r->err, E_LIMIT,
                       "sections and partials are more than %d deep in each other (limit "
                       "TEMPLATE_DEPTH_MAX)",
                       TEMPLATE_DEPTH_MAX);
    r->frames[r->depth++] = *frame;
    r->indents += frame->from != NULL;
    return 0;
}

static int begin_section(struct renderer *r, const struct token *token)
{
    struct doc_value value = look_up(r, token->text);
    struct frame frame = { .context = value };
    if (!is_there(&value)) {
        r->at = token->other + 1;
        return 0;
    }
    if (value.type == DOC_ARRAY) {
        frame.is_list = true;
        frame.items = doc_iter(value.doc);
        bool has_first = doc_next(&frame.items);
        ASSERT(has_first);
        frame.context = frame.items.value;
    }
    return enter(r, &frame);
}

static void end_section(struct renderer *r, const struct token *token)
{
    const struct token *begin = &r->of->tokens[token->other];
    if (begin->kind == TOKEN_INVERTED)
        return;
    struct frame *frame = &r->frames[r->depth - 1];
    if (frame->is_list && doc_next(&frame->items)) {
        frame->context = frame->items.value;
        r->at = token->other + 1;
        return;
    }
    r->depth--;
}

static int begin_partial(struct renderer *r, const struct token *token)
{
    const struct mustache *partial =
        r->options->partial == NULL ? NULL : r->options->partial(r->options->arg, token->text);
    struct frame frame = { .from = r->of, .at = r->at, .indent = token->indent };
    if (partial == NULL)
        return 0;
    int rc = enter(r, &frame);
    if (rc != 0)
        return rc;
    r->of = partial;
    r->at = 0;
    return 0;
}

static void end_partial(struct renderer *r)
{
    const struct frame *frame = &r->frames[--r->depth];
    r->of = frame->from;
    r->at = frame->at;
    r->indents--;
}

/* -- All of it ------------------------------------------------------------ */

static int write_token(struct renderer *r, const struct token *token)
{
    if (token->begins_line)
        write_indents(r);
    switch (token->kind) {
    case TOKEN_TEXT:
        buf_append(r->out, token->text.data, token->text.size);
        return 0;
    case TOKEN_VALUE:
        write_value(r, token);
        return 0;
    case TOKEN_SECTION:
        return begin_section(r, token);
    case TOKEN_INVERTED: {
        struct doc_value value = look_up(r, token->text);
        if (is_there(&value))
            r->at = token->other + 1;
        return 0;
    }
    case TOKEN_END:
        end_section(r, token);
        return 0;
    case TOKEN_PARTIAL:
        return begin_partial(r, token);
    }
    return 0;
}

static int check_limits(struct renderer *r)
{
    if (r->out->size - r->begin > r->options->bytes_max)
        return err_set(r->err, E_LIMIT,
                       "the rendering has more than %zu bytes (limit effect_bytes)",
                       r->options->bytes_max);
    if (++r->steps > TEMPLATE_STEPS_MAX)
        return err_set(r->err, E_LIMIT,
                       "the rendering takes more than %d steps (limit TEMPLATE_STEPS_MAX)",
                       TEMPLATE_STEPS_MAX);
    return 0;
}

static int render(struct renderer *r)
{
    for (;;) {
        ASSERT(r->of != NULL);
        if (r->at == r->of->count) {
            if (r->depth == 0)
                return check_limits(r);
            end_partial(r);
            continue;
        }
        int rc = check_limits(r);
        if (rc == 0)
            rc = write_token(r, &r->of->tokens[r->at++]);
        if (rc != 0)
            return rc;
    }
}

int mustache_render(const struct mustache *mustache, const struct doc contexts[], size_t count,
                    const struct mustache_options *options, struct buf *out, struct err *err)
{
    struct renderer r = { .of = mustache,
                          .contexts = contexts,
                          .context_count = count,
                          .options = options,
                          .value = BUF_INIT,
                          .out = out,
                          .begin = out->size,
                          .err = err };
    int rc = render(&r);
    buf_deinit(&r.value);
    return rc;
}
