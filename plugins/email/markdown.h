/* markdown.h -- a body in Markdown as HTML and as text for those who read no HTML.
 *
 * CommonMark with tables, strikethrough and bare links, by md4c.  Raw HTML in the source is text,
 * not markup: the source has customers' words in it.  Links to javascript: and other schemes
 * than http, https, mailto and tel keep their text and lose their target, in both results.
 */
#ifndef PLUGINS_EMAIL_MARKDOWN_H
#define PLUGINS_EMAIL_MARKDOWN_H

#include "bytes.h"

#define MARKDOWN_BYTES_MAX (256u * 1024)

struct fault;

/* Append a whole document (<!DOCTYPE html>...).  The source is at most MARKDOWN_BYTES_MAX. */
int markdown_html(struct span source, struct bytes *out, struct fault *fault);

/* Append the text, lines ended by LF: lists with marks, links with their target behind them,
 * quotes with "> ", the cells of a table with " | " between. */
int markdown_text(struct span source, struct bytes *out, struct fault *fault);

/* May a link lead there: http, https, mailto, tel, or no scheme at all? */
bool markdown_is_safe_link(struct span target);

#endif
