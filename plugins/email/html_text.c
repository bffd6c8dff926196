/* html_text.c -- see html_text.h. */
#include "html_text.h"

#include <string.h>

static const char *const line_tags[] = { "br", "p",  "div", "li", "tr", "h1",         "h2",
                                         "h3", "h4", "ul",  "ol", "hr", "blockquote", "table" };

/* Where `wanted`, lower case, begins; the size when nowhere. */
static size_t find_word(struct span text, const char *wanted)
{
    size_t at = 0;
    while (at < text.size && !span_begins_word(span_from(text, at), wanted))
        at += 1 + span_find(span_from(text, at + 1), wanted[0]);
    return at < text.size ? at : text.size;
}

/* The name of the tag that begins at "<", without its slash. */
static struct span tag_name(struct span tag)
{
    size_t begin = tag.size > 1 && tag.data[1] == '/' ? 2 : 1, end = begin;
    while (end < tag.size && (ascii_is_letter(tag.data[end]) || ascii_is_digit(tag.data[end])))
        end++;
    return (struct span){ tag.data + begin, end - begin };
}

/* One line end, never two of them in a row but once. */
static void end_line(struct bytes *out)
{
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->size--;
    size_t size = out->size;
    if (size > 0 && (size < 2 || out->data[size - 1] != '\n' || out->data[size - 2] != '\n'))
        bytes_byte(out, '\n');
}

/* The size of a tag, a comment, or an element whose contents are no text. */
static size_t skip_tag(struct span html, struct bytes *out)
{
    if (span_begins_word(html, "<!--"))
        return find_word(html, "-->") + 3;
    struct span name = tag_name(html);
    size_t size = span_find(html, '>') + 1;
    if (html.data[1] != '/' && span_is_word(name, "style"))
        return find_word(html, "</style");
    if (html.data[1] != '/' && span_is_word(name, "script"))
        return find_word(html, "</script");
    for (size_t i = 0; i < sizeof line_tags / sizeof *line_tags; i++)
        if (span_is_word(name, line_tags[i]) && (html.data[1] != '/' || i > 0)) {
            bool is_open = html.data[1] != '/';
            if (i == 0 || !is_open || (out->size > 0 && out->data[out->size - 1] != '\n'))
                end_line(out);
            break;
        }
    return size;
}

static size_t write_entity(struct span html, struct bytes *out)
{
    static const struct {
        const char *name, *text;
    } entities[] = {
        { "&amp;", "&" },         { "&lt;", "<" },           { "&gt;", ">" },
        { "&quot;", "\"" },       { "&apos;", "'" },         { "&#39;", "'" },
        { "&nbsp;", " " },        { "&auml;", "\xc3\xa4" },  { "&ouml;", "\xc3\xb6" },
        { "&uuml;", "\xc3\xbc" }, { "&szlig;", "\xc3\x9f" },
    };
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (span_begins_word(html, entities[i].name)) {
            bytes_text(out, entities[i].text);
            return strlen(entities[i].name);
        }
    bytes_byte(out, '&');
    return 1;
}

void html_text(struct span html, struct bytes *out)
{
    while (html.size > 0 && out->failed == 0) {
        char c = html.data[0];
        size_t size = 1;
        bool is_tag = c == '<' && html.size > 1 &&
                      (ascii_is_letter(html.data[1]) || strchr("/!?", html.data[1]) != NULL);
        if (is_tag) {
            size = skip_tag(html, out);
        } else if (c == '&') {
            size = write_entity(html, out);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            if (out->size > 0 && out->data[out->size - 1] != ' ' &&
                out->data[out->size - 1] != '\n')
                bytes_byte(out, ' ');
        } else {
            bytes_byte(out, c);
        }
        html = span_from(html, size);
    }
}
