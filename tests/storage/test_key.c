/* test_key.c -- what key.h promises: order, prefixes, one spelling, limits. */
#include "storage/key.h"

#include "core/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS 20000
#define PARTS_MAX 4
#define TEXT_MAX 6

enum part_kind { BYTE, NUMBER, TIME, TEXT, KINDS };

struct part {
    enum part_kind kind;
    uint64_t number;
    int64_t time;
    uint32_t size;
    char text[TEXT_MAX];
};

static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Of few different bytes, with zeros and 0xFF among them, so that texts share
 * beginnings and meet the escapes. */
static struct part part_random(enum part_kind kind)
{
    static const char bytes[] = { 0, 1, 'a', (char)0xfe, (char)0xff };
    struct part part = { .kind = kind };
    part.number = random_next() >> random_next() % 64;
    if (kind == BYTE)
        part.number &= 0xff;
    part.time = (int64_t)(random_next() << random_next() % 64);
    part.size = (uint32_t)(random_next() % (TEXT_MAX + 1));
    for (unsigned i = 0; i < part.size; i++)
        part.text[i] = bytes[random_next() % sizeof bytes];
    return part;
}

static void part_put(struct key *key, const struct part *part)
{
    if (part->kind == BYTE)
        key_byte(key, (uint8_t)part->number);
    else if (part->kind == NUMBER)
        key_number(key, part->number);
    else if (part->kind == TIME)
        key_time(key, part->time);
    else
        key_text(key, (struct text){ part->text, part->size });
}

static int order_of(int64_t difference)
{
    return (difference > 0) - (difference < 0);
}

static int bytes_compare(const void *a, size_t a_size, const void *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order_of(order) : order_of((int64_t)a_size - (int64_t)b_size);
}

static int part_compare(const struct part *a, const struct part *b)
{
    if (a->kind == TIME)
        return (a->time > b->time) - (a->time < b->time);
    if (a->kind == TEXT)
        return bytes_compare(a->text, a->size, b->text, b->size);
    return (a->number > b->number) - (a->number < b->number);
}

static struct key key_of(const struct part *parts, unsigned count)
{
    struct key key;
    key_start(&key, 'x');
    for (unsigned i = 0; i < count; i++)
        part_put(&key, &parts[i]);
    assert_true(key_ok(&key));
    return key;
}

static void byte_order_is_the_order_of_the_parts(void **unused)
{
    (void)unused;
    for (unsigned n = 0; n < PAIRS; n++) {
        struct part a[PARTS_MAX], b[PARTS_MAX];
        unsigned count = 1 + (unsigned)(random_next() % PARTS_MAX);
        int expected = 0;
        for (unsigned i = 0; i < count; i++) {
            enum part_kind kind = (enum part_kind)(random_next() % KINDS);
            a[i] = part_random(kind);
            b[i] = random_next() % 2 ? a[i] : part_random(kind);
            if (expected == 0)
                expected = part_compare(&a[i], &b[i]);
        }
        struct key left = key_of(a, count), right = key_of(b, count);
        assert_int_equal(bytes_compare(left.data, left.size, right.data, right.size), expected);
    }
}

static void a_key_is_a_prefix_only_of_keys_with_the_same_parts(void **unused)
{
    (void)unused;
    for (unsigned n = 0; n < PAIRS; n++) {
        enum part_kind kind = (enum part_kind)(random_next() % KINDS);
        struct part a = part_random(kind), b[2] = { part_random(kind), part_random(NUMBER) };
        struct key shorter = key_of(&a, 1), longer = key_of(b, 2);
        bool is_prefix =
            longer.size >= shorter.size && memcmp(longer.data, shorter.data, shorter.size) == 0;
        assert_int_equal(is_prefix, part_compare(&a, &b[0]) == 0);
    }
}

static void assert_part_reads_back(struct key_reader *reader, const struct part *part)
{
    uint8_t byte;
    uint64_t number;
    int64_t time;
    struct buf text = BUF_INIT;
    if (part->kind == BYTE) {
        assert_true(key_read_byte(reader, &byte));
        assert_int_equal(byte, part->number);
    } else if (part->kind == NUMBER) {
        assert_true(key_read_number(reader, &number));
        assert_true(number == part->number);
    } else if (part->kind == TIME) {
        assert_true(key_read_time(reader, &time));
        assert_true(time == part->time);
    } else {
        assert_true(key_read_text(reader, &text));
        assert_int_equal(text.size, part->size);
        assert_true(part->size == 0 || memcmp(text.data, part->text, part->size) == 0);
        buf_deinit(&text);
    }
}

static void what_was_built_reads_back(void **unused)
{
    (void)unused;
    for (unsigned n = 0; n < PAIRS; n++) {
        struct part parts[PARTS_MAX];
        for (unsigned i = 0; i < PARTS_MAX; i++)
            parts[i] = part_random((enum part_kind)(random_next() % KINDS));
        struct key key = key_of(parts, PARTS_MAX);
        struct key_reader reader = { key.data + 1, key.data + key.size };
        for (unsigned i = 0; i < PARTS_MAX; i++)
            assert_part_reads_back(&reader, &parts[i]);
        assert_ptr_equal(reader.at, reader.end);
    }
}

static void small_numbers_are_short(void **unused)
{
    (void)unused;
    struct key key;
    key_start(&key, 'x');
    key_number(&key, 0);
    assert_int_equal(key.size, 2);
    key_number(&key, 255);
    assert_int_equal(key.size, 4);
    key_number(&key, UINT64_MAX);
    assert_int_equal(key.size, 13);
}

static void a_tail_stands_as_it_is(void **unused)
{
    (void)unused;
    struct key key;
    key_start(&key, 'm');
    key_tail(&key, (struct text){ "a\0b", 3 });
    assert_int_equal(key.size, 4);
    assert_memory_equal(key.data, "ma\0b", 4);
}

static void parts_that_do_not_fit_spoil_the_key(void **unused)
{
    (void)unused;
    char text[KEY_BYTES_MAX] = { 0 };
    struct key key;
    key_start(&key, 'x');
    key_tail(&key, (struct text){ text, KEY_BYTES_MAX - 1 });
    assert_true(key_ok(&key));
    assert_int_equal(key.size, KEY_BYTES_MAX);
    key_byte(&key, 0);
    assert_false(key_ok(&key));

    key_start(&key, 'x');
    assert_true(key_ok(&key));
    key_text(&key, (struct text){ text, KEY_BYTES_MAX / 2 }); /* zeros take two bytes each */
    assert_false(key_ok(&key));
    key_start(&key, 'x');
    key_tail(&key, (struct text){ text, UINT32_MAX });
    assert_false(key_ok(&key));
}

static void assert_no_number(const char *bytes, size_t size)
{
    struct key_reader reader = { (const uint8_t *)bytes, (const uint8_t *)bytes + size };
    uint64_t number = 7;
    assert_false(key_read_number(&reader, &number));
    assert_true(number == 7);
}

static void assert_no_text(const char *bytes, size_t size)
{
    struct key_reader reader = { (const uint8_t *)bytes, (const uint8_t *)bytes + size };
    struct buf text = BUF_INIT;
    assert_false(key_read_text(&reader, &text));
    assert_int_equal(text.size, 0);
    buf_deinit(&text);
}

static void bytes_that_are_no_part_are_refused(void **unused)
{
    (void)unused;
    assert_no_number("", 0);
    assert_no_number("\2\1", 2); /* cut short */
    assert_no_number("\1\0", 2); /* a leading zero: another spelling of 0 */
    assert_no_number("\11\1\1\1\1\1\1\1\1\1", 10);
    assert_no_text("abc", 3);      /* no end */
    assert_no_text("ab\0", 3);     /* half an end */
    assert_no_text("a\0b\0\0", 5); /* neither an end nor an escape */
    struct key_reader reader = { (const uint8_t *)"1234567", (const uint8_t *)"1234567" };
    int64_t time;
    uint8_t byte;
    assert_false(key_read_time(&reader, &time));
    assert_false(key_read_byte(&reader, &byte));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_order_is_the_order_of_the_parts),
        cmocka_unit_test(a_key_is_a_prefix_only_of_keys_with_the_same_parts),
        cmocka_unit_test(what_was_built_reads_back),
        cmocka_unit_test(small_numbers_are_short),
        cmocka_unit_test(a_tail_stands_as_it_is),
        cmocka_unit_test(parts_that_do_not_fit_spoil_the_key),
        cmocka_unit_test(bytes_that_are_no_part_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
