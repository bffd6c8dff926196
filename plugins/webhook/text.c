/* text.c -- see text.h. */
#include "text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

char *text_join(const struct kith_text *parts, size_t count, struct kith_text *out)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    char *joined = malloc(size + 1), *end = joined;
    if (joined == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (parts[i].size != 0)
            end = (char *)memcpy(end, parts[i].data, parts[i].size) + parts[i].size;
    *end = '\0';
    *out = (struct kith_text){ joined, size };
    return joined;
}

void text_hash(struct kith_text text, char out[TEXT_HASH_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };
    EVP_Digest(text.size != 0 ? text.data : "", text.size, hash, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < TEXT_HASH_SIZE / 2; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
}
