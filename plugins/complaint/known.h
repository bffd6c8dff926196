/* known.h -- what is kept about each customer: the document "complaints".
 *
 *     {total, last,                  how many there were, and when the last came
 *      closed: [{number, at}, ...],  those that were closed last, which an answer may open again
 *      day, acknowledged, crowded}   of a day (UTC): how many acknowledgements she was written, and
 *                                    how often more came than can be taken in
 *
 * A day without either leaves no trace.  Two who become one have the sum of both.
 */
#ifndef PLUGINS_COMPLAINT_KNOWN_H
#define PLUGINS_COMPLAINT_KNOWN_H

#include "kith.h"

/* So many open ones a handler is shown (kith.h); of a customer who has them nothing more becomes a
 * complaint by itself. */
#define KNOWN_OPEN_MAX 50

extern const struct kith_state known_state;

/* Of a list: records that are open, complaints that were closed. */
int64_t known_count(struct kith_doc list);

int64_t known_total(struct kith_doc state);
int64_t known_last(struct kith_doc state); /* 0: never */

/* When it was closed: of those that are, and were closed last; 0: it is none of them. */
int64_t known_closed_at(struct kith_doc state, int64_t number);

/* Of the day of `now`. */
int64_t known_acknowledged(struct kith_doc state, int64_t now);
int64_t known_crowded(struct kith_doc state, int64_t now);

struct known_change {
    int64_t number, closed_at;       /* that was closed then; 0: is not closed any more */
    int came, acknowledged, crowded; /* one more of these */
};

/* Keep it so, and publish what follows. */
int32_t known_keep(const struct kith_engine *engine, struct kith_call *call,
                   const struct known_change *change);

#endif
