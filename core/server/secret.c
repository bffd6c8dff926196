/* secret.c -- see secret.h. */
#include "core/server/secret.h"

#include "core/base/hash.h"
#include "core/server/whole_file.h"

#include <sodium.h>

int secret_make(const char *dir, const char *path, struct err *err)
{
    uint8_t secret[SECRET_BYTES];
    char text[HEX_SIZE(SECRET_BYTES) + 1];
    randombytes_buf(secret, sizeof secret);
    hex_encode(secret, sizeof secret, text);
    text[HEX_SIZE(SECRET_BYTES) - 1] = '\n';
    return whole_file_write(dir, path, text, HEX_SIZE(SECRET_BYTES), err);
}
