/* read_explain.h -- the chain of read_explain.c in words, a sentence or two at a time.
 *
 * Each function appends to `text`, which the caller keeps, a paragraph of English for a person;
 * every sentence ends with a blank.  What is not known is left out: nothing here fails.
 * Engine thread only.
 */
#ifndef CORE_ENGINE_READ_EXPLAIN_H
#define CORE_ENGINE_READ_EXPLAIN_H

#include "core/engine/effect.h"
#include "core/engine/event.h"

/* One event on the way up.  `customer` is the one on whose timeline it stands; 0: on none. */
struct link {
    uint64_t seq, n, customer;
    struct doc row; /* of the timeline; data NULL: it was not found */
};

void tell_effect(struct buf *text, const struct effect *effect); /* what became of it */
void tell_cause(struct buf *text, const struct effect *effect, const struct link *cause);
void tell_derived(struct buf *text, const struct link *link, const struct link *maker);
void tell_timer(struct buf *text, const struct link *link);        /* it came from one */
void tell_entry(struct buf *text, const struct event *event);      /* the entry of the log */
void tell_erased(struct buf *text, const struct link *link);       /* whose body is gone */
void tell_sender(struct buf *text, const struct link *sender);     /* for another customer */
void tell_consequences(struct buf *text, const struct link *link); /* what it made */
void tell_parked(struct buf *text, const struct link *link);
void tell_refused(struct buf *text, const struct link *link); /* if it was */
void tell_failed(struct buf *text, const struct link *link);  /* of a rule, if it is that */

#endif
