/* address.c -- reading and writing mailboxes; see address.h.
 *
 * Reading goes over the text once.  What comes before "<" or "," is collected twice: as a
 * phrase, in case it turns out to be a display name, and as local part and domain, in case it
 * turns out to be the address itself.  Comments nest by a counter.
 */
#include "address.h"

#include "charset.h"
#include "fault.h"
#include "word.h"

#include <string.h>
#include <unicode/uidna.h>

struct reader {
    struct span rest;
    struct fault *fault;
};

static int refuse(const struct reader *reader, const char *why)
{
    size_t size = reader->rest.size < 40 ? reader->rest.size : 40;
    return fault_set(reader->fault, FAULT_INVALID, "address: %s at \"%.*s\"", why, (int)size,
                     size == 0 ? "" : reader->rest.data);
}

static char peek(const struct reader *reader)
{
    return reader->rest.size == 0 ? '\0' : reader->rest.data[0];
}

static void advance(struct reader *reader)
{
    reader->rest = span_from(reader->rest, 1);
}

/* Blanks, folds and comments.  A comment that is not closed is refused. */
static int skip_comments(struct reader *reader)
{
    size_t depth = 0;
    while (reader->rest.size > 0) {
        char c = peek(reader);
        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (c == '\\' && depth > 0)
            advance(reader);
        else if (depth == 0 && !ascii_is_blank(c) && c != '\r' && c != '\n')
            return 0;
        advance(reader);
    }
    return depth == 0 ? 0 : refuse(reader, "a comment is not closed");
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* RFC 5322 atext, UTF-8 (RFC 6532) and, for display names as people write them, the dot. */
static bool is_atom(char c)
{
    return (unsigned char)c >= 0x80 || c == '.' ||
           (!is_control(c) && c != ' ' && strchr("()<>[]:;@\\,\"", c) == NULL);
}

/* A quoted string, its quotes and backslashes taken off. */
static int read_quoted(struct reader *reader, struct bytes *out)
{
    for (advance(reader); reader->rest.size > 0; advance(reader)) {
        char c = peek(reader);
        if (c == '"') {
            advance(reader);
            return 0;
        }
        if (c == '\\') {
            advance(reader);
            c = peek(reader);
        }
        if (is_control(c) && c != '\t')
            return refuse(reader, "a control character inside quotes");
        bytes_byte(out, c);
    }
    return refuse(reader, "a quote is not closed");
}

/* What stands before "@", "<", ":", "," or ";": words. */
struct phrase {
    struct bytes text; /* the words with single blanks between */
    size_t word_count;
    bool is_quoted; /* the last word was */
};

/* An encoded word is one atom, whatever the program that made it left in it. */
static void read_atom(struct reader *reader, struct bytes *out)
{
    while (reader->rest.size > 0 && is_atom(peek(reader))) {
        size_t size = word_size(reader->rest);
        size = size == 0 ? 1 : size;
        bytes_add(out, reader->rest.data, size);
        reader->rest = span_from(reader->rest, size);
    }
}

static int read_phrase(struct reader *reader, struct phrase *phrase)
{
    int rc = skip_comments(reader);
    while (rc == 0 && (peek(reader) == '"' || is_atom(peek(reader))) && reader->rest.size > 0) {
        if (phrase->word_count++ > 0)
            bytes_byte(&phrase->text, ' ');
        phrase->is_quoted = peek(reader) == '"';
        if (phrase->is_quoted)
            rc = read_quoted(reader, &phrase->text);
        if (!phrase->is_quoted)
            read_atom(reader, &phrase->text);
        if (rc == 0)
            rc = skip_comments(reader);
    }
    return rc == 0 ? bytes_check(&phrase->text, "an address", reader->fault) : rc;
}

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_control(text.data[i]))
            return true;
    return false;
}

static int set_local(const struct reader *reader, const struct phrase *phrase,
                     struct address *address)
{
    struct span local = bytes_get(&phrase->text);
    if (phrase->word_count != 1)
        return refuse(reader,
                      phrase->word_count == 0 ? "nothing before \"@\"" : "blanks before \"@\"");
    if (local.size > ADDRESS_LOCAL_MAX)
        return refuse(reader, "over 64 bytes before \"@\"");
    if (local.size == 0 || has_control(local) || !utf8_is_valid(local))
        return refuse(reader, "no valid local part before \"@\"");
    memcpy(address->local, local.data, local.size);
    address->local[local.size] = '\0';
    return 0;
}

/* Letters, digits and inner hyphens in labels of at most 63 bytes, two of them at least. */
static bool is_host_name(struct span domain)
{
    size_t label = 0, label_count = 1;
    for (size_t i = 0; i < domain.size; i++) {
        char c = domain.data[i], previous = i == 0 ? '.' : domain.data[i - 1];
        bool is_edge = previous == '.';
        if (c == '.' && (is_edge || previous == '-'))
            return false;
        if (c != '.' && !ascii_is_letter(c) && !ascii_is_digit(c) && (c != '-' || is_edge))
            return false;
        label = c == '.' ? 0 : label + 1;
        label_count += c == '.';
        if (label > 63)
            return false;
    }
    return domain.size > 0 && label > 0 && label_count >= 2 && domain.data[domain.size - 1] != '-';
}

static int set_domain(const struct reader *reader, struct span domain, struct address *address)
{
    UErrorCode status = U_ZERO_ERROR;
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    char out[ADDRESS_DOMAIN_MAX + 1];
    if (domain.size == 0 || domain.size > 4 * (size_t)ADDRESS_DOMAIN_MAX || !utf8_is_valid(domain))
        return refuse(reader, "no domain behind \"@\"");
    UIDNA *idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI, &status);
    int32_t size = uidna_nameToASCII_UTF8(idna, domain.data, (int32_t)domain.size, out,
                                          sizeof out - 1, &info, &status);
    uidna_close(idna);
    if (U_FAILURE(status) || info.errors != 0 || size <= 0 || size > ADDRESS_DOMAIN_MAX ||
        !is_host_name((struct span){ out, (size_t)size }))
        return refuse(reader, "no domain name behind \"@\"");
    for (int32_t i = 0; i < size; i++)
        address->domain[i] = ascii_lower(out[i]);
    address->domain[size] = '\0';
    return 0;
}

/* "@domain", comments allowed around its words. */
static int read_domain(struct reader *reader, struct address *address)
{
    struct phrase domain = { .word_count = 0 };
    advance(reader);
    int rc = skip_comments(reader);
    if (rc == 0 && peek(reader) == '[')
        rc = refuse(reader, "an address literal instead of a domain name");
    if (rc == 0 && peek(reader) == '"')
        rc = refuse(reader, "quotes in a domain name");
    bytes_init(&domain.text, ADDRESS_TEXT_MAX);
    if (rc == 0)
        rc = read_phrase(reader, &domain);
    if (rc == 0 && domain.word_count != 1)
        rc = refuse(reader, "no single domain name behind \"@\"");
    if (rc == 0)
        rc = set_domain(reader, bytes_get(&domain.text), address);
    bytes_deinit(&domain.text);
    return rc;
}

/* "<local@domain>"; a source route, "<@a,@b:c@d>", has no local part first. */
static int read_angle(struct reader *reader, struct address *address)
{
    struct phrase local = { .word_count = 0 };
    bytes_init(&local.text, ADDRESS_TEXT_MAX);
    advance(reader);
    int rc = read_phrase(reader, &local);
    if (rc == 0 && peek(reader) != '@')
        rc = refuse(reader, "no \"@\" between the angle brackets");
    if (rc == 0)
        rc = set_local(reader, &local, address);
    if (rc == 0)
        rc = read_domain(reader, address);
    if (rc == 0 && peek(reader) != '>')
        rc = refuse(reader, "\">\" is missing");
    if (rc == 0) {
        advance(reader);
        rc = skip_comments(reader);
    }
    bytes_deinit(&local.text);
    return rc;
}

/* The display name: decoded, without controls, cut at a character when it is too long. */
static int set_name(struct span text, struct address *address, struct fault *fault)
{
    struct bytes name;
    bytes_init(&name, ADDRESS_TEXT_MAX);
    word_decode(text, &name);
    int rc = bytes_check(&name, "a display name", fault);
    struct span rest = bytes_get(&name);
    size_t size = 0;
    while (rc == 0 && rest.size > 0) {
        size_t step = utf8_size(rest);
        step = step == 0 ? 1 : step;
        if (size + step > ADDRESS_NAME_MAX)
            break;
        memcpy(address->name + size, rest.data, step);
        if (is_control(rest.data[0])) /* an encoded word can hide a line end */
            address->name[size] = ' ';
        size += step;
        rest = span_from(rest, step);
    }
    address->name[size] = '\0';
    bytes_deinit(&name);
    return rc;
}

/* One mailbox, or the beginning of a group, whose name is dropped: *out_is_group. */
static int read_mailbox(struct reader *reader, struct address *address, bool *out_is_group)
{
    struct phrase phrase = { .word_count = 0 };
    *address = (struct address){ .name = "" };
    *out_is_group = false;
    bytes_init(&phrase.text, ADDRESS_TEXT_MAX);
    int rc = read_phrase(reader, &phrase);
    if (rc == 0 && peek(reader) == '<') {
        rc = read_angle(reader, address);
        if (rc == 0)
            rc = set_name(bytes_get(&phrase.text), address, reader->fault);
    } else if (rc == 0 && peek(reader) == '@') {
        rc = set_local(reader, &phrase, address);
        if (rc == 0)
            rc = read_domain(reader, address);
    } else if (rc == 0 && peek(reader) == ':' && phrase.word_count > 0) {
        *out_is_group = true;
        advance(reader);
    } else if (rc == 0) {
        rc = refuse(reader, "no \"@\"");
    }
    bytes_deinit(&phrase.text);
    return rc;
}

/* Commas, and ends of groups, between mailboxes; empty members are allowed (RFC 5322, 4.4). */
static int skip_separators(struct reader *reader, bool *io_is_group)
{
    int rc = skip_comments(reader);
    while (rc == 0 && (peek(reader) == ',' || (peek(reader) == ';' && *io_is_group))) {
        if (peek(reader) == ';')
            *io_is_group = false;
        advance(reader);
        rc = skip_comments(reader);
    }
    return rc;
}

int address_list_parse(struct span text, struct address *out_list, size_t count_max,
                       size_t *out_count, struct fault *fault)
{
    struct reader reader = { text, fault };
    struct address address;
    size_t count = 0;
    bool is_group = false, begins_group;
    if (text.size > ADDRESS_TEXT_MAX)
        return fault_set(fault, FAULT_LIMIT, "addresses: %zu bytes, at most %u", text.size,
                         ADDRESS_TEXT_MAX);
    int rc = skip_separators(&reader, &is_group);
    while (rc == 0 && reader.rest.size > 0) {
        rc = read_mailbox(&reader, &address, &begins_group);
        if (rc != 0)
            return rc;
        if (begins_group && is_group)
            return refuse(&reader, "a group within a group");
        is_group = is_group || begins_group;
        if (!begins_group && count == count_max)
            return fault_set(fault, FAULT_LIMIT, "addresses: more than %zu", count_max);
        if (!begins_group)
            out_list[count++] = address;
        if (reader.rest.size > 0 && !begins_group && peek(&reader) != ',' &&
            !(peek(&reader) == ';' && is_group))
            return refuse(&reader, "no comma between addresses");
        rc = skip_separators(&reader, &is_group);
    }
    if (rc == 0)
        *out_count = count;
    return rc;
}

int address_parse(struct span text, struct address *out_address, struct fault *fault)
{
    struct address address;
    struct reader reader = { text, fault };
    bool is_group;
    if (text.size > ADDRESS_TEXT_MAX)
        return fault_set(fault, FAULT_LIMIT, "address: %zu bytes, at most %u", text.size,
                         ADDRESS_TEXT_MAX);
    int rc = read_mailbox(&reader, &address, &is_group);
    if (rc == 0 && (is_group || reader.rest.size > 0))
        rc = refuse(&reader, "more than one mailbox");
    if (rc == 0)
        *out_address = address;
    return rc;
}

/* Without the quotes that the author of the text may have put around a name, and without the
 * backslashes that belong to them. */
static void unquote(struct span name, struct bytes *out)
{
    bool is_quoted = name.size >= 2 && name.data[0] == '"' && name.data[name.size - 1] == '"';
    if (is_quoted)
        name = (struct span){ name.data + 1, name.size - 2 };
    for (size_t i = 0; i < name.size; i++) {
        bool is_escape = is_quoted && name.data[i] == '\\' && i + 1 < name.size &&
                         (name.data[i + 1] == '"' || name.data[i + 1] == '\\');
        i += is_escape;
        bytes_byte(out, name.data[i]);
    }
}

int address_parse_filled(struct span text, struct address *out_address, struct fault *fault)
{
    struct address address;
    struct bytes name;
    text = span_trim(text);
    size_t angle = text.size;
    while (angle > 0 && text.data[angle - 1] != '<')
        angle--;
    if (angle == 0 || text.data[text.size - 1] != '>')
        return address_parse(text, out_address, fault);
    int rc = address_parse(span_from(text, angle - 1), &address, fault);
    if (rc != 0)
        return rc;
    bytes_init(&name, ADDRESS_TEXT_MAX);
    unquote(span_trim((struct span){ text.data, angle - 1 }), &name);
    rc = bytes_check(&name, "a display name", fault);
    if (rc == 0)
        rc = set_name(bytes_get(&name), &address, fault);
    bytes_deinit(&name);
    if (rc == 0)
        *out_address = address;
    return rc;
}

int address_check(const struct address *address, struct fault *fault)
{
    if (utf8_is_ascii(span_of(address->local)))
        return 0;
    return fault_set(fault, FAULT_INVALID,
                     "address: \"%s@%s\" needs SMTPUTF8, which is not spoken here; use an address "
                     "whose part before \"@\" is ASCII",
                     address->local, address->domain);
}

/* A dot-atom needs no quotes. */
static bool is_dot_atom(struct span local)
{
    for (size_t i = 0; i < local.size; i++) {
        bool is_edge = i == 0 || i + 1 == local.size || local.data[i + 1] == '.';
        if (!is_atom(local.data[i]) || (local.data[i] == '.' && is_edge))
            return false;
    }
    return local.size > 0;
}

static void write_quoted(struct bytes *out, struct span text)
{
    bytes_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            bytes_byte(out, '\\');
        bytes_byte(out, text.data[i]);
    }
    bytes_byte(out, '"');
}

void address_spec(const struct address *address, struct bytes *out)
{
    struct span local = span_of(address->local);
    if (is_dot_atom(local))
        bytes_span(out, local);
    else
        write_quoted(out, local);
    bytes_byte(out, '@');
    bytes_text(out, address->domain);
}

/* Words of letters, digits and what else an atom may have stand as they are. */
static bool is_plain_phrase(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        bool is_blank =
            name.data[i] == ' ' && i > 0 && i + 1 < name.size && name.data[i + 1] != ' ';
        if (!is_blank && (!is_atom(name.data[i]) || name.data[i] == '.'))
            return false;
    }
    return true;
}

static void write_name(struct span name, struct bytes *out, size_t *io_column)
{
    size_t begin = out->size;
    if (word_is_needed(name) || name.size > HEADER_COLUMNS / 2) {
        word_encode(out, name, io_column);
        return;
    }
    if (is_plain_phrase(name))
        bytes_span(out, name);
    else
        write_quoted(out, name);
    *io_column += out->size - begin;
}

/* A blank, or a fold where the next `size` columns have no room. */
static void separate(struct bytes *out, size_t size, size_t *io_column)
{
    bool has_room = *io_column + 1 + size <= HEADER_COLUMNS;
    bytes_text(out, has_room ? " " : "\r\n ");
    *io_column = has_room ? *io_column + 1 : 1;
}

void address_list_write(const struct address *list, size_t count, struct bytes *out,
                        size_t *io_column)
{
    for (size_t i = 0; i < count; i++) {
        struct span name = span_of(list[i].name);
        size_t spec_size = strlen(list[i].local) + strlen(list[i].domain) + 5;
        size_t name_size = name.size > HEADER_COLUMNS / 2 ? 24 : name.size + 2;
        if (i > 0)
            bytes_byte(out, ',');
        separate(out, name.size > 0 ? name_size : spec_size, io_column);
        if (name.size > 0) {
            write_name(name, out, io_column);
            separate(out, spec_size, io_column);
        }
        size_t begin = out->size;
        bytes_text(out, name.size > 0 ? "<" : "");
        address_spec(&list[i], out);
        bytes_text(out, name.size > 0 ? ">" : "");
        *io_column += out->size - begin;
    }
}

bool address_equal(const struct address *a, const struct address *b)
{
    return span_equal_word(span_of(a->local), span_of(b->local)) &&
           span_is(span_of(a->domain), b->domain);
}
