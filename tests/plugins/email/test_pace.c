/* test_pace.c -- what pace.h promises: slots and promises an interval apart, and nobody else waits.
 */
#include "plugins/email/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW 1000000

static int64_t enter(struct pace *pace, const char *name, int64_t now_ms, int wanted,
                     struct pace_domain **out_domain)
{
    int64_t at = -1;
    assert_int_equal(pace_enter(pace, name, now_ms, out_domain, &at), wanted);
    return at;
}

static void without_limits_everything_may_begin_at_once(void **state)
{
    (void)state;
    struct pace *pace = pace_new(0, 0);
    struct pace_domain *domain = NULL;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(enter(pace, "a.example", NOW, 0, &domain), NOW);
        assert_true(pace_may_begin(pace, domain));
        pace_begin(domain);
    }
    for (int i = 0; i < 1000; i++) {
        pace_end(domain);
        pace_leave(pace, domain, NOW);
    }
    assert_int_equal(pace_count(pace), 0);
    pace_free(pace);
}

static void slots_are_an_interval_apart(void **state)
{
    (void)state;
    struct pace *pace = pace_new(0, 7); /* no whole number of ms */
    struct pace_domain *domain = NULL;
    for (int64_t i = 0; i < 4; i++) /* within the 30 s that a message waits */
        assert_int_equal(enter(pace, "a.example", NOW, 0, &domain), NOW + (i * 60000 + 6) / 7);
    assert_int_equal(enter(pace, "b.example", NOW, 0, &domain), NOW);
    pace_free(pace);
}

static void who_has_to_wait_long_is_told_a_time_of_its_own(void **state)
{
    (void)state;
    struct pace *pace = pace_new(0, 60);
    struct pace_domain *domain = NULL;
    int64_t last = 0;
    for (int i = 0; i <= 30; i++)
        last = enter(pace, "a.example", NOW, 0, &domain);
    assert_int_equal(last, NOW + PACE_HOLD_MS);
    for (int64_t i = 1; i <= 100; i++)
        assert_int_equal(enter(pace, "a.example", NOW, 1, &domain), NOW + PACE_HOLD_MS + i * 1000);
    /* Whoever comes when it was told to has its slot then. */
    for (int64_t i = 1; i <= 100; i++) {
        int64_t at = NOW + PACE_HOLD_MS + i * 1000;
        assert_int_equal(enter(pace, "a.example", at, 0, &domain), at);
    }
    pace_free(pace);
}

static void only_so_many_are_on_their_way(void **state)
{
    (void)state;
    struct pace *pace = pace_new(2, 0);
    struct pace_domain *domain = NULL, *other = NULL;
    for (int i = 0; i < 3; i++)
        enter(pace, "a.example", NOW, 0, &domain);
    enter(pace, "b.example", NOW, 0, &other);
    pace_begin(domain);
    assert_true(pace_may_begin(pace, domain));
    pace_begin(domain);
    assert_false(pace_may_begin(pace, domain));
    assert_true(pace_may_begin(pace, other));
    pace_end(domain);
    assert_true(pace_may_begin(pace, domain));
    pace_free(pace);
}

static void a_domain_is_remembered_as_long_as_it_has_a_future(void **state)
{
    (void)state;
    struct pace *pace = pace_new(0, 60);
    struct pace_domain *domain = NULL;
    enter(pace, "a.example", NOW, 0, &domain);
    pace_leave(pace, domain, NOW);
    assert_int_equal(pace_count(pace), 1);
    assert_int_equal(enter(pace, "a.example", NOW, 0, &domain), NOW + 1000);
    pace_leave(pace, domain, NOW + 5000);
    assert_int_equal(pace_count(pace), 0);
    pace_free(pace);
}

static void many_domains_are_known_apart(void **state)
{
    (void)state;
    struct pace *pace = pace_new(0, 60);
    struct pace_domain *domain = NULL;
    char name[] = "aaa.example";
    for (int i = 0; i < 26 * 26 * 26; i++) {
        name[0] = (char)('a' + i % 26);
        name[1] = (char)('a' + i / 26 % 26);
        name[2] = (char)('a' + i / 676);
        assert_int_equal(enter(pace, name, NOW, 0, &domain), NOW);
        pace_leave(pace, domain, NOW);
    }
    assert_int_equal(pace_count(pace), 26 * 26 * 26);
    for (int i = 0; i < 2000; i++) { /* those whose time is over go, a bucket at a time */
        name[0] = (char)('A' + i % 26);
        name[1] = (char)('A' + i / 26 % 26);
        name[2] = (char)('A' + i / 676);
        enter(pace, name, NOW + 2000, 0, &domain);
    }
    assert_int_equal(pace_count(pace), 2000);
    pace_free(pace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_everything_may_begin_at_once),
        cmocka_unit_test(slots_are_an_interval_apart),
        cmocka_unit_test(who_has_to_wait_long_is_told_a_time_of_its_own),
        cmocka_unit_test(only_so_many_are_on_their_way),
        cmocka_unit_test(a_domain_is_remembered_as_long_as_it_has_a_future),
        cmocka_unit_test(many_domains_are_known_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
