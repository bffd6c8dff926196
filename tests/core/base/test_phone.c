/* test_phone.c -- what phone.h promises, one promise a test. */
#include "core/base/phone.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void becomes(const char *written, const char *region, const char *wanted)
{
    char phone[PHONE_SIZE], again[PHONE_SIZE];
    struct err err = { 0 };
    if (phone_normalise(written, strlen(written), region, phone, &err) != 0)
        fail_msg("%s: %s", written, err.text);
    assert_string_equal(phone, wanted);
    assert_int_equal(phone_normalise(phone, strlen(phone), NULL, again, NULL), 0);
    assert_string_equal(again, phone);
}

static void refuses(const char *written, const char *region, const char *reason)
{
    char phone[PHONE_SIZE] = "untouched";
    struct err err = { 0 };
    assert_int_equal(phone_normalise(written, strlen(written), region, phone, &err), E_INVALID);
    assert_string_equal(phone, "untouched");
    if (strstr(err.text, reason) == NULL)
        assert_string_equal(err.text, reason);
}

static void a_number_is_one_however_it_is_written(void **state)
{
    (void)state;
    becomes("+49 30 123456", "DE", "+4930123456");
    becomes("+49 (0)30 12 34-56", "DE", "+4930123456");
    becomes("030/123456", "DE", "+4930123456");
    becomes("0049 30 123456", "DE", "+4930123456");
    becomes("tel:+49-30-123456", "DE", "+4930123456");
    becomes(" 0151 / 234 56 789 ", "DE", "+4915123456789");
    becomes("138 0013 8000", "CN", "+8613800138000");
    becomes("+86 138-0013-8000", "DE", "+8613800138000");
    becomes("(021) 6123 4567", "CN", "+862161234567");
    becomes("650 253 0000", "US", "+16502530000");
}

static void full_width_digits_and_signs_are_understood(void **state)
{
    (void)state;
    becomes("\xef\xbc\x91\xef\xbc\x93\xef\xbc\x98\xe3\x80\x80\xef\xbc\x90\xef\xbc\x90"
            "\xef\xbc\x91\xef\xbc\x93\xe3\x80\x80\xef\xbc\x98\xef\xbc\x90\xef\xbc\x90"
            "\xef\xbc\x90",
            "CN", "+8613800138000");
    becomes("\xef\xbc\x8b"
            "86 138 0013 8000",
            NULL, "+8613800138000");
    becomes("03\xe3\x83\xbc"
            "1234\xe3\x83\xbc"
            "5678",
            "JP", "+81312345678");
}

static void the_zero_that_belongs_to_a_number_stays(void **state)
{
    (void)state;
    becomes("06 6982 1234", "IT", "+390669821234");
    becomes("+39 06 6982 1234", "DE", "+390669821234");
}

static void a_range_that_is_newer_than_the_data_is_accepted(void **state)
{
    (void)state;
    becomes("12000138000", "CN", "+8612000138000");
}

static void without_a_region_only_international_numbers_are_accepted(void **state)
{
    (void)state;
    becomes("+4930123456", NULL, "+4930123456");
    refuses("030 123456", NULL, "without + and country code, and no default region");
}

static void an_extension_is_refused(void **state)
{
    (void)state;
    refuses("+49 30 123456 ext. 12", "DE", "letters");
    refuses("+49 30 123456 x12", "DE", "letters");
    refuses("+49 30 123456 #12", "DE", "an extension");
    refuses("tel:+49-30-123456;ext=12", "DE", "letters");
}

static void letters_are_refused(void **state)
{
    (void)state;
    refuses("1-800-FLOWERS", "US", "letters");
    refuses("+49 30 123456 (B\xc3\xbcro)", "DE", "letters");
    refuses("\xe6\x89\x8b\xe6\x9c\xba 13800138000", "CN", "letters");
}

static void what_is_no_number_is_refused_with_a_reason(void **state)
{
    (void)state;
    refuses("", "DE", "no telephone number");
    refuses("---", "DE", "no telephone number");
    refuses("110", "CN", "few digits");
    refuses("123456", "US", "few digits");
    refuses("253 0000", "US", "without its area code");
    refuses("138001380000000", "CN", "too many digits");
    refuses("+999 30 123456", "DE", "a country code that no country has");
    refuses("030 123456", "XX", "its default region is none");
    refuses("030 123456", "de", "its default region is none");
    refuses("030 12\xff"
            "3456",
            "DE", "not UTF-8");
    refuses("+49 30 12345612345678901234567890123456789012345678901234567890123", "DE",
            "longer than 64 bytes");
}

static void a_zero_byte_does_not_end_the_text(void **state)
{
    (void)state;
    char phone[PHONE_SIZE];
    assert_int_equal(phone_normalise("+4930123456\0"
                                     "7",
                                     13, "DE", phone, NULL),
                     E_INVALID);
    assert_int_equal(phone_normalise("+4930123456789", 11, "DE", phone, NULL), 0);
    assert_string_equal(phone, "+4930123456");
}

static void a_reason_never_repeats_the_number(void **state)
{
    (void)state;
    char phone[PHONE_SIZE];
    struct err err = { 0 };
    assert_int_equal(phone_normalise("+999 30 7777", 12, "DE", phone, &err), E_INVALID);
    assert_null(strstr(err.text, "777"));
}

static void the_data_has_a_fingerprint(void **state)
{
    (void)state;
    assert_int_equal(strlen(phone_library_version()), strlen("libphonenumber-") + 16);
    assert_ptr_equal(phone_library_version(), phone_library_version());
}

/* What was asked before, of whatever numbers and regions, shows in no answer. */
static void an_answer_depends_on_the_arguments_alone(void **state)
{
    char text[PHONE_TEXT_MAX], wanted[PHONE_SIZE];
    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            snprintf(text, sizeof text, "030 1234%03d", i);
            snprintf(wanted, sizeof wanted, "+49301234%03d", i);
            becomes(text, "DE", wanted);
            snprintf(wanted, sizeof wanted, "+390301234%03d", i);
            becomes(text, "IT", wanted);
            refuses(text, NULL, "no default region");
            refuses(text, "", "its default region is none");
            refuses(text, "D", "its default region is none");
            snprintf(wanted, sizeof wanted, "+49301234%03d", i);
            becomes(text, "DE", wanted);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_one_however_it_is_written),
        cmocka_unit_test(full_width_digits_and_signs_are_understood),
        cmocka_unit_test(the_zero_that_belongs_to_a_number_stays),
        cmocka_unit_test(a_range_that_is_newer_than_the_data_is_accepted),
        cmocka_unit_test(without_a_region_only_international_numbers_are_accepted),
        cmocka_unit_test(an_extension_is_refused),
        cmocka_unit_test(letters_are_refused),
        cmocka_unit_test(what_is_no_number_is_refused_with_a_reason),
        cmocka_unit_test(a_zero_byte_does_not_end_the_text),
        cmocka_unit_test(a_reason_never_repeats_the_number),
        cmocka_unit_test(an_answer_depends_on_the_arguments_alone),
        cmocka_unit_test(the_data_has_a_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
