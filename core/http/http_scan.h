/* http_scan.h -- the line discipline of a head, checked before the parser sees it.
 *
 * The parser (llhttp, strict) still takes a lone LF after the request line and before
 * the body, continues folded lines, skips repeated spaces in the request line, takes a
 * field without a name and answers HTTP/0.9.  Each of these lets two servers in a row
 * see different requests in the same bytes.  The scanner refuses them, and it finds the
 * end of a head, so that the parser always gets a whole one, in one block.
 *
 * A scan is a plain value, all zeros at first, and begins anew with each request.  It keeps
 * no bytes.  Loop thread.
 */
#ifndef CORE_HTTP_HTTP_SCAN_H
#define CORE_HTTP_HTTP_SCAN_H

#include "core/http/http.h"

struct http_refusal;

struct http_scan {
    uint32_t size;  /* bytes of field lines so far */
    uint32_t line;  /* bytes in the current line, without its end */
    uint32_t lines; /* non-empty lines that have ended */
    uint8_t blanks; /* empty lines before the request line */
    bool after_cr;
    bool has_name;   /* the colon of the current line has been seen */
    bool is_trailer; /* fields only: there is no request line */
};

enum http_scan_result { HTTP_SCAN_MORE, HTTP_SCAN_END, HTTP_SCAN_REFUSED };

/* Look at `size` more bytes.  END: the empty line that ends the block is the last of the
 * *out_used bytes.  MORE: all were looked at.  REFUSED: see *out_refusal. */
enum http_scan_result http_scan(struct http_scan *scan, const struct http_limits *limits,
                                const uint8_t *data, size_t size, size_t *out_used,
                                struct http_refusal *out_refusal);

/* Check the request line that begins a complete head, blank lines skipped, for its exact
 * form `METHOD SP target SP HTTP/1.x`.  0, or -1 with *out_refusal set. */
int http_scan_request_line(const char *head, const struct http_limits *limits,
                           struct http_refusal *out_refusal);

bool http_is_token(const char *text); /* RFC 9110, 5.6.2; not empty */

#endif
