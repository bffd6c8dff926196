/* odd_hooks.c -- does what the document says when customers are merged, parted or erased. */
#include "shelf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define ROOM 128
#define REFUSALS 2

static atomic_bool forgets_never; /* once it was told so: "forget never" */

static const char *const reads[] = { "event.what", NULL };

/* {what: "fail", "crash" or "hang", then of which hook: "merge fail"} */
static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[ROOM];
    struct kith_value what;
    struct kith_writer w;
    int32_t rc = engine->read(call, 0, &what);
    if (rc != KITH_OK)
        return rc;
    if (kith_is(kith_as_text(&what), "forget never"))
        atomic_store(&forgets_never, true);
    kith_begin(&w, room, sizeof room);
    kith_put_text(&w, "what", kith_as_text(&what));
    return engine->keep(call, "orders", kith_end(&w));
}

static int32_t obey(const struct kith_engine *engine, struct kith_call *call, const char *hook)
{
    struct kith_doc given;
    int32_t rc = engine->arguments(call, &given);
    if (rc != KITH_OK)
        return rc;
    struct kith_text what = kith_get_text(kith_get_doc(given, "absorbed"), "what");
    size_t size = strlen(hook);
    if (what.size <= size || memcmp(what.data, hook, size) != 0)
        return KITH_OK;
    if (kith_is(kith_text(what.data + size), " fail"))
        return engine->fail(call, "odd ones do not add up");
    if (kith_is(kith_text(what.data + size), " crash"))
        return *(volatile int32_t *)NULL;
    for (volatile int more = 1; more != 0;)
        continue;
    return KITH_OK;
}

static int32_t merge(const struct kith_engine *engine, struct kith_call *call)
{
    return obey(engine, call, "merge");
}

static int32_t unmerge(const struct kith_engine *engine, struct kith_call *call)
{
    return obey(engine, call, "unmerge");
}

/* Not at once. */
static int32_t erased(void *self, uint64_t customer)
{
    static int refused;
    (void)self;
    (void)customer;
    return atomic_load(&forgets_never) || refused++ < REFUSALS ? KITH_FAILED : KITH_OK;
}

static const struct kith_state state = {
    .size = sizeof state, .key = "orders", .version = 1, .merge = merge, .unmerge = unmerge
};
static const struct kith_state *const states[] = { &state, NULL };

SHELF_PLUGIN("odd_hooks", on_order, reads, .states = states, .erased = erased)
