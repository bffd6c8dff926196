/* handover.h -- all that somebody has in hand goes to somebody else, each piece ticked.
 *
 * A hand-over is a record of the kind `handover`; each piece of it is one of the kind
 * `handover_item`, about the customer it is of, on whose timeline it therefore stands.
 *
 *     state          whose turn                  then
 *     ------------   -------------------------   ----------------------------------------------
 *     requested      ours: list all that is hers                            prepared
 *     prepared       a person's                  accept: accepted;  call_off: calling_off
 *     accepted       ours: give each piece, look again until nothing is left    done
 *     calling_off    ours: what was not given is left                       called_off
 *
 * The records are all that is known of it.  What was interrupted is begun anew: what is listed
 * twice is one piece, by its key, and what was given is not hers any more.  A hand-over is done
 * when a whole look at what is hers has found nothing but what is named as left.
 *
 * The loop's thread; one hand-over is worked on at a time.
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
