/* compose.c -- the header of a message, and the checks of all that goes into it; its body is
 * compose_body.c.  See compose.h.
 */
#include "compose.h"

#include "address.h"
#include "compose_body.h"
#include "fault.h"
#include "field.h"
#include "word.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_MAX 253402300799 /* the last second of 9999: Date has four digits for the year */

/* Written here or by servers: a second one would contradict the first. */
static const char *const reserved[] = {
    "Bcc",
    "Cc",
    "Date",
    "DKIM-Signature",
    "From",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Message-ID",
    "MIME-Version",
    "Received",
    "Reply-To",
    "Return-Path",
    "Subject",
    "To",
};

static bool is_dot_atom(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool is_edge = i == 0 || i + 1 == text.size || text.data[i - 1] == '.';
        bool is_atom = ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '+';
        if (!is_atom && (c != '.' || is_edge))
            return false;
    }
    return text.size > 0;
}

int compose_header_check(const struct compose_header *header, struct fault *fault)
{
    int rc = field_check_name(header->name, fault);
    if (rc == 0)
        rc = field_check_value(header->name, header->value, fault);
    if (rc != 0)
        return rc;
    bool is_reserved = span_begins_word(header->name, "Content-");
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        is_reserved = is_reserved || span_is_word(header->name, reserved[i]);
    if (is_reserved)
        return fault_set(fault, FAULT_INVALID,
                         "header %.*s is written by the channel itself; take it out",
                         (int)header->name.size, header->name.data);
    return 0;
}

/* What may stand between angle brackets in List-Unsubscribe. */
static int check_url(struct span url, const char *scheme, struct fault *fault)
{
    for (size_t i = 0; i < url.size; i++)
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f || strchr("<>\",", url.data[i]) != NULL)
            return fault_set(fault, FAULT_INVALID, "unsubscribe: character %zu cannot be in a URL",
                             i + 1);
    if (url.size > 0 && (!span_begins_word(url, scheme) || url.size > 900))
        return fault_set(fault, FAULT_INVALID, "unsubscribe: not a %s URL of at most 900 bytes",
                         scheme);
    return 0;
}

static int check_headers(const struct compose *compose, struct fault *fault)
{
    if (compose->header_count > COMPOSE_HEADERS_MAX)
        return fault_set(fault, FAULT_LIMIT, "%zu headers, at most %d", compose->header_count,
                         COMPOSE_HEADERS_MAX);
    for (size_t i = 0; i < compose->header_count; i++) {
        int rc = compose_header_check(&compose->headers[i], fault);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int check(const struct compose *compose, struct fault *fault)
{
    if (compose->id.size > COMPOSE_ID_MAX || compose->domain.size > COMPOSE_ID_MAX * 2 ||
        !is_dot_atom(compose->id) || !is_dot_atom(compose->domain))
        return fault_set(fault, FAULT_INVALID, "Message-ID: no id or no domain that can be in it");
    if (compose->time_s < 0 || compose->time_s > TIME_MAX)
        return fault_set(fault, FAULT_INVALID, "Date: not between the years 1970 and 9999");
    int rc = field_check_value(span_of("Subject"), compose->subject, fault);
    if (rc == 0)
        rc = check_headers(compose, fault);
    if (rc == 0)
        rc = check_url(compose->unsubscribe_url, "https://", fault);
    if (rc == 0)
        rc = check_url(compose->unsubscribe_mail, "mailto:", fault);
    return rc == 0 ? compose_body_check(compose, fault) : rc;
}

static int refuse_field(const char *name, const struct fault *cause, struct fault *fault)
{
    return fault_set(fault, cause->code, "%s: %s", name, cause->text);
}

enum people { PEOPLE_ONE, PEOPLE_ONE_OR_PLAIN, PEOPLE_LIST };

/* A customer's name may stand in it, and must not bring addresses along: so a name is that of one
 * mailbox, and a list is of addresses without names. */
static int read_filled(struct span text, enum people people, struct address *list,
                       size_t *out_count, struct fault *fault)
{
    text = span_trim(text);
    *out_count = 1;
    if (people == PEOPLE_ONE || (text.size > 0 && text.data[text.size - 1] == '>'))
        return address_parse_filled(text, list, fault);
    if (span_find(text, '<') < text.size)
        return fault_set(fault, FAULT_INVALID, "several addresses stand without names");
    return address_list_parse(text, list, ADDRESS_LIST_MAX, out_count, fault);
}

/* `list` has room for ADDRESS_LIST_MAX. */
static int write_addresses(struct bytes *out, const char *name, struct span text,
                           enum people people, struct address *list, struct fault *fault)
{
    size_t count = 0, column = strlen(name) + 1;
    struct fault cause;
    int rc = field_check_value(span_of(name), text, fault);
    if (rc != 0)
        return rc;
    rc = people == PEOPLE_LIST ? address_list_parse(text, list, ADDRESS_LIST_MAX, &count, &cause)
                               : read_filled(text, people, list, &count, &cause);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = address_check(&list[i], &cause);
    if (rc != 0)
        return refuse_field(name, &cause, fault);
    if (count == 0)
        return fault_set(fault, FAULT_INVALID, "%s: no address", name);
    bytes_printf(out, "%s:", name);
    address_list_write(list, count, out, &column);
    bytes_text(out, "\r\n");
    return 0;
}

static int write_people(const struct compose *compose, struct bytes *out, struct fault *fault)
{
    const struct {
        const char *name;
        struct span text;
        enum people people;
    } fields[] = {
        { "From", compose->from, PEOPLE_ONE },
        { "Reply-To", compose->reply_to, PEOPLE_ONE_OR_PLAIN },
        { "To", compose->to, PEOPLE_LIST },
    };
    struct address *list = calloc(ADDRESS_LIST_MAX, sizeof *list);
    if (list == NULL)
        return fault_set(fault, FAULT_MEMORY, "no memory for addresses");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof fields / sizeof *fields; i++)
        if (fields[i].people != PEOPLE_ONE_OR_PLAIN || fields[i].text.size > 0)
            rc =
                write_addresses(out, fields[i].name, fields[i].text, fields[i].people, list, fault);
    free(list);
    return rc;
}

/* RFC 5322, section 3.3, in UTC. */
static void write_date(struct bytes *out, int64_t time_s)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)time_s;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    bytes_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
                 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* RFC 2369 and, with an https URL, RFC 8058. */
static void write_unsubscribe(const struct compose *compose, struct bytes *out)
{
    struct span url = compose->unsubscribe_url, mail = compose->unsubscribe_mail;
    if (url.size == 0 && mail.size == 0)
        return;
    bytes_text(out, "List-Unsubscribe:");
    if (url.size > 0) {
        bytes_text(out, url.size > 50 ? "\r\n <" : " <");
        bytes_span(out, url);
        bytes_text(out, mail.size > 0 ? ">," : ">");
    }
    if (mail.size > 0) {
        bytes_text(out, "\r\n <");
        bytes_span(out, mail);
        bytes_text(out, ">");
    }
    bytes_text(out, "\r\n");
    if (url.size > 0)
        bytes_text(out, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
}

static bool has_header(const struct compose *compose, const char *name)
{
    for (size_t i = 0; i < compose->header_count; i++)
        if (span_is_word(compose->headers[i].name, name))
            return true;
    return false;
}

int compose_message(const struct compose *compose, struct bytes *out, struct fault *fault)
{
    int rc = check(compose, fault);
    if (rc != 0)
        return rc;
    write_date(out, compose->time_s);
    rc = write_people(compose, out, fault);
    if (rc != 0)
        return rc;
    field_add(out, span_of("Subject"), compose->subject);
    bytes_text(out, "Message-ID: <");
    bytes_span(out, compose->id);
    bytes_byte(out, '@');
    bytes_span(out, compose->domain);
    bytes_text(out, ">\r\n");
    write_unsubscribe(compose, out);
    if (compose->is_automatic && !has_header(compose, "Auto-Submitted"))
        bytes_text(out, "Auto-Submitted: auto-generated\r\n");
    for (size_t i = 0; i < compose->header_count; i++)
        field_add(out, compose->headers[i].name, compose->headers[i].value);
    bytes_text(out, "MIME-Version: 1.0\r\n");
    rc = compose_body_write(compose, out, fault);
    return rc == 0 ? bytes_check(out, "the message", fault) : rc;
}
