/* review.h -- what ISO 10002 asks to be looked at again and again, counted from records.
 *
 * A review covers the complaints that came in from `from` to before `to`, and beside them those of
 * as long a time before, so that it can be said whether something becomes more.  It is given one
 * record after another, in any order, and forgets them; so it takes the same memory for ten records
 * and for a million.  Pure: bytes in, numbers out.
 */
#ifndef PLUGINS_COMPLAINT_REVIEW_H
#define PLUGINS_COMPLAINT_REVIEW_H

#include "kith.h"

#define REVIEW_WORD_MAX 64
#define REVIEW_TALLIES_MAX 200        /* names of one kind; those beyond are counted together */
#define REVIEW_BYTES_MAX (400u << 10) /* of a review that is written, with all these names */

struct review_tally { /* how often each name was there */
    struct {
        char name[REVIEW_WORD_MAX + 4];
        int64_t count, before; /* of the time before */
        int64_t units;         /* of money: ten-thousandths */
    } items[REVIEW_TALLIES_MAX];
    size_t count;
};

struct review_promise { /* something that was to be done in time */
    int64_t in_time, late, pending;
};

struct review {
    int64_t from, to;         /* ms; `from` < `to` */
    int64_t received, before; /* before: in the time before */
    int64_t open, overdue, closed, reopened, duplicates;
    struct review_promise acknowledged, responded;
    int64_t answers, satisfaction; /* of the survey: how many, and their sum */
    int64_t response_hours, responses;
    struct review_tally severities, channels, products, causes, resolutions, costs, compensations;
};

/* `record` is an item of GET /v1/records/complaint. */
void review_take(struct review *review, struct kith_doc record);
void review_write(const struct review *review, struct kith_writer *w);

/* "2026-10-01", or with a time "2026-10-01T08:00:00Z" or "...+02:00", in ms; a day begins at 0:00
 * UTC.  Returns 0 when it is no time. */
int review_time(struct kith_text text, int64_t *out_ms);

/* The same the other way round, "2026-10-01T00:00:00Z", into 24 bytes. */
void review_say_time(int64_t ms, char out[24]);

#endif
