/* world.h -- the code part of a world: what this build computes with.
 *
 * Anything whose other version could give another result from the same log.  docs/log.md,
 * "The world", says what a difference leads to.  Any thread, once the zones are loaded
 * (zone_load()): their version is one of the things named.
 */
#ifndef CORE_SERVER_WORLD_H
#define CORE_SERVER_WORLD_H

#include "core/base/doc.h"

struct plugin_set;

/* Append the document to `out`, from which it is borrowed; `plugins` may be NULL: valid until
 * `out` changes.  Equal builds on equal machines give equal bytes.  Cannot fail. */
struct doc world_code(const struct plugin_set *plugins, struct buf *out);

#endif
