/* hangup.h -- what kith.lua says otherwise than when it was read: asked for by SIGHUP.
 *
 * Both settings have what plugins add to them (plugins_carry_over()).  The loop's thread.
 */
#ifndef CORE_SERVER_HANGUP_H
#define CORE_SERVER_HANGUP_H

#include <stdbool.h>

struct settings;

/* Whether anything differs that only a start reads. */
bool hangup_needs_restart(const struct settings *now, const struct settings *wanted);

/* Tell the operator of each plugin that is configured otherwise; whether there are any. */
bool hangup_say_plugins(const struct settings *now, const struct settings *wanted);

#endif
