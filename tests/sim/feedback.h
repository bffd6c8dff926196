/* feedback.h -- what the outside of a life says to its plugins: later, of messages that it was
 * given, and of itself. */
#ifndef TESTS_SIM_FEEDBACK_H
#define TESTS_SIM_FEEDBACK_H

#include "core/base/doc.h"

#include <stddef.h>

struct node;

/* Write `type`, message.delivered and the like, about the effect `id`; or, where `channel` is not
 * NULL, about an address of that channel which is nobody's.  *asked counts it until it is applied.
 */
void feedback_tell(struct node *node, size_t *asked, const char *type, struct text id,
                   const char *channel);

/* Somebody calls a plugin: the event provider.call of u-USER, who becomes known by it and has the
 * trait `caller`.  Whoever has seen such a call sends it again, about somebody else. */
void feedback_call(struct node *node, size_t *asked, int number, int user);

#endif
