/* history.h -- a long, busy past that a seed repeats.
 *
 * Entry number i is a pure function of the seed, of i and of the time it is sent at: all
 * kinds of calls and commands, right and wrong, over a number of customers that grows
 * with the length of the history.
 */
#ifndef TESTS_BENCH_HISTORY_H
#define TESTS_BENCH_HISTORY_H

#include "storage/log.h"

#include <stddef.h>
#include <stdint.h>

struct doc_writer;

struct history {
    uint64_t seed;
    size_t count; /* entries */
    size_t users;
};

void history_init(struct history *history, uint64_t seed, size_t count);

/* The door through which entry `index` comes. */
enum log_class history_class(const struct history *history, size_t index);

/* Its fields, into a document that has been begun. */
void history_write(const struct history *history, size_t index, int64_t now, struct doc_writer *w);

#endif
