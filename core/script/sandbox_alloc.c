/* sandbox_alloc.c -- the memory of a sandbox, and the two ceilings over it.
 *
 * A limit that merely refuses memory has two faults.  Scripts can catch the
 * error and go on in a full state, and Lua gives it no traceback.  So there are
 * two ceilings.  At the soft one a request is refused once: Lua then collects
 * all garbage and asks again.  If there is still no room the request is granted,
 * the run is marked, and its next instruction ends it in good order.  The hard
 * ceiling, at twice the room, is the wall for requests too large for that.
 *
 * A refusal that is not followed by the same request was not Lua's own (the
 * auxiliary library's buffers ask only once) and has surfaced as an ordinary
 * error.  Garbage decides whether that happens, so it must never be something
 * that a script can act upon: it marks the run as well.
 *
 * Strings are watched because the virtual machine copies and compares them
 * inside one instruction.  Making one is charged by its length, its length is
 * limited, and the two longest are remembered: a comparison cannot cost more
 * than the second longest (sandbox_budget.c).
 */
#include "core/script/sandbox_parts.h"

#include "core/base/mem.h"

#include <stdlib.h>

#define STRING_BYTES_NOTED 1024 /* shorter ones cost no more than an instruction */
#define STRING_HEADER_BYTES 64  /* more than Lua adds to the text */

static void string_note(struct sandbox *sandbox, size_t size)
{
    sandbox->units += size / SANDBOX_WORK_BYTES;
    if (size > sandbox->string_longest[0]) {
        sandbox->string_longest[1] = sandbox->string_longest[0];
        sandbox->string_longest[0] = size;
    } else if (size > sandbox->string_longest[1]) {
        sandbox->string_longest[1] = size;
    }
    if (size > sandbox->limits.string_bytes + STRING_HEADER_BYTES)
        budget_mark(sandbox, SANDBOX_BUDGET);
}

/* Whether `growth` bytes more, for a block of `size`, must be refused. */
static bool is_refused(struct sandbox *sandbox, size_t size, size_t growth)
{
    size_t refused = sandbox->bytes_refused;
    bool is_over = sandbox->bytes + growth > sandbox->bytes_soft;

    sandbox->bytes_refused = 0;
    if (is_over && refused != size && sandbox->killed == SANDBOX_OK && refused == 0) {
        sandbox->bytes_refused = size;
        return true;
    }
    if (is_over || (refused != 0 && refused != size))
        budget_mark(sandbox, SANDBOX_MEMORY);
    return is_over && sandbox->bytes + growth > sandbox->bytes_hard;
}

void *sandbox_allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    struct sandbox *sandbox = data;
    size_t held = block != NULL ? old_size : 0; /* else old_size is a kind */

    if (new_size == 0) {
        sandbox->bytes -= held;
        free(block);
        return NULL;
    }
    if (new_size > held && is_refused(sandbox, new_size, new_size - held))
        return NULL;
    if (block == NULL && old_size == LUA_TSTRING && new_size >= STRING_BYTES_NOTED)
        string_note(sandbox, new_size);

    sandbox->bytes += new_size - held;
    return mem_resize(block, new_size);
}
