/* test_hash.c -- what hash.h promises; the expected values are published ones. */
#include "core/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const void *data, size_t size, const char *want)
{
    char text[HEX_SIZE(64)];
    hex_encode(data, size, text);
    assert_string_equal(text, want);
}

static void hash64_is_xxh64_with_seed_zero(void **state)
{
    (void)state;
    assert_true(hash64("", 0) == 0xef46db3751d8e999);
    assert_true(hash64("abc", 3) == 0x44bc2cf5ad770999);
}

static void hash128_is_xxh3(void **state)
{
    (void)state;
    struct hash128 hash;
    uint8_t bytes[HASH128_BYTES];
    hash128_init(&hash);
    hash128_final(&hash, bytes);
    assert_hex(bytes, sizeof bytes, "99aa06d3014798d86001c324468d497f");
    hash128_update(&hash, "abc", 3);
    hash128_final(&hash, bytes);
    assert_hex(bytes, sizeof bytes, "06b05ab6733a618578af5f94892f3950");
}

static void digests_are_blake2b_of_their_length(void **state)
{
    (void)state;
    uint8_t short_one[DIGEST_16_BYTES], long_one[DIGEST_32_BYTES];
    digest_32("abc", 3, long_one);
    assert_hex(long_one, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    digest_32("", 0, long_one);
    assert_hex(long_one, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    digest_16("", 0, short_one);
    assert_hex(short_one, 16, "cae66941d9efbd404e4d88758ea67670");
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    (void)state;
    uint8_t data[1000], whole[32], pieces[32];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t cut = 0; cut <= sizeof data; cut += 37) {
        struct hash128 hash;
        hash128_init(&hash);
        hash128_update(&hash, data, sizeof data);
        hash128_final(&hash, whole);
        hash128_init(&hash);
        hash128_update(&hash, data, cut);
        hash128_update(&hash, data + cut, sizeof data - cut);
        hash128_final(&hash, pieces);
        assert_memory_equal(whole, pieces, HASH128_BYTES);

        struct digest digest;
        digest_init(&digest, DIGEST_32_BYTES);
        digest_update(&digest, data, cut);
        digest_update(&digest, data + cut, sizeof data - cut);
        digest_final(&digest, pieces);
        digest_32(data, sizeof data, whole);
        assert_memory_equal(whole, pieces, DIGEST_32_BYTES);

        digest_init(&digest, DIGEST_16_BYTES);
        digest_update(&digest, data, cut);
        digest_update(&digest, data + cut, sizeof data - cut);
        digest_final(&digest, pieces);
        digest_16(data, sizeof data, whole);
        assert_memory_equal(whole, pieces, DIGEST_16_BYTES);
    }
}

static void hex_comes_back_and_nothing_else_is_read(void **state)
{
    (void)state;
    static const uint8_t data[] = { 0x00, 0x9f, 0xa0, 0xff };
    uint8_t back[4] = { 1, 2, 3, 4 };
    char text[HEX_SIZE(4)];
    hex_encode(data, 4, text);
    assert_string_equal(text, "009fa0ff");
    static const char *const wrong[] = { "",           "009fa0f",  "009fa0ff0",
                                         "009fa0ff00", "009fa0fg", "0 9fa0ff",
                                         "009fa0f@",   "0x9fa0ff", "009fa0f`" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(hex_decode(wrong[i], strlen(wrong[i]), back, 4));
        assert_int_equal(back[0], 1);
    }
    assert_true(hex_decode("009FA0ff", 8, back, 4));
    assert_memory_equal(back, data, 4);
    assert_true(hex_decode("", 0, back, 0));
}

static void secrets_are_equal_when_all_bytes_are(void **state)
{
    (void)state;
    assert_true(hash_secret_equal("secret", "secret", 6));
    assert_false(hash_secret_equal("secret", "Secret", 6));
    assert_false(hash_secret_equal("secret", "secreT", 6));
    assert_true(hash_secret_equal("a", "b", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash64_is_xxh64_with_seed_zero),
        cmocka_unit_test(hash128_is_xxh3),
        cmocka_unit_test(digests_are_blake2b_of_their_length),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
        cmocka_unit_test(hex_comes_back_and_nothing_else_is_read),
        cmocka_unit_test(secrets_are_equal_when_all_bytes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
