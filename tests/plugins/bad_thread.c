/* bad_thread.c -- begins a thread, and leaves it running when it is stopped. */
#include "outside.h"

#include <pthread.h>
#include <unistd.h>

static void *run(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    pthread_t thread;
    (void)host;
    (void)kith;
    (void)out_self;
    (void)reason;
    return pthread_create(&thread, NULL, run, NULL) == 0 ? KITH_OK : KITH_FAILED;
}

static void stop(void *self)
{
    (void)self;
}

OUTSIDE_PLUGIN("bad_thread", .reserved = 0)
