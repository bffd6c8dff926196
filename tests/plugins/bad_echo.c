/* bad_echo.c -- hears of everything, also of what it makes of that. */
#include "kith.h"

static int32_t on_event(const struct kith_engine *engine, struct kith_call *call)
{
    return engine->emit(call, "echo", (struct kith_doc){ NULL, 0 }, (struct kith_text){ NULL, 0 });
}

static const char *const types[] = { "*", NULL };
static const struct kith_handler handler = {
    .size = sizeof handler, .name = "everything", .types = types, .run = on_event
};
static const struct kith_handler *const handlers[] = { &handler, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI,
                                               .name = "bad_echo",
                                               .version = "1",
                                               .about = "Hears of what it emits",
                                               .handlers = handlers };
    return &plugin;
}
