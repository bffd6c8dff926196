/* shelf.h -- what most plugins of this shelf have in common: one handler, of "Order Completed".
 *
 * A file says what is particular of it: a function, what it reads, further members of the
 * description.  So what is bad in a bad one is all there is to be seen.
 */
#ifndef TESTS_PLUGINS_SHELF_H
#define TESTS_PLUGINS_SHELF_H

#include "kith.h"

#define SHELF_STATE(symbol, called)                                                  \
    static const struct kith_state symbol##_state = { .size = sizeof symbol##_state, \
                                                      .key = called,                 \
                                                      .version = 1 };                \
    static const struct kith_state *const symbol[] = { &symbol##_state, NULL }

#define SHELF_TRAIT(symbol, kind, called)                                                      \
    static const struct kith_trait symbol##_trait = {                                          \
        .size = sizeof symbol##_trait, .name = called, .type = kind, .about = "a trait to try" \
    };                                                                                         \
    static const struct kith_trait *const symbol[] = { &symbol##_trait, NULL }

/* `list` is what the handler reads; behind it members of struct kith_plugin. */
#define SHELF_PLUGIN(called, function, list, ...)                                        \
    static const char *const shelf_types[] = { "Order Completed", NULL };                \
    static const struct kith_handler shelf_handler = { .size = sizeof shelf_handler,     \
                                                       .name = "order",                  \
                                                       .types = shelf_types,             \
                                                       .reads = list,                    \
                                                       .run = function };                \
    static const struct kith_handler *const shelf_handlers[] = { &shelf_handler, NULL }; \
    const struct kith_plugin *kith_describe(void)                                        \
    {                                                                                    \
        static const struct kith_plugin plugin = { .size = sizeof plugin,                \
                                                   .abi = KITH_ABI,                      \
                                                   .name = called,                       \
                                                   .version = "1",                       \
                                                   .about = "A plugin of the tests",     \
                                                   .handlers = shelf_handlers,           \
                                                   __VA_ARGS__ };                        \
        return &plugin;                                                                  \
    }

#endif
