/* test_doc.c -- what doc.h promises, with libbson as the referee.
 *
 * Random documents are built twice, by our writer and by libbson's, from one
 * stream of choices.  Both must give the same bytes, and either's bytes must
 * read the same through the other.
 */
#include "core/base/doc.h"

#include "core/base/err.h"

#include <bson/bson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static const char *const words[] = { "",         "a",    "type",   "total",
                                     "customer", "aäöü", "日本語", "a long name of a field",
                                     "x\ty" };
#define WORD_COUNT (sizeof words / sizeof *words)

/* Both writers at once; arrays need libbson's names to be numbered by hand. */
struct twin {
    struct doc_writer w;
    bson_t open[6];
    uint32_t index[6];
    bool is_array[6];
    unsigned depth;
};

static const char *twin_name(struct twin *twin, char number[16])
{
    if (!twin->is_array[twin->depth])
        return words[random_below(WORD_COUNT)];
    snprintf(number, 16, "%u", twin->index[twin->depth]++);
    return number;
}

static void twin_open(struct twin *twin, const char *name)
{
    bool is_array = random_below(2) == 0;
    bson_t *parent = &twin->open[twin->depth], *child = &twin->open[twin->depth + 1];
    twin->depth++;
    twin->is_array[twin->depth] = is_array;
    twin->index[twin->depth] = 0;
    if (is_array) {
        doc_open_array(&twin->w, name);
        bson_append_array_begin(parent, name, -1, child);
    } else {
        doc_open(&twin->w, name);
        bson_append_document_begin(parent, name, -1, child);
    }
}

static void twin_close(struct twin *twin)
{
    doc_close(&twin->w);
    twin->depth--;
    if (twin->is_array[twin->depth + 1])
        bson_append_array_end(&twin->open[twin->depth], &twin->open[twin->depth + 1]);
    else
        bson_append_document_end(&twin->open[twin->depth], &twin->open[twin->depth + 1]);
}

static void twin_decimal(struct twin *twin, const char *name)
{
    bson_decimal128_t decimal;
    assert_true(bson_decimal128_from_string("12345.6789", &decimal));
    struct doc_value value = { .type = DOC_DECIMAL };
    memcpy(value.decimal, &decimal.low, 8);
    memcpy(value.decimal + 8, &decimal.high, 8);
    doc_put_value(&twin->w, name, &value);
    bson_append_decimal128(&twin->open[twin->depth], name, -1, &decimal);
}

static void twin_put(struct twin *twin)
{
    char number[16];
    const char *name = twin_name(twin, number);
    bson_t *bson = &twin->open[twin->depth];
    int64_t integer = (int64_t)random_state;
    switch (random_below(9)) {
    case 0:
        doc_put_int(&twin->w, name, integer);
        bson_append_int64(bson, name, -1, integer);
        break;
    case 1:
        doc_put_double(&twin->w, name, (double)integer / 256.0);
        bson_append_double(bson, name, -1, (double)integer / 256.0);
        break;
    case 2:
        doc_put_string(&twin->w, name, words[integer & 7]);
        bson_append_utf8(bson, name, -1, words[integer & 7], -1);
        break;
    case 3:
        doc_put_bool(&twin->w, name, integer & 1);
        bson_append_bool(bson, name, -1, integer & 1);
        break;
    case 4:
        doc_put_null(&twin->w, name);
        bson_append_null(bson, name, -1);
        break;
    case 5:
        doc_put_datetime(&twin->w, name, integer);
        bson_append_date_time(bson, name, -1, integer);
        break;
    case 6:
        doc_put_binary(&twin->w, name, &integer, (size_t)(integer & 7));
        bson_append_binary(bson, name, -1, BSON_SUBTYPE_BINARY, (uint8_t *)&integer, integer & 7);
        break;
    case 7:
        twin_decimal(twin, name);
        break;
    default:
        if (twin->depth < 5)
            twin_open(twin, name);
        else
            bson_append_null(bson, name, -1), doc_put_null(&twin->w, name);
        break;
    }
}

static struct doc twin_build(struct twin *twin, struct buf *buf, bson_t *bson, uint32_t fields)
{
    twin->depth = 0;
    twin->is_array[0] = false;
    bson_init(&twin->open[0]);
    doc_begin(&twin->w, buf);
    for (uint32_t i = 0; i < fields; i++) {
        twin_put(twin);
        if (twin->depth > 0 && random_below(4) == 0)
            twin_close(twin);
    }
    while (twin->depth > 0)
        twin_close(twin);
    bson_copy_to(&twin->open[0], bson);
    bson_destroy(&twin->open[0]);
    return doc_end(&twin->w);
}

static void assert_value_is(const struct doc_value *value, const bson_iter_t *it)
{
    assert_int_equal(value->type, bson_iter_type(it));
    uint32_t size = 0;
    const uint8_t *data = NULL;
    bson_subtype_t subtype;
    bson_decimal128_t decimal;
    switch (value->type) {
    case DOC_DOUBLE:
        assert_true(value->number == bson_iter_double(it));
        break;
    case DOC_TEXT:
        assert_true(text_is(value->text, bson_iter_utf8(it, &size)));
        break;
    case DOC_BOOL:
        assert_int_equal(value->boolean, bson_iter_bool(it));
        break;
    case DOC_DATETIME:
        assert_true(value->integer == bson_iter_date_time(it));
        break;
    case DOC_INT64:
        assert_true(value->integer == bson_iter_int64(it));
        break;
    case DOC_BINARY:
        bson_iter_binary(it, &subtype, &size, &data);
        assert_int_equal(value->binary.size, size);
        assert_memory_equal(value->binary.data, data, size);
        break;
    case DOC_DECIMAL:
        bson_iter_decimal128(it, &decimal);
        assert_memory_equal(value->decimal, &decimal.low, 8);
        assert_memory_equal(value->decimal + 8, &decimal.high, 8);
        break;
    default:
        break;
    }
}

static void what_we_write_libbson_accepts_and_writes_alike(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    random_state = 1;
    for (int round = 0; round < 2000; round++) {
        struct twin twin;
        bson_t bson;
        buf_clear(&buf);
        struct doc doc = twin_build(&twin, &buf, &bson, random_below(60));
        assert_int_equal(doc.size, bson.len);
        assert_memory_equal(doc.data, bson_get_data(&bson), doc.size);
        assert_true(bson_validate(&bson, BSON_VALIDATE_UTF8, NULL));
        assert_int_equal(doc_validate(doc.data, doc.size, DOC_DEPTH_MAX, NULL), 0);
        bson_destroy(&bson);
    }
    buf_deinit(&buf);
}

/* Without recursion: each pair of documents met is pushed and walked in turn. */
static void what_libbson_writes_we_read_equal(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    random_state = 2;
    for (int round = 0; round < 1000; round++) {
        struct twin twin;
        bson_t bson;
        buf_clear(&buf);
        twin_build(&twin, &buf, &bson, random_below(60));
        struct doc_iter ours[7] = { doc_iter((struct doc){ bson_get_data(&bson), bson.len }) };
        struct theirs {
            bson_iter_t it; /* aligned beyond its size, which an array cannot hold bare */
        } theirs[7];        /* one more than can be entered */
        bson_iter_init(&theirs[0].it, &bson);
        for (int depth = 0; depth >= 0;) {
            bool more = bson_iter_next(&theirs[depth].it);
            assert_int_equal(doc_next(&ours[depth]), more);
            if (!more) {
                depth--;
                continue;
            }
            assert_string_equal(ours[depth].name.data, bson_iter_key(&theirs[depth].it));
            assert_value_is(&ours[depth].value, &theirs[depth].it);
            if (bson_iter_recurse(&theirs[depth].it, &theirs[depth + 1].it)) {
                ours[depth + 1] = doc_iter(ours[depth].value.doc);
                depth++;
            }
        }
        bson_destroy(&bson);
    }
    buf_deinit(&buf);
}

/* Read everything, so that a sanitizer sees any byte read outside. */
static size_t walk_all(struct doc doc)
{
    struct doc_iter open[DOC_DEPTH_MAX + 1] = { doc_iter(doc) };
    size_t seen = 0;
    for (int depth = 0; depth >= 0;) {
        if (!doc_next(&open[depth])) {
            depth--;
            continue;
        }
        struct doc_value value = open[depth].value;
        seen += open[depth].name.size;
        if (value.type == DOC_TEXT)
            seen += (size_t)(value.text.size != 0 && value.text.data[value.text.size - 1] == 'x');
        if (value.type == DOC_DOC || value.type == DOC_ARRAY)
            open[++depth] = doc_iter(value.doc);
    }
    return seen;
}

static void bytes_that_pass_validation_can_be_read_whatever_they_are(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    random_state = 3;
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        struct twin twin;
        bson_t bson;
        buf_clear(&buf);
        struct doc doc = twin_build(&twin, &buf, &bson, 1 + random_below(12));
        size_t size = doc.size - (random_below(8) == 0 ? random_below(doc.size) : 0);
        uint8_t *copy = malloc(size); /* exact, so that reading beyond is seen */
        memcpy(copy, doc.data, size);
        for (uint32_t i = 0, n = random_below(4); i < n; i++)
            copy[random_below((uint32_t)size)] = (uint8_t)random_below(random_below(2) ? 256 : 24);
        if (doc_validate(copy, size, DOC_DEPTH_MAX, NULL) == 0) {
            struct doc valid = { copy, (uint32_t)size };
            struct doc_value value = { .type = DOC_DOC, .doc = valid };
            walk_all(valid);
            assert_true(doc_value_equal(&value, &value));
            bson_t referee;
            assert_true(bson_init_static(&referee, copy, size));
            assert_true(bson_validate(&referee, BSON_VALIDATE_NONE, NULL));
            accepted++;
        }
        bson_destroy(&bson);
        free(copy);
    }
    assert_true(accepted > 5000 && accepted < 19000);
    buf_deinit(&buf);
}

static void assert_refused(const char *bytes, size_t size, const char *reason)
{
    struct err err = { 0 };
    char *copy = malloc(size);
    memcpy(copy, bytes, size);
    assert_int_equal(doc_validate(copy, size, 2, &err), E_INVALID);
    assert_string_equal(err.text, reason);
    free(copy);
}

#define REFUSED(bytes, reason) assert_refused(bytes, sizeof bytes - 1, reason)

static void a_refusal_says_what_is_wrong_and_where(void **state)
{
    (void)state;
    REFUSED("\5\0\0", "document: the length is not that of the bytes");
    REFUSED("\6\0\0\0\0", "document: the length is not that of the bytes");
    REFUSED("\5\0\0\0\1", "document: a document without its closing zero byte");
    REFUSED("\6\0\0\0\0\0", "document: a document that ends before its length");
    REFUSED("\x08\0\0\0\x0a"
            "ab\0",
            "document: a name without its closing zero byte");
    REFUSED("\x09\0\0\0\x0a"
            "\xff\0\0\0",
            "document: a name that is not UTF-8");
    REFUSED("\x08\0\0\0\x06"
            "a\0\0",
            "document: a value of an unknown type at a");
    REFUSED("\x09\0\0\0\x08"
            "a\0\2\0",
            "document: a boolean that is neither 0 nor 1 at a");
    REFUSED("\x09\0\0\0\x12"
            "a\0\2\0",
            "document: a value longer than its document at a");
    REFUSED("\x0e\0\0\0\2a\0\2\0\0\0xy\0", "document: text without its closing zero byte at a");
    REFUSED("\x0e\0\0\0\2a\0\2\0\0\0\xc3\0\0", "document: text that is not UTF-8 at a");
    REFUSED("\x0e\0\0\0\5a\0\1\0\0\0\2x\0", "document: binary of the withdrawn subtype 2 at a");
    REFUSED("\x10\0\0\0\3a\0\x08\0\0\0\x08"
            "b\0\0\0",
            "document: a value longer than its document at a.b");
    REFUSED("\x18\0\0\0\3a\0\x10\0\0\0\3b\0\x08\0\0\0\x0a"
            "c\0\0\0\0",
            "document: nested too deeply at a.b");
}

static struct doc sample(struct buf *buf)
{
    struct doc_writer w;
    doc_begin(&w, buf);
    doc_put_string(&w, "type", "Order Completed");
    doc_open(&w, "data");
    doc_put_double(&w, "total", 12.0);
    doc_put_double(&w, "tax", 1.5);
    doc_close(&w);
    doc_open_array(&w, "items");
    doc_put_int(&w, NULL, 1);
    doc_put_int(&w, NULL, 2);
    doc_close(&w);
    doc_put_datetime(&w, "at", 1700000000000);
    doc_put_bool(&w, "test", true);
    doc_put_int(&w, "type", 5);
    return doc_end(&w);
}

static void a_lookup_finds_the_first_of_its_name_and_nothing_else(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    struct doc doc = sample(&buf);
    assert_true(text_is(doc_text(doc, "type"), "Order Completed"));
    assert_true(doc_get(doc_child(doc, "data"), "total").number == 12.0);
    assert_int_equal(doc_get(doc_child(doc, "items"), "1").integer, 2);
    assert_int_equal(doc_get(doc, "typ").type, DOC_NONE);
    assert_int_equal(doc_get(doc, "types").type, DOC_NONE);
    assert_int_equal(doc_get(doc, "").type, DOC_NONE);
    assert_int_equal(doc_get(doc, "total").type, DOC_NONE);
    /* a name with NUL must not match across the end of a stored one */
    struct text crafty = { "test\0\1", 6 };
    assert_int_equal(doc_get_text(doc, crafty).type, DOC_NONE);
    assert_int_equal(doc_count(doc), 6);
    buf_deinit(&buf);
}

static void shorthands_answer_for_what_is_absent_or_of_another_type(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    struct doc doc = sample(&buf), none = { NULL, 0 };
    assert_null(doc_text(doc, "at").data);
    assert_null(doc_child(doc, "type").data);
    assert_int_equal(doc_int(doc, "at", 7), 1700000000000);
    assert_int_equal(doc_int(doc_child(doc, "data"), "total", 7), 12);
    assert_int_equal(doc_int(doc_child(doc, "data"), "tax", 7), 7);
    assert_int_equal(doc_int(doc, "none", 7), 7);
    assert_true(doc_bool(doc, "test", false));
    assert_true(doc_bool(doc, "type", true));
    assert_null(doc_text(none, "type").data);
    assert_int_equal(doc_count(none), 0);
    buf_deinit(&buf);
}

static void int32_of_other_writers_reads_as_int64(void **state)
{
    (void)state;
    bson_t *bson = BCON_NEW("a", BCON_INT32(-5));
    struct doc doc = { bson_get_data(bson), bson->len };
    struct doc_value value = doc_get(doc, "a");
    assert_int_equal(doc_validate(doc.data, doc.size, 1, NULL), 0);
    assert_int_equal(value.type, DOC_INT64);
    assert_int_equal(value.integer, -5);
    bson_destroy(bson);
}

static struct doc number_doc(struct buf *buf, const struct doc_value *value)
{
    struct doc_writer w;
    doc_begin(&w, buf);
    doc_open(&w, "a");
    doc_put_value(&w, "b", value);
    doc_close(&w);
    return doc_end(&w);
}

static bool equal_inside(struct doc_value a, struct doc_value b)
{
    struct buf buf_a = BUF_INIT, buf_b = BUF_INIT;
    struct doc_value doc_a = { .type = DOC_DOC, .doc = number_doc(&buf_a, &a) };
    struct doc_value doc_b = { .type = DOC_DOC, .doc = number_doc(&buf_b, &b) };
    bool inside = doc_value_equal(&doc_a, &doc_b);
    assert_int_equal(inside, doc_value_equal(&a, &b));
    assert_int_equal(inside, doc_value_equal(&b, &a));
    buf_deinit(&buf_a);
    buf_deinit(&buf_b);
    return inside;
}

#define INT(n) ((struct doc_value){ .type = DOC_INT64, .integer = (n) })
#define DOUBLE(n) ((struct doc_value){ .type = DOC_DOUBLE, .number = (n) })
#define TEXT(s) ((struct doc_value){ .type = DOC_TEXT, .text = { s, sizeof s - 1 } })

static void numbers_are_equal_when_they_are_the_same_number(void **state)
{
    (void)state;
    assert_true(equal_inside(INT(5), DOUBLE(5.0)));
    assert_false(equal_inside(INT(5), DOUBLE(5.5)));
    assert_true(equal_inside(DOUBLE(0.0), DOUBLE(-0.0)));
    assert_true(equal_inside(DOUBLE(NAN), DOUBLE(NAN)));
    assert_false(equal_inside(INT(INT64_MAX), DOUBLE(0x1p63)));
    assert_true(equal_inside(INT(INT64_MIN), DOUBLE(-0x1p63)));
    assert_false(equal_inside(INT((1ll << 53) + 1), DOUBLE(0x1p53)));
    assert_false(equal_inside(INT(5), TEXT("5")));
    assert_true(equal_inside(TEXT("a\0b"), TEXT("a\0b")));
    assert_false(equal_inside(TEXT("a\0b"), TEXT("a\0c")));
    struct doc_value none = { .type = DOC_NONE }, date = INT(5);
    date.type = DOC_DATETIME;
    assert_true(equal_inside(none, none));
    assert_false(equal_inside(none, INT(0)));
    assert_false(equal_inside(date, INT(5)));
}

static void documents_are_equal_field_by_field_in_order(void **state)
{
    (void)state;
    struct buf a = BUF_INIT, b = BUF_INIT;
    struct doc_value one = { .type = DOC_DOC, .doc = sample(&a) };
    struct doc_value other = { .type = DOC_DOC, .doc = sample(&b) };
    struct doc_value none = { .type = DOC_DOC, .doc = { NULL, 0 } };
    assert_true(doc_value_equal(&one, &other));
    assert_false(doc_value_equal(&one, &none));
    other.doc = doc_child(other.doc, "data");
    assert_false(doc_value_equal(&one, &other));
    other.type = DOC_ARRAY;
    other.doc = one.doc;
    assert_false(doc_value_equal(&one, &other));
    buf_deinit(&a);
    buf_deinit(&b);
}

static void nesting_reaches_its_limit(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    struct err err = { 0 };
    doc_begin(&w, &buf);
    for (int i = 1; i < DOC_DEPTH_MAX; i++)
        doc_open_array(&w, "n");
    for (int i = 1; i < DOC_DEPTH_MAX; i++)
        doc_close(&w);
    struct doc doc = doc_end(&w);
    assert_int_equal(doc_validate(doc.data, doc.size, DOC_DEPTH_MAX, &err), 0);
    assert_int_equal(doc_validate(doc.data, doc.size, 1000, &err), 0);
    assert_int_equal(doc_validate(doc.data, doc.size, DOC_DEPTH_MAX - 1, &err), E_INVALID);
    buf_deinit(&buf);
}

static void a_writer_appends_behind_what_the_buffer_holds(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT, copy = BUF_INIT;
    buf_text(&buf, "before");
    struct doc doc = sample(&buf);
    assert_memory_equal(buf.data, "before", 6);
    assert_ptr_equal(doc.data, buf.data + 6);
    assert_int_equal(doc_validate(doc.data, doc.size, 2, NULL), 0);

    struct doc_writer w;
    doc_begin(&w, &copy);
    struct doc_iter it = doc_iter(doc);
    while (doc_next(&it))
        doc_put_value_text(&w, it.name, &it.value);
    struct doc again = doc_end(&w);
    assert_int_equal(again.size, doc.size);
    assert_memory_equal(again.data, doc.data, doc.size);
    buf_deinit(&buf);
    buf_deinit(&copy);
}

static void array_elements_are_numbered(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    struct doc_writer w;
    doc_begin(&w, &buf);
    doc_open_array(&w, "list");
    for (int i = 0; i < 1001; i++)
        doc_put_int(&w, "ignored", i);
    doc_close(&w);
    struct doc list = doc_child(doc_end(&w), "list");
    assert_int_equal(doc_int(list, "0", -1), 0);
    assert_int_equal(doc_int(list, "10", -1), 10);
    assert_int_equal(doc_int(list, "1000", -1), 1000);
    assert_int_equal(doc_count(list), 1001);
    buf_deinit(&buf);
}

static void texts_compare_bytewise_and_the_shorter_first(void **state)
{
    (void)state;
    assert_true(text_compare(text_of("a"), text_of("b")) < 0);
    assert_true(text_compare(text_of("\xc3\xa4"), text_of("z")) > 0);
    assert_true(text_compare(text_of("ab"), text_of("a")) > 0);
    assert_int_equal(text_compare(text_of(NULL), text_of("")), 0);
    assert_true(text_equal(text_of(NULL), text_of("")));
    assert_false(text_is(text_of("a"), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_write_libbson_accepts_and_writes_alike),
        cmocka_unit_test(what_libbson_writes_we_read_equal),
        cmocka_unit_test(bytes_that_pass_validation_can_be_read_whatever_they_are),
        cmocka_unit_test(a_refusal_says_what_is_wrong_and_where),
        cmocka_unit_test(a_lookup_finds_the_first_of_its_name_and_nothing_else),
        cmocka_unit_test(shorthands_answer_for_what_is_absent_or_of_another_type),
        cmocka_unit_test(int32_of_other_writers_reads_as_int64),
        cmocka_unit_test(numbers_are_equal_when_they_are_the_same_number),
        cmocka_unit_test(documents_are_equal_field_by_field_in_order),
        cmocka_unit_test(nesting_reaches_its_limit),
        cmocka_unit_test(a_writer_appends_behind_what_the_buffer_holds),
        cmocka_unit_test(array_elements_are_numbered),
        cmocka_unit_test(texts_compare_bytewise_and_the_shorter_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
