/* json.c -- see json.h. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put(struct json *json, const char *data, size_t size)
{
    if (json->is_broken)
        return;
    if (size > json->room - json->size) {
        size_t room = json->room * 2 + size + 1024;
        char *grown = room <= JSON_BYTES_MAX ? realloc(json->data, room) : NULL;
        if (grown == NULL) {
            json->is_broken = 1;
            return;
        }
        json->data = grown;
        json->room = room;
    }
    memcpy(json->data + json->size, data, size);
    json->size += size;
}

static void put_string(struct json *json, const char *string)
{
    put(json, string, strlen(string));
}

static void put_quoted(struct json *json, struct kith_text text)
{
    put_string(json, "\"");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char escaped[8];
        if (c < 0x20 || c == '"' || c == '\\') {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            put_string(json, escaped);
        } else {
            put(json, text.data + i, 1);
        }
    }
    put_string(json, "\"");
}

static void begin(struct json *json, const char *name)
{
    if (json->has_before)
        put_string(json, ",");
    json->has_before = 1;
    if (name != NULL) {
        put_quoted(json, kith_text(name));
        put_string(json, ":");
    }
}

void json_deinit(struct json *json)
{
    free(json->data);
    memset(json, 0, sizeof *json);
}

void json_open(struct json *json, const char *name, char bracket)
{
    begin(json, name);
    put(json, &bracket, 1);
    json->has_before = 0;
}

void json_close(struct json *json, char bracket)
{
    put(json, &bracket, 1);
    json->has_before = 1;
}

void json_text(struct json *json, const char *name, struct kith_text text)
{
    begin(json, name);
    put_quoted(json, text);
}

void json_int(struct json *json, const char *name, int64_t number)
{
    json_decimal(json, name, number, 0);
}

void json_decimal(struct json *json, const char *name, int64_t units, int digits)
{
    char text[64];
    int64_t scale = 1;
    for (int i = 0; i < digits; i++)
        scale *= 10;
    uint64_t size = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    if (digits == 0)
        snprintf(text, sizeof text, "%" PRId64, units);
    else
        snprintf(text, sizeof text, "%s%" PRIu64 ".%0*" PRIu64, units < 0 ? "-" : "",
                 size / (uint64_t)scale, digits, size % (uint64_t)scale);
    begin(json, name);
    put_string(json, text);
}
