/* parts.c -- see parts.h. */
#include "parts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Forms ------------------------------------------------------------------------------------- */

/* Decoded text is never longer than it was, so it is written over itself.  NULL: no form. */
static const char *decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        char digits[3] = { 0 };
        if (*from != '%') {
            *to = *from;
            if (*from == '+')
                *to = ' ';
            continue;
        }
        memcpy(digits, from + 1, strnlen(from + 1, 2));
        if (strspn(digits, "0123456789abcdefABCDEF") != 2 || strcmp(digits, "00") == 0)
            return NULL;
        *to = (char)strtoul(digits, NULL, 16);
        from += 2;
    }
    *to = '\0';
    return text;
}

int form_read(char *text, struct pair pairs[PAIRS_MAX])
{
    int count = 0;
    for (char *rest = text, *item; (item = strsep(&rest, "&")) != NULL;) {
        char *value = item;
        const char *name = strsep(&value, "=");
        if (*item == '\0' && value == NULL)
            continue;
        if (count == PAIRS_MAX || decode(item) == NULL || (value != NULL && decode(value) == NULL))
            return -1;
        pairs[count++] = (struct pair){ name, value != NULL ? value : "" };
    }
    return count;
}

const char *form_value(const struct pair *pairs, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return "";
}

bool form_put(char *out, size_t room, const char *name, const char *value, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    size_t used = strlen(out);
    if (used + strlen(name) + 3 * size + 3 > room)
        return false;
    used += (size_t)snprintf(out + used, room - used, "%s%s=", used != 0 ? "&" : "", name);
    for (size_t i = 0; i < size; i++) {
        bool is_plain = value[i] != '\0' && strchr(plain, value[i]) != NULL;
        used += (size_t)snprintf(out + used, room - used, is_plain ? "%c" : "%%%02X",
                                 (unsigned char)value[i]);
    }
    return true;
}

/* -- Signatures -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

bool is_signed(const char *token, const char *url, struct pair *pairs, int count,
               const char *signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    size_t size = strlen(url), used;
    for (int i = 0; i < count; i++)
        size += strlen(pairs[i].name) + strlen(pairs[i].value);
    char *whole = malloc(size + 1);
    if (whole == NULL)
        return false;
    used = strlen(url);
    memcpy(whole, url, used + 1);
    qsort(pairs, (size_t)count, sizeof *pairs, compare);
    for (int i = 0; i < count; i++)
        if (i == 0 || compare(&pairs[i - 1], &pairs[i]) != 0)
            used += (size_t)snprintf(whole + used, size + 1 - used, "%s%s", pairs[i].name,
                                     pairs[i].value);
    bool is_made = HMAC(EVP_sha1(), token, (int)strlen(token), (unsigned char *)whole, used, mac,
                        &mac_size) != NULL;
    free(whole);
    int length = EVP_EncodeBlock(text, mac, (int)mac_size);
    return is_made && strlen(signature) == (size_t)length &&
           CRYPTO_memcmp(text, signature, (size_t)length) == 0;
}

/* -- Segments ---------------------------------------------------------------------------------- */

/* The next character of UTF-8 that has been checked. */
static uint32_t next_character(const char **at)
{
    const unsigned char *c = (const unsigned char *)*at;
    unsigned size = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? c[0] : c[0] & (0xffu >> (size + 1));
    for (unsigned i = 1; i < size; i++)
        code = code << 6 | (c[i] & 0x3f);
    *at += size;
    return code;
}

/* How many septets of GSM 03.38: 1, or 2 behind an escape; 0: it is not in there. */
static unsigned septets(uint32_t code)
{
    static const char basic[] = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
                                "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    static const char escaped[] = "\f^{}\\[~]|€";
    for (const char *at = basic; *at != '\0';)
        if (next_character(&at) == code)
            return 1;
    for (const char *at = escaped; *at != '\0';)
        if (next_character(&at) == code)
            return 2;
    return 0;
}

size_t segments(const char *text, size_t size)
{
    bool is_gsm = true;
    size_t units = 0, filled = 0, parts = 1;
    for (const char *at = text; is_gsm && at < text + size;)
        is_gsm = septets(next_character(&at)) != 0;
    size_t part_max = is_gsm ? 153 : 67;
    for (const char *at = text; at < text + size;) {
        uint32_t code = next_character(&at);
        unsigned wide = is_gsm ? septets(code) : code > 0xffff ? 2 : 1;
        units += wide;
        parts += filled + wide > part_max; /* what has two units is not torn */
        filled = filled + wide > part_max ? wide : filled + wide;
    }
    return units <= (is_gsm ? 160u : 70u) ? 1 : parts;
}
