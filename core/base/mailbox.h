/* mailbox.h -- messages from many threads to one.
 *
 * Messages are the caller's own objects, linked through a member; nothing is copied
 * or allocated.  Whoever posts learns whether the box was empty, so that a sleeping
 * reader is woken once and not per message.  A reader that is a thread of its own
 * waits here; one that is an event loop is woken by its poster (the true of mailbox_post()).
 *
 * Threads: posting, nudging, closing and asking belong to any thread; taking, returning and
 * waiting to the one reader.  A message must not move or die from the post until it has
 * been taken; then it is the reader's.  Nothing here fails.
 */
#ifndef CORE_BASE_MAILBOX_H
#define CORE_BASE_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mail { /* embed in the message */
    struct mail *next;
    size_t bytes; /* what it weighs, against bytes_max */
    void (*handle)(struct mail *mail,
                   void *reader); /* what the reader is to do with it; may be NULL
                                                        where all mail of a box is alike */
};

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct mail *first, **last;
    size_t bytes, bytes_max;
    bool is_nudged, is_closed;
};

void mailbox_init(struct mailbox *box, size_t bytes_max); /* 0: no limit */
void mailbox_deinit(struct mailbox *box); /* must be empty, and nobody may know it any more */

/* Post; true when the box was empty.  Never refuses: see mailbox_is_full. */
bool mailbox_post(struct mailbox *box, struct mail *mail);
/* The two halves of it, for a poster who has something to do in between: if the box was empty, a
 * mailbox_wake() must follow soon. */
bool mailbox_put(struct mailbox *box, struct mail *mail);
void mailbox_wake(struct mailbox *box);
/* Whether it weighs bytes_max already: whoever can wait or refuse, does. */
bool mailbox_is_full(struct mailbox *box);
void mailbox_limit(struct mailbox *box, size_t bytes_max); /* another bytes_max, from now on */

/* Everything that is there, linked by `next`, or the oldest alone; NULL: nothing. */
struct mail *mailbox_take(struct mailbox *box);
struct mail *mailbox_take_one(struct mailbox *box);
bool mailbox_is_empty(struct mailbox *box);
/* Messages back to the front, in their order: what was taken and cannot be handled yet. */
void mailbox_return(struct mailbox *box, struct mail *first);

/* Sleep until there is mail, a nudge, a close, or `timeout_ms` has passed (-1: no time-out). */
void mailbox_wait(struct mailbox *box, int64_t timeout_ms);
/* The same for a nudge or a close only: what lies there cannot be handled yet. */
void mailbox_wait_nudge(struct mailbox *box, int64_t timeout_ms);
void mailbox_nudge(struct mailbox *box); /* end one wait, now or the next */
/* End all waits from now on.  Mail can still be posted and taken: a reader empties the box before
 * it ends. */
void mailbox_close(struct mailbox *box);
bool mailbox_is_closed(struct mailbox *box);

#endif
