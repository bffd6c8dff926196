/* intent.c -- words for a time, and the instant they mean; see intent.h.
 *
 * A script reads a time when it asks for something, and the engine reads the same words again when
 * the customer has moved.  Both go through here: what is worked out anew in the zone that it was
 * said in must not move.
 */
#include "core/engine/intent.h"

#include "core/base/civil.h"
#include "core/base/err.h"
#include "core/base/moment.h"
#include "core/base/zone.h"

#define DATE_MINUTE (9 * 60) /* of a date without a time */

int intent_read(struct text words, int at_minute, struct intent *out_intent, struct err *err)
{
    struct intent intent = { .kind = INTENT_DURATION, .at_minute = at_minute };
    bool has_offset;
    if (duration_parse(words.data, words.size, &intent.duration, NULL) == 0) {
        if (intent.duration.unit == DURATION_WORKDAYS || intent.duration.unit == DURATION_WORKHOURS)
            intent.kind = INTENT_WORK;
    } else if (moment_parse_date(words.data, words.size, &intent.day, NULL) == 0) {
        intent.kind = INTENT_DATE;
    } else if (moment_parse_loose(words.data, words.size, &intent.ms, &has_offset, NULL) == 0) {
        intent.kind = has_offset ? INTENT_INSTANT : INTENT_LOCAL;
    } else {
        return err_set(err, E_INVALID,
                       "\"%.*s\" is no duration (\"3d\") and no date (\"2026-12-01\", "
                       "\"2026-12-01 10:00\")",
                       (int)words.size, words.data);
    }
    *out_intent = intent;
    return 0;
}

static int64_t at_minute_of_day(const struct zone *zone, int64_t day, int minute)
{
    return zone_ms_from_local(zone, day * CIVIL_DAY_MS + minute * CIVIL_MINUTE_MS);
}

static int add_duration(const struct intent *intent, const struct zone *zone, int64_t base,
                        int64_t *out_ms, struct err *err)
{
    int64_t ms;
    int rc = civil_add(zone, base, intent->duration, &ms, err);
    if (rc != 0)
        return rc;
    if (intent->at_minute >= 0 && !duration_is_elapsed(intent->duration))
        ms = at_minute_of_day(zone, civil_local_days(zone_local_from_ms(zone, ms)),
                              intent->at_minute);
    *out_ms = ms;
    return 0;
}

int intent_due(const struct intent *intent, const struct zone *zone, int64_t base, int64_t *out_ms,
               struct err *err)
{
    switch (intent->kind) {
    case INTENT_DURATION:
        return add_duration(intent, zone, base, out_ms, err);
    case INTENT_DATE:
        *out_ms = at_minute_of_day(zone, intent->day,
                                   intent->at_minute >= 0 ? intent->at_minute : DATE_MINUTE);
        return 0;
    case INTENT_LOCAL:
        *out_ms = zone_ms_from_local(zone, intent->ms);
        return 0;
    case INTENT_INSTANT:
        *out_ms = intent->ms;
        return 0;
    case INTENT_WORK:
        break;
    }
    return err_set(err, E_INVALID, "working time needs a calendar");
}

/* Whether another zone makes it another instant. */
static bool is_civil(const struct intent *intent)
{
    return intent->kind == INTENT_DATE || intent->kind == INTENT_LOCAL ||
           (intent->kind == INTENT_DURATION && !duration_is_elapsed(intent->duration));
}

/* -- Kept ----------------------------------------------------------------- */

void due_follow(struct due *due, int64_t now)
{
    struct intent intent = { 0 };
    bool is_read = intent_read(due->words, due->at_minute, &intent, NULL) == 0;
    due->base = is_read && is_civil(&intent) ? now : DUE_FIXED;
}

bool due_moves(const struct due *due, const struct zone *zone, int64_t *out_ms)
{
    struct intent intent = { 0 };
    int64_t ms = 0;
    if (due->base == DUE_FIXED || intent_read(due->words, due->at_minute, &intent, NULL) != 0 ||
        intent_due(&intent, zone, due->base, &ms, NULL) != 0 || ms == due->ms)
        return false;
    *out_ms = ms;
    return true;
}

void due_put(struct doc_writer *w, const struct due *due)
{
    doc_put_present(w, "civil", due->words);
    if (due->base == DUE_FIXED)
        return;
    doc_put_int(w, "base", due->base);
    if (due->at_minute >= 0)
        doc_put_int(w, "minute", due->at_minute);
}

struct due due_read(struct doc row, int64_t ms)
{
    return (struct due){
        .ms = ms,
        .words = doc_text(row, "civil"),
        .base = doc_int(row, "base", DUE_FIXED),
        .at_minute = (int)doc_int(row, "minute", DUE_NO_MINUTE),
    };
}
