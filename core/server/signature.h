/* signature.h -- webhooks signed as Standard Webhooks has it.
 *
 *     secret      whsec_ and 24 to 64 bytes in base64
 *     signed      ID.TIMESTAMP.BODY, with HMAC-SHA256
 *     signature   v1, and the MAC in base64; one for each secret, with a blank between
 *
 * During a rotation there are two secrets, the new one first: receivers with either of them are
 * satisfied.
 *
 * Secrets are in memory and nowhere else; signature_keys_wipe() overwrites them.
 */
#ifndef CORE_SERVER_SIGNATURE_H
#define CORE_SERVER_SIGNATURE_H

#include "core/base/buf.h"

struct err;

#define SIGNATURE_KEYS_MAX 2
#define SIGNATURE_KEY_BYTES_MIN 24
#define SIGNATURE_KEY_BYTES_MAX 64

struct signature_keys {
    size_t count;
    struct {
        uint8_t data[SIGNATURE_KEY_BYTES_MAX];
        size_t size;
    } keys[SIGNATURE_KEYS_MAX];
};

/* Read the secrets from `text`: one or two lines; empty ones, and those that begin with #, are
 * left out.  E_INVALID names the line, never what stands in it. */
int signature_keys_parse(const char *text, size_t size, struct signature_keys *out_keys,
                         struct err *err);
/* The same of a file.  E_NOTFOUND, E_IO, E_INVALID. */
int signature_keys_read(const char *path, struct signature_keys *out_keys, struct err *err);
void signature_keys_wipe(struct signature_keys *keys);

/* Append the value of the header `webhook-signature`. */
void signature_write(const struct signature_keys *keys, const char *id, int64_t timestamp_s,
                     const void *body, size_t size, struct buf *out);

#endif
