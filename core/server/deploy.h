/* deploy.h -- a bundle on its way into force: checked by loading it, then one entry.
 *
 * The files are stored under their hash in the transaction of `bundle.activated`, so an
 * entry that names a bundle never lacks it.  Used by the daemon's start, by --dev, and by
 * the handlers of /v1/bundles.
 */
#ifndef CORE_SERVER_DEPLOY_H
#define CORE_SERVER_DEPLOY_H

#include "core/base/doc.h"
#include "core/script/bundle.h"

#include <stdbool.h>

struct err;
struct node;
struct plugins;
struct submission;

/* Whether the bundle loads under the config document of a world, with these plugins (or NULL) that
 * offer all that it calls of them, and how many rules it has (`out_rules` may be NULL).  E_INVALID:
 * "file:line: reason".  Takes up to seconds and tens of MiB; any thread (call_work), not the
 * engine's. */
int deploy_check(struct doc bundle, struct doc config, const struct plugins *plugins,
                 size_t *out_rules, struct err *err);

/* `bundle.activated` by `by`, with the files when `bundle` is one (data NULL: they are in
 * the log already).  `call` is the id of a call that may come again (call_entry_id()), or empty.
 * The caller sets wants_applied and posts it. */
struct submission *deploy_submission(struct doc bundle, const uint8_t hash[BUNDLE_HASH_BYTES],
                                     struct text by, struct text call);
/* The same to go back to one that was active, so that going back again goes further. */
struct submission *rollback_submission(const uint8_t hash[BUNDLE_HASH_BYTES], struct text by,
                                       struct text call);

#endif
