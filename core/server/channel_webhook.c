/* channel_webhook.c -- see channel_webhook.h. */
#include "core/server/channel_webhook.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/json_write.h"
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/engine/event.h"
#include "core/script/settings.h"
#include "core/server/breaker.h"
#include "core/server/fetch.h"
#include "core/server/metrics.h"
#include "core/server/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_BYTES 8
#define ID_SIZE (sizeof "msg__" + EVENT_ID_TEXT_MAX + HEX_SIZE(PRINT_BYTES))
#define REASON_SIZE 160

struct channel_webhook {
    const struct webhook_settings *settings;
    struct clock clock;
    struct metrics *metrics;
    struct fetch *fetch;
    struct signature_keys keys;
    struct breaker breaker;
    struct attempt *attempts;
    struct buf body, signature;
};

struct attempt { /* under way */
    struct attempt *next, **link;
    struct channel_webhook *webhook;
    struct deliverer *deliverer;
    char id[EVENT_ID_TEXT_MAX];
    int64_t number;
};

static int64_t boot_ms(const struct channel_webhook *webhook)
{
    return webhook->clock.boot_ms(webhook->clock.arg);
}

static struct attempt *attempt_new(struct channel_webhook *webhook)
{
    struct attempt *attempt = mem_zero(sizeof *attempt);
    attempt->webhook = webhook;
    attempt->next = webhook->attempts;
    attempt->link = &webhook->attempts;
    if (attempt->next != NULL)
        attempt->next->link = &attempt->next;
    webhook->attempts = attempt;
    return attempt;
}

static void attempt_free(struct attempt *attempt)
{
    *attempt->link = attempt->next;
    if (attempt->next != NULL)
        attempt->next->link = attempt->link;
    free(attempt);
}

/* -- What became of it ------------------------------------------------------------------ */

static bool is_asking_for_patience(int status)
{
    return status == 429 || status == 503;
}

/* Whoever answers is there, also one that says no; but not one that says that it cannot. */
static void note_health(struct channel_webhook *webhook, const struct fetch_result *result)
{
    bool is_patient = is_asking_for_patience(result->status) && result->retry_after_ms > 0;
    int64_t wait =
        result->retry_after_ms < EFFECT_WAIT_MS_MAX ? result->retry_after_ms : EFFECT_WAIT_MS_MAX;
    if (is_patient)
        breaker_hold(&webhook->breaker, boot_ms(webhook), wait);
    else if (result->status == 0 || result->status == 429 || result->status >= 500)
        breaker_failed(&webhook->breaker, boot_ms(webhook));
    else
        breaker_answered(&webhook->breaker);
}

static void explain(const struct fetch_result *result, char out[REASON_SIZE])
{
    bool is_redirect = result->status >= 300 && result->status < 400 && result->status != 304;
    if (result->status == 0)
        snprintf(out, REASON_SIZE, "%s", result->error);
    else
        snprintf(out, REASON_SIZE, "the receiver answered %d%s%s", result->status,
                 is_redirect ? ", a redirect, which is not followed" : "",
                 result->status == 410 ? " Gone: the channel is paused" : "");
}

static void on_done(void *arg, const struct fetch_result *result)
{
    struct attempt *attempt = arg;
    struct channel_webhook *webhook = attempt->webhook;
    bool is_sent = result->status >= 200 && result->status < 300;
    char reason[REASON_SIZE];
    note_health(webhook, result);
    metrics_delivery(webhook->metrics, is_sent ? OUTCOME_SENT : OUTCOME_FAILED);
    if (is_sent) {
        deliver_answer(attempt->deliverer, text_of(attempt->id), attempt->number, OUTCOME_SENT,
                       (struct text){ "", 0 });
        attempt_free(attempt);
        return;
    }
    explain(result, reason);
    if (result->status == 410)
        deliver_pause(attempt->deliverer, webhook->settings->name, text_of(reason));
    deliver_answer_later(attempt->deliverer, text_of(attempt->id), attempt->number, text_of(reason),
                         result->retry_after_ms);
    attempt_free(attempt);
}

/* -- Sending ---------------------------------------------------------------------------- */

/* "msg_17_1_" and a print of the body.  A dot would be one of those that the signature is made
 * over with. */
static void make_id(struct text effect, const struct buf *body, char out[ID_SIZE])
{
    uint8_t digest[DIGEST_16_BYTES];
    char print[HEX_SIZE(PRINT_BYTES)];
    digest_16(body->data, body->size, digest);
    hex_encode(digest, PRINT_BYTES, print);
    snprintf(out, ID_SIZE, "msg_%.*s_%s", (int)effect.size, effect.data, print);
    for (char *dot = strchr(out, '.'); dot != NULL; dot = strchr(dot, '.'))
        *dot = '_';
}

static void post(struct channel_webhook *webhook, struct attempt *attempt)
{
    char id[ID_SIZE], id_header[ID_SIZE + 32], time_header[64];
    struct buf *signature = &webhook->signature;
    int64_t now_s = webhook->clock.wall_ms(webhook->clock.arg) / 1000;
    make_id(text_of(attempt->id), &webhook->body, id);
    snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %lld", (long long)now_s);
    buf_clear(signature);
    buf_text(signature, "webhook-signature: ");
    signature_write(&webhook->keys, id, now_s, webhook->body.data, webhook->body.size, signature);
    const char *const headers[] = { "Content-Type: application/json", id_header, time_header,
                                    buf_string(signature), NULL };
    fetch_post(webhook->fetch, headers, webhook->body.data, webhook->body.size, on_done, attempt);
}

static void send(void *self, struct deliverer *deliverer, struct text id, int64_t attempt_number,
                 struct doc message)
{
    struct channel_webhook *webhook = self;
    struct attempt *attempt = attempt_new(webhook);
    ASSERT(id.size < sizeof attempt->id);
    attempt->deliverer = deliverer;
    attempt->number = attempt_number;
    memcpy(attempt->id, id.data, id.size);
    buf_clear(&webhook->body);
    json_write_doc(&webhook->body, message);
    post(webhook, attempt);
}

static void status(void *self, struct channel_status *out_status)
{
    const struct channel_webhook *webhook = self;
    breaker_status(&webhook->breaker, boot_ms(webhook), webhook->settings->parallel, out_status);
    out_status->target = fetch_target(webhook->fetch);
}

/* -- Opening ---------------------------------------------------------------------------- */

static int named(const struct webhook_settings *settings, int rc, struct err *err)
{
    struct err why = *err;
    return rc == 0 ? 0 : err_set(err, rc, "channel \"%s\": %s", settings->name, why.text);
}

int channel_webhook_reread(struct channel_webhook *webhook, struct err *err)
{
    return named(webhook->settings,
                 signature_keys_read(webhook->settings->secret, &webhook->keys, err), err);
}

int channel_webhook_open(const struct channel_webhook_options *options,
                         struct channel_webhook **out_webhook, struct err *err)
{
    const struct webhook_settings *settings = options->settings;
    struct channel_webhook *webhook = mem_zero(sizeof *webhook);
    struct fetch_options fetch = {
        .loop = options->loop,
        .url = settings->url,
        .ca = settings->ca,
        .allow_private = settings->allow_private,
        .timeout_ms = settings->timeout_ms,
    };
    webhook->settings = settings;
    webhook->clock = options->clock;
    webhook->metrics = options->metrics;
    breaker_init(&webhook->breaker, settings->rest_ms);
    int rc = channel_webhook_reread(webhook, err);
    if (rc == 0)
        rc = named(settings, fetch_open(&fetch, &webhook->fetch, err), err);
    if (rc != 0) {
        channel_webhook_close(webhook);
        return rc;
    }
    *out_webhook = webhook;
    return 0;
}

void channel_webhook_close(struct channel_webhook *webhook)
{
    if (webhook == NULL)
        return;
    fetch_close(webhook->fetch);
    for (struct attempt *attempt = webhook->attempts, *next; attempt != NULL; attempt = next) {
        next = attempt->next;
        attempt_free(attempt);
    }
    signature_keys_wipe(&webhook->keys);
    buf_deinit(&webhook->body);
    buf_deinit(&webhook->signature);
    free(webhook);
}

struct channel channel_webhook_channel(struct channel_webhook *webhook)
{
    return (struct channel){
        .name = webhook->settings->name,
        .is_idempotent = true,
        .self = webhook,
        .send = send,
        .status = status,
    };
}
