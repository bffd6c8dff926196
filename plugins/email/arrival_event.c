/* arrival_event.c -- see arrival_event.h. */
#include "arrival_event.h"

#include "address.h"
#include "charset.h"
#include "header.h"
#include "mail.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES (240u * 1024) /* an event has at most 256 KiB */
#define FIELD_BYTES_MAX 1000     /* of one header field that is kept */
#define ID_BYTES 16

/* -- Texts ------------------------------------------------------------------------------------- */

/* Valid UTF-8 of at most `size_max` bytes, no character cut. */
static struct span cut(struct span text, size_t size_max)
{
    if (text.size <= size_max)
        return text;
    size_t size = size_max;
    while (size > 0 && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return (struct span){ text.data, size };
}

static void put(struct kith_writer *w, const char *name, struct span text)
{
    if (text.size > 0)
        kith_put_text(w, name, (struct kith_text){ text.data, text.size });
}

static void put_header(struct kith_writer *w, const char *name, const struct mail *mail,
                       const char *field)
{
    struct bytes text;
    bytes_init(&text, 64u * 1024);
    if (header_text(mail->header, field, &text))
        put(w, name, cut(span_trim(bytes_get(&text)), FIELD_BYTES_MAX));
    bytes_deinit(&text);
}

static void put_from(struct kith_writer *w, const struct address *from)
{
    struct bytes spec;
    bytes_init(&spec, 1024);
    address_spec(from, &spec);
    if (from->domain[0] != '\0')
        put(w, "from", bytes_get(&spec));
    put(w, "from_name", span_of(from->name));
    bytes_deinit(&spec);
}

static void put_text(struct kith_writer *w, const struct mail *mail, size_t size_max)
{
    struct bytes clean;
    bytes_init(&clean, MAIL_TEXT_MAX * 12);
    utf8_clean(bytes_get(&mail->text), &clean);
    struct span text = span_trim(bytes_get(&clean)), shown = cut(text, size_max);
    kith_put_text(w, "text", (struct kith_text){ shown.size > 0 ? shown.data : "", shown.size });
    if (mail->is_text_cut || shown.size < text.size)
        kith_put_bool(w, "text_cut", 1);
    bytes_deinit(&clean);
}

static void put_attachments(struct kith_writer *w, const struct mail *mail)
{
    if (mail->attachment_count == 0)
        return;
    kith_open_array(w, "attachments");
    for (size_t i = 0; i < mail->attachment_count; i++) {
        const struct mail_attachment *attachment = &mail->attachments[i];
        kith_open(w, NULL);
        put(w, "name", span_of(attachment->name));
        put(w, "type", span_of(attachment->type));
        kith_put_int(w, "size", (int64_t)attachment->size);
        if (attachment->is_inline)
            kith_put_bool(w, "inline", 1);
        kith_close(w);
    }
    kith_close(w);
    if (mail->is_attachments_cut)
        kith_put_bool(w, "attachments_cut", 1);
}

/* -- The id ------------------------------------------------------------------------------------ */

static void digest_field(EVP_MD_CTX *ctx, const struct mail *mail, const char *field)
{
    struct span value;
    header_find(mail->header, field, &value);
    EVP_DigestUpdate(ctx, value.data, value.size);
    EVP_DigestUpdate(ctx, "", 1);
}

/* What the sender wrote, and not what servers on the way have added. */
static bool write_id(const struct mail *mail, char out[ARRIVAL_ID_SIZE])
{
    static const char *const fields[] = { "Message-ID", "Date", "From", "Subject" };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_made = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; is_made && i < sizeof fields / sizeof *fields; i++)
        digest_field(ctx, mail, fields[i]);
    is_made = is_made && EVP_DigestUpdate(ctx, mail->text.data, mail->text.size) == 1 &&
              EVP_DigestFinal_ex(ctx, digest, &size) == 1;
    EVP_MD_CTX_free(ctx);
    int at = snprintf(out, ARRIVAL_ID_SIZE, "mail:");
    for (size_t i = 0; is_made && i < ID_BYTES; i++)
        at += snprintf(out + at, ARRIVAL_ID_SIZE - (size_t)at, "%02x", digest[i]);
    return is_made;
}

/* -- The event --------------------------------------------------------------------------------- */

bool arrival_write_received(const struct arrival_received *received,
                            struct arrival_event *out_event)
{
    const struct mail *mail = received->mail;
    struct arrival_event *event = out_event;
    struct kith_writer w;
    memset(event, 0, sizeof *event);
    event->room = malloc(ROOM_BYTES);
    if (event->room == NULL || !write_id(mail, event->id)) {
        arrival_event_deinit(event);
        return false;
    }
    kith_begin(&w, event->room, ROOM_BYTES);
    put_from(&w, received->from);
    kith_put_string(&w, "to", received->recipient);
    put_header(&w, "subject", mail, "Subject");
    put_header(&w, "message_id", mail, "Message-ID");
    put_header(&w, "in_reply_to", mail, "In-Reply-To");
    put_header(&w, "sent", mail, "Date");
    put_text(&w, mail, received->text_max);
    put_attachments(&w, mail);
    kith_put_int(&w, "size", (int64_t)mail->size);
    if (received->effect[0] != '\0')
        kith_put_string(&w, "effect", received->effect);
    kith_put_string(&w, "proof", received->proof);
    if (received->is_shared)
        kith_put_bool(&w, "shared", 1);
    event->event = (struct kith_event){
        .size = sizeof event->event,
        .type = "email.received",
        .id = kith_text(event->id),
        .data = kith_end(&w),
    };
    return true;
}

void arrival_event_deinit(struct arrival_event *event)
{
    free(event->room);
    event->room = NULL;
}

static void write_path(const char *above, const char *reference, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    int at = snprintf(out, size, "%s", above);
    for (const char *c = reference; *c != '\0' && (size_t)at + 4 < size; c++) {
        unsigned char byte = (unsigned char)*c;
        bool is_plain = ascii_is_letter(*c) || ascii_is_digit(*c) || strchr("-._~", *c) != NULL;
        if (is_plain) {
            out[at++] = *c;
        } else {
            out[at++] = '%';
            out[at++] = digits[byte >> 4];
            out[at++] = digits[byte & 15];
        }
    }
    out[at] = '\0';
}

void arrival_customer_path(const char *reference, char *out, size_t size)
{
    write_path("/v1/customers/", reference, out, size);
}

void arrival_search_path(const char *address, char *out, size_t size)
{
    write_path("/v1/customers?limit=200&q=", address, out, size);
}

static bool has_address(struct kith_doc customer, struct span address)
{
    struct kith_iter it = kith_iter(kith_get_doc(kith_get_doc(customer, "ids"), "email"));
    while (kith_next(&it)) {
        struct kith_text its = kith_as_text(&it.value);
        if (span_equal_word((struct span){ its.data, its.size }, address))
            return true;
    }
    return false;
}

int64_t arrival_oldest(struct kith_doc found, const char *address)
{
    int64_t oldest = 0;
    for (struct kith_iter it = kith_iter(kith_get_doc(found, "items")); kith_next(&it);) {
        struct kith_doc customer = kith_as_doc(&it.value);
        int64_t id = kith_get_int(customer, "id", 0);
        if (has_address(customer, span_of(address)) && (oldest == 0 || id < oldest))
            oldest = id;
    }
    return oldest;
}
