/* auth.c -- see auth.h.
 *
 * What was looked up lies in a table of fixed size, one place a digest, the newer pushing out
 * the older: a stranger who tries secrets can push out others, who are then looked up again,
 * and cannot make it grow.
 */
#include "core/server/auth.h"

#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/engine/engine.h"
#include "core/engine/keys.h"
#include "core/server/secret.h"
#include "core/server/whole_file.h"
#include "storage/state.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECRET_TEXT_MIN 16  /* of a key */
#define SECRET_TEXT_MAX 256 /* of any secret, as it is sent */
#define PLACES 512

struct known {
    bool is_used, is_known;
    uint8_t digest[DIGEST_32_BYTES];
    struct caller caller; /* texts allocated */
};

struct auth {
    uint8_t admin[DIGEST_32_BYTES], write[DIGEST_32_BYTES];
    uint64_t generation; /* counts changes of keys */
    struct known places[PLACES];
};

static const uint32_t scope_all =
    1u << SCOPE_WRITE | 1u << SCOPE_READ | 1u << SCOPE_STAFF | 1u << SCOPE_ADMIN;

/* -- The key files ----------------------------------------------------------------------------- */

static int read_file(const char *path, uint8_t out_digest[DIGEST_32_BYTES], struct err *err)
{
    char text[SECRET_TEXT_MAX];
    size_t size;
    int rc = whole_file_read(path, text, sizeof text, &size, err);
    if (rc != 0)
        return rc;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r' || text[size - 1] == ' '))
        size--;
    if (size < SECRET_TEXT_MIN || size == sizeof text)
        return err_set(err, E_INVALID,
                       "%s holds no key: one line of 16 to %d characters; remove the file to have "
                       "a new one made",
                       path, SECRET_TEXT_MAX - 1);
    digest_32(text, size, out_digest);
    return 0;
}

static int key_file(const char *dir, const char *name, uint8_t out_digest[DIGEST_32_BYTES],
                    struct err *err)
{
    char path[4000];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int rc = read_file(path, out_digest, err);
    if (rc != E_NOTFOUND)
        return rc;
    rc = secret_make(dir, path, err);
    return rc == 0 ? read_file(path, out_digest, err) : rc;
}

int auth_open(const char *dir, struct auth **out_auth, struct err *err)
{
    struct auth *auth = mem_zero(sizeof *auth);
    int rc = key_file(dir, "admin.key", auth->admin, err);
    if (rc == 0)
        rc = key_file(dir, "write.key", auth->write, err);
    if (rc != 0) {
        auth_close(auth);
        return rc;
    }
    *out_auth = auth;
    return 0;
}

static void place_clear(struct known *known)
{
    free((void *)known->caller.name.data);
    free((void *)known->caller.staff.data);
    *known = (struct known){ 0 };
}

void auth_close(struct auth *auth)
{
    if (auth == NULL)
        return;
    auth_forget(auth);
    free(auth);
}

void auth_forget(struct auth *auth)
{
    auth->generation++;
    for (size_t i = 0; i < PLACES; i++)
        place_clear(&auth->places[i]);
}

/* -- Finding ----------------------------------------------------------------------------------- */

static struct known *place_of(const struct auth *auth, const uint8_t digest[DIGEST_32_BYTES])
{
    return (struct known *)&auth->places[(digest[0] | (size_t)digest[1] << 8) % PLACES];
}

enum auth_answer auth_find(const struct auth *auth, struct text secret, struct arena *arena,
                           struct caller *out_caller)
{
    uint8_t digest[DIGEST_32_BYTES];
    if (secret.size == 0 || secret.size > SECRET_TEXT_MAX)
        return AUTH_UNKNOWN;
    digest_32(secret.data, secret.size, digest);
    if (hash_secret_equal(digest, auth->admin, sizeof digest)) {
        *out_caller = (struct caller){ .name = text_of("admin"), .scopes = scope_all };
        return AUTH_KNOWN;
    }
    if (hash_secret_equal(digest, auth->write, sizeof digest)) {
        *out_caller = (struct caller){ .name = text_of("write"), .scopes = 1u << SCOPE_WRITE };
        return AUTH_KNOWN;
    }
    const struct known *known = place_of(auth, digest);
    if (!known->is_used || !hash_secret_equal(digest, known->digest, sizeof digest))
        return AUTH_ASK;
    if (!known->is_known)
        return AUTH_UNKNOWN;
    out_caller->name = arena_text(arena, known->caller.name);
    out_caller->staff = arena_text(arena, known->caller.staff);
    out_caller->scopes = known->caller.scopes;
    out_caller->rate = known->caller.rate;
    return AUTH_KNOWN;
}

void auth_ask(const struct auth *auth, struct text secret, struct auth_question *out_question)
{
    *out_question = (struct auth_question){ .generation = auth->generation };
    digest_32(secret.data, secret.size, out_question->digest);
}

static uint32_t read_scopes(struct doc scopes)
{
    static const struct {
        const char *name;
        enum api_scope scope;
    } names[] = {
        { "write", SCOPE_WRITE },
        { "read", SCOPE_READ },
        { "staff", SCOPE_STAFF },
        { "admin", SCOPE_ADMIN },
    };
    uint32_t bits = 0;
    for (struct doc_iter it = doc_iter(scopes); doc_next(&it);)
        for (size_t i = 0; it.value.type == DOC_TEXT && i < sizeof names / sizeof *names; i++)
            if (text_is(it.value.text, names[i].name))
                bits |= 1u << names[i].scope;
    return bits;
}

/* As it was checked when the key was made; what a later version wrote there is no rate. */
static struct rate read_rate(struct doc row)
{
    struct rate rate = { 0 };
    struct text text = doc_text(row, "rate");
    if (text.size == 0 || rate_parse(text.data, text.size, &rate, NULL) != 0)
        return rate;
    int64_t burst = doc_int(row, "burst", rate.burst);
    rate.burst = burst > 0 && burst <= RATE_COUNT_MAX ? (uint32_t)burst : rate.burst;
    return rate;
}

void auth_look_up(struct engine *engine, struct arena *arena, struct auth_question *question)
{
    char hash[HEX_SIZE(DIGEST_32_BYTES)];
    struct key key;
    struct bytes row;
    hex_encode(question->digest, DIGEST_32_BYTES, hash);
    key_named(&key, 'h', text_of(hash));
    if (!state_get(engine_state(engine), &key, &row))
        return;
    struct text name = { (const char *)row.data, (uint32_t)row.size };
    question->caller.name = arena_text(arena, name);
    key_named(&key, 'K', name);
    if (!state_get(engine_state(engine), &key, &row))
        return;
    struct doc doc = { row.data, (uint32_t)row.size };
    question->caller.staff = arena_text(arena, doc_text(doc, "staff"));
    question->caller.scopes = read_scopes(doc_child(doc, "scopes"));
    question->caller.rate = read_rate(doc);
    question->is_known = true;
}

static struct text copy_text(struct text text)
{
    return (struct text){ text.size != 0 ? mem_copy(text.data, text.size) : NULL, text.size };
}

void auth_remember(struct auth *auth, const struct auth_question *question)
{
    struct known *known = place_of(auth, question->digest);
    if (question->generation != auth->generation)
        return;
    place_clear(known);
    known->is_used = true;
    known->is_known = question->is_known;
    memcpy(known->digest, question->digest, sizeof known->digest);
    known->caller.name = copy_text(question->caller.name);
    known->caller.staff = copy_text(question->caller.staff);
    known->caller.scopes = question->caller.scopes;
    known->caller.rate = question->caller.rate;
}

/* -- The field --------------------------------------------------------------------------------- */

/* The key is the user, as Segment's clients have it; or the password, where a device insists on a
 * user of its own.  No key is as short as what people put where nothing is asked for. */
static struct text basic_secret(const char *text, struct arena *arena)
{
    static const int variants[] = { sodium_base64_VARIANT_ORIGINAL,
                                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING };
    char plain[2 * SECRET_TEXT_MAX];
    size_t size = 0;
    bool is_good = false;
    for (size_t i = 0; !is_good && i < sizeof variants / sizeof *variants; i++)
        is_good = sodium_base642bin((unsigned char *)plain, sizeof plain, text, strlen(text), " ",
                                    &size, NULL, variants[i]) == 0;
    const char *colon = is_good ? memchr(plain, ':', size) : NULL;
    struct text user = { plain, colon != NULL ? (uint32_t)(colon - plain) : 0 };
    size_t behind = colon != NULL ? size - user.size - 1 : 0;
    if (behind >= SECRET_TEXT_MIN)
        return arena_text(arena, (struct text){ colon + 1, (uint32_t)behind });
    return arena_text(arena, user);
}

struct text auth_secret(const char *authorization, struct arena *arena)
{
    if (strncasecmp(authorization, "Basic ", 6) == 0)
        return basic_secret(authorization + 6 + strspn(authorization + 6, " "), arena);
    if (strncasecmp(authorization, "Bearer ", 7) == 0)
        return arena_text(arena, text_of(authorization + 7 + strspn(authorization + 7, " ")));
    return (struct text){ "", 0 };
}
