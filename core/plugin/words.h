/* words.h -- the words of rules, for plugins: remind, after, cancel, send, notify, tag, untag, set,
 * and those of records: create, move, change, assign, link.
 *
 * Their fields are those of Lua (docs/lua-reference.md), in a document instead of a table.  `tag`
 * and `untag` take {tag}, `set` {name, value}, `cancel` {key}; kith.h has those of records.  The
 * engine's thread.
 */
#ifndef CORE_PLUGIN_WORDS_H
#define CORE_PLUGIN_WORDS_H

#include "core/base/doc.h"

struct err;
struct step;

/* E_NOTFOUND: no such word; E_INVALID: it knows no such field. */
int plugin_word_check_names(struct text word, struct doc fields, struct err *err);

/* The same, and E_INVALID, E_LIMIT, E_DENIED: a value is refused, whoever it is about. */
int plugin_word_check(struct text word, struct doc fields, struct err *err);

/* The same, and what the engine says. */
int plugin_word(struct step *step, struct text word, struct doc fields, struct err *err);

#endif
