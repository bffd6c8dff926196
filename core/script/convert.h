/* convert.h -- values of scripts as documents, and back.
 *
 * A Lua table with the keys 1..n is an array, any other (the empty one too) a document,
 * whose fields are written in bytewise order of their names: the order must not depend
 * on Lua's hashing.  Whole numbers are int64, others doubles.  A moment is int64
 * milliseconds.  Null reads as nil.
 *
 * The work is charged to the call in progress (sandbox_spend()), whose end is a long jump out
 * of these functions.  The sandbox's thread.
 */
#ifndef CORE_SCRIPT_CONVERT_H
#define CORE_SCRIPT_CONVERT_H

#include "core/base/arena.h"
#include "core/base/doc.h"

#include <lua.h>

struct err;

/* The value at `index` of the stack, in memory of the arena; `scratch` is the caller's to keep, for
 * Lua may leave this function by a long jump.  E_INVALID: functions, keys that are
 * no strings, NaN, text that is no UTF-8; E_LIMIT: nested deeper than NESTING_MAX, larger than
 * EVENT_BYTES_MAX. */
int convert_from_lua(lua_State *lua, int index, struct arena *arena, struct buf *scratch,
                     struct doc_value *out_value, struct err *err);

/* Push one value.  May raise (memory); owns nothing. */
void convert_push(lua_State *lua, const struct doc_value *value);

/* The string at `index` in the arena's memory; size 0 when it is none.  Raises when it is not
 * UTF-8. */
struct text convert_text(lua_State *lua, int index, struct arena *arena);

#endif
