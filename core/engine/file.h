/* file.h -- who names a file, as a snapshot has it.
 *
 * The engine knows of files by their hashes only; the bytes lie beside the log
 * (core/server/files.h).  Any thread.
 */
#ifndef CORE_ENGINE_FILE_H
#define CORE_ENGINE_FILE_H

#include "core/base/hash.h"

struct snapshot;

enum file_names {
    FILE_NEVER_NAMED,
    FILE_NAMED,     /* by an event of some customer's, or of nobody's */
    FILE_FORGOTTEN, /* by nobody any more: all who named it were erased */
};
/* `*out_erased_ms`: of one that is forgotten, when the erasure was asked for that took the last
 * name; what was put since is somebody else's, who has not named it yet. */
enum file_names file_names(struct snapshot *snapshot, const uint8_t hash[DIGEST_32_BYTES],
                           int64_t *out_erased_ms);

#endif
