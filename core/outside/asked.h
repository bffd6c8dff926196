/* asked.h -- what is refused of what an outside side asks of its host, by what it says alone.
 *
 * A daemon asks these questions before it does anything, and `kith plugin check` the same ones, so
 * that what is well there is not refused here.  Pure; any thread.
 */
#ifndef CORE_OUTSIDE_ASKED_H
#define CORE_OUTSIDE_ASKED_H

#include "core/plugin/plugin.h"

/* Each: 0; E_INVALID, E_DENIED, E_LIMIT, E_NOTFOUND with what is wrong. */

/* append(): `at` 0 is now, `data` may be none. */
int asked_event(const struct plugin *plugin, struct text type, int64_t at, struct doc data,
                struct err *err);

/* ask() */
int asked_request(const struct plugin *plugin, struct text method, struct text path,
                  struct text staff, struct err *err);

/* reply() */
int asked_reply(const struct kith_reply *reply, struct err *err);

/* file_read() */
int asked_file(struct text hash, struct err *err);

/* pause() */
int asked_pause(const struct plugin *plugin, struct text channel, struct err *err);

/* count() */
int asked_count(const char *name, int64_t by, struct err *err);

#endif
