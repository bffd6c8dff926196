/* intent.h -- when something is wanted, in the words of whoever wants it.
 *
 *     90s 5min 2h            elapsed time from the base on
 *     3d 2w 1mo 1y           the wall clock of the base so much later; `at_minute` sets its time
 *     2026-12-01             that day at nine o'clock, or at `at_minute`
 *     2026-12-01 10:00       what a clock on the wall shows
 *     2026-12-01T10:00Z      an instant, wherever one is
 *     1wd 3wh                working days and hours: of a calendar, which the caller has
 *
 * The base is the moment at which it was said.  What is read off a wall clock is another instant in
 * another zone: words and base are kept, so that it can be worked out anew.
 *
 * Nothing here has a state of its own: any thread.  Texts of an intent or a due are the
 * caller's.
 */
#ifndef CORE_ENGINE_INTENT_H
#define CORE_ENGINE_INTENT_H

#include "core/base/doc.h"
#include "core/base/duration.h"

struct err;
struct zone;

#define DUE_NO_MINUTE (-1)

enum intent_kind {
    INTENT_DURATION, /* but working time */
    INTENT_WORK,
    INTENT_DATE,
    INTENT_LOCAL,   /* a wall clock */
    INTENT_INSTANT, /* milliseconds since 1970 UTC */
};

struct intent {
    enum intent_kind kind;
    struct duration duration; /* INTENT_DURATION, INTENT_WORK */
    int64_t ms;               /* INTENT_LOCAL, INTENT_INSTANT */
    int64_t day;              /* INTENT_DATE: days since 1970-01-01 */
    int at_minute;            /* of the day, for durations in days and for dates; or none */
};

/* E_INVALID: these are no words for a time. */
int intent_read(struct text words, int at_minute, struct intent *out_intent, struct err *err);

/* The instant; INTENT_WORK is not for this function.  E_LIMIT, E_INVALID: beyond the calendar. */
int intent_due(const struct intent *intent, const struct zone *zone, int64_t base, int64_t *out_ms,
               struct err *err);

/* A moment, and how it was said. */
struct due {
    int64_t ms;        /* since 1970 UTC */
    struct text words; /* empty: as a number */
    int at_minute;
    int64_t base; /* when they were said, if the words follow a customer's zone; or DUE_FIXED */
};
#define DUE_FIXED INT64_MIN

/* Words said now of a customer's time: set the base if they follow her zone. */
void due_follow(struct due *due, int64_t now);
/* Whether it is another moment in `zone`, and which. */
bool due_moves(const struct due *due, const struct zone *zone, int64_t *out_ms);

/* The fields civil, base and minute of a row; `ms` is the caller's. */
void due_put(struct doc_writer *w, const struct due *due);
struct due due_read(struct doc row, int64_t ms);

#endif
