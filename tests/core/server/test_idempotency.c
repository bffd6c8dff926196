/* test_idempotency.c -- answers kept for a day, in a time and a directory of their own. */
#include "core/server/idempotency.h"

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/server/dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS (3600ll * 1000)

struct place {
    char dir[64];
    int64_t now;
    struct idempotency *kept;
    struct arena arena;
};

static int64_t now_of(void *arg)
{
    return ((struct place *)arg)->now;
}

static void place_open(struct place *place)
{
    struct clock clock = { now_of, now_of, place };
    assert_int_equal(idempotency_open(place->dir, clock, &place->kept, NULL), 0);
}

static void place_reopen(struct place *place)
{
    idempotency_close(place->kept);
    place_open(place);
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->dir, sizeof place->dir, "/tmp/test_idempotency.XXXXXX");
    place->now = 1000 * HOUR_MS;
    if (mkdtemp(place->dir) == NULL)
        return -1;
    place_open(place);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    idempotency_close(place->kept);
    arena_deinit(&place->arena);
    dir_clear(place->dir);
    rmdir(place->dir);
    free(place);
    return 0;
}

static struct idempotency_id id_of(unsigned key, unsigned request)
{
    struct idempotency_id id;
    digest_16(&key, sizeof key, id.key);
    digest_16(&request, sizeof request, id.request);
    return id;
}

static enum idempotency_state begin(struct place *place, unsigned key, unsigned request,
                                    struct idempotency_answer *out_answer)
{
    struct idempotency_id id = id_of(key, request);
    return idempotency_begin(place->kept, &id, false, &place->arena, out_answer);
}

static void keep(struct place *place, unsigned key, const char *body)
{
    struct idempotency_answer answer = { 201, text_of("application/json"), text_of(body) };
    struct idempotency_id id = id_of(key, 1);
    assert_int_equal(begin(place, key, 1, NULL), IDEMPOTENCY_NEW);
    idempotency_keep(place->kept, &id, &answer);
}

static void check_kept(struct place *place, unsigned key, const char *body)
{
    struct idempotency_answer answer;
    assert_int_equal(begin(place, key, 1, &answer), IDEMPOTENCY_ANSWERED);
    assert_int_equal(answer.status, 201);
    assert_string_equal(answer.content_type.data, "application/json");
    assert_string_equal(answer.body.data, body);
}

static void an_answer_is_found_in_this_run_and_the_next(void **state)
{
    keep(*state, 1, "one");
    keep(*state, 2, "");
    check_kept(*state, 1, "one");
    place_reopen(*state);
    check_kept(*state, 1, "one");
    check_kept(*state, 2, "");
    assert_int_equal(begin(*state, 3, 1, NULL), IDEMPOTENCY_NEW);
}

static void another_request_is_told_apart_from_a_repetition(void **state)
{
    keep(*state, 1, "one");
    assert_int_equal(begin(*state, 1, 2, NULL), IDEMPOTENCY_OTHER);
    assert_int_equal(begin(*state, 2, 1, NULL), IDEMPOTENCY_NEW);
    assert_int_equal(begin(*state, 2, 1, NULL), IDEMPOTENCY_UNDER_WAY);
    assert_int_equal(begin(*state, 2, 2, NULL), IDEMPOTENCY_OTHER);
}

static void what_is_dropped_may_begin_again(void **state)
{
    struct place *place = *state;
    struct idempotency_id id = id_of(1, 1);
    assert_int_equal(begin(place, 1, 1, NULL), IDEMPOTENCY_NEW);
    idempotency_drop(place->kept, &id);
    keep(place, 1, "after all");
    check_kept(place, 1, "after all");
}

static void an_answer_is_kept_for_a_day_and_no_longer(void **state)
{
    struct place *place = *state;
    for (unsigned hour = 0; hour < 60; hour++, place->now += HOUR_MS) {
        keep(place, hour, "x");
        if (hour % 7 == 0)
            place_reopen(place);
        for (unsigned before = 0; before <= hour; before++) {
            struct idempotency_answer answer;
            struct idempotency_id id = id_of(before, 1);
            bool is_kept = hour - before < 24;
            assert_int_equal(begin(place, before, 1, &answer),
                             is_kept ? IDEMPOTENCY_ANSWERED : IDEMPOTENCY_NEW);
            if (!is_kept)
                idempotency_drop(place->kept, &id);
        }
    }
    assert_true(idempotency_count(place->kept) <= 48);
}

static void thousands_are_found(void **state)
{
    char body[16];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(body, sizeof body, "%u", i);
        keep(*state, i, body);
    }
    place_reopen(*state);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(body, sizeof body, "%u", i);
        check_kept(*state, i, body);
    }
}

static void a_file_cut_anywhere_keeps_the_answers_before_the_cut(void **state)
{
    struct place *place = *state;
    char path[100];
    keep(place, 1, "one");
    snprintf(path, sizeof path, "%s/new", place->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long first = ftell(file);
    fclose(file);
    for (long size = 2 * first - 1; size > first; size--) {
        keep(place, 2, "two");
        assert_int_equal(truncate(path, size), 0);
        place_reopen(place);
        check_kept(place, 1, "one");
    }
}

static void what_is_forgotten_is_gone_from_the_disk(void **state)
{
    struct place *place = *state;
    keep(place, 1, "Ann Anderson");
    assert_int_equal(idempotency_forget(place->kept, NULL), 0);
    char path[100], text[16];
    snprintf(path, sizeof path, "%s/new", place->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 0);
    fclose(file);
    keep(place, 1, "again");
    place_reopen(place);
    check_kept(place, 1, "again");
}

static void calls_that_anybody_can_make_leave_room_for_the_others(void **state)
{
    struct place *place = *state;
    unsigned key = 0;
    struct idempotency_id id = id_of(key, 1);
    while (idempotency_begin(place->kept, &id, true, &place->arena, NULL) == IDEMPOTENCY_NEW)
        id = id_of(++key, 1);
    assert_int_equal(idempotency_count(place->kept), IDEMPOTENCY_KEYS_MAX / 2);
    assert_int_equal(idempotency_begin(place->kept, &id, true, &place->arena, NULL),
                     IDEMPOTENCY_FULL);
    assert_int_equal(begin(place, key, 1, NULL), IDEMPOTENCY_NEW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_found_in_this_run_and_the_next),
        TEST(another_request_is_told_apart_from_a_repetition),
        TEST(what_is_dropped_may_begin_again),
        TEST(an_answer_is_kept_for_a_day_and_no_longer),
        TEST(thousands_are_found),
        TEST(a_file_cut_anywhere_keeps_the_answers_before_the_cut),
        TEST(what_is_forgotten_is_gone_from_the_disk),
        TEST(calls_that_anybody_can_make_leave_room_for_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
