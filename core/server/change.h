/* change.h -- other plugins while the daemon runs.
 *
 * What plugins compute is part of the world (docs/log.md), and code cannot be used again once it is
 * gone.  So the world may change only where the state on the disk stands exactly at the end of the
 * log: that state is kept as a base, and no fold ever has to give an old entry to new code.
 *
 *     phase     thread       what
 *     -------   ----------   -------------------------------------------------------------
 *     hold      log          nothing is written any more but verdicts; what comes waits
 *     look      engine       until all of it is applied and a checkpoint holds that
 *     check     checkpoint   whether there is room, and the rules in force load with them
 *     note      log          `world` with the new code and config, and with that base by its number
 *               engine       applies it: from here on it has the new plugins and the rules anew
 *     release   loop         what has waited is written
 *     keep      checkpoint   the checkpoint is dumped to base/<seq>; there is no other until it is
 *     name      log          `world` once more, with the hash of the base
 *     sweep     checkpoint   dumps that no world names are removed
 *
 * That first entry is the change: before it is durable nothing has changed, from then on everything
 * has, whoever dies where; the engine takes the new plugins when it comes to it, however it
 * comes to it.  It stands right behind the base, so nothing that was made before is made again.
 * Until the base is kept the state on the disk is the base, and a start makes the file of it.
 *
 * Where code and config are the same, as when a plugin's file is loaded again as it was, the engine
 * takes the new plugins between two entries, and nothing is held or written.
 *
 * Between hold and release clients wait for a checkpoint; the dump of a large state, which takes
 * seconds, delays nobody.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_CHANGE_H
#define CORE_SERVER_CHANGE_H

#include "core/base/clock.h"
#include "core/base/doc.h"
#include "storage/log.h"

struct change;
struct engine;
struct err;
struct fold;
struct plugins;
struct purge;
struct sequencer;
struct state;

#define CHANGE_PATIENCE_MS 30000 /* until the state stands at the end of the log */

struct change_options {
    const char *dir; /* of the data */
    struct sequencer *sequencer;
    struct fold *fold;
    struct log *log;
    struct state *state;
    struct purge *purge;
    struct clock clock;
    struct doc code, config; /* of the world in force; borrowed */
    void (*wake)(void *arg); /* change_tick() is to be called */
    void *wake_arg;
};

/* Documents are copied; everything else lives until `over`. */
struct change_wanted {
    struct doc code, config;
    struct plugins *plugins; /* NULL: none; in use from then on */
    /* Whether the bundle that is in force loads with them; words for whoever asked.  On the
     * checkpoint thread, while clients wait.  NULL: it does. */
    int (*check)(void *arg, const uint8_t hash[LOG_HASH_BYTES], struct err *err);
    /* The engine is about to use them, and to load the rules in force anew.  Engine's thread. */
    void (*in_force)(void *arg);
    /* They are in force, 0; or why nothing has changed. */
    void (*done)(void *arg, int code, const struct err *err);
    /* The last that is heard of it: give it back. */
    void (*over)(void *arg);
    void *arg;
};

struct change *change_new(const struct change_options *options);
void change_free(struct change *change); /* nothing of it is under way; NULL is allowed */

/* Have it to oneself, and keep purges away, before anything is begun.  E_CONFLICT: somebody else
 * has it, files are being read or made anew, or the daemon is stopping. */
int change_reserve(struct change *change, struct err *err);
void change_give_back(struct change *change);
bool change_is_reserved(const struct change *change);

/* Reserved, and the run has begun.  `done` and `over` come from the loop, each once.  What can be
 * said: E_INVALID, the rules in force do not load; E_BUSY, the daemon stops, or does not come to
 * rest in CHANGE_PATIENCE_MS; E_FULL: there is no room for the base. */
void change_begin(struct change *change, const struct change_wanted *wanted);

/* As node_tick(). */
int64_t change_tick(struct change *change);

/* Begin nothing more: what has not come to its entry is given up. */
void change_wind_down(struct change *change);

/* The engine is about to use this world, {code, config, ...}: if it is the one that is wanted, then
 * with the new plugins.  Engine's thread. */
void change_meet(struct change *change, struct engine *engine, struct doc world);

#endif
