/* hash.h -- the three hashes of Kith and what each is for; their meaning is fixed.
 *
 *     hash64    XXH64, seed 0        checksums of stored blocks, hash tables
 *     hash128   XXH3, 128 bits       comparing large states; not against forgers
 *     digest    BLAKE2b, 16 or 32    content addresses, chains, anything an
 *               bytes, no key        adversary may choose
 *
 * The first two detect accidents only.  They are in files on disk: another
 * algorithm needs another name.  Any thread; a state belongs to one at a time.
 */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH128_BYTES 16
#define DIGEST_16_BYTES 16
#define DIGEST_32_BYTES 32
#define HEX_SIZE(bytes) (2 * (bytes) + 1) /* with the terminator */

uint64_t hash64(const void *data, size_t size);

/* In pieces; how the data is cut makes no difference.  No deinit: the state owns
 * nothing.  The bytes are the most significant first, as the algorithm's authors
 * print them. */
struct hash128 {
    _Alignas(64) uint8_t state[576];
};
void hash128_init(struct hash128 *hash);
void hash128_update(struct hash128 *hash, const void *data, size_t size);
void hash128_final(const struct hash128 *hash, uint8_t out_hash[HASH128_BYTES]);

void digest_16(const void *data, size_t size, uint8_t out_digest[DIGEST_16_BYTES]);
void digest_32(const void *data, size_t size, uint8_t out_digest[DIGEST_32_BYTES]);

/* In pieces.  The length goes into the digest: 16 bytes are not the beginning of
 * 32.  After digest_final() the state must be initialised again. */
struct digest {
    _Alignas(64) uint8_t state[384];
    size_t digest_bytes;
};
void digest_init(struct digest *digest, size_t digest_bytes); /* 16 or 32 */
void digest_update(struct digest *digest, const void *data, size_t size);
void digest_final(struct digest *digest, uint8_t *out_digest);

/* Lower-case digits and a terminator: HEX_SIZE(size) characters. */
void hex_encode(const void *data, size_t size, char *out_text);

/* Exactly 2 * size digits of either case, else false and nothing is written. */
bool hex_decode(const char *text, size_t text_size, void *out_data, size_t size);

/* Compare secrets in a time that does not tell where they differ. */
bool hash_secret_equal(const void *a, const void *b, size_t size);

#endif
