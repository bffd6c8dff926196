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

static const char *take_line(const char *line, size_t size, size_t number, bool is_standard,
                             struct keys *keys, char room[ROOM])
{
    size_t prefix = sizeof PREFIX - 1, i = keys->count;
    if (i == KEYS_MAX) {
        snprintf(room, ROOM, "line %zu: at most %d secrets, the new one first", number, KEYS_MAX);
        return room;
    }
    if (is_standard) {
        keys->keys[i].size = size > prefix && memcmp(line, PREFIX, prefix) == 0
                                 ? decode(line + prefix, size - prefix, keys->keys[i].data)
                                 : 0;
        if (keys->keys[i].size < KEY_BYTES_MIN) {
            snprintf(room, ROOM,
                     "line %zu: a secret is " PREFIX " and %d to %d random bytes in base64", number,
                     KEY_BYTES_MIN, KEY_BYTES_MAX);
            return room;
        }
    } else {
        if (size < KEY_LINE_BYTES_MIN || size > KEY_LINE_BYTES_MAX) {
            snprintf(room, ROOM, "line %zu: a secret has %d to %d bytes", number,
                     KEY_LINE_BYTES_MIN, KEY_LINE_BYTES_MAX);
            return room;
        }
        memcpy(keys->keys[i].data, line, size);
        keys->keys[i].size = size;
    }
    keys->count++;
    return NULL;
}

const char *keys_parse(const char *text, size_t size, bool is_standard, struct keys *out,
                       char room[ROOM])
{
    struct keys keys = { 0 };
    const char *end = text + size, *why = NULL;
    for (size_t number = 1; why == NULL && text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line = trimmed(text, (size_t)((stop != NULL ? stop : end) - text));
        if (line != 0 && (!is_standard || text[0] != '#'))
            why = take_line(text, line, number, is_standard, &keys, room);
        text = stop != NULL ? stop + 1 : end;
    }
    if (why == NULL && keys.count == 0)
        why = is_standard ? "it holds no secret: one line, " PREFIX "..."
                          : "it holds no secret: one line";
    if (why == NULL)
        *out = keys;
    keys_wipe(&keys);
    return why;
}

void keys_wipe(struct keys *keys)
{
    OPENSSL_cleanse(keys, sizeof *keys);
}

struct piece keys_at(const struct keys *keys, size_t index)
{
    return (struct piece){ keys->keys[index].data, keys->keys[index].size };
}
