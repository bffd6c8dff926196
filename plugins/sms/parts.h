/* parts.h -- what the sms plugin knows without a network: forms, signatures, segments. */
#ifndef PLUGINS_SMS_PARTS_H
#define PLUGINS_SMS_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#define PAIRS_MAX 64

struct pair {
    const char *name, *value;
};

/* Decode `text` (application/x-www-form-urlencoded) in place.  -1: it is none, names or values have
 * zero bytes, or there are more than PAIRS_MAX. */
int form_read(char *text, struct pair pairs[PAIRS_MAX]);
const char *form_value(const struct pair *pairs, int count, const char *name); /* "": none */

/* Append `NAME=VALUE` of `size` bytes to the form in `out`; false: there is no room. */
bool form_put(char *out, size_t room, const char *name, const char *value, size_t size);

/* Whether `signature` is the gateway's: HMAC-SHA1 with `token` over the URL and, sorted, each name
 * with its value, in base64.  Sorts the pairs. */
bool is_signed(const char *token, const char *url, struct pair *pairs, int count,
               const char *signature);

/* How many messages of a telephone the text becomes: of 160 characters where all of them are in the
 * alphabet of GSM 03.38 (153 of several), else of 70 units of UTF-16 (67). */
size_t segments(const char *text, size_t size);

#endif
