/* relay.c -- see relay.h: what becomes of a message between relay_send() and deliver(). */
#include "relay_inside.h"

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DETAIL_MAX 700
#define PAUSE_MS 1000 /* after the first failure of the relay; then twice as long each time */

int64_t relay_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- Parcels ----------------------------------------------------------------------------------- */

static struct parcel *parcel_new(struct relay *relay, const struct kith_message *message)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (parcel == NULL)
        return NULL;
    parcel->message = malloc(message->message.size);
    if (parcel->message == NULL || message->effect.size > PARCEL_EFFECT_MAX) {
        free(parcel->message);
        free(parcel);
        return NULL;
    }
    memcpy(parcel->message, message->message.data, message->message.size);
    memcpy(parcel->effect, message->effect.data, message->effect.size);
    parcel->message_size = message->message.size;
    parcel->relay = relay;
    parcel->attempt = message->attempt;
    parcel->now_ms = relay->host->now(relay->kith);
    parcel->came_ms = relay_clock_ms();
    bytes_init(&parcel->letter.bytes, 1);
    parcel->link = relay->parcels_end; /* the oldest first: they begin in that order */
    *relay->parcels_end = parcel;
    relay->parcels_end = &parcel->next;
    return parcel;
}

static void parcel_free(struct parcel *parcel)
{
    struct relay *relay = parcel->relay;
    *parcel->link = parcel->next;
    if (parcel->next != NULL)
        parcel->next->link = parcel->link;
    else
        relay->parcels_end = parcel->link;
    relay->waiting -= parcel->state == PARCEL_WAITING;
    if (parcel->domain != NULL)
        pace_leave(relay->pace, parcel->domain, relay_clock_ms());
    files_deinit(&parcel->files);
    letter_deinit(&parcel->letter);
    free(parcel->message);
    free(parcel);
}

static void answer(struct parcel *parcel, int32_t outcome, const char *detail, int64_t wait_ms)
{
    static const char *const counters[] = { "sent", "rejected", "retried", "uncertain" };
    struct relay *relay = parcel->relay;
    kith_deliver(relay->host, relay->kith, kith_text(parcel->effect), parcel->attempt, outcome,
                 detail, wait_ms);
    relay->host->count(relay->kith, counters[outcome], 1);
    parcel_free(parcel);
}

/* -- The health of the relay ------------------------------------------------------------------- */

static void note_failure(struct relay *relay, const struct smtp_outcome *outcome)
{
    char line[DETAIL_MAX];
    size_t doublings = relay->failures < 6 ? relay->failures : 6;
    int64_t pause = (int64_t)PAUSE_MS << doublings;
    pause = pause < RELAY_PAUSE_MS_MAX ? pause : RELAY_PAUSE_MS_MAX;
    relay->retry_ms = relay_clock_ms() + pause;
    if (relay->failures++ != 0)
        return;
    snprintf(line, sizeof line, "%s: %s%.*s: messages wait until it answers",
             relay->settings->target,
             outcome->is_setup ? "it refuses us, look at the configuration: " : "", SMTP_TEXT_MAX,
             outcome->text);
    relay->host->log(relay->kith, KITH_ERROR, line);
}

static void note_health(struct relay *relay, const struct parcel *parcel)
{
    const struct smtp_outcome *outcome = &parcel->outcome;
    bool is_before = parcel->watch.phase < SMTP_MAIL && !parcel->watch.has_ended;
    if (outcome->result == SMTP_RETRY && (outcome->is_setup || is_before)) {
        note_failure(relay, outcome);
        return;
    }
    if (outcome->result == SMTP_UNCERTAIN) /* says nothing of the relay */
        return;
    if (relay->failures != 0)
        relay->host->log(relay->kith, KITH_INFO, "the relay answers again");
    relay->failures = 0;
}

/* -- The end of a transfer --------------------------------------------------------------------- */

static void answer_outcome(struct parcel *parcel)
{
    static const int32_t outcomes[] = { KITH_SENT, KITH_REJECTED, KITH_RETRY, KITH_UNCERTAIN };
    const struct smtp_outcome *outcome = &parcel->outcome;
    char detail[DETAIL_MAX];
    if (outcome->code != 0)
        snprintf(detail, sizeof detail, "%d %s", outcome->code, outcome->text);
    else
        snprintf(detail, sizeof detail, "%s", outcome->text);
    answer(parcel, outcomes[outcome->result], detail, 0);
}

static void on_bounce_told(void *arg, int32_t status, struct kith_doc result)
{
    struct parcel *parcel = arg;
    struct kith_text error = kith_get_text(result, "error");
    char line[DETAIL_MAX];
    if (status != KITH_OK) {
        snprintf(line, sizeof line, "message %s: its bounce was not taken: %.*s", parcel->effect,
                 (int)error.size, error.data);
        parcel->relay->host->log(parcel->relay->kith, KITH_WARNING, line);
    }
    answer_outcome(parcel);
}

/* There is no such mailbox: nobody needs to wait for a report about that. */
static bool tell_bounce(struct parcel *parcel)
{
    struct relay *relay = parcel->relay;
    char room[2048], id[PARCEL_EFFECT_MAX + 16];
    struct kith_text address =
        kith_get_text((struct kith_doc){ parcel->message, parcel->message_size }, "address");
    struct kith_writer w;
    snprintf(id, sizeof id, "bounce:%s", parcel->effect);
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "effect", parcel->effect);
    kith_put_text(&w, "address", address);
    kith_put_bool(&w, "hard", 1);
    kith_put_string(&w, "detail", parcel->outcome.text);
    const struct kith_event event = {
        .size = sizeof event,
        .type = "message.bounced",
        .id = kith_text(id),
        .data = kith_end(&w),
    };
    return relay->host->append(relay->kith, &event, on_bounce_told, parcel) == KITH_OK;
}

void relay_transferred(struct parcel *parcel, CURLcode code)
{
    struct relay *relay = parcel->relay;
    parcel->outcome = smtp_judge(&parcel->watch, (int)code);
    relay_transfer_end(parcel);
    pace_end(parcel->domain);
    relay->sending--;
    relay->used_ms = relay_clock_ms();
    note_health(relay, parcel);
    parcel->state = PARCEL_TELLING;
    if (!parcel->outcome.is_recipient_bad || !tell_bounce(parcel))
        answer_outcome(parcel);
}

/* -- Beginning transfers ----------------------------------------------------------------------- */

static void on_due(void *arg)
{
    struct relay *relay = arg;
    relay->timer = 0;
    relay_go_on(relay);
}

/* Be called at `at_ms` at the latest. */
static void plan(struct relay *relay, int64_t at_ms)
{
    int64_t now = relay_clock_ms(), wait = at_ms > now ? at_ms - now : 0;
    if (relay->timer != 0 && relay->timer_ms <= at_ms)
        return;
    if (relay->timer != 0)
        relay->host->cancel(relay->kith, relay->timer);
    relay->timer_ms = at_ms;
    relay->timer = 0;
    relay->host->timer(relay->kith, wait + 1, on_due, relay, &relay->timer);
}

static size_t room_now(const struct relay *relay, int64_t now)
{
    size_t room = relay->settings->connections;
    if (relay->failures != 0)
        room = now >= relay->retry_ms ? 1 : 0;
    return room > relay->sending ? room - relay->sending : 0;
}

static void begin(struct parcel *parcel)
{
    struct relay *relay = parcel->relay;
    struct fault fault;
    if (!relay_transfer(parcel, &fault)) {
        answer(parcel, KITH_RETRY, fault.text, 0);
        return;
    }
    relay->waiting--;
    relay->sending++;
    parcel->state = PARCEL_SENDING;
    pace_begin(parcel->domain);
}

static void consider(struct parcel *parcel, int64_t now)
{
    struct relay *relay = parcel->relay;
    int64_t late_ms = parcel->came_ms + RELAY_WAIT_MS_MAX;
    if (parcel->at_ms > now) {
        plan(relay, parcel->at_ms);
        return;
    }
    if (room_now(relay, now) > 0 && pace_may_begin(relay->pace, parcel->domain)) {
        begin(parcel);
        return;
    }
    if (late_ms <= now)
        answer(parcel, KITH_RETRY, "there was no connection free for it", 0);
    else
        plan(relay, late_ms);
}

void relay_go_on(struct relay *relay)
{
    int64_t now = relay_clock_ms();
    struct parcel *next;
    for (struct parcel *parcel = relay->waiting != 0 ? relay->parcels : NULL; parcel != NULL;
         parcel = next) {
        next = parcel->next;
        if (parcel->state == PARCEL_WAITING)
            consider(parcel, now);
    }
    if (relay->waiting != 0 && relay->failures != 0 && relay->retry_ms > now)
        plan(relay, relay->retry_ms);
    if (relay->multi == NULL || relay->sending != 0)
        return;
    if (now - relay->used_ms >= RELAY_IDLE_MS)
        relay_disconnect(relay);
    else
        plan(relay, relay->used_ms + RELAY_IDLE_MS);
}

/* -- Composing --------------------------------------------------------------------------------- */

/* On a thread of the host's: nothing but the parcel and the settings. */
static void compose(void *arg)
{
    struct parcel *parcel = arg;
    const struct letter_source source = {
        .settings = parcel->relay->settings,
        .effect = kith_text(parcel->effect),
        .attempt = parcel->attempt,
        .message = { parcel->message, parcel->message_size },
        .now_ms = parcel->now_ms,
        .files = parcel->files.items,
        .file_count = parcel->files.count,
    };
    parcel->rc = letter_write(&source, &parcel->letter, &parcel->fault);
}

static void on_composed(void *arg)
{
    struct parcel *parcel = arg;
    struct relay *relay = parcel->relay;
    int64_t now = relay_clock_ms(), at = 0;
    bool is_wrong = parcel->rc == FAULT_INVALID || parcel->rc == FAULT_LIMIT;
    files_deinit(&parcel->files); /* they are in the letter */
    if (parcel->rc != 0) {
        answer(parcel, is_wrong ? KITH_REJECTED : KITH_RETRY, parcel->fault.text, 0);
        return;
    }
    int rc = pace_enter(relay->pace, parcel->letter.domain, now, &parcel->domain, &at);
    if (rc != 0) {
        answer(parcel, KITH_RETRY,
               rc > 0 ? "so many are waiting for that domain" : "no memory for its domain",
               rc > 0 ? at - now : 0);
        return;
    }
    parcel->at_ms = at;
    parcel->state = PARCEL_WAITING;
    relay->waiting++;
    relay_go_on(relay);
}

static void on_files(void *arg, int32_t outcome, const char *why)
{
    struct parcel *parcel = arg;
    struct relay *relay = parcel->relay;
    if (outcome != KITH_SENT) {
        answer(parcel, outcome, why, 0);
        return;
    }
    if (relay->host->work(relay->kith, compose, on_composed, parcel) == KITH_OK)
        return;
    compose(parcel); /* all threads are busy: here, then */
    on_composed(parcel);
}

void relay_send(struct relay *relay, const struct kith_message *message)
{
    struct parcel *parcel = parcel_new(relay, message);
    if (parcel == NULL) {
        kith_deliver(relay->host, relay->kith, message->effect, message->attempt, KITH_RETRY,
                     "no memory for it", 0);
        return;
    }
    parcel->files.host = relay->host;
    parcel->files.kith = relay->kith;
    parcel->files.held = &relay->held;
    parcel->files.done = on_files;
    parcel->files.arg = parcel;
    parcel->files.list =
        kith_get_doc((struct kith_doc){ parcel->message, parcel->message_size }, "attach");
    files_read(&parcel->files);
}

/* -- How it does ------------------------------------------------------------------------------- */

/* Those that wait for their domain keep nobody else out. */
static size_t held_count(const struct relay *relay, int64_t now)
{
    size_t count = 0;
    for (const struct parcel *parcel = relay->parcels; parcel != NULL; parcel = parcel->next)
        count += parcel->state == PARCEL_WAITING &&
                 (parcel->at_ms > now || !pace_may_begin(relay->pace, parcel->domain));
    return count < RELAY_HELD_MAX ? count : RELAY_HELD_MAX;
}

void relay_status(struct relay *relay, struct kith_channel_status *status)
{
    int64_t now = relay_clock_ms();
    status->target = relay->settings->target;
    status->window = relay->settings->connections * 2 + held_count(relay, now);
    if (relay->failures == 0)
        return;
    status->window = now >= relay->retry_ms ? 1 : 0;
    status->wait_ms = now >= relay->retry_ms ? 0 : relay->retry_ms - now;
}

/* -- Beginning and end ------------------------------------------------------------------------- */

int relay_new(const struct kith_host *host, struct kith *kith, const struct settings *settings,
              struct relay **out_relay, struct fault *fault)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(relay);
        return fault_set(fault, FAULT_MEMORY, "libcurl does not begin");
    }
    relay->host = host;
    relay->kith = kith;
    relay->settings = settings;
    relay->parcels_end = &relay->parcels;
    relay->pace = pace_new(settings->domain_connections, settings->domain_rate);
    if (relay->pace == NULL) {
        relay_free(relay);
        return fault_set(fault, FAULT_MEMORY, "no memory for the relay");
    }
    *out_relay = relay;
    return 0;
}

/* What has not reached the end of its message has certainly not gone out. */
static void give_up(struct parcel *parcel)
{
    if (parcel->state == PARCEL_TELLING) {
        answer_outcome(parcel);
        return;
    }
    if (parcel->state == PARCEL_SENDING) {
        relay_transfer_end(parcel);
        pace_end(parcel->domain);
    }
    bool is_in_doubt = parcel->state == PARCEL_SENDING && parcel->watch.has_ended;
    answer(parcel, is_in_doubt ? KITH_UNCERTAIN : KITH_RETRY, "the plugin came to its end", 0);
}

void relay_free(struct relay *relay)
{
    if (relay == NULL)
        return;
    while (relay->parcels != NULL)
        give_up(relay->parcels);
    if (relay->timer != 0)
        relay->host->cancel(relay->kith, relay->timer);
    relay_disconnect(relay);
    pace_free(relay->pace);
    curl_global_cleanup();
    free(relay);
}
