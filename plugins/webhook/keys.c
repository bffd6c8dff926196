/* keys.c -- see keys.h. */
#include "keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define ROOM 160

static size_t trimmed(const char *line, size_t size)
{
    while (size > 0 && strchr(" \t\r", line[size - 1]) != NULL)
        size--;
    return size;
}

/* Base64 of at most KEY_BYTES_MAX bytes; 0: it is none. */
static size_t decode(const char *text, size_t size, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char padded[96];
    uint8_t bytes[72];
    size_t given = size;
    while (size > 0 && text[size - 1] == '=')
        size--;
    size_t pad = (4 - size % 4) % 4;
    if (size > 88 || pad == 3 || (given != size && given - size != pad))
        return 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || strchr(digits, text[i]) == NULL)
            return 0;
    memcpy(padded, text, size);
    memset(padded + size, '=', pad);
    int got = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(size + pad));
    size_t whole = got > 0 ? (size_t)got - pad : 0;
    if (whole > KEY_BYTES_MAX)
        return 0;
    memcpy(out, bytes, whole);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return whole;
}

/* NULL: it is the secret number `count`, and in `list`. */
static const char *take_line(struct kith_text line, size_t number, bool is_standard, size_t count,
                             struct kith_writer *list, char room[ROOM])
{
    uint8_t bytes[KEY_BYTES_MAX];
    size_t prefix = sizeof PREFIX - 1;
    if (count == KEYS_MAX) {
        snprintf(room, ROOM, "line %zu: at most %d secrets, the new one first", number, KEYS_MAX);
        return room;
    }
    if (!is_standard && (line.size < KEY_LINE_BYTES_MIN || line.size > KEY_LINE_BYTES_MAX)) {
        snprintf(room, ROOM, "line %zu: a secret has %d to %d bytes", number, KEY_LINE_BYTES_MIN,
                 KEY_LINE_BYTES_MAX);
        return room;
    }
    if (is_standard) {
        bool is_marked = line.size > prefix && memcmp(line.data, PREFIX, prefix) == 0;
        line.size = is_marked ? decode(line.data + prefix, line.size - prefix, bytes) : 0;
        line.data = (const char *)bytes;
        if (line.size < KEY_BYTES_MIN) {
            snprintf(room, ROOM,
                     "line %zu: a secret is " PREFIX " and %d to %d random bytes in base64", number,
                     KEY_BYTES_MIN, KEY_BYTES_MAX);
            return room;
        }
    }
    kith_put_text(list, NULL, line);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return NULL;
}

const char *keys_parse(struct kith_text text, bool is_standard, struct keys *out, char room[ROOM])
{
    struct keys keys;
    struct kith_writer list;
    const char *at = text.data, *end = text.data + text.size, *why = NULL;
    size_t count = 0;
    kith_begin(&list, keys.room, sizeof keys.room);
    for (size_t number = 1; why == NULL && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct kith_text line = { at, trimmed(at, (size_t)((stop != NULL ? stop : end) - at)) };
        if (line.size != 0 && (!is_standard || at[0] != '#'))
            why = take_line(line, number, is_standard, count++, &list, room);
        at = stop != NULL ? stop + 1 : end;
    }
    if (why == NULL && count == 0)
        why = is_standard ? "it holds no secret: one line, " PREFIX "..."
                          : "it holds no secret: one line";
    keys.size = kith_end(&list).size;
    if (why == NULL)
        *out = keys;
    keys_wipe(&keys);
    return why;
}

void keys_wipe(struct keys *keys)
{
    OPENSSL_cleanse(keys, sizeof *keys);
}

struct kith_doc keys_list(const struct keys *keys)
{
    return (struct kith_doc){ keys->room, keys->size };
}
