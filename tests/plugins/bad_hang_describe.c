/* bad_hang_describe.c -- waits, where it should return a constant, for what never comes. */
#include "kith.h"

#include <unistd.h>

const struct kith_plugin *kith_describe(void)
{
    for (;;)
        pause();
    return NULL;
}
