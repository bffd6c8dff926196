/* test_histogram.c -- durations counted by size. */
#include "core/base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_edge_belongs_to_the_bucket_below_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        struct histogram histogram = { 0 };
        histogram_add(&histogram, histogram_edge_ns(i));
        assert_int_equal(histogram.buckets[i], 1);
        histogram_add(&histogram, histogram_edge_ns(i) + 1);
        assert_int_equal(histogram.buckets[i + 1], 1);
    }
}

static void edges_go_from_16_us_to_a_minute(void **state)
{
    (void)state;
    assert_int_equal(histogram_edge_ns(0), 16000);
    for (size_t i = 1; i < HISTOGRAM_BUCKETS - 1; i++)
        assert_int_equal(histogram_edge_ns(i), 4 * histogram_edge_ns(i - 1));
    assert_true(histogram_edge_ns(HISTOGRAM_BUCKETS - 2) > 60ll * 1000000000);
}

static void every_duration_counts_once_and_is_summed(void **state)
{
    static const int64_t all[] = { -5, 0, 1, 16000, 999999, 123456789, 100ll * 1000000000 };
    struct histogram histogram = { 0 };
    int64_t sum = 0;
    uint64_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        histogram_add(&histogram, all[i]);
        sum += all[i] > 0 ? all[i] : 0;
    }
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += histogram.buckets[i];
    assert_int_equal(count, sizeof all / sizeof *all);
    assert_int_equal(histogram.sum_ns, sum);
    assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_belongs_to_the_bucket_below_it),
        cmocka_unit_test(edges_go_from_16_us_to_a_minute),
        cmocka_unit_test(every_duration_counts_once_and_is_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
