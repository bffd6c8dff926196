/* rule_index.h -- from an event's type to the rules that it triggers, in their order.
 *
 * An index borrows names from its rules and must be freed before it.  Engine thread only.
 */
#ifndef CORE_ENGINE_RULE_INDEX_H
#define CORE_ENGINE_RULE_INDEX_H

#include "core/base/doc.h"

#include <stddef.h>

struct rule;
struct rule_index;

struct rule_list { /* borrowed from the index; indexes into the rules */
    const size_t *items;
    size_t count;
};

struct rule_index *rule_index_new(const struct rule *rules, size_t count);
void rule_index_free(struct rule_index *index); /* NULL is allowed */

/* Rules on this type merged with those on every event. "schedule.due" finds the schedules. */
struct rule_list rule_index_find(const struct rule_index *index, struct text type);

#endif
