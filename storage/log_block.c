/* log_block.c -- one block of the log as bytes; see log_block.h and docs/log.md.
 *
 * The checksum covers the whole value and is tested before anything else is believed,
 * the version number included: so a flipped bit there is corruption and not "another
 * version".  Every later format keeps magic, version, chain
 * and checksum where they are.
 *
 * Digests are over whole records as they lie in the raw body, size and salt included. A
 * tombstone has another record than the one its digest is of, and so cannot be checked
 * beyond the checksum: that is what erasing means.  Its salt is zeroed, for with the salt
 * and the digest a guess of the content could be tested.
 *
 * Compression is one zstd frame per block, level 1, without a dictionary: a block holds a
 * hundred entries of much the same fields.  Blocks of one or two small entries, an idle
 * daemon's, are stored as they are; so is what does not shrink by a sixteenth, which saves
 * every reader the work.
 */
#include "storage/log_block.h"

#include "core/base/err.h"
#include "core/base/hash.h"
#include "core/base/mem.h"
#include "storage/log.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <zstd.h>

#define XXH_STATIC_LINKING_ONLY /* its state, for the stack */
#include <xxhash.h>

#define MAGIC 0x4c48544bu /* "KTHL" */
#define FLAG_ZSTD 1u
#define ZSTD_LEVEL 1
#define ZSTD_RAW_BYTES_MIN 1024u
#define ZSTD_GAIN_SHIFT 4 /* keep only if 1/16 smaller */

#define RAW_BYTES_MAX (LOG_ENTRY_BYTES_MAX + LOG_BLOCK_RECORD_BYTES)
_Static_assert(RAW_BYTES_MAX >= LOG_BLOCK_BYTES_MAX, "a block of many entries fits as well");

enum {
    AT_MAGIC = 0,
    AT_FORMAT = 4,
    AT_FLAGS = 6,
    AT_WORLD = 8,
    AT_SEQ = 16,
    AT_LOGGED = 24,
    AT_COUNT = 32,
    AT_RAW_SIZE = 36,
    AT_STORED_SIZE = 40,
    AT_ZERO = 44,
    AT_CHAIN = LOG_BLOCK_CHAIN_AT,
    AT_CHECKSUM = 80,
};

enum {
    RECORD_AT_SIZE = 0, /* of what follows these 4 bytes */
    RECORD_AT_KIND = 4,
    RECORD_AT_CLASS = 5,
    RECORD_AT_ZERO = 6,
    RECORD_AT_LOGGED = 8,
    RECORD_AT_SALT = 16,
    RECORD_SIZE_BYTES = 4,
    TOMBSTONE_BODY_BYTES = 8,
};

/* -- Integers, hashes ------------------------------------------------------- */

static void put16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof value);
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return le16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

/* hash64 of the value as if the checksum's own bytes were zero: in pieces, lest a reader
 * must copy the block to zero them. */
static uint64_t checksum_of(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[LOG_BLOCK_HEAD_BYTES - AT_CHECKSUM] = { 0 };
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, data, AT_CHECKSUM);
    XXH64_update(&state, zeros, sizeof zeros);
    XXH64_update(&state, data + LOG_BLOCK_HEAD_BYTES, size - LOG_BLOCK_HEAD_BYTES);
    return XXH64_digest(&state);
}

/* -- Records ---------------------------------------------------------------- */

void log_record_put(struct buf *body, const struct log_record *record)
{
    uint8_t *at = buf_reserve(body, LOG_BLOCK_RECORD_BYTES + record->size);
    put32(at + RECORD_AT_SIZE, LOG_BLOCK_RECORD_BYTES - RECORD_SIZE_BYTES + record->size);
    at[RECORD_AT_KIND] = (uint8_t)record->kind;
    at[RECORD_AT_CLASS] = record->class;
    put16(at + RECORD_AT_ZERO, 0);
    put64(at + RECORD_AT_LOGGED, (uint64_t)record->logged);
    memcpy(at + RECORD_AT_SALT, record->salt, LOG_BLOCK_SALT_BYTES);
    if (record->size != 0)
        memcpy(at + LOG_BLOCK_RECORD_BYTES, record->body, record->size);
    body->size += LOG_BLOCK_RECORD_BYTES + record->size;
}

void log_record_put_tombstone(struct buf *body, const struct log_record *record, uint64_t customer)
{
    static const uint8_t no_salt[LOG_BLOCK_SALT_BYTES] = { 0 };
    uint8_t number[TOMBSTONE_BODY_BYTES];
    put64(number, customer);
    log_record_put(body, &(struct log_record){ .kind = LOG_RECORD_TOMBSTONE,
                                               .class = record->class,
                                               .logged = record->logged,
                                               .salt = no_salt,
                                               .body = number,
                                               .size = sizeof number });
}

uint64_t log_record_customer(const struct log_record *tombstone)
{
    return get64(tombstone->body);
}

static bool record_is_sound(const uint8_t *at, uint32_t body_size)
{
    bool is_tombstone = at[RECORD_AT_KIND] == LOG_RECORD_TOMBSTONE;
    return at[RECORD_AT_KIND] <= LOG_RECORD_TOMBSTONE && at[RECORD_AT_CLASS] >= LOG_CLIENT &&
           at[RECORD_AT_CLASS] <= LOG_SYSTEM && get16(at + RECORD_AT_ZERO) == 0 &&
           (!is_tombstone || body_size == TOMBSTONE_BODY_BYTES);
}

bool log_record_next(const uint8_t **at, const uint8_t *end, struct log_record *out_record)
{
    const uint8_t *start = *at;
    if (start == NULL || start == end)
        return false;
    size_t left = (size_t)(end - start);
    *at = NULL;
    if (left < LOG_BLOCK_RECORD_BYTES)
        return false;
    uint64_t size = (uint64_t)get32(start + RECORD_AT_SIZE) + RECORD_SIZE_BYTES;
    if (size < LOG_BLOCK_RECORD_BYTES || size > left)
        return false;
    uint32_t body_size = (uint32_t)size - LOG_BLOCK_RECORD_BYTES;
    if (!record_is_sound(start, body_size))
        return false;

    *out_record = (struct log_record){ .kind = start[RECORD_AT_KIND],
                                       .class = start[RECORD_AT_CLASS],
                                       .logged = (int64_t)get64(start + RECORD_AT_LOGGED),
                                       .salt = start + RECORD_AT_SALT,
                                       .body = start + LOG_BLOCK_RECORD_BYTES,
                                       .size = body_size };
    *at = start + size;
    return true;
}

/* -- Packing ---------------------------------------------------------------- */

void log_block_digest(struct buf *out_digests, const uint8_t *body, size_t size, uint32_t count)
{
    const uint8_t *at = body;
    for (uint32_t i = 0; i < count; i++) {
        struct log_record record;
        const uint8_t *start = at;
        bool is_record = log_record_next(&at, body + size, &record);
        ASSERT(is_record);
        digest_16(start, (size_t)(at - start), buf_reserve(out_digests, LOG_BLOCK_DIGEST_BYTES));
        out_digests->size += LOG_BLOCK_DIGEST_BYTES;
    }
    ASSERT(at == body + size);
}

void log_block_chain(const uint8_t before[LOG_BLOCK_CHAIN_BYTES], const struct log_block *block,
                     uint8_t out_chain[LOG_BLOCK_CHAIN_BYTES])
{
    uint8_t numbers[12];
    put64(numbers, block->seq_first);
    put32(numbers + 8, block->count);
    struct digest digest;
    digest_init(&digest, LOG_BLOCK_CHAIN_BYTES);
    digest_update(&digest, before, LOG_BLOCK_CHAIN_BYTES);
    digest_update(&digest, numbers, sizeof numbers);
    digest_update(&digest, block->digests, (size_t)block->count * LOG_BLOCK_DIGEST_BYTES);
    digest_final(&digest, out_chain);
}

/* Append the body as it is to be stored; true when that is compressed. */
static bool put_body(struct buf *out, const uint8_t *body, uint32_t raw_size, ZSTD_CCtx *zstd)
{
    if (raw_size >= ZSTD_RAW_BYTES_MIN) {
        size_t limit = raw_size - (raw_size >> ZSTD_GAIN_SHIFT);
        size_t size = ZSTD_compressCCtx(zstd, buf_reserve(out, ZSTD_compressBound(raw_size)),
                                        ZSTD_compressBound(raw_size), body, raw_size, ZSTD_LEVEL);
        if (!ZSTD_isError(size) && size <= limit) {
            out->size += size;
            return true;
        }
    }
    buf_append(out, body, raw_size);
    return false;
}

void log_block_pack(const struct log_block *block, const uint8_t *body, ZSTD_CCtx *zstd,
                    struct buf *out)
{
    size_t digests_size = (size_t)block->count * LOG_BLOCK_DIGEST_BYTES;
    size_t body_at = LOG_BLOCK_HEAD_BYTES + digests_size;
    buf_clear(out);
    buf_reserve(out, body_at);
    out->size = body_at;
    bool is_compressed = put_body(out, body, block->raw_size, zstd);

    uint8_t *head = out->data;
    put32(head + AT_MAGIC, MAGIC);
    put16(head + AT_FORMAT, LOG_BLOCK_FORMAT);
    put16(head + AT_FLAGS, is_compressed ? FLAG_ZSTD : 0);
    put64(head + AT_WORLD, block->world);
    put64(head + AT_SEQ, block->seq_first);
    put64(head + AT_LOGGED, (uint64_t)block->logged_first);
    put32(head + AT_COUNT, block->count);
    put32(head + AT_RAW_SIZE, block->raw_size);
    put32(head + AT_STORED_SIZE, (uint32_t)(out->size - body_at));
    put32(head + AT_ZERO, 0);
    memcpy(head + AT_CHAIN, block->chain, LOG_BLOCK_CHAIN_BYTES);
    memcpy(head + LOG_BLOCK_HEAD_BYTES, block->digests, digests_size);
    put64(head + AT_CHECKSUM, checksum_of(head, out->size));
}

/* -- Reading ---------------------------------------------------------------- */

/* What the checksum vouches for was written by somebody who knew the format, or by
 * one who knew another. */
static int check_format(const uint8_t *data, struct err *err)
{
    if (get16(data + AT_FORMAT) != LOG_BLOCK_FORMAT)
        return err_set(err, E_VERSION, "block format %u; this version reads %d",
                       get16(data + AT_FORMAT), LOG_BLOCK_FORMAT);
    if ((get16(data + AT_FLAGS) & ~FLAG_ZSTD) != 0)
        return err_set(err, E_VERSION, "block flags 0x%x; this version knows 0x%x",
                       get16(data + AT_FLAGS), FLAG_ZSTD);
    return 0;
}

static int check_sizes(const struct log_block *block, size_t size, struct err *err)
{
    uint64_t digests = (uint64_t)block->count * LOG_BLOCK_DIGEST_BYTES;
    if (block->count == 0 || LOG_BLOCK_HEAD_BYTES + digests + block->stored_size != size)
        return err_set(err, E_CORRUPT,
                       "a block of %zu bytes promises %" PRIu32 " entries in %" PRIu32, size,
                       block->count, block->stored_size);
    if (block->raw_size > RAW_BYTES_MAX)
        return err_set(err, E_CORRUPT, "a body of %" PRIu32 " bytes; the limit is %u",
                       block->raw_size, RAW_BYTES_MAX);
    if (!block->is_compressed && block->stored_size != block->raw_size)
        return err_set(err, E_CORRUPT, "an uncompressed body of %" PRIu32 " bytes holds %" PRIu32,
                       block->raw_size, block->stored_size);
    return 0;
}

int log_block_parse(const void *data, size_t size, struct log_block *out_block, struct err *err)
{
    const uint8_t *head = data;
    if (size < LOG_BLOCK_HEAD_BYTES)
        return err_set(err, E_CORRUPT, "a block of %zu bytes is shorter than its header", size);
    if (get32(head + AT_MAGIC) != MAGIC)
        return err_set(err, E_CORRUPT, "a block does not begin with KTHL");
    if (get64(head + AT_CHECKSUM) != checksum_of(head, size))
        return err_set(err, E_CORRUPT, "the checksum of a block does not hold");
    int code = check_format(head, err);
    if (code != 0)
        return code;

    uint32_t count = get32(head + AT_COUNT);
    const uint8_t *digests = head + LOG_BLOCK_HEAD_BYTES;
    struct log_block block = {
        .world = get64(head + AT_WORLD),
        .seq_first = get64(head + AT_SEQ),
        .logged_first = (int64_t)get64(head + AT_LOGGED),
        .count = count,
        .raw_size = get32(head + AT_RAW_SIZE),
        .chain = head + AT_CHAIN,
        .digests = digests,
        .stored_size = get32(head + AT_STORED_SIZE),
        .is_compressed = (get16(head + AT_FLAGS) & FLAG_ZSTD) != 0,
    };
    code = check_sizes(&block, size, err);
    if (code != 0)
        return code;
    block.stored = digests + (size_t)count * LOG_BLOCK_DIGEST_BYTES;
    *out_block = block;
    return 0;
}

static bool inflate(const struct log_block *block, ZSTD_DCtx *zstd, uint8_t *out_body)
{
    if (!block->is_compressed) {
        memcpy(out_body, block->stored, block->raw_size);
        return true;
    }
    size_t size =
        ZSTD_decompressDCtx(zstd, out_body, block->raw_size, block->stored, block->stored_size);
    return size == block->raw_size; /* an error code is larger than any size */
}

/* Exactly `count` records, in order of time, and nothing behind them. */
static bool records_are_sound(const struct log_block *block, const uint8_t *body)
{
    const uint8_t *at = body;
    const uint8_t *end = body + block->raw_size;
    struct log_record record;
    int64_t logged = block->logged_first;
    uint32_t count = 0;
    while (log_record_next(&at, end, &record)) {
        if (record.logged < logged || (count == 0 && record.logged != logged))
            return false;
        logged = record.logged;
        count++;
    }
    return at == end && count == block->count;
}

int log_block_unpack(const struct log_block *block, ZSTD_DCtx *zstd, uint8_t *out_body,
                     struct err *err)
{
    if (!inflate(block, zstd, out_body))
        return err_set(err, E_CORRUPT,
                       "the body of a block does not decompress to %" PRIu32 " bytes",
                       block->raw_size);
    if (!records_are_sound(block, out_body))
        return err_set(err, E_CORRUPT, "the body of a block is not %" PRIu32 " entries in order",
                       block->count);
    return 0;
}

int log_block_check_digests(const struct log_block *block, const uint8_t *body, struct err *err)
{
    const uint8_t *at = body;
    const uint8_t *start = body;
    const uint8_t *expected = block->digests;
    struct log_record record;
    for (uint64_t seq = block->seq_first; log_record_next(&at, body + block->raw_size, &record);
         seq++, start = at) {
        uint8_t digest[LOG_BLOCK_DIGEST_BYTES];
        digest_16(start, (size_t)(at - start), digest);
        if (record.kind == LOG_RECORD_ENTRY && memcmp(digest, expected, sizeof digest) != 0)
            return err_set(err, E_CORRUPT, "entry %" PRIu64 " is not the one that was digested",
                           seq);
        expected += LOG_BLOCK_DIGEST_BYTES;
    }
    return 0;
}
