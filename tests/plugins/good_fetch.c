/* good_fetch.c -- asks the address in its configuration, once with each of the two clients. */
#include "kith.h"

#include <stdio.h>
#include <stdlib.h>

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

static void on_private(void *arg, int32_t status, struct kith_doc result)
{
    struct self *self = arg;
    struct kith_value body = kith_get(result, "body");
    if (status != KITH_OK) {
        struct kith_text error = kith_get_text(result, "error");
        char line[200];
        snprintf(line, sizeof line, "%.*s", (int)error.size, error.data);
        self->host->log(self->kith, KITH_ERROR, line);
        self->host->count(self->kith, status == KITH_LIMIT ? "too_large" : "failed", 1);
        return;
    }
    self->host->count(self->kith, "status", kith_get_int(result, "status", 0));
    self->host->count(self->kith, "bytes", body.size);
    if (kith_is(kith_get_text(kith_get_doc(result, "message"), "address"), "+4930"))
        self->host->count(self->kith, "message", 1);
    struct kith_iter headers = kith_iter(kith_get_doc(result, "headers"));
    while (kith_next(&headers)) {
        struct kith_doc pair = kith_as_doc(&headers.value);
        if (kith_is(kith_get_text(pair, "0"), "X-Answer") &&
            kith_is(kith_get_text(pair, "1"), "42"))
            self->host->count(self->kith, "header", 1);
    }
}

static void on_public(void *arg, int32_t status, struct kith_doc result)
{
    struct self *self = arg;
    (void)result;
    self->host->count(self->kith, status == KITH_IO ? "kept_out" : "let_in", 1);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    static const char *const headers[] = { "X-Question: what", NULL };
    struct self *self = calloc(1, sizeof *self);
    struct kith_doc config;
    char url[300], room[100];
    struct kith_writer w;
    (void)reason;
    if (self == NULL || host->config(kith, &config) != KITH_OK)
        return KITH_FAILED;
    self->host = host;
    self->kith = kith;
    *out_self = self;
    struct kith_text given = kith_get_text(config, "url");
    snprintf(url, sizeof url, "%.*s", (int)given.size, given.data);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "address", "+4930");
    struct kith_fetch fetch = {
        .size = sizeof fetch,
        .method = "PUT",
        .url = url,
        .headers = headers,
        .body = "hello",
        .body_size = 5,
        .timeout_ms = 5000,
        .answer_max = 1000,
        .flags = KITH_FETCH_PRIVATE,
        .message = kith_end(&w),
    };
    int32_t code = host->fetch(kith, &fetch, on_private, self);
    fetch.flags = 0;
    if (code == KITH_OK)
        code = host->fetch(kith, &fetch, on_public, self);
    fetch.url = "ftp://example.com/";
    if (host->fetch(kith, &fetch, on_public, self) == KITH_INVALID)
        host->count(kith, "refused", 1);
    return code;
}

static void stop(void *self)
{
    free(self);
}

static const char *const needs[] = { "fetch", "fetch-private", NULL };
static const struct kith_field url = { .size = sizeof url,
                                       .name = "url",
                                       .type = "text",
                                       .about = "Whom to ask",
                                       .flags = KITH_REQUIRED };
static const struct kith_field *const config[] = { &url, NULL };

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "good_fetch",
    .version = "1",
    .about = "Asks somebody else",
    .needs = needs,
    .config = config,
    .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
