/* sandbox_budget.c -- what a run may spend, and its end when it has.
 *
 * Lua's count hook looks at the budget every SANDBOX_SLICE instructions.  Setting
 * the hook restarts its count, so a run that begins with setting it meets the
 * looks at the same instructions whatever ran before.  C functions add their
 * work in the same unit.
 *
 * An error from a hook is an ordinary error to pcall, and while it is raised
 * hooks are off: a message handler in Lua would run without any limit.  Hence
 * the mark `killed`.  Once it is set, pcall and xpcall rethrow whatever they
 * caught, no handler of a script is called, sandbox_spend() raises, and the hook
 * fires at every instruction, so that to-be-closed variables end as they begin.
 *
 * Depth is looked at here, too.  The memory limit would end endless recursion,
 * but not at the same call every time.
 *
 * One instruction may compare two strings of any length.  No hook can see that,
 * but the second longest string bounds it: while there are two long strings each
 * slice costs more.  The divisor lets a script that works on an event's largest
 * texts spend 100,000 instructions and keeps the worst at about a second.
 *
 * Two things stay cheap that are not: a numeric `for` whose limit is a string of
 * 256 KiB of digits reads it inside one instruction, 0.2 ms; and a table whose
 * keys were chosen to share a place looks along all of them.  A script made of
 * such things takes minutes for its budget; an interrupt is there for that.
 */
#include "core/script/sandbox_parts.h"

#include <stdio.h>
#include <string.h>

#define COMPARE_BYTES 16384 /* of the second longest string, for one unit */

static void tick(lua_State *lua, lua_Debug *event);

void budget_begin(struct sandbox *sandbox, uint64_t units_max, size_t bytes_soft)
{
    size_t room = bytes_soft > sandbox->bytes_sealed ? bytes_soft - sandbox->bytes_sealed : 0;

    sandbox->units = 0;
    sandbox->units_max = units_max;
    sandbox->killed = SANDBOX_OK;
    sandbox->is_reported = false;
    sandbox->bytes_soft = bytes_soft;
    sandbox->bytes_hard = bytes_soft + room;
    sandbox->bytes_refused = 0;
    if (sandbox->interrupt != NULL)
        atomic_store_explicit(sandbox->interrupt, false, memory_order_relaxed);
    lua_sethook(sandbox->lua, tick, LUA_MASKCOUNT, SANDBOX_SLICE);
}

void budget_end(struct sandbox *sandbox)
{
    sandbox->report = NULL;
    sandbox->bytes_soft = SIZE_MAX;
    sandbox->bytes_hard = SIZE_MAX;
    if (!sandbox->is_sealed)
        memcpy(sandbox->string_sealed, sandbox->string_longest, sizeof sandbox->string_sealed);
    memcpy(sandbox->string_longest, sandbox->string_sealed, sizeof sandbox->string_longest);
}

void budget_mark(struct sandbox *sandbox, enum sandbox_outcome outcome)
{
    if (sandbox->report == NULL || sandbox->killed != SANDBOX_OK)
        return;
    sandbox->killed = outcome;
    lua_sethook(sandbox->lua, tick, LUA_MASKCOUNT, 1);
}

int budget_kill(lua_State *lua, enum sandbox_outcome outcome, const char *reason)
{
    struct sandbox *sandbox = sandbox_of(lua);

    budget_mark(sandbox, outcome);
    if (!sandbox->is_reported && sandbox->report != NULL) {
        sandbox->is_reported = true;
        report_failure(lua, 0, sandbox->report, reason, strlen(reason));
    }
    lua_pushboolean(lua, false);
    return lua_error(lua);
}

/* Why a run that was only marked must end. */
static int kill_marked(lua_State *lua, const struct sandbox *sandbox)
{
    char reason[SANDBOX_MESSAGE_MAX] = "";

    if (sandbox->killed == SANDBOX_MEMORY)
        snprintf(reason, sizeof reason,
                 "more than %zu bytes of memory in use; work on less at "
                 "a time",
                 sandbox->bytes_soft - sandbox->bytes_sealed);
    else if (sandbox->killed == SANDBOX_BUDGET)
        snprintf(reason, sizeof reason, "a string of more than %zu bytes; keep texts shorter",
                 sandbox->limits.string_bytes);
    return budget_kill(lua, sandbox->killed, reason);
}

static void spend(lua_State *lua, struct sandbox *sandbox, uint64_t units)
{
    char reason[SANDBOX_MESSAGE_MAX];

    if (sandbox->report == NULL) /* the host at work outside a run */
        return;
    if (sandbox->killed != SANDBOX_OK)
        kill_marked(lua, sandbox);
    sandbox->units += units;
    if (sandbox->units > sandbox->units_max) {
        snprintf(reason, sizeof reason, "over the budget of %llu instructions; do less at a time",
                 (unsigned long long)sandbox->units_max);
        budget_kill(lua, SANDBOX_BUDGET, reason);
    }
    if (sandbox->interrupt != NULL &&
        atomic_load_explicit(sandbox->interrupt, memory_order_relaxed))
        budget_kill(lua, SANDBOX_INTERRUPTED, "interrupted from outside");
}

static void check_depth(lua_State *lua)
{
    lua_Debug frame;
    char reason[SANDBOX_MESSAGE_MAX];

    if (lua_getstack(lua, SANDBOX_DEPTH_MAX, &frame) == 0)
        return;
    snprintf(reason, sizeof reason,
             "more than %d calls deep; does a function call itself "
             "without an end?",
             SANDBOX_DEPTH_MAX);
    budget_kill(lua, SANDBOX_BUDGET, reason);
}

static void tick(lua_State *lua, lua_Debug *event)
{
    struct sandbox *sandbox = sandbox_of(lua);
    uint64_t dearer = sandbox->string_longest[1] * SANDBOX_SLICE / COMPARE_BYTES;

    (void)event;
    spend(lua, sandbox, SANDBOX_SLICE + dearer);
    check_depth(lua);
}

void sandbox_spend(lua_State *lua, uint64_t units)
{
    spend(lua, sandbox_of(lua), units);
}

void budget_compare(lua_State *lua, uint64_t count)
{
    struct sandbox *sandbox = sandbox_of(lua);

    spend(lua, sandbox, count * (1 + sandbox->string_longest[1] / COMPARE_BYTES));
}

void budget_bytes(lua_State *lua, size_t size)
{
    if (size >= SANDBOX_WORK_BYTES)
        spend(lua, sandbox_of(lua), size / SANDBOX_WORK_BYTES);
}

void budget_rethrow(lua_State *lua)
{
    if (sandbox_of(lua)->killed != SANDBOX_OK)
        lua_error(lua);
}

int sandbox_exceed(lua_State *lua, const char *message)
{
    return budget_kill(lua, SANDBOX_BUDGET, message);
}

int sandbox_stop(lua_State *lua)
{
    struct sandbox *sandbox = sandbox_of(lua);

    if (sandbox->killed == SANDBOX_OK)
        sandbox->is_reported = true; /* no failure, and it happens often */
    return budget_kill(lua, SANDBOX_STOPPED, "");
}

void sandbox_set_interrupt(struct sandbox *sandbox, atomic_bool *interrupt)
{
    sandbox->interrupt = interrupt;
}
