/* test_log_block.c -- promises of one block as bytes. */
#include "core/base/buf.h"
#include "core/base/err.h"
#include "storage/log_block.h"

#include <endian.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include <cmocka.h>

#define CHECKSUM_AT 80

struct sample {
    struct buf body, digests, packed;
    struct log_block block;
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES];
    ZSTD_CCtx *zstd;
    ZSTD_DCtx *unzstd;
};

static int setup(void **state)
{
    struct sample *sample = calloc(1, sizeof *sample);
    sample->zstd = ZSTD_createCCtx();
    sample->unzstd = ZSTD_createDCtx();
    *state = sample;
    return sodium_init() < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct sample *sample = *state;
    buf_deinit(&sample->body);
    buf_deinit(&sample->digests);
    buf_deinit(&sample->packed);
    ZSTD_freeCCtx(sample->zstd);
    ZSTD_freeDCtx(sample->unzstd);
    free(sample);
    return 0;
}

static void put_record(struct sample *sample, uint32_t i, const char *text)
{
    uint8_t salt[LOG_BLOCK_SALT_BYTES];
    memset(salt, (int)i + 1, sizeof salt);
    struct log_record record = { .kind = LOG_RECORD_ENTRY,
                                 .class = (uint8_t)(1 + i % 4),
                                 .logged = 5000 + i,
                                 .salt = salt,
                                 .body = (const uint8_t *)text,
                                 .size = (uint32_t)strlen(text) };
    log_record_put(&sample->body, &record);
}

/* The block with all that is in `body`. */
static void pack(struct sample *sample, uint32_t count)
{
    static const uint8_t before[LOG_BLOCK_CHAIN_BYTES] = { 9 };
    buf_clear(&sample->digests);
    log_block_digest(&sample->digests, sample->body.data, sample->body.size, count);
    sample->block = (struct log_block){ .world = 77,
                                        .seq_first = 100,
                                        .logged_first = 5000,
                                        .count = count,
                                        .raw_size = (uint32_t)sample->body.size,
                                        .chain = sample->chain,
                                        .digests = sample->digests.data };
    log_block_chain(before, &sample->block, sample->chain);
    log_block_pack(&sample->block, sample->body.data, sample->zstd, &sample->packed);
}

static void make(struct sample *sample, uint32_t count)
{
    buf_clear(&sample->body);
    for (uint32_t i = 0; i < count; i++)
        put_record(sample, i, "an entry much like the others, which is what compresses");
    pack(sample, count);
}

/* What a reader does with a value: 0, or what refused it. */
static int read_back(struct sample *sample, const uint8_t *data, size_t size, struct err *err)
{
    struct log_block block;
    int code = log_block_parse(data, size, &block, err);
    if (code != 0)
        return code;
    uint8_t *body = malloc(block.raw_size + 1);
    code = log_block_unpack(&block, sample->unzstd, body, err);
    if (code == 0)
        code = log_block_check_digests(&block, body, err);
    free(body);
    return code;
}

static void sum_again(struct buf *packed)
{
    memset(packed->data + CHECKSUM_AT, 0, 8);
    uint64_t sum = htole64(XXH64(packed->data, packed->size, 0));
    memcpy(packed->data + CHECKSUM_AT, &sum, sizeof sum);
}

static void a_block_gives_back_what_was_packed(void **state)
{
    struct sample *sample = *state;
    for (uint32_t count = 1; count <= 60; count += 59) { /* stored as it is, and compressed */
        make(sample, count);
        struct log_block block;
        assert_int_equal(log_block_parse(sample->packed.data, sample->packed.size, &block, NULL),
                         0);
        assert_int_equal(block.is_compressed, count > 1);
        assert_int_equal(block.world, 77);
        assert_int_equal(block.seq_first, 100);
        assert_int_equal(block.logged_first, 5000);
        assert_int_equal(block.count, count);
        uint8_t *body = malloc(block.raw_size);
        assert_int_equal(log_block_unpack(&block, sample->unzstd, body, NULL), 0);
        assert_memory_equal(body, sample->body.data, sample->body.size);
        assert_int_equal(log_block_check_digests(&block, body, NULL), 0);
        free(body);
    }
}

static void the_header_lies_where_the_format_says(void **state)
{
    struct sample *sample = *state;
    make(sample, 2);
    const uint8_t *data = sample->packed.data;
    static const uint8_t start[] = { 'K',  'T',  'H', 'L', 1,   0, 0, 0, 77, 0, 0, 0,
                                     0,    0,    0,   0,   100, 0, 0, 0, 0,  0, 0, 0,
                                     0x88, 0x13, 0,   0,   0,   0, 0, 0, 2,  0, 0, 0 };
    assert_memory_equal(data, start, sizeof start);
    assert_memory_equal(data + 48, sample->chain, sizeof sample->chain);
    assert_memory_equal(data + 88, sample->digests.data, sample->digests.size);
    assert_memory_equal(data + 88 + 32, sample->body.data, sample->body.size);
    assert_int_equal(sample->packed.size, 88 + 32 + sample->body.size);
}

static void what_does_not_compress_is_stored_as_it_is(void **state)
{
    struct sample *sample = *state;
    struct log_block block;
    uint8_t noise[4000];
    randombytes_buf_deterministic(noise, sizeof noise, (const uint8_t[randombytes_SEEDBYTES]){ 1 });
    buf_clear(&sample->body);
    log_record_put(
        &sample->body,
        &(struct log_record){
            .class = 1, .logged = 5000, .salt = noise, .body = noise, .size = sizeof noise });
    pack(sample, 1);
    assert_int_equal(log_block_parse(sample->packed.data, sample->packed.size, &block, NULL), 0);
    assert_false(block.is_compressed);
    assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, NULL), 0);
}

static void every_single_flipped_bit_is_found(void **state)
{
    struct sample *sample = *state;
    for (uint32_t count = 1; count <= 40; count += 39) {
        make(sample, count);
        for (size_t bit = 0; bit < sample->packed.size * 8; bit++) {
            sample->packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, NULL),
                             E_CORRUPT);
            sample->packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void every_wrong_byte_is_found(void **state)
{
    struct sample *sample = *state;
    make(sample, 3);
    for (size_t at = 0; at < sample->packed.size; at++) {
        uint8_t right = sample->packed.data[at];
        for (unsigned wrong = 0; wrong < 256; wrong++) {
            sample->packed.data[at] = (uint8_t)wrong;
            int code = read_back(sample, sample->packed.data, sample->packed.size, NULL);
            assert_int_equal(code, wrong == right ? 0 : E_CORRUPT);
        }
        sample->packed.data[at] = right;
    }
}

static void a_block_cut_short_is_refused_at_every_length(void **state)
{
    struct sample *sample = *state;
    make(sample, 30);
    for (size_t size = 0; size < sample->packed.size; size++) {
        uint8_t *cut = malloc(size + 1); /* its own memory: reading behind it is seen */
        memcpy(cut, sample->packed.data, size);
        assert_int_equal(read_back(sample, cut, size, NULL), E_CORRUPT);
        free(cut);
    }
}

static void another_format_or_an_unknown_flag_is_a_version_and_not_corruption(void **state)
{
    struct sample *sample = *state;
    struct err err = { 0 };
    make(sample, 2);
    sample->packed.data[4] = 2;
    sum_again(&sample->packed);
    assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, &err), E_VERSION);
    assert_non_null(strstr(err.text, "format 2"));

    make(sample, 2);
    sample->packed.data[6] |= 0x10;
    sum_again(&sample->packed);
    assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, &err), E_VERSION);
}

static void a_header_that_lies_under_a_right_checksum_is_refused(void **state)
{
    struct sample *sample = *state;
    static const size_t places[] = { 6, 24, 32, 33, 35, 36, 37, 39, 40, 41, 43 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        make(sample, 40);
        sample->packed.data[places[i]] ^= 1;
        sum_again(&sample->packed);
        assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, NULL),
                         E_CORRUPT);
    }
}

static uint64_t roll(uint64_t *dice) /* an MMIX step, its better bits */
{
    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return *dice >> 33;
}

static void noise_under_a_right_checksum_is_refused_and_harms_nobody(void **state)
{
    struct sample *sample = *state;
    uint64_t dice = 5;
    for (int round = 0; round < 20000; round++) {
        make(sample, 1 + (uint32_t)round % 24);
        for (int i = 0; i < 1 + round % 5; i++)
            sample->packed.data[6 + roll(&dice) % (sample->packed.size - 6)] = (uint8_t)roll(&dice);
        sum_again(&sample->packed);
        read_back(sample, sample->packed.data, sample->packed.size, NULL);
    }
}

static void an_entry_that_was_changed_is_named_by_its_digest(void **state)
{
    struct sample *sample = *state;
    struct err err = { 0 };
    make(sample, 3);
    sample->body.data[sample->body.size - 1] ^= 1;
    log_block_pack(&sample->block, sample->body.data, sample->zstd, &sample->packed);
    assert_int_equal(read_back(sample, sample->packed.data, sample->packed.size, &err), E_CORRUPT);
    assert_non_null(strstr(err.text, "entry 102"));
}

static void a_tombstone_keeps_time_class_and_customer_and_no_salt(void **state)
{
    struct sample *sample = *state;
    make(sample, 1);
    const uint8_t *at = sample->body.data;
    struct log_record record, tombstone;
    assert_true(log_record_next(&at, at + sample->body.size, &record));
    struct buf out = BUF_INIT;
    log_record_put_tombstone(&out, &record, 4711);
    at = out.data;
    assert_true(log_record_next(&at, at + out.size, &tombstone));
    assert_int_equal(tombstone.kind, LOG_RECORD_TOMBSTONE);
    assert_int_equal(tombstone.class, record.class);
    assert_int_equal(tombstone.logged, record.logged);
    assert_int_equal(log_record_customer(&tombstone), 4711);
    for (size_t i = 0; i < LOG_BLOCK_SALT_BYTES; i++)
        assert_int_equal(tombstone.salt[i], 0);
    buf_deinit(&out);
}

static void equal_content_has_different_digests_by_its_salt(void **state)
{
    struct sample *sample = *state;
    buf_clear(&sample->body);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t salt[LOG_BLOCK_SALT_BYTES] = { i };
        log_record_put(&sample->body,
                       &(struct log_record){
                           .class = 1, .logged = 5000, .salt = salt, .body = salt + 1, .size = 4 });
    }
    pack(sample, 2);
    assert_memory_not_equal(sample->digests.data, sample->digests.data + LOG_BLOCK_DIGEST_BYTES,
                            LOG_BLOCK_DIGEST_BYTES);
}

static void the_chain_depends_on_all_it_covers(void **state)
{
    struct sample *sample = *state;
    uint8_t before[LOG_BLOCK_CHAIN_BYTES] = { 9 };
    uint8_t chain[LOG_BLOCK_CHAIN_BYTES];
    make(sample, 3);
    struct log_block block = sample->block;
    log_block_chain(before, &block, chain);
    assert_memory_equal(chain, sample->chain, sizeof chain);

    before[31] ^= 1;
    log_block_chain(before, &block, chain);
    assert_memory_not_equal(chain, sample->chain, sizeof chain);
    before[31] ^= 1;
    block.seq_first++;
    log_block_chain(before, &block, chain);
    assert_memory_not_equal(chain, sample->chain, sizeof chain);
    block.seq_first--;
    block.count--;
    log_block_chain(before, &block, chain);
    assert_memory_not_equal(chain, sample->chain, sizeof chain);
    block.count++;
    sample->digests.data[sample->digests.size - 1] ^= 1;
    log_block_chain(before, &block, chain);
    assert_memory_not_equal(chain, sample->chain, sizeof chain);
}

static void bytes_that_are_no_record_are_refused(void **state)
{
    struct sample *sample = *state;
    struct log_record record;
    make(sample, 1);
    static const struct {
        size_t at;
        uint8_t byte;
    } faults[] = { { 0, 200 }, { 0, 3 }, { 3, 255 }, { 4, 2 },
                   { 4, 1 },   { 5, 0 }, { 5, 5 },   { 6, 1 } };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint8_t *copy = malloc(sample->body.size);
        memcpy(copy, sample->body.data, sample->body.size);
        copy[faults[i].at] = faults[i].byte;
        const uint8_t *at = copy;
        assert_false(log_record_next(&at, copy + sample->body.size, &record));
        assert_null(at);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_block_gives_back_what_was_packed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_header_lies_where_the_format_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_compress_is_stored_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(every_single_flipped_bit_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(every_wrong_byte_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_block_cut_short_is_refused_at_every_length, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            another_format_or_an_unknown_flag_is_a_version_and_not_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(a_header_that_lies_under_a_right_checksum_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(noise_under_a_right_checksum_is_refused_and_harms_nobody,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_that_was_changed_is_named_by_its_digest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_tombstone_keeps_time_class_and_customer_and_no_salt,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(equal_content_has_different_digests_by_its_salt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_chain_depends_on_all_it_covers, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_record_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
