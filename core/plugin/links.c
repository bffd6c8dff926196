/* links.c -- see links.h. */
#include "core/plugin/links.h"

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/engine/link_terms.h"
#include "core/engine/step.h"

static int check_names(struct text name, struct doc terms, struct err *err)
{
    static const char *const names[] = { "event",   "data",  "title",   "purpose",
                                         "channel", "state", "expires", NULL };
    for (struct doc_iter it = doc_iter(terms); doc_next(&it);) {
        bool is_data = text_is(it.name, "data"), is_moment = text_is(it.name, "expires");
        size_t i = 0;
        while (names[i] != NULL && !text_is(it.name, names[i]))
            i++;
        if (names[i] == NULL)
            return err_set(err, E_INVALID, "send: the link \"%.*s\" knows no \"%.*s\"",
                           (int)name.size, name.data, (int)it.name.size, it.name.data);
        if (!is_moment && it.value.type != (is_data ? DOC_DOC : DOC_TEXT))
            return err_set(err, E_INVALID, "send: the link \"%.*s\": %s is %s", (int)name.size,
                           name.data, names[i], is_data ? "a document" : "text");
    }
    return 0;
}

static int check_expires(const struct doc_value *value, struct err *err)
{
    struct intent intent;
    if (value->type == DOC_NONE || value->type == DOC_INT64 || value->type == DOC_DATETIME)
        return 0;
    return value->type == DOC_TEXT
               ? step_when_check("send", value->text, DUE_NO_MINUTE, &intent, err)
               : err_set(err, E_INVALID, "send: expires of a link is a time like \"30d\"");
}

static int check_link(struct text name, const struct doc_value *terms, struct err *err)
{
    if (terms->type != DOC_DOC || name.size == 0 || name.size > LINK_NAME_BYTES_MAX)
        return err_set(err, E_INVALID,
                       "send: links are {NAME: {event, ...}}, NAME of at most %d bytes",
                       LINK_NAME_BYTES_MAX);
    int rc = check_names(name, terms->doc, err);
    const char *wrong = rc == 0 ? link_terms_wrong(terms->doc) : NULL;
    if (wrong != NULL)
        return err_set(err, E_INVALID, "send: the link \"%.*s\": %s", (int)name.size, name.data,
                       wrong);
    struct doc_value expires = doc_get(terms->doc, "expires");
    return rc == 0 ? check_expires(&expires, err) : rc;
}

int plugin_links_check(struct doc links, struct err *err)
{
    int rc = 0;
    for (struct doc_iter it = doc_iter(links); rc == 0 && doc_next(&it);)
        rc = check_link(it.name, &it.value, err);
    return rc;
}

/* From here on, and not from when it goes out: so it is the same however long that takes. */
static int read_expires(struct step *step, struct doc terms, int64_t *out_ms, struct err *err)
{
    struct doc_value value = doc_get(terms, "expires");
    int64_t now = step_now(step);
    int rc = 0;
    *out_ms = now + (link_terms_are_withdrawal(terms) ? LINK_WITHDRAW_MS : LINK_EXPIRES_MS);
    if (value.type == DOC_INT64 || value.type == DOC_DATETIME)
        *out_ms = value.integer;
    else if (value.type == DOC_TEXT)
        rc = step_when(step, "send", value.text, DUE_NO_MINUTE, (struct text){ "", 0 }, now, out_ms,
                       err);
    if (rc == 0 && *out_ms <= now)
        rc = err_set(err, E_INVALID, "send: expires of a link must lie ahead");
    return rc;
}

static int put_link(struct step *step, struct doc_writer *w, const struct doc_iter *link,
                    struct err *err)
{
    int64_t expires;
    int rc = read_expires(step, link->value.doc, &expires, err);
    if (rc != 0)
        return rc;
    doc_open_text(w, link->name);
    for (struct doc_iter it = doc_iter(link->value.doc); doc_next(&it);)
        if (!text_is(it.name, "expires"))
            doc_put_value_text(w, it.name, &it.value);
    doc_put_datetime(w, "expires", expires);
    doc_close(w);
    return 0;
}

int plugin_links(struct step *step, struct doc links, struct doc *out_links, struct err *err)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    int rc = 0;
    *out_links = (struct doc){ NULL, 0 };
    if (links.data == NULL)
        return 0;
    if (step_customer(step) == NULL)
        return err_set(err, E_INVALID, "send: links are a customer's, and this event has none");
    doc_begin(&w, &bytes);
    for (struct doc_iter it = doc_iter(links); rc == 0 && doc_next(&it);)
        rc = put_link(step, &w, &it, err);
    if (rc == 0)
        *out_links = arena_doc(step_arena(step), doc_end(&w));
    buf_deinit(&bytes);
    return rc;
}
