/* explain.h -- mistakes in scripts, told in the words of those who write scripts.
 *
 * Lua speaks of nil values and globals.  The admin has misspelt a word, used one that this
 * version does not have, or computed with a field that the event lacks: this module says
 * that instead.  What it says becomes part of the state (`rule.failed`), so it depends on
 * its arguments alone.
 *
 * Lists of names end with NULL.  One thread.
 */
#ifndef CORE_SCRIPT_EXPLAIN_H
#define CORE_SCRIPT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* What a message may be about. */
struct explain_context {
    const char *const *words; /* the global functions there are besides Lua's own */
    const char *const *methods;
    const char *const *missing; /* what was read and not there: "event.total", the last first */
    bool has_no_customer;
};

/* The name that was probably meant by `written`; NULL: none is near enough. */
const char *explain_near(const char *written, const char *const names[]);

/* Append what to write instead: `; did you mean "to"?`, or `; it knows a, b and c`. */
void explain_choice(const char *written, const char *const names[], struct buf *out);

/* Append "a, b and c". */
void explain_list(const char *const names[], struct buf *out);

/* Append `message`, one of Lua's or of anybody else's, in better words where there are any. */
void explain_message(const char *message, const struct explain_context *context, struct buf *out);

/* The same for a reason "file:line: message", in place.  `scratch` is overwritten; `err` may be
 * NULL. */
void explain_err(const struct explain_context *context, struct buf *scratch, struct err *err);

/* As much of the text as `out` takes, terminated, valid UTF-8. */
void explain_copy(const struct buf *text, char *out, size_t out_size);

#endif
