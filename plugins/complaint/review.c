/* review.c -- see review.h.
 *
 * All that is counted stands in fields that the plugin has written while the complaint went its way
 * (course.c), so nothing has to be worked out again, and a policy of today does not judge what
 * was done under that of last year.
 */
#include "review.h"

#include <stdio.h>

#define UNITS 10000 /* of money: as exact as Kith counts it */
#define DIGITS 4
#define UNITS_MAX INT64_C(9000000000000000000)
#define UNITS_TEXT_SIZE 32
#define HOUR_MS 3600000

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

/* With one more digit; what is too much stays as much as can be counted. */
static int64_t with_digit(int64_t units, int digit)
{
    return units < UNITS_MAX / 10 ? units * 10 + digit : UNITS_MAX;
}

/* "12.50", to the last digit; a fifth one behind the point is rounded.  What is none is nothing. */
static int64_t units_of_text(struct kith_text text)
{
    size_t at = text.size != 0 && text.data[0] == '-';
    int64_t units = 0;
    int digits = -1; /* behind the point; -1: before it */
    for (size_t i = at; i < text.size && digits < DIGITS; i++) {
        if (text.data[i] == '.' && digits < 0) {
            digits = 0;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        units = with_digit(units, text.data[i] - '0');
        digits += digits >= 0;
        if (digits == DIGITS && i + 1 < text.size)
            units += text.data[i + 1] >= '5' && text.data[i + 1] <= '9';
    }
    for (digits = digits < 0 ? 0 : digits; digits < DIGITS; digits++)
        units = with_digit(units, 0);
    return at != 0 ? -units : units;
}

/* As it was said: "12.50", 12 or 12.5. */
static int64_t units_of(const struct kith_value *amount)
{
    double units = kith_as_double(amount, 0) * UNITS;
    if (amount->type == KITH_TEXT)
        return units_of_text(kith_as_text(amount));
    if (!(units > -(double)UNITS_MAX && units < (double)UNITS_MAX))
        return units < 0 ? -UNITS_MAX : units > 0 ? UNITS_MAX : 0;
    if (amount->type == KITH_INT)
        return amount->as.integer * UNITS;
    return (int64_t)(units + (units < 0 ? -0.5 : 0.5));
}

static int64_t add_units(int64_t sum, int64_t units)
{
    if (units > 0)
        return sum < UNITS_MAX - units ? sum + units : UNITS_MAX;
    return sum > -UNITS_MAX - units ? sum + units : -UNITS_MAX;
}

static void add_money(struct review_tally *tally, struct kith_doc money)
{
    struct kith_value amount = kith_get(money, "amount");
    if (amount.type == KITH_NONE)
        return;
    size_t place = place_of(tally, kith_get_text(money, "currency"));
    tally->items[place].count++;
    tally->items[place].units = add_units(tally->items[place].units, units_of(&amount));
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

/* As Kith writes amounts: "12.50", "0.125", "1500"; a number would be a double to whoever reads. */
static const char *say_units(int64_t units, char text[UNITS_TEXT_SIZE])
{
    int64_t size = units < 0 ? -units : units;
    int used = snprintf(text, UNITS_TEXT_SIZE, "%s%lld.%04d", units < 0 ? "-" : "",
                        (long long)(size / UNITS), (int)(size % UNITS));
    while (used > 2 && text[used - 1] == '0' && text[used - 3] != '.')
        text[--used] = '\0';
    if (size % UNITS == 0)
        text[used - 3] = '\0';
    return text;
}

static void write_tally(const struct review_tally *tally, const char *name, struct kith_writer *w)
{
    kith_open_array(w, name);
    for (size_t i = 0; i < tally->count; i++) {
        kith_open(w, NULL);
        kith_put_string(w, "name", tally->items[i].name);
        kith_put_int(w, "count", tally->items[i].count);
        kith_put_int(w, "before", tally->items[i].before);
        kith_put_int(w, "trend", tally->items[i].count - tally->items[i].before);
        kith_close(w);
    }
    kith_close(w);
}

static void write_money(const struct review_tally *tally, const char *name, struct kith_writer *w)
{
    char text[UNITS_TEXT_SIZE];
    kith_open_array(w, name);
    for (size_t i = 0; i < tally->count; i++) {
        kith_open(w, NULL);
        kith_put_string(w, "currency", tally->items[i].name);
        kith_put_string(w, "amount", say_units(tally->items[i].units, text));
        kith_put_int(w, "count", tally->items[i].count);
        if (tally->items[i].units == UNITS_MAX || tally->items[i].units == -UNITS_MAX)
            kith_put_bool(w, "capped", 1);
        kith_close(w);
    }
    kith_close(w);
}

static void write_promise(const struct review_promise *promise, const char *name,
                          struct kith_writer *w)
{
    kith_open(w, name);
    kith_put_int(w, "in_time", promise->in_time);
    kith_put_int(w, "late", promise->late);
    kith_put_int(w, "pending", promise->pending);
    kith_close(w);
}

void review_write(const struct review *review, struct kith_writer *w)
{
    char time[24];
    review_say_time(review->from, time);
    kith_put_string(w, "from", time);
    review_say_time(review->to, time);
    kith_put_string(w, "to", time);
    kith_put_int(w, "received", review->received);
    kith_put_int(w, "received_before", review->before);
    kith_put_int(w, "open", review->open);
    kith_put_int(w, "overdue", review->overdue);
    kith_put_int(w, "closed", review->closed);
    kith_put_int(w, "reopened", review->reopened);
    kith_put_int(w, "duplicates", review->duplicates);
    write_promise(&review->acknowledged, "acknowledged", w);
    write_promise(&review->responded, "responded", w);
    if (review->responses != 0)
        kith_put_int(w, "hours_to_respond", review->response_hours / review->responses);
    kith_open(w, "satisfaction");
    kith_put_int(w, "answers", review->answers);
    if (review->answers != 0) {
        int64_t hundredths = review->satisfaction * 100 / review->answers;
        kith_put_double(w, "average", (double)hundredths / 100);
    }
    kith_close(w);
    write_tally(&review->severities, "by_severity", w);
    write_tally(&review->causes, "by_root_cause", w);
    write_tally(&review->channels, "by_channel", w);
    write_tally(&review->products, "by_product", w);
    write_tally(&review->resolutions, "by_resolution", w);
    write_money(&review->costs, "cost", w);
    write_money(&review->compensations, "compensation", w);
}
