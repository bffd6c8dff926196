/* course.h -- what happens by itself while a complaint goes through its states.
 *
 * It begins with complaint.created, however the complaint came in; from then on each handler hears
 * of one thing that has happened and says what follows.  All that must be known later stands in the
 * record, and what must be known of records that are closed in a document of hers (known.h).
 */
#ifndef PLUGINS_COMPLAINT_COURSE_H
#define PLUGINS_COMPLAINT_COURSE_H

#include "kith.h"

extern const struct kith_handler course_created; /* acknowledged, linked with duplicates, counted */
extern const struct kith_handler course_ended;   /* a deadline was met or missed: noted */
extern const struct kith_handler course_closed;  /* the survey and the recovery call are planned */
extern const struct kith_handler course_reopened; /* and called off */
extern const struct kith_handler course_survey;   /* it is time to ask her */
extern const struct kith_handler course_recovery; /* it is time to call her */
extern const struct kith_handler course_answered; /* what she says */
extern const struct kith_handler course_merged;   /* two are one, or two again: counted anew */

extern const struct kith_trait *const course_traits[];

#endif
