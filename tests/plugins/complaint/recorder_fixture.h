/* recorder_fixture.h -- an engine that only remembers: what a handler reads in, what it wants out.
 *
 * Values are documents that a test writes with kith.h.  What is wanted
 * comes back as one line each, "act change {record:complaint:1,fields:{severity:normal}}".
 */
#ifndef TESTS_PLUGINS_COMPLAINT_RECORDER_FIXTURE_H
#define TESTS_PLUGINS_COMPLAINT_RECORDER_FIXTURE_H

#include "plugins/sdk/kith.h"

#define RECORDER_VALUES_MAX 8
#define RECORDER_TEXT_MAX 65536

struct kith_call {
    struct kith_value values[RECORDER_VALUES_MAX];
    struct kith_doc config, state, arguments;
    int64_t now;
    char wanted[RECORDER_TEXT_MAX]; /* lines */
    char failed[300];               /* why */
};

extern const struct kith_engine recorder_engine;

#endif
