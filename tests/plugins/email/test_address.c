/* test_address.c -- what address.h promises: what people write is read, tricks are refused. */
#include "plugins/email/address.h"

#include "plugins/email/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_spec(const char *text, const char *wanted)
{
    struct address address;
    struct fault fault = { 0 };
    struct bytes out;
    bytes_init(&out, 1000);
    assert_int_equal(address_parse(span_of(text), &address, &fault), 0);
    address_spec(&address, &out);
    bytes_byte(&out, '\0');
    assert_string_equal(out.data, wanted);
    bytes_deinit(&out);
}

static void assert_refused(const char *text, const char *why)
{
    struct address address = { .name = "untouched" };
    struct fault fault = { 0 };
    assert_int_equal(address_parse(span_of(text), &address, &fault), FAULT_INVALID);
    assert_non_null(strstr(fault.text, why));
    assert_string_equal(address.name, "untouched");
}

static void what_people_write_is_read(void **state)
{
    (void)state;
    assert_spec("ann@example.com", "ann@example.com");
    assert_spec("  Ann <ann@EXAMPLE.com> ", "ann@example.com");
    assert_spec("\"Bee, Ann\" <ann.bee+tag@mail.example.co.uk>", "ann.bee+tag@mail.example.co.uk");
    assert_spec("Ann (at home) <ann@example.com> (really)", "ann@example.com");
    assert_spec("\"very odd\"@example.com", "\"very odd\"@example.com");
    assert_spec("\"plain\"@example.com", "plain@example.com");
    assert_spec("ann..bee@example.com", "\"ann..bee\"@example.com");
    assert_spec("<ann@example.com>", "ann@example.com");
    assert_spec("Dr. A. Bee <a@example.com>", "a@example.com");
}

static void domains_become_a_labels_in_lower_case(void **state)
{
    (void)state;
    assert_spec("ann@b\xc3\xbc"
                "cher.example",
                "ann@xn--bcher-kva.example");
    assert_spec("ann@\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf\xe5\x91\x8a",
                "ann@xn--fsqu00a.xn--4rr70v");
    assert_spec("ann@Stra\xc3\x9f"
                "e.example",
                "ann@xn--strae-oqa.example");
}

static void tricks_are_refused(void **state)
{
    (void)state;
    assert_refused("", "no \"@\"");
    assert_refused("ann", "no \"@\"");
    assert_refused("@example.com", "nothing before");
    assert_refused("ann@", "no single domain");
    assert_refused("ann@localhost", "no domain name");
    assert_refused("ann@[127.0.0.1]", "address literal");
    assert_refused("<@relay.example,@b.example:ann@example.com>", "no");
    assert_refused("<ann@example.com", "\">\" is missing");
    assert_refused("ann@example.com> RCPT TO:<eve@example.com", "more than one");
    assert_refused("ann@example.com, eve@example.com", "more than one");
    assert_refused("ann@example.com eve", "no single domain");
    assert_refused("ann bee@example.com", "blanks");
    assert_refused("\"ann\r\nRCPT TO:<eve@example.com>\"@example.com", "control");
    assert_refused("\"ann\\\r\"@example.com", "control");
    assert_refused("\"ann@example.com", "quote is not closed");
    assert_refused("(ann@example.com", "comment is not closed");
    assert_refused("ann@exam_ple.com", "no domain name");
    assert_refused("ann@-example.com", "no domain name");
    assert_refused("ann@example..com", "no domain name");
    assert_refused("ann@\xff.com", "no domain");
    assert_refused("g: ann@example.com;", "more than one");
    assert_refused("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com",
                   "over 64");
}

static void a_nul_in_it_is_refused(void **state)
{
    (void)state;
    static const char text[] = "ann\0@example.com", quoted[] = "\"a\0b\"@example.com";
    struct address address;
    assert_int_equal(address_parse((struct span){ text, sizeof text - 1 }, &address, NULL),
                     FAULT_INVALID);
    assert_int_equal(address_parse((struct span){ quoted, sizeof quoted - 1 }, &address, NULL),
                     FAULT_INVALID);
}

static void an_encoded_name_cannot_hide_a_line_end(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(
        address_parse(span_of("=?utf-8?q?a=0D=0ABcc:_x?= <a@example.com>"), &address, NULL), 0);
    assert_string_equal(address.name, "a  Bcc: x");
}

static void lists_and_groups_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct address list[3];
    size_t count = 77;
    assert_int_equal(
        address_list_parse(span_of("a@x.example,, b@x.example,"), list, 3, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(
        address_list_parse(span_of("us: a@x.example; , c@x.example"), list, 3, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(address_list_parse(span_of("nobody:;"), list, 3, &count, NULL), 0);
    assert_int_equal(count, 0);
    count = 77;
    assert_int_equal(address_list_parse(span_of("a@x.example b@x.example"), list, 3, &count, NULL),
                     FAULT_INVALID);
    assert_int_equal(address_list_parse(span_of("a: b: c@x.example;;"), list, 3, &count, NULL),
                     FAULT_INVALID);
    assert_int_equal(address_list_parse(span_of("a@x.example,a@x.example,a@x.example,a@x.example"),
                                        list, 3, &count, NULL),
                     FAULT_LIMIT);
    assert_int_equal(count, 77);
}

static void only_ascii_can_be_sent(void **state)
{
    (void)state;
    struct address address;
    struct fault fault = { 0 };
    assert_int_equal(address_parse(span_of("\xe4\xbd\xa0@x.example"), &address, NULL), 0);
    assert_int_equal(address_check(&address, &fault), FAULT_INVALID);
    assert_non_null(strstr(fault.text, "SMTPUTF8"));
}

static void case_does_not_make_another_person(void **state)
{
    (void)state;
    struct address a, b;
    address_parse(span_of("Ann.Bee@example.com"), &a, NULL);
    address_parse(span_of("A <ann.bee@EXAMPLE.COM>"), &b, NULL);
    assert_true(address_equal(&a, &b));
    address_parse(span_of("annbee@example.com"), &b, NULL);
    assert_false(address_equal(&a, &b));
}

static void a_name_that_is_filled_in_brings_no_address(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } rows[] = {
        { "Care <care@shop.example>", "Care" },
        { "<care@shop.example>", "" },
        { " care@shop.example ", "" },
        { "Care of W <evil@evil.example>, x <care@shop.example>",
          "Care of W <evil@evil.example>, x" },
        { "a, b <care@shop.example>", "a, b" },
        { "\"x <care@shop.example>", "\"x" },
        { "x ( <care@shop.example>", "x (" },
        { "W: <care@shop.example>", "W:" },
        { "\"Bee, Ann\" <care@shop.example>", "Bee, Ann" },
        { "\"a\" <evil@evil.example>, \"b\" <care@shop.example>", "a\" <evil@evil.example>, \"b" },
        { "\"a\\\"b\\\\c\\d\" <care@shop.example>", "a\"b\\c\\d" },
        { "=?utf-8?q?A=0D=0AB?= <care@shop.example>", "A  B" },
    };
    struct address address;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(address_parse_filled(span_of(rows[i].text), &address, NULL), 0);
        assert_string_equal(address.name, rows[i].name);
        assert_string_equal(address.local, "care");
        assert_string_equal(address.domain, "shop.example");
    }
    static const char *const wrong[] = { "",
                                         "<",
                                         "x",
                                         "a@x.example, b@x.example",
                                         "A <a>",
                                         "A <a@x.example> b",
                                         "A <a@x.example, b@x.example>" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(address_parse_filled(span_of(wrong[i]), &address, NULL), FAULT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_is_read),
        cmocka_unit_test(domains_become_a_labels_in_lower_case),
        cmocka_unit_test(tricks_are_refused),
        cmocka_unit_test(a_nul_in_it_is_refused),
        cmocka_unit_test(an_encoded_name_cannot_hide_a_line_end),
        cmocka_unit_test(lists_and_groups_are_read_whole_or_not_at_all),
        cmocka_unit_test(only_ascii_can_be_sent),
        cmocka_unit_test(a_name_that_is_filled_in_brings_no_address),
        cmocka_unit_test(case_does_not_make_another_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
