/* bench.h -- what the modes of the program `bench` share.
 *
 * A benchmark that cannot go on has nothing to say: every failure ends the process
 * with one line of reason.  Times are clock_ns() and, where the question is what a
 * thread computes and not how long it waits for the disk, its CPU time.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

struct err;

__attribute__((format(printf, 1, 2)))
_Noreturn void bench_die(const char *format, ...);

void bench_check(int rc, const struct err *err); /* dies of a failure with its reason */

/* The modes; each takes what follows its name on the command line. */
int bench_ingest(int argc, char **argv);
int bench_paced(int argc, char **argv);
int bench_single(int argc, char **argv);
int bench_bare(int argc, char **argv);
int bench_fold(int argc, char **argv);
int bench_timers(int argc, char **argv);
int bench_determinism(int argc, char **argv);
int bench_search(int argc, char **argv);
int bench_boundary(int argc, char **argv);
int bench_guest(void); /* the process of a plugin */

/* Time spent between start and stop, added up. */
struct stopwatch {
    int64_t wall_ns, cpu_ns; /* sums; cpu: of this thread */
    int64_t wall_start, cpu_start;
};
void stopwatch_start(struct stopwatch *watch);
void stopwatch_stop(struct stopwatch *watch);
/* "name  wall us/event  cpu us/event", as bench.py reads it. */
void stopwatch_print(const struct stopwatch *watch, const char *name, size_t events);

/* A file in memory; ends the process when it cannot be read.  The caller frees. */
char *bench_read_file(const char *path, size_t *out_size);

/* A whole number of the command line, at least 1. */
size_t bench_number(const char *text, const char *what);

#endif
