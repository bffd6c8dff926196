/* life_change.h -- code that changes while a life goes on, as when a plugin is reloaded.
 *
 * The plugin of the life stays the same; the change of the world is one.  What the "file" of the
 * code is lies beside the outside, and outlives every crash: a life that ends between the file and
 * the entry that notes it is followed by one that finds new code at its start.
 */
#ifndef TESTS_SIM_LIFE_CHANGE_H
#define TESTS_SIM_LIFE_CHANGE_H

#include "core/base/doc.h"

#include <stdint.h>

struct node;
struct plugin_set;

/* The code of this life: its level, its plugin, and how often it has been replaced. */
struct doc life_code(const char *outside, int level, struct plugin_set *set,
                     unsigned plugin_version, struct buf *out);

/* Now and then: another file, and a change to it.  `config` is that of the world in force. */
void life_change(struct node *node, struct doc config, uint64_t dice);

#endif
