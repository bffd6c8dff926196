/* test_signature.c -- webhooks signed: vectors made by Python's hmac, secrets read and refused. */
#include "core/server/signature.h"

#include "core/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Bytes 0 to 31; 0 to 23; 255 down to 192. */
#define SECRET_32 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SECRET_24 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define SECRET_64                   \
    "whsec_//79/Pv6+fj39vX08/Lx8O/" \
    "u7ezr6uno5+bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQz87NzMvKycjHxsXEw8LBwA=="
#define ID "msg_17_1_9c56cc51b374c3ba"
#define TIME 1795169472
#define BODY "{\"type\":\"Order Completed\",\"data\":{\"total\":5}}"

static void check_signature(const char *secrets, const char *id, int64_t time, const char *body,
                            size_t size, const char *wanted)
{
    struct signature_keys keys;
    struct err err = { 0 };
    struct buf out = BUF_INIT;
    if (signature_keys_parse(secrets, strlen(secrets), &keys, &err) != 0)
        fail_msg("%s", err.text);
    signature_write(&keys, id, time, body, size, &out);
    assert_string_equal(buf_string(&out), wanted);
    buf_deinit(&out);
}

static void the_signature_is_that_of_an_independent_implementation(void **state)
{
    (void)state;
    check_signature(SECRET_32, ID, TIME, BODY, strlen(BODY),
                    "v1,5K1MZvBzphVOPt0obFSgvRFdjM2COQVZjZH+GGf7YEc=");
    check_signature(SECRET_24, ID, TIME, BODY, strlen(BODY),
                    "v1,hYKyYqHL4X1wysmPNpcHl4c5QHoSwucOXk29MHgQXyE=");
    check_signature(SECRET_64, ID, TIME, BODY, strlen(BODY),
                    "v1,0X7MavCtzILjz8y6gr2ETQiWAwNwhl+MOHwJk+CH6m0=");
    check_signature(SECRET_32, "m", 0, "", 0, "v1,UjFbwlC3+25BndkRm6m1Tr6SkklaR1xWGw5XUeb14nQ=");
}

static void every_byte_of_the_body_is_signed(void **state)
{
    static const char body[] = "Gr\xc3\xbc\xc3\x9f"
                               "e \xe2\x98\x95\0x";
    (void)state;
    check_signature(SECRET_32, "m", 0, body, sizeof body - 1,
                    "v1,L656XrKY1aAGdMWMKwLyd7gZ1H0LAShRNSl0sFknfbo=");
}

static void a_rotation_signs_with_both_the_new_one_first(void **state)
{
    (void)state;
    check_signature("# since May\n" SECRET_24 "\n\n" SECRET_32 "  \r\n", ID, TIME, BODY,
                    strlen(BODY),
                    "v1,hYKyYqHL4X1wysmPNpcHl4c5QHoSwucOXk29MHgQXyE= "
                    "v1,5K1MZvBzphVOPt0obFSgvRFdjM2COQVZjZH+GGf7YEc=");
}

static void padding_may_be_left_out(void **state)
{
    (void)state;
    check_signature("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "m", 0, "", 0,
                    "v1,UjFbwlC3+25BndkRm6m1Tr6SkklaR1xWGw5XUeb14nQ=");
}

static void check_refused(const char *text, const char *why)
{
    struct signature_keys keys = { .count = 7 };
    struct err err = { 0 };
    assert_int_equal(signature_keys_parse(text, strlen(text), &keys, &err), E_INVALID);
    if (strstr(err.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    assert_null(strstr(err.text, "AAECAwQF")); /* nor anything of the secret */
    assert_int_equal(keys.count, 7);
}

static void what_is_no_secret_is_refused_without_showing_it(void **state)
{
    (void)state;
    check_refused("", "no secret");
    check_refused("# nothing\n\n", "no secret");
    check_refused("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "line 1");
    check_refused("whsec_AAECAwQF", "24 to 64 random bytes");
    check_refused("whsec_AAECAwQFBgcICQoLDA0ODxAREhMU*RYX", "line 1");
    check_refused("\n" SECRET_64 "AAECAwQF", "line 2");
    check_refused(SECRET_24 "\n" SECRET_32 "\n" SECRET_24, "line 3: at most 2");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct signature_keys keys;
    struct err err = { 0 };
    (void)state;
    assert_int_equal(signature_keys_read("/nowhere/secret", &keys, &err), E_NOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere/secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_that_of_an_independent_implementation),
        cmocka_unit_test(every_byte_of_the_body_is_signed),
        cmocka_unit_test(a_rotation_signs_with_both_the_new_one_first),
        cmocka_unit_test(padding_may_be_left_out),
        cmocka_unit_test(what_is_no_secret_is_refused_without_showing_it),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
