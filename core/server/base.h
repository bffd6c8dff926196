/* base.h -- the state from which a fold of the log begins; docs/log.md, "The world".
 *
 * What older code computed newer code may compute differently, so the entries that
 * older code folded cannot be folded again.  When new code takes over, the state as it
 * stands is kept in a file, and a fold begins there: `kith verify`, and a state made anew.
 *
 * One thread.
 */
#ifndef CORE_SERVER_BASE_H
#define CORE_SERVER_BASE_H

#include "core/base/doc.h"
#include "core/base/hash.h"

#include <stdbool.h>

struct err;
struct log;
struct state;

/* All zeros: nothing, the empty state. */
struct base {
    uint64_t seq;                /* the last entry that is in it */
    uint8_t hash[HASH128_BYTES]; /* zeros: it was not known when it was named */
};

/* Keep the last checkpoint of `state` under `dir`, the directory of the data.  A state
 * without entries makes no file and an empty base.  E_IO, E_FULL. */
int base_write(const char *dir, struct state *state, struct base *out_base, struct err *err);

/* Whether its file is there. */
bool base_exists(const char *dir, const struct base *base);

/* Into an empty state; an empty base is loaded at once.  E_IO: the file is not there, or
 * cannot be read; E_CORRUPT: it is not the one the log names. */
int base_load(const char *dir, const struct base *base, struct state *state, struct err *err);

/* Remove what is kept under `dir`, but for these two, and flush.  E_IO. */
int base_sweep(const char *dir, const struct base *base, const struct base *floor, struct err *err);

/* The field `name` of a `world` entry's data; without one, the empty base. */
void base_put(struct doc_writer *w, const char *name, const struct base *base);
struct base base_of(struct doc data, const char *name);

#endif
