/* test_verp.c -- what verp.h promises: only what we made, and only while it holds. */
#include "plugins/email/verp.h"

#include "plugins/email/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S 86400

static const struct verp_effect effect = { 1842, 3, 2, 20000ll * DAY_S + 5 };

static struct span key(void)
{
    return span_of("0123456789abcdef");
}

static struct span domain(void)
{
    return span_of("mail.shop.example");
}

static enum verp_verdict read_at(struct span address, int64_t now_s, struct verp_effect *out)
{
    return verp_read(key(), domain(), address, now_s, out);
}

static struct bytes made(void)
{
    struct bytes out;
    bytes_init(&out, 1000);
    assert_int_equal(verp_write(key(), domain(), &effect, &out, NULL), 0);
    return out;
}

static void a_return_path_carries_its_effect(void **state)
{
    (void)state;
    struct verp_effect found;
    struct bytes out = made();
    assert_true(span_begins_word(bytes_get(&out), "bounce+1842.3.2.20000."));
    assert_int_equal(read_at(bytes_get(&out), 20000ll * DAY_S, &found), VERP_VALID);
    assert_int_equal(found.seq, 1842);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.attempt, 2);
    for (size_t i = 0; i < out.size; i++) /* servers fold the case */
        if (out.data[i] >= 'a' && out.data[i] <= 'z')
            out.data[i] = (char)(out.data[i] - 32);
    assert_int_equal(read_at(bytes_get(&out), 20000ll * DAY_S, &found), VERP_VALID);
    bytes_deinit(&out);
}

static void it_is_over_after_its_day(void **state)
{
    (void)state;
    struct verp_effect found;
    struct bytes out = made();
    assert_int_equal(read_at(bytes_get(&out), 20001ll * DAY_S - 1, &found), VERP_VALID);
    assert_int_equal(read_at(bytes_get(&out), 20001ll * DAY_S, &found), VERP_STALE);
    bytes_deinit(&out);
}

/* Every byte before the "@" changed to every other, every truncation. */
static void nothing_else_is_valid(void **state)
{
    (void)state;
    struct verp_effect found;
    struct bytes out = made();
    size_t at = span_find(bytes_get(&out), '@');
    for (size_t i = 0; i < at; i++)
        for (int c = 0; c < 256; c++) {
            char old = out.data[i];
            out.data[i] = (char)c;
            if (ascii_lower((char)c) != old)
                assert_in_range(read_at(bytes_get(&out), 0, &found), VERP_NOT_OURS, VERP_FORGED);
            out.data[i] = old;
        }
    for (size_t size = 0; size < out.size; size++)
        assert_int_not_equal(read_at((struct span){ out.data, size }, 0, &found), VERP_VALID);
    assert_int_equal(verp_read(span_of("another key 4567"), domain(), bytes_get(&out), 0, &found),
                     VERP_FORGED);
    assert_int_equal(verp_read(key(), span_of("other.example"), bytes_get(&out), 0, &found),
                     VERP_NOT_OURS);
    bytes_deinit(&out);
}

static void a_message_id_is_no_return_path_and_back(void **state)
{
    (void)state;
    struct verp_effect found = { 0 };
    struct bytes id, path;
    bytes_init(&id, 1000);
    bytes_init(&path, 1000);
    bytes_text(&id, "<");
    assert_int_equal(verp_id_write(key(), domain(), &effect, &id, NULL), 0);
    bytes_text(&id, "@mail.shop.example>");
    assert_int_equal(verp_id_read(key(), domain(), bytes_get(&id), &found), VERP_VALID);
    assert_int_equal(found.seq, 1842);
    assert_int_equal(found.n, 3);
    bytes_text(&path, "bounce+");
    bytes_add(&path, id.data + 1, id.size - 2);
    assert_int_equal(read_at(bytes_get(&path), 0, &found), VERP_FORGED);
    id.data[5] ^= 1;
    assert_int_not_equal(verp_id_read(key(), domain(), bytes_get(&id), &found), VERP_VALID);
    bytes_deinit(&id);
    bytes_deinit(&path);
}

static void the_largest_effect_fits_or_is_refused(void **state)
{
    (void)state;
    struct verp_effect large = { 999999999999999999ull, 9999, 99, 50000ll * DAY_S }, found;
    struct bytes out;
    struct fault fault = { 0 };
    bytes_init(&out, 1000);
    assert_int_equal(verp_write(key(), domain(), &large, &out, NULL), 0);
    assert_true(span_find(bytes_get(&out), '@') <= 64);
    assert_int_equal(read_at(bytes_get(&out), 0, &found), VERP_VALID);
    large.seq = UINT64_MAX;
    large.n = large.attempt = UINT32_MAX;
    assert_int_equal(verp_write(key(), domain(), &large, &out, &fault), FAULT_LIMIT);
    assert_int_equal(verp_write(span_of("short"), domain(), &effect, &out, &fault), FAULT_INVALID);
    bytes_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_return_path_carries_its_effect),
        cmocka_unit_test(it_is_over_after_its_day),
        cmocka_unit_test(nothing_else_is_valid),
        cmocka_unit_test(a_message_id_is_no_return_path_and_back),
        cmocka_unit_test(the_largest_effect_fits_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
