/* json.h -- a text in JSON, written piece by piece into memory that grows.
 *
 * No memory, or more than JSON_BYTES_MAX: it is broken from there on, which is asked once, at the
 * end.  One thread.
 */
#ifndef PLUGINS_COMPLAINT_JSON_H
#define PLUGINS_COMPLAINT_JSON_H

#include "kith.h"

#define JSON_BYTES_MAX (1u << 20)

struct json { /* zeroed: empty */
    char *data;
    size_t size, room;
    int is_broken, has_before; /* a value stands before: a comma comes first */
};

void json_deinit(struct json *json);

/* "{" or "[" and what closes it; `name` NULL: in a list, or the whole. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
void json_text(struct json *json, const char *name, struct kith_text text);
void json_int(struct json *json, const char *name, int64_t number);

/* A number of `units`, which are 10 to the minus `digits`: 1250, 2 is 12.50. */
void json_decimal(struct json *json, const char *name, int64_t units, int digits);

#endif
