/* verify.c -- see verify.h.
 *
 * A MAC is made once for each secret, however many signatures a header has: what somebody sends who
 * has no secret must not cost more than one.
 */
#include "verify.h"

#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char unsigned_words[] = "the request has no signature";
static const char wrong_words[] = "the signature is not that of any secret of this hook";
static const char timeless_words[] = "the time of the signature is no number of seconds";
static const char stale_words[] = "the request was signed too long ago, or in the future";

enum scheme scheme_of(struct kith_text name)
{
    static const char *const names[] = { "standard", "github", "stripe", "twilio" };
    enum scheme scheme = SCHEME_STANDARD;
    while (scheme != SCHEME_NONE && !kith_is(name, names[scheme]))
        scheme++;
    return scheme;
}

/* -- Signatures -------------------------------------------------------------------------------- */

/* The next item before `separator`; false: there is none. */
static bool next_item(struct kith_text *rest, char separator, struct kith_text *item)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->size);
    *item = (struct kith_text){ rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size };
    size_t used = item->size + (end != NULL);
    *rest = (struct kith_text){ rest->data + used, rest->size - used };
    return true;
}

/* Take `mark` off its beginning; false: it begins otherwise. */
static bool take_mark(struct kith_text *text, const char *mark)
{
    size_t size = strlen(mark);
    if (text->size < size || memcmp(text->data, mark, size) != 0)
        return false;
    *text = (struct kith_text){ text->data + size, text->size - size };
    return true;
}

/* Digits of "sha256-hex" are of any case. */
static bool is_mac(struct kith_text given, const char *how, const char *mac)
{
    char lower[KITH_HMAC_SIZE] = "";
    if (strcmp(how, "sha256-hex") == 0 && given.size < sizeof lower) {
        for (size_t i = 0; i < given.size; i++)
            lower[i] = (char)tolower((unsigned char)given.data[i]);
        given.data = lower;
    }
    return kith_is_same(given, mac);
}

/* A list of signatures as a header has it: items that begin with a mark. */
struct signatures {
    struct kith_text list;
    char separator;
    const char *mark, *how; /* `how` as hmac() has it */
};

static bool is_signed(const struct verify *verify, struct signatures signatures,
                      struct kith_text data)
{
    bool is_found = false;
    char mac[KITH_HMAC_SIZE];
    for (struct kith_iter it = kith_iter(keys_list(verify->keys)); kith_next(&it);) {
        struct kith_text rest = signatures.list, secret = kith_as_text(&it.value);
        if (verify->host->hmac(verify->kith, signatures.how, secret, data, mac) != KITH_OK)
            continue;
        for (struct kith_text item; next_item(&rest, signatures.separator, &item);)
            if (take_mark(&item, signatures.mark))
                is_found = is_mac(item, signatures.how, mac) || is_found;
    }
    return is_found;
}

/* The same over several texts, one behind the other. */
static bool is_signed_all(const struct verify *verify, struct signatures signatures,
                          const struct kith_text *parts, size_t count)
{
    struct kith_text data;
    char *joined = text_join(parts, count, &data);
    bool is_found = joined != NULL && is_signed(verify, signatures, data);
    free(joined);
    return is_found;
}

/* A print of what was signed, in a form that fits an id: what was signed is what it is. */
static void make_id(const struct verify *verify, const char *what, struct kith_text data,
                    char id[VERIFY_ID_SIZE])
{
    char print[KITH_HMAC_SIZE] = "";
    verify->host->hmac(verify->kith, "sha256-hex", kith_text("kith"), data, print);
    snprintf(id, VERIFY_ID_SIZE, "%s:%s", what, print);
}

/* Seconds since 1970, digits alone. */
static bool read_seconds(struct kith_text text, int64_t *out)
{
    int64_t seconds = 0;
    if (text.size == 0 || text.size > 12)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        seconds = seconds * 10 + (text.data[i] - '0');
    }
    *out = seconds;
    return true;
}

static const char *check_time(const struct verify *verify, int64_t seconds)
{
    int64_t away = verify->host->now(verify->kith) - seconds * 1000;
    bool is_near = away <= verify->tolerance_ms && -away <= verify->tolerance_ms;
    return is_near ? NULL : stale_words;
}

static struct kith_text body_of(const struct kith_request *request)
{
    return (struct kith_text){ request->body, request->body_size };
}

static struct kith_text header_of(const struct verify *verify, const struct kith_request *request,
                                  const char *standard)
{
    return kith_header(request, verify->header[0] != '\0' ? verify->header : standard);
}

/* -- One way after the other ------------------------------------------------------------------- */

static const char *verify_standard(const struct verify *verify, const struct kith_request *request,
                                   char id[VERIFY_ID_SIZE])
{
    const struct kith_text theirs = kith_header(request, "webhook-id"), dot = kith_text(".");
    const struct kith_text time = kith_header(request, "webhook-timestamp");
    const struct signatures signatures = { kith_header(request, "webhook-signature"), ' ', "v1,",
                                           "sha256-base64" };
    const struct kith_text parts[] = { theirs, dot, time, dot, body_of(request) };
    int64_t seconds;
    if (theirs.size == 0 || signatures.list.size == 0 || time.size == 0)
        return unsigned_words;
    if (!read_seconds(time, &seconds))
        return timeless_words;
    if (theirs.size > VERIFY_ID_SIZE - 20)
        return "webhook-id is too long";
    if (!is_signed_all(verify, signatures, parts, 5))
        return wrong_words;
    snprintf(id, VERIFY_ID_SIZE, "%.*s", (int)theirs.size, theirs.data);
    return check_time(verify, seconds);
}

/* The body alone is signed: the same body is the same request, by whichever secret. */
static const char *verify_github(const struct verify *verify, const struct kith_request *request,
                                 char id[VERIFY_ID_SIZE])
{
    struct kith_text given = header_of(verify, request, "X-Hub-Signature-256");
    if (given.size == 0)
        return unsigned_words;
    take_mark(&given, "sha256=");
    const struct signatures hex = { given, '\0', "", "sha256-hex" };
    const struct signatures base64 = { given, '\0', "", "sha256-base64" };
    if (!is_signed(verify, hex, body_of(request)) && !is_signed(verify, base64, body_of(request)))
        return wrong_words;
    make_id(verify, "body", body_of(request), id);
    return NULL;
}

static struct kith_text stripe_time(struct kith_text list)
{
    for (struct kith_text item; next_item(&list, ',', &item);)
        if (take_mark(&item, "t="))
            return item;
    return kith_text("");
}

/* A sender that tries again signs anew, with another time: the body says which event it is. */
static const char *verify_stripe(const struct verify *verify, const struct kith_request *request,
                                 char id[VERIFY_ID_SIZE])
{
    const struct signatures signatures = { header_of(verify, request, "Stripe-Signature"), ',',
                                           "v1=", "sha256-hex" };
    const struct kith_text time = stripe_time(signatures.list);
    const struct kith_text parts[] = { time, kith_text("."), body_of(request) };
    int64_t seconds;
    if (time.size == 0)
        return unsigned_words;
    if (!read_seconds(time, &seconds))
        return timeless_words;
    if (!is_signed_all(verify, signatures, parts, 3))
        return wrong_words;
    make_id(verify, "body", body_of(request), id);
    return check_time(verify, seconds);
}

/* -- Twilio ------------------------------------------------------------------------------------ */

static bool is_form(const struct kith_request *request)
{
    static const char type[] = "application/x-www-form-urlencoded";
    struct kith_text given = kith_header(request, "Content-Type");
    return given.size >= sizeof type - 1 && strncasecmp(given.data, type, sizeof type - 1) == 0;
}

static bool read_form(const struct verify *verify, struct kith_text text, struct kith_doc *out)
{
    return verify->host->from_form(verify->kith, text, out) == KITH_OK;
}

/* The SHA-256 of a body that is no form stands in the URL, which is signed. */
static bool is_body_of_query(const struct verify *verify, const struct kith_request *request)
{
    char hash[TEXT_HASH_SIZE];
    struct kith_doc query;
    if (!read_form(verify, request->query, &query))
        return false;
    text_hash(body_of(request), hash);
    return strcasecmp(kith_get_string(query, "bodySHA256"), hash) == 0;
}

/* The URL and, as from_form() sorts them, each name and its value; the caller frees it. */
static char *join_form(const struct verify *verify, const struct kith_request *request,
                       struct kith_doc form, struct kith_text *out)
{
    /* What has been decoded is never longer than it was. */
    size_t room = strlen(verify->url) + request->query.size + request->body_size + 2;
    char *text = malloc(room);
    if (text == NULL)
        return NULL;
    size_t used =
        (size_t)snprintf(text, room, "%s%s%.*s", verify->url, request->query.size != 0 ? "?" : "",
                         (int)request->query.size, request->query.data);
    for (struct kith_iter it = kith_iter(form); kith_next(&it);)
        used += (size_t)snprintf(text + used, room - used, "%s%s", it.name.data,
                                 kith_as_text(&it.value).data);
    *out = (struct kith_text){ text, used };
    return text;
}

/* Nothing says when it was signed; the same fields to the same URL are the same request. */
static const char *verify_twilio(const struct verify *verify, const struct kith_request *request,
                                 char id[VERIFY_ID_SIZE])
{
    const struct signatures given = { kith_header(request, "X-Twilio-Signature"), '\0', "",
                                      "sha1-base64" };
    struct kith_doc form = { NULL, 0 };
    struct kith_text data;
    if (given.list.size == 0)
        return unsigned_words;
    bool is_good = is_form(request) ? read_form(verify, body_of(request), &form)
                                    : is_body_of_query(verify, request);
    char *joined = is_good ? join_form(verify, request, form, &data) : NULL;
    is_good = joined != NULL && is_signed(verify, given, data);
    if (is_good)
        make_id(verify, "form", data, id);
    free(joined);
    return is_good ? NULL : wrong_words;
}

const char *verify(const struct verify *verify, const struct kith_request *request,
                   char id[VERIFY_ID_SIZE])
{
    switch (verify->scheme) {
    case SCHEME_STANDARD:
        return verify_standard(verify, request, id);
    case SCHEME_GITHUB:
        return verify_github(verify, request, id);
    case SCHEME_STRIPE:
        return verify_stripe(verify, request, id);
    case SCHEME_TWILIO:
        return verify_twilio(verify, request, id);
    case SCHEME_NONE:
        break;
    }
    return wrong_words;
}
