/* api_idempotency.c -- see api_idempotency.h. */
#include "core/server/api_idempotency.h"

#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/http/http.h"
#include "core/server/idempotency.h"

#include <string.h>

#define ENTRY_DIGITS 16 /* of the request's digest, in the id of an entry */

static void digest_part(struct digest *digest, const void *data, size_t size)
{
    uint64_t length = size; /* so that no two requests run together to the same bytes */
    digest_update(digest, &length, sizeof length);
    digest_update(digest, data, size);
}

static void identify(struct call *call, const char *key)
{
    struct http_request *request = call->request;
    struct digest digest;
    size_t size;
    const void *body = http_body(request, &size);
    const char *parts[] = { http_method(request), http_path(request), http_query(request) };
    digest_init(&digest, DIGEST_16_BYTES);
    digest_part(&digest, call->caller.name.data, call->caller.name.size);
    digest_part(&digest, key, strlen(key));
    digest_final(&digest, call->once.key);
    digest_init(&digest, DIGEST_16_BYTES);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        digest_part(&digest, parts[i], strlen(parts[i]));
    digest_part(&digest, size != 0 ? body : "", size);
    digest_final(&digest, call->once.request);
}

/* NULL: the call has none. */
static const char *key_of(const struct call *call)
{
    const char *key = http_field(call->request, "Idempotency-Key");
    bool is_read = strcmp(call->route->method, "GET") == 0;
    return key != NULL && key[0] != '\0' && !is_read ? key : NULL;
}

static void repeat(struct call *call, const struct idempotency_answer *answer)
{
    http_add_field(call->request, "Idempotent-Replayed", "true");
    call_reply_text(call, answer->status, answer->content_type.data, answer->body);
}

bool idempotency_admit(struct call *call)
{
    const char *key = key_of(call);
    struct idempotency_answer answer;
    bool is_public = call->route->scope == SCOPE_WRITE || call->route->scope == SCOPE_NONE;
    if (key == NULL)
        return true;
    if (strlen(key) > IDEMPOTENCY_KEY_BYTES_MAX || !utf8_valid(key, strlen(key))) {
        call_problem(call, 422, "an Idempotency-Key is UTF-8 of at most %d bytes",
                     IDEMPOTENCY_KEY_BYTES_MAX);
        return false;
    }
    identify(call, key);
    switch (
        idempotency_begin(call->api->idempotency, &call->once, is_public, &call->arena, &answer)) {
    case IDEMPOTENCY_NEW:
        call->is_once = true;
        return true;
    case IDEMPOTENCY_ANSWERED:
        repeat(call, &answer);
        return false;
    case IDEMPOTENCY_OTHER:
        call_problem(call, 422,
                     "this Idempotency-Key was used for another request: a new one needs a key of "
                     "its own");
        return false;
    case IDEMPOTENCY_UNDER_WAY:
        call_problem(
            call, 409,
            "the first call with this Idempotency-Key is under way: ask again in a moment");
        return false;
    case IDEMPOTENCY_FULL:
        break;
    }
    call_problem(call, 429,
                 "too many calls with an Idempotency-Key in one day, at most %d: try again later, "
                 "or without",
                 IDEMPOTENCY_KEYS_MAX);
    return false;
}

void idempotency_answered(struct call *call, int status, const char *content_type, struct text body)
{
    const struct idempotency_answer answer = { status, text_of(content_type), body };
    if (!call->is_once)
        return;
    call->is_once = false;
    bool may_change = status >= 500 || status == 429; /* asked again it may be another */
    if (!may_change && (call->is_written || status < 300))
        idempotency_keep(call->api->idempotency, &call->once, &answer);
    else
        idempotency_drop(call->api->idempotency, &call->once);
}

struct text call_entry_id(struct call *call)
{
    char digits[HEX_SIZE(DIGEST_16_BYTES)];
    const char *key = key_of(call);
    if (key == NULL)
        return (struct text){ "", 0 };
    hex_encode(call->once.request, sizeof call->once.request, digits);
    return arena_printf(&call->arena, "%s.%.*s", key, ENTRY_DIGITS, digits);
}
