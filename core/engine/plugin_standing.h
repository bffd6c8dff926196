/* plugin_standing.h -- what the state says of a plugin, and the rows of its parked events.
 *
 * Shared by plugin_run.c, which calls plugins and parks for those that are away, and plugin_back.c,
 * which lets them in again; nobody else includes this.  plugin_run.c draws the rows.
 */
#ifndef CORE_ENGINE_PLUGIN_STANDING_H
#define CORE_ENGINE_PLUGIN_STANDING_H

#include "core/base/doc.h"

#include <stdint.h>

struct engine;
struct event;
struct key;

struct standing {             /* of one plugin, as its row has it */
    struct text kind, reason; /* `kind` empty: not quarantined */
    int64_t seq, since, parked, missed;
    int64_t about; /* what it heard of when it was lost: an entry; 0: the first that is parked */
};

/* Its texts are copied: what a row says is gone with the next one that is written. */
struct standing plugin_standing(struct engine *engine, struct text plugin);
void plugin_set_standing(struct engine *engine, struct text plugin,
                         const struct standing *standing);
void plugin_quarantine(struct engine *engine, struct text name, const char *kind,
                       struct text reason, int64_t about);

void plugin_key_queue(struct key *key, struct text plugin);
void plugin_key_parked(struct key *key, uint64_t customer, struct text plugin, uint64_t seq,
                       uint64_t n);

/* An event that was parked, as it was; all of it lies in the engine's `lasting`. */
struct event *plugin_read_parked(struct engine *engine, uint64_t seq, uint64_t n, struct doc row);

#endif
