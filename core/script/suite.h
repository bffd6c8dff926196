/* suite.h -- the tests of a bundle: `*_test.lua`, run by the real engine on a clock of their own.
 *
 * A test file declares tests, `test "name" (function(t) ... end)`; docs/lua.md has its words.  Each
 * test begins with an empty house in which only the bundle is in force, so none can tell that
 * another ran before it.  What it does becomes entries of a rehearsal (engine/rehearsal.h): the
 * engine, the rules and their limits are those of the daemon, and time passes from one tick to the
 * next.  Messages are claimed and taken for sent.
 *
 * A test has failed when its function has, or when a rule or a plugin failed meanwhile.  It always
 * ends: its own instructions and memory, the entries it causes and what they write have limits,
 * TEST_* of base/limits.h.
 *
 * One thread.
 */
#ifndef CORE_SCRIPT_SUITE_H
#define CORE_SCRIPT_SUITE_H

#include "core/base/doc.h"

struct err;
struct plugins;
struct state;
struct suite;

struct suite_options {       /* all borrowed for the life of the suite */
    struct doc bundle;       /* with its tests */
    struct doc config;       /* of a world: the zone, channels and limits that the rules meet */
    struct state *state;     /* an empty one, from which each test begins; NULL: no test is run */
    struct plugins *plugins; /* that the config is of; NULL: none */
};

/* Load the rules, to know that they do, and the files of tests.  E_INVALID, E_LIMIT: "file:line:
 * reason", of either. */
int suite_open(const struct suite_options *options, struct suite **out_suite, struct err *err);
void suite_close(struct suite *suite); /* before the state; NULL is allowed */

/* Tests are in order of file and line. */
struct suite_test {
    const char *name, *file;
    int line;
};
size_t suite_count(const struct suite *suite);
struct suite_test suite_test(const struct suite *suite, size_t index);

/* Run one and append what came of it, {name, file, line, ok}, and of one that failed also
 *
 *     message     why, "file:line: reason"
 *     traceback   of the test's function, where there is more than a line of it
 *     rule        {rule, message, traceback} of the first rule that failed, if one did; of a
 *                 plugin's handler {plugin, handler, message}
 *     expected    what was looked for and not found, or found and not expected, in words
 *     got         the messages or reminders among which it was looked for (read.h)
 *     customer    {id, name} of whom that is about, or of the customer who was named last
 *     timeline    hers, the newest first (read.h)
 *
 * True: it passed.  It fails itself when the house cannot be opened. */
bool suite_run(struct suite *suite, size_t index, struct buf *out_report);

#endif
