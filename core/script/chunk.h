/* chunk.h -- what a compiled function does with variables that are not its own.
 *
 * Read off the form in which Lua 5.4 writes a function down (lua_dump()): the compiler knows best
 * which `x` is a local, whose it is, and which is none.  Nothing is changed by it, and nothing but
 * advice follows from it, so that another form, which its header tells, only means less advice.
 * Any thread.
 */
#ifndef CORE_SCRIPT_CHUNK_H
#define CORE_SCRIPT_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum chunk_use {
    CHUNK_READS_GLOBAL,
    CHUNK_SETS_GLOBAL,
    CHUNK_READS_FIELD, /* of a global, at once: "visits.next" */
    CHUNK_SETS_OUTER,  /* a local of a function around this one */
    CHUNK_HAS_PAIR,    /* a text of two words with a colon between, "pool:spring" */
};

/* Both texts are terminated and valid for the call; `line` is 0 where it is not known. */
typedef void chunk_fn(void *arg, enum chunk_use use, const char *name, int line);

/* Visit, for a function and all that are written inside of it, each such place.  False: these bytes
 * are not of Lua 5.4 on this machine, or cut. */
bool chunk_visit(const void *data, size_t size, chunk_fn *visit, void *arg);

#endif
