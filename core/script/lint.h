/* lint.h -- what loads, and will surprise all the same.
 *
 * A bundle that loads may hold a mistake that only shows when its rule runs, perhaps in a month and
 * only for some.  Here are the few that can be told for certain without running anything:
 *
 *     a word or a variable that is not there       `sned { ... }`, where a rule would fail
 *     a global that a rule sets                    the same
 *     a local outside of the rule that it changes  a counter: each run begins with the first value
 *     a trigger that never comes                   on = "reminder.dew": Kith says no such thing
 *     a file of tests without a test
 *
 * Whatever needs a guess (an event type that nobody sends, a channel that another machine has) is
 * left to tests.  One thread.
 */
#ifndef CORE_SCRIPT_LINT_H
#define CORE_SCRIPT_LINT_H

#include "core/base/doc.h"

struct err;
struct plugins;
struct ruleset;

/* Load the bundle as a deployment does, tests included, under the config of a world with these
 * plugins (NULL: none), and append
 *
 *     {files, rules, tests, findings: [{file, line, text}]}
 *
 * in order of file and line; a finding about a whole file has line 0.  E_INVALID, E_LIMIT:
 * "file:line: reason", it does not load. */
int lint_bundle(struct doc bundle, struct doc config, struct plugins *plugins, struct buf *out,
                struct err *err);

/* Whether each function of a plugin that rules name, `visits.next { ... }`, is one that these
 * plugins offer.  `rules` are script_load()'s, with the same plugins.  E_INVALID:
 * "file:line: reason". */
int lint_calls(struct ruleset *rules, const struct plugins *plugins, struct err *err);

/* Whether each field that is a record, `type = "record:order"`, is one of a kind that these rules
 * or these plugins declare, and nothing is declared twice (kinds_in_force()).  E_INVALID,
 * E_CONFLICT, E_LIMIT. */
int lint_kinds(struct ruleset *rules, const struct plugins *plugins, struct err *err);

#endif
