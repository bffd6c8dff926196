/* read_explain.h -- the chain of read_explain.c in words, a sentence or two at a time.
 *
 * Each function appends to a paragraph of English; every sentence ends with a blank.
 */
#ifndef CORE_ENGINE_READ_EXPLAIN_H
#define CORE_ENGINE_READ_EXPLAIN_H

#include "core/engine/effect.h"
#include "core/engine/event.h"

/* One event on the way up. */
struct link {
    uint64_t seq, n, customer;
    struct doc row; /* of the timeline; data NULL: it was not found */
};

void tell_effect(struct buf *text, const struct effect *effect);
void tell_cause(struct buf *text, const struct effect *effect, const struct link *cause);
void tell_derived(struct buf *text, const struct link *link, const struct link *maker);
void tell_timer(struct buf *text, const struct link *link);
void tell_entry(struct buf *text, const struct event *event);
void tell_erased(struct buf *text, const struct link *link);
void tell_sender(struct buf *text, const struct link *sender);
void tell_consequences(struct buf *text, const struct link *link);
void tell_refused(struct buf *text, const struct link *link); /* if it was */
void tell_failed(struct buf *text, const struct link *link);  /* of a rule, if it is that */

#endif
