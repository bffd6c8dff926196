/* test_identity_text.c -- what identity_text.h promises, one promise a test. */
#include "core/base/identity_text.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void becomes(const char *written, const char *wanted)
{
    char email[IDENTITY_EMAIL_SIZE], again[IDENTITY_EMAIL_SIZE];
    struct err err = { 0 };
    if (identity_email(written, strlen(written), email, &err) != 0)
        fail_msg("%s: %s", written, err.text);
    assert_string_equal(email, wanted);
    assert_int_equal(identity_email(email, strlen(email), again, NULL), 0);
    assert_string_equal(again, email);
}

static void refuses(const char *written, const char *reason)
{
    char email[IDENTITY_EMAIL_SIZE] = "untouched";
    struct err err = { 0 };
    assert_int_equal(identity_email(written, strlen(written), email, &err), E_INVALID);
    assert_string_equal(email, "untouched");
    if (strstr(err.text, reason) == NULL)
        assert_string_equal(err.text, reason);
}

static void case_and_surrounding_blanks_do_not_matter(void **state)
{
    (void)state;
    becomes("ann@example.com", "ann@example.com");
    becomes("  Ann.Smith@Example.COM\r\n", "ann.smith@example.com");
    becomes("\xe3\x80\x80"
            "Ann@example.com\xc2\xa0\xe2\x80\x8b",
            "ann@example.com");
    becomes("\xef\xbb\xbf"
            "ann@example.com",
            "ann@example.com");
}

static void what_only_providers_understand_is_kept(void **state)
{
    (void)state;
    becomes("ann+news@gmail.com", "ann+news@gmail.com");
    becomes("a.n.n@gmail.com", "a.n.n@gmail.com");
    becomes("ann..b.@docomo.ne.jp", "ann..b.@docomo.ne.jp");
    becomes("o'brien/x=1@example.com", "o'brien/x=1@example.com");
}

static void full_width_letters_are_plain_ones(void **state)
{
    (void)state;
    becomes("\xef\xbd\x81\xef\xbd\x8e\xef\xbc\xae@example.com", "ann@example.com");
    becomes("ann\xef\xbc\xa0"
            "example\xe3\x80\x82"
            "com",
            "ann@example.com");
}

static void international_domains_have_one_form(void **state)
{
    (void)state;
    becomes("ann@B\xc3\x9c"
            "CHER.example",
            "ann@xn--bcher-kva.example");
    becomes("ann@bu\xcc\x88"
            "cher.example",
            "ann@xn--bcher-kva.example");
    becomes("ann@XN--Bcher-KVA.example", "ann@xn--bcher-kva.example");
    becomes("ann@\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd", "ann@xn--fsqu00a.xn--fiqs8s");
    becomes("ann@stra\xc3\x9f"
            "e.example",
            "ann@xn--strae-oqa.example");
}

static void international_local_parts_are_case_folded(void **state)
{
    (void)state;
    becomes("J\xc3\x9cRGEN@example.com", "j\xc3\xbcrgen@example.com");
    becomes("JU\xcc\x88RGEN@example.com", "j\xc3\xbcrgen@example.com");
    becomes("\xe5\xbc\xa0\xe4\xbc\x9f@example.com", "\xe5\xbc\xa0\xe4\xbc\x9f@example.com");
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
    (void)state;
    refuses("", "empty");
    refuses(" \t ", "empty");
    refuses("ann", "no @");
    refuses("ann@b@example.com", "more than one @");
    refuses("ann@example.com, bob@example.com", "more than one @");
    refuses("@example.com", "nothing before the @");
    refuses("ann@", "nothing after the @");
    refuses("ann smith@example.com", "a blank, quote or bracket");
    refuses("Ann <ann@example.com>", "a blank, quote or bracket");
    refuses("\"ann\"@example.com", "a blank, quote or bracket");
    refuses("mailto:ann@example.com", "a blank, quote or bracket");
    refuses("a\xc3\xbcn\xe3\x80\x80n@example.com", "a blank");
    refuses("ann@localhost", "no dot in the domain");
    refuses("ann@example..com", "two dots in a row");
    refuses("ann@example.com.", "two dots in a row, or one at an end");
    refuses("ann@.example.com", "two dots in a row, or one at an end");
    refuses("ann@-example.com", "a hyphen at the edge");
    refuses("ann@exa_mple.com", "a character in the domain");
    refuses("ann@exa mple.com", "a character in the domain");
    refuses("ann@[192.0.2.1]", "a character in the domain");
    refuses("ann@192.0.2.1", "a domain that ends in a number");
    refuses("ann@xn--zzzzzzzzzzzz9999.example", "rules of international names");
    refuses("ann\xff@example.com", "not UTF-8");
    refuses("\xed\xa0\x80@example.com", "not UTF-8");
    refuses("a\xc3\xbc\xef\xb9\xab"
            "b@example.com",
            "a blank, quote or bracket");
}

static void lengths_are_those_of_smtp(void **state)
{
    (void)state;
    char text[1200], wanted[IDENTITY_EMAIL_SIZE], label[64];
    memset(label, 'd', 63);
    label[63] = '\0';
    memset(text, 'a', 64);
    snprintf(text + 64, sizeof text - 64, "@%s.%s.%.61s", label, label, label);
    assert_int_equal(strlen(text), 254);
    memcpy(wanted, text, 255);
    becomes(text, wanted);
    memcpy(text + 254, "d", 2);
    refuses(text, "longer than 254 bytes");
    memset(text, 'a', 65);
    snprintf(text + 65, sizeof text - 65, "@example.com");
    refuses(text, "more than 64 bytes before the @");
    snprintf(text, sizeof text, "a@%sd.com", label);
    refuses(text, "more than 63 bytes between two dots");
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    refuses(text, "longer than 254 bytes");
}

static void a_reason_never_repeats_the_address(void **state)
{
    (void)state;
    static const char *const table[] = { "secret", "secret@x", "secret name@example.com",
                                         "secret@b@c.de", "secret@exam_ple.com" };
    for (size_t i = 0; i < COUNT(table); i++) {
        char email[IDENTITY_EMAIL_SIZE];
        struct err err = { 0 };
        assert_int_equal(identity_email(table[i], strlen(table[i]), email, &err), E_INVALID);
        assert_null(strstr(err.text, "secret"));
    }
}

/* Bytes at random, with what matters among them more often than by chance. */
static void whatever_is_accepted_normalises_to_itself(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "a",
        "Z",
        "9",
        ".",
        "-",
        "@",
        "\xc3\x9c",
        "\xc3\x9f",
        "\xcc\x88",
        "\xe4\xb8\xad",
        "\xef\xbc\xa0",
        "\xe3\x80\x82",
        "\xe2\x80\x8b",
        "xn--",
        " ",
        "\xff",
        "\xf0\x9f\x98\x80",
        ".com",
        "@b.",
        "\xd0\x96",
        "\xef\xbd\x81",
        "\xc4\xb0",
        "\xce\xa3",
    };
    uint32_t random = 12345;
    int accepted = 0;
    for (int i = 0; i < 30000; i++) {
        char text[128] = "", email[IDENTITY_EMAIL_SIZE], again[IDENTITY_EMAIL_SIZE];
        for (int j = 0; j < 8; j++) {
            random = random * 1664525 + 1013904223;
            const char *piece = j == 3 ? "@b." : pieces[(random >> 16) % COUNT(pieces)];
            memcpy(text + strlen(text), piece, strlen(piece) + 1);
        }
        if (identity_email(text, strlen(text), email, NULL) != 0)
            continue;
        accepted++;
        assert_int_equal(identity_email(email, strlen(email), again, NULL), 0);
        assert_string_equal(again, email);
    }
    assert_true(accepted > 300);
}

static void the_environment_plays_no_part(void **state)
{
    (void)state;
    setenv("LANG", "tr_TR.UTF-8", 1);
    setenv("LC_ALL", "tr_TR.UTF-8", 1);
    becomes("IRIS@EXAMPLE.COM", "iris@example.com");
    becomes("\xc3\x9cRIS@example.com", "\xc3\xbcris@example.com");
}

static void names_the_data_it_depends_on(void **state)
{
    (void)state;
    char version[IDENTITY_VERSION_SIZE] = "";
    identity_icu_version(version);
    assert_true(strtol(version, NULL, 10) >= 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_plays_no_part),
        cmocka_unit_test(case_and_surrounding_blanks_do_not_matter),
        cmocka_unit_test(what_only_providers_understand_is_kept),
        cmocka_unit_test(full_width_letters_are_plain_ones),
        cmocka_unit_test(international_domains_have_one_form),
        cmocka_unit_test(international_local_parts_are_case_folded),
        cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
        cmocka_unit_test(lengths_are_those_of_smtp),
        cmocka_unit_test(a_reason_never_repeats_the_address),
        cmocka_unit_test(whatever_is_accepted_normalises_to_itself),
        cmocka_unit_test(names_the_data_it_depends_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
