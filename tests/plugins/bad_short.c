/* bad_short.c -- a description that ends before its name. */
#include "kith.h"

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = 8, .abi = KITH_ABI, .name = "bad_short" };
    return &plugin;
}
