/* auth.h -- who asks: keys and what they may do.
 *
 * Two keys are files of the data directory, made at the first start: `admin` may do
 * everything, `write` may send events in.  Named keys are rows of the state, known by the
 * BLAKE2b-256 of their secret; they are looked up by the engine and remembered here until
 * keys change.  What is remembered includes that a secret is nobody's: guessing costs the
 * engine one look-up per guess that is new.
 *
 * Secrets are compared as digests, in a time that does not tell where they differ.
 * The loop's thread, but auth_look_up().
 */
#ifndef CORE_SERVER_AUTH_H
#define CORE_SERVER_AUTH_H

#include "core/server/api.h"

struct auth;
struct engine;

/* Read the key files in `dir`, or make them (mode 0600, 32 random bytes, durable before this
 * returns).  E_IO, E_INVALID (a file that holds no key). */
int auth_open(const char *dir, struct auth **out_auth, struct err *err);
void auth_close(struct auth *auth); /* NULL is allowed */

enum auth_answer {
    AUTH_KNOWN,
    AUTH_UNKNOWN, /* nobody has it */
    AUTH_ASK,     /* only the engine knows */
};

/* Who has `secret`; texts of the caller go into the arena. */
enum auth_answer auth_find(const struct auth *auth, struct text secret, struct arena *arena,
                           struct caller *out_caller);

/* The way over the engine: prepare on the loop, look up on the engine's thread, then back on
 * the loop remember, unless keys have changed in between. */
struct auth_question {
    uint8_t digest[32];
    uint64_t generation;
    bool is_known;
    struct caller caller;
};
void auth_ask(const struct auth *auth, struct text secret, struct auth_question *out_question);
void auth_look_up(struct engine *engine, struct arena *arena, struct auth_question *question);
void auth_remember(struct auth *auth, const struct auth_question *question);

/* Forget what was looked up: keys have changed. */
void auth_forget(struct auth *auth);

/* The secret of an Authorization field, Bearer or Basic (the password if that is as long as a
 * key, else the user name), in the arena; size 0:
 * it holds none. */
struct text auth_secret(const char *authorization, struct arena *arena);

#endif
