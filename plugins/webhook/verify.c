/* verify.c -- see verify.h. */
#include "verify.h"

#include "form.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char unsigned_words[] = "the request has no signature";
static const char wrong_words[] = "the signature is not that of any secret of this hook";
static const char stale_words[] = "the request was signed too long ago, or in the future";

enum scheme scheme_of(struct kith_text name)
{
    static const char *const names[] = { "standard", "github", "stripe", "twilio" };
    enum scheme scheme = SCHEME_STANDARD;
    while (scheme != SCHEME_NONE && !kith_is(name, names[scheme]))
        scheme++;
    return scheme;
}

struct kith_text header_of(const struct kith_request *request, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < request->header_count; i++)
        if (request->headers[i].name.size == size &&
            strncasecmp(request->headers[i].name.data, name, size) == 0)
            return request->headers[i].value;
    return (struct kith_text){ "", 0 };
}

static struct piece piece_of_text(struct kith_text text)
{
    return (struct piece){ text.data, text.size };
}

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

static bool starts_with(struct kith_text text, const char *start)
{
    return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

static struct kith_text behind(struct kith_text text, size_t size)
{
    return (struct kith_text){ text.data + size, text.size - size };
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

static bool is_near(const struct verify *how, int64_t seconds, int64_t now_ms)
{
    int64_t away = now_ms - seconds * 1000;
    return away <= how->tolerance_ms && -away <= how->tolerance_ms;
}

static struct piece body_of(const struct kith_request *request)
{
    return (struct piece){ request->body, request->body_size };
}

/* The signature of request and time, in a form that fits an id: what was signed is what it is. */
static void id_of_mac(const char *scheme, const struct mac *mac, char id[VERIFY_ID_SIZE])
{
    char text[MAC_TEXT_SIZE];
    mac_hex(mac, text);
    snprintf(id, VERIFY_ID_SIZE, "%s:%s", scheme, text);
}

/* -- One way after the other ------------------------------------------------------------------- */

static bool has_standard(struct kith_text list, const struct mac *mac)
{
    bool is_found = false;
    for (struct kith_text item; next_item(&list, ' ', &item);)
        if (starts_with(item, "v1,"))
            is_found = mac_is_base64(mac, piece_of_text(behind(item, 3))) || is_found;
    return is_found;
}

static const char *verify_standard(const struct verify *how, const struct kith_request *request,
                                   int64_t now_ms, char id[VERIFY_ID_SIZE])
{
    struct kith_text theirs = header_of(request, "webhook-id");
    struct kith_text time = header_of(request, "webhook-timestamp");
    struct kith_text list = header_of(request, "webhook-signature");
    const struct piece pieces[] = { piece_of_text(theirs), piece_of("."), piece_of_text(time),
                                    piece_of("."), body_of(request) };
    int64_t seconds;
    bool is_found = false;
    if (theirs.size == 0 || list.size == 0 || !read_seconds(time, &seconds))
        return unsigned_words;
    if (theirs.size > VERIFY_ID_SIZE - 20)
        return "webhook-id is too long";
    for (size_t i = 0; i < how->keys->count; i++) {
        struct mac mac;
        is_found = (mac_make(MAC_SHA256, keys_at(how->keys, i), pieces, 5, &mac) &&
                    has_standard(list, &mac)) ||
                   is_found;
    }
    if (!is_found)
        return wrong_words;
    snprintf(id, VERIFY_ID_SIZE, "%.*s", (int)theirs.size, theirs.data);
    return is_near(how, seconds, now_ms) ? NULL : stale_words;
}

/* The body alone is signed: the same body is the same request, by whichever secret. */
static const char *verify_github(const struct verify *how, const struct kith_request *request,
                                 char id[VERIFY_ID_SIZE])
{
    struct kith_text given =
        header_of(request, how->header != NULL ? how->header : "X-Hub-Signature-256");
    struct piece body = body_of(request);
    bool is_found = false;
    struct mac print;
    if (given.size == 0)
        return unsigned_words;
    if (starts_with(given, "sha256="))
        given = behind(given, 7);
    for (size_t i = 0; i < how->keys->count; i++) {
        struct mac mac;
        if (mac_make(MAC_SHA256, keys_at(how->keys, i), &body, 1, &mac))
            is_found = mac_is_hex(&mac, piece_of_text(given)) ||
                       mac_is_base64(&mac, piece_of_text(given)) || is_found;
    }
    if (!is_found || !mac_make(MAC_SHA256, piece_of("kith"), &body, 1, &print))
        return wrong_words;
    id_of_mac("body", &print, id);
    return NULL;
}

static bool has_stripe(struct kith_text list, const struct mac *mac)
{
    bool is_found = false;
    for (struct kith_text item; next_item(&list, ',', &item);)
        if (starts_with(item, "v1="))
            is_found = mac_is_hex(mac, piece_of_text(behind(item, 3))) || is_found;
    return is_found;
}

static struct kith_text stripe_time(struct kith_text list)
{
    for (struct kith_text item; next_item(&list, ',', &item);)
        if (starts_with(item, "t="))
            return behind(item, 2);
    return (struct kith_text){ "", 0 };
}

/* A sender that tries again signs anew, with another time: the body says which event it is. */
static const char *verify_stripe(const struct verify *how, const struct kith_request *request,
                                 int64_t now_ms, char id[VERIFY_ID_SIZE])
{
    struct kith_text list =
        header_of(request, how->header != NULL ? how->header : "Stripe-Signature");
    struct kith_text time = stripe_time(list);
    struct piece body = body_of(request);
    const struct piece pieces[] = { piece_of_text(time), piece_of("."), body };
    struct mac print;
    bool is_found = false;
    int64_t seconds;
    if (!read_seconds(time, &seconds))
        return unsigned_words;
    for (size_t i = 0; i < how->keys->count; i++) {
        struct mac mac;
        is_found = (mac_make(MAC_SHA256, keys_at(how->keys, i), pieces, 3, &mac) &&
                    has_stripe(list, &mac)) ||
                   is_found;
    }
    if (!is_found || !mac_make(MAC_SHA256, piece_of("kith"), &body, 1, &print))
        return wrong_words;
    id_of_mac("body", &print, id);
    return is_near(how, seconds, now_ms) ? NULL : stale_words;
}

/* -- Twilio ------------------------------------------------------------------------------------ */

static bool is_form(const struct kith_request *request)
{
    static const char type[] = "application/x-www-form-urlencoded";
    struct kith_text given = header_of(request, "Content-Type");
    return given.size >= sizeof type - 1 && strncasecmp(given.data, type, sizeof type - 1) == 0;
}

/* The SHA-256 of a body that is no form stands in the URL, which is signed. */
static bool is_body_of_query(const struct kith_request *request)
{
    struct form query;
    struct mac hash = { .size = 0 };
    unsigned size = 0;
    bool is_good = form_read(&query, request->query.data, request->query.size);
    const char *given = is_good ? form_value(&query, "bodySHA256") : NULL;
    is_good =
        given != NULL && EVP_Digest(request->body_size != 0 ? request->body : "",
                                    request->body_size, hash.data, &size, EVP_sha256(), NULL) == 1;
    hash.size = size;
    is_good = is_good && mac_is_hex(&hash, piece_of(given));
    form_deinit(&query);
    return is_good;
}

/* The URL and the fields as one run of pieces; the caller frees it. */
static struct piece *list_pieces(const struct verify *how, const struct kith_request *request,
                                 const struct form *form, size_t *out_count)
{
    struct piece *pieces = malloc((3 + 2 * form->count) * sizeof *pieces);
    size_t count = 0;
    if (pieces == NULL)
        return NULL;
    pieces[count++] = piece_of(how->url);
    if (request->query.size != 0) {
        pieces[count++] = piece_of("?");
        pieces[count++] = piece_of_text(request->query);
    }
    for (size_t i = 0; i < form->count; i++) {
        const struct pair *pair = &form->pairs[i];
        if (i > 0 && strcmp(pair->name, pair[-1].name) == 0 &&
            strcmp(pair->value, pair[-1].value) == 0)
            continue; /* said twice it is signed once */
        pieces[count++] = piece_of(pair->name);
        pieces[count++] = piece_of(pair->value);
    }
    *out_count = count;
    return pieces;
}

static bool is_by_any(const struct verify *how, const struct piece *pieces, size_t count,
                      struct kith_text given)
{
    bool is_found = false;
    for (size_t i = 0; i < how->keys->count; i++) {
        struct mac mac;
        is_found = (mac_make(MAC_SHA1, keys_at(how->keys, i), pieces, count, &mac) &&
                    mac_is_base64(&mac, piece_of_text(given))) ||
                   is_found;
    }
    return is_found;
}

/* Nothing says when it was signed; the same fields to the same URL are the same request. */
static const char *verify_twilio(const struct verify *how, const struct kith_request *request,
                                 char id[VERIFY_ID_SIZE])
{
    struct kith_text given = header_of(request, "X-Twilio-Signature");
    struct form form = { 0 };
    size_t count = 0;
    if (given.size == 0)
        return unsigned_words;
    bool is_good = is_form(request) ? form_read(&form, request->body, request->body_size)
                                    : is_body_of_query(request);
    form_sort(&form);
    struct piece *pieces = is_good ? list_pieces(how, request, &form, &count) : NULL;
    struct mac print;
    is_good = pieces != NULL && is_by_any(how, pieces, count, given) &&
              mac_make(MAC_SHA256, piece_of("kith"), pieces, count, &print);
    if (is_good)
        id_of_mac("form", &print, id);
    free(pieces);
    form_deinit(&form);
    return is_good ? NULL : wrong_words;
}

const char *verify(const struct verify *how, const struct kith_request *request, int64_t now_ms,
                   char id[VERIFY_ID_SIZE])
{
    switch (how->scheme) {
    case SCHEME_STANDARD:
        return verify_standard(how, request, now_ms, id);
    case SCHEME_GITHUB:
        return verify_github(how, request, id);
    case SCHEME_STRIPE:
        return verify_stripe(how, request, now_ms, id);
    case SCHEME_TWILIO:
        return verify_twilio(how, request, id);
    case SCHEME_NONE:
        break;
    }
    return wrong_words;
}
