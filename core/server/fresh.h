/* fresh.h -- whether a list has to wait for a checkpoint.
 *
 * A list shows what the last checkpoint holds.  Whoever has written something finds it there: a
 * list waits for what the same key has written.  For what others have written it waits as well
 * while little is, as that takes milliseconds; while much comes in, without end, everybody would
 * wait for checkpoints all the time, and what they would show is old when it is read: then it
 * is answered at once with what there is, at most about as old as a checkpoint takes.
 *
 * Keys share places here: one may wait for what another has written, and never too little.
 *
 * The loop's thread.  Times are of the boot clock.
 */
#ifndef CORE_SERVER_FRESH_H
#define CORE_SERVER_FRESH_H

#include "core/base/doc.h"

#define FRESH_KEYS 1024
#define FRESH_BUSY_ENTRIES 500 /* in each of two seconds: much */

struct fresh {                  /* begins as zeros */
    uint64_t wrote[FRESH_KEYS]; /* the last entry of a key */
    int64_t second;             /* that `counts[0]` belongs to */
    uint64_t counts[3];         /* entries of this second and of those before */
};

/* `key` has written `count` entries, the last of them `last_seq`. */
void fresh_wrote(struct fresh *fresh, struct text key, uint64_t last_seq, uint64_t count,
                 int64_t now_ms);

/* A list for `key`, while checkpoints show what was written up to `shown`, and not all. */
bool fresh_must_wait(struct fresh *fresh, struct text key, uint64_t shown, int64_t now_ms);

#endif
