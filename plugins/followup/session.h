/* session.h -- one request of a device, from its arrival to the answer.
 *
 *     request -- her list is asked for -- dav_answer() --+-- reads: answered
 *                                                        +-- writes: asked for, then answered
 *
 * What dav_answer() wants written is noted, and its answer held back until the host has done it; if
 * the host refuses, dav_answer() is called again with a store that refuses for the same reason.  So
 * what a device is told is what has happened.
 *
 * The requests of one member of staff are worked on one after the other, so what a second device
 * sees is what the first has done.  The loop's thread.
 */
#ifndef PLUGINS_FOLLOWUP_SESSION_H
#define PLUGINS_FOLLOWUP_SESSION_H

#include "book.h"
#include "kith.h"
#include "pool.h"
#include "zone.h"

#define SESSION_BASE "/dav"
#define SESSION_BODY_MAX (1u << 20)
#define SESSION_STAFF_MAX 1000 /* lists in memory */

struct session;

struct desk { /* of one member of staff */
    struct desk *next;
    char *staff;
    struct book book;
    struct session *first, **last; /* waiting; the first is being worked on */
};

struct followup {
    const struct kith_host *host;
    struct kith *kith;
    struct desk *desks;
    size_t desk_count;
    int64_t done_shown_ms;
    char zone[ZONE_NAME_MAX];  /* of local times */
    struct handover *handover; /* that is worked on; NULL: none */
    uint64_t handover_last;    /* that was worked on */
    int64_t handover_after;    /* not before this moment: one was refused something */
};

void session_begin(void *self, const struct kith_request *request);

/* Her due list as a calendar to subscribe to (feed.h), for whoever knows its address. */
void session_feed(struct followup *followup, const struct kith_request *request,
                  struct kith_text staff);

/* All that is in memory; nobody is answered any more. */
void session_end_all(struct followup *followup);

/* Answer with a line of text. */
void session_say(struct followup *followup, uint64_t request, int status, const char *line);

/* A request lives until it is answered, and that may be for us, after a minute: so a copy of it in
 * `pool`, without query and parameters; all its texts are terminated.  False: memory is short. */
bool session_copy(struct pool *pool, const struct kith_request *request, struct kith_request *out);

#endif
