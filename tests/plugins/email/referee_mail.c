/* referee_mail.c -- what the e-mail plugin makes of its input, for a program in another language
 * to judge.
 *
 *   referee_mail compose    fields in, a message out, signed if there are keys
 *   referee_mail read SIZE  a message in, fed in pieces of SIZE bytes; fields out
 *   referee_mail addresses  a list in, fields out
 *
 * Fields are `NAME SIZE` LF, SIZE bytes, LF.  A refusal is exit code 2 and its text on standard
 * error.
 */
#include "plugins/email/address.h"
#include "plugins/email/compose.h"
#include "plugins/email/dkim.h"
#include "plugins/email/fault.h"
#include "plugins/email/header.h"
#include "plugins/email/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (64u << 20)
#define KEYS_MAX 2

static void put_field(const char *name, struct span value)
{
    printf("%s %zu\n", name, value.size);
    fwrite(value.size == 0 ? "" : value.data, 1, value.size, stdout);
    printf("\n");
}

static int refuse(const struct fault *fault)
{
    fprintf(stderr, "%d %s\n", fault->code, fault->text);
    return 2;
}

static bool take_field(struct span *io_rest, struct span *out_name, struct span *out_value)
{
    struct span line;
    if (!span_line(io_rest, &line))
        return false;
    size_t blank = span_find(line, ' ');
    *out_name = (struct span){ line.data, blank };
    size_t size = (size_t)strtoull(line.data + blank, NULL, 10);
    *out_value = (struct span){ io_rest->data, size };
    *io_rest = span_from(*io_rest, size + 1);
    return true;
}

struct order {
    struct compose compose;
    struct compose_header headers[COMPOSE_HEADERS_MAX + 1];
    struct compose_attachment attachments[COMPOSE_ATTACHMENTS_MAX + 1];
    struct span pem[KEYS_MAX], selector;
    size_t key_count;
};

static void set_member(struct order *order, struct span name, struct span value)
{
    struct compose *compose = &order->compose;
    const struct {
        const char *name;
        struct span *member;
    } members[] = {
        { "id", &compose->id },
        { "domain", &compose->domain },
        { "from", &compose->from },
        { "reply_to", &compose->reply_to },
        { "to", &compose->to },
        { "subject", &compose->subject },
        { "text", &compose->text },
        { "html", &compose->html },
        { "markdown", &compose->markdown },
        { "unsubscribe_url", &compose->unsubscribe_url },
        { "unsubscribe_mail", &compose->unsubscribe_mail },
        { "header_name", &order->headers[compose->header_count].name },
        { "attachment_name", &order->attachments[compose->attachment_count].name },
        { "attachment_type", &order->attachments[compose->attachment_count].type },
        { "attachment_id", &order->attachments[compose->attachment_count].content_id },
        { "selector", &order->selector },
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (span_is(name, members[i].name))
            *members[i].member = value;
    if (span_is(name, "time"))
        compose->time_s = strtoll(value.data, NULL, 10);
    else if (span_is(name, "automatic"))
        compose->is_automatic = true;
    else if (span_is(name, "header_value") && compose->header_count <= COMPOSE_HEADERS_MAX)
        order->headers[compose->header_count++].value = value;
    else if (span_is(name, "attachment_data") &&
             compose->attachment_count <= COMPOSE_ATTACHMENTS_MAX)
        order->attachments[compose->attachment_count++].data = value;
    else if (span_is(name, "key") && order->key_count < KEYS_MAX)
        order->pem[order->key_count++] = value;
}

static int sign(const struct order *order, struct span message, struct fault *fault)
{
    struct bytes field;
    bytes_init(&field, 1u << 16);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < order->key_count; i++) {
        struct dkim_key *key = NULL;
        rc = dkim_key_open(order->pem[i], &key, fault);
        struct dkim_signer signer = { key, order->compose.domain, order->selector,
                                      order->compose.time_s };
        if (rc == 0)
            rc = dkim_sign(&signer, message, &field, fault);
        dkim_key_close(key);
    }
    if (rc == 0)
        fwrite(field.data == NULL ? "" : field.data, 1, field.size, stdout);
    bytes_deinit(&field);
    return rc;
}

static int compose(struct span input)
{
    static struct order order;
    struct span name, value;
    struct bytes out;
    struct fault fault = { 0 };
    order.compose.headers = order.headers;
    order.compose.attachments = order.attachments;
    while (take_field(&input, &name, &value))
        set_member(&order, name, value);
    bytes_init(&out, COMPOSE_BYTES_MAX);
    int rc = compose_message(&order.compose, &out, &fault);
    if (rc == 0)
        rc = sign(&order, bytes_get(&out), &fault);
    if (rc == 0)
        fwrite(out.data, 1, out.size, stdout);
    bytes_deinit(&out);
    return rc == 0 ? 0 : refuse(&fault);
}

static void put_addresses(const char *name, struct span text)
{
    static struct address list[ADDRESS_LIST_MAX];
    size_t count = 0;
    if (address_list_parse(text, list, ADDRESS_LIST_MAX, &count, NULL) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct bytes spec;
        bytes_init(&spec, 4096);
        put_field(name, span_of(list[i].name));
        address_spec(&list[i], &spec);
        put_field("spec", bytes_get(&spec));
        bytes_deinit(&spec);
    }
}

static void put_mail(const struct mail *mail)
{
    struct bytes subject;
    struct span from;
    bytes_init(&subject, 1u << 18);
    header_text(mail->header, "Subject", &subject);
    put_field("subject", bytes_get(&subject));
    bytes_deinit(&subject);
    if (header_find(mail->header, "From", &from))
        put_addresses("from", from);
    put_field("text", bytes_get(&mail->text));
    for (size_t i = 0; i < mail->attachment_count; i++) {
        char size[32];
        snprintf(size, sizeof size, "%llu", (unsigned long long)mail->attachments[i].size);
        put_field("attachment", span_of(mail->attachments[i].name));
        put_field("type", span_of(mail->attachments[i].type));
        put_field("size", span_of(size));
    }
    put_field("cut", span_of(mail->is_text_cut || mail->is_structure_cut ? "yes" : "no"));
}

static int read_mail(struct span input, size_t piece_size)
{
    static struct mail mail;
    struct fault fault = { 0 };
    mail_init(&mail);
    int rc = 0;
    while (rc == 0 && input.size > 0) {
        struct span piece = { input.data, input.size < piece_size ? input.size : piece_size };
        rc = mail_feed(&mail, piece, &fault);
        input = span_from(input, piece.size);
    }
    if (rc == 0)
        rc = mail_end(&mail, &fault);
    if (rc == 0)
        put_mail(&mail);
    mail_deinit(&mail);
    return rc == 0 ? 0 : refuse(&fault);
}

static int read_addresses(struct span input)
{
    static struct address list[ADDRESS_LIST_MAX];
    struct fault fault = { 0 };
    size_t count;
    if (address_list_parse(input, list, ADDRESS_LIST_MAX, &count, &fault) != 0)
        return refuse(&fault);
    put_addresses("name", input);
    return 0;
}

int main(int argc, char **argv)
{
    char *data = malloc(INPUT_MAX);
    if (data == NULL || argc < 2)
        return 1;
    struct span input = { data, fread(data, 1, INPUT_MAX, stdin) };
    int rc = 1;
    if (strcmp(argv[1], "compose") == 0)
        rc = compose(input);
    else if (strcmp(argv[1], "read") == 0 && argc == 3)
        rc = read_mail(input, (size_t)strtoull(argv[2], NULL, 10));
    else if (strcmp(argv[1], "addresses") == 0)
        rc = read_addresses(input);
    free(data);
    return rc;
}
