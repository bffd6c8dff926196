/* good_config.c -- needs a configuration of every type, within bounds. */
#include "shelf.h"

static const struct kith_field url = {
    .size = sizeof url, .name = "url", .type = "text", .about = "Where", .flags = KITH_REQUIRED
};
static const struct kith_field retries = { .size = sizeof retries,
                                           .name = "retries",
                                           .type = "whole",
                                           .about = "How often",
                                           .flags = KITH_REQUIRED,
                                           .least = 3,
                                           .most = 9 };
static const struct kith_field *const inner[] = { &url, &retries, NULL };

static const struct kith_field port = { .size = sizeof port,
                                        .name = "port",
                                        .type = "whole",
                                        .about = "Which",
                                        .flags = KITH_REQUIRED,
                                        .least = 1024,
                                        .most = 65535 };
static const struct kith_field offset = { .size = sizeof offset,
                                          .name = "offset",
                                          .type = "number",
                                          .about = "How far back",
                                          .flags = KITH_REQUIRED,
                                          .least = -20,
                                          .most = -10 };
static const struct kith_field every = { .size = sizeof every,
                                         .name = "every",
                                         .type = "duration",
                                         .about = "How often",
                                         .flags = KITH_REQUIRED,
                                         .least = 60000,
                                         .most = 3600000 };
static const struct kith_field later = {
    .size = sizeof later, .name = "later", .type = "period", .about = "When", .flags = KITH_REQUIRED
};
static const struct kith_field receivers = { .size = sizeof receivers,
                                             .name = "receivers",
                                             .type = "tables",
                                             .about = "Who",
                                             .flags = KITH_REQUIRED,
                                             .fields = inner };
static const struct kith_field *const fields[] = {
    &port, &offset, &every, &later, &receivers, NULL
};

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_doc config;
    int32_t rc = engine->config(call, &config);
    struct kith_iter it = kith_iter(kith_get_doc(config, "receivers"));
    if (rc == KITH_OK && (!kith_next(&it) || kith_get_text(config, "later").size == 0))
        return engine->act(call, "none", config); /* which is refused */
    return rc;
}

SHELF_PLUGIN("good_config", on_order, NULL, .config = fields)
