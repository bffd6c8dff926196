/* bench.c -- the program: the modes by name, and what they share; see bench.h. */
#include "tests/bench/bench.h"

#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/plugin/guest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_check(int rc, const struct err *err)
{
    if (rc != 0)
        bench_die("%s", err->text);
}

static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void stopwatch_start(struct stopwatch *watch)
{
    watch->cpu_start = cpu_ns();
    watch->wall_start = clock_ns();
}

void stopwatch_stop(struct stopwatch *watch)
{
    watch->wall_ns += clock_ns() - watch->wall_start;
    watch->cpu_ns += cpu_ns() - watch->cpu_start;
}

void stopwatch_print(const struct stopwatch *watch, const char *name, size_t events)
{
    double per_us = 1000.0 * (double)events;
    printf("%-24s %8.3f us/event %8.3f us/event cpu\n", name, (double)watch->wall_ns / per_us,
           (double)watch->cpu_ns / per_us);
    fflush(stdout);
}

char *bench_read_file(const char *path, size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        bench_die("cannot read %s: %s", path, strerror(errno));
    long size = ftell(file);
    rewind(file);
    char *text = mem_alloc((size_t)size + 1);
    if (size < 0 || fread(text, 1, (size_t)size, file) != (size_t)size)
        bench_die("cannot read %s: %s", path, strerror(errno));
    fclose(file);
    text[size] = '\0';
    *out_size = (size_t)size;
    return text;
}

size_t bench_number(const char *text, const char *what)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < 1)
        bench_die("%s is a whole number from 1 on, not %s", what, text);
    return (size_t)number;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *takes;
    } modes[] = {
        { "ingest", bench_ingest, "URL KEY-FILE FILE BATCH CONNECTIONS" },
        { "paced", bench_paced, "URL KEY-FILE FILE BATCH CONNECTIONS RATE CUSTOMERS" },
        { "single", bench_single, "URL KEY-FILE FILE COUNT" },
        { "bare", bench_bare, "FILE COUNT" },
        { "fold", bench_fold, "FILE --data DIR [--rules DIR] [--batch N]" },
        { "timers", bench_timers, "RATE SECONDS PENDING --data DIR [--rules DIR]" },
        { "search", bench_search, "CUSTOMERS --data DIR [--rules DIR]" },
        { "boundary", bench_boundary, "FILE.so" },
        { "determinism", bench_determinism, "COUNT SEED --data DIR [--rules DIR]" },
    };
    size_t count = sizeof modes / sizeof *modes;
    if (argc == 2 && strcmp(argv[1], GUEST_FLAG) == 0)
        return bench_guest();
    for (size_t i = 0; argc > 1 && i < count; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run(argc - 1, argv + 1);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "bench %s %s\n", modes[i].name, modes[i].takes);
    return 2;
}
