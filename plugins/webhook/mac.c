/* mac.c -- see mac.h. */
#include "mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

struct piece piece_of(const char *string)
{
    return (struct piece){ string, strlen(string) };
}

static bool run(EVP_MAC_CTX *context, const char *digest, struct piece key,
                const struct piece *pieces, size_t count, struct mac *out)
{
    char name[8];
    memcpy(name, digest, strlen(digest) + 1);
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", name, 0),
                                  OSSL_PARAM_construct_end() };
    bool is_good = EVP_MAC_init(context, key.data, key.size, params) == 1;
    for (size_t i = 0; is_good && i < count; i++)
        is_good =
            pieces[i].size == 0 || EVP_MAC_update(context, pieces[i].data, pieces[i].size) == 1;
    return is_good && EVP_MAC_final(context, out->data, &out->size, sizeof out->data) == 1;
}

bool mac_make(enum mac_digest digest, struct piece key, const struct piece *pieces, size_t count,
              struct mac *out)
{
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = kind != NULL ? EVP_MAC_CTX_new(kind) : NULL;
    bool is_good = context != NULL &&
                   run(context, digest == MAC_SHA1 ? "SHA1" : "SHA256", key, pieces, count, out);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(kind);
    return is_good;
}

void mac_base64(const struct mac *mac, char out[MAC_TEXT_SIZE])
{
    EVP_EncodeBlock((unsigned char *)out, mac->data, (int)mac->size);
}

void mac_hex(const struct mac *mac, char out[MAC_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < mac->size; i++) {
        out[2 * i] = digits[mac->data[i] >> 4];
        out[2 * i + 1] = digits[mac->data[i] & 15];
    }
    out[2 * mac->size] = '\0';
}

static bool is_same(const char *wanted, const char *text, size_t size)
{
    return size == strlen(wanted) && CRYPTO_memcmp(wanted, text, size) == 0;
}

bool mac_is_base64(const struct mac *mac, struct piece text)
{
    char wanted[MAC_TEXT_SIZE];
    mac_base64(mac, wanted);
    return is_same(wanted, text.data, text.size);
}

bool mac_is_hex(const struct mac *mac, struct piece text)
{
    char wanted[MAC_TEXT_SIZE], given[MAC_TEXT_SIZE];
    mac_hex(mac, wanted);
    if (text.size >= sizeof given)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = ((const char *)text.data)[i];
        given[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    return is_same(wanted, given, text.size);
}
