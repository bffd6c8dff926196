/* store.h -- log, state and engine in a directory, without a daemon around them.
 *
 * For measuring the parts one by one, on one thread.  Every failure ends the process.
 */
#ifndef TESTS_BENCH_STORE_H
#define TESTS_BENCH_STORE_H

#include "core/base/doc.h"

#include <stdbool.h>

struct engine;
struct log;
struct state;

struct log *store_open_log(const char *dir); /* the directory is made if it is missing */
struct state *store_open_state(const char *dir);

/* Queue the two entries that every log of a benchmark begins with: a world with the
 * channel "log", and the activation of the bundle in `rules_dir`. */
void store_begin(struct log *log, int64_t logged, const char *rules_dir);

/* An engine over both that has gone through these two. */
struct engine *store_open_engine(struct log *log, struct state *state, bool has_rules);

/* Apply the log up to and with entry `seq`. */
void store_catch_up(struct log *log, struct engine *engine, uint64_t seq);

/* Freeze what the engine wrote and make a checkpoint of it. */
void store_checkpoint(struct state *state, struct engine *engine);

#endif
