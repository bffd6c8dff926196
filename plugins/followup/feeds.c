/* feeds.c -- see feeds.h. */
#include "feeds.h"

#include "pool.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define SECRET_BYTES 16
#define SECRET_HEX (2 * SECRET_BYTES)
#define HASH_BYTES 32

struct asked {
    struct followup *followup;
    struct pool pool;
    struct kith_request request; /* a copy */
    char secret[SECRET_HEX + 1];
};

static struct asked *asked_new(struct followup *followup, const struct kith_request *request)
{
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        session_say(followup, request->id, 503, "memory is short\n");
        return NULL;
    }
    asked->followup = followup;
    session_copy(&asked->pool, request, &asked->request); /* if in vain, ask() says so */
    return asked;
}

static void asked_free(struct asked *asked)
{
    pool_deinit(&asked->pool);
    free(asked);
}

static void say(struct asked *asked, int status, const char *line)
{
    session_say(asked->followup, asked->request.id, status, line);
    asked_free(asked);
}

static void ask(struct asked *asked, const char *method, const char *path, struct kith_doc body,
                kith_done_fn *done)
{
    const struct kith_ask question = {
        .size = sizeof question,
        .method = method,
        .path = path,
        .body = body,
        .staff = asked->request.staff,
    };
    const struct kith_host *host = asked->followup->host;
    if (asked->pool.broken || host->ask(asked->followup->kith, &question, done, asked) != KITH_OK)
        say(asked, 503, "Kith is busy\n");
}

static void hash_of(const char *secret, char out[2 * HASH_BYTES + 1])
{
    unsigned char hash[HASH_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)secret, strlen(secret), NULL, 0);
    sodium_bin2hex(out, 2 * HASH_BYTES + 1, hash, sizeof hash);
}

/* -- A new one, and none ----------------------------------------------------------------------- */

static void refuse(struct asked *asked, int32_t status, struct kith_doc result)
{
    const char *line = pool_print(&asked->pool, "%s\n", kith_get_text(result, "detail").data);
    say(asked, status >= 400 && status < 500 ? status : 503, line != NULL ? line : "");
}

static void on_made(void *arg, int32_t status, struct kith_doc result)
{
    struct asked *asked = arg;
    if (status >= 300 || status < 200) {
        refuse(asked, status, result);
        return;
    }
    const char *body =
        pool_print(&asked->pool, "{\"path\":\"%s/%s\"}\n", FEEDS_PATH, asked->secret);
    kith_answer(asked->followup->host, asked->followup->kith, asked->request.id, 201,
                "application/json", body != NULL ? body : "");
    asked_free(asked);
}

static void on_ended(void *arg, int32_t status, struct kith_doc result)
{
    if (status == 404 || (status >= 200 && status < 300))
        say(arg, 204, "");
    else
        refuse(arg, status, result);
}

static const char *path_of(struct asked *asked, const char *field, const char *value)
{
    const char *segment = value == NULL ? NULL : pool_segment(&asked->pool, value);
    return segment == NULL
               ? NULL
               : pool_print(&asked->pool, "/v1/records/calendar_feed/%s:%s%s", field, segment,
                            *field == 's' && field[1] == 't' ? "?wait=applied" : "");
}

/* Write the hash of her address, or none. */
static void write_secret(struct asked *asked, const char *method, kith_done_fn *done)
{
    char room[400], hash[2 * HASH_BYTES + 1];
    struct kith_writer w;
    struct kith_value secret = { KITH_NULL, 0, { 0 } };
    if (asked->secret[0] != '\0') {
        hash_of(asked->secret, hash);
        secret = kith_string(hash);
    }
    kith_begin(&w, room, sizeof room);
    kith_open(&w, "fields");
    kith_put(&w, "secret", &secret);
    kith_close(&w);
    ask(asked, method, path_of(asked, "staff", asked->request.staff.data), kith_end(&w), done);
}

static struct asked *for_staff(struct followup *followup, const struct kith_request *request)
{
    if (request->staff.size != 0)
        return asked_new(followup, request);
    session_say(followup, request->id, 403,
                "this key is nobody's: make one for a member of staff with kith key add "
                "--as NAME\n");
    return NULL;
}

void feeds_new(void *self, const struct kith_request *request)
{
    struct followup *followup = self;
    unsigned char secret[SECRET_BYTES];
    struct asked *asked = for_staff(followup, request);
    if (asked == NULL)
        return;
    followup->host->random(followup->kith, secret, sizeof secret);
    sodium_bin2hex(asked->secret, sizeof asked->secret, secret, sizeof secret);
    write_secret(asked, "PUT", on_made);
}

void feeds_end(void *self, const struct kith_request *request)
{
    struct asked *asked = for_staff(self, request);
    if (asked != NULL)
        write_secret(asked, "PATCH", on_ended);
}

/* -- Opened ------------------------------------------------------------------------------------ */

#define NOT_THERE "there is no such calendar: its address may have been replaced by a new one\n"

static void on_found(void *arg, int32_t status, struct kith_doc result)
{
    struct asked *asked = arg;
    struct kith_text staff = kith_get_text(kith_get_doc(result, "fields"), "staff");
    if (status != 200) {
        say(asked, status == 404 ? 404 : 503, status == 404 ? NOT_THERE : "Kith is busy\n");
        return;
    }
    session_feed(asked->followup, &asked->request, staff);
    asked_free(asked);
}

void feeds_open(void *self, const struct kith_request *request)
{
    char hash[2 * HASH_BYTES + 1], secret[SECRET_HEX + 1] = "";
    struct kith_text token = kith_param(request, "token");
    if (token.size > 4 && memcmp(token.data + token.size - 4, ".ics", 4) == 0)
        token.size -= 4;
    if (token.size != SECRET_HEX || strspn(token.data, "0123456789abcdef") < SECRET_HEX) {
        session_say(self, request->id, 404, NOT_THERE);
        return;
    }
    struct asked *asked = asked_new(self, request);
    if (asked == NULL)
        return;
    memcpy(secret, token.data, SECRET_HEX);
    hash_of(secret, hash);
    asked->request.staff = kith_text("");
    ask(asked, "GET", path_of(asked, "secret", hash), (struct kith_doc){ NULL, 0 }, on_found);
}
