/* test_kith.c -- kith.h reads and writes the documents that Kith does (core/base/doc.h). */
#include "core/base/doc.h"
#include "core/plugin/kit_cases.h"
#include "plugins/sdk/kith.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct doc ours(struct kith_doc doc)
{
    return (struct doc){ doc.data, (uint32_t)doc.size };
}

static struct kith_doc theirs(struct doc doc)
{
    return (struct kith_doc){ doc.data, doc.size };
}

/* Every field as it came. */
static struct kith_doc copied(struct kith_doc doc, void *room, size_t size)
{
    struct kith_writer w;
    kith_begin(&w, room, size);
    for (struct kith_iter it = kith_iter(doc); kith_next(&it);)
        kith_put(&w, it.name.data, &it.value); /* names are terminated */
    return kith_end(&w);
}

static void what_kith_writes_is_read_and_written_byte_for_byte(void **state)
{
    static const char *const names[] = { "a", "after" };
    static unsigned char room[4 << 20];
    struct arena arena = ARENA_INIT;
    (void)state;
    for (size_t style = 0; style < kit_style_count(); style++) {
        struct doc doc = kit_doc(style, names, 2, &arena);
        assert_int_equal(doc_validate(doc.data, doc.size, DOC_DEPTH_MAX, NULL), 0);
        struct kith_doc copy = copied(theirs(doc), room, sizeof room);
        assert_int_equal(copy.size, doc.size);
        assert_memory_equal(copy.data, doc.data, doc.size);
        arena_clear(&arena);
    }
    arena_deinit(&arena);
}

static void what_kith_h_writes_is_read_by_kith(void **state)
{
    char room[512];
    struct kith_writer w;
    (void)state;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "name", "Ann");
    kith_put_int(&w, "least", INT64_MIN);
    kith_put_double(&w, "half", 0.5);
    kith_put_bool(&w, "is", 1);
    kith_put_time(&w, "at", 1767225600000);
    kith_open(&w, "inner");
    kith_open_array(&w, "list");
    for (int i = 0; i < 12; i++)
        kith_put_int(&w, NULL, i);
    kith_close(&w);
    kith_close(&w);
    struct doc doc = ours(kith_end(&w));
    assert_int_equal(doc_validate(doc.data, doc.size, 4, NULL), 0);
    assert_true(text_is(doc_text(doc, "name"), "Ann"));
    assert_true(doc_int(doc, "least", 0) == INT64_MIN);
    assert_true(doc_get(doc, "half").number > 0.4 && doc_bool(doc, "is", false));
    assert_int_equal(doc_get(doc, "at").type, DOC_DATETIME);
    struct doc list = doc_child(doc_child(doc, "inner"), "list");
    assert_int_equal(doc_count(list), 12);
    assert_int_equal(doc_int(list, "11", -1), 11);
}

static void what_does_not_fit_is_no_document(void **state)
{
    char room[32];
    struct kith_writer w;
    (void)state;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "name", "a text that is longer than there is room");
    assert_true(w.is_full);
    struct kith_doc doc = kith_end(&w);
    assert_null(doc.data);
    assert_int_equal(doc.size, 0);
}

static void what_is_opened_too_deep_or_closed_too_often_is_no_document(void **state)
{
    char room[512];
    struct kith_writer w;
    (void)state;
    kith_begin(&w, room, sizeof room);
    for (int i = 0; i <= KITH_NESTING_MAX; i++)
        kith_open(&w, "a");
    assert_true(w.is_full);
    kith_begin(&w, room, sizeof room);
    kith_close(&w);
    kith_put_int(&w, NULL, 1);
    kith_close(&w);
    assert_true(w.is_full);
    assert_int_equal(kith_end(&w).size, 0);
}

static void nothing_reads_as_an_empty_document(void **state)
{
    struct kith_doc nothing = { NULL, 0 };
    struct kith_iter it = kith_iter(nothing);
    char room[64];
    struct kith_writer w;
    (void)state;
    assert_false(kith_next(&it));
    assert_int_equal(kith_get(nothing, "a").type, KITH_NONE);
    assert_int_equal(kith_get_int(nothing, "a", 7), 7);
    struct kith_value none = kith_value_of_doc(nothing);
    kith_begin(&w, room, sizeof room);
    kith_put(&w, "empty", &none);
    struct doc doc = ours(kith_end(&w));
    assert_int_equal(doc_validate(doc.data, doc.size, 4, NULL), 0);
    assert_int_equal(doc_count(doc_child(doc, "empty")), 0);
}

/* Cut anywhere, and with any byte another: it is never read beyond its end. */
static void what_is_no_document_is_read_to_its_end_and_no_further(void **state)
{
    static const char *const names[] = { "a" };
    struct arena arena = ARENA_INIT;
    (void)state;
    for (size_t style = 0; style < kit_style_count(); style++) {
        struct doc doc = kit_doc(style, names, 1, &arena);
        for (uint32_t at = 5; at < doc.size && at < 300; at++) {
            uint8_t *bytes = arena_copy(&arena, doc.data, doc.size);
            bytes[at] = (uint8_t)(bytes[at] ^ 0xff);
            struct kith_iter it = kith_iter((struct kith_doc){ bytes, at });
            while (kith_next(&it))
                assert_true(it.name.data >= (const char *)bytes);
            it = kith_iter((struct kith_doc){ bytes, doc.size });
            while (kith_next(&it))
                assert_true(it.value.type != KITH_NONE);
        }
        arena_clear(&arena);
    }
    arena_deinit(&arena);
}

static void a_number_is_one_whatever_its_type(void **state)
{
    struct kith_value whole = kith_int(5), fraction = kith_double(5.5), large = kith_double(1e300);
    struct kith_value five = kith_double(5), text = kith_string("5");
    (void)state;
    assert_int_equal(kith_as_int(&whole, 0), 5);
    assert_int_equal(kith_as_int(&five, 0), 5);
    assert_int_equal(kith_as_int(&fraction, 7), 7);
    assert_int_equal(kith_as_int(&large, 7), 7);
    assert_int_equal(kith_as_int(&text, 7), 7);
    assert_true(kith_as_double(&whole, 0) > 4.9 && kith_as_double(&text, 7) > 6.9);
}

static void a_usage_names_its_arguments(void **state)
{
    struct arena arena = ARENA_INIT;
    const char *names[4];
    (void)state;
    size_t count =
        kit_usage_names("visits.next { after = \"30d\", limit=5, x == 2 }", &arena, names, 4);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "after");
    assert_string_equal(names[1], "limit");
    assert_int_equal(kit_usage_names("visits.next()", &arena, names, 4), 0);
    assert_int_equal(kit_usage_names("f { a = 1, b = 2 }", &arena, names, 1), 1);
    arena_deinit(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_kith_writes_is_read_and_written_byte_for_byte),
        cmocka_unit_test(what_kith_h_writes_is_read_by_kith),
        cmocka_unit_test(what_does_not_fit_is_no_document),
        cmocka_unit_test(what_is_opened_too_deep_or_closed_too_often_is_no_document),
        cmocka_unit_test(nothing_reads_as_an_empty_document),
        cmocka_unit_test(what_is_no_document_is_read_to_its_end_and_no_further),
        cmocka_unit_test(a_number_is_one_whatever_its_type),
        cmocka_unit_test(a_usage_names_its_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
