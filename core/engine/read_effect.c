/* read_effect.c -- intended acts on the outside world: one, or a list, the newest first.
 *
 * Those under way and those that wait for a person have rows of their own (table `y`); all
 * others are looked for from the end of table `e`, where the present is.  A page that looked
 * at many in vain ends with a cursor, so no question costs more than another.
 */
#include "core/engine/effect.h"

#include "core/base/err.h"
#include "core/engine/engine_inside.h"
#include "core/engine/read_inside.h"

static void key_effect(struct key *key, uint64_t seq, uint64_t n)
{
    key_start(key, 'e');
    key_id(key, seq, n);
}

/* Where a message goes is known once it has been claimed. */
static struct text recipient(const struct effect *effect)
{
    struct text address = doc_text(effect->message, "address");
    return effect->to.size != 0 ? effect->to : address;
}

static void show_customer(struct doc_writer *w, const struct effect *effect)
{
    if (effect->customer != 0)
        doc_put_int(w, "customer", (int64_t)effect->customer);
    else
        doc_put_null(w, "customer");
}

void show_effect(struct doc_writer *w, uint64_t seq, uint64_t n, struct doc row)
{
    struct effect effect;
    effect_read(&effect, seq, n, row);
    show_event_id(w, "id", seq, n);
    show_customer(w, &effect);
    doc_put_text(w, "channel", effect.channel);
    doc_put_present(w, "purpose", effect.purpose);
    doc_put_text(w, "state", effect.state);
    doc_put_present(w, "reason", effect.reason);
    doc_put_present(w, "to", recipient(&effect));
    doc_put_present(w, "key", effect.key);
    doc_put_present(w, "rule", effect.rule);
    show_event_id(w, "cause", seq, effect.cause);
    doc_put_datetime(w, "created", effect.created);
    doc_put_datetime(w, "expires", effect.expires);
    doc_put_int(w, "attempt", effect.attempt);
    doc_put_bool(w, "notification", effect.is_notification);
    if (effect.is_test)
        doc_put_bool(w, "test", true);
    if (effect.feedback.data != NULL)
        doc_put_doc(w, "feedback", effect.feedback);
    /* What the rule gave, until it has become a message. */
    if (effect.message.data != NULL)
        doc_put_doc(w, "message", effect.message);
    else
        doc_put_doc(w, "content", effect.content);
}

int read_effect(struct engine *engine, struct text id, struct buf *out, struct err *err)
{
    uint64_t seq, n;
    struct key key;
    struct bytes row;
    if (event_id_parse(id, &seq, &n)) {
        key_effect(&key, seq, n);
        if (state_get(engine->state, &key, &row)) {
            struct doc_writer w;
            doc_begin(&w, out);
            show_effect(&w, seq, n, doc_of(row));
            doc_end(&w);
            return 0;
        }
    }
    return err_set(err, E_NOTFOUND, "no effect has the id %.*s", (int)id.size, id.data);
}

/* -- Lists ----------------------------------------------------------------------------- */

struct visit {
    struct snapshot *snapshot;
    const struct read_effects *which;
    struct list list;
    size_t prefix_size;
    uint64_t seq, n; /* the last looked at */
    bool is_cut;     /* the page ended before the rows did */
};

static void show_if_wanted(struct visit *visit, struct doc row)
{
    const struct read_effects *which = visit->which;
    if ((which->state.size != 0 && !text_equal(doc_text(row, "state"), which->state)) ||
        (which->channel.size != 0 && !text_equal(doc_text(row, "channel"), which->channel)))
        return;
    list_item(&visit->list);
    show_effect(&visit->list.w, visit->seq, visit->n, row);
    doc_close(&visit->list.w);
}

/* A row of `e`, or one of `y`, whose value is not the effect. */
static int visit_effect(void *arg, struct bytes key, struct bytes value)
{
    struct visit *visit = arg;
    struct key_reader reader = { key.data + visit->prefix_size, key.data + key.size };
    if (list_is_full(&visit->list))
        return visit->is_cut = true;
    bool is_id = key_read_number(&reader, &visit->seq) && key_read_number(&reader, &visit->n);
    ASSERT(is_id);
    if (key.data[0] == 'y') {
        struct key effect;
        key_effect(&effect, visit->seq, visit->n);
        bool is_there = snapshot_get(visit->snapshot, &effect, &value);
        ASSERT(is_there);
    }
    show_if_wanted(visit, doc_of(value));
    return 0;
}

static bool has_index(struct text state)
{
    return text_is(state, "claimed") || text_is(state, "uncertain") || text_is(state, "held");
}

int read_effects(struct snapshot *snapshot, const struct read_effects *which,
                 const struct read_page *page, struct buf *out, struct err *err)
{
    struct visit visit = { .snapshot = snapshot, .which = which };
    struct key prefix, before;
    char next[EVENT_ID_TEXT_MAX] = "";
    uint64_t seq;
    int64_t logged;
    bool has_before = page->after.size != 0;
    if (has_before && !event_id_parse(page->after, &visit.seq, &visit.n))
        return err_set(err, E_INVALID, "`after` is no cursor that a page of effects gave");
    bool is_indexed = has_index(which->state);
    key_start(&prefix, is_indexed ? 'y' : 'e');
    if (is_indexed)
        key_text(&prefix, which->state);
    before = prefix;
    key_id(&before, visit.seq, visit.n);
    visit.prefix_size = prefix.size;
    list_begin(&visit.list, out, page->limit);
    snapshot_visit_back(snapshot, &prefix, has_before ? &before : NULL, visit_effect, &visit);
    if (visit.is_cut)
        event_id_text(visit.seq, visit.n, next);
    snapshot_applied(snapshot, &seq, &logged);
    list_end(&visit.list, text_of(next), seq);
    return 0;
}
