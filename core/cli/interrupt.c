/* interrupt.c -- SIGINT as a flag; see interrupt.h. */
#include "core/cli/interrupt.h"

#include <signal.h>
#include <time.h>

#define SLICE_MS 100

static volatile sig_atomic_t is_seen;

static void see(int signal)
{
    (void)signal;
    is_seen = 1;
}

void interrupt_watch(void)
{
    struct sigaction action = { .sa_handler = see, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    is_seen = 0;
    sigaction(SIGINT, &action, NULL);
}

bool interrupt_seen(void)
{
    return is_seen != 0;
}

/* In slices: a signal between the look and the sleep costs one of them. */
void interrupt_sleep(int64_t ms)
{
    for (; ms > 0 && !interrupt_seen(); ms -= SLICE_MS) {
        int64_t slice = ms < SLICE_MS ? ms : SLICE_MS;
        nanosleep(&(struct timespec){ .tv_nsec = slice * 1000000 }, NULL);
    }
}
