/* test_keys.c -- secrets read and refused. */
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

static struct keys parsed(const char *text, bool is_standard)
{
    struct keys keys = { 0 };
    char room[160];
    const char *why = keys_parse(kith_text(text), is_standard, &keys, room);
    if (why != NULL)
        fail_msg("%s", why);
    return keys;
}

/* It goes up or down by ones. */
static void check_key(const struct keys *keys, const char *index, size_t size, int first, int step)
{
    struct kith_text key = kith_get_text(keys_list(keys), index);
    assert_int_equal(key.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal((unsigned char)key.data[i], first + step * (int)i);
}

static void a_secret_is_the_bytes_that_it_encodes(void **state)
{
    (void)state;
    struct keys keys = parsed(SECRET_32, true);
    check_key(&keys, "0", 32, 0, 1);
    keys = parsed(SECRET_64, true);
    check_key(&keys, "0", 64, 255, -1);
}

static void two_lines_are_two_secrets_the_new_one_first(void **state)
{
    (void)state;
    struct keys keys = parsed("# since May\n" SECRET_24 "\n\n" SECRET_32 "  \r\n", true);
    check_key(&keys, "0", 24, 0, 1);
    check_key(&keys, "1", 32, 0, 1);
    assert_int_equal(kith_get(keys_list(&keys), "2").type, KITH_NONE);
    keys = parsed("#not a remark\nthe secret before", false);
    assert_string_equal(kith_get_string(keys_list(&keys), "0"), "#not a remark");
    assert_string_equal(kith_get_string(keys_list(&keys), "1"), "the secret before");
}

static void padding_may_be_left_out(void **state)
{
    (void)state;
    struct keys keys = parsed("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", true);
    check_key(&keys, "0", 32, 0, 1);
}

static void check_refused(const char *text, bool is_standard, const char *wanted)
{
    struct keys keys = { .size = 7 };
    char room[160];
    const char *why = keys_parse(kith_text(text), is_standard, &keys, room);
    assert_non_null(why);
    if (strstr(why, wanted) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why, wanted);
    assert_null(strstr(why, "AAECAwQF")); /* nor anything of the secret */
    assert_int_equal(keys.size, 7);
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
        cmocka_unit_test(a_secret_is_the_bytes_that_it_encodes),
        cmocka_unit_test(two_lines_are_two_secrets_the_new_one_first),
        cmocka_unit_test(padding_may_be_left_out),
        cmocka_unit_test(what_is_no_secret_is_refused_without_showing_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
