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

#endif
