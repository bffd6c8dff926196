/* wbuf.h -- the write buffer: what the engine has changed since the last checkpoint.
 *
 * An ordered map in memory from keys to values and to "deleted".  Point reads go
 * through a hash table, everything in order through a tree.  The layers below it
 * are not its business: a row that it does not know is simply not there.
 *
 * Savepoints.  While one is open the buffer remembers how each row was before its first
 * change under it; without one this costs a comparison.
 *
 * Threads: one changes a buffer.  Once nobody does (it is frozen), any number may read it.
 */
#ifndef STORAGE_WBUF_H
#define STORAGE_WBUF_H

#include "storage/key.h"
#include "storage/wbuf_heap.h"
#include "storage/wbuf_tree.h"

#define WBUF_SAVEPOINTS_MAX 4

struct wbuf;

/* Its memory comes from `pool`, which is borrowed, and goes back to it.  More rows than
 * expected are allowed. */
struct wbuf *wbuf_new(struct wbuf_pool *pool, size_t rows_expected);
void wbuf_free(struct wbuf *wbuf); /* NULL is allowed */

/* What the functions below want beside a key, made once for all buffers of a state.  With
 * a secret `seed` nobody outside can choose keys that collide. */
uint64_t wbuf_hash(uint64_t seed, const struct key *key);

/* The row of `key` or NULL.  A row stays where it is for the
 * life of the buffer, its value until the next change of the row or undo. */
const struct wbuf_row *wbuf_find(const struct wbuf *wbuf, const struct key *key, uint64_t hash);
void wbuf_put(struct wbuf *wbuf, const struct key *key, uint64_t hash, const void *data,
              size_t size);
void wbuf_delete(struct wbuf *wbuf, const struct key *key, uint64_t hash);

void wbuf_save(struct wbuf *wbuf);
void wbuf_undo(struct wbuf *wbuf);
void wbuf_keep(struct wbuf *wbuf);
unsigned wbuf_savepoints(const struct wbuf *wbuf); /* open ones */

const struct wbuf_tree *wbuf_tree(const struct wbuf *wbuf);
/* Changes whenever a row appears or disappears: places in the tree hold until then. */
uint64_t wbuf_version(const struct wbuf *wbuf);
size_t wbuf_rows(const struct wbuf *wbuf);  /* values and deletions */
size_t wbuf_bytes(const struct wbuf *wbuf); /* of rows, old values and the tree */

#endif
