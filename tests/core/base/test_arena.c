/* test_arena.c -- what arena.h promises. */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_piece_is_aligned_and_nobody_elses(void **state)
{
    struct arena arena = ARENA_INIT;
    char *pieces[200];
    (void)state;
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, 1 + i * 37);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, 1 + i * 37);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t at = 0; at < 1 + i * 37; at++)
            assert_int_equal((unsigned char)pieces[i][at], i);
    arena_deinit(&arena);
}

static void going_back_keeps_what_lies_before_the_mark(void **state)
{
    struct arena arena = ARENA_INIT;
    (void)state;
    char *kept = arena_alloc(&arena, 100);
    memset(kept, 'k', 100);
    struct arena_mark mark = arena_mark(&arena);
    char *first = arena_alloc(&arena, 64);
    for (int i = 0; i < 50; i++)
        memset(arena_alloc(&arena, 9000), 'x', 9000);
    arena_release(&arena, mark);
    assert_ptr_equal(arena_alloc(&arena, 64), first); /* the place is free again */
    for (int i = 0; i < 100; i++)
        assert_int_equal(kept[i], 'k');
    arena_deinit(&arena);
}

static void marks_nest(void **state)
{
    struct arena arena = ARENA_INIT;
    (void)state;
    struct arena_mark outer = arena_mark(&arena); /* of an arena that holds nothing yet */
    arena_alloc(&arena, 70000);
    struct arena_mark inner = arena_mark(&arena);
    arena_alloc(&arena, 70000);
    arena_release(&arena, inner);
    assert_int_equal(arena.bytes, 70000);
    arena_alloc(&arena, 100);
    arena_release(&arena, outer);
    assert_int_equal(arena.bytes, 0);
    memset(arena_alloc(&arena, 100), 1, 100);
    arena_deinit(&arena);
}

static void the_count_tells_what_was_asked_for_and_not_what_is_held(void **state)
{
    struct arena fresh = ARENA_INIT, used = ARENA_INIT;
    (void)state;
    for (int i = 0; i < 40; i++)
        arena_alloc(&used, 60000);
    arena_clear(&used);
    assert_true(used.chunks > fresh.chunks);
    for (size_t i = 1; i < 100; i++) {
        arena_alloc(&fresh, 1000 * i);
        arena_alloc(&used, 1000 * i);
        assert_int_equal(fresh.bytes, used.bytes);
    }
    arena_deinit(&fresh);
    arena_deinit(&used);
}

static void a_burst_is_not_held_for_ever(void **state)
{
    struct arena arena = ARENA_INIT;
    (void)state;
    for (int i = 0; i < 1000; i++)
        arena_alloc(&arena, 40000);
    arena_alloc(&arena, 10 * ARENA_CHUNK_BYTES);
    assert_true(arena.chunks > 1000);
    arena_clear(&arena);
    assert_true(arena.chunks <= ARENA_CHUNKS_KEPT);
    size_t kept = arena.chunks;
    for (int i = 0; i < ARENA_CHUNKS_KEPT / 2; i++)
        arena_alloc(&arena, 40000);
    assert_int_equal(arena.chunks, kept); /* and the steady state allocates nothing */
    arena_deinit(&arena);
}

static void one_large_piece_goes_and_the_ordinary_chunks_stay(void **state)
{
    struct arena arena = ARENA_INIT;
    (void)state;
    arena_alloc(&arena, 100);
    arena_alloc(&arena, 10 * ARENA_CHUNK_BYTES);
    arena_alloc(&arena, 100);
    assert_int_equal(arena.chunks, 3);
    arena_clear(&arena);
    assert_int_equal(arena.chunks, 2);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_aligned_and_nobody_elses),
        cmocka_unit_test(going_back_keeps_what_lies_before_the_mark),
        cmocka_unit_test(marks_nest),
        cmocka_unit_test(the_count_tells_what_was_asked_for_and_not_what_is_held),
        cmocka_unit_test(a_burst_is_not_held_for_ever),
        cmocka_unit_test(one_large_piece_goes_and_the_ordinary_chunks_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
