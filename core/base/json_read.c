/* json_read.c -- documents, arrays and batches from JSON; see json_read.h.
 *
 * What is an element of an array here is a document of its own, with its own walk:
 * a flaw then costs this element and nothing else.  The elements are only listed
 * while the text is read, and handed out when all of it has proved to be JSON, so
 * that nobody has to take back half a batch.
 *
 * In a batch two walks are under way at once: the object around the array is
 * written to a buffer of its own and appended behind the elements.
 */
#include "core/base/json_read.h"

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/json_index.h"
#include "core/base/json_walk.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct element {
    size_t start; /* in `out` */
    size_t size;
    struct json_trouble flaw;
};

struct json_reader *json_reader_new(void)
{
    struct json_reader *reader = mem_zero(sizeof *reader);
    reader->index = json_index_new();
    json_names_init(&reader->names);
    json_names_init(&reader->rest_names);
    return reader;
}

void json_reader_free(struct json_reader *reader)
{
    if (reader == NULL)
        return;
    json_index_free(reader->index);
    json_names_deinit(&reader->names);
    json_names_deinit(&reader->rest_names);
    buf_deinit(&reader->deep);
    buf_deinit(&reader->rest);
    buf_deinit(&reader->elements);
    free(reader);
}

/* One object, whose opening bracket is at `at`. */
static int document_read(struct json_walk *w, size_t at)
{
    if (!json_is_at(w->reader, at, '{'))
        return json_expected(w->reader, at, "an object expected");
    json_walk_open(w, at, false);
    return json_walk_items(w, 0);
}

/* Any value, as the one field `name` of a document. */
static int value_read(struct json_walk *w, const char *name, size_t at)
{
    json_walk_open(w, at, false);
    size_t field = w->out->size;
    buf_byte(w->out, 0); /* the place of its type */
    buf_append(w->out, name, strlen(name) + 1);
    int rc = json_walk_value(w, at, field);
    if (rc == 0)
        rc = json_walk_items(w, 1);
    if (rc == 0)
        json_walk_close(w);
    return rc;
}

/* `name` NULL: the text is the document. */
static int text_read(struct json_reader *reader, const char *text, size_t size, const char *name,
                     const struct json_limits *limits, struct buf *out, struct doc *out_doc,
                     struct err *err)
{
    size_t start = out->size;
    struct json_walk w;
    if (limits->document_bytes_max != 0 && size > limits->document_bytes_max)
        return err_set(err, E_LIMIT, "JSON: a document of %zu bytes, at most %zu are allowed", size,
                       limits->document_bytes_max);
    json_walk_init(&w, reader, limits, out, &reader->names);
    int rc = json_text_begin(reader, text, size);
    if (rc == 0 && name == NULL)
        rc = document_read(&w, json_token_next(reader));
    else if (rc == 0)
        rc = value_read(&w, name, json_token_next(reader));
    if (rc == 0)
        rc = json_text_end(reader);
    if (rc == 0 && reader->scan.flaw.reason == NULL) {
        *out_doc = (struct doc){ out->data + start, (uint32_t)(out->size - start) };
        return 0;
    }
    out->size = start;
    return json_report(reader, rc != 0 ? &reader->scan.fault : &reader->scan.flaw, err);
}

int json_to_doc(struct json_reader *reader, const char *text, size_t size,
                const struct json_limits *limits, struct buf *out, struct doc *out_doc,
                struct err *err)
{
    return text_read(reader, text, size, NULL, limits, out, out_doc, err);
}

int json_value_to_doc(struct json_reader *reader, const char *text, size_t size, const char *name,
                      const struct json_limits *limits, struct buf *out, struct doc *out_doc,
                      struct err *err)
{
    return text_read(reader, text, size, name, limits, out, out_doc, err);
}

/* Arrays of objects. */

static int element_read(struct json_reader *reader, const struct json_limits *limits,
                        struct buf *out, size_t at)
{
    struct json_trouble outer = reader->scan.flaw;
    struct element element = { .start = out->size };
    struct json_walk w;
    int rc = 0;
    reader->scan.flaw.reason = NULL;
    json_walk_init(&w, reader, limits, out, &reader->names);
    if (json_is_at(reader, at, '{')) {
        rc = document_read(&w, at);
    } else {
        json_flaw(&reader->scan, at, E_INVALID, "an element that is not an object");
        buf_byte(out, 0); /* what json_walk_value() takes for the field's type */
        rc = json_walk_value(&w, at, element.start);
        if (rc == 0)
            rc = json_walk_items(&w, 0);
    }
    if (rc != 0)
        return rc;
    size_t size = reader->tokens[reader->token_next - 1] - at + 1; /* to the closing bracket */
    if (limits->document_bytes_max != 0 && size > limits->document_bytes_max)
        json_flaw(&reader->scan, at, E_LIMIT, "an element longer than is allowed");
    element.flaw = reader->scan.flaw;
    if (element.flaw.reason != NULL)
        out->size = element.start;
    element.size = out->size - element.start;
    reader->scan.flaw = outer;
    buf_append(&reader->elements, &element, sizeof element);
    return 0;
}

/* From behind the opening bracket to the closing one. */
static int elements_read(struct json_reader *reader, const struct json_limits *limits,
                         struct buf *out)
{
    buf_clear(&reader->elements);
    size_t at = json_token_next(reader);
    if (json_is_at(reader, at, ']'))
        return 0;
    for (size_t count = 1;; count++) {
        if (limits->count_max != 0 && count > limits->count_max)
            return json_fault(&reader->scan, at, E_LIMIT, "more elements than are allowed");
        int rc = element_read(reader, limits, out, at);
        if (rc != 0)
            return rc;
        at = json_token_next(reader);
        if (json_is_at(reader, at, ']'))
            return 0;
        if (!json_is_at(reader, at, ','))
            return json_expected(reader, at, "',' or ']' expected");
        at = json_token_next(reader);
    }
}

static int deliver(struct json_reader *reader, const struct buf *out, json_element_fn *each,
                   void *arg)
{
    const struct element *elements = (const void *)reader->elements.data;
    size_t count = reader->elements.size / sizeof *elements;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct err err;
        if (elements[i].flaw.reason != NULL) {
            json_report(reader, &elements[i].flaw, &err);
            rc = each(arg, i, (struct doc){ NULL, 0 }, &err);
        } else {
            struct doc doc = { out->data + elements[i].start, (uint32_t)elements[i].size };
            rc = each(arg, i, doc, NULL);
        }
    }
    return rc;
}

int json_array_each(struct json_reader *reader, const char *text, size_t size,
                    const struct json_limits *limits, struct buf *out, json_element_fn *each,
                    void *arg, struct err *err)
{
    size_t start = out->size;
    int rc = json_text_begin(reader, text, size);
    if (rc == 0) {
        size_t at = json_token_next(reader);
        rc = json_is_at(reader, at, '[') ? elements_read(reader, limits, out)
                                         : json_expected(reader, at, "an array expected");
    }
    if (rc == 0)
        rc = json_text_end(reader);
    if (rc != 0) {
        out->size = start;
        return json_report(reader, &reader->scan.fault, err);
    }
    return deliver(reader, out, each, arg);
}

struct envelope {
    struct json_walk w; /* writes the rest */
    const struct json_limits *limits;
    struct text name; /* of the array */
    struct buf *out;  /* for its elements */
    bool has_array;
};

/* One field of the object around a batch. */
static int envelope_field(struct envelope *e, size_t at)
{
    struct json_walk *w = &e->w;
    size_t field = w->out->size;
    uint32_t size = 0;
    int rc = json_walk_name(w, at, &size);
    if (rc != 0)
        return rc;
    at = json_token_next(w->reader);
    struct text name = { (const char *)w->out->data + field + 1, size };
    if (!text_equal(name, e->name)) {
        json_walk_note(w, field, size);
        rc = json_walk_value(w, at, field);
        return rc == 0 ? json_walk_items(w, 1) : rc;
    }
    w->out->size = field;
    if (!json_is_at(w->reader, at, '['))
        return json_expected(w->reader, at, "an array expected in the field of the batch");
    e->has_array = true;
    return elements_read(w->reader, e->limits, e->out);
}

/* Every array that is read so is one of these. */
#define MISSING_BATCH "\"batch\" is missing: {\"batch\": [...]}"

static int envelope_read(struct envelope *e)
{
    struct json_reader *reader = e->w.reader;
    size_t at = json_token_next(reader);
    if (!json_is_at(reader, at, '{'))
        return json_expected(reader, at, "an object expected");
    json_walk_open(&e->w, at, false);
    at = json_token_next(reader);
    int rc = 0;
    if (json_is_at(reader, at, '}'))
        json_walk_close(&e->w);
    while (rc == 0 && e->w.depth > 0) {
        rc = envelope_field(e, at);
        if (rc == 0)
            rc = json_walk_end(&e->w, 0);
        if (rc == 0 && e->w.depth > 0)
            at = json_token_next(reader);
    }
    if (rc == 0)
        rc = json_text_end(reader);
    if (rc == 0 && !e->has_array)
        rc = json_fault(&reader->scan, 0, E_INVALID, MISSING_BATCH);
    return rc;
}

int json_batch(struct json_reader *reader, const char *text, size_t size,
               const struct json_limits *limits, const char *name, struct buf *out,
               json_element_fn *each, void *arg, struct doc *out_rest, struct err *err)
{
    size_t start = out->size;
    struct envelope e = { .limits = limits, .name = text_of(name), .out = out };
    json_walk_init(&e.w, reader, limits, &reader->rest, &reader->rest_names);
    buf_clear(&reader->rest);
    int rc = json_text_begin(reader, text, size);
    if (rc == 0)
        rc = envelope_read(&e);
    if (rc != 0 || reader->scan.flaw.reason != NULL) {
        out->size = start;
        return json_report(reader, rc != 0 ? &reader->scan.fault : &reader->scan.flaw, err);
    }
    uint32_t rest_size = (uint32_t)reader->rest.size;
    buf_append(out, reader->rest.data, rest_size);
    *out_rest = (struct doc){ out->data + out->size - rest_size, rest_size };
    return deliver(reader, out, each, arg);
}
