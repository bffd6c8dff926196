/* places.c -- see places.h. */
#include "places.h"

#include <string.h>

bool places_init(struct places *places, struct pool *pool, size_t count)
{
    size_t size = 16;
    while (size < 2 * count)
        size *= 2;
    *places = (struct places){ pool_take(pool, size * sizeof *places->slots), size - 1 };
    return places->slots != NULL;
}

static size_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

static size_t hash_number(uint64_t number)
{
    uint64_t hash = number * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash ^ hash >> 32);
}

/* Its slot, or the free one where it belongs: there are more slots than keys. */
static struct place *slot_of_text(const struct places *places, const char *text)
{
    size_t i = hash_text(text) & places->mask;
    while (places->slots[i].is_used &&
           (places->slots[i].text == NULL || strcmp(places->slots[i].text, text) != 0))
        i = (i + 1) & places->mask;
    return &places->slots[i];
}

static struct place *slot_of_number(const struct places *places, uint64_t number)
{
    size_t i = hash_number(number) & places->mask;
    while (places->slots[i].is_used &&
           (places->slots[i].text != NULL || places->slots[i].number != number))
        i = (i + 1) & places->mask;
    return &places->slots[i];
}

size_t places_add_text(struct places *places, const char *text, size_t at)
{
    struct place *slot = slot_of_text(places, text);
    if (!slot->is_used)
        *slot = (struct place){ .text = text, .at = at, .is_used = true };
    return slot->at;
}

size_t places_add_number(struct places *places, uint64_t number, size_t at)
{
    struct place *slot = slot_of_number(places, number);
    if (!slot->is_used)
        *slot = (struct place){ .number = number, .at = at, .is_used = true };
    return slot->at;
}

size_t places_of_text(const struct places *places, const char *text)
{
    const struct place *slot = slot_of_text(places, text);
    return slot->is_used ? slot->at : PLACES_NONE;
}

size_t places_of_number(const struct places *places, uint64_t number)
{
    const struct place *slot = slot_of_number(places, number);
    return slot->is_used ? slot->at : PLACES_NONE;
}
