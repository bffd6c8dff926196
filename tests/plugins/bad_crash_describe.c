/* bad_crash_describe.c -- does work where it should return a constant, and dies of it. */
#include "kith.h"

static struct kith_plugin *volatile later;

const struct kith_plugin *kith_describe(void)
{
    later->size = sizeof *later;
    return later;
}
