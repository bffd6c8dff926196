/* host.h -- rulesets out of bundles: the engine's view of what admins write.
 *
 * script_load() runs every .lua file of a bundle in a fresh sandbox; the words of
 * words_declare.c register rules, purposes and calendars; then the sandbox is sealed.
 * Tests (*_test.lua) belong to the bundle but are not run here.  Any thread may load, and
 * then has the ruleset to itself: the engine's, or a worker that only wants to know whether a
 * bundle loads.
 */
#ifndef CORE_SCRIPT_HOST_H
#define CORE_SCRIPT_HOST_H

#include "core/base/doc.h"

#include <stdatomic.h>

struct config;
struct err;
struct plugins;
struct ruleset;

/* What a ruleset meets where it is loaded; both may be NULL. */
struct script_surroundings {
    /* Who sets it ends the rule that runs, but never while the past is repeated
     * (sandbox_set_interrupt).  It must outlive the ruleset. */
    atomic_bool *interrupt;
    /* Whose functions rules may call; the engine that runs them must have the same. */
    const struct plugins *plugins;
};

/* Fits node_options.load_rules.  `arg` is NULL or the surroundings, read during the call only, as
 * the bundle is; `config` must outlive the ruleset, which ends with its own free().
 * E_INVALID, E_LIMIT: "file:line: reason". */
int script_load(void *arg, struct doc bundle, const struct config *config,
                struct ruleset **out_rules, struct err *err);

/* "Lua 5.4.4", for the world. */
const char *script_version(void);

#endif
