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
#include "webhook.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS (24 * 3600 * 1000ll)
#define UNDER_WAY_MAX 240 /* of all receivers: below what a plugin may fetch at once */
#define PRINT_BYTES 8

struct receiver {
    struct receiver *next;
    char name[NAME_SIZE], url[URL_SIZE], ca[1024], target[300];
    bool allow_private;
    int64_t timeout_ms;
    size_t parallel;
    struct keys keys;
    struct breaker breaker;
};

struct attempt { /* under way */
    struct attempt *next, **link;
    struct webhook *webhook;
    struct receiver *receiver;
    char effect[64];
    int64_t number;
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

static int64_t read_date(const char *value)
{
    static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                           "%a %b %d %H:%M:%S %Y" };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = { 0 };
        const char *end = strptime(value, formats[i], &tm);
        if (end != NULL && *end == '\0')
            return (int64_t)timegm(&tm);
    }
    return -1;
}

/* Retry-After: seconds, or a date.  0: it says nothing. */
static int64_t retry_after_ms(struct kith_doc result, int64_t now_ms)
{
    struct kith_iter it = kith_iter(kith_get_doc(result, "headers"));
    char value[64] = "";
    while (kith_next(&it)) {
        struct kith_text name = kith_get_text(kith_as_doc(&it.value), "0");
        struct kith_text text = kith_get_text(kith_as_doc(&it.value), "1");
        if (name.size == 11 && strncasecmp(name.data, "Retry-After", 11) == 0 &&
            text.size < sizeof value)
            snprintf(value, sizeof value, "%.*s", (int)text.size, text.data);
    }
    size_t digits = strspn(value, "0123456789");
    int64_t wait = 0;
    if (digits != 0 && value[digits] == '\0')
        wait = digits > 9 ? DAY_MS : strtoll(value, NULL, 10) * 1000;
    else if (value[0] != '\0' && (wait = read_date(value)) >= 0)
        wait = wait * 1000 - now_ms;
    return wait < 0 ? 0 : wait < DAY_MS ? wait : DAY_MS;
}

/* Whoever answers is there, also one that says no; but not one that says that it cannot. */
static void note_health(struct receiver *receiver, int status, int64_t wait_ms)
{
    if ((status == 429 || status == 503) && wait_ms > 0)
        breaker_hold(&receiver->breaker, boot_ms(), wait_ms);
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

static void attempt_free(struct attempt *attempt)
{
    attempt->webhook->attempt_count--;
    *attempt->link = attempt->next;
    if (attempt->next != NULL)
        attempt->next->link = attempt->link;
    free(attempt);
}

static void tell(struct attempt *attempt, int32_t outcome, const char *detail, int64_t wait_ms)
{
    const struct kith_outcome told = {
        .size = sizeof told, .outcome = outcome, .detail = kith_text(detail), .wait_ms = wait_ms
    };
    struct webhook *webhook = attempt->webhook;
    webhook->host->deliver(webhook->kith, kith_text(attempt->effect), attempt->number, &told);
    attempt_free(attempt);
}

/* An answer counts from its status on: that its body was too long, or never ended, matters to
 * nobody. */
static void on_done(void *arg, int32_t code, struct kith_doc result)
{
    struct attempt *attempt = arg;
    struct webhook *webhook = attempt->webhook;
    int status = (int)kith_get_int(result, "status", 0);
    int64_t wait_ms = retry_after_ms(result, webhook->host->now(webhook->kith));
    char reason[REASON_SIZE];
    (void)code;
    note_health(attempt->receiver, status, wait_ms);
    if (status >= 200 && status < 300) {
        tell(attempt, KITH_SENT, "", 0);
        return;
    }
    explain(status, result, reason);
    if (status == 410)
        webhook->host->pause(webhook->kith, attempt->receiver->name, reason);
    tell(attempt, KITH_RETRY, reason, wait_ms);
}

/* -- Sending ----------------------------------------------------------------------------------- */

/* "msg_17_1_" and a print of the body.  A dot would be one of those that the signature is made
 * over with. */
static void make_id(const char *effect, struct kith_text body, char *out, size_t room)
{
    struct mac print = { .size = 0 };
    char hex[MAC_TEXT_SIZE];
    unsigned size;
    EVP_Digest(body.data, body.size, print.data, &size, EVP_sha256(), NULL);
    print.size = PRINT_BYTES;
    mac_hex(&print, hex);
    snprintf(out, room, "msg_%s_%s", effect, hex);
    for (char *dot = strchr(out, '.'); dot != NULL; dot = strchr(dot, '.'))
        *dot = '_';
}

static bool sign(const struct keys *keys, const char *id, const char *time, struct kith_text body,
                 char *out, size_t room)
{
    const struct piece pieces[] = {
        piece_of(id), piece_of("."), piece_of(time), piece_of("."), { body.data, body.size },
    };
    size_t used = (size_t)snprintf(out, room, "webhook-signature:");
    for (size_t i = 0; i < keys->count; i++) {
        char text[MAC_TEXT_SIZE];
        struct mac mac;
        if (!mac_make(MAC_SHA256, keys_at(keys, i), pieces, 5, &mac))
            return false;
        mac_base64(&mac, text);
        used += (size_t)snprintf(out + used, room - used, " v1,%s", text);
    }
    return true;
}

static int32_t post(struct attempt *attempt, struct kith_text body)
{
    struct webhook *webhook = attempt->webhook;
    const struct receiver *receiver = attempt->receiver;
    char id[160], time[32], id_header[180], time_header[64], signature[256];
    make_id(attempt->effect, body, id, sizeof id);
    snprintf(time, sizeof time, "%lld", (long long)(webhook->host->now(webhook->kith) / 1000));
    snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %s", time);
    if (!sign(&receiver->keys, id, time, body, signature, sizeof signature))
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
    };
    return webhook->host->fetch(webhook->kith, &fetch, on_done, attempt);
}

static struct attempt *attempt_new(struct webhook *webhook, struct receiver *receiver)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL)
        return NULL;
    attempt->webhook = webhook;
    attempt->receiver = receiver;
    attempt->next = webhook->attempts;
    attempt->link = &webhook->attempts;
    if (attempt->next != NULL)
        attempt->next->link = &attempt->next;
    webhook->attempts = attempt;
    webhook->attempt_count++;
    return attempt;
}

void receiver_send(void *self, const struct kith_message *message)
{
    struct webhook *webhook = self;
    struct receiver *receiver = find(webhook, message->channel);
    struct attempt *attempt = NULL;
    struct kith_text body;
    if (receiver != NULL && message->effect.size < sizeof attempt->effect)
        attempt = attempt_new(webhook, receiver);
    if (attempt == NULL)
        return; /* the attempt ends by itself, and is repeated */
    memcpy(attempt->effect, message->effect.data, message->effect.size);
    attempt->number = message->attempt;
    if (webhook->host->to_json(webhook->kith, message->message, &body) != KITH_OK)
        tell(attempt, KITH_REJECTED, "the message cannot be written as JSON", 0);
    else if (post(attempt, body) != KITH_OK)
        tell(attempt, KITH_RETRY, "the request could not be begun", 0);
}

void receiver_status(void *self, struct kith_channel_status *status)
{
    struct webhook *webhook = self;
    const struct receiver *receiver = find(webhook, status->channel);
    if (receiver == NULL)
        return;
    breaker_status(&receiver->breaker, boot_ms(), receiver->parallel, status);
    status->target = receiver->target;
    if (webhook->attempt_count >= UNDER_WAY_MAX && status->window != 0) {
        status->window = 0;
        status->wait_ms = 100;
    }
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* Its parts that are no secret: a path or a query may be one. */
static int32_t read_url(struct receiver *receiver, struct kith_doc table, char *reason)
{
    const char *url = config_text(table, "url", receiver->url, sizeof receiver->url);
    bool is_safe = url != NULL && strncmp(url, "https://", 8) == 0;
    bool is_web = is_safe || (url != NULL && strncmp(url, "http://", 7) == 0);
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
    struct kith_text secret = kith_get_text(table, "secret");
    char room[160];
    const char *why = keys_parse(secret.data, secret.size, true, out, room);
    return why == NULL ? KITH_OK : refuse(reason, "receivers.%s.secret: %s", name, why);
}

static int32_t read_numbers(struct receiver *receiver, struct kith_doc table, char *reason)
{
    int64_t parallel = kith_get_int(table, "parallel", 0), rest = kith_get_int(table, "rest", 0);
    receiver->timeout_ms = kith_get_int(table, "timeout", 0);
    receiver->parallel = (size_t)parallel;
    breaker_init(&receiver->breaker, rest);
    if (parallel < 1 || parallel > 64)
        return refuse(reason, "receivers.%s.parallel is 1 to 64", receiver->name);
    if (receiver->timeout_ms < 1000 || receiver->timeout_ms > 30000)
        return refuse(reason, "receivers.%s.timeout is 1 to 30 seconds", receiver->name);
    if (rest < 1000 || rest > 3600000)
        return refuse(reason, "receivers.%s.rest is a second to an hour", receiver->name);
    return KITH_OK;
}

static int32_t receiver_read(struct receiver *receiver, struct kith_text name,
                             struct kith_doc table, char *reason)
{
    snprintf(receiver->name, sizeof receiver->name, "%.*s", (int)name.size, name.data);
    receiver->allow_private = kith_get_int(table, "allow_private", 0) != 0;
    int32_t code = read_url(receiver, table, reason);
    if (code == KITH_OK)
        code = read_numbers(receiver, table, reason);
    if (code == KITH_OK && (config_text(table, "ca", receiver->ca, sizeof receiver->ca) == NULL ||
                            (receiver->ca[0] != '\0' && receiver->ca[0] != '/')))
        code = refuse(reason, "receivers.%s.ca is a path from / on", receiver->name);
    if (code == KITH_OK)
        code = read_secret(table, &receiver->keys, receiver->name, reason);
    return code;
}

int32_t receivers_open(struct webhook *webhook, struct kith_doc tables, char *reason)
{
    struct kith_iter it = kith_iter(tables);
    int32_t code = KITH_OK;
    while (code == KITH_OK && kith_next(&it)) {
        struct receiver *receiver = calloc(1, sizeof *receiver);
        if (receiver == NULL)
            return KITH_FAILED;
        receiver->next = webhook->receivers;
        webhook->receivers = receiver;
        code = receiver_read(receiver, it.name, kith_as_doc(&it.value), reason);
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
    for (struct attempt *attempt = webhook->attempts, *next; attempt != NULL; attempt = next) {
        next = attempt->next;
        attempt_free(attempt);
    }
    for (struct receiver *receiver = webhook->receivers, *next; receiver != NULL; receiver = next) {
        next = receiver->next;
        keys_wipe(&receiver->keys);
        free(receiver);
    }
    webhook->receivers = NULL;
}
