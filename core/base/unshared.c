/* unshared.c -- see unshared.h.
 *
 * What runs in the child of a process with threads may only call what a handler of signals may:
 * it walks a table of atomics and closes.  A place is free when it holds FREE.
 */
#include "core/base/unshared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#define FREE 0 /* else the descriptor and one */

static atomic_int places[UNSHARED_MAX];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void close_all(void)
{
    for (size_t i = 0; i < UNSHARED_MAX; i++) {
        int place = atomic_exchange(&places[i], FREE);
        if (place != FREE)
            close(place - 1);
    }
}

static void listen_to_forks(void)
{
    pthread_atfork(NULL, NULL, close_all);
}

/* One place that holds `from` holds `to` afterwards; without any nothing changes. */
static void exchange(int from, int to)
{
    for (size_t i = 0; i < UNSHARED_MAX; i++) {
        int there = from;
        if (atomic_compare_exchange_strong(&places[i], &there, to))
            return;
    }
}

void unshared_add(int fd)
{
    pthread_once(&once, listen_to_forks);
    exchange(FREE, fd + 1);
}

void unshared_close(int fd)
{
    exchange(fd + 1, FREE);
    close(fd);
}
