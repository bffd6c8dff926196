/* letter.c -- see letter.h. */
#include "letter.h"

#include "dkim.h"
#include "fault.h"
#include "field.h"
#include "header.h"
#include "verp.h"
#include "word.h"

#include <string.h>

#define SIGNATURES_BYTES_MAX 8192

/* -- Names ------------------------------------------------------------------------------------- */

static bool take_number(const char **io_at, const char *end, uint64_t max, uint64_t *out_number)
{
    const char *at = *io_at;
    uint64_t number = 0;
    for (; at < end && ascii_is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    bool is_number = at > *io_at;
    *io_at = at;
    *out_number = number;
    return is_number;
}

bool letter_effect(struct kith_text text, uint64_t *out_seq, uint32_t *out_n)
{
    const char *at = text.data, *end = text.data + text.size;
    uint64_t n = 0;
    if (!take_number(&at, end, INT64_MAX, out_seq) || at == end || *at++ != '.' ||
        !take_number(&at, end, UINT32_MAX, &n) || at != end)
        return false;
    *out_n = (uint32_t)n;
    return true;
}

/* "<path>" into `out`. */
static int write_path(struct span path, char out[LETTER_PATH_MAX + 1], const char *what,
                      struct fault *fault)
{
    if (path.size + 2 > LETTER_PATH_MAX)
        return fault_set(fault, FAULT_LIMIT, "%s: over %d bytes", what, LETTER_PATH_MAX);
    out[0] = '<';
    memcpy(out + 1, path.data, path.size);
    out[path.size + 1] = '>';
    out[path.size + 2] = '\0';
    return 0;
}

/* -- The envelope ------------------------------------------------------------------------------ */

static int write_recipient(const struct letter_source *source, struct letter *letter,
                           struct bytes *room, struct fault *fault)
{
    struct kith_text text = kith_get_text(source->message, "address");
    struct address address;
    struct fault cause;
    int rc = address_parse((struct span){ text.data, text.size }, &address, &cause);
    if (rc == 0)
        rc = address_check(&address, &cause);
    if (rc != 0)
        return fault_set(fault, rc, "the customer's address: %s", cause.text);
    bytes_clear(room);
    address_spec(&address, room);
    memcpy(letter->domain, address.domain, sizeof letter->domain);
    return write_path(bytes_get(room), letter->recipient, "the customer's address", fault);
}

static int write_return_path(const struct letter_source *source, const struct verp_effect *effect,
                             struct letter *letter, struct bytes *room, struct fault *fault)
{
    const struct settings *settings = source->settings;
    int rc = 0;
    bytes_clear(room);
    if (settings->verp_key.size > 0)
        rc = verp_write(settings->verp_key, settings->return_domain, effect, room, fault);
    else
        address_spec(&settings->sender, room);
    return rc == 0 ? write_path(bytes_get(room), letter->return_path, "the return path", fault)
                   : rc;
}

/* -- The fields -------------------------------------------------------------------------------- */

/* Where subject and the others stand. */
static struct kith_doc fields_of(struct kith_doc message)
{
    if (kith_get_text(message, "template").size > 0)
        return message;
    return kith_get_doc(kith_get_doc(message, "data"), "email");
}

static struct span field(struct kith_doc fields, const char *name)
{
    struct kith_text text = kith_get_text(fields, name);
    return span_trim((struct span){ text.data, text.size });
}

struct headers {
    struct compose_header items[COMPOSE_HEADERS_MAX + 1];
    size_t count;
};

static void add_header(struct headers *headers, struct span name, struct span value)
{
    if (value.size > 0 && headers->count <= COMPOSE_HEADERS_MAX)
        headers->items[headers->count++] = (struct compose_header){ name, value };
}

/* One Message-ID that can be written as it is: an encoded word is none (RFC 2047, section 5). */
static bool is_id(struct span text)
{
    struct span rest = text, id;
    return header_next_id(&rest, &id) && span_equal(id, text) && !word_is_needed(text);
}

/* What is none is refused like in every other field (field.h). */
static bool is_line(struct span text)
{
    struct fault none;
    return field_check_value(span_of("in_reply_to"), text, &none) == 0;
}

/* Those of every message, unless this one has its own; one too many is refused by compose.h. */
static void gather_headers(const struct settings *settings, struct kith_doc fields,
                           struct headers *headers)
{
    struct kith_iter it = kith_iter(fields);
    while (kith_next(&it)) {
        struct kith_text value = kith_as_text(&it.value);
        struct span name = { it.name.data, it.name.size };
        if (span_begins_word(name, "x-"))
            add_header(headers, name, span_trim((struct span){ value.data, value.size }));
    }
    size_t own = headers->count;
    for (size_t i = 0; i < settings->header_count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < own; j++)
            is_there =
                is_there || span_equal_word(headers->items[j].name, settings->headers[i].name);
        if (!is_there)
            add_header(headers, settings->headers[i].name, settings->headers[i].value);
    }
    struct span answered = field(fields, "in_reply_to");
    if (is_id(answered) || !is_line(answered)) {
        add_header(headers, span_of("In-Reply-To"), answered);
        add_header(headers, span_of("References"), answered);
    }
}

static struct span unsubscribe_url(struct kith_doc message)
{
    struct kith_text text = kith_get_text(kith_get_doc(message, "links"), "unsubscribe");
    struct span url = { text.data, text.size };
    return span_begins_word(url, "https://") ? url : (struct span){ NULL, 0 };
}

/* -- The message ------------------------------------------------------------------------------- */

static int compose(const struct letter_source *source, struct span id, const struct letter *letter,
                   struct bytes *out, struct fault *fault)
{
    const struct settings *settings = source->settings;
    struct kith_doc fields = fields_of(source->message);
    struct kith_text body = kith_get_text(source->message, "body");
    struct span recipient = span_of(letter->recipient), from = field(fields, "from");
    struct span reply_to = field(fields, "reply_to");
    struct headers headers = { .count = 0 };
    gather_headers(settings, fields, &headers);
    const struct compose message = {
        .id = id,
        .domain = settings->return_domain,
        .time_s = source->now_ms / 1000,
        .from = from.size > 0 ? from : settings->from,
        .reply_to = reply_to.size > 0 ? reply_to : settings->reply_to,
        .to = { recipient.data + 1, recipient.size - 2 },
        .subject = field(fields, "subject"),
        .markdown = { body.data, body.size },
        .unsubscribe_url = unsubscribe_url(source->message),
        .is_automatic = true,
        .headers = headers.items,
        .header_count = headers.count,
        .attachments = source->files,
        .attachment_count = source->file_count,
    };
    if (field(fields, "cc").size > 0)
        return fault_set(fault, FAULT_INVALID,
                         "cc: a message goes to its customer and to nobody else; take the field "
                         "out, and send whom else it concerns a message of their own");
    if (message.subject.size == 0)
        return fault_set(fault, FAULT_INVALID,
                         "no subject: give `subject` above the template's body, or data = { email "
                         "= { subject = ... } }");
    return compose_message(&message, out, fault);
}

/* Each signs the message as it is: the signatures go before it. */
static int sign(const struct letter_source *source, struct span message, struct bytes *out,
                struct fault *fault)
{
    const struct settings *settings = source->settings;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < settings->dkim_count; i++) {
        const struct dkim_signer signer = {
            .key = settings->dkim[i].key,
            .domain = settings->dkim_domain,
            .selector = settings->dkim[i].selector,
            .time_s = source->now_ms / 1000,
        };
        rc = dkim_sign(&signer, message, out, fault);
    }
    return rc;
}

/* A Message-ID that can be recognised needs the key; without one the effect is its name. */
static int write_id(const struct letter_source *source, const struct verp_effect *effect,
                    struct bytes *id, struct fault *fault)
{
    const struct settings *settings = source->settings;
    bytes_clear(id);
    if (settings->verp_key.size > 0)
        return verp_id_write(settings->verp_key, settings->return_domain, effect, id, fault);
    bytes_printf(id, "kith.%.*s", (int)source->effect.size, source->effect.data);
    return bytes_check(id, "a Message-ID", fault);
}

static int write_all(const struct letter_source *source, const struct verp_effect *effect,
                     struct letter *letter, struct bytes *room, struct fault *fault)
{
    struct bytes message;
    int rc = write_recipient(source, letter, room, fault);
    if (rc == 0)
        rc = write_return_path(source, effect, letter, room, fault);
    if (rc == 0)
        rc = write_id(source, effect, room, fault);
    if (rc != 0)
        return rc;
    bytes_init(&message, COMPOSE_BYTES_MAX);
    rc = compose(source, bytes_get(room), letter, &message, fault);
    if (rc == 0)
        rc = sign(source, bytes_get(&message), &letter->bytes, fault);
    bytes_span(&letter->bytes, bytes_get(&message));
    bytes_deinit(&message);
    return rc == 0 ? bytes_check(&letter->bytes, "the message", fault) : rc;
}

int letter_write(const struct letter_source *source, struct letter *out_letter, struct fault *fault)
{
    struct letter *letter = out_letter;
    struct verp_effect effect = { .attempt = (uint32_t)source->attempt };
    struct bytes room;
    memset(letter, 0, sizeof *letter);
    bytes_init(&letter->bytes, COMPOSE_BYTES_MAX + SIGNATURES_BYTES_MAX);
    if (!letter_effect(source->effect, &effect.seq, &effect.n))
        return fault_set(fault, FAULT_INVALID, "the message has no id like 812.3");
    effect.expires_s = source->now_ms / 1000 + source->settings->report_s;
    bytes_init(&room, 2048);
    int rc = write_all(source, &effect, letter, &room, fault);
    bytes_deinit(&room);
    return rc;
}

void letter_deinit(struct letter *letter)
{
    bytes_deinit(&letter->bytes);
}
