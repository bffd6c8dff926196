/* bad_storm.c -- one handler of two hundred types of events. */
#include "kith.h"

#define FOUR(a) a "1", a "2", a "3", a "4"
#define SIXTEEN(a) FOUR(a "1"), FOUR(a "2"), FOUR(a "3"), FOUR(a "4")

static int32_t on_event(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static const char *const types[] = { SIXTEEN("a"), SIXTEEN("b"), SIXTEEN("c"), SIXTEEN("d"),
                                     SIXTEEN("e"), SIXTEEN("f"), SIXTEEN("g"), SIXTEEN("h"),
                                     SIXTEEN("i"), SIXTEEN("j"), SIXTEEN("k"), SIXTEEN("l"),
                                     FOUR("m"),    FOUR("n"),    NULL };
static const struct kith_handler handler = {
    .size = sizeof handler, .name = "storm", .types = types, .run = on_event
};
static const struct kith_handler *const handlers[] = { &handler, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = { .size = sizeof plugin,
                                               .abi = KITH_ABI,
                                               .name = "bad_storm",
                                               .version = "1",
                                               .about = "Hears of everything by name",
                                               .handlers = handlers };
    return &plugin;
}
