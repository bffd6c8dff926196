/* bad_hang_load.c -- waits for what never comes before anybody has called it. */
#include "kith.h"

#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    for (;;)
        pause();
}

const struct kith_plugin *kith_describe(void)
{
    return NULL;
}
