/* mac.c -- see mac.h.
 *
 * SHA-1 is broken where somebody looks for two texts with one digest.  As an HMAC it still holds,
 * and gateways that sign with it will not change that for us.
 */
#include "core/plugin/mac.h"

#include "core/base/mem.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static void write_hex(const unsigned char *mac, size_t size, char out[KITH_HMAC_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[mac[i] >> 4];
        out[2 * i + 1] = digits[mac[i] & 15];
    }
    out[2 * size] = '\0';
}

bool mac_text(const char *how, struct kith_text key, struct kith_text data,
              char out[KITH_HMAC_SIZE])
{
    const EVP_MD *digest = strncmp(how, "sha1-", 5) == 0     ? EVP_sha1()
                           : strncmp(how, "sha256-", 7) == 0 ? EVP_sha256()
                                                             : NULL;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool is_hex = strcmp(how, "sha256-hex") == 0;
    if (digest == NULL || key.size > INT_MAX ||
        (!is_hex && strcmp(strchr(how, '-'), "-base64") != 0))
        return false;
    const void *made = HMAC(digest, key.size != 0 ? key.data : "", (int)key.size,
                            (const unsigned char *)data.data, data.size, mac, &size);
    ASSERT(made != NULL);
    if (is_hex)
        write_hex(mac, size, out);
    else
        EVP_EncodeBlock((unsigned char *)out, mac, (int)size);
    return true;
}
