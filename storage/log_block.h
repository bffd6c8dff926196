/* log_block.h -- one block of the log as bytes: packing, checking, reading.
 *
 * docs/log.md, "Blocks", is the format.  Pure functions: no file, no lock, no state
 * but the compressor's, which the caller lends.  Any thread.
 *
 * A block is parsed in steps, each refusing more.  log_block_parse() checks the
 * checksum and the header's sizes; every read does so.  log_block_unpack() yields the
 * records and checks that they are as many as promised and end where they should.
 * log_block_check_digests() is for verification.  Bytes that passed the first are what was
 * written; the later ones find a writer's bug or a forger, and no bytes make any of
 * them read beyond what it was given.
 */
#ifndef STORAGE_LOG_BLOCK_H
#define STORAGE_LOG_BLOCK_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

#define LOG_BLOCK_FORMAT 1
#define LOG_BLOCK_HEAD_BYTES 88
#define LOG_BLOCK_CHAIN_AT 48 /* in every format */
#define LOG_BLOCK_CHAIN_BYTES 32
#define LOG_BLOCK_DIGEST_BYTES 16
#define LOG_BLOCK_SALT_BYTES 16
#define LOG_BLOCK_RECORD_BYTES 32 /* of a record before its body */

struct log_block {
    uint64_t world;
    uint64_t seq_first;
    int64_t logged_first;
    uint32_t count;
    uint32_t raw_size;      /* of the body: all records */
    const uint8_t *chain;   /* LOG_BLOCK_CHAIN_BYTES */
    const uint8_t *digests; /* LOG_BLOCK_DIGEST_BYTES for each record */
    const uint8_t *stored;  /* the body as it lies in the block; set by log_block_parse() */
    uint32_t stored_size;
    bool is_compressed;
};

enum log_record_kind { LOG_RECORD_ENTRY = 0, LOG_RECORD_TOMBSTONE = 1 };

struct log_record {
    enum log_record_kind kind;
    uint8_t class;
    int64_t logged;
    const uint8_t *salt; /* LOG_BLOCK_SALT_BYTES; of a tombstone: zeros */
    const uint8_t *body; /* of a tombstone: the customer's number, 8 bytes */
    uint32_t size;       /* of the body */
};

/* -- Records ---------------------------------------------------------------- */

/* Append a record to `body`. */
void log_record_put(struct buf *body, const struct log_record *record);
/* The same record without anything by which its content could be guessed. */
void log_record_put_tombstone(struct buf *body, const struct log_record *record, uint64_t customer);
uint64_t log_record_customer(const struct log_record *tombstone);

/* Read the record at *at, which moves behind it.  False at `end`, and when the bytes
 * are no record: then *at is NULL. */
bool log_record_next(const uint8_t **at, const uint8_t *end, struct log_record *out_record);

/* -- Packing ---------------------------------------------------------------- */

/* Append the digests of the `count` records in `body`. */
void log_block_digest(struct buf *out_digests, const uint8_t *body, size_t size, uint32_t count);

/* The chain over a block that follows one with chain `before`. Uses seq_first, count and
 * digests of `block`. */
void log_block_chain(const uint8_t before[LOG_BLOCK_CHAIN_BYTES], const struct log_block *block,
                     uint8_t out_chain[LOG_BLOCK_CHAIN_BYTES]);

/* Write the block with its `body` of raw_size bytes to `out`, whose content it
 * replaces.  All members of `block` before `stored` are given. */
void log_block_pack(const struct log_block *block, const uint8_t *body, struct ZSTD_CCtx_s *zstd,
                    struct buf *out);

/* -- Reading ---------------------------------------------------------------- */

/* Check size, checksum and version.  E_CORRUPT; E_VERSION: the checksum holds, the
 * format or a flag is unknown.  *out_block borrows from `data`. */
int log_block_parse(const void *data, size_t size, struct log_block *out_block, struct err *err);

/* The body into `out_body`, which has room for block->raw_size bytes.  E_CORRUPT. */
int log_block_unpack(const struct log_block *block, struct ZSTD_DCtx_s *zstd, uint8_t *out_body,
                     struct err *err);

/* Compare the digest of every record that is not a tombstone.  E_CORRUPT names the seq. */
int log_block_check_digests(const struct log_block *block, const uint8_t *body, struct err *err);

#endif
