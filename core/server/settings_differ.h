/* settings_differ.h -- whether a configuration that was read anew needs another start to be used.
 *
 * Pure; any thread.
 */
#ifndef CORE_SERVER_SETTINGS_DIFFER_H
#define CORE_SERVER_SETTINGS_DIFFER_H

#include <stdbool.h>
#include <stddef.h>

struct settings;

/* Both are finished, with what plugins have added to them (plugins_carry_over()). */
bool settings_differ(const struct settings *now, const struct settings *wanted);

/* Whether plugin `index` is configured otherwise, which `kith plugin reload` puts in force.  Of two
 * that have the same plugins: those that do not differ. */
bool settings_plugin_differs(const struct settings *now, const struct settings *wanted,
                             size_t index);

#endif
