/* mac.h -- HMAC over pieces, and the texts that it travels as. */
#ifndef PLUGINS_WEBHOOK_MAC_H
#define PLUGINS_WEBHOOK_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_BYTES_MAX 32
#define MAC_TEXT_SIZE 68 /* the longest of both texts, terminated */

enum mac_digest { MAC_SHA1, MAC_SHA256 };

struct piece {
    const void *data;
    size_t size;
};

struct piece piece_of(const char *string);

struct mac {
    uint8_t data[MAC_BYTES_MAX];
    size_t size;
};

/* Over all pieces, one behind the other; false: libcrypto refused. */
bool mac_make(enum mac_digest digest, struct piece key, const struct piece *pieces, size_t count,
              struct mac *out);

void mac_base64(const struct mac *mac, char out[MAC_TEXT_SIZE]);
void mac_hex(const struct mac *mac, char out[MAC_TEXT_SIZE]);

/* Whether `text` is the MAC in base64 or in hexadecimal digits of any case, in a time that depends
 * on its length alone. */
bool mac_is_base64(const struct mac *mac, struct piece text);
bool mac_is_hex(const struct mac *mac, struct piece text);

#endif
