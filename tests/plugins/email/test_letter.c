/* test_letter.c -- what letter.h and settings.h promise: envelope, fields, and what never becomes a
 * header.
 */
#include "plugins/email/letter.h"

#include "plugins/email/fault.h"
#include "plugins/email/verp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct settings *settings;
static char config_room[4096], message_room[16384];
static struct fault fault;

/* -- Writing what the host would give ---------------------------------------------------------- */

static struct kith_doc config_of(const char *name, const char *value)
{
    struct kith_writer w;
    kith_begin(&w, config_room, sizeof config_room);
    if (strcmp(name, "smtp") != 0)
        kith_put_string(&w, "smtp", "smtp://relay.example:587");
    if (strcmp(name, "from") != 0)
        kith_put_string(&w, "from", "Care <care@Shop.example>");
    kith_put_string(&w, "verp_key", "0123456789abcdef");
    kith_put_int(&w, "report_days", 30);
    kith_put_int(&w, "connections", 10);
    kith_put_int(&w, "domain_connections", 0);
    kith_put_int(&w, "domain_rate", 0);
    kith_put_int(&w, "timeout", 60000);
    kith_put_int(&w, "mail_bytes", 1 << 20);
    kith_open_array(&w, "headers");
    kith_put_string(&w, NULL, "X-Shop: north");
    kith_close(&w);
    if (name[0] != '\0')
        kith_put_string(&w, name, value);
    return kith_end(&w);
}

static int read_config(const char *name, const char *value)
{
    settings_free(settings);
    settings = NULL;
    fault.text[0] = '\0';
    return settings_read(config_of(name, value), &settings, &fault);
}

static void begin_message(struct kith_writer *w)
{
    kith_begin(w, message_room, sizeof message_room);
    kith_put_string(w, "id", "812.3");
    kith_put_string(w, "address", "ann@Example.com");
    kith_put_string(w, "body", "Hello *Ann*");
}

static int write_letter(struct kith_doc message, struct letter *out_letter)
{
    const struct letter_source source = {
        .settings = settings,
        .effect = kith_text("812.3"),
        .attempt = 2,
        .message = message,
        .now_ms = 1700000000000,
    };
    return letter_write(&source, out_letter, &fault);
}

static int set_up(void **state)
{
    (void)state;
    return read_config("", "");
}

static int tear_down(void **state)
{
    (void)state;
    settings_free(settings);
    settings = NULL;
    return 0;
}

/* A message whose `email` has one field. */
static struct kith_doc with_field(const char *name, const char *value)
{
    struct kith_writer w;
    begin_message(&w);
    kith_open(&w, "data");
    kith_open(&w, "email");
    kith_put_string(&w, "subject", "Hi");
    kith_put_string(&w, name, value);
    kith_close(&w);
    kith_close(&w);
    return kith_end(&w);
}

static bool has(const struct letter *letter, const char *text)
{
    return memmem(letter->bytes.data, letter->bytes.size, text, strlen(text)) != NULL;
}

/* -- Tests ------------------------------------------------------------------------------------- */

static void the_envelope_belongs_to_the_message(void **state)
{
    (void)state;
    struct letter letter;
    struct verp_effect effect;
    assert_int_equal(write_letter(with_field("x-a", "1"), &letter), 0);
    assert_string_equal(letter.recipient, "<ann@example.com>");
    assert_string_equal(letter.domain, "example.com");
    struct span path = { letter.return_path + 1, strlen(letter.return_path) - 2 };
    assert_int_equal(
        verp_read(settings->verp_key, settings->return_domain, path, 1700000000, &effect),
        VERP_VALID);
    assert_int_equal(effect.seq, 812);
    assert_int_equal(effect.n, 3);
    assert_int_equal(effect.attempt, 2);
    assert_int_equal(verp_read(settings->verp_key, settings->return_domain, path,
                               1700000000 + 32 * 86400, &effect),
                     VERP_STALE);
    letter_deinit(&letter);
}

static void fields_come_from_the_template_or_from_email(void **state)
{
    (void)state;
    struct letter letter;
    struct kith_writer w;
    assert_int_equal(write_letter(with_field("x-campaign", "spring"), &letter), 0);
    assert_true(has(&letter, "Subject: Hi\r\n") && has(&letter, "x-campaign: spring\r\n"));
    assert_true(has(&letter, "X-Shop: north\r\n") &&
                has(&letter, "From: Care <care@shop.example>"));
    letter_deinit(&letter);
    begin_message(&w);
    kith_put_string(&w, "template", "hello");
    kith_put_string(&w, "subject", "From the template");
    kith_put_string(&w, "x-shop", "south");
    kith_open(&w, "data"); /* what an event brought in */
    kith_open(&w, "email");
    kith_put_string(&w, "subject", "evil");
    kith_put_string(&w, "from", "eve@example.com");
    kith_put_string(&w, "x-evil", "1");
    kith_close(&w);
    kith_put_string(&w, "reply_to", "eve@example.com");
    kith_close(&w);
    assert_int_equal(write_letter(kith_end(&w), &letter), 0);
    assert_true(has(&letter, "Subject: From the template\r\n"));
    assert_false(has(&letter, "evil") || has(&letter, "eve@"));
    assert_true(has(&letter, "x-shop: south\r\n") && !has(&letter, "north"));
    letter_deinit(&letter);
}

static void only_a_message_id_is_answered(void **state)
{
    (void)state;
    char longest[1000], longer[1000]; /* that a line of their own takes, behind its blank */
    snprintf(longest, sizeof longest, "<%0*d@x>", 993, 1);
    snprintf(longer, sizeof longer, "<%0*d@x>", 994, 1);
    const struct {
        const char *id;
        bool is_one;
    } rows[] = {
        { "<1.a_b=c@mail.example>", true },
        { "<1@[127.0.0.1]>", true },
        { longest, true },
        { longer, false },
        { "<\u00e9@x>", false },
        { "<1@\u4f8b.example>", false },
        { "<=?utf-8?q?x?=@x>", false },
        { "<a b@x>", false },
        { "1@x", false },
        { "<1x>", false },
        { "<@x>", false },
        { "<1@>", false },
        { "<1@x> (Ann)", false },
        { "<1@x> <2@x>", false },
        { "<1@x", false },
        { "\"<1@x>\"", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct letter letter;
        char answered[1100];
        assert_int_equal(write_letter(with_field("in_reply_to", rows[i].id), &letter), 0);
        for (size_t j = 0; j < 2; j++) {
            snprintf(answered, sizeof answered, "%s:%s %s\r\n", j ? "References" : "In-Reply-To",
                     rows[i].id == longest ? "\r\n" : "", rows[i].id);
            assert_int_equal(has(&letter, answered), rows[i].is_one);
        }
        assert_int_equal(has(&letter, "In-Reply-To"), rows[i].is_one);
        assert_int_equal(has(&letter, "References"), rows[i].is_one);
        letter_deinit(&letter);
    }
}

static void header_injection_is_refused_in_every_field(void **state)
{
    (void)state;
    static const char *const names[] = {
        "subject", "from", "reply_to", "cc", "x-a", "in_reply_to"
    };
    static const char *const values[] = { "a@b.example\r\nBcc: eve@example.com",
                                          "a@b.example\nBcc: eve@example.com",
                                          "a@b.example\rBcc: eve@example.com" };
    struct letter letter;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            struct kith_writer w;
            begin_message(&w);
            kith_put_string(&w, "template", "hello");
            if (i != 0)
                kith_put_string(&w, "subject", "Hi");
            kith_put_string(&w, names[i], values[j]);
            assert_int_equal(write_letter(kith_end(&w), &letter), FAULT_INVALID);
            letter_deinit(&letter);
        }
}

static void nobody_gets_a_copy(void **state)
{
    (void)state;
    struct letter letter;
    assert_int_equal(write_letter(with_field("cc", "boss@shop.example"), &letter), FAULT_INVALID);
    assert_non_null(strstr(fault.text, "cc: a message goes to its customer"));
    letter_deinit(&letter);
    assert_int_equal(write_letter(with_field("cc", " "), &letter), 0);
    letter_deinit(&letter);
}

static void a_link_that_unsubscribes_is_one_click(void **state)
{
    (void)state;
    static const char *const urls[] = { "https://crm.example/v1/u/abc",
                                        "http://crm.example/v1/u/abc" };
    for (size_t i = 0; i < 2; i++) {
        struct letter letter;
        struct kith_writer w;
        begin_message(&w);
        kith_put_string(&w, "template", "hello");
        kith_put_string(&w, "subject", "Hi");
        kith_open(&w, "links");
        kith_put_string(&w, "unsubscribe", urls[i]);
        kith_close(&w);
        assert_int_equal(write_letter(kith_end(&w), &letter), 0);
        assert_int_equal(has(&letter, "List-Unsubscribe: <https://crm.example/v1/u/abc>\r\n"),
                         i == 0);
        assert_int_equal(has(&letter, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
                         i == 0);
        letter_deinit(&letter);
    }
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    struct letter letter;
    struct kith_writer w;
    begin_message(&w);
    assert_int_equal(write_letter(kith_end(&w), &letter), FAULT_INVALID);
    assert_non_null(strstr(fault.text, "no subject"));
    letter_deinit(&letter);
    kith_begin(&w, message_room, sizeof message_room);
    kith_put_string(&w, "address", "nobody");
    assert_int_equal(write_letter(kith_end(&w), &letter), FAULT_INVALID);
    assert_non_null(strstr(fault.text, "the customer's address"));
    letter_deinit(&letter);
}

static void an_effect_is_two_numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "1", "1.", ".1", "1.2.3", "-1.2", "1.x", "1.4294967296", "99999999999999999999.1"
    };
    uint64_t seq;
    uint32_t n;
    assert_true(letter_effect(kith_text("812.3"), &seq, &n) && seq == 812 && n == 3);
    assert_true(letter_effect(kith_text("9223372036854775807.4294967295"), &seq, &n));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(letter_effect(kith_text(wrong[i]), &seq, &n));
}

static void the_configuration_is_checked_at_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } wrong[] = {
        { "smtp", "relay.example" },
        { "smtp", "smtp://" },
        { "smtp", "smtp://a/b" },
        { "smtp", "smtp://a\r\nMAIL" },
        { "from", "" },
        { "from", "a@b.example, c@d.example" },
        { "reply_to", "x" },
        { "tls", "yes" },
        { "user", "care" },
        { "password", "x" },
        { "return_domain", "a b" },
        { "host_name", "a\r\nb" },
        { "dkim_selector", "a" },
        { "dkim_key", "x" },
        { "strangers", "x" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(read_config(wrong[i].name, wrong[i].value), FAULT_INVALID);
        char field[64];
        snprintf(field, sizeof field, "config.%s", wrong[i].name);
        assert_non_null(strstr(fault.text, field));
    }
}

static void tls_is_needed_unless_the_relay_is_this_machine(void **state)
{
    (void)state;
    assert_int_equal(read_config("smtp", "smtp://relay.example:25"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_REQUIRED);
    assert_int_equal(read_config("smtp", "smtp://127.0.0.1:25"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_NONE);
    assert_int_equal(read_config("smtp", "smtp://LOCALHOST"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_NONE);
    assert_int_equal(read_config("smtp", "smtp://localhost.evil.example"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_REQUIRED);
    assert_int_equal(read_config("smtp", "smtp://127.evil.example:25"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_REQUIRED);
    assert_int_equal(read_config("tls", "offered"), 0);
    assert_int_equal(settings->tls, SETTINGS_TLS_OFFERED);
    assert_string_equal(settings->url.data, "smtp://relay.example:587/shop.example");
}

static void an_inbox_is_an_address_or_a_domain(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse(span_of("CARE@shop.example"), &address, &fault), 0);
    assert_true(settings_is_inbox(settings, &address));
    assert_int_equal(address_parse(span_of("boss@shop.example"), &address, &fault), 0);
    assert_false(settings_is_inbox(settings, &address));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_envelope_belongs_to_the_message),
        TEST(fields_come_from_the_template_or_from_email),
        TEST(only_a_message_id_is_answered),
        TEST(header_injection_is_refused_in_every_field),
        TEST(nobody_gets_a_copy),
        TEST(a_link_that_unsubscribes_is_one_click),
        TEST(what_is_missing_is_named),
        TEST(an_effect_is_two_numbers),
        TEST(the_configuration_is_checked_at_the_start),
        TEST(tls_is_needed_unless_the_relay_is_this_machine),
        TEST(an_inbox_is_an_address_or_a_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
