/* kit_one.c -- one call, and who still uses it when it has ended; see kit.h.
 *
 * A kith_call is gone when the function has returned.  In a daemon whoever kept its address writes
 * into what is another's by then.  Here there are two that take turns, and the one that has ended
 * is of a plugin that has declared nothing: what it is asked is refused, and what it is told lands
 * in a buffer of nobody's.
 */
#include "core/plugin/kit_inside.h"

static const struct plugin nobody = { .name = "" };
static const struct plugin_reads nothing = { NULL, 0 };

static void end(struct kith_call *call, struct buf *late)
{
    call->plugin = &nobody;
    call->reads = &nothing;
    call->arguments = (struct doc){ NULL, 0 };
    call->refused = KITH_OK;
    call->words[0] = '\0';
    call->writes = call->answer = late;
    buf_clear(late);
}

int kit_call_one(struct probe *probe, const struct kit_one *one, struct err *err)
{
    struct kith_call *last = probe->call;
    if (last != NULL)
        end(last, &probe->late);
    probe->call = last == probe->calls ? probe->calls + 1 : probe->calls;
    probe->call->plugin = &probe->plugin;
    probe->call->reads = one->reads != NULL ? one->reads : &nothing;
    probe->call->source = one->source;
    probe->call->arguments = one->arguments;
    probe->call->now = one->now;
    probe->call->writes = &probe->writes;
    probe->call->answer = &probe->answer;
    return plugin_call(probe->call, one->run, err);
}

bool kit_was_late(const struct probe *probe)
{
    const struct kith_call *ended = probe->call == probe->calls ? probe->calls + 1 : probe->calls;
    return ended->refused != KITH_OK || ended->words[0] != '\0' || probe->late.size != 0;
}
