/* test_keys.c -- secrets read and refused, and MACs: vectors made by Python's hmac. */
#include "plugins/webhook/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Bytes 0 to 31; 0 to 23; 255 down to 192. */
#define SECRET_32 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SECRET_24 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define SECRET_64                   \
    "whsec_//79/Pv6+fj39vX08/Lx8O/" \
    "u7ezr6uno5+bl5OPi4eDf3t3c29rZ2NfW1dTT0tHQz87NzMvKycjHxsXEw8LBwA=="
#define HEAD "msg_17_1_9c56cc51b374c3ba.1795169472."
#define BODY "{\"type\":\"Order Completed\",\"data\":{\"total\":5}}"

static struct keys parsed(const char *text, bool is_standard)
{
    struct keys keys = { 0 };
    char room[160];
    const char *why = keys_parse(text, strlen(text), is_standard, &keys, room);
    if (why != NULL)
        fail_msg("%s", why);
    return keys;
}

static void check_mac(const struct keys *keys, size_t index, const char *head, const char *body,
                      size_t size, const char *wanted)
{
    const struct piece pieces[] = { piece_of(head), { body, size } };
    char text[MAC_TEXT_SIZE];
    struct mac mac;
    assert_true(mac_make(MAC_SHA256, keys_at(keys, index), pieces, 2, &mac));
    mac_base64(&mac, text);
    assert_string_equal(text, wanted);
    assert_true(mac_is_base64(&mac, piece_of(wanted)));
    text[3] ^= 1;
    assert_false(mac_is_base64(&mac, piece_of(text)));
}

static void the_mac_is_that_of_an_independent_implementation(void **state)
{
    static const char body[] = "Gr\xc3\xbc\xc3\x9f"
                               "e \xe2\x98\x95\0x";
    (void)state;
    struct keys keys = parsed(SECRET_32 "\n" SECRET_24, true);
    check_mac(&keys, 0, HEAD, BODY, strlen(BODY), "5K1MZvBzphVOPt0obFSgvRFdjM2COQVZjZH+GGf7YEc=");
    check_mac(&keys, 1, HEAD, BODY, strlen(BODY), "hYKyYqHL4X1wysmPNpcHl4c5QHoSwucOXk29MHgQXyE=");
    check_mac(&keys, 0, "m.0.", "", 0, "UjFbwlC3+25BndkRm6m1Tr6SkklaR1xWGw5XUeb14nQ=");
    check_mac(&keys, 0, "m.0.", body, sizeof body - 1,
              "L656XrKY1aAGdMWMKwLyd7gZ1H0LAShRNSl0sFknfbo=");
    keys = parsed(SECRET_64, true);
    check_mac(&keys, 0, HEAD, BODY, strlen(BODY), "0X7MavCtzILjz8y6gr2ETQiWAwNwhl+MOHwJk+CH6m0=");
}

static void two_lines_are_two_secrets_the_new_one_first(void **state)
{
    (void)state;
    struct keys keys = parsed("# since May\n" SECRET_24 "\n\n" SECRET_32 "  \r\n", true);
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.keys[0].size, 24);
    assert_int_equal(keys.keys[1].size, 32);
    keys = parsed("#not a remark\nthe secret before", false);
    assert_int_equal(keys.count, 2);
    assert_memory_equal(keys.keys[0].data, "#not a remark", 13);
}

static void padding_may_be_left_out(void **state)
{
    (void)state;
    struct keys keys = parsed("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", true);
    assert_int_equal(keys.keys[0].size, 32);
    assert_int_equal(keys.keys[0].data[31], 31);
}

static void check_refused(const char *text, bool is_standard, const char *wanted)
{
    struct keys keys = { .count = 7 };
    char room[160];
    const char *why = keys_parse(text, strlen(text), is_standard, &keys, room);
    assert_non_null(why);
    if (strstr(why, wanted) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, wanted);
    assert_null(strstr(why, "AAECAwQF")); /* nor anything of the secret */
    assert_int_equal(keys.count, 7);
}

static void what_is_no_secret_is_refused_without_showing_it(void **state)
{
    (void)state;
    check_refused("", true, "no secret");
    check_refused("# nothing\n\n", true, "no secret");
    check_refused("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true, "line 1");
    check_refused("whsec_AAECAwQF", true, "24 to 64 random bytes");
    check_refused("whsec_AAECAwQFBgcICQoLDA0ODxAREhMU*RYX", true, "line 1");
    check_refused("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX====", true, "line 1");
    check_refused("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXA", true, "line 1");
    check_refused("\n" SECRET_64 "AAECAwQF", true, "line 2");
    check_refused(SECRET_24 "\n" SECRET_32 "\n" SECRET_24, true, "line 3: at most 2");
    check_refused("", false, "no secret");
    check_refused("AAECAwQ", false, "8 to 256 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mac_is_that_of_an_independent_implementation),
        cmocka_unit_test(two_lines_are_two_secrets_the_new_one_first),
        cmocka_unit_test(padding_may_be_left_out),
        cmocka_unit_test(what_is_no_secret_is_refused_without_showing_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
