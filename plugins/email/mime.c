/* mime.c -- see mime.h.
 *
 *   state   a line that is               leads to
 *   ------  ---------------------------  -------------------------------------------
 *   HEADER  empty, or no field           the part begins: LEAF, or SKIP in a multipart
 *   HEADER  a field or its continuation  HEADER
 *   any     --boundary of any level      the levels within it end; HEADER
 *   any     --boundary-- of any level    that level ends too; SKIP (its epilogue)
 *   LEAF    anything else                contents
 *   SKIP    anything else                nothing: before the first part, after the last
 */
#include "mime.h"

#include "fault.h"
#include "header.h"
#include "param.h"

#include <string.h>

void mime_reader_init(struct mime_reader *reader, const struct mime_events *events)
{
    memset(reader, 0, sizeof *reader);
    reader->events = events;
    bytes_init(&reader->header, MIME_HEADER_BYTES_MAX);
    bytes_init(&reader->decoded, MIME_LINE_MAX + 256);
}

void mime_reader_deinit(struct mime_reader *reader)
{
    bytes_deinit(&reader->header);
    bytes_deinit(&reader->decoded);
}

static int deliver(struct mime_reader *reader)
{
    int rc = reader->decoded.failed;
    if (rc == 0 && reader->decoded.size > 0 && reader->events->data != NULL)
        rc = reader->events->data(reader->events->arg, bytes_get(&reader->decoded));
    bytes_clear(&reader->decoded);
    return rc;
}

static int decode(struct mime_reader *reader, struct span data)
{
    decoder_feed(&reader->decoder, data, &reader->decoded);
    return deliver(reader);
}

/* The leaf that was being read is over. */
static int finish_leaf(struct mime_reader *reader)
{
    if (reader->state != MIME_LEAF)
        return 0;
    decoder_end(&reader->decoder, &reader->decoded);
    return deliver(reader);
}

/* type/subtype in lower case. */
static void read_type(struct span value, struct mime_part *part)
{
    struct span type = param_main(value);
    size_t slash = span_find(type, '/');
    bool is_valid = type.size < sizeof part->type && slash < type.size &&
                    param_is_token((struct span){ type.data, slash }) &&
                    param_is_token(span_from(type, slash + 1));
    if (!is_valid)
        type = span_of("text/plain");
    for (size_t i = 0; i < type.size; i++)
        part->type[i] = ascii_lower(type.data[i]);
    part->type[type.size] = '\0';
}

/* Go down into a multipart.  False when it has no boundary or lies too deep. */
static bool descend(struct mime_reader *reader, struct span content_type)
{
    struct bytes boundary;
    bytes_init(&boundary, MIME_BOUNDARY_MAX);
    bool is_good =
        param_get(content_type, "boundary", &boundary) && boundary.failed == 0 && boundary.size > 0;
    if (is_good && reader->depth == MIME_DEPTH_MAX) {
        reader->is_too_deep = true;
        is_good = false;
    }
    if (is_good) {
        struct mime_level *level = &reader->levels[reader->depth++];
        memcpy(level->boundary, boundary.data, boundary.size);
        level->size = boundary.size;
    }
    bytes_deinit(&boundary);
    return is_good;
}

/* The header is complete. */
static int begin_part(struct mime_reader *reader)
{
    struct mime_part part = { .number = reader->part_count, .depth = reader->depth };
    struct span content_type, encoding;
    part.header = bytes_get(&reader->header);
    if (reader->header.failed == FAULT_MEMORY)
        return FAULT_MEMORY;
    reader->is_header_cut = reader->is_header_cut || reader->header.failed != 0;
    if (reader->part_count == MIME_PARTS_MAX) {
        reader->is_parts_cut = true;
        reader->state = MIME_SKIP;
        return 0;
    }
    reader->part_count++;
    header_find(part.header, "Content-Type", &content_type);
    header_find(part.header, "Content-Transfer-Encoding", &encoding);
    read_type(content_type, &part);
    part.is_multipart =
        span_begins_word(span_of(part.type), "multipart/") && descend(reader, content_type);
    decoder_init(&reader->decoder, codec_named(param_main(encoding)));
    reader->state = part.is_multipart ? MIME_SKIP : MIME_LEAF;
    reader->line_end_size = 0;
    return reader->events->part == NULL ? 0 : reader->events->part(reader->events->arg, &part);
}

/* Does the line end with blanks after `at`? */
static bool is_blank_from(struct span line, size_t at)
{
    return span_trim(span_from(line, at)).size == 0;
}

/* The level whose boundary the line is, counted from 1; 0 when it is none. */
static unsigned boundary_level(const struct mime_reader *reader, struct span line,
                               bool *out_is_last)
{
    if (line.size < 3 || line.data[0] != '-' || line.data[1] != '-')
        return 0;
    struct span text = span_from(line, 2);
    for (unsigned i = reader->depth; i > 0; i--) {
        const struct mime_level *level = &reader->levels[i - 1];
        if (text.size < level->size || memcmp(text.data, level->boundary, level->size) != 0)
            continue;
        struct span rest = span_from(text, level->size);
        *out_is_last = rest.size >= 2 && rest.data[0] == '-' && rest.data[1] == '-';
        if (is_blank_from(rest, *out_is_last ? 2 : 0))
            return i;
    }
    return 0;
}

static int cross_boundary(struct mime_reader *reader, unsigned level, bool is_last)
{
    int rc = reader->state == MIME_HEADER ? begin_part(reader) : 0;
    if (rc == 0)
        rc = finish_leaf(reader);
    reader->depth = is_last ? level - 1 : level;
    reader->state = is_last ? MIME_SKIP : MIME_HEADER;
    reader->line_end_size = 0;
    bytes_clear(&reader->header);
    return rc;
}

static bool is_header_line(const struct mime_reader *reader, struct span line)
{
    if (line.size == 0)
        return false;
    if (ascii_is_blank(line.data[0]))
        return reader->header.size > 0;
    size_t colon = span_find(line, ':');
    struct span name = span_trim((struct span){ line.data, colon });
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] >= 0x7f)
            /* "From ann Mon ..." of a mailbox file */
            return reader->header.size == 0 && span_begins_word(line, "From ");
    return colon < line.size && name.size > 0;
}

static void hold_line_end(struct mime_reader *reader, struct span line, struct span whole)
{
    reader->line_end_size = whole.size - line.size;
    memcpy(reader->line_end, whole.data + line.size, reader->line_end_size);
}

static int read_contents(struct mime_reader *reader, struct span line, struct span whole)
{
    int rc = 0;
    if (reader->line_end_size > 0)
        rc = decode(reader, (struct span){ reader->line_end, reader->line_end_size });
    if (rc == 0)
        rc = decode(reader, line);
    hold_line_end(reader, line, whole);
    return rc;
}

static int read_header_line(struct mime_reader *reader, struct span line, struct span whole)
{
    if (reader->is_continued || is_header_line(reader, line)) {
        if (reader->header.failed == 0)
            bytes_span(&reader->header, whole);
        return reader->header.failed == FAULT_MEMORY ? FAULT_MEMORY : 0;
    }
    int rc = begin_part(reader);
    if (rc == 0 && line.size > 0 && reader->state == MIME_LEAF)
        rc = read_contents(reader, line, whole);
    return rc;
}

/* A line, or a piece of one that is too long, which then has no line end. */
static int read_line(struct mime_reader *reader)
{
    struct span whole = { reader->line, reader->line_size }, line = whole;
    bool is_ended = line.size > 0 && line.data[line.size - 1] == '\n', is_last = false;
    if (is_ended) {
        line.size--;
        line.size -= line.size > 0 && line.data[line.size - 1] == '\r';
    }
    unsigned level = reader->is_continued ? 0 : boundary_level(reader, line, &is_last);
    int rc = 0;
    if (level > 0)
        rc = cross_boundary(reader, level, is_last);
    else if (reader->state == MIME_HEADER)
        rc = read_header_line(reader, line, whole);
    else if (reader->state == MIME_LEAF)
        rc = read_contents(reader, line, whole);
    reader->is_continued = !is_ended;
    reader->line_size = 0;
    return rc;
}

static int explain(int rc, struct fault *fault)
{
    return rc == FAULT_MEMORY ? fault_set(fault, rc, "no memory to read a message") : rc;
}

int mime_feed(struct mime_reader *reader, struct span data, struct fault *fault)
{
    int rc = 0;
    while (rc == 0 && data.size > 0) {
        size_t end = span_find(data, '\n');
        size_t size = end < data.size ? end + 1 : data.size;
        size_t room = sizeof reader->line - reader->line_size;
        size = size < room ? size : room;
        memcpy(reader->line + reader->line_size, data.data, size);
        reader->line_size += size;
        data = span_from(data, size);
        bool is_full = reader->line_size == sizeof reader->line;
        if (is_full || reader->line[reader->line_size - 1] == '\n')
            rc = read_line(reader);
    }
    return explain(rc, fault);
}

int mime_end(struct mime_reader *reader, struct fault *fault)
{
    int rc = reader->line_size > 0 ? read_line(reader) : 0;
    if (rc == 0 && reader->state == MIME_HEADER &&
        (reader->header.size > 0 || reader->part_count == 0))
        rc = begin_part(reader);
    if (rc == 0 && reader->state == MIME_LEAF && reader->line_end_size > 0)
        rc = decode(reader, (struct span){ reader->line_end, reader->line_end_size });
    if (rc == 0)
        rc = finish_leaf(reader);
    return explain(rc, fault);
}
