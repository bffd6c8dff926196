/* files.h -- files that belong to customers: content-addressed, beside the log.
 *
 * DATA/files/HASH holds one file: a line "kith-file 1 CONTENT-TYPE" and its bytes, HASH being
 * their BLAKE2b-256 in hexadecimal digits.  A file is durable, its name too, before anybody hears
 * of its hash: so an event that names it (core/engine/file.c) never names nothing.  The same bytes
 * are kept once, with the Content-Type that came first.
 *
 * Who has put a file names it in an event within a day.  What no customer's event names after that
 * is swept away; what is no longer named because its customers were erased, at once, unless it has
 * been put again since.
 *
 * Threads   All functions but open and close may be called from any thread, at the same time.
 */
#ifndef CORE_SERVER_FILES_H
#define CORE_SERVER_FILES_H

#include "core/base/doc.h"
#include "core/base/hash.h"

struct err;
struct files;
struct state;

#define FILE_HASH_SIZE HEX_SIZE(DIGEST_32_BYTES)
#define FILE_TYPE_SIZE 128

/* Make `dir`/files if it is not there; remove what a crash left half written.  E_IO. */
int files_open(const char *dir, struct files **out_files, struct err *err);
void files_close(struct files *files); /* NULL is allowed */

/* Keep the bytes; those that are there already are put anew, for another day.  A type that is no
 * visible ASCII, or NULL, is application/octet-stream.  E_FULL, E_IO. */
int files_put(struct files *files, const char *type, const void *data, size_t size,
              char out_hash[FILE_HASH_SIZE], struct err *err);

/* Append the bytes.  E_NOTFOUND; E_INVALID: that is no hash; E_CORRUPT: they are not what was put;
 * E_IO. */
int files_get(struct files *files, struct text hash, char out_type[FILE_TYPE_SIZE], struct buf *out,
              struct err *err);

/* Remove what nobody names, by the last checkpoint of `state`: at once what was put before all who
 * had named it were erased, the rest when it has been there for a day and an hour at `now_ms`.
 * Durable when this returns.  `*out_left`: how many are left that nobody names yet.  An erasure
 * calls it when a checkpoint has the customer's last row gone, and before it says that she is.
 * E_IO; E_BUSY: too many snapshots are open. */
int files_sweep(struct files *files, struct state *state, int64_t now_ms, size_t *out_left,
                struct err *err);

#endif
