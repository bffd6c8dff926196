/* receiver.c -- a program to call: each message one signed POST.
 *
 *     POST PATH                        the message, as a document of JSON:
 *     Content-Type: application/json   {"id":"17.1","customer":42,"type":"Order Completed",
 *     webhook-id: msg_17_1_9c56...      "timestamp":"2026-11-21T10:11:12.345Z","data":{...}}
 *     webhook-timestamp: 1795169472    of this attempt
 *     webhook-signature: v1,...        one for each secret
 *
 * as Standard Webhooks has it.  Body and id are the same in every attempt; the id names the effect
 * and what it says, so that a daemon that was set up anew does not repeat one.
 *
 *     2xx         sent
 *     410         to be tried again, and the channel is paused until somebody resumes it
 *     429, 503    the same; with Retry-After the destination is left alone for so long
 *     others, a redirect among them, or no answer   again by the schedule
 *
 * A destination that fails again and again is left alone for longer and longer (breaker.h).
 */
#include "breaker.h"
#include "keys.h"
#include "text.h"
#include "webhook.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_MS (24 * 3600 * 1000ll)
#define UNDER_WAY_MAX 240 /* of all receivers: below what a plugin may fetch at once */
#define PRINT_DIGITS 16

struct receiver {
    struct receiver *next;
    struct webhook *webhook;
    const char *name, *url, *ca;
    char target[300];
    bool allow_private;
    int64_t timeout_ms;
    size_t parallel;
    struct keys keys;
    struct breaker breaker;
};

static int64_t boot_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct receiver *find(const struct webhook *webhook, struct kith_text name)
{
    struct receiver *receiver = webhook->receivers;
    while (receiver != NULL && !kith_is(name, receiver->name))
        receiver = receiver->next;
    return receiver;
}

/* -- What became of it ------------------------------------------------------------------------- */

/* Whoever answers is there, also one that says no; but not one that says that it cannot. */
static void note_health(struct receiver *receiver, int status, int64_t wait_ms)
{
    if ((status == 429 || status == 503) && wait_ms > 0)
        breaker_hold(&receiver->breaker, boot_ms(), wait_ms < DAY_MS ? wait_ms : DAY_MS);
    else if (status == 0 || status == 429 || status >= 500)
        breaker_failed(&receiver->breaker, boot_ms());
    else
        breaker_answered(&receiver->breaker);
}

static void explain(int status, struct kith_doc result, char out[REASON_SIZE])
{
    struct kith_text error = kith_get_text(result, "error");
    bool is_redirect = status >= 300 && status < 400 && status != 304;
    if (status == 0)
        snprintf(out, REASON_SIZE, "%.*s", (int)error.size, error.data);
    else
        snprintf(out, REASON_SIZE, "the receiver answered %d%s%s", status,
                 is_redirect ? ", a redirect, which is not followed" : "",
                 status == 410 ? " Gone: the channel is paused" : "");
}

/* An answer counts from its status on: that its body was too long, or never ended, matters to
 * nobody. */
static void on_done(void *arg, int32_t code, struct kith_doc result)
{
    struct receiver *receiver = arg;
    struct webhook *webhook = receiver->webhook;
    int status = (int)kith_get_int(result, "status", 0);
    int64_t wait_ms = kith_get_int(result, "retry_after", 0);
    bool is_sent = status >= 200 && status < 300;
    char reason[REASON_SIZE] = "";
    (void)code;
    webhook->under_way--;
    note_health(receiver, status, wait_ms);
    if (!is_sent)
        explain(status, result, reason);
    if (status == 410)
        webhook->host->pause(webhook->kith, receiver->name, reason);
    kith_deliver(webhook->host, webhook->kith, kith_get_text(result, "effect"),
                 kith_get_int(result, "attempt", 0), is_sent ? KITH_SENT : KITH_RETRY, reason,
                 is_sent ? 0 : wait_ms);
}

/* -- Sending ----------------------------------------------------------------------------------- */

/* "msg_17_1_" and a print of the body.  A dot would be one of those that the signature is made
 * over with. */
static void make_id(struct kith_text effect, struct kith_text body, char *out, size_t room)
{
    char hash[TEXT_HASH_SIZE];
    text_hash(body, hash);
    snprintf(out, room, "msg_%.*s_%.*s", (int)effect.size, effect.data, PRINT_DIGITS, hash);
    for (char *dot = strchr(out, '.'); dot != NULL; dot = strchr(dot, '.'))
        *dot = '_';
}

static bool sign(const struct receiver *receiver, const char *id, const char *time,
                 struct kith_text body, char *out, size_t room)
{
    const struct webhook *webhook = receiver->webhook;
    const struct kith_text dot = kith_text(".");
    const struct kith_text parts[] = { kith_text(id), dot, kith_text(time), dot, body };
    struct kith_text data;
    char mac[KITH_HMAC_SIZE], *joined = text_join(parts, 5, &data);
    bool is_good = joined != NULL;
    size_t used = (size_t)snprintf(out, room, "webhook-signature:");
    for (struct kith_iter it = kith_iter(keys_list(&receiver->keys)); is_good && kith_next(&it);) {
        is_good = webhook->host->hmac(webhook->kith, "sha256-base64", kith_as_text(&it.value), data,
                                      mac) == KITH_OK;
        used += (size_t)snprintf(out + used, room - used, " v1,%s", is_good ? mac : "");
    }
    free(joined);
    return is_good;
}

static int32_t post(struct receiver *receiver, const struct kith_message *message,
                    struct kith_text body)
{
    const struct webhook *webhook = receiver->webhook;
    char id[160], time[32], id_header[180], time_header[64], signature[256];
    make_id(message->effect, body, id, sizeof id);
    snprintf(time, sizeof time, "%lld", (long long)(webhook->host->now(webhook->kith) / 1000));
    snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %s", time);
    if (!sign(receiver, id, time, body, signature, sizeof signature))
        return KITH_FAILED;
    const char *const headers[] = { "Content-Type: application/json", id_header, time_header,
                                    signature, NULL };
    const struct kith_fetch fetch = {
        .size = sizeof fetch,
        .method = "POST",
        .url = receiver->url,
        .headers = headers,
        .body = body.data,
        .body_size = body.size,
        .timeout_ms = receiver->timeout_ms,
        .flags = receiver->allow_private ? KITH_FETCH_PRIVATE : 0,
        .ca = receiver->ca[0] != '\0' ? receiver->ca : NULL,
        .effect = message->effect,
        .attempt = message->attempt,
    };
    return webhook->host->fetch(webhook->kith, &fetch, on_done, receiver);
}

void receiver_send(void *self, const struct kith_message *message)
{
    struct webhook *webhook = self;
    struct receiver *receiver = find(webhook, message->channel);
    struct kith_text body;
    if (receiver == NULL)
        return; /* the attempt ends by itself, and is repeated */
    if (webhook->host->to_json(webhook->kith, message->message, &body) != KITH_OK)
        kith_deliver(webhook->host, webhook->kith, message->effect, message->attempt, KITH_REJECTED,
                     "the message cannot be written as JSON", 0);
    else if (post(receiver, message, body) != KITH_OK)
        kith_deliver(webhook->host, webhook->kith, message->effect, message->attempt, KITH_RETRY,
                     "the request could not be begun", 0);
    else
        webhook->under_way++;
}

void receiver_status(void *self, struct kith_channel_status *status)
{
    struct webhook *webhook = self;
    const struct receiver *receiver = find(webhook, status->channel);
    if (receiver == NULL)
        return;
    breaker_status(&receiver->breaker, boot_ms(), receiver->parallel, status);
    status->target = receiver->target;
    if (webhook->under_way >= UNDER_WAY_MAX && status->window != 0) {
        status->window = 0;
        status->wait_ms = 100;
    }
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* Its parts that are no secret: a path or a query may be one. */
static int32_t read_url(struct receiver *receiver, struct kith_doc table, char *reason)
{
    const char *url = receiver->url = kith_get_string(table, "url");
    bool is_safe = strncmp(url, "https://", 8) == 0;
    bool is_web = is_safe || strncmp(url, "http://", 7) == 0;
    const char *host = is_web ? url + (is_safe ? 8 : 7) : "";
    size_t size = strcspn(host, "/?#");
    if (!is_web || size == 0 || memchr(host, '@', size) != NULL ||
        strpbrk(url, " \t\r\n\\") != NULL || size > 250)
        return refuse(reason, "receivers.%s.url is none: https://HOST/PATH, without a user",
                      receiver->name);
    if (!is_safe && !receiver->allow_private)
        return refuse(reason,
                      "receivers.%s.url begins with https://; http:// is only for allow_private",
                      receiver->name);
    snprintf(receiver->target, sizeof receiver->target, "%.*s", (int)(size + (size_t)(host - url)),
             url);
    return KITH_OK;
}

static int32_t read_secret(struct kith_doc table, struct keys *out, const char *name, char *reason)
{
    char room[160];
    const char *why = keys_parse(kith_get_text(table, "secret"), true, out, room);
    return why == NULL ? KITH_OK : refuse(reason, "receivers.%s.secret: %s", name, why);
}

static int32_t receiver_read(struct receiver *receiver, const char *name, struct kith_doc table,
                             char *reason)
{
    receiver->name = name;
    receiver->ca = kith_get_string(table, "ca");
    receiver->allow_private = kith_get_int(table, "allow_private", 0) != 0;
    receiver->timeout_ms = kith_get_int(table, "timeout", 0);
    receiver->parallel = (size_t)kith_get_int(table, "parallel", 0);
    breaker_init(&receiver->breaker, kith_get_int(table, "rest", 0));
    int32_t code = read_url(receiver, table, reason);
    if (code == KITH_OK && receiver->ca[0] != '\0' && receiver->ca[0] != '/')
        code = refuse(reason, "receivers.%s.ca is a path from / on", name);
    return code == KITH_OK ? read_secret(table, &receiver->keys, name, reason) : code;
}

int32_t receivers_open(struct webhook *webhook, struct kith_doc tables, char *reason)
{
    struct kith_iter it = kith_iter(tables);
    int32_t code = KITH_OK;
    while (code == KITH_OK && kith_next(&it)) {
        struct receiver *receiver = calloc(1, sizeof *receiver);
        if (receiver == NULL)
            return KITH_FAILED;
        receiver->webhook = webhook;
        receiver->next = webhook->receivers;
        webhook->receivers = receiver;
        code = receiver_read(receiver, it.name.data, kith_as_doc(&it.value), reason);
    }
    return code;
}

void receivers_reread(struct webhook *webhook, struct kith_doc tables)
{
    for (struct receiver *receiver = webhook->receivers; receiver != NULL;
         receiver = receiver->next) {
        char reason[REASON_SIZE], line[REASON_SIZE + 40];
        struct kith_doc table = kith_get_doc(tables, receiver->name);
        if (read_secret(table, &receiver->keys, receiver->name, reason) == KITH_OK)
            continue;
        snprintf(line, sizeof line, "the secrets in use are kept: %s", reason);
        webhook->host->log(webhook->kith, KITH_ERROR, line);
    }
}

void receivers_close(struct webhook *webhook)
{
    for (struct receiver *receiver = webhook->receivers, *next; receiver != NULL; receiver = next) {
        next = receiver->next;
        keys_wipe(&receiver->keys);
        free(receiver);
    }
}
