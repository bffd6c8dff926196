/* kit_cases.h -- what a plugin is tried with: values as they come, and values as nobody expects
 * them.
 *
 * A client may send anything that JSON can say under any name, so each value that a plugin reads
 * can be of every type, missing, empty, huge or deep.  A **style** is one such choice for all
 * values of a call; its words say it to the plugin's author.  The same style gives the same bytes
 * for ever. Any thread.
 */
#ifndef CORE_PLUGIN_KIT_CASES_H
#define CORE_PLUGIN_KIT_CASES_H

#include "core/base/arena.h"
#include "core/base/doc.h"

#include <stddef.h>

#define KIT_NOTHING 0  /* the style in which nothing is given */
#define KIT_ORDINARY 1 /* the one that looks most like every day */

size_t kit_style_count(void);
const char *kit_style_words(size_t style); /* "given only whole numbers" */

/* The value in this style; DOC_NONE: there is none. */
struct doc_value kit_value(size_t style, struct arena *arena);

/* A document with such a value under each of `names`, and under a few that are common. */
struct doc kit_doc(size_t style, const char *const *names, size_t count, struct arena *arena);

/* The names in a usage, `visits.next { after = "30d", limit = 5 }`: after, limit.  At most
 * `room`; how many. */
size_t kit_usage_names(const char *usage, struct arena *arena, const char **out_names, size_t room);

#endif
