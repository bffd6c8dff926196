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

const char *config_text(struct kith_doc table, const char *name, char *out, size_t room)
{
    struct kith_text text = kith_get_text(table, name);
    if (text.size >= room || memchr(text.data, '\0', text.size) != NULL)
        return NULL;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return out;
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
    if (!KITH_HAS(host, from_json))
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

#define FIELD(id, named, kind, otherwise, says, whether)           \
    static const struct kith_field id = { .size = sizeof(id),      \
                                          .name = (named),         \
                                          .type = (kind),          \
                                          .standard = (otherwise), \
                                          .about = (says),         \
                                          .flags = (whether) }

FIELD(url, "url", "text", NULL, "Where it is: https://erp.example.com/kith",
      KITH_REQUIRED | KITH_OUTSIDE);
FIELD(secret, "secret", "text", NULL, "whsec_ and 24 to 64 random bytes in base64",
      KITH_REQUIRED | KITH_SECRET);
FIELD(html, "html", "flag", "false", "It puts bodies into HTML: templates escape values in them",
      0);
FIELD(allow_private, "allow_private", "flag", "false", "Also call addresses of this house",
      KITH_OUTSIDE);
FIELD(ca, "ca", "text", NULL,
      "A PEM file, from / on, of those who may certify it, not the system's", KITH_OUTSIDE);
FIELD(timeout, "timeout", "duration", "15s", "Of one attempt, 1 to 30 seconds", KITH_OUTSIDE);
FIELD(parallel, "parallel", "whole", "16", "Messages under way at once, 1 to 64", KITH_OUTSIDE);
FIELD(rest, "rest", "duration", "5s", "How long it is left alone at first when it fails",
      KITH_OUTSIDE);
static const struct kith_field *const receiver_fields[] = {
    &url, &secret, &html, &allow_private, &ca, &timeout, &parallel, &rest, NULL,
};

FIELD(scheme, "scheme", "text", "standard", "Who signs how: standard, github, stripe or twilio",
      KITH_OUTSIDE);
FIELD(hook_secret, "secret", "text", NULL, "What the sender signs with; two lines: either will do",
      KITH_REQUIRED | KITH_SECRET);
FIELD(public_url, "url", "text", NULL, "Where twilio calls it, as twilio was told", KITH_OUTSIDE);
FIELD(signature, "signature", "text", NULL, "The header of the signature, if not the scheme's",
      KITH_OUTSIDE);
FIELD(tolerance, "tolerance", "duration", "5min", "How far its clock may be from ours",
      KITH_OUTSIDE);
FIELD(headers, "headers", "list", NULL, "Headers that go into the event", KITH_OUTSIDE);
FIELD(customer, "customer", "list", NULL, "Who it is about, \"email:buyer.email\": the first found",
      KITH_OUTSIDE);
FIELD(create, "create", "flag", "false", "Whether somebody unknown becomes a customer",
      KITH_OUTSIDE);
static const struct kith_field *const hook_fields[] = {
    &scheme, &hook_secret, &public_url, &signature, &tolerance, &headers, &customer, &create, NULL,
};

static const struct kith_field receivers = {
    .size = sizeof receivers,
    .name = "receivers",
    .type = "tables",
    .about = "Programs to call, signed: each is a channel",
    .fields = receiver_fields,
};
static const struct kith_field hooks = {
    .size = sizeof hooks,
    .name = "hooks",
    .type = "tables",
    .about = "Programs that call /v1/hooks/NAME: each call is the event webhook.NAME",
    .fields = hook_fields,
};
static const struct kith_field *const fields[] = { &receivers, &hooks, NULL };

/* -- What it is -------------------------------------------------------------------------------- */

static const struct kith_channel channel = {
    .size = sizeof channel,
    .name = "{receivers}",
    .flags = KITH_IDEMPOTENT | KITH_MACHINE,
    .send = receiver_send,
    .status = receiver_status,
};
static const struct kith_channel *const channels[] = { &channel, NULL };

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

static const struct kith_route route = {
    .size = sizeof route,
    .method = "POST",
    .path = "/v1/hooks/{name}",
    .summary = "A webhook of somebody else",
    .openapi = openapi,
    .auth = KITH_AUTH_NONE,
    .body_max = HOOK_BYTES_MAX,
    .handle = hook_handle,
};
static const struct kith_route *const routes[] = { &route, NULL };

static const char *const needs[] = {
    "append", "channel", "fetch", "fetch-private", "routes", NULL
};

static const struct kith_plugin description = {
    .size = sizeof description,
    .abi = KITH_ABI,
    .name = "webhook",
    .version = "1",
    .about = "Webhooks out and in, signed",
    .needs = needs,
    .config = fields,
    .channels = channels,
    .routes = routes,
    .start = start,
    .stop = stop,
    .reread = reread,
};

const struct kith_plugin *kith_describe(void)
{
    return &description;
}
