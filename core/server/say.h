/* say.h -- lines for the operator, on standard error.
 *
 * One line each, "kithd: <text>", or with say_as_json(true) one JSON object
 * {"time", "text"}.  Any thread; a line is written whole.
 */
#ifndef CORE_SERVER_SAY_H
#define CORE_SERVER_SAY_H

#include <stdbool.h>

void say_as_json(bool is_json); /* before threads are started */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

/* The same, and the process ends: what cannot be gone on from.  The log has all that was
 * acknowledged; a supervisor starts anew. */
__attribute__((format(printf, 1, 2)))
_Noreturn void say_and_die(const char *format, ...);

#endif
