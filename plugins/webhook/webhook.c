/* webhook.c -- webhooks out and in: what the plugin is, its beginning and its end.
 *
 *     receivers   programs to call: each is a channel (receiver.c)
 *     hooks       programs that call: POST /v1/hooks/NAME becomes the event webhook.NAME (hook.c)
 */
#include "webhook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HOOK_BYTES_MAX (200u << 10) /* of a body: an event has at most 256 KiB */

int32_t refuse(char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, REASON_SIZE, format, args);
    va_end(args);
    return KITH_INVALID;
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    struct kith_doc config;
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL)
        return KITH_FAILED;
    *out_self = webhook;
    webhook->host = host;
    webhook->kith = kith;
    if (!KITH_HAS(host, hmac))
        return refuse(reason, "this Kith is too old for it");
    int32_t code = host->config(kith, &config);
    if (code == KITH_OK)
        code = receivers_open(webhook, kith_get_doc(config, "receivers"), reason);
    if (code == KITH_OK)
        code = hooks_open(webhook, kith_get_doc(config, "hooks"), reason);
    return code;
}

static void reread(void *self)
{
    struct webhook *webhook = self;
    struct kith_doc config;
    if (webhook->host->config(webhook->kith, &config) != KITH_OK)
        return;
    receivers_reread(webhook, kith_get_doc(config, "receivers"));
    hooks_reread(webhook, kith_get_doc(config, "hooks"));
}

static void stop(void *self)
{
    struct webhook *webhook = self;
    if (webhook == NULL)
        return;
    receivers_close(webhook);
    hooks_close(webhook);
    free(webhook);
}

/* -- Configuration ----------------------------------------------------------------------------- */

static const struct kith_field *const receiver_fields[] = {
    KITH_ITEM(field, .name = "url", .type = "text", .flags = KITH_REQUIRED | KITH_OUTSIDE,
              .about = "Where it is: https://erp.example.com/kith"),
    KITH_ITEM(field, .name = "secret", .type = "text", .flags = KITH_REQUIRED | KITH_SECRET,
              .about = "whsec_ and 24 to 64 random bytes in base64"),
    KITH_ITEM(field, .name = "html", .type = "flag", .standard = "false",
              .about = "It puts bodies into HTML: templates escape values in them"),
    KITH_ITEM(field, .name = "allow_private", .type = "flag", .standard = "false",
              .flags = KITH_OUTSIDE, .about = "Also call addresses of this house"),
    KITH_ITEM(field, .name = "ca", .type = "text", .flags = KITH_OUTSIDE,
              .about = "A PEM file, from / on, of those who may certify it, not the system's"),
    KITH_ITEM(field, .name = "timeout", .type = "duration", .standard = "15s", .least = 1000,
              .most = 30000, .flags = KITH_OUTSIDE, .about = "Of one attempt, 1 to 30 seconds"),
    KITH_ITEM(field, .name = "parallel", .type = "whole", .standard = "16", .least = 1, .most = 64,
              .flags = KITH_OUTSIDE, .about = "Messages under way at once, 1 to 64"),
    KITH_ITEM(field, .name = "rest", .type = "duration", .standard = "5s", .least = 1000,
              .most = 3600000, .flags = KITH_OUTSIDE,
              .about = "How long it is left alone at first when it fails"),
    NULL,
};
static const struct kith_field *const hook_fields[] = {
    KITH_ITEM(field, .name = "scheme", .type = "text", .standard = "standard",
              .flags = KITH_OUTSIDE, .about = "Who signs how: standard, github, stripe or twilio"),
    KITH_ITEM(field, .name = "secret", .type = "text", .flags = KITH_REQUIRED | KITH_SECRET,
              .about = "What the sender signs with; two lines: either will do"),
    KITH_ITEM(field, .name = "url", .type = "text", .flags = KITH_OUTSIDE,
              .about = "Where twilio calls it, as twilio was told"),
    KITH_ITEM(field, .name = "signature", .type = "text", .flags = KITH_OUTSIDE,
              .about = "The header of the signature, if not the scheme's"),
    KITH_ITEM(field, .name = "tolerance", .type = "duration", .standard = "5min",
              .flags = KITH_OUTSIDE, .about = "How far its clock may be from ours"),
    KITH_ITEM(field, .name = "headers", .type = "list", .flags = KITH_OUTSIDE,
              .about = "Headers that go into the event"),
    KITH_ITEM(field, .name = "customer", .type = "list", .flags = KITH_OUTSIDE,
              .about = "Who it is about, \"email:buyer.email\": the first found"),
    KITH_ITEM(field, .name = "create", .type = "flag", .standard = "false", .flags = KITH_OUTSIDE,
              .about = "Whether somebody unknown becomes a customer"),
    NULL,
};
static const struct kith_field *const config[] = {
    KITH_ITEM(field, .name = "receivers", .type = "tables", .fields = receiver_fields,
              .about = "Programs to call, signed: each is a channel"),
    KITH_ITEM(field, .name = "hooks", .type = "tables", .fields = hook_fields,
              .about = "Programs that call /v1/hooks/NAME: each call is the event webhook.NAME"),
    NULL,
};

/* -- What it is -------------------------------------------------------------------------------- */

static const struct kith_channel *const channels[] = {
    KITH_ITEM(channel, .name = "{receivers}", .flags = KITH_IDEMPOTENT | KITH_MACHINE,
              .send = receiver_send, .status = receiver_status),
    NULL,
};

static const char openapi[] =
    "{\"description\": \"The event webhook.NAME, once for each request that its sender has signed: "
    "one that comes again is answered in the same way and has no effect\","
    "\"requestBody\": {\"required\": true, \"content\": {\"application/json\": {\"schema\": {}},"
    "\"application/x-www-form-urlencoded\": {\"schema\": {\"type\": \"object\"}}}},"
    "\"responses\": {"
    "\"200\": {\"description\": \"It is in the log\"},"
    "\"400\": {\"description\": \"The body cannot be read\"},"
    "\"401\": {\"description\": \"Not signed by its sender, or too long ago\"},"
    "\"404\": {\"description\": \"There is no hook of this name\"},"
    "\"413\": {\"description\": \"The body is too large\"},"
    "\"422\": {\"description\": \"Kith cannot keep what stands in the body\"},"
    "\"503\": {\"description\": \"Not now: try again\"}}}";

static const struct kith_route *const routes[] = {
    KITH_ITEM(route, .method = "POST", .path = "/v1/hooks/{name}", .handle = hook_handle,
              .body_max = HOOK_BYTES_MAX, .summary = "A webhook of somebody else",
              .openapi = openapi),
    NULL,
};

static const struct kith_plugin *const plugin = KITH_ITEM(
    plugin, .abi = KITH_ABI, .name = "webhook", .version = "1",
    .about = "Webhooks out and in, signed",
    .needs = KITH_NAMES("append", "channel", "fetch", "fetch-private", "routes"), .config = config,
    .channels = channels, .routes = routes, .start = start, .stop = stop, .reread = reread);

const struct kith_plugin *kith_describe(void)
{
    return plugin;
}
