/* settings.c -- see settings.h.
 *
 * All that can be wrong is found at the start, where an operator is looking, and not in the first
 * message at night.  Each text is copied to a block of its own, so that the settings outlive the
 * document that they came in.
 */
#include "settings.h"

#include "charset.h"
#include "dkim.h"
#include "fault.h"
#include "verp.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define ROOM_BYTES_MAX (256u * 1024)

/* -- Texts ------------------------------------------------------------------------------------- */

/* The room never moves once all is in it: it is allocated for the whole document at the start. */
static struct span keep(struct settings *settings, struct span text)
{
    size_t at = settings->room.size;
    bytes_span(&settings->room, text);
    bytes_byte(&settings->room, '\0');
    return settings->room.failed == 0 ? (struct span){ settings->room.data + at, text.size }
                                      : (struct span){ "", 0 };
}

static struct span text_of(struct kith_doc config, const char *name)
{
    struct kith_text text = kith_get_text(config, name);
    return (struct span){ text.data, text.size };
}

static struct span keep_text(struct settings *settings, struct kith_doc config, const char *name)
{
    return keep(settings, span_trim(text_of(config, name)));
}

/* NULL when it was not given. */
static const char *keep_string(struct settings *settings, struct kith_doc config, const char *name)
{
    struct span text = text_of(config, name);
    return text.size > 0 ? keep(settings, text).data : NULL;
}

/* -- The relay --------------------------------------------------------------------------------- */

/* Letters, digits, dots and hyphens: nothing that could end a line of SMTP. */
static bool is_host_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!ascii_is_letter(name.data[i]) && !ascii_is_digit(name.data[i]) &&
            name.data[i] != '.' && name.data[i] != '-')
            return false;
    return name.size > 0 && name.size <= ADDRESS_DOMAIN_MAX;
}

/* `host` with its port: a name that only begins like ours is somebody else's. */
static bool is_this_machine(struct span host)
{
    struct span name = { host.data, span_find(host, ':') };
    bool is_address = span_begins_word(name, "127.");
    for (size_t i = 0; i < name.size; i++)
        is_address = is_address && (ascii_is_digit(name.data[i]) || name.data[i] == '.');
    return is_address || span_is_word(name, "localhost") || span_begins_word(host, "[::1]");
}

static int read_tls(struct settings *settings, struct kith_doc config, struct span host,
                    struct fault *fault)
{
    static const char *const words[] = { "none", "offered", "required" };
    struct span word = text_of(config, "tls");
    settings->tls = is_this_machine(host) ? SETTINGS_TLS_NONE : SETTINGS_TLS_REQUIRED;
    if (word.size == 0)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (span_is(word, words[i])) {
            settings->tls = (enum settings_tls)i;
            return 0;
        }
    return fault_set(fault, FAULT_INVALID, "config.tls is required, offered or none");
}

static int read_relay(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct span url = span_trim(text_of(config, "smtp")), name = settings->host_name;
    bool is_tls = span_begins_word(url, "smtps://");
    struct span host = span_from(url, is_tls ? 8 : 7);
    if ((!is_tls && !span_begins_word(url, "smtp://")) || host.size == 0)
        return fault_set(fault, FAULT_INVALID, "config.smtp is smtp://HOST:PORT or smtps://...");
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] <= ' ' || host.data[i] >= 0x7f || strchr("/@?#", host.data[i]) != NULL)
            return fault_set(fault, FAULT_INVALID,
                             "config.smtp is a host and a port; who logs in is config.user");
    settings->target = strndup(url.data, url.size);
    struct bytes whole;
    bytes_init(&whole, 1024);
    bytes_printf(&whole, "%.*s/%.*s", (int)url.size, url.data, (int)name.size, name.data);
    settings->url = keep(settings, bytes_get(&whole));
    bool is_whole = whole.failed == 0 && settings->target != NULL;
    bytes_deinit(&whole);
    settings->user = keep_string(settings, config, "user");
    settings->password = keep_string(settings, config, "password");
    settings->ca_file = keep_string(settings, config, "ca");
    if (!is_whole)
        return fault_set(fault, FAULT_LIMIT, "config.smtp is too long");
    if ((settings->user == NULL) != (settings->password == NULL))
        return fault_set(fault, FAULT_INVALID, "config.user and config.password belong together");
    return read_tls(settings, config, host, fault);
}

/* -- People and domains ------------------------------------------------------------------------ */

static int named(const char *name, const struct fault *cause, struct fault *fault)
{
    return fault_set(fault, cause->code, "config.%s: %s", name, cause->text);
}

static int read_people(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct fault cause;
    struct address address;
    settings->from = keep_text(settings, config, "from");
    settings->reply_to = keep_text(settings, config, "reply_to");
    if (address_parse(settings->from, &settings->sender, &cause) != 0 ||
        address_check(&settings->sender, &cause) != 0)
        return named("from", &cause, fault);
    if (settings->reply_to.size > 0 && address_parse(settings->reply_to, &address, &cause) != 0)
        return named("reply_to", &cause, fault);
    return 0;
}

/* As an address spells it, so that both compare equal. */
static int read_domain(struct settings *settings, struct kith_doc config, const char *name,
                       struct span otherwise, struct span *out_domain, struct fault *fault)
{
    struct span text = span_trim(text_of(config, name));
    struct bytes mailbox;
    struct address address;
    struct fault cause;
    if (text.size == 0) {
        *out_domain = keep(settings, otherwise);
        return 0;
    }
    bytes_init(&mailbox, 512);
    bytes_text(&mailbox, "x@");
    bytes_span(&mailbox, text);
    int rc = address_parse(bytes_get(&mailbox), &address, &cause);
    bytes_deinit(&mailbox);
    if (rc != 0)
        return named(name, &cause, fault);
    *out_domain = keep(settings, span_of(address.domain));
    return 0;
}

static int read_domains(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct span own = span_of(settings->sender.domain);
    int rc = read_domain(settings, config, "return_domain", own, &settings->return_domain, fault);
    if (rc == 0)
        rc = read_domain(settings, config, "host_name", settings->return_domain,
                         &settings->host_name, fault);
    if (rc == 0)
        rc = read_domain(settings, config, "dkim_domain", own, &settings->dkim_domain, fault);
    settings->report_s = kith_get_int(config, "report_days", 0) * DAY_S;
    settings->verp_key = keep_text(settings, config, "verp_key");
    if (rc == 0 && !is_host_name(settings->host_name))
        rc = fault_set(fault, FAULT_INVALID, "config.host_name is no name of a machine");
    if (rc == 0 && settings->verp_key.size > 0 && settings->verp_key.size < VERP_KEY_MIN)
        rc =
            fault_set(fault, FAULT_INVALID, "config.verp_key has %zu bytes, at least %d are needed",
                      settings->verp_key.size, VERP_KEY_MIN);
    return rc;
}

/* -- Signatures -------------------------------------------------------------------------------- */

static int read_signature(struct settings *settings, struct kith_doc config, const char *selector,
                          const char *key, struct fault *fault)
{
    struct settings_dkim *dkim = &settings->dkim[settings->dkim_count];
    struct span pem = text_of(config, key);
    struct fault cause;
    dkim->selector = keep_text(settings, config, selector);
    if (pem.size == 0 && dkim->selector.size == 0)
        return 0;
    if (pem.size == 0 || dkim->selector.size == 0)
        return fault_set(fault, FAULT_INVALID, "config.%s and config.%s belong together", selector,
                         key);
    if (!is_host_name(dkim->selector))
        return fault_set(fault, FAULT_INVALID, "config.%s is no name in DNS", selector);
    if (dkim_key_open(pem, &dkim->key, &cause) != 0)
        return named(key, &cause, fault);
    settings->dkim_count++;
    return 0;
}

/* -- Lists ------------------------------------------------------------------------------------- */

static int read_headers(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct kith_iter it = kith_iter(kith_get_doc(config, "headers"));
    while (kith_next(&it)) {
        struct kith_text text = kith_as_text(&it.value);
        struct span line = keep(settings, (struct span){ text.data, text.size });
        size_t colon = span_find(line, ':');
        struct compose_header *header = &settings->headers[settings->header_count];
        struct fault cause;
        if (settings->header_count == COMPOSE_HEADERS_MAX)
            return fault_set(fault, FAULT_LIMIT, "config.headers: at most %d", COMPOSE_HEADERS_MAX);
        *header =
            (struct compose_header){ { line.data, colon }, span_trim(span_from(line, colon + 1)) };
        if (colon == line.size)
            return fault_set(fault, FAULT_INVALID, "config.headers: \"%.80s\" is no Name: value",
                             line.data);
        if (compose_header_check(header, &cause) != 0)
            return named("headers", &cause, fault);
        settings->header_count++;
    }
    return 0;
}

static int add_inbox(struct settings *settings, struct span text, struct fault *fault)
{
    struct address *address = &settings->inbox[settings->inbox_count];
    struct bytes mailbox;
    struct fault cause;
    bool is_domain = text.size > 0 && text.data[0] == '@';
    if (settings->inbox_count == SETTINGS_INBOX_MAX)
        return fault_set(fault, FAULT_LIMIT, "config.inbox: at most %d", SETTINGS_INBOX_MAX);
    bytes_init(&mailbox, 1024);
    bytes_text(&mailbox, is_domain ? "x" : "");
    bytes_span(&mailbox, text);
    int rc = address_parse(bytes_get(&mailbox), address, &cause);
    bytes_deinit(&mailbox);
    if (rc != 0)
        return named("inbox", &cause, fault);
    if (is_domain)
        address->local[0] = '\0';
    settings->inbox_count++;
    return 0;
}

static int read_inbox(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct kith_doc list = kith_get_doc(config, "inbox");
    struct kith_iter it = kith_iter(list);
    int rc = 0;
    if (list.size == 0)
        return add_inbox(settings,
                         settings->reply_to.size > 0 ? settings->reply_to : settings->from, fault);
    while (rc == 0 && kith_next(&it)) {
        struct kith_text text = kith_as_text(&it.value);
        rc = add_inbox(settings, span_trim((struct span){ text.data, text.size }), fault);
    }
    return rc;
}

static int read_incoming(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    struct span strangers = text_of(config, "strangers");
    settings->lmtp = keep_string(settings, config, "lmtp");
    settings->takes_strangers = span_is(strangers, "take");
    if (!settings->takes_strangers && strangers.size > 0 && !span_is(strangers, "refuse"))
        return fault_set(fault, FAULT_INVALID, "config.strangers is take or refuse");
    settings->charset = keep_text(settings, config, "charset");
    if (settings->charset.size > 0 && !charset_is_known(settings->charset))
        return fault_set(fault, FAULT_INVALID, "config.charset: nobody here can read \"%.*s\"",
                         settings->charset.size < 60 ? (int)settings->charset.size : 60,
                         settings->charset.data);
    if (settings->lmtp != NULL && settings->verp_key.size == 0)
        return fault_set(fault, FAULT_INVALID,
                         "config.lmtp needs config.verp_key: whatever came in could be forged");
    settings->mail_bytes_max = (uint64_t)kith_get_int(config, "mail_bytes", 0);
    return read_inbox(settings, config, fault);
}

static void read_pace(struct settings *settings, struct kith_doc config)
{
    settings->connections = (size_t)kith_get_int(config, "connections", 0);
    settings->domain_connections = (size_t)kith_get_int(config, "domain_connections", 0);
    settings->domain_rate = kith_get_int(config, "domain_rate", 0);
    settings->timeout_ms = kith_get_int(config, "timeout", 0);
}

/* -- All of it --------------------------------------------------------------------------------- */

static int read_all(struct settings *settings, struct kith_doc config, struct fault *fault)
{
    int rc = read_people(settings, config, fault);
    if (rc == 0)
        rc = read_domains(settings, config, fault);
    if (rc == 0)
        rc = read_relay(settings, config, fault);
    if (rc == 0)
        rc = read_signature(settings, config, "dkim_selector", "dkim_key", fault);
    if (rc == 0)
        rc = read_signature(settings, config, "dkim_selector_2", "dkim_key_2", fault);
    if (rc == 0)
        rc = read_headers(settings, config, fault);
    if (rc == 0)
        rc = read_incoming(settings, config, fault);
    read_pace(settings, config);
    return rc == 0 ? bytes_check(&settings->room, "the configuration", fault) : rc;
}

/* Texts point into the room, so it takes all the memory it may need before the first of them. */
static bool make_room(struct bytes *room, size_t size)
{
    static const char zeros[256];
    bytes_init(room, ROOM_BYTES_MAX);
    while (room->failed == 0 && room->size < size)
        bytes_add(room, zeros, sizeof zeros);
    room->size = 0;
    return room->failed == 0;
}

int settings_read(struct kith_doc config, struct settings **out_settings, struct fault *fault)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL)
        return fault_set(fault, FAULT_MEMORY, "no memory for the configuration");
    bool has_room = make_room(&settings->room, config.size * 2 + 4096);
    int rc = has_room ? read_all(settings, config, fault)
                      : fault_set(fault, FAULT_LIMIT, "the configuration is too large");
    if (rc != 0) {
        settings_free(settings);
        return rc;
    }
    *out_settings = settings;
    return 0;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (size_t i = 0; i < settings->dkim_count; i++)
        dkim_key_close(settings->dkim[i].key);
    bytes_deinit(&settings->room);
    free(settings->target);
    free(settings);
}

bool settings_is_inbox(const struct settings *settings, const struct address *address)
{
    for (size_t i = 0; i < settings->inbox_count; i++) {
        const struct address *inbox = &settings->inbox[i];
        bool is_domain = inbox->local[0] == '\0';
        if (is_domain ? strcmp(inbox->domain, address->domain) == 0 : address_equal(inbox, address))
            return true;
    }
    return false;
}
