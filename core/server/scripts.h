/* scripts.h -- the folder of scripts that the daemon was started with.
 *
 * Its first bundle is activated at the start, with --dev each that is saved; else a difference to
 * what is active is only told of.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_SCRIPTS_H
#define CORE_SERVER_SCRIPTS_H

#include "core/base/buf.h"
#include "core/base/hash.h"
#include "core/script/bundle.h"
#include "core/server/submission.h"

struct err;
struct node;
struct plugin_set;

struct scripts {
    struct buf bytes; /* BUF_INIT before it is read */
    struct doc bundle;
    uint8_t hash[BUNDLE_HASH_BYTES];
    char name[HEX_SIZE(BUNDLE_HASH_BYTES)];
};

/* Read and load what lies in the folder, under the config of a world.  scripts_deinit() either way.
 * Errors are those of bundle_read_dir() and deploy_check(). */
int scripts_read(struct scripts *scripts, const char *dir, struct doc config,
                 struct plugin_set *plugins, struct err *err);
void scripts_deinit(struct scripts *scripts);

/* Tell the operator how what lies in the folder differs from the bundle `active`; NULL: none is. */
void scripts_compare(const char *dir, struct doc config, struct plugin_set *plugins,
                     const uint8_t *active);

/* Put them into force; `done` hears of it. */
void scripts_activate(const struct scripts *scripts, struct node *node, submission_done_fn *done,
                      void *arg);
/* Whether they are, for `done`; else why not. */
bool scripts_were_activated(const struct submission *submission, struct err *err);

#endif
