/* handover.h -- all that somebody has in hand goes to somebody else, each piece confirmed.
 *
 * A hand-over is a record of the kind `handover`; each piece of it is one of the kind
 * `handover_item`, about the customer it is of, on whose timeline it therefore stands.
 *
 *     state          whose turn                               then
 *     ------------   --------------------------------------   ------------------------------------
 *     requested      ours: list all that is hers              prepared
 *     prepared       the receiver's: confirm each piece;
 *                    ours: give what is confirmed, and at     done; or what is found is listed,
 *                    last look at all that is hers            and is to be confirmed
 *     calling_off    ours: what was not given is left         called_off
 *
 *     a piece        by                                       becomes
 *     ------------   --------------------------------------   ------------------------------------
 *     listed         confirm: who gets it, or of that team    confirmed
 *     confirmed      ours                                     given to who confirmed it; settled
 *                                                             where nothing is to be done any more;
 *                                                             listed where that cannot be, with the
 *                                                             reason
 *     listed         leave: a person, with the reason         left where it is
 *
 * The records are all that is known of it.  What was interrupted is begun anew: what is listed
 * twice is one piece, by its key, and what was given is not hers any more.  A hand-over is done
 * when no piece waits for anybody and a whole look at what is hers has found nothing but what is
 * left: nobody can finish it by hand without having decided about each.
 *
 * The loop's thread; one hand-over is worked on at a time, one after the other.
 */
#ifndef PLUGINS_FOLLOWUP_HANDOVER_H
#define PLUGINS_FOLLOWUP_HANDOVER_H

#include "kith.h"

#define HANDOVER_EVERY_MS 1000
#define HANDOVER_PAUSE_MS 30000 /* after something was refused */

struct followup;
struct handover;

/* The job: go on with the first one whose turn is ours. */
void handover_look(void *self);
void handover_end(struct handover *handover); /* NULL: none is worked on */

extern const struct kith_job *const handover_jobs[];
extern const struct kith_function handover_function;

#endif
