/* test_review.c -- what review.h promises, and the texts around it: json.h, text.h, paths. */
#include "plugins/complaint/review.h"

#include "plugins/complaint/outside.h"
#include "plugins/complaint/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t ms(const char *words)
{
    int64_t found;
    if (!review_time(kith_text(words), &found))
        fail_msg("%s is no time", words);
    return found;
}

static void times_are_read_as_they_are_written(void **state)
{
    static const char *const wrong[] = { "",
                                         "2026-1-01",
                                         "2026-13-01",
                                         "2026-02-29",
                                         "2026-04-31",
                                         "1969-12-31",
                                         "2026-04-01T",
                                         "2026-04-01T24:00:00Z",
                                         "2026-04-01T10:00:00",
                                         "2026-04-01T10:00:00+0200",
                                         "2026-04-01x" };
    int64_t found = 5;
    char text[24];
    (void)state;
    assert_int_equal(ms("1970-01-01"), 0);
    assert_int_equal(ms("2024-02-29"), 1709164800000);
    assert_int_equal(ms("2026-04-01T10:00:00.123+02:00"), ms("2026-04-01T08:00:00Z"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(review_time(kith_text(wrong[i]), &found));
    assert_int_equal(found, 5);
    for (int64_t day = 0; day < 100 * 366; day += 17) {
        review_say_time(day * 86400000, text);
        assert_int_equal(ms(text), day * 86400000);
    }
}

static struct kith_doc record_of(char *room, size_t size, int64_t created, const char *cause,
                                 const char *amount)
{
    struct kith_writer w;
    kith_begin(&w, room, size);
    kith_put_time(&w, "created", created);
    kith_put_bool(&w, "open", 0);
    kith_open(&w, "fields");
    kith_put_string(&w, "root_cause", cause);
    kith_put_bool(&w, "acknowledged_in_time", 1);
    kith_put_bool(&w, "responded_in_time", 0);
    kith_put_time(&w, "responded_at", created + 7200000);
    kith_open(&w, "cost");
    kith_put_string(&w, "amount", amount);
    kith_put_string(&w, "currency", "EUR");
    kith_close(&w);
    kith_close(&w);
    return kith_end(&w);
}

static void take(struct review *review, const char *day, const char *cause, const char *amount)
{
    char room[1024];
    review_take(review, record_of(room, sizeof room, ms(day), cause, amount));
}

static unsigned char room[REVIEW_BYTES_MAX];

static struct kith_doc write(const struct review *review)
{
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    review_write(review, &w);
    struct kith_doc written = kith_end(&w);
    assert_int_not_equal(written.size, 0);
    return written;
}

static void assert_cost(const struct review *review, const char *amount)
{
    struct kith_doc costs = kith_get_doc(write(review), "cost");
    assert_string_equal(kith_get_string(kith_get_doc(costs, "0"), "currency"), "EUR");
    assert_string_equal(kith_get_string(kith_get_doc(costs, "0"), "amount"), amount);
}

static void what_came_is_compared_with_the_time_before(void **state)
{
    struct review *review = calloc(1, sizeof *review);
    (void)state;
    assert_non_null(review);
    review->from = ms("2026-04-01");
    review->to = ms("2026-04-11");
    take(review, "2026-04-10T23:59:59Z", "product", "10.10");
    take(review, "2026-04-01", "delivery", "0.20");
    take(review, "2026-03-31", "product", "99");
    take(review, "2026-03-22", "product", "99");
    take(review, "2026-03-21", "product", "99"); /* too early */
    take(review, "2026-04-11", "product", "99"); /* too late */
    assert_int_equal(review->received, 2);
    assert_int_equal(review->before, 2);
    assert_int_equal(review->acknowledged.in_time, 2);
    assert_int_equal(review->responded.late, 2);
    struct kith_doc written = write(review);
    struct kith_doc causes = kith_get_doc(written, "by_root_cause");
    assert_string_equal(kith_get_string(kith_get_doc(causes, "0"), "name"), "product");
    assert_int_equal(kith_get_int(kith_get_doc(causes, "0"), "trend", 0), -1);
    assert_string_equal(kith_get_string(kith_get_doc(causes, "1"), "name"), "delivery");
    assert_int_equal(kith_get_int(kith_get_doc(causes, "1"), "trend", 0), 1);
    assert_int_equal(kith_get_int(written, "hours_to_respond", 0), 2);
    assert_cost(review, "10.30");
    free(review);
}

static void of_more_names_than_there_is_room_the_rest_is_counted_together(void **state)
{
    struct review *review = calloc(1, sizeof *review);
    (void)state;
    assert_non_null(review);
    review->from = ms("2026-04-01");
    review->to = ms("2026-04-11");
    for (int i = 0; i < 300; i++) {
        char cause[16];
        snprintf(cause, sizeof cause, "cause %d", i);
        take(review, "2026-04-05", cause, "1");
    }
    assert_int_equal(review->causes.count, REVIEW_TALLIES_MAX);
    assert_string_equal(review->causes.items[REVIEW_TALLIES_MAX - 1].name, "(others)");
    assert_int_equal(review->causes.items[REVIEW_TALLIES_MAX - 1].count, 101);
    free(review);
}

static void a_record_of_anything_is_no_harm(void **state)
{
    struct review *review = calloc(1, sizeof *review);
    const struct kith_doc nothing = { NULL, 0 };
    (void)state;
    assert_non_null(review);
    review->from = -1;
    review->to = 1;
    review_take(review, nothing);
    assert_int_equal(review->received, 1);
    free(review);
}

static void money_is_counted_to_the_last_digit(void **state)
{
    static const struct {
        const char *amounts[3], *sum;
    } rows[] = {
        { { "12.10", "0.20", "0" }, "12.30" },
        { { "999999999999.9999", "0.0001", "0" }, "1000000000000" },
        { { "549755813888.1235", "0", "0.0001" }, "549755813888.1236" },
        { { "0.1", "0.025", "-3" }, "-2.875" },
        { { "1.00005", "1.00004", "1" }, "3.0001" },
        { { "0x10", "1e3", "nan" }, "0" },
        { { "900000000000000", "900000000000000", "1" }, "900000000000000" },
        { { "99999999999999999999999999", "1", "1" }, "900000000000000" },
        { { "-99999999999999999999999999", "-1", "-1" }, "-900000000000000" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct review *review = calloc(1, sizeof *review);
        assert_non_null(review);
        review->from = ms("2026-04-01");
        review->to = ms("2026-04-11");
        for (size_t j = 0; j < 3; j++)
            take(review, "2026-04-05", "product", rows[i].amounts[j]);
        assert_cost(review, rows[i].sum);
        struct kith_doc cost = kith_get_doc(kith_get_doc(write(review), "cost"), "0");
        assert_int_equal(kith_get_int(cost, "capped", 0),
                         strstr(rows[i].sum, "900000000000000") != NULL);
        free(review);
    }
}

static void a_review_of_all_names_that_there_is_room_for_is_written(void **state)
{
    struct review *review = calloc(1, sizeof *review);
    (void)state;
    assert_non_null(review);
    struct review_tally *tallies[] = { &review->severities,   &review->channels,
                                       &review->products,     &review->causes,
                                       &review->resolutions,  &review->costs,
                                       &review->compensations };
    for (size_t i = 0; i < sizeof tallies / sizeof *tallies; i++) {
        tallies[i]->count = REVIEW_TALLIES_MAX;
        for (size_t j = 0; j < REVIEW_TALLIES_MAX; j++) {
            memset(tallies[i]->items[j].name, 'x', REVIEW_WORD_MAX);
            tallies[i]->items[j].units = -INT64_C(8999999999999999999);
        }
    }
    write(review);
    free(review);
}

static void a_text_is_encoded_for_a_path(void **state)
{
    char path[16];
    (void)state;
    assert_true(outside_encode(kith_text("a b/\xc3\xa4"), path, sizeof path));
    assert_string_equal(path, "a%20b%2F%C3%A4");
    assert_false(outside_encode(kith_text("aaaaaaaaaaaaaaaa"), path, sizeof path));
}

static void texts_are_cut_between_characters_and_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(text_cut(kith_text("a\xc3\xa4"), 2).size, 1);
    assert_int_equal(text_cut(kith_text("a\xc3\xa4"), 3).size, 3);
    assert_true(text_has(kith_text("My LAWYER"), kith_text("lawyer")));
    assert_false(text_has(kith_text("law"), kith_text("lawyer")));
    assert_false(text_has(kith_text("law"), kith_text("")));
    assert_int_equal(text_reference(kith_text("Re: [Complaint:17] x")), 17);
    assert_int_equal(text_reference(kith_text("[complaint:] [complaint:5")), 0);
    assert_int_equal(text_reference(kith_text("[complaint:99999999999999999]")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_as_they_are_written),
        cmocka_unit_test(what_came_is_compared_with_the_time_before),
        cmocka_unit_test(of_more_names_than_there_is_room_the_rest_is_counted_together),
        cmocka_unit_test(a_record_of_anything_is_no_harm),
        cmocka_unit_test(money_is_counted_to_the_last_digit),
        cmocka_unit_test(a_review_of_all_names_that_there_is_room_for_is_written),
        cmocka_unit_test(a_text_is_encoded_for_a_path),
        cmocka_unit_test(texts_are_cut_between_characters_and_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
