/* json_scan.h -- the scalars of JSON: text, numbers and the three words.
 *
 * Private to the reader.  The text has passed json_index_build(), so every string
 * in it is closed, is UTF-8 and holds no control character.  Any thread.
 */
#ifndef CORE_BASE_JSON_SCAN_H
#define CORE_BASE_JSON_SCAN_H

#include "core/base/doc.h"

#include <stddef.h>
#include <stdint.h>

struct json_text {
    const char *data;
    size_t size;
};

/* What is wrong, and where.  A fault makes the text invalid JSON; a flaw is valid
 * JSON that no document can hold, and the reading goes on behind it. */
struct json_trouble {
    const char *reason; /* NULL: nothing */
    int code;           /* E_INVALID or E_LIMIT */
    size_t at;          /* byte offset */
};

struct json_scan {
    struct json_trouble fault, flaw; /* the first of each */
    uint32_t nul;                    /* what an escape for U+0000 stands for here */
};

int json_fault(struct json_scan *scan, size_t at, int code, const char *reason); /* `code` */
void json_flaw(struct json_scan *scan, size_t at, int code, const char *reason);

/* Decode the string whose opening quote is at `at` to `to`, which has room for
 * its raw bytes and JSON_SLACK more.  Returns 0 or E_INVALID. */
#define JSON_SLACK 8
int json_scan_text(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                   uint32_t *out_size);

/* Decode a number to `to`, eight bytes, as DOC_INT64 or DOC_DOUBLE. */
int json_scan_number(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                     enum doc_type *out_type);

/* Decode true, false or null; a boolean goes to `to`, one byte. */
int json_scan_word(struct json_scan *scan, struct json_text text, size_t at, uint8_t *to,
                   enum doc_type *out_type);

#endif
