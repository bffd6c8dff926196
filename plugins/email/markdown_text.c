/* markdown_text.c -- a Markdown body as text; see markdown.h.
 *
 * Not the source itself: escapes, reference links and emphasis marks are for who writes.  Each
 * open block adds to the indent of the lines in it; a blank line is written before the next
 * block, never two.
 */
#include "fault.h"
#include "markdown.h"

#include <md4c.h>
#include <stdlib.h>

#define DEPTH_MAX 64 /* of blocks that indent; deeper ones stay where they are */

enum mark { MARK_QUOTE, MARK_ITEM, MARK_LIST, MARK_CODE };

struct level {
    enum mark mark;
    unsigned number; /* of the next item; 0 in a list without numbers */
    bool is_tight;
};

struct writer {
    struct bytes *out;
    struct level levels[DEPTH_MAX];
    size_t depth, depth_real;
    bool is_line_begun; /* the indent of this line is written */
    bool is_gap_due;    /* a blank line before what comes next */
    bool is_bullet_due;
    unsigned cell_count; /* of this row */
    size_t link_begin;   /* where the text of the link begins */
};

static struct level *innermost(struct writer *writer, enum mark mark)
{
    for (size_t i = writer->depth; i-- > 0;)
        if (writer->levels[i].mark == mark)
            return &writer->levels[i];
    return NULL;
}

static void write_indent(struct writer *writer, bool is_gap)
{
    for (size_t i = 0; i < writer->depth; i++) {
        enum mark mark = writer->levels[i].mark;
        bool is_bullet = writer->is_bullet_due && i + 1 == writer->depth && !is_gap;
        if (mark == MARK_QUOTE)
            bytes_text(writer->out, is_gap ? ">" : "> ");
        else if (is_gap || mark == MARK_LIST || is_bullet)
            continue;
        else
            bytes_text(writer->out, mark == MARK_CODE ? "    " : "  ");
    }
}

/* The indent, once a line, and the mark of an item that has just begun. */
static void begin_line(struct writer *writer)
{
    if (writer->is_line_begun)
        return;
    if (writer->is_gap_due && writer->out->size > 0) {
        write_indent(writer, true);
        bytes_byte(writer->out, '\n');
    }
    writer->is_gap_due = false;
    write_indent(writer, false);
    struct level *list = innermost(writer, MARK_LIST);
    if (writer->is_bullet_due && list != NULL) {
        if (list->number > 0)
            bytes_printf(writer->out, "%u. ", list->number++);
        else
            bytes_text(writer->out, "- ");
    }
    writer->is_bullet_due = false;
    writer->is_line_begun = true;
}

static void end_line(struct writer *writer)
{
    if (writer->is_line_begun)
        bytes_byte(writer->out, '\n');
    writer->is_line_begun = false;
}

static void push(struct writer *writer, struct level level)
{
    if (writer->depth_real++ < DEPTH_MAX)
        writer->levels[writer->depth++] = level;
}

static void pop(struct writer *writer)
{
    if (--writer->depth_real < DEPTH_MAX)
        writer->depth = writer->depth_real;
}

/* Between blocks, except between the items of a tight list. */
static void ask_gap(struct writer *writer)
{
    const struct level *list = innermost(writer, MARK_LIST);
    writer->is_gap_due = writer->is_gap_due || list == NULL || !list->is_tight;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    bool is_cell = type == MD_BLOCK_TH || type == MD_BLOCK_TD;
    if (!is_cell)
        end_line(writer);
    switch (type) {
    case MD_BLOCK_QUOTE:
        ask_gap(writer);
        push(writer, (struct level){ .mark = MARK_QUOTE });
        break;
    case MD_BLOCK_UL:
        ask_gap(writer);
        push(writer, (struct level){ MARK_LIST, 0, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight != 0 });
        break;
    case MD_BLOCK_OL:
        ask_gap(writer);
        push(writer, (struct level){ MARK_LIST, ((MD_BLOCK_OL_DETAIL *)detail)->start,
                                     ((MD_BLOCK_OL_DETAIL *)detail)->is_tight != 0 });
        break;
    case MD_BLOCK_LI:
        push(writer, (struct level){ .mark = MARK_ITEM });
        writer->is_bullet_due = true;
        break;
    case MD_BLOCK_CODE:
        ask_gap(writer);
        push(writer, (struct level){ .mark = MARK_CODE });
        break;
    case MD_BLOCK_HR:
        ask_gap(writer);
        begin_line(writer);
        bytes_text(writer->out, "----");
        break;
    case MD_BLOCK_TR:
        writer->cell_count = 0;
        break;
    case MD_BLOCK_THEAD:
    case MD_BLOCK_TBODY:
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        begin_line(writer);
        bytes_text(writer->out, writer->cell_count++ > 0 ? " | " : "");
        break;
    default:
        ask_gap(writer);
    }
    return writer->out->failed;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    (void)detail;
    if (type == MD_BLOCK_TH || type == MD_BLOCK_TD)
        return writer->out->failed;
    if (type == MD_BLOCK_LI && writer->is_bullet_due)
        begin_line(writer); /* an empty item is an item */
    end_line(writer);
    if (type == MD_BLOCK_QUOTE || type == MD_BLOCK_UL || type == MD_BLOCK_OL ||
        type == MD_BLOCK_LI || type == MD_BLOCK_CODE)
        pop(writer);
    if (type != MD_BLOCK_LI && type != MD_BLOCK_TR && type != MD_BLOCK_THEAD)
        ask_gap(writer);
    return writer->out->failed;
}

/* &#8364; or &#x20ac; of a character that is no control. */
static bool write_number(struct bytes *out, struct span entity)
{
    bool is_hex = entity.size > 3 && ascii_lower(entity.data[2]) == 'x';
    unsigned long code = strtoul(entity.data + (is_hex ? 3 : 2), NULL, is_hex ? 16 : 10);
    if (code < 0x20 || code > 0x10ffff || (code >= 0x7f && code < 0xa0) ||
        (code >= 0xd800 && code < 0xe000))
        return false;
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = 0; i < size; i++) {
        unsigned long bits = code >> 6 * (size - 1 - i);
        bytes_byte(out, (char)(i == 0 ? heads[size] | bits : 0x80 | (bits & 0x3f)));
    }
    return true;
}

/* The character that an entity stands for; those without a row stay as they are written. */
static void write_entity(struct bytes *out, struct span entity)
{
    static const struct {
        const char *name, *text;
    } entities[] = {
        { "&amp;", "&" },
        { "&lt;", "<" },
        { "&gt;", ">" },
        { "&quot;", "\"" },
        { "&apos;", "'" },
        { "&nbsp;", "\xc2\xa0" },
        { "&copy;", "\xc2\xa9" },
        { "&reg;", "\xc2\xae" },
        { "&euro;", "\xe2\x82\xac" },
        { "&ndash;", "\xe2\x80\x93" },
        { "&mdash;", "\xe2\x80\x94" },
        { "&hellip;", "\xe2\x80\xa6" },
    };
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (span_is(entity, entities[i].name)) {
            bytes_text(out, entities[i].text);
            return;
        }
    if (entity.size < 4 || entity.data[1] != '#' || !write_number(out, entity))
        bytes_span(out, entity);
}

static int write_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
    struct writer *writer = arg;
    struct span rest = { text, size };
    if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) {
        end_line(writer);
        return writer->out->failed;
    }
    while (rest.size > 0 && writer->out->failed == 0) {
        size_t end = type == MD_TEXT_CODE ? span_find(rest, '\n') : rest.size;
        struct span line = { rest.data, end };
        begin_line(writer);
        if (type == MD_TEXT_ENTITY)
            write_entity(writer->out, line);
        else if (type == MD_TEXT_NULLCHAR)
            bytes_text(writer->out, "\xef\xbf\xbd");
        else
            bytes_span(writer->out, line);
        if (end < rest.size)
            end_line(writer);
        rest = span_from(rest, end + 1);
    }
    return writer->out->failed;
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    (void)detail;
    if (type == MD_SPAN_A) {
        begin_line(writer);
        writer->link_begin = writer->out->size;
    }
    return writer->out->failed;
}

/* The target stands behind the text, unless the text is the target. */
static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    if (type != MD_SPAN_A)
        return writer->out->failed;
    const MD_ATTRIBUTE *href = &((const MD_SPAN_A_DETAIL *)detail)->href;
    struct span target = { href->text, href->size };
    struct span text = span_from(bytes_get(writer->out), writer->link_begin);
    struct span bare = span_begins_word(target, "mailto:") ? span_from(target, 7) : target;
    if (markdown_is_safe_link(target) && !span_equal(text, target) && !span_equal(text, bare)) {
        begin_line(writer);
        bytes_text(writer->out, text.size > 0 ? " (" : "(");
        bytes_span(writer->out, target);
        bytes_byte(writer->out, ')');
    }
    return writer->out->failed;
}

int markdown_text(struct span source, struct bytes *out, struct fault *fault)
{
    const MD_PARSER parser = {
        .flags =
            MD_FLAG_NOHTML | MD_FLAG_PERMISSIVEAUTOLINKS | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = write_text,
    };
    if (source.size > MARKDOWN_BYTES_MAX)
        return fault_set(fault, FAULT_LIMIT, "Markdown: %zu bytes, at most %u", source.size,
                         MARKDOWN_BYTES_MAX);
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return fault_set(fault, FAULT_MEMORY, "no memory for Markdown");
    writer->out = out;
    int rc = md_parse(source.size == 0 ? "" : source.data, (MD_SIZE)source.size, &parser, writer);
    free(writer);
    int failed = bytes_check(out, "text of a Markdown body", fault);
    return failed == 0 && rc != 0 ? fault_set(fault, FAULT_MEMORY, "no memory for Markdown")
                                  : failed;
}
