/* idempotency.h -- the answers to calls that carried an Idempotency-Key, for a day.
 *
 * A client that got no answer calls again with the same key, and must get the answer of the
 * first call, whatever has happened since, and nothing done a second time.  Two things see to
 * that, and neither is enough alone:
 *
 *   the entry's id   is made of the key and of what was asked (docs/log.md, "Keys of calls"),
 *                    so the engine gives an entry that was written twice no second effect.  It
 *                    is in the log with what was acknowledged, and lasts as long as that.
 *   the answer       is kept here, in two files of DATA/answers.  It is written before it is
 *                    sent, so a process that is killed has kept what anybody has been told; it is
 *                    not flushed, so the last half minute of it may not survive a power cut.
 *                    Then the call is made again, changes nothing, and is answered with what
 *                    there is.
 *
 * Keys belong to whoever calls: two callers may use the same.  Calls under way are remembered in
 * memory only.
 *
 * An answer may hold what is known of a person: idempotency_forget() removes all of them.
 *
 * The loop's thread.
 */
#ifndef CORE_SERVER_IDEMPOTENCY_H
#define CORE_SERVER_IDEMPOTENCY_H

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/hash.h"

struct err;
struct idempotency;

/* What a call is known by. */
struct idempotency_id {
    uint8_t key[DIGEST_16_BYTES];     /* of caller and key */
    uint8_t request[DIGEST_16_BYTES]; /* of method, target and body */
};

struct idempotency_answer {
    int status;
    struct text content_type; /* terminated */
    struct text body;
};

/* Read what is kept in `dir`, which is made.  E_IO. */
int idempotency_open(const char *dir, struct clock clock, struct idempotency **out_idempotency,
                     struct err *err);
void idempotency_close(struct idempotency *idempotency); /* NULL is allowed */

enum idempotency_state {
    IDEMPOTENCY_NEW,       /* it is under way from here on: end it with _keep() or _drop() */
    IDEMPOTENCY_ANSWERED,  /* the answer is in *out_answer, in the arena */
    IDEMPOTENCY_OTHER,     /* the key was used for another request */
    IDEMPOTENCY_UNDER_WAY, /* the first call has not been answered yet */
    IDEMPOTENCY_FULL,      /* so many are kept that no other can be */
};

/* `is_public`: whoever visits a website can make such calls, for its key is public.  These have
 * half of the room: they cannot take it from staff. */
enum idempotency_state idempotency_begin(struct idempotency *idempotency,
                                         const struct idempotency_id *id, bool is_public,
                                         struct arena *arena,
                                         struct idempotency_answer *out_answer);

/* This is the answer from now on.  What cannot be written is told the operator and not kept. */
void idempotency_keep(struct idempotency *idempotency, const struct idempotency_id *id,
                      const struct idempotency_answer *answer);

/* Nothing was done: the key is free again. */
void idempotency_drop(struct idempotency *idempotency, const struct idempotency_id *id);

/* Remove every answer, also from the disk.  E_IO: some may be left there. */
int idempotency_forget(struct idempotency *idempotency, struct err *err);

size_t idempotency_count(const struct idempotency *idempotency); /* kept or under way */

#endif
