/* keys.h -- the secrets of a receiver or a hook: one line each, the new one first.
 *
 * Of Standard Webhooks a secret is whsec_ and 24 to 64 bytes in base64, with or without padding;
 * empty lines, and those that begin with #, are left out.  Any other is the line as it stands, at
 * least 8 bytes.  Two are enough for a rotation.
 */
#ifndef PLUGINS_WEBHOOK_KEYS_H
#define PLUGINS_WEBHOOK_KEYS_H

#include "kith.h"

#include <stdbool.h>

#define KEYS_MAX 2
#define KEY_BYTES_MIN 24 /* of Standard Webhooks */
#define KEY_BYTES_MAX 64
#define KEY_LINE_BYTES_MIN 8
#define KEY_LINE_BYTES_MAX 256

struct keys {
    size_t size;
    unsigned char room[KEYS_MAX * (KEY_LINE_BYTES_MAX + 16)];
};

/* NULL, or what is wrong in words that say the line and nothing that stands in it; *out is as it
 * was then.  `room` is for the words. */
const char *keys_parse(struct kith_text text, bool is_standard, struct keys *out, char room[160]);
void keys_wipe(struct keys *keys);

/* The bytes of each, a list. */
struct kith_doc keys_list(const struct keys *keys);

#endif
