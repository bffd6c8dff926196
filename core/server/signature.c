/* signature.c -- see signature.h. */
#include "core/server/signature.h"

#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/server/whole_file.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define FILE_BYTES_MAX 4096
#define MAC_TEXT_SIZE 48 /* 32 bytes in base64, terminated */

/* -- Secrets ---------------------------------------------------------------------------- */

/* With or without the padding: both are in use. */
static bool decode(const char *text, size_t size, uint8_t *out, size_t *out_size)
{
    const int variants[] = { sodium_base64_VARIANT_ORIGINAL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const char *end;
        if (sodium_base642bin(out, SIGNATURE_KEY_BYTES_MAX, text, size, NULL, out_size, &end,
                              variants[i]) == 0 &&
            end == text + size)
            return true;
    }
    return false;
}

static int read_secret(const char *line, size_t size, size_t number, struct signature_keys *keys,
                       struct err *err)
{
    size_t prefix = sizeof PREFIX - 1, i = keys->count;
    if (i == SIGNATURE_KEYS_MAX)
        return err_set(err, E_INVALID, "line %zu: at most %d secrets, the new one first", number,
                       SIGNATURE_KEYS_MAX);
    if (size < prefix || memcmp(line, PREFIX, prefix) != 0 ||
        !decode(line + prefix, size - prefix, keys->keys[i].data, &keys->keys[i].size) ||
        keys->keys[i].size < SIGNATURE_KEY_BYTES_MIN)
        return err_set(err, E_INVALID,
                       "line %zu: a secret is " PREFIX " and %d to %d random bytes in base64",
                       number, SIGNATURE_KEY_BYTES_MIN, SIGNATURE_KEY_BYTES_MAX);
    keys->count++;
    return 0;
}

static size_t trimmed(const char *line, size_t size)
{
    while (size > 0 && strchr(" \t\r", line[size - 1]) != NULL)
        size--;
    return size;
}

int signature_keys_parse(const char *text, size_t size, struct signature_keys *out_keys,
                         struct err *err)
{
    struct signature_keys keys = { 0 };
    const char *end = text + size;
    int rc = 0;
    for (size_t number = 1; rc == 0 && text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line = trimmed(text, (size_t)((stop != NULL ? stop : end) - text));
        if (line != 0 && text[0] != '#')
            rc = read_secret(text, line, number, &keys, err);
        text = stop != NULL ? stop + 1 : end;
    }
    if (rc == 0 && keys.count == 0)
        rc = err_set(err, E_INVALID, "it holds no secret: one line, " PREFIX "...");
    if (rc == 0)
        *out_keys = keys;
    signature_keys_wipe(&keys);
    return rc;
}

int signature_keys_read(const char *path, struct signature_keys *out_keys, struct err *err)
{
    char text[FILE_BYTES_MAX];
    struct err why;
    size_t size;
    int rc = whole_file_read(path, text, sizeof text, &size, err);
    if (rc != 0)
        return rc;
    rc = signature_keys_parse(text, size, out_keys, &why);
    sodium_memzero(text, sizeof text);
    return rc == 0 ? 0 : err_set(err, rc, "%s: %s", path, why.text);
}

void signature_keys_wipe(struct signature_keys *keys)
{
    sodium_memzero(keys, sizeof *keys);
}

/* -- Signing ---------------------------------------------------------------------------- */

void signature_write(const struct signature_keys *keys, const char *id, int64_t timestamp_s,
                     const void *body, size_t size, struct buf *out)
{
    char head[200];
    int head_size = snprintf(head, sizeof head, "%s.%lld.", id, (long long)timestamp_s);
    ASSERT(head_size > 0 && (size_t)head_size < sizeof head);
    for (size_t i = 0; i < keys->count; i++) {
        crypto_auth_hmacsha256_state state;
        uint8_t mac[crypto_auth_hmacsha256_BYTES];
        char text[MAC_TEXT_SIZE];
        crypto_auth_hmacsha256_init(&state, keys->keys[i].data, keys->keys[i].size);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, (unsigned)head_size);
        crypto_auth_hmacsha256_update(&state, body, size);
        crypto_auth_hmacsha256_final(&state, mac);
        sodium_bin2base64(text, sizeof text, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
        sodium_memzero(&state, sizeof state);
        buf_printf(out, "%sv1,%s", i == 0 ? "" : " ", text);
    }
}
