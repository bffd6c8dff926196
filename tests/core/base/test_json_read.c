/* test_json_read.c -- what json_read.h promises.
 *
 * The corpus follows the manner of conformance suites: texts that every reader
 * must accept and texts that every reader must refuse, each the smallest that
 * makes its point.  Beyond it, mutated texts go to a referee: a second, plain
 * implementation of the grammar, character by character.
 */
#include "core/base/json_read.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/utf8.h"
#include "tests/core/base/json_corpus_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof array / sizeof *array)

static const struct json_limits limits = { .depth_max = 32 };
static struct json_reader *reader;
static struct buf out, text;

static int set_up(void **state)
{
    (void)state;
    reader = json_reader_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_reader_free(reader);
    buf_deinit(&out);
    buf_deinit(&text);
    return 0;
}

/* In a block of exactly its size, so that a sanitizer sees what is read beyond. */
static int read_exact(const void *data, size_t size, struct doc *doc, struct err *err)
{
    char *copy = malloc(size != 0 ? size : 1);
    memcpy(copy, data, size);
    buf_clear(&out);
    int rc = json_to_doc(reader, copy, size, &limits, &out, doc, err);
    free(copy);
    return rc;
}

static int read_field(const struct json_sample *sample, struct doc *doc, struct err *err)
{
    buf_clear(&text);
    buf_text(&text, "{\"v\":");
    buf_append(&text, sample->text, sample->size);
    buf_text(&text, "}");
    return read_exact(text.data, text.size, doc, err);
}

static void every_valid_text_is_accepted_and_written_again(void **state)
{
    (void)state;
    struct buf json = BUF_INIT;
    for (size_t i = 0; i < json_valid_count; i++) {
        struct doc doc;
        struct err err = { 0 };
        if (read_field(&json_valid[i], &doc, &err) != 0)
            fail_msg("%s: %s", json_valid[i].text, err.text);
        assert_int_equal(doc_validate(doc.data, doc.size, 32, NULL), 0);
        buf_clear(&json);
        struct doc_value value = doc_get(doc, "v");
        json_write_value(&json, &value);
        const char *want =
            json_valid[i].written != NULL ? json_valid[i].written : json_valid[i].text;
        if (value.type == DOC_DOUBLE) /* the forms of large numbers are json_write's matter */
            assert_true(value.number == strtod(want, NULL));
        else
            assert_string_equal(buf_string(&json), want);
    }
    buf_deinit(&json);
}

static void no_invalid_text_is_accepted(void **state)
{
    (void)state;
    buf_clear(&out);
    for (size_t i = 0; i < json_invalid_count; i++) {
        struct doc doc = { NULL, 7 };
        struct err err = { 0 };
        if (read_field(&json_invalid[i], &doc, &err) != E_INVALID)
            fail_msg("accepted: %s", json_invalid[i].text);
        assert_int_equal(err.code, E_INVALID);
        assert_int_equal(strncmp(err.text, "JSON: ", 6), 0);
        assert_int_equal(doc.size, 7);
        assert_int_equal(out.size, 0);
    }
}

static void a_text_cut_anywhere_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        " {\"a\": [1, -2.5e3, \"x\\u00e4\\n\", true, {\"b\": null}], \"ä\": {}}";
    struct doc doc;
    assert_int_equal(read_exact(whole, sizeof whole - 1, &doc, NULL), 0);
    for (size_t size = 0; size < sizeof whole - 1; size++)
        assert_int_equal(read_exact(whole, size, &doc, NULL), E_INVALID);
}

static void only_an_object_is_a_document(void **state)
{
    (void)state;
    static const char *const others[] = { "[]",   "1",    "\"a\"", "null", "",  " ",
                                          "[{}]", "{}{}", "{} x",  "{},",  "}", "\xef\xbb\xbf{}" };
    struct doc doc;
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(read_exact(others[i], strlen(others[i]), &doc, NULL), E_INVALID);
    assert_int_equal(read_exact("{}\0", 3, &doc, NULL), E_INVALID);
    assert_int_equal(read_exact(" {} \r\n\t", 7, &doc, NULL), 0);
}

/* A referee: the grammar, one character after the other. */
struct referee {
    const char *at, *end;
    char open[256];
    int depth;
};

static char look(const struct referee *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static void skip_space(struct referee *r)
{
    while (r->at < r->end && memchr(" \t\n\r", *r->at, 4) != NULL)
        r->at++;
}

static bool skip_digits(struct referee *r)
{
    const char *start = r->at;
    while (look(r) >= '0' && look(r) <= '9')
        r->at++;
    return r->at > start;
}

static bool referee_number(struct referee *r)
{
    if (look(r) == '-')
        r->at++;
    if (look(r) == '0')
        r->at++;
    else if (!skip_digits(r))
        return false;
    if (look(r) == '.' && (r->at++, !skip_digits(r)))
        return false;
    if (look(r) != 'e' && look(r) != 'E')
        return true;
    r->at++;
    if (look(r) == '+' || look(r) == '-')
        r->at++;
    return skip_digits(r);
}

static bool referee_string(struct referee *r)
{
    for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
        if ((unsigned char)*r->at < 0x20)
            return false;
        if (*r->at != '\\')
            continue;
        r->at++;
        if (look(r) == 'u') {
            for (int i = 0; i < 4; i++) {
                r->at++;
                if (look(r) == '\0' || strchr("0123456789abcdefABCDEF", look(r)) == NULL)
                    return false;
            }
        } else if (look(r) == '\0' || strchr("\"\\/bfnrt", look(r)) == NULL) {
            return false;
        }
    }
    return r->at++ < r->end;
}

static bool referee_word(struct referee *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
        return false;
    r->at += size;
    return true;
}

static bool referee_scalar(struct referee *r)
{
    switch (look(r)) {
    case '"':
        return referee_string(r);
    case 't':
        return referee_word(r, "true");
    case 'f':
        return referee_word(r, "false");
    case 'n':
        return referee_word(r, "null");
    default:
        return referee_number(r);
    }
}

static bool referee_name(struct referee *r)
{
    skip_space(r);
    if (look(r) != '"' || !referee_string(r))
        return false;
    skip_space(r);
    return r->at < r->end && *r->at++ == ':';
}

/* Behind a value: closings, then a comma and, in an object, the next name. */
static bool referee_after(struct referee *r)
{
    for (;;) {
        skip_space(r);
        if (r->depth == 0)
            return true;
        char c = look(r);
        if (c != ',' && c != r->open[r->depth - 1])
            return false;
        r->at++;
        if (c == ',')
            return r->open[r->depth - 1] == ']' || referee_name(r);
        r->depth--;
    }
}

static bool referee_accepts(const char *data, size_t size)
{
    struct referee r = { .at = data, .end = data + size };
    do {
        skip_space(&r);
        char c = look(&r);
        if (c == '[' || c == '{') {
            assert_true(r.depth < 256);
            r.open[r.depth++] = c == '[' ? ']' : '}';
            r.at++;
            skip_space(&r);
            if (look(&r) != r.open[r.depth - 1]) {
                if (c == '{' && !referee_name(&r))
                    return false;
                continue;
            }
        } else if (!referee_scalar(&r)) {
            return false;
        }
        if (!referee_after(&r))
            return false;
    } while (r.depth > 0);
    return r.at == r.end && utf8_valid(data, size);
}

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void the_referee_agrees_with_the_corpus(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_valid_count; i++)
        assert_true(referee_accepts(json_valid[i].text, json_valid[i].size));
    for (size_t i = 0; i < json_invalid_count; i++)
        if (referee_accepts(json_invalid[i].text, json_invalid[i].size))
            fail_msg("accepted: %s", json_invalid[i].text);
}

static int count_elements(void *arg, size_t index, struct doc doc, const struct err *err)
{
    size_t *count = arg;
    assert_int_equal(index, *count);
    ++*count;
    if (err == NULL)
        assert_int_equal(doc_validate(doc.data, doc.size, 32, NULL), 0);
    else
        assert_null(doc.data);
    return 0;
}

/* As elements, flaws do not make a text invalid: the judgement is the grammar's. */
static void mutated_texts_are_judged_as_the_referee_does(void **state)
{
    (void)state;
    static const char bytes[] = "{}[]:,\"\\ue+-.019atfnrl \n\t\x1a\x0c\x80\xc3\xff";
    random_state = 4;
    int accepted = 0;
    for (int round = 0; round < 60000; round++) {
        buf_clear(&text);
        buf_text(&text, "[{\"v\":");
        const struct json_sample *a = &json_valid[random_below((uint32_t)json_valid_count)];
        const struct json_sample *b = &json_valid[random_below((uint32_t)json_valid_count)];
        buf_append(&text, a->text, a->size);
        buf_text(&text, ",\"w\" : [");
        buf_append(&text, b->text, b->size);
        buf_text(&text, "]},{\"v\":0}]");
        for (uint32_t i = random_below(3); i > 0; i--)
            text.data[random_below((uint32_t)text.size)] =
                (uint8_t)bytes[random_below(sizeof bytes)];
        char *copy = malloc(text.size);
        memcpy(copy, text.data, text.size);
        size_t count = 0;
        buf_clear(&out);
        int rc =
            json_array_each(reader, copy, text.size, &limits, &out, count_elements, &count, NULL);
        bool is_valid = referee_accepts(copy, text.size);
        if ((rc == 0) != is_valid)
            fail_msg("%s: %.*s", is_valid ? "refused" : "accepted", (int)text.size, copy);
        accepted += is_valid;
        free(copy);
    }
    assert_true(accepted > 15000 && accepted < 50000);
}

static void assert_reason(const char *json, const char *reason)
{
    struct doc doc;
    struct err err = { 0 };
    assert_int_equal(read_exact(json, strlen(json), &doc, &err), E_INVALID);
    assert_string_equal(err.text, reason);
}

static void a_refusal_names_the_reason_the_byte_and_the_line(void **state)
{
    (void)state;
    assert_reason("", "JSON: the text ends too early at byte 0 (line 1)");
    assert_reason("[]", "JSON: an object expected at byte 0 (line 1)");
    assert_reason("{\"a\":1", "JSON: the text ends too early at byte 6 (line 1)");
    assert_reason("{\"a\":\n tru}", "JSON: a value expected at byte 7 (line 2)");
    assert_reason("{\"a\":\n01}", "JSON: a malformed number at byte 6 (line 2)");
    assert_reason("{\"a\" 1}", "JSON: ':' expected at byte 5 (line 1)");
    assert_reason("{\"a\":1 2}", "JSON: ',' or '}' expected at byte 7 (line 1)");
    assert_reason("{\"a\":[1 2]}", "JSON: ',' or ']' expected at byte 8 (line 1)");
    assert_reason("{\"a\":1,}", "JSON: a name in quotes expected at byte 7 (line 1)");
    assert_reason("{} {}", "JSON: something after the end of the value at byte 3 (line 1)");
    assert_reason("{\"a\":\"x\\q\"}", "JSON: an escape that JSON does not have at byte 7 (line 1)");
    assert_reason("{\"a\":\"\n\"}", "JSON: a control character in a string at byte 6 (line 1)");
    assert_reason("{\"a\":\"x}", "JSON: a string that is not closed at byte 5 (line 1)");
    assert_reason("{\"a\":\"\xff\"}", "JSON: a byte that is not UTF-8 at byte 6 (line 1)");
    assert_reason("{\"a\":1e400}", "JSON: a number too large for a double at byte 5 (line 1)");
    assert_reason("{\"a\":\"x\\ud800\"}",
                  "JSON: half of a surrogate pair alone at byte 7 (line 1)");
}

static void u_0000_in_a_name_becomes_its_symbol(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT, written = BUF_INIT;
    static const char json[] = "{\"a\\u0000b\":\"c\\u0000\",\"\\u0000\":{\"\\u0000\\u0000\":1}}";
    struct doc doc;
    struct err err;
    assert_int_equal(json_to_doc(reader, json, strlen(json), &limits, &bytes, &doc, &err), 0);
    json_write_doc(&written, doc);
    assert_string_equal(buf_string(&written),
                        "{\"a\xe2\x90\x80"
                        "b\":\"c\\u0000\",\"\xe2\x90\x80\":{\"\xe2\x90\x80\xe2\x90\x80\":1}}");
    buf_deinit(&bytes);
    buf_deinit(&written);
}

static void what_a_document_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const struct json_sample samples[] = {
        SAMPLE("1e400"),
        SAMPLE("-1e309"),
        SAMPLE("1.8e308"),
        SAMPLE("1e99999999999999999999"),
        SAMPLE("\"\\ud800\""),
        SAMPLE("\"\\udc00\""),
        SAMPLE("\"\\udc00\\ud800\""),
        SAMPLE("\"\\ud800\\ud800\""),
        SAMPLE("\"\\ud800x\""),
        SAMPLE("\"\\ud800\\n\""),
        SAMPLE("\"\\ud83d\\u0041\""),
        SAMPLE("{\"a\\u0000b\":1}"),
        SAMPLE("{\"\\u0000\":1}"),
    };
    struct doc doc;
    for (size_t i = 0; i < COUNT(samples); i++) {
        assert_true(referee_accepts(samples[i].text, samples[i].size));
        assert_int_equal(read_field(&samples[i], &doc, NULL), E_INVALID);
    }
}

static void numbers_keep_their_kind(void **state)
{
    (void)state;
    static const char json[] = "{\"a\":5,\"b\":5.0,\"c\":5e0,\"d\":9223372036854775807,"
                               "\"e\":9223372036854775808,\"f\":-9223372036854775808,\"g\":0.1}";
    struct doc doc;
    assert_int_equal(read_exact(json, sizeof json - 1, &doc, NULL), 0);
    assert_int_equal(doc_get(doc, "a").type, DOC_INT64);
    assert_int_equal(doc_get(doc, "b").type, DOC_DOUBLE);
    assert_int_equal(doc_get(doc, "c").type, DOC_DOUBLE);
    assert_true(doc_get(doc, "d").integer == INT64_MAX);
    assert_true(doc_get(doc, "e").number == 0x1p63);
    assert_true(doc_get(doc, "f").integer == INT64_MIN);
    assert_true(doc_get(doc, "g").number == 0.1);
}

/* The C library, which rounds correctly, is the judge. */
static void decimals_become_the_nearest_double(void **state)
{
    (void)state;
    random_state = 5;
    for (int round = 0; round < 20000; round++) {
        struct json_sample number = { NULL, 0, NULL };
        struct buf digits = BUF_INIT;
        buf_printf(&digits, "%s%u", random_below(2) ? "-" : "", 1 + random_below(1000));
        for (uint32_t i = random_below(4); i > 0; i--)
            buf_printf(&digits, "%u", random_below(1000000));
        if (random_below(2) == 0)
            buf_printf(&digits, ".%u%u", random_below(100000), random_below(1000000000));
        buf_printf(&digits, "e%d", (int)random_below(660) - 330);
        number.text = buf_string(&digits);
        number.size = digits.size;
        double want = strtod(number.text, NULL);
        struct doc doc;
        int rc = read_field(&number, &doc, NULL);
        if (isinf(want)) {
            assert_int_equal(rc, E_INVALID);
        } else {
            assert_int_equal(rc, 0);
            if (doc_get(doc, "v").number != want)
                fail_msg("%s", number.text);
        }
        buf_deinit(&digits);
    }
}

static void the_last_of_a_repeated_name_wins(void **state)
{
    (void)state;
    static const struct json_sample samples[] = {
        SAMPLE_AS("{\"a\":1,\"a\":2}", "{\"a\":2}"),
        SAMPLE_AS("{\"a\":1,\"b\":2,\"a\":{\"a\":3}}", "{\"b\":2,\"a\":{\"a\":3}}"),
        SAMPLE_AS("{\"a\":{\"x\":[1],\"x\":2},"
                  "\"a\":{\"y\":1,\"z\":[{\"y\":1,\"y\":2}],\"y\":3},\"c\":0}",
                  "{\"a\":{\"z\":[{\"y\":2}],\"y\":3},\"c\":0}"),
        SAMPLE_AS("{\"a\":1,\"a\":2,\"a\":3,\"\":4,\"\":5}", "{\"a\":3,\"\":5}"),
        SAMPLE_AS("{\"a\":1,\"\\u0061\":2,\"ab\":3}", "{\"a\":2,\"ab\":3}"),
        SAMPLE_AS("{\"a\":{\"b\":1},\"b\":{\"a\":1}}", "{\"a\":{\"b\":1},\"b\":{\"a\":1}}"),
        SAMPLE_AS("[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]"),
    };
    struct buf json = BUF_INIT;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct doc doc;
        assert_int_equal(read_field(&samples[i], &doc, NULL), 0);
        assert_int_equal(doc_validate(doc.data, doc.size, 32, NULL), 0);
        struct doc_value value = doc_get(doc, "v");
        buf_clear(&json);
        json_write_value(&json, &value);
        assert_string_equal(buf_string(&json), samples[i].written);
    }
    buf_deinit(&json);
}

static void many_names_and_many_repetitions_take_no_time(void **state)
{
    (void)state;
    buf_clear(&text);
    buf_text(&text, "{");
    for (int i = 0; i < 100000; i++)
        buf_printf(&text, "\"%d\":%d,", i % 50000, i);
    buf_text(&text, "\"end\":0}");
    struct doc doc;
    assert_int_equal(read_exact(text.data, text.size, &doc, NULL), 0);
    assert_int_equal(doc_count(doc), 50001);
    assert_int_equal(doc_int(doc, "0", -1), 50000);
    assert_int_equal(doc_int(doc, "49999", -1), 99999);
}

static void nest(int depth, bool is_closed)
{
    buf_clear(&text);
    for (int i = 0; i < depth; i++)
        buf_text(&text, i % 2 == 0 ? "{\"a\":" : "[");
    buf_text(&text, "7");
    for (int i = depth - 1; is_closed && i >= 0; i--)
        buf_text(&text, i % 2 == 0 ? "}" : "]");
}

static void nesting_is_accepted_to_its_limit_and_judged_beyond(void **state)
{
    (void)state;
    struct doc doc;
    struct err err;
    nest(32, true);
    assert_int_equal(read_exact(text.data, text.size, &doc, &err), 0);
    nest(33, true);
    assert_int_equal(read_exact(text.data, text.size, &doc, &err), E_INVALID);
    assert_string_equal(err.text, "JSON: nested more than 32 levels deep at byte 96 (line 1)");
    nest(1000000, true);
    assert_int_equal(read_exact(text.data, text.size, &doc, &err), E_INVALID);
    assert_string_equal(err.text, "JSON: nested more than 32 levels deep at byte 96 (line 1)");
    text.data[text.size - 40] ^= '}' ^ ']';
    assert_int_equal(read_exact(text.data, text.size, &doc, &err), E_INVALID);
    assert_null(strstr(err.text, "nested"));
    nest(1000000, false);
    assert_int_equal(read_exact(text.data, text.size, &doc, &err), E_INVALID);
    assert_null(strstr(err.text, "nested"));
}

/* What the callback saw: "name=value" or the reason, one a line. */
static int note_element(void *arg, size_t index, struct doc doc, const struct err *err)
{
    struct buf *seen = arg;
    buf_printf(seen, "%zu ", index);
    if (err != NULL)
        buf_text(seen, err->text);
    else
        json_write_doc(seen, doc);
    buf_text(seen, "\n");
    return index == 98 ? 98 : 0;
}

static int batch(const char *json, const struct json_limits *with, struct buf *seen,
                 struct doc *rest, struct err *err)
{
    buf_clear(&out);
    buf_clear(seen);
    return json_batch(reader, json, strlen(json), with, "batch", &out, note_element, seen, rest,
                      err);
}

static void a_batch_gives_its_elements_and_the_rest(void **state)
{
    (void)state;
    struct buf seen = BUF_INIT, json = BUF_INIT;
    struct doc rest;
    assert_int_equal(batch("{\"sentAt\":\"now\",\"batch\":[{\"a\":1}, {\"b\":[2]} ,{}],"
                           "\"context\":{\"batch\":[3]},\"writeKey\":\"k\"}",
                           &limits, &seen, &rest, NULL),
                     0);
    assert_string_equal(buf_string(&seen), "0 {\"a\":1}\n1 {\"b\":[2]}\n2 {}\n");
    json_write_doc(&json, rest);
    assert_string_equal(buf_string(&json),
                        "{\"sentAt\":\"now\",\"context\":{\"batch\":[3]},\"writeKey\":\"k\"}");
    assert_int_equal(doc_validate(rest.data, rest.size, 32, NULL), 0);
    assert_int_equal(batch("{\"batch\":[]}", &limits, &seen, &rest, NULL), 0);
    assert_int_equal(doc_count(rest), 0);
    assert_int_equal(seen.size, 0);
    assert_int_equal(batch("{\"batch\":[{\"a\":1}],\"x\":1,\"batch\":[{\"a\":2}],\"x\":2}", &limits,
                           &seen, &rest, NULL),
                     0);
    assert_string_equal(buf_string(&seen), "0 {\"a\":2}\n");
    assert_int_equal(doc_count(rest), 1);
    assert_int_equal(doc_int(rest, "x", 0), 2);
    buf_deinit(&seen);
    buf_deinit(&json);
}

static void one_bad_element_does_not_lose_the_others(void **state)
{
    (void)state;
    static const struct json_limits tight = { .depth_max = 3, .document_bytes_max = 60 };
    struct buf seen = BUF_INIT;
    struct doc rest;
    assert_int_equal(
        batch("{\"batch\":[{\"a\":1},\n{\"a\":[[[{\"b\":[]}]]]},\n"
              "{\"\\ud800\":2},{\"a\":\"\\ud800\"},\n"
              "[1,[2,{}]],7,\"x\",null,{\"a\":1e999},{\"a\":\"012345678901234567890123456789"
              "012345678901234567890123456789\"},{\"z\":26}],\"k\":1}",
              &tight, &seen, &rest, NULL),
        0);
    assert_string_equal(buf_string(&seen),
                        "0 {\"a\":1}\n"
                        "1 JSON: nested more than 3 levels deep at byte 26 (line 2)\n"
                        "2 JSON: half of a surrogate pair alone at byte 44 (line 3)\n"
                        "3 JSON: half of a surrogate pair alone at byte 60 (line 3)\n"
                        "4 JSON: an element that is not an object at byte 70 (line 4)\n"
                        "5 JSON: an element that is not an object at byte 81 (line 4)\n"
                        "6 JSON: an element that is not an object at byte 83 (line 4)\n"
                        "7 JSON: an element that is not an object at byte 87 (line 4)\n"
                        "8 JSON: a number too large for a double at byte 97 (line 4)\n"
                        "9 JSON: an element longer than is allowed at byte 104 (line 4)\n"
                        "10 {\"z\":26}\n");
    assert_int_equal(doc_int(rest, "k", 0), 1);
    buf_deinit(&seen);
}

static void an_invalid_batch_is_refused_before_any_element_is_seen(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"batch\":[{\"a\":1},{\"a\":01}]}",
        "{\"batch\":[{\"a\":1}]",
        "{\"batch\":[{\"a\":1},]}",
        "{\"batch\":[{\"a\":1}],}",
        "{\"batch\":[{\"a\":1}]}x",
        "{\"batch\":[{\"a\":1} {}]}",
        "{\"batch\":[{\"a\":1}],\"x\":\"\\ud800\"}",
        "{\"batch\":{}}",
        "{\"batch\":null}",
        "{}",
        "{\"Batch\":[]}",
        "[]",
        "",
        "{\"batch\"",
        "{\"batch\":[",
        "{\"batch\":[{\"a\":1}],\"batch\":1}",
        "{\"batch\":[,]}",
        "{\"batch\":[]",
    };
    struct buf seen = BUF_INIT;
    struct doc rest = { NULL, 7 };
    struct err err;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        if (batch(bodies[i], &limits, &seen, &rest, &err) != E_INVALID)
            fail_msg("accepted: %s", bodies[i]);
        assert_int_equal(seen.size, 0);
        assert_int_equal(out.size, 0);
        assert_int_equal(rest.size, 7);
    }
    buf_deinit(&seen);
}

static void an_array_gives_its_elements_until_the_callback_has_enough(void **state)
{
    (void)state;
    struct buf seen = BUF_INIT;
    static const char small[] = " [ {\"a\":1} , 5 , {} ] ";
    buf_clear(&out);
    assert_int_equal(
        json_array_each(reader, small, sizeof small - 1, &limits, &out, note_element, &seen, NULL),
        0);
    assert_string_equal(buf_string(&seen), "0 {\"a\":1}\n1 JSON: an element that is not an object "
                                           "at byte 13 (line 1)\n2 {}\n");
    buf_clear(&text);
    buf_text(&text, "[{}");
    for (int i = 0; i < 200; i++)
        buf_text(&text, ",{}");
    buf_text(&text, "]");
    assert_int_equal(json_array_each(reader, (char *)text.data, text.size, &limits, &out,
                                     note_element, &seen, NULL),
                     98);
    assert_int_equal(json_array_each(reader, "{}", 2, &limits, &out, note_element, &seen, NULL),
                     E_INVALID);
    assert_int_equal(json_array_each(reader, "[] []", 5, &limits, &out, note_element, &seen, NULL),
                     E_INVALID);
    buf_deinit(&seen);
}

static void limits_of_length_and_count_are_kept(void **state)
{
    (void)state;
    static const struct json_limits tight = { 32, 10, 2 };
    struct buf seen = BUF_INIT;
    struct doc doc;
    buf_clear(&out);
    assert_int_equal(json_to_doc(reader, "{\"a\":1234}", 10, &tight, &out, &doc, NULL), 0);
    assert_int_equal(json_to_doc(reader, "{\"a\":12345}", 11, &tight, &out, &doc, NULL), E_LIMIT);
    assert_int_equal(json_array_each(reader, "[{},{}]", 7, &tight, &out, note_element, &seen, NULL),
                     0);
    assert_int_equal(
        json_array_each(reader, "[{},{},{}]", 10, &tight, &out, note_element, &seen, NULL),
        E_LIMIT);
    char *large = malloc(JSON_BYTES_MAX + 1);
    memset(large, ' ', JSON_BYTES_MAX + 1);
    memcpy(large, "{}", 2);
    assert_int_equal(json_to_doc(reader, large, JSON_BYTES_MAX, &limits, &out, &doc, NULL), 0);
    assert_int_equal(json_to_doc(reader, large, JSON_BYTES_MAX + 1, &limits, &out, &doc, NULL),
                     E_LIMIT);
    free(large);
    buf_deinit(&seen);
}

static void documents_are_appended_behind_what_the_buffer_holds(void **state)
{
    (void)state;
    struct doc first, second;
    buf_clear(&out);
    buf_text(&out, "kept");
    assert_int_equal(json_to_doc(reader, "{\"a\":[1,2,3]}", 13, &limits, &out, &first, NULL), 0);
    size_t size = out.size;
    assert_int_equal(json_to_doc(reader, "{\"a\":x}", 7, &limits, &out, &second, NULL), E_INVALID);
    assert_int_equal(out.size, size);
    assert_int_equal(json_to_doc(reader, "{\"b\":2}", 7, &limits, &out, &second, NULL), 0);
    assert_memory_equal(out.data, "kept", 4);
    assert_ptr_equal(second.data, out.data + size);
    assert_int_equal(doc_int(second, "b", 0), 2);
}

static void any_value_becomes_the_one_field_of_a_document(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1", "\"a\"", "null", "true", "[1,{\"b\":[]}]", "{}", "{\"a\":{\"a\":1}}", " [ ] ", "1.5e3"
    };
    static const char *const bad[] = { "",   "1,",  "1,\"v\":2",     "1},{\"v\":2",
                                       "[1", "1 2", "[1],\"v\":[2]", "}",
                                       "]",  ":",   "\"v\":1",       "nul" };
    struct doc doc;
    for (size_t i = 0; i < COUNT(good); i++) {
        buf_clear(&out);
        assert_int_equal(
            json_value_to_doc(reader, good[i], strlen(good[i]), "v", &limits, &out, &doc, NULL), 0);
        assert_int_equal(doc_count(doc), 1);
        assert_int_equal(doc_validate(doc.data, doc.size, 32, NULL), 0);
        buf_clear(&text);
        json_write_doc(&text, doc);
        struct buf wanted = BUF_INIT;
        struct doc again;
        buf_printf(&wanted, "{\"v\":%s}", good[i]);
        assert_int_equal(read_exact(wanted.data, wanted.size, &again, NULL), 0);
        buf_clear(&wanted);
        json_write_doc(&wanted, again);
        assert_string_equal(buf_string(&text), buf_string(&wanted));
        buf_deinit(&wanted);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        buf_clear(&out);
        buf_text(&out, "kept");
        assert_int_equal(
            json_value_to_doc(reader, bad[i], strlen(bad[i]), "v", &limits, &out, &doc, NULL),
            E_INVALID);
        assert_int_equal(out.size, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_valid_text_is_accepted_and_written_again),
        cmocka_unit_test(no_invalid_text_is_accepted),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
        cmocka_unit_test(only_an_object_is_a_document),
        cmocka_unit_test(the_referee_agrees_with_the_corpus),
        cmocka_unit_test(mutated_texts_are_judged_as_the_referee_does),
        cmocka_unit_test(a_refusal_names_the_reason_the_byte_and_the_line),
        cmocka_unit_test(u_0000_in_a_name_becomes_its_symbol),
        cmocka_unit_test(what_a_document_cannot_hold_is_refused),
        cmocka_unit_test(numbers_keep_their_kind),
        cmocka_unit_test(decimals_become_the_nearest_double),
        cmocka_unit_test(the_last_of_a_repeated_name_wins),
        cmocka_unit_test(many_names_and_many_repetitions_take_no_time),
        cmocka_unit_test(nesting_is_accepted_to_its_limit_and_judged_beyond),
        cmocka_unit_test(a_batch_gives_its_elements_and_the_rest),
        cmocka_unit_test(one_bad_element_does_not_lose_the_others),
        cmocka_unit_test(an_invalid_batch_is_refused_before_any_element_is_seen),
        cmocka_unit_test(an_array_gives_its_elements_until_the_callback_has_enough),
        cmocka_unit_test(limits_of_length_and_count_are_kept),
        cmocka_unit_test(documents_are_appended_behind_what_the_buffer_holds),
        cmocka_unit_test(any_value_becomes_the_one_field_of_a_document),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
