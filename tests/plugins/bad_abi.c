/* bad_abi.c -- built for a contract that is not ours. */
#include "kith.h"

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI + 1,
                                               .name = "bad_abi" };
    return &plugin;
}
