/* suite_inside.h -- what the files of the suite share; nobody else includes this.
 *
 * Functions that take a lua_State raise errors in words for the author of the test, and do not
 * return then: whatever they need memory for is the play's.
 */
#ifndef CORE_SCRIPT_SUITE_INSIDE_H
#define CORE_SCRIPT_SUITE_INSIDE_H

#include "core/script/bundle.h"
#include "core/script/host_inside.h"
#include "core/script/suite.h"

struct rehearsal;

/* One file of tests, in a sandbox of its own. */
struct suite_file {
    struct host host; /* first: what the sandbox knows; only its words, and no rule */
    struct suite *suite;
    const char *name;
};

struct suite_case {
    struct suite_file *file;
    struct text name;
    int line;
    unsigned function; /* kept by the file's sandbox */
    bool has_function; /* false: `test "name"` and nothing behind it, so far */
};

/* A test that runs. */
struct play {
    struct rehearsal *rehearsal; /* NULL until it does something */
    int64_t now;
    uint64_t ids;  /* given to events so far */
    uint64_t last; /* the customer named last; 0: none yet */
    struct arena arena;
    struct buf scratch, entry, rows;
    bool is_missed; /* an expectation was: the two below are set */
    struct buf expected, got;
};

struct suite {
    struct suite_options options;
    uint8_t hash[BUNDLE_HASH_BYTES];
    struct config *config;
    struct suite_file **files;
    size_t file_count;
    struct suite_case *cases;
    size_t case_count;
    struct arena arena; /* names */
    struct play play;
};

/* suite_words.c: `test` and the objects `t` and `c`. */
void suite_words_add(struct suite_file *file);
void suite_push_test(lua_State *lua); /* `t` */

/* suite_play.c: the house of one test. */
void play_begin(struct suite *suite);
void play_end(struct suite *suite); /* its memory too */
struct suite *suite_of(lua_State *lua);
/* The house, opened with the first thing that a test does in it. */
struct rehearsal *play_house(lua_State *lua);
/* Enter `suite->play.entry`, and let happen what follows at once; the customer it is about.  An
 * entry that is refused raises, as `word`. */
uint64_t play_enter(lua_State *lua, const char *word, int class);
/* Let time pass until `until`, not before the present. */
void play_pass(lua_State *lua, int64_t until);
/* A moment or, counted from the present, a duration, in the company's zone and calendar. */
int64_t play_moment(lua_State *lua, const char *word, struct text words);
/* "2026-01-31 10:00", as the company's clocks show it, in memory of the play. */
const char *play_clock(struct suite *suite, int64_t ms);

/* suite_expect.c: t:expect_...(c, fields). */
extern const struct script_field sent_fields[], reminder_fields[], record_expected[];
int expect_sent(lua_State *lua);
int expect_not_sent(lua_State *lua);
int expect_record(lua_State *lua);
int expect_no_record(lua_State *lua);
int expect_reminder(lua_State *lua);
int expect_no_reminder(lua_State *lua);

/* suite_words.c, for all: the number of the customer at `index` (nil: 0, if that may be), who is
 * then the last; and the table there as a document, none: an empty one, with no field but those
 * of the list (NULL: any). */
uint64_t check_handle(lua_State *lua, int index, const char *word, bool may_be_nil);
struct doc check_fields(lua_State *lua, int index, const char *word,
                        const struct script_field fields[]);

#endif
