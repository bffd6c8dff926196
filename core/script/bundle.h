/* bundle.h -- a directory of scripts as one document, known by its hash.
 *
 * {files: {"path": "text", ...}} with the paths in bytewise order, so that the same
 * files give the same bytes and the same hash on every machine.  Only regular files
 * that end in .lua, .md or .csv belong to a bundle; names that begin with a dot are
 * left out.  Any thread.
 */
#ifndef CORE_SCRIPT_BUNDLE_H
#define CORE_SCRIPT_BUNDLE_H

#include "core/base/doc.h"

struct err;

#define BUNDLE_HASH_BYTES 32

/* Read a directory and its sub-folders into `out`.  E_IO, E_LIMIT (BUNDLE_BYTES_MAX,
 * BUNDLE_FILES_MAX), E_INVALID (text that is not UTF-8) name the file. */
int bundle_read_dir(const char *dir, struct buf *out, struct doc *out_bundle, struct err *err);

/* Check a document that came from outside: shape, paths in order, limits, UTF-8. */
int bundle_check(struct doc bundle, struct err *err);

/* Whether the file at `path` is run when the bundle is loaded, or is one of its tests. */
bool bundle_is_script(struct text path);
bool bundle_is_test(struct text path);

/* How many of its files are scripts: where there is none, no rule is in force. */
size_t bundle_scripts(struct doc bundle);

void bundle_hash(struct doc bundle, uint8_t out_hash[BUNDLE_HASH_BYTES]);

#endif
