/* engine_fixture.h -- a play: entries in the order of a log, an engine that folds them, and
 * the proof that it folds them the same way a second time.
 *
 * A test writes entries and looks at what became of them.  Its teardown folds all of them
 * again into two fresh states, once without a break and once with the process starting anew
 * every few entries, and compares the hashes: every test is a test of determinism too.
 *
 * JSON is written with ' for ", here and in what comes back.
 */
#ifndef TESTS_CORE_ENGINE_ENGINE_FIXTURE_H
#define TESTS_CORE_ENGINE_ENGINE_FIXTURE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/engine/engine.h"
#include "core/engine/engine_inside.h"
#include "core/engine/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PLAY_START_MS 1793145600000ll /* 2026-10-28 00:00 UTC, a Wednesday */
#define SECOND_MS 1000ll
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

struct play {
    char dir[64];
    struct state *state;
    struct engine *engine;
    int64_t now;                 /* `logged` of the next entry */
    struct engine_result result; /* of the last entry applied */
    struct err err;              /* of the last thing that failed */
    struct buf reports;          /* what the hooks were told, a line each: "ready mail" */
    bool keeps_outgoing;         /* events for others are reported and not appended */
    bool was_applied;            /* what a replay loses was not lost by an earlier run */
    bool is_behind;              /* entries are appended and not applied: play_catch_up() */
    struct plugins *plugins;     /* in force; NULL: none */
    struct play_log *log;
    struct arena arena; /* texts handed out live as long as the play */
};

/* cmocka's: *arg is the play.  Its world has the zone Europe/Berlin, the country DE, the fallback
 * team `desk`, and the channels mail and sms (with addresses), hook (idempotent) and log.  Entry 1
 * is that world, entry 2 the daemon's start. */
int play_setup(void **arg);
int play_teardown(void **arg);

/* -- Writing entries: each returns its seq -------------------------------- */

/* An envelope as JSON, at play->now. */
__attribute__((format(printf, 3, 4))) uint64_t play_entry(struct play *play, enum log_class class,
                                                          const char *json, ...);

/* `data` is JSON, or NULL for none. */
uint64_t play_track(struct play *play, const char *user, const char *type, const char *data);
uint64_t play_identify(struct play *play, const char *user, const char *traits);
/* Of staff, about the customer `ref` (NULL: nobody's). */
uint64_t play_command(struct play *play, const char *type, const char *ref, const char *data);
/* An envelope that is a document. */
uint64_t play_doc(struct play *play, enum log_class class, struct doc body);
uint64_t play_tick(struct play *play);

/* Activate one file, rules.lua; files of the form {path, text}, ..., {NULL}. The result is in
 * play->result. */
uint64_t play_rules(struct play *play, const char *lua);
struct play_file {
    const char *path, *text;
};
uint64_t play_bundle(struct play *play, const struct play_file *files);
/* Load them without activating: 0, or the error with its reason in play->err. */
int play_load(struct play *play, const char *lua);

/* A further world that holds from `since` on (0: from its own seq on); limits as JSON, or NULL. */
uint64_t play_world(struct play *play, uint64_t since, const char *limits);
/* The same with a config of the caller's, as JSON, from its own seq on. */
uint64_t play_config(struct play *play, const char *config);

/* From the next entry on these plugins are in force, in every fold: another run, so to say.  They
 * must outlive the play, whose teardown folds with them again. */
void play_plugins(struct play *play, struct plugins *plugins);
/* A verdict on the entry `seq`, which is not applied yet: {rules, plugins} as JSON, as a node would
 * have it from the run that ended there. */
void play_verdict(struct play *play, uint64_t seq, const char *json);

/* Another run: daemon.started. */
uint64_t play_start(struct play *play);
/* Checkpoint, close, open. */
void play_reopen(struct play *play);
/* A process ends: what is in memory is gone, and what is behind the checkpoint is applied anew. */
void play_give_up(struct play *play);
/* Apply what was appended while play->is_behind, which becomes false. */
void play_catch_up(struct play *play);

/* Time passes; ticks come when they are due, as the daemon would write them. */
void play_pass(struct play *play, int64_t ms);
/* Ticks while one is wanted now; how many. */
unsigned play_ticks(struct play *play);

/* Claim the effects that are ready on this channel; how many the arbiter let go. */
size_t play_claim(struct play *play, const char *channel);
uint64_t play_outcome(struct play *play, const char *id, int attempt, const char *outcome);

/* -- Looking: JSON with ' for "; "" when there is no row ------------------ */

uint64_t play_customer(struct play *play, const char *reference); /* the member; 0: none */
const char *play_row(struct play *play, const struct key *key);
const char *play_profile(struct play *play, uint64_t customer);
const char *play_timeline(struct play *play, uint64_t customer, uint64_t seq, uint64_t n);
const char *play_effect(struct play *play, const char *id);
const char *play_task(struct play *play, uint64_t task);
/* The trait over the whole group. */
const char *play_trait(struct play *play, const char *reference, const char *name);
/* Types on the timeline of one member, the oldest first: "a b c". */
const char *play_types(struct play *play, uint64_t customer);
/* Rows whose key begins so. */
size_t play_count(struct play *play, const struct key *prefix);
/* Lines of reports so far; and forget them. */
const char *play_reports(struct play *play);

#define assert_has(text, part) play_assert_has(text, part, true, __FILE__, __LINE__)
#define assert_lacks(text, part) play_assert_has(text, part, false, __FILE__, __LINE__)
void play_assert_has(const char *text, const char *part, bool wanted, const char *file, int line);

#endif
