/* test_mac.c -- HMACs against what others have published. */
#include "core/plugin/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 4231, case 2; the example of Twilio's documentation. */
static void published_examples_are_met(void **state)
{
    char out[KITH_HMAC_SIZE];
    struct kith_text jefe = kith_text("what do ya want for nothing?");
    struct kith_text call = kith_text(
        "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309"
        "Digits1234From+14158675309To+18005551212");
    (void)state;
    assert_true(mac_text("sha256-hex", kith_text("Jefe"), jefe, out));
    assert_string_equal(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(mac_text("sha256-base64", kith_text("Jefe"), jefe, out));
    assert_string_equal(out, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    assert_true(mac_text("sha1-base64", kith_text("12345"), call, out));
    assert_string_equal(out, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

/* Keys and texts of Standard Webhooks, with what Python's hmac makes of them. */
static void an_independent_implementation_says_the_same(void **state)
{
    static const char body[] = "m.0.Gr\xc3\xbc\xc3\x9f"
                               "e \xe2\x98\x95\0x";
    struct kith_text order = kith_text("msg_17_1_9c56cc51b374c3ba.1795169472."
                                       "{\"type\":\"Order Completed\",\"data\":{\"total\":5}}");
    char up[32], down[64], out[KITH_HMAC_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof up; i++)
        up[i] = (char)i;
    for (size_t i = 0; i < sizeof down; i++)
        down[i] = (char)(255 - i);
    assert_true(mac_text("sha256-base64", (struct kith_text){ up, 32 }, order, out));
    assert_string_equal(out, "5K1MZvBzphVOPt0obFSgvRFdjM2COQVZjZH+GGf7YEc=");
    assert_true(mac_text("sha256-base64", (struct kith_text){ up, 24 }, order, out));
    assert_string_equal(out, "hYKyYqHL4X1wysmPNpcHl4c5QHoSwucOXk29MHgQXyE=");
    assert_true(mac_text("sha256-base64", (struct kith_text){ down, 64 }, order, out));
    assert_string_equal(out, "0X7MavCtzILjz8y6gr2ETQiWAwNwhl+MOHwJk+CH6m0=");
    assert_true(mac_text("sha256-base64", (struct kith_text){ up, 32 }, kith_text("m.0."), out));
    assert_string_equal(out, "UjFbwlC3+25BndkRm6m1Tr6SkklaR1xWGw5XUeb14nQ=");
    assert_true(mac_text("sha256-base64", (struct kith_text){ up, 32 },
                         (struct kith_text){ body, sizeof body - 1 }, out));
    assert_string_equal(out, "L656XrKY1aAGdMWMKwLyd7gZ1H0LAShRNSl0sFknfbo=");
}

static void what_nobody_asked_for_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "md5-hex", "sha1-hex", "sha256", "sha256-", "sha1-base32"
    };
    char out[KITH_HMAC_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mac_text(bad[i], kith_text("k"), kith_text("d"), out));
}

static void a_comparison_takes_all_or_nothing(void **state)
{
    (void)state;
    assert_true(kith_is_same(kith_text("abc"), "abc"));
    assert_false(kith_is_same(kith_text("abd"), "abc"));
    assert_false(kith_is_same(kith_text("ab"), "abc"));
    assert_false(kith_is_same(kith_text("abcd"), "abc"));
    assert_false(kith_is_same(kith_text(""), "abc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples_are_met),
        cmocka_unit_test(an_independent_implementation_says_the_same),
        cmocka_unit_test(what_nobody_asked_for_is_refused),
        cmocka_unit_test(a_comparison_takes_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
