/* template.h -- which text of a template a customer gets, and what stands in it for her.
 *
 * Texts are looked for in the order of languages: hers (trait `locale`, else `language`), without
 * its last part as long as it has one more ("de-AT", "de"), the company's in the same way, and
 * last the one that is for everybody.  The same with the partials of a template, from its own
 * language on, so that no German footer stands under an English letter.
 *
 * What a template reads:
 *
 *     customer.NAME   her traits; id, kind, owner, tags, roles
 *     NAME data.NAME  what the rule gave as data
 *     owner.NAME      what is known of the member of staff whose customer she is
 *     links.NAME      a signed link; its address is put there when the message goes out
 *     now             the time of the claim
 *
 * Everything given lies in the engine's arena.  Engine thread only.
 */
#ifndef CORE_ENGINE_TEMPLATE_H
#define CORE_ENGINE_TEMPLATE_H

#include "core/base/doc.h"
#include "core/base/limits.h"

struct customer;
struct engine;
struct err;
struct template;

/* How a link stands in a rendering, around its name: the deliverer puts its address there. */
#define TEMPLATE_LINK_BEGIN "{{links."
#define TEMPLATE_LINK_END "}}"

struct template_request {
    struct text name, channel;
    struct text locale;              /* empty: the customer's */
    struct doc data;                 /* none: none */
    struct doc links;                /* terms by name; none: none */
    const struct customer *customer; /* number 0: nobody */
};

struct rendering {
    const struct template *template; /* the active bundle's */
    struct text body, fields[TEMPLATE_FIELDS_MAX];
};

/* `wanted`, or where it is empty the channel that all texts of the template are for; empty: no
 * template is called so.  E_INVALID: they are for several; E_NOTFOUND: there is no such channel. */
int template_channel(const struct engine *engine, struct text name, struct text wanted,
                     struct text *out_channel, struct err *err);

/* E_NOTFOUND: no template is called so, or none of its texts is for that channel and language. */
int template_find(struct engine *engine, const struct template_request *request,
                  const struct template **out_template, struct err *err);

/* E_NOTFOUND; E_LIMIT, with the limit's name. */
int template_render(struct engine *engine, const struct template_request *request,
                    struct rendering *out_rendering, struct err *err);

/* template, locale if the text has one, the fields above the body, body. */
void rendering_put(struct doc_writer *w, const struct rendering *rendering);

#endif
