/* text.h -- what signatures are made over, and what is known again by its hash. */
#ifndef PLUGINS_WEBHOOK_TEXT_H
#define PLUGINS_WEBHOOK_TEXT_H

#include "kith.h"

#define TEXT_HASH_SIZE 65 /* with the zero behind it */

/* One behind the other, with a zero behind the last; the caller frees it.  NULL: no memory. */
char *text_join(const struct kith_text *parts, size_t count, struct kith_text *out);

/* The SHA-256 in hexadecimal digits. */
void text_hash(struct kith_text text, char out[TEXT_HASH_SIZE]);

#endif
