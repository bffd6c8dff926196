/* reminder_version.h -- what of a reminder somebody has seen, as a word to compare.
 *
 * It is made of what staff can change -- title, note, assignee, due, state -- and of nothing else,
 * so it needs no place in the row, is the same wherever the log is replayed, and changes back when
 * a change is taken back.
 */
#ifndef CORE_ENGINE_REMINDER_VERSION_H
#define CORE_ENGINE_REMINDER_VERSION_H

#include "core/base/doc.h"

#define REMINDER_VERSION_SIZE 17 /* 16 digits, and a terminator */

/* Of a row of a reminder, or of a document with these members under the same names. */
void reminder_version(struct doc row, char out[REMINDER_VERSION_SIZE]);

/* The same of its members. */
void reminder_version_of(struct text title, struct text note, struct text assignee,
                         struct text state, int64_t due, char out[REMINDER_VERSION_SIZE]);

#endif
