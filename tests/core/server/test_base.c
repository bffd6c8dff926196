/* test_base.c -- what came before: keeping a state as the place where a fold begins. */
#include "core/server/base.h"

#include "tests/storage/state_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static bool has_file(const struct fixture *fixture, const char *name)
{
    char path[128];
    fixture_path(fixture, name, path);
    return access(path, F_OK) == 0;
}

/* A state with one row, at entry `seq`, kept as a base. */
static struct base kept(struct fixture *fixture, const char *value, uint64_t seq)
{
    struct base base;
    put_text(fixture->state, "a", value);
    fixture_checkpoint(fixture, seq);
    if (base_write(fixture->dir, fixture->state, &base, &fixture->err) != 0)
        fail_msg("%s", fixture->err.text);
    return base;
}

static void an_empty_state_is_the_empty_base_and_no_file(void **arg)
{
    struct fixture *fixture = *arg;
    struct base base = { .seq = 7 };
    assert_int_equal(base_write(fixture->dir, fixture->state, &base, &fixture->err), 0);
    assert_int_equal(base.seq, 0);
    assert_false(has_file(fixture, "base"));
    assert_int_equal(base_load(fixture->dir, &base, fixture->state, &fixture->err), 0);
}

static void what_is_kept_is_loaded_with_its_entry(void **arg)
{
    struct fixture *fixture = *arg;
    uint8_t hash[16];
    uint64_t seq;
    int64_t logged;
    struct base base = kept(fixture, "1", 9);
    hash_now(fixture->state, hash);
    assert_int_equal(base.seq, 9);
    assert_memory_equal(base.hash, hash, sizeof hash);
    assert_true(has_file(fixture, "base/9"));
    fixture_empty(fixture);
    assert_int_equal(base_load(fixture->dir, &base, fixture->state, &fixture->err), 0);
    assert_string_equal(get_text(fixture->state, "a"), "1");
    state_applied(fixture->state, &seq, &logged);
    assert_int_equal(seq, 9);
}

static void another_state_in_its_place_is_refused_by_name(void **arg)
{
    struct fixture *fixture = *arg;
    struct base first = kept(fixture, "1", 9);
    kept(fixture, "2", 9); /* over it */
    fixture_empty(fixture);
    assert_int_equal(base_load(fixture->dir, &first, fixture->state, &fixture->err), E_CORRUPT);
    assert_non_null(strstr(fixture->err.text, "/base/9 is not the state that the log begins from"));
}

static void a_file_that_is_missing_is_named(void **arg)
{
    struct fixture *fixture = *arg;
    struct base base = { .seq = 12 };
    assert_int_equal(base_load(fixture->dir, &base, fixture->state, &fixture->err), E_IO);
    assert_non_null(strstr(fixture->err.text, "/base/12: No such file"));
}

static void sweep(struct fixture *fixture, const struct base *base)
{
    struct base none = { 0 };
    assert_int_equal(base_sweep(fixture->dir, base, &none, &fixture->err), 0);
}

static void sweeping_leaves_the_present_base_alone(void **arg)
{
    struct fixture *fixture = *arg;
    sweep(fixture, &(struct base){ 0 }); /* of nothing */
    kept(fixture, "1", 3);
    struct base second = kept(fixture, "2", 30);
    sweep(fixture, &second);
    assert_false(has_file(fixture, "base/3"));
    assert_true(has_file(fixture, "base/30"));
    sweep(fixture, &(struct base){ 0 });
    assert_false(has_file(fixture, "base/30"));
}

static struct base through_a_document(const struct base *base)
{
    struct buf bytes = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &bytes);
    base_put(&w, "base", base);
    struct base back = base_of(doc_end(&w), "base");
    buf_deinit(&bytes);
    return back;
}

static void a_world_names_its_base_whole(void **arg)
{
    struct base base = { .seq = 1234567890123, .hash = "fifteen bytes.." };
    struct base none = { 0 };
    struct base back = through_a_document(&base);
    (void)arg;
    assert_int_equal(back.seq, base.seq);
    assert_memory_equal(back.hash, base.hash, sizeof back.hash);
    back = through_a_document(&none);
    assert_int_equal(back.seq, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_state_is_the_empty_base_and_no_file),
        TEST(what_is_kept_is_loaded_with_its_entry),
        TEST(another_state_in_its_place_is_refused_by_name),
        TEST(a_file_that_is_missing_is_named),
        TEST(sweeping_leaves_the_present_base_alone),
        TEST(a_world_names_its_base_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
