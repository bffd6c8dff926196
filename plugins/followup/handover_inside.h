/* handover_inside.h -- what the files of a hand-over share.  Not for others.
 *
 *     handover.c       whose turn it is, and the records
 *     handover_list.c  what is hers, listed
 *     handover_give.c  each piece given, settled or left; and how many there are
 */
#ifndef PLUGINS_FOLLOWUP_HANDOVER_INSIDE_H
#define PLUGINS_FOLLOWUP_HANDOVER_INSIDE_H

#include "handover.h"
#include "pool.h"
#include "session.h"

#define HANDOVER_BODY_ROOM 4096
#define HANDOVER_TEXT_BYTES 300 /* of a title, of a note, and of a reason */
#define HANDOVER_NOTES_MAX 5    /* of a customer, ... */
#define HANDOVER_EVENTS 500     /* ... among so many of the last events of hers */

enum piece { PIECE_CUSTOMER, PIECE_RECORD, PIECE_REMINDER, PIECES };
enum tally { TALLY_GIVEN, TALLY_SETTLED, TALLY_LEFT, TALLIES };

struct handover { /* the one that is worked on */
    struct followup *followup;
    struct pool pool; /* of all of it ... */
    struct pool page; /* ... and of the page that is walked over */
    uint64_t number;
    const char *from, *to, *state, *reason, *problem;
    const char **kinds; /* of records that she may have */
    size_t kind_count;
    size_t source;     /* the list that is walked over */
    const char *after; /* its next page; NULL: this is the last */
    struct kith_iter rows;
    struct kith_doc row; /* of the page */
    size_t moved;        /* by this round of giving */
    size_t found;        /* pieces that wait for somebody */
    int64_t listed[PIECES], tally[TALLIES];
};

/* handover.c */

/* Ask, and go on in `done`; whoever cannot begins anew with the next look. */
void handover_ask(struct handover *handover, const char *method, const char *path,
                  struct kith_doc body, kith_done_fn *done);
/* Take a page over.  False: it was refused, or older than what was asked for, and the work is over
 * for now. */
bool handover_take_page(struct handover *handover, int32_t status, struct kith_doc result);
bool handover_next_row(struct handover *handover);
/* No more for now; with the next look it begins anew.  `why` is kept with the record. */
void handover_pause(struct handover *handover, const char *why);
/* What the list has been walked over for is done. */
void handover_listed(struct handover *handover);
void handover_given(struct handover *handover);
void handover_awaited(struct handover *handover);
void handover_counted(struct handover *handover);
/* Not longer than is shown. */
struct kith_text handover_cut(struct kith_text text);
/* Whether a member of the staff is who it is for, or of the team it is for. */
bool handover_is_for(struct kith_doc member, struct kith_text to);
static inline bool handover_went_well(int32_t status)
{
    return status >= 200 && status < 300;
}

/* handover_list.c */
void handover_list(struct handover *handover);

/* handover_give.c */
void handover_give(struct handover *handover);
void handover_await(struct handover *handover); /* whether a piece waits for somebody */
void handover_count(struct handover *handover);
/* Whether an answer says that the thing is hers and something is to be done about it; and else
 * whose it is, size 0: nobody's any more. */
bool handover_is_hers(const struct handover *handover, enum piece piece, struct kith_doc thing);
struct kith_text handover_owner(enum piece piece, struct kith_doc thing);
enum piece handover_piece(struct kith_doc fields);
const char *handover_path(struct handover *handover, enum piece piece, struct kith_text thing,
                          const char *rest);

#endif
