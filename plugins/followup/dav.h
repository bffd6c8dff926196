/* dav.h -- CalDAV for the task list of one member of staff, as a function.
 *
 * A request goes in, an answer comes out, and in between nothing but the calls of struct
 * dav_store happens: no socket, no clock, no state of its own.  So a server, a test and a fuzzer
 * drive the same code, and what a client sees depends on the store alone.
 *
 * What there is, below the base path where it is mounted:
 *
 *     BASE/                               where a client begins; /.well-known/caldav leads here
 *     BASE/principals/STAFF/              who she is (RFC 3744, 2; RFC 5397)
 *     BASE/calendars/STAFF/               her collections (RFC 4791, 6.2.1)
 *     BASE/calendars/STAFF/tasks/         the one there is, of VTODOs
 *     BASE/calendars/STAFF/tasks/NAME     a task; the name is that under which it was first written
 *
 * Spoken: OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND with depth 0 and 1 (RFC 4918), REPORT
 * calendar-query and calendar-multiget (RFC 4791, 7) and sync-collection (RFC 6578).  PROPPATCH is
 * understood and refused property by property; collections cannot be made, moved or removed,
 * since they are people.  Whatever is refused carries the precondition that the standards name
 * and a sentence for a person.
 *
 * A task is stored as what Kith knows of it (ics.h), not as the bytes that were sent, so no
 * entity tag answers a PUT (RFC 4791, 5.3.4): the client fetches what became of it.
 *
 * One request at a time for each store; nothing here blocks by itself.
 */
#ifndef PLUGINS_FOLLOWUP_DAV_H
#define PLUGINS_FOLLOWUP_DAV_H

#include "buffer.h"
#include "fault.h"
#include "ics.h"

#define DAV_SEGMENT_MAX 255 /* bytes of a resource's name or a staff name, decoded */
#define DAV_HEADERS_MAX 8
#define DAV_HEADER_MAX 1280    /* bytes of an answer's header: a Location with encoded segments */
#define DAV_PROPERTIES_MAX 128 /* asked for in one request */
#define DAV_FILTERS_MAX 16     /* conditions on properties in one query */

struct dav_request {
    const char *method; /* as it came; case counts */
    const char *path;   /* percent-encoded, without query */
    const char *base;   /* where this is mounted, "" or "/dav": no slash at the end */
    const char *staff;  /* who has authenticated: her name in Kith */
    const char *title;  /* her name for people; NULL: the same */
    const char *body;
    size_t body_size;
    const char *(*header)(void *arg, const char *name); /* NULL or "": not sent; in any case */
    void *arg;                                          /* of header() */
};

/* What a store can answer instead of 0. */
enum {
    DAV_ABSENT = -1,   /* no such task */
    DAV_CONFLICT = -2, /* the task has changed since it was looked at: the client tries again */
    DAV_STALE = -3,    /* changes since that revision are no longer known: begin anew */
    DAV_DENIED = -4,   /* she may not; the fault says why */
    DAV_BUSY = -5,     /* not now: the client comes back */
    DAV_INVALID = -6,  /* what the task says cannot be kept; the fault says why */
    DAV_LIMIT = -7,    /* it is too large; the fault says what */
    DAV_FULL = -8,     /* there are too many of them; the fault says of what */
};

/* A task with what the protocol needs of it; texts are borrowed until the next call. */
struct dav_item {
    const char *name;     /* last segment of its path, decoded; for ever the same */
    const char *etag;     /* without quotes; another one after every change */
    uint64_t revision;    /* of its last change */
    bool is_gone;         /* removed, or no longer of this list; `task` is empty then */
    struct ics_item task; /* a VTODO */
};

/* Return 0 to go on; anything else ends the visit and is its result. */
typedef int dav_visit_fn(void *arg, const struct dav_item *item);

/* The task list of the member of staff who has authenticated.  Revisions count its changes and
 * only grow.  Each call answers 0 or a code of the above. */
struct dav_store {
    void *arg;
    uint64_t (*revision)(void *arg); /* of the latest change; 0 when nothing ever happened */

    /* Visit in ascending revision: after 0 every task of the list; after any other revision all
     * that changed since, those that are gone included.  May answer DAV_STALE. */
    int (*each)(void *arg, uint64_t after, dav_visit_fn *visit, void *visit_arg);

    int (*get)(void *arg, const char *name, struct dav_item *out_item);
    int (*find)(void *arg, const char *uid, struct dav_item *out_item);

    /* Create (`before` NULL) or change the task: what a person did is ics_changes(). */
    int (*put)(void *arg, const char *name, const struct dav_item *before,
               const struct ics_item *task, struct fault *fault);
    int (*remove)(void *arg, const struct dav_item *before, struct fault *fault);

    struct ics_zones zones;
};

struct dav_header {
    const char *name;
    char value[DAV_HEADER_MAX];
};

struct dav_answer {
    int status;
    struct dav_header headers[DAV_HEADERS_MAX];
    unsigned header_count;
    struct buffer body;
};

/* Answer a request; `out_answer` is the caller's to give to dav_answer_deinit().  Memory that is
 * short becomes the answer 503. */
void dav_answer(const struct dav_request *request, const struct dav_store *store,
                struct dav_answer *out_answer);
void dav_answer_deinit(struct dav_answer *answer);

/* Where RFC 6764 says that a client begins: a redirection to `base`, for any method, before
 * anybody has authenticated.  The path is DAV_WELL_KNOWN. */
#define DAV_WELL_KNOWN "/.well-known/caldav"
void dav_answer_well_known(const char *base, struct dav_answer *out_answer);

#endif
