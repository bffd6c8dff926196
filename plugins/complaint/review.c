/* review.c -- see review.h.
 *
 * All that is counted stands in fields that the plugin has written while the complaint went its way
 * (course.c), so nothing has to be worked out again, and a policy of today does not judge what
 * was done under that of last year.
 */
#include "review.h"

#include <stdio.h>
#include <stdlib.h>

#define UNITS 10000 /* of money */
#define DIGITS 4
#define HOUR_MS 3600000
#define AMOUNT_MAX 1e14

/* -- Counting ---------------------------------------------------------------------------------- */

/* The place of the name; the last one is for all that have no more room. */
static size_t place_of(struct review_tally *tally, struct kith_text name)
{
    size_t size = name.size < REVIEW_WORD_MAX ? name.size : REVIEW_WORD_MAX;
    while (size < name.size && size > 0 && ((unsigned char)name.data[size] & 0xc0) == 0x80)
        size--;
    for (size_t i = 0; i < tally->count; i++)
        if (strlen(tally->items[i].name) == size &&
            memcmp(tally->items[i].name, name.data, size) == 0)
            return i;
    if (tally->count == REVIEW_TALLIES_MAX)
        return REVIEW_TALLIES_MAX - 1;
    size_t place = tally->count++;
    if (place == REVIEW_TALLIES_MAX - 1)
        snprintf(tally->items[place].name, sizeof tally->items[place].name, "(others)");
    else if (size != 0)
        memcpy(tally->items[place].name, name.data, size);
    return place;
}

static void count(struct review_tally *tally, struct kith_text name, int is_before)
{
    size_t place = place_of(tally, name);
    if (is_before)
        tally->items[place].before++;
    else
        tally->items[place].count++;
}

/* "12.50", 12.5 or a number; what is none counts as nothing. */
static int64_t units_of(const struct kith_value *amount)
{
    char text[40];
    double number = kith_as_double(amount, 0);
    struct kith_text said = kith_as_text(amount);
    if (said.size != 0 && said.size < sizeof text) {
        memcpy(text, said.data, said.size);
        text[said.size] = '\0';
        number = strtod(text, NULL);
    }
    if (!(number > -AMOUNT_MAX && number < AMOUNT_MAX))
        return 0;
    return (int64_t)(number * UNITS + (number < 0 ? -0.5 : 0.5));
}

static void add_money(struct review_tally *tally, struct kith_doc money)
{
    struct kith_value amount = kith_get(money, "amount");
    if (amount.type == KITH_NONE)
        return;
    size_t place = place_of(tally, kith_get_text(money, "currency"));
    tally->items[place].count++;
    tally->items[place].units += units_of(&amount);
}

static void keep_promise(struct review_promise *promise, const struct kith_value *is_in_time,
                         int is_open)
{
    if (is_in_time->type == KITH_BOOL && is_in_time->as.integer != 0)
        promise->in_time++;
    else if (is_in_time->type == KITH_BOOL)
        promise->late++;
    else if (is_open)
        promise->pending++;
}

static void take_promises(struct review *review, struct kith_doc fields, int64_t created,
                          int is_open)
{
    struct kith_value acknowledged = kith_get(fields, "acknowledged_in_time");
    struct kith_value responded = kith_get(fields, "responded_in_time");
    int64_t at = kith_get_int(fields, "responded_at", 0);
    keep_promise(&review->acknowledged, &acknowledged, is_open);
    keep_promise(&review->responded, &responded, is_open);
    if (at > created && kith_get(fields, "responded_at").type == KITH_TIME) {
        review->responses++;
        review->response_hours += (at - created) / HOUR_MS;
    }
}

static struct kith_text or_none(struct kith_text text)
{
    return text.size != 0 ? text : kith_text("(none)");
}

static void take_words(struct review *review, struct kith_doc fields, int is_before)
{
    count(&review->severities, or_none(kith_get_text(fields, "severity")), is_before);
    count(&review->channels, or_none(kith_get_text(fields, "channel")), is_before);
    count(&review->products, or_none(kith_get_text(fields, "product")), is_before);
    count(&review->causes, or_none(kith_get_text(fields, "root_cause")), is_before);
    count(&review->resolutions, or_none(kith_get_text(fields, "resolution")), is_before);
}

void review_take(struct review *review, struct kith_doc record)
{
    struct kith_doc fields = kith_get_doc(record, "fields");
    int64_t created = kith_get_int(record, "created", 0);
    int64_t satisfaction = kith_get_int(fields, "satisfaction", 0);
    int is_open = kith_get_int(record, "open", 0) != 0;
    int is_before = created < review->from;
    if (created >= review->to || created < review->from - (review->to - review->from))
        return;
    take_words(review, fields, is_before);
    if (is_before) {
        review->before++;
        return;
    }
    review->received++;
    review->open += is_open;
    review->closed += !is_open;
    review->overdue += kith_get_int(record, "overdue", 0) != 0;
    review->reopened += kith_get_int(fields, "times_reopened", 0) > 0;
    review->duplicates += kith_get(fields, "duplicate_of").type != KITH_NONE;
    take_promises(review, fields, created, is_open);
    if (satisfaction >= 1 && satisfaction <= 5) {
        review->answers++;
        review->satisfaction += satisfaction;
    }
    add_money(&review->costs, kith_get_doc(fields, "cost"));
    add_money(&review->compensations, kith_get_doc(fields, "compensation"));
}

/* -- Telling ----------------------------------------------------------------------------------- */

static void write_tally(const struct review_tally *tally, const char *name, struct json *json)
{
    json_open(json, name, '[');
    for (size_t i = 0; i < tally->count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "name", kith_text(tally->items[i].name));
        json_int(json, "count", tally->items[i].count);
        json_int(json, "before", tally->items[i].before);
        json_int(json, "trend", tally->items[i].count - tally->items[i].before);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_money(const struct review_tally *tally, const char *name, struct json *json)
{
    json_open(json, name, '[');
    for (size_t i = 0; i < tally->count; i++) {
        json_open(json, NULL, '{');
        json_text(json, "currency", kith_text(tally->items[i].name));
        json_decimal(json, "amount", tally->items[i].units, DIGITS);
        json_int(json, "count", tally->items[i].count);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void write_promise(const struct review_promise *promise, const char *name, struct json *json)
{
    json_open(json, name, '{');
    json_int(json, "in_time", promise->in_time);
    json_int(json, "late", promise->late);
    json_int(json, "pending", promise->pending);
    json_close(json, '}');
}

void review_write(const struct review *review, struct json *json)
{
    char time[24];
    json_open(json, NULL, '{');
    review_say_time(review->from, time);
    json_text(json, "from", kith_text(time));
    review_say_time(review->to, time);
    json_text(json, "to", kith_text(time));
    json_int(json, "received", review->received);
    json_int(json, "received_before", review->before);
    json_int(json, "open", review->open);
    json_int(json, "overdue", review->overdue);
    json_int(json, "closed", review->closed);
    json_int(json, "reopened", review->reopened);
    json_int(json, "duplicates", review->duplicates);
    write_promise(&review->acknowledged, "acknowledged", json);
    write_promise(&review->responded, "responded", json);
    if (review->responses != 0)
        json_int(json, "hours_to_respond", review->response_hours / review->responses);
    json_open(json, "satisfaction", '{');
    json_int(json, "answers", review->answers);
    if (review->answers != 0)
        json_decimal(json, "average", review->satisfaction * 100 / review->answers, 2);
    json_close(json, '}');
    write_tally(&review->severities, "by_severity", json);
    write_tally(&review->causes, "by_root_cause", json);
    write_tally(&review->channels, "by_channel", json);
    write_tally(&review->products, "by_product", json);
    write_tally(&review->resolutions, "by_resolution", json);
    write_money(&review->costs, "cost", json);
    write_money(&review->compensations, "compensation", json);
    json_close(json, '}');
}
