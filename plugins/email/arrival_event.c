/* arrival_event.c -- see arrival_event.h. */
#include "arrival_event.h"

#include "address.h"
#include "charset.h"
#include "fault.h"
#include "header.h"
#include "mail.h"
#include "settings.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BYTES (240u * 1024) /* an event has at most 256 KiB */
#define FIELD_BYTES_MAX 1000     /* of one header field that is kept */
#define ID_BYTES 16
#define OTHERS_BYTES_MAX 4096 /* of recipients who are not of this house */

/* Whom a mail is for.  Who is in no field of the header has it by a blind copy or an alias. */
struct recipients {
    struct address named[ADDRESS_LIST_MAX * 2]; /* To and Cc */
    struct address hidden[LMTP_RECIPIENTS_MAX]; /* of the envelope, sorted */
    size_t named_count, hidden_count;
};

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

/* An encoded word may have anything in it, also ends of lines, which no field of an answer can. */
static void make_line(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
}

/* Whether there is such a field: as one line. */
static bool read_line(const struct mail *mail, const char *field, struct bytes *out)
{
    bytes_init(out, 64u * 1024);
    if (!header_text(mail->header, field, out))
        return false;
    make_line(out->data, out->size);
    return true;
}

static void put_header(struct kith_writer *w, const char *name, const struct mail *mail,
                       const char *field)
{
    struct bytes text;
    if (read_line(mail, field, &text))
        put(w, name, cut(span_trim(bytes_get(&text)), FIELD_BYTES_MAX));
    bytes_deinit(&text);
}

/* The first Message-ID of `field`, else the last one of `other` ("": none), else what `field`
 * says. */
static void put_id(struct kith_writer *w, const char *name, const struct mail *mail,
                   const char *field, const char *other)
{
    struct bytes text, others;
    struct span rest, id, next;
    read_line(mail, field, &text);
    read_line(mail, other, &others);
    rest = bytes_get(&text);
    if (!header_next_id(&rest, &id)) {
        id = span_trim(bytes_get(&text));
        for (rest = bytes_get(&others); header_next_id(&rest, &next);)
            id = next;
    }
    put(w, name, cut(id, FIELD_BYTES_MAX));
    bytes_deinit(&text);
    bytes_deinit(&others);
}

static void put_from(struct kith_writer *w, const struct address *from)
{
    struct bytes spec;
    bytes_init(&spec, 1024);
    address_spec(from, &spec);
    if (from->domain[0] != '\0')
        put(w, "from", bytes_get(&spec));
    char name[sizeof from->name];
    memcpy(name, from->name, sizeof name);
    make_line(name, strlen(name));
    put(w, "from_name", span_of(name));
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

/* -- Recipients -------------------------------------------------------------------------------- */

static bool is_among(const struct address *address, const struct address *list, size_t count)
{
    size_t i = 0;
    while (i < count && !address_equal(address, &list[i]))
        i++;
    return i < count;
}

static void read_named(const struct mail *mail, const char *field, struct recipients *recipients)
{
    struct span value;
    struct fault fault;
    size_t count = 0;
    if (header_find(mail->header, field, &value) &&
        address_list_parse(value, recipients->named + recipients->named_count, ADDRESS_LIST_MAX,
                           &count, &fault) == 0)
        recipients->named_count += count;
}

static int compare(const void *a, const void *b)
{
    const struct address *one = a, *other = b;
    int domains = strcmp(one->domain, other->domain);
    return domains != 0 ? domains : strcmp(one->local, other->local);
}

static struct recipients *read_recipients(const struct arrival_received *received)
{
    struct recipients *recipients = calloc(1, sizeof *recipients);
    struct fault fault;
    if (recipients == NULL)
        return NULL;
    read_named(received->mail, "To", recipients);
    read_named(received->mail, "Cc", recipients);
    for (size_t i = 0; i < received->envelope->recipient_count; i++) {
        struct address *one = &recipients->hidden[recipients->hidden_count];
        if (address_parse(span_of(received->envelope->recipients[i]), one, &fault) != 0 ||
            is_among(one, recipients->named, recipients->named_count) ||
            is_among(one, recipients->hidden, recipients->hidden_count))
            continue;
        for (char *c = one->local; *c != '\0'; c++)
            *c = ascii_lower(*c);
        recipients->hidden_count++;
    }
    qsort(recipients->hidden, recipients->hidden_count, sizeof *recipients->hidden, compare);
    return recipients;
}

static size_t put_address(struct kith_writer *w, const struct address *address)
{
    struct bytes spec;
    bytes_init(&spec, 1024);
    address_spec(address, &spec);
    size_t size = spec.failed == 0 ? spec.size : 0;
    put(w, NULL, (struct span){ spec.data, size });
    bytes_deinit(&spec);
    return size;
}

/* All of this house, and of others as many as there is room for. */
static void put_recipients(struct kith_writer *w, const struct recipients *recipients,
                           const struct settings *settings)
{
    size_t others = 0;
    kith_open_array(w, "recipients");
    for (size_t i = 0; i < recipients->hidden_count; i++)
        put_address(w, &recipients->hidden[i]);
    for (size_t i = 0; i < recipients->named_count; i++) {
        const struct address *one = &recipients->named[i];
        if (is_among(one, recipients->named, i))
            continue;
        if (settings_is_inbox(settings, one))
            put_address(w, one);
        else if (others < OTHERS_BYTES_MAX)
            others += put_address(w, one);
    }
    kith_close(w);
}

/* -- The id ------------------------------------------------------------------------------------ */

static void digest_field(EVP_MD_CTX *ctx, const struct mail *mail, const char *field)
{
    struct span value;
    header_find(mail->header, field, &value);
    EVP_DigestUpdate(ctx, value.data, value.size);
    EVP_DigestUpdate(ctx, "", 1);
}

static void digest_hidden(EVP_MD_CTX *ctx, const struct recipients *recipients)
{
    for (size_t i = 0; i < recipients->hidden_count; i++) {
        const struct address *one = &recipients->hidden[i];
        EVP_DigestUpdate(ctx, one->local, strlen(one->local) + 1);
        EVP_DigestUpdate(ctx, one->domain, strlen(one->domain) + 1);
    }
}

/* What the sender wrote, and not what servers on the way have added.  Copies for those whom the
 * header names are one mail, however they come, for any of them says so; a copy for somebody else
 * is one of its own, or nobody would know that it went there. */
static bool write_id(const struct mail *mail, const struct recipients *recipients,
                     char out[ARRIVAL_ID_SIZE])
{
    static const char *const fields[] = { "Message-ID", "Date", "From", "Subject" };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_made = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; is_made && i < sizeof fields / sizeof *fields; i++)
        digest_field(ctx, mail, fields[i]);
    if (is_made)
        digest_hidden(ctx, recipients);
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
    struct recipients *recipients = read_recipients(received);
    event->room = malloc(ROOM_BYTES);
    if (event->room == NULL || recipients == NULL || !write_id(mail, recipients, event->id)) {
        free(recipients);
        arrival_event_deinit(event);
        return false;
    }
    kith_begin(&w, event->room, ROOM_BYTES);
    put_from(&w, received->from);
    kith_put_string(&w, "to", received->envelope->recipients[received->index]);
    put_recipients(&w, recipients, received->settings);
    free(recipients);
    put_header(&w, "subject", mail, "Subject");
    put_id(&w, "message_id", mail, "Message-ID", "");
    put_id(&w, "in_reply_to", mail, "In-Reply-To", "References");
    put_header(&w, "sent", mail, "Date");
    put_text(&w, mail, received->text_max);
    put_attachments(&w, mail);
    kith_put_int(&w, "size", (int64_t)mail->size);
    if (received->effect[0] != '\0')
        kith_put_string(&w, "effect", received->effect);
    kith_put_string(&w, "proof", received->proof);
    if (received->is_shared)
        kith_put_bool(&w, "shared", 1);
    if (received->is_list)
        kith_put_bool(&w, "list", 1);
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
