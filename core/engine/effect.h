/* effect.h -- an effect as the engine's files share it: the row, the arbiter, the bytes.
 *
 * effect.c has the table of states.  An effect that was loaded is a copy of its row in the
 * engine's arena and lives as long as the step being taken.  Times are milliseconds since
 * 1970 UTC, of the log.  Nothing here fails but by not finding.  Engine thread only.
 */
#ifndef CORE_ENGINE_EFFECT_H
#define CORE_ENGINE_EFFECT_H

#include "core/base/doc.h"
#include "core/engine/customer.h"

struct engine;

struct effect {
    uint64_t seq, n;   /* its id */
    uint64_t cause;    /* n of the event that made it, under the same seq */
    uint64_t customer; /* the member it was made under; 0: nobody's */
    struct text channel, purpose, state, reason, to, key, rule;
    struct doc content; /* what the rule gave; once there is a message, that */
    struct doc message; /* what goes out, the same in every attempt; none before the first claim */
    int64_t created, expires, attempt;
    uint64_t run;     /* of the last claim: the entry of that run's daemon.started */
    int64_t print;    /* effect_print(), once the message has taken the content's place; else 0 */
    uint64_t origin;  /* n of the first thing that its cause made; 0: it is the entry's first */
    int64_t most;     /* messages that its cause may make; 0: limits.derived */
    unsigned depth;   /* of the event that made it */
    uint64_t place;   /* in its line: the entry that let it in again; 0: its own */
    int64_t released; /* when that was; 0: never */
    struct doc feedback; /* {delivered: when first, ...}; none: nothing was heard of it */
    bool is_notification;
    bool is_parked;   /* pending, and out of its line until its rule is resumed */
    bool is_test;     /* to the address in `to`; counts nowhere, and no rule hears of it */
    bool is_historic; /* made by a replayed import, of a time long past */
};

/* Read row `e` id.  False: no such effect. */
bool effect_load(struct effect *effect, struct engine *engine, struct text id);
/* The effect that a claim or an outcome means.  Another build may have numbered what an entry
 * makes differently, so the id alone could name somebody else's message: the print decides,
 * and finds it under its new number. */
bool effect_find(struct effect *effect, struct engine *engine, struct doc data);
bool effect_find_by(struct effect *effect, struct engine *engine, struct text id, int64_t print);
/* A hash of what it is to do: to whom, on which channel, for which rule, with which content. */
int64_t effect_print(const struct effect *effect);
/* From a row that the caller keeps: the effect borrows from it. */
void effect_read(struct effect *effect, uint64_t seq, uint64_t n, struct doc doc);

/* What becomes of the effect is a cause of its own, and goes on with its cascade. */
void effect_begin_cause(struct engine *engine, const struct effect *effect);

/* Whether the active bundle declares it, or it is built in. */
bool effect_knows_purpose(const struct engine *engine, struct text name);

/* The arbiter: may it go out now?  `state` NULL: yes, to `address` (empty: there is none, and none
 * is needed); else the final state, and why, in words for a person. */
struct verdict {
    const char *state;
    struct text reason, address;
};
struct verdict effect_decide(struct engine *engine, const struct effect *effect,
                             const struct customer *customer);

/* The document that the channel gets, in the engine's arena: the id, whom it is for, and what the
 * rule gave; a template that it names is rendered.  E_NOTFOUND: there is no text for her any more;
 * E_LIMIT: it would be too large. */
int effect_render(struct engine *engine, const struct effect *effect,
                  const struct customer *customer, struct text address, struct doc *out_message,
                  struct err *err);

#endif
