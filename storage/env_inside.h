/* env_inside.h -- what the files of an environment share; nobody else includes it.
 *
 *   env.c        errors, files, opening, transactions, room
 *   env_copy.c   copies elsewhere, and compaction: the copy in the file's own place
 */
#ifndef STORAGE_ENV_INSIDE_H
#define STORAGE_ENV_INSIDE_H

#include "storage/env.h"

#include <stdatomic.h>
#include <sys/types.h>

#define ENV_FILE_NAME "data.mdb" /* LMDB's own choice */
#define ENV_FILE_NAME_NEW "data.mdb.new"

struct compaction;

struct env {
    MDB_env *raw;
    struct env_options options; /* dir: our own copy */
    MDB_dbi tables[ENV_TABLES_MAX];
    int dir_fd; /* carries the lock */
    pid_t pid;  /* of the opener: a fork must stay away */
    atomic_bool is_cancelled;
    struct compaction *compaction; /* in steps, under way */
};

/* "cannot <action> <path>: <reason>", with the code of `rc`. */
int env_fail_path(struct err *err, int rc, const char *action, const char *path);

/* The rest answers with codes of LMDB or the system. */
char *env_path(const char *dir, const char *name); /* the caller's to free */
int env_remove_file(int dir_fd, const char *name); /* if it is there */
bool env_has_file(int dir_fd, const char *name);
int env_publish(int dir_fd); /* give a complete and flushed new file its name, for good */

/* Open the directory and hold its lock.  E_CONFLICT, E_INVALID, E_IO. */
int env_lock_dir(const char *dir, int *out_fd, struct err *err);
/* An environment at `path` that nobody else knows of yet: no locks, no lock file. */
int env_open_private(const char *path, const struct env_options *options, MDB_env **out_raw,
                     MDB_dbi *tables);

#endif
