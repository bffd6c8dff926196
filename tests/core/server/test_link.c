/* test_link.c -- tokens of signed links: what was sealed is read, and nothing else is. */
#include "core/server/link.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OLD "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define NEW "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe0e1e2e3e4e5e6e7e8e9eaebecedeeef\n"

static struct link_keys keys_of(const char *text)
{
    struct link_keys keys;
    struct err err;
    if (link_keys_parse(text, strlen(text), &keys, &err) != 0)
        fail_msg("%s", err.text);
    return keys;
}

static struct link survey(struct buf *data)
{
    struct doc_writer w;
    doc_begin(&w, data);
    doc_put_string(&w, "note", "private matter");
    return (struct link){
        .kind = LINK_EVENT,
        .customer = 42,
        .expires = 1795169472000,
        .nonce = text_of("17.1"),
        .title = text_of("Were you satisfied?"),
        .type = text_of("Survey Answered"),
        .data = doc_end(&w),
    };
}

static struct link unsubscribe(void)
{
    return (struct link){
        .kind = LINK_WITHDRAW,
        .customer = 7,
        .expires = 1,
        .nonce = text_of("x"),
        .purpose = text_of("newsletter"),
        .channel = text_of("email"),
    };
}

static const char *seal(const char *secrets, const struct link *link, struct buf *out)
{
    struct link_keys keys = keys_of(secrets);
    link_seal(&keys, link, out);
    return buf_string(out);
}

static int reading(const char *secrets, const char *token, size_t size)
{
    struct link_keys keys = keys_of(secrets);
    struct buf plain = BUF_INIT;
    struct link link;
    struct err err;
    int rc = link_open(&keys, (struct text){ token, (uint32_t)size }, &plain, &link, &err);
    buf_deinit(&plain);
    return rc;
}

static void what_was_sealed_is_read(void **state)
{
    struct buf data = BUF_INIT, token = BUF_INIT, plain = BUF_INIT;
    struct link made = survey(&data), read;
    struct link_keys keys = keys_of(OLD);
    struct err err;
    (void)state;
    link_seal(&keys, &made, &token);
    struct text text = { (const char *)token.data, (uint32_t)token.size };
    assert_int_equal(link_open(&keys, text, &plain, &read, &err), 0);
    assert_int_equal(read.kind, LINK_EVENT);
    assert_int_equal(read.customer, 42);
    assert_int_equal(read.expires, made.expires);
    assert_true(text_is(read.nonce, "17.1"));
    assert_true(text_is(read.title, "Were you satisfied?"));
    assert_true(text_is(read.type, "Survey Answered"));
    assert_true(text_is(doc_text(read.data, "note"), "private matter"));
    assert_int_equal(read.purpose.size, 0);
    made = unsubscribe();
    buf_clear(&token);
    link_seal(&keys, &made, &token);
    text = (struct text){ (const char *)token.data, (uint32_t)token.size };
    assert_int_equal(link_open(&keys, text, &plain, &read, &err), 0);
    assert_int_equal(read.kind, LINK_WITHDRAW);
    assert_true(text_is(read.purpose, "newsletter"));
    assert_true(text_is(read.channel, "email"));
    assert_null(read.data.data);
    buf_deinit(&data);
    buf_deinit(&token);
    buf_deinit(&plain);
}

static void a_token_is_made_of_what_a_path_takes_as_it_is(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_";
    struct buf token = BUF_INIT;
    struct link link = unsubscribe();
    (void)state;
    const char *text = seal(OLD, &link, &token);
    assert_int_equal(strspn(text, letters), token.size);
    buf_deinit(&token);
}

static void the_same_link_has_the_same_token_and_id(void **state)
{
    struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
    char id[LINK_ID_SIZE], other[LINK_ID_SIZE];
    struct link link = unsubscribe();
    (void)state;
    seal(OLD, &link, &a);
    seal(OLD, &link, &b);
    link_id(&link, id);
    link.nonce = text_of("y");
    seal(OLD, &link, &c);
    link_id(&link, other);
    assert_string_equal(buf_string(&a), buf_string(&b));
    assert_string_not_equal(buf_string(&a), buf_string(&c));
    assert_string_not_equal(id, other);
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&c);
}

static void every_changed_character_is_found(void **state)
{
    struct buf token = BUF_INIT;
    struct link link = unsubscribe();
    (void)state;
    char *text = (char *)(uintptr_t)seal(OLD, &link, &token);
    assert_int_equal(reading(OLD, text, token.size), 0);
    for (size_t i = 0; i < token.size; i++) {
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        if (reading(OLD, text, token.size) != E_INVALID)
            fail_msg("character %zu is not looked at", i);
        text[i] = kept;
    }
    buf_deinit(&token);
}

static void every_truncated_or_longer_token_is_refused(void **state)
{
    struct buf token = BUF_INIT;
    struct link link = unsubscribe();
    (void)state;
    const char *text = seal(OLD, &link, &token);
    for (size_t size = 0; size < token.size; size++)
        assert_int_equal(reading(OLD, text, size), E_INVALID);
    size_t size = token.size;
    buf_text(&token, "AAAA");
    assert_int_equal(reading(OLD, buf_string(&token), size + 4), E_INVALID);
    assert_int_equal(reading(OLD, "", 0), E_INVALID);
    assert_int_equal(reading(OLD, "%%%%", 4), E_INVALID);
    buf_deinit(&token);
}

static void a_token_of_another_secret_is_refused(void **state)
{
    struct buf token = BUF_INIT;
    struct link link = unsubscribe();
    (void)state;
    const char *text = seal(NEW, &link, &token);
    assert_int_equal(reading(OLD, text, token.size), E_INVALID);
    buf_deinit(&token);
}

static void after_a_rotation_older_tokens_open_and_the_new_secret_seals(void **state)
{
    struct buf old = BUF_INIT, both = BUF_INIT, new = BUF_INIT;
    struct link link = unsubscribe();
    (void)state;
    seal(OLD, &link, &old);
    seal(NEW OLD, &link, &both);
    seal(NEW, &link, &new);
    assert_int_equal(reading(NEW OLD, buf_string(&old), old.size), 0);
    assert_string_equal(buf_string(&both), buf_string(&new));
    assert_int_equal(reading(NEW, buf_string(&old), old.size), E_INVALID);
    buf_deinit(&old);
    buf_deinit(&both);
    buf_deinit(&new);
}

static void nothing_of_a_link_can_be_read_in_its_token(void **state)
{
    struct buf data = BUF_INIT, token = BUF_INIT, data_back = BUF_INIT;
    struct link link = survey(&data);
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_";
    uint32_t bits = 0;
    unsigned held = 0;
    (void)state;
    const char *text = seal(OLD, &link, &token);
    for (size_t i = 0; i < token.size; i++) {
        bits = bits << 6 | (uint32_t)(strchr(letters, text[i]) - letters);
        held += 6;
        if (held >= 8)
            buf_byte(&data_back, (uint8_t)(bits >> (held -= 8)));
    }
    assert_null(memmem(data_back.data, data_back.size, "private", 7));
    assert_null(memmem(data_back.data, data_back.size, "Survey", 6));
    buf_deinit(&data);
    buf_deinit(&token);
    buf_deinit(&data_back);
}

static const char *addresses(const char *id, struct buf *out)
{
    struct link_keys keys = keys_of(OLD);
    struct buf message = BUF_INIT, linked = BUF_INIT;
    struct doc_writer w;
    struct err err;
    doc_begin(&w, &message);
    doc_put_int(&w, "customer", 42);
    doc_open(&w, "links");
    doc_open(&w, "yes");
    doc_put_string(&w, "event", "Survey Answered");
    doc_put_datetime(&w, "expires", 1795169472000);
    doc_close(&w);
    doc_close(&w);
    struct doc doc = doc_end(&w);
    assert_int_equal(link_message(&keys, 0, "https://x", text_of(id), doc, &linked, &err), 0);
    struct doc read = { linked.data, (uint32_t)linked.size };
    struct text url = doc_text(doc_child(read, "links"), "yes");
    assert_int_equal(doc_int(read, "customer", 0), 42);
    buf_append(out, url.data, url.size);
    buf_deinit(&message);
    buf_deinit(&linked);
    return buf_string(out);
}

static void a_message_that_is_repeated_has_the_same_addresses(void **state)
{
    struct buf first = BUF_INIT, again = BUF_INIT, other = BUF_INIT;
    (void)state;
    addresses("17.1", &first);
    assert_string_equal(addresses("17.1", &again), buf_string(&first));
    assert_string_not_equal(addresses("17.2", &other), buf_string(&first));
    assert_int_equal(strncmp(buf_string(&first), "https://x/v1/l/", 15), 0);
    buf_deinit(&first);
    buf_deinit(&again);
    buf_deinit(&other);
}

static void marks_of_links_become_addresses_in_a_body_and_in_fields_of_templates(void **state)
{
    struct link_keys keys = keys_of(OLD);
    struct buf message = BUF_INIT, linked = BUF_INIT;
    struct doc_writer w;
    struct err err;
    (void)state;
    for (int is_of_template = 0; is_of_template < 2; is_of_template++) {
        buf_clear(&message);
        buf_clear(&linked);
        doc_begin(&w, &message);
        doc_put_present(&w, "template", text_of(is_of_template ? "t" : ""));
        doc_put_string(&w, "subject", "{{links.oh_yes}}");
        doc_put_string(&w, "body",
                       "a {{links.oh_yes}} b {{links.no}} {{links. c {{links.oh\\_yes}}");
        doc_open(&w, "links");
        doc_open(&w, "oh_yes");
        doc_put_string(&w, "event", "Yes");
        doc_put_datetime(&w, "expires", 5000);
        doc_close(&w);
        doc_close(&w);
        assert_int_equal(
            link_message(&keys, 0, "https://x.example", text_of("7.1"), doc_end(&w), &linked, &err),
            0);
        struct doc doc = { linked.data, (uint32_t)linked.size };
        struct text address = doc_text(doc_child(doc, "links"), "oh_yes");
        char want[512];
        snprintf(want, sizeof want, "a %.*s b {{links.no}} {{links. c %.*s", (int)address.size,
                 address.data, (int)address.size, address.data);
        assert_true(text_is(doc_text(doc, "body"), want));
        assert_true(text_equal(doc_text(doc, "subject"),
                               is_of_template ? address : text_of("{{links.oh_yes}}")));
    }
    buf_deinit(&message);
    buf_deinit(&linked);
}

static void a_message_with_links_needs_a_public_address(void **state)
{
    struct link_keys keys = keys_of(OLD);
    struct buf out = BUF_INIT;
    struct err err;
    struct doc none = { NULL, 0 };
    (void)state;
    assert_int_equal(link_message(&keys, 0, NULL, text_of("1.1"), none, &out, &err), E_INVALID);
    assert_non_null(strstr(err.text, "url \"https://"));
    buf_deinit(&out);
}

static void what_is_no_secret_is_refused_without_showing_it(void **state)
{
    static const char *const texts[] = { "", "\n\n", "abc\n", OLD "0001\n", OLD OLD OLD OLD OLD };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct link_keys keys = { .count = 7 };
        struct err err = { 0 };
        assert_int_equal(link_keys_parse(texts[i], strlen(texts[i]), &keys, &err), E_INVALID);
        assert_null(strstr(err.text, "0001"));
        assert_int_equal(keys.count, 7);
    }
}

static void the_file_is_made_once_for_its_owner_only(void **state)
{
    char dir[] = "/tmp/kith-link-XXXXXX", path[64];
    struct link_keys first, second;
    struct stat stat_of;
    struct err err;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/links.key", dir);
    assert_int_equal(link_keys_open(dir, &first, &err), 0);
    assert_int_equal(link_keys_open(dir, &second, &err), 0);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(first.count, 1);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    unlink(path);
    assert_int_equal(link_keys_open(dir, &second, &err), 0);
    assert_memory_not_equal(&first, &second, sizeof first);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_is_read),
        cmocka_unit_test(a_token_is_made_of_what_a_path_takes_as_it_is),
        cmocka_unit_test(the_same_link_has_the_same_token_and_id),
        cmocka_unit_test(every_changed_character_is_found),
        cmocka_unit_test(every_truncated_or_longer_token_is_refused),
        cmocka_unit_test(a_token_of_another_secret_is_refused),
        cmocka_unit_test(after_a_rotation_older_tokens_open_and_the_new_secret_seals),
        cmocka_unit_test(nothing_of_a_link_can_be_read_in_its_token),
        cmocka_unit_test(a_message_that_is_repeated_has_the_same_addresses),
        cmocka_unit_test(marks_of_links_become_addresses_in_a_body_and_in_fields_of_templates),
        cmocka_unit_test(a_message_with_links_needs_a_public_address),
        cmocka_unit_test(what_is_no_secret_is_refused_without_showing_it),
        cmocka_unit_test(the_file_is_made_once_for_its_owner_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
