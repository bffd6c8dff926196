/* events.c -- table `v`: the events of each entry in their order, and whose each is.
 *
 * Timelines lie under their customers, the log has entries: neither tells what an entry made,
 * or whether it was a second copy.  What wants all events in order, such as the stream, reads
 * this table beside the log and finds both out by two short reads.  It grows at its end only, a
 * few bytes an entry, so it costs the checkpoint no page but its last.
 *
 * A row is as long as ROW_BYTES allows; a tick that fires much takes several.
 */
#include "core/engine/engine_inside.h"

#define ROW_BYTES 4000

static void store(struct engine *engine)
{
    struct key key;
    key_start(&key, 'v');
    key_id(&key, engine->seq, engine->events_first);
    state_put(engine->state, &key, engine->events.data, engine->events.size);
    buf_clear(&engine->events);
}

void events_note(struct engine *engine, uint64_t customer, uint64_t n)
{
    struct key pair = { .size = 0 };
    if (engine->events.size >= ROW_BYTES)
        store(engine);
    if (engine->events.size == 0)
        engine->events_first = n;
    key_number(&pair, customer);
    key_number(&pair, n);
    buf_append(&engine->events, pair.data, pair.size);
}

void events_store(struct engine *engine)
{
    if (engine->events.size != 0)
        store(engine);
}
