/* hash.c -- XXH64, XXH3 and BLAKE2b under names of our own; see hash.h.
 *
 * The states are declared by size in the header, so that no other file needs the
 * headers of xxHash and libsodium; the assertions below compare the sizes.
 */
#define XXH_STATIC_LINKING_ONLY /* shows the size of the XXH3 state */
#include "core/base/hash.h"

#include "core/base/mem.h"

#include <sodium.h>
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) == sizeof(struct hash128), "size of the XXH3 state");
_Static_assert(sizeof(crypto_generichash_state) <= sizeof((struct digest *)NULL)->state,
               "size of the BLAKE2b state");

uint64_t hash64(const void *data, size_t size)
{
    return XXH64(data, size, 0);
}

void hash128_init(struct hash128 *hash)
{
    XXH3_state_t *state = (void *)hash;
    XXH3_INITSTATE(state);
    ASSERT(XXH3_128bits_reset(state) == XXH_OK);
}

void hash128_update(struct hash128 *hash, const void *data, size_t size)
{
    if (size != 0)
        ASSERT(XXH3_128bits_update((void *)hash, data, size) == XXH_OK);
}

void hash128_final(const struct hash128 *hash, uint8_t out_hash[HASH128_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest((const void *)hash));
    for (size_t i = 0; i < HASH128_BYTES; i++)
        out_hash[i] = canonical.digest[i];
}

void digest_16(const void *data, size_t size, uint8_t out_digest[DIGEST_16_BYTES])
{
    ASSERT(crypto_generichash(out_digest, DIGEST_16_BYTES, data, size, NULL, 0) == 0);
}

void digest_32(const void *data, size_t size, uint8_t out_digest[DIGEST_32_BYTES])
{
    ASSERT(crypto_generichash(out_digest, DIGEST_32_BYTES, data, size, NULL, 0) == 0);
}

void digest_init(struct digest *digest, size_t digest_bytes)
{
    ASSERT(digest_bytes == DIGEST_16_BYTES || digest_bytes == DIGEST_32_BYTES);
    digest->digest_bytes = digest_bytes;
    ASSERT(crypto_generichash_init((void *)digest->state, NULL, 0, digest_bytes) == 0);
}

void digest_update(struct digest *digest, const void *data, size_t size)
{
    ASSERT(crypto_generichash_update((void *)digest->state, data, size) == 0);
}

void digest_final(struct digest *digest, uint8_t *out_digest)
{
    ASSERT(crypto_generichash_final((void *)digest->state, out_digest, digest->digest_bytes) == 0);
}

void hex_encode(const void *data, size_t size, char *out_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out_text[2 * i] = digits[bytes[i] >> 4];
        out_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    out_text[2 * size] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(const char *text, size_t text_size, void *out_data, size_t size)
{
    uint8_t *bytes = out_data;
    if (text_size % 2 != 0 || text_size / 2 != size)
        return false;
    for (size_t i = 0; i < text_size; i++)
        if (hex_digit(text[i]) < 0)
            return false;
    for (size_t i = 0; i < size; i++)
        bytes[i] =
            (uint8_t)((unsigned)hex_digit(text[2 * i]) << 4 | (unsigned)hex_digit(text[2 * i + 1]));
    return true;
}

bool hash_secret_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}
