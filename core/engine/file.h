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
enum file_names file_names(struct snapshot *snapshot, const uint8_t hash[DIGEST_32_BYTES]);

#endif
