/* csv.c -- a reader of records; see csv.h.
 *
 * The window holds the text from the current record on.  A record is parsed where it lies;
 * when the window ends before the record does, more is read and the record is begun again:
 * that costs a few repetitions of long records, and saves a state for every place at which
 * a read may end.  Fields borrow from the window; only one that holds doubled quotes is
 * written anew, into `unquoted`.
 *
 * Because a record begins again, a faulty one costs nothing special either: its fault is
 * noted and the window moves behind its first line.
 */
#include "core/cli/csv.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum step {
    STEP_FIELD, /* a delimiter follows: the next field */
    STEP_END,   /* the line or the text ends here */
    STEP_MORE,  /* the window ended first */
    STEP_FAULT,
};

struct csv {
    enum csv_format format;
    bool ends_field[256]; /* bytes at which a field without quotes stops */
    char delimiter;
    csv_read_fn *read;
    void *arg;
    struct buf window;
    size_t start; /* of the current record in the window */
    bool is_over; /* nothing more can be read */
    bool is_begun;
    bool is_cut; /* the rest of the current line belongs to a record that is told already */
    uint64_t line, number;
    struct buf unquoted;
    struct text *fields;
    size_t count, capacity;
    const char *fault;
};

struct csv *csv_new(enum csv_format format, char delimiter, csv_read_fn *read, void *arg)
{
    struct csv *csv = mem_zero(sizeof *csv);
    csv->format = format;
    csv->read = read;
    csv->arg = arg;
    csv->line = 1;
    csv->ends_field['\n'] = csv->ends_field['\r'] = csv->ends_field['\0'] = true;
    csv_set_delimiter(csv, delimiter);
    if (format == CSV_BLANKS)
        csv->ends_field[' '] = csv->ends_field['\t'] = true;
    return csv;
}

void csv_set_delimiter(struct csv *csv, char delimiter)
{
    if (csv->format != CSV_QUOTED)
        return;
    csv->ends_field[(unsigned char)csv->delimiter] = csv->delimiter == '\0';
    csv->delimiter = delimiter;
    csv->ends_field['"'] = csv->ends_field[(unsigned char)delimiter] = true;
}

void csv_free(struct csv *csv)
{
    if (csv == NULL)
        return;
    buf_deinit(&csv->window);
    buf_deinit(&csv->unquoted);
    free(csv->fields);
    free(csv);
}

/* -- The window -------------------------------------------------------------------------- */

/* Drop what has been read and append more. */
static int fill(struct csv *csv, struct err *err)
{
    if (csv->start != 0) {
        csv->window.size -= csv->start;
        memmove(csv->window.data, csv->window.data + csv->start, csv->window.size);
        csv->start = 0;
    }
    int rc = csv->read(csv->arg, &csv->window, err);
    csv->is_over = rc == 0;
    return rc < 0 ? rc : 0;
}

static int skip_mark(struct csv *csv, struct err *err)
{
    int rc = 0;
    while (rc == 0 && csv->window.size < 3 && !csv->is_over)
        rc = fill(csv, err);
    if (csv->window.size >= 3 && memcmp(csv->window.data, "\xef\xbb\xbf", 3) == 0)
        csv->start = 3;
    csv->is_begun = true;
    return rc;
}

/* -- Fields ------------------------------------------------------------------------------ */

static enum step fault(struct csv *csv, const char *reason)
{
    csv->fault = reason;
    return STEP_FAULT;
}

static enum step add_field(struct csv *csv, const char *data, size_t size, enum step step)
{
    if (csv->count == CSV_FIELDS_MAX)
        return fault(csv, "more fields than a record may have");
    if (csv->count == csv->capacity) {
        csv->capacity = csv->capacity != 0 ? 2 * csv->capacity : 16;
        csv->fields = mem_resize(csv->fields, csv->capacity * sizeof *csv->fields);
    }
    csv->fields[csv->count++] = (struct text){ data, (uint32_t)size };
    return step;
}

/* What the byte behind a field means; *at moves over a delimiter or a line end. */
static enum step after_field(struct csv *csv, size_t *at)
{
    const char *data = (const char *)csv->window.data;
    size_t size = csv->window.size;
    if (*at == size)
        return csv->is_over ? STEP_END : STEP_MORE;
    if (csv->format == CSV_QUOTED && data[*at] == csv->delimiter) {
        *at += 1;
        return STEP_FIELD;
    }
    if (data[*at] == '\n') {
        *at += 1;
        return STEP_END;
    }
    if (data[*at] == '\r' && *at + 1 == size && !csv->is_over)
        return STEP_MORE;
    if (data[*at] == '\r' && *at + 1 < size && data[*at + 1] == '\n') {
        *at += 2;
        return STEP_END;
    }
    if (data[*at] == '\r')
        return fault(csv, "a carriage return that ends no line");
    if (data[*at] == '\0')
        return fault(csv, "a zero byte: this is no text, or another encoding");
    return STEP_FAULT; /* the caller knows better what this byte is */
}

static enum step bare_field(struct csv *csv, size_t *at)
{
    const char *data = (const char *)csv->window.data;
    size_t start = *at;
    while (*at < csv->window.size && !csv->ends_field[(unsigned char)data[*at]])
        *at += 1;
    size_t size = *at - start;
    enum step step = after_field(csv, at);
    if (step == STEP_FAULT && csv->fault == NULL)
        return fault(csv, "a quote inside a field that does not begin with one");
    return step == STEP_FIELD || step == STEP_END ? add_field(csv, data + start, size, step) : step;
}

/* The text between quotes, `size` bytes with doubled ones. */
static struct text unquote(struct csv *csv, const char *data, size_t size)
{
    size_t start = csv->unquoted.size;
    for (size_t i = 0; i < size; i++) {
        buf_byte(&csv->unquoted, (uint8_t)data[i]);
        if (data[i] == '"')
            i++;
    }
    return (struct text){ (const char *)csv->unquoted.data + start,
                          (uint32_t)(csv->unquoted.size - start) };
}

/* *at stands on the opening quote. */
static enum step quoted_field(struct csv *csv, size_t *at)
{
    const char *data = (const char *)csv->window.data, *quote;
    size_t start = *at + 1, end = start;
    bool has_doubled = false;
    for (;;) {
        quote = memchr(data + end, '"', csv->window.size - end);
        if (quote == NULL)
            return csv->is_over ? fault(csv, "a quote is opened and never closed") : STEP_MORE;
        end = (size_t)(quote - data);
        if (end + 1 == csv->window.size && !csv->is_over)
            return STEP_MORE;
        if (end + 1 == csv->window.size || data[end + 1] != '"')
            break;
        has_doubled = true;
        end += 2;
    }
    *at = end + 1;
    enum step step = after_field(csv, at);
    if (step == STEP_FAULT && csv->fault == NULL)
        return fault(csv, "text behind a closing quote");
    if (step != STEP_FIELD && step != STEP_END)
        return step;
    struct text text = { data + start, (uint32_t)(end - start) };
    if (has_doubled)
        text = unquote(csv, data + start, end - start);
    return add_field(csv, text.data, text.size, step);
}

static enum step csv_fields(struct csv *csv, size_t *at)
{
    enum step step = STEP_FIELD;
    while (step == STEP_FIELD) {
        bool is_quoted =
            csv->format == CSV_QUOTED && *at < csv->window.size && csv->window.data[*at] == '"';
        step = is_quoted ? quoted_field(csv, at) : bare_field(csv, at);
    }
    return step;
}

static enum step blank_fields(struct csv *csv, size_t *at)
{
    enum step step = STEP_FIELD;
    while (step == STEP_FIELD) {
        const char *data = (const char *)csv->window.data;
        while (*at < csv->window.size && (data[*at] == ' ' || data[*at] == '\t'))
            *at += 1;
        size_t start = *at;
        while (*at < csv->window.size && !csv->ends_field[(unsigned char)data[*at]])
            *at += 1;
        size_t size = *at - start;
        bool is_blank = *at < csv->window.size && (data[*at] == ' ' || data[*at] == '\t');
        step = is_blank ? STEP_FIELD : after_field(csv, at);
        if (size != 0 && (step == STEP_FIELD || step == STEP_END))
            step = add_field(csv, data + start, size, step);
    }
    return step;
}

/* -- Records ----------------------------------------------------------------------------- */

/* Parse from csv->start; *out_end is where the next record begins. */
static enum step parse(struct csv *csv, size_t *out_end)
{
    *out_end = csv->start;
    csv->count = 0;
    csv->fault = NULL;
    buf_clear(&csv->unquoted);
    buf_reserve(&csv->unquoted, csv->window.size); /* so that its fields never move */
    enum step step =
        csv->format == CSV_BLANKS ? blank_fields(csv, out_end) : csv_fields(csv, out_end);
    if (step == STEP_MORE && csv->window.size - csv->start > CSV_RECORD_MAX)
        step = fault(csv, "longer than a record may be; is a quote not closed?");
    return step;
}

/* Skip a faulty record: to the end of its first line. */
static int first_line_end(struct csv *csv, size_t *out_end, struct err *err)
{
    for (;;) {
        const uint8_t *from = csv->window.data + csv->start;
        const uint8_t *end = memchr(from, '\n', csv->window.size - csv->start);
        if (end != NULL || csv->is_over) {
            *out_end = end != NULL ? (size_t)(end - csv->window.data) + 1 : csv->window.size;
            return 0;
        }
        if (csv->window.size - csv->start > CSV_RECORD_MAX) {
            *out_end = csv->window.size;
            csv->is_cut = true;
            return 0;
        }
        int rc = fill(csv, err);
        if (rc != 0)
            return rc;
    }
}

/* Behind the end of a line that was too long. */
static int skip_cut(struct csv *csv, struct err *err)
{
    int rc = 0;
    while (rc == 0 && csv->is_cut) {
        const uint8_t *from = csv->window.data + csv->start;
        const uint8_t *end = memchr(from, '\n', csv->window.size - csv->start);
        csv->start = end != NULL ? (size_t)(end - csv->window.data) + 1 : csv->window.size;
        csv->is_cut = end == NULL && !csv->is_over;
        csv->line += end != NULL;
        if (csv->is_cut)
            rc = fill(csv, err);
    }
    return rc;
}

static struct text without_line_end(const uint8_t *data, size_t size)
{
    if (size != 0 && data[size - 1] == '\n')
        size--;
    if (size != 0 && data[size - 1] == '\r')
        size--;
    return (struct text){ (const char *)data, (uint32_t)size };
}

static uint64_t count_lines(const uint8_t *data, size_t size)
{
    uint64_t count = 0;
    const uint8_t *end = data + size;
    while (data < end && (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        data++;
        count++;
    }
    return count;
}

/* One record, an empty line too.  Returns 1, 0 at the end, or a code. */
static int read_record(struct csv *csv, struct csv_record *out_record, struct err *err)
{
    size_t end = 0;
    enum step step = STEP_MORE;
    int rc = csv->is_begun ? skip_cut(csv, err) : skip_mark(csv, err);
    while (rc == 0 && step == STEP_MORE) {
        if (csv->start == csv->window.size && csv->is_over)
            return 0;
        step = csv->start == csv->window.size ? STEP_MORE : parse(csv, &end);
        if (step == STEP_MORE)
            rc = fill(csv, err);
    }
    if (rc == 0 && step == STEP_FAULT)
        rc = first_line_end(csv, &end, err);
    if (rc != 0)
        return rc;
    const uint8_t *raw = csv->window.data + csv->start;
    *out_record = (struct csv_record){
        .fields = csv->fields,
        .count = step == STEP_FAULT ? 0 : csv->count,
        .raw = without_line_end(raw, end - csv->start),
        .line = csv->line,
        .fault = step == STEP_FAULT ? csv->fault : NULL,
    };
    csv->line += count_lines(raw, end - csv->start);
    csv->start = end;
    return 1;
}

int csv_next(struct csv *csv, struct csv_record *out_record, struct err *err)
{
    struct csv_record record = { .fields = NULL };
    int rc;
    do
        rc = read_record(csv, &record, err);
    while (rc == 1 && record.fault == NULL &&
           (record.count == 0 || (record.raw.size == 0 && record.count == 1)));
    if (rc != 1)
        return rc;
    record.number = ++csv->number;
    *out_record = record;
    return 1;
}

void csv_write_field(struct buf *out, struct text field)
{
    buf_byte(out, '"');
    for (uint32_t i = 0; i < field.size; i++) {
        if (field.data[i] == '"')
            buf_byte(out, '"');
        buf_byte(out, (uint8_t)field.data[i]);
    }
    buf_byte(out, '"');
}
