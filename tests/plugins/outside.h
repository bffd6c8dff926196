/* outside.h -- a description of a plugin that has an outside side alone. */
#ifndef TESTS_PLUGINS_OUTSIDE_H
#define TESTS_PLUGINS_OUTSIDE_H

#include "kith.h"

/* start() and stop() under these names; behind them members of struct kith_plugin. */
#define OUTSIDE_PLUGIN(called, ...)                                                  \
    const struct kith_plugin *kith_describe(void)                                    \
    {                                                                                \
        static const struct kith_plugin plugin = { .size = sizeof plugin,            \
                                                   .abi = KITH_ABI,                  \
                                                   .name = called,                   \
                                                   .version = "1",                   \
                                                   .about = "A plugin of the tests", \
                                                   .start = start,                   \
                                                   .stop = stop,                     \
                                                   __VA_ARGS__ };                    \
        return &plugin;                                                              \
    }

#endif
