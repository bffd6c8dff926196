/* good_act.c -- does what rules do: a reminder, a tag, a timer, an event here and one elsewhere;
 * and says why it does not. */
#include "shelf.h"

enum { TOTAL, REFERRER };
static const char *const reads[] = { "event.total", "event.referrer", NULL };
static const char *const needs[] = { "act:remind", "act:tag", "act:after", NULL };

static int32_t remind(const struct kith_engine *engine, struct kith_call *call)
{
    char room[256];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "title", "Thank them by phone");
    kith_put_string(&w, "to", "owner");
    kith_put_string(&w, "due", "1d");
    return engine->act(call, "remind", kith_end(&w));
}

static int32_t tag(const struct kith_engine *engine, struct kith_call *call)
{
    char room[64];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "tag", "large order");
    return engine->act(call, "tag", kith_end(&w));
}

static int32_t after(const struct kith_engine *engine, struct kith_call *call)
{
    char room[256];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "due", "30d");
    kith_put_string(&w, "key", "again");
    kith_put_string(&w, "emit", "good_act.quiet");
    return engine->act(call, "after", kith_end(&w));
}

/* Whoever sent them hears of it, if the event says who that was. */
static int32_t tell_referrer(const struct kith_engine *engine, struct kith_call *call,
                             const struct kith_value *total)
{
    char room[128];
    struct kith_writer w;
    struct kith_value referrer;
    int32_t rc = engine->read(call, REFERRER, &referrer);
    struct kith_text who = kith_as_text(&referrer);
    if (rc != KITH_OK || who.size == 0 || who.size > 200)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "total", total);
    return engine->emit(call, "referred", kith_end(&w), who);
}

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_text line = kith_text("a large order"), same_customer = { NULL, 0 };
    struct kith_doc nothing = { NULL, 0 };
    struct kith_value total;
    int32_t rc = engine->read(call, TOTAL, &total);
    if (rc != KITH_OK)
        return rc;
    if (total.type != KITH_INT && total.type != KITH_DOUBLE)
        return engine->fail(call, "the order has no total that is a number");
    rc = remind(engine, call);
    if (rc == KITH_OK)
        rc = tag(engine, call);
    if (rc == KITH_OK)
        rc = after(engine, call);
    if (rc == KITH_OK)
        rc = engine->emit(call, "large", nothing, same_customer);
    if (rc == KITH_OK)
        rc = tell_referrer(engine, call, &total);
    return rc == KITH_OK ? engine->note(call, line) : rc;
}

SHELF_PLUGIN("good_act", on_order, reads, .needs = needs)
