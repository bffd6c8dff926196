/* house_fixture.h -- a whole node in one thread, with a clock that the test sets.
 *
 * Log, state, engine, deliverer and one channel, `mail`, that answers at once.  JSON is
 * written with ' for ", here and in what comes back.
 */
#ifndef TESTS_CORE_ENGINE_HOUSE_FIXTURE_H
#define TESTS_CORE_ENGINE_HOUSE_FIXTURE_H

#include "core/engine/read.h"
#include "core/server/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START_MS 1793145600000ll /* 2026-10-28 00:00 UTC, a Wednesday */
#define DAY_MS 86400000ll

struct house {
    char dir[64];
    int64_t now;
    struct node *node;
    struct engine *engine;
    const char *world_code, *world_config; /* of the next opening */
    struct plugins *plugins;               /* the same; NULL: none */
    bool rebuild;
    const struct breadcrumb_crash *blames; /* of plugins, told to the next opening */
    size_t blame_count;
    uint64_t refused_seq;
    enum outcome outcome; /* what the channel answers */
    int forgets;          /* times that the node has asked to forget what is kept besides */
    int forget_code;      /* what that is answered with */
    struct buf code, config, out, text;
    struct json_reader *reader;
    struct engine_result result; /* of the last entry that was sent */
    struct err err;
};

/* cmocka's: *arg is the house.  Zone Europe/Berlin, country DE, fallback team `desk`. */
int house_setup(void **arg);
int house_teardown(void **arg);

/* Close the node and open it again: another run. */
void house_reopen(struct house *house);
/* Open it, without applying anything yet; what node_open() answers. */
int house_open(struct house *house);

/* One entry, a second later, applied with all that follows from it. */
__attribute__((format(printf, 3, 4))) void house_entry(struct house *house, enum log_class class,
                                                       const char *format, ...);
void house_identify(struct house *house, const char *user, const char *traits);
void house_track(struct house *house, const char *user, const char *type, const char *data);
void house_command(struct house *house, const char *type, const char *ref, const char *data);
void house_remind(struct house *house, const char *ref, const char *to, int64_t due);
void house_deploy(struct house *house, const char *lua);
void house_pass(struct house *house, int64_t ms);

/* A checkpoint of the present, to be closed by the caller. */
struct snapshot *house_snapshot(struct house *house);

/* What was appended to house->out, which is emptied; what fails is "code: reason". */
const char *house_answer(struct house *house, int rc);

/* Of a page: the field "next" in a static buffer; the values of the fields `name`: "a b c". */
struct text page_next(const char *page);
const char *page_values(const char *page, const char *name);

#define assert_in(text, part) house_assert_in(text, part, true, __FILE__, __LINE__)
#define assert_not_in(text, part) house_assert_in(text, part, false, __FILE__, __LINE__)
void house_assert_in(const char *text, const char *part, bool wanted, const char *file, int line);

#endif
