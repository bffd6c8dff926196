/* rejects.c -- see rejects.h. */
#include "core/cli/rejects.h"

#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/mem.h"
#include "core/cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMN "rejected_because"
#define UTF8_MARK "\xef\xbb\xbf"

void rejects_init(struct rejects *rejects, const char *path, const struct rejects_form *form,
                  bool is_shown)
{
    *rejects = (struct rejects){ .path = mem_string(path), .form = form, .is_shown = is_shown };
}

/* -- Writing --------------------------------------------------------------------------------- */

static void show(const struct rejects *rejects, struct text reason)
{
    if (rejects->count <= REJECTS_SHOWN)
        fprintf(stderr, "%.*s\n", (int)reason.size, reason.data);
    if (rejects->count == REJECTS_SHOWN)
        fputs("further rejected rows are only counted\n", stderr);
}

static char between(const struct rejects_form *form)
{
    return form->format == CSV_BLANKS ? ' ' : form->delimiter;
}

static void put_header(const struct rejects_form *form, struct buf *out)
{
    if (form->is_decoded)
        buf_text(out, UTF8_MARK);
    if (form->format == CSV_LINES)
        return;
    if (form->is_told)
        buf_printf(out, "sep=%c\n", form->delimiter);
    if (form->format == CSV_QUOTED)
        csv_write_field(out, text_of(COLUMN));
    else
        buf_text(out, COLUMN);
    if (form->header.size != 0) {
        buf_byte(out, (uint8_t)between(form));
        buf_append(out, form->header.data, form->header.size);
    }
    buf_byte(out, '\n');
}

static void put_reason(const struct rejects_form *form, struct text reason, struct buf *out)
{
    if (form->format == CSV_LINES) {
        buf_text(out, "{\"" COLUMN "\":");
        json_write_text(out, reason);
        buf_text(out, "}\n");
    } else if (form->format == CSV_QUOTED) {
        csv_write_field(out, reason);
    } else {
        for (uint32_t i = 0; i < reason.size; i++)
            buf_byte(out, reason.data[i] == ' ' ? '_' : (uint8_t)reason.data[i]);
    }
}

static void write_row(struct rejects *rejects, struct text raw, struct text reason)
{
    const struct rejects_form *form = rejects->form;
    struct buf out = BUF_INIT;
    if (rejects->file == NULL && rejects->error == 0) {
        rejects->file = fopen(rejects->path, "we");
        put_header(form, &out);
    }
    put_reason(form, reason, &out);
    if (raw.size != 0) {
        if (form->format != CSV_LINES)
            buf_byte(&out, (uint8_t)between(form));
        buf_append(&out, raw.data, raw.size);
    }
    buf_byte(&out, '\n');
    bool is_written =
        rejects->file != NULL && fwrite(out.data, 1, out.size, rejects->file) == out.size;
    if (!is_written && rejects->error == 0)
        rejects->error = errno;
    buf_deinit(&out);
}

void rejects_add(struct rejects *rejects, uint64_t line, struct text raw, struct text reason)
{
    struct buf out = BUF_INIT;
    rejects->count++;
    buf_printf(&out, "line %llu: ", (unsigned long long)line);
    text_clean(reason, &out); /* one line, whatever it tells of */
    struct text text = { buf_string(&out), (uint32_t)out.size };
    if (rejects->is_shown)
        show(rejects, text);
    else
        write_row(rejects, raw, text);
    buf_deinit(&out);
}

int rejects_close(struct rejects *rejects, struct err *err)
{
    int rc = 0;
    if (rejects->file != NULL && fclose(rejects->file) != 0 && rejects->error == 0)
        rejects->error = errno;
    if (rejects->error != 0)
        rc = err_set(err, E_IO, "cannot write %.200s: %s", rejects->path, strerror(rejects->error));
    else if (rejects->count == 0 && !rejects->is_shown)
        unlink(rejects->path); /* of an earlier run; mostly there is none */
    free(rejects->path);
    rejects->path = NULL;
    rejects->file = NULL;
    return rc;
}

/* -- Reading again --------------------------------------------------------------------------- */

static bool is_header(const struct csv_record *record)
{
    return record->count != 0 && text_is(record->fields[0], COLUMN);
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t';
}

static size_t first_word_size(struct text raw)
{
    size_t at = 0;
    while (at < raw.size && ends_word(raw.data[at]))
        at++;
    while (at < raw.size && !ends_word(raw.data[at]))
        at++;
    return at < raw.size ? at + 1 : at;
}

/* With the delimiter behind it.  0: a quote in it is not closed, and nobody knows. */
static size_t first_cell_size(struct text raw, char delimiter)
{
    bool is_quoted = false;
    size_t at = 0;
    for (; at < raw.size && (is_quoted || raw.data[at] != delimiter); at++)
        if (raw.data[at] == '"')
            is_quoted = !is_quoted;
    if (is_quoted)
        return 0;
    return at < raw.size ? at + 1 : at;
}

static void strip(const struct rejects_form *form, struct csv_record *record)
{
    if (!form->has_reasons || form->format == CSV_LINES)
        return;
    struct text *raw = &record->raw;
    size_t size =
        form->format == CSV_BLANKS ? first_word_size(*raw) : first_cell_size(*raw, form->delimiter);
    *raw = (struct text){ raw->data + size, raw->size - (uint32_t)size };
    if (record->count != 0) {
        record->fields++;
        record->count--;
    }
}

void rejects_note_header(struct rejects_form *form, struct csv_record *header)
{
    form->has_reasons = is_header(header);
    strip(form, header);
}

int rejects_next(struct rejects_form *form, struct csv *csv, struct csv_record *out_record,
                 struct err *err)
{
    struct csv_record record;
    int rc = csv_next(csv, &record, err);
    if (rc == 1 && record.number == 1 && form->format != CSV_LINES && is_header(&record)) {
        form->has_reasons = true;
        rc = csv_next(csv, &record, err);
    }
    if (rc != 1)
        return rc;
    strip(form, &record);
    *out_record = record;
    return 1;
}

bool rejects_may_be_reason(struct text line)
{
    static const char begin[] = "{\"" COLUMN "\":";
    return line.size > sizeof begin && memcmp(line.data, begin, sizeof begin - 1) == 0;
}

bool rejects_is_reason(struct doc doc)
{
    return doc_count(doc) == 1 && doc_get(doc, COLUMN).type == DOC_TEXT;
}
