/* backup.h -- copies of the whole data: made while the daemon works, looked at, put back.
 *
 *     DIR/state/data.mdb   the last checkpoint of the state
 *     DIR/log/data.mdb     the log, copied after it: so it is never behind its state
 *     DIR/base/SEQ         where folds begin (docs/log.md, "The world")
 *     DIR/files/HASH       files of customers, copied after the log that names them
 *     DIR/admin.key ...    the keys that are files, and links.epochs
 *     DIR/backup.json      written last: without it a copy is not complete
 *
 * Both environments are copied row by row: nothing that was deleted or erased is in the copy.  It
 * has the form of a data directory, so `kithd --data` starts on it.
 *
 * Any thread; each function takes the time that the disk needs.
 */
#ifndef CORE_SERVER_BACKUP_H
#define CORE_SERVER_BACKUP_H

#include "core/base/err.h"

#include <stdint.h>

struct log;
struct state;

struct backup {
    uint64_t state_seq, log_seq; /* the entries that the two end with */
    uint64_t bytes;              /* of log and state */
};

/* Copy the open log and state of `data` to `dir`, which is made or is empty, then read all of the
 * copy.  E_CONFLICT: `dir` holds something; E_BUSY: the daemon ends, or needed its files again and
 * again; E_CORRUPT: the copy does not verify; E_IO, E_FULL. */
int backup_make(const char *data, const char *dir, struct log *log, struct state *state,
                struct backup *out_backup, struct err *err);

/* Put the backup in `dir` to `data`, where nothing may be yet: copied beside, checked, flushed,
 * renamed.  E_CONFLICT: there is something, or the backup is refused; E_NOTFOUND: `dir` is no
 * complete backup; E_CORRUPT, E_IO, E_FULL. */
int backup_restore(const char *dir, const char *data, struct backup *out_backup, struct err *err);

#endif
