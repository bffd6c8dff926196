/* fuzz_json.c -- JSON from outside to documents, under libFuzzer.
 *
 * Beside crashes it looks for promises that do not hold: what the reader takes is a valid
 * document, and one that is written, read and written again gives the same text; what is taken
 * alone is taken as the element of an array and of a batch, and is the same document there.
 */
#include "core/base/buf.h"
#include "core/base/doc.h"
#include "core/base/err.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"

#include <string.h>

#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_limits limits = { .depth_max = DEPTH_MAX };
static struct json_reader *reader;
static struct buf out, again, wrapped;

/* The one element, or that there was none. */
struct seen {
    struct buf doc;
    size_t taken, refused;
};

static int note(void *arg, size_t index, struct doc doc, const struct err *err)
{
    struct seen *seen = arg;
    (void)index;
    if (err != NULL) {
        ASSERT(err->text[0] != '\0');
        seen->refused++;
        return 0;
    }
    seen->taken++;
    buf_append(&seen->doc, doc.data, doc.size);
    return 0;
}

static void check_same(struct doc doc, struct doc other)
{
    ASSERT(doc.size == other.size && memcmp(doc.data, other.data, doc.size) == 0);
}

/* A number keeps its value and not its kind: 8.0 is written as 8.  So texts are compared. */
static void check_round_trip(struct doc doc)
{
    struct buf text = BUF_INIT, second_text = BUF_INIT;
    struct doc second;
    struct err err;
    ASSERT(doc_validate(doc.data, doc.size, DEPTH_MAX, &err) == 0);
    json_write_doc(&text, doc);
    buf_clear(&again);
    ASSERT(json_to_doc(reader, (char *)text.data, text.size, &limits, &again, &second, &err) == 0);
    json_write_doc(&second_text, second);
    ASSERT(text.size == second_text.size && memcmp(text.data, second_text.data, text.size) == 0);
    buf_deinit(&text);
    buf_deinit(&second_text);
}

static void wrap(const char *before, const uint8_t *data, size_t size, const char *behind)
{
    buf_clear(&wrapped);
    buf_text(&wrapped, before);
    buf_append(&wrapped, data, size);
    buf_text(&wrapped, behind);
}

/* An input such as `{},{}` is two elements and no document: then nothing is to be compared. */
static void check_seen(const struct seen *seen, int rc, bool is_taken, struct doc doc)
{
    ASSERT(!is_taken || (rc == 0 && seen->taken == 1 && seen->refused == 0));
    if (is_taken)
        check_same(doc, (struct doc){ seen->doc.data, (uint32_t)seen->doc.size });
}

static void check_as_element(const uint8_t *data, size_t size, bool is_taken, struct doc doc)
{
    struct seen seen = { .doc = BUF_INIT };
    struct doc rest;
    struct err err;
    wrap("[", data, size, "]");
    buf_clear(&again);
    int rc = json_array_each(reader, (char *)wrapped.data, wrapped.size, &limits, &again, note,
                             &seen, &err);
    check_seen(&seen, rc, is_taken, doc);
    buf_clear(&seen.doc);
    seen.taken = seen.refused = 0;
    wrap("{\"before\":1,\"batch\":[", data, size, "],\"behind\":\"x\"}");
    buf_clear(&again);
    rc = json_batch(reader, (char *)wrapped.data, wrapped.size, &limits, "batch", &again, note,
                    &seen, &rest, &err);
    check_seen(&seen, rc, is_taken, doc);
    buf_deinit(&seen.doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct doc doc = { NULL, 0 };
    struct err err = { 0 };
    if (reader == NULL)
        reader = json_reader_new();
    buf_clear(&out);
    int rc = json_to_doc(reader, (const char *)data, size, &limits, &out, &doc, &err);
    ASSERT(rc == 0 || ((rc == E_INVALID || rc == E_LIMIT) && out.size == 0));
    if (rc == 0)
        check_round_trip(doc);
    check_as_element(data, size, rc == 0, doc);
    return 0;
}
