/* markdown_html.c -- a Markdown body as HTML; see markdown.h.
 *
 * md4c brings a renderer of its own, which writes any target into href.  Ours is a table of tags
 * and a place to look at links.
 */
#include "fault.h"
#include "markdown.h"

#include <md4c.h>

struct writer {
    struct bytes *out;
    unsigned image_depth; /* inside an image only its text counts: it becomes alt="" */
};

bool markdown_is_safe_link(struct span target)
{
    static const char *const schemes[] = { "http:", "https:", "mailto:", "tel:" };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (span_begins_word(target, schemes[i]))
            return true;
    /* A colon before any slash, question mark or fragment ends a scheme; an entity or a control
     * character could hide one. */
    for (size_t i = 0; i < target.size; i++) {
        unsigned char c = (unsigned char)target.data[i];
        if (c == '/' || c == '?' || c == '#')
            return true;
        if (c == ':' || c == '&' || c <= 0x20)
            return false;
    }
    return true;
}

static void escape(struct bytes *out, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '<')
            bytes_text(out, "&lt;");
        else if (c == '>')
            bytes_text(out, "&gt;");
        else if (c == '&')
            bytes_text(out, "&amp;");
        else if (c == '"')
            bytes_text(out, "&quot;");
        else
            bytes_byte(out, c);
    }
}

/* An attribute of md4c: pieces of text and entities. */
static void write_attribute(struct bytes *out, const MD_ATTRIBUTE *attribute)
{
    for (size_t i = 0; attribute->size > 0 && attribute->substr_offsets[i] < attribute->size; i++) {
        MD_OFFSET begin = attribute->substr_offsets[i], end = attribute->substr_offsets[i + 1];
        struct span piece = { attribute->text + begin, end - begin };
        if (attribute->substr_types[i] == MD_TEXT_ENTITY)
            bytes_span(out, piece);
        else if (attribute->substr_types[i] != MD_TEXT_NULLCHAR)
            escape(out, piece);
    }
}

static const char *block_tag(MD_BLOCKTYPE type, const void *detail)
{
    static const char *const headings[] = { "h1", "h2", "h3", "h4", "h5", "h6" };
    switch (type) {
    case MD_BLOCK_QUOTE:
        return "blockquote";
    case MD_BLOCK_UL:
        return "ul";
    case MD_BLOCK_OL:
        return "ol";
    case MD_BLOCK_LI:
        return "li";
    case MD_BLOCK_H:
        return headings[(((const MD_BLOCK_H_DETAIL *)detail)->level - 1) % 6];
    case MD_BLOCK_CODE:
        return "pre";
    case MD_BLOCK_P:
        return "p";
    case MD_BLOCK_TABLE:
        return "table";
    case MD_BLOCK_THEAD:
        return "thead";
    case MD_BLOCK_TBODY:
        return "tbody";
    case MD_BLOCK_TR:
        return "tr";
    case MD_BLOCK_TH:
        return "th";
    case MD_BLOCK_TD:
        return "td";
    default:
        return NULL; /* the document itself; raw HTML does not come */
    }
}

static void write_alignment(struct bytes *out, const MD_BLOCK_TD_DETAIL *detail)
{
    static const char *const sides[] = { NULL, "left", "center", "right" };
    if (detail->align != MD_ALIGN_DEFAULT)
        bytes_printf(out, " align=\"%s\"", sides[detail->align]);
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    struct bytes *out = writer->out;
    const char *tag = block_tag(type, detail);
    if (type == MD_BLOCK_HR)
        bytes_text(out, "<hr>\n");
    if (tag == NULL)
        return out->failed;
    bytes_printf(out, "<%s", tag);
    if (type == MD_BLOCK_OL && ((const MD_BLOCK_OL_DETAIL *)detail)->start != 1)
        bytes_printf(out, " start=\"%u\"", ((const MD_BLOCK_OL_DETAIL *)detail)->start);
    if (type == MD_BLOCK_TH || type == MD_BLOCK_TD)
        write_alignment(out, detail);
    bool is_open = type == MD_BLOCK_UL || type == MD_BLOCK_OL || type == MD_BLOCK_QUOTE ||
                   type == MD_BLOCK_TABLE || type == MD_BLOCK_THEAD || type == MD_BLOCK_TBODY;
    bytes_text(out, is_open ? ">\n" : type == MD_BLOCK_CODE ? "><code>" : ">");
    return out->failed;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    const char *tag = block_tag(type, detail);
    if (tag != NULL)
        bytes_printf(writer->out, "%s</%s>\n", type == MD_BLOCK_CODE ? "</code>" : "", tag);
    return writer->out->failed;
}

static const char *span_tag(MD_SPANTYPE type)
{
    switch (type) {
    case MD_SPAN_EM:
        return "em";
    case MD_SPAN_STRONG:
        return "strong";
    case MD_SPAN_CODE:
        return "code";
    case MD_SPAN_DEL:
        return "del";
    default:
        return NULL;
    }
}

static bool is_safe(const MD_ATTRIBUTE *target)
{
    return markdown_is_safe_link((struct span){ target->text, target->size });
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    struct bytes *out = writer->out;
    if (type == MD_SPAN_IMG && writer->image_depth++ == 0) {
        const MD_SPAN_IMG_DETAIL *image = detail;
        bytes_text(out, "<img src=\"");
        /* cid: names a part of the same message */
        if (is_safe(&image->src) ||
            span_begins_word((struct span){ image->src.text, image->src.size }, "cid:"))
            write_attribute(out, &image->src);
        bytes_text(out, "\" alt=\"");
    } else if (writer->image_depth == 0 && type == MD_SPAN_A) {
        const MD_SPAN_A_DETAIL *link = detail;
        bytes_text(out, "<a");
        if (is_safe(&link->href)) {
            bytes_text(out, " href=\"");
            write_attribute(out, &link->href);
            bytes_text(out, "\"");
        }
        bytes_text(out, ">");
    } else if (writer->image_depth == 0 && span_tag(type) != NULL) {
        bytes_printf(out, "<%s>", span_tag(type));
    }
    return out->failed;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg)
{
    struct writer *writer = arg;
    (void)detail;
    if (type == MD_SPAN_IMG && --writer->image_depth == 0)
        bytes_text(writer->out, "\">");
    else if (writer->image_depth == 0 && type == MD_SPAN_A)
        bytes_text(writer->out, "</a>");
    else if (writer->image_depth == 0 && span_tag(type) != NULL)
        bytes_printf(writer->out, "</%s>", span_tag(type));
    return writer->out->failed;
}

static int write_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
    struct writer *writer = arg;
    struct span piece = { text, size };
    if (type == MD_TEXT_BR)
        bytes_text(writer->out, writer->image_depth == 0 ? "<br>\n" : " ");
    else if (type == MD_TEXT_SOFTBR)
        bytes_text(writer->out, "\n");
    else if (type == MD_TEXT_ENTITY)
        bytes_span(writer->out, piece);
    else if (type == MD_TEXT_NULLCHAR)
        bytes_text(writer->out, "\xef\xbf\xbd");
    else
        escape(writer->out, piece);
    return writer->out->failed;
}

int markdown_html(struct span source, struct bytes *out, struct fault *fault)
{
    struct writer writer = { .out = out };
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
    bytes_text(out, "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width\">\n</head>\n<body>\n");
    int rc = md_parse(source.size == 0 ? "" : source.data, (MD_SIZE)source.size, &parser, &writer);
    bytes_text(out, "</body>\n</html>\n");
    int failed = bytes_check(out, "HTML of a Markdown body", fault);
    return failed == 0 && rc != 0 ? fault_set(fault, FAULT_MEMORY, "no memory for Markdown")
                                  : failed;
}
