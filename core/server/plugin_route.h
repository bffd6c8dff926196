/* plugin_route.h -- whether a route of a plugin can be served: what the daemon refuses when it
 * loads one, and `kith plugin check` without a daemon.
 *
 * Pure; any thread.
 */
#ifndef CORE_SERVER_PLUGIN_ROUTE_H
#define CORE_SERVER_PLUGIN_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct plugin;

/* Route `index` of a plugin by itself: its method and path, against Kith's routes and those before
 * it, what it says of itself.  E_INVALID, E_LIMIT: words for the operator. */
int plugin_route_check(const struct plugin *plugin, size_t index, struct err *err);

/* Whether there is a path that fits both; a method that does. */
bool plugin_route_overlaps(const char *a, const char *b);
bool plugin_route_methods_meet(const char *a, const char *b);

#endif
