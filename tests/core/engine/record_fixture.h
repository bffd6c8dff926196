/* record_fixture.h -- a play with a kind of records, `complaint`, and two customers. */
#ifndef TESTS_CORE_ENGINE_RECORD_FIXTURE_H
#define TESTS_CORE_ENGINE_RECORD_FIXTURE_H

#include "tests/core/engine/engine_fixture.h"

/* The kind as rules declare it. */
extern const char play_record_rules[];

/* The kind, and `rules` behind it; u1 is customer 1, u2 is customer 2. */
void play_record_begin(struct play *play, const char *rules);

/* The record as it is read, JSON with ' for "; empty: there is none. */
const char *play_record_shown(struct play *play, const char *kind, uint64_t number);

/* What the last entry came to. */
void play_record_done(struct play *play);
void play_record_refused(struct play *play, int code, const char *reason);

/* A complaint of customer 1; a transition of complaint 1. */
void play_record_create(struct play *play, const char *fields);
void play_record_move(struct play *play, const char *transition);

#endif
