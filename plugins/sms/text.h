/* text.h -- what a text is to a telephone, and to whoever has written it on one. */
#ifndef PLUGINS_SMS_TEXT_H
#define PLUGINS_SMS_TEXT_H

#include "kith.h"

#include <stdbool.h>

/* How many messages it becomes: of 160 characters, or 153 of several, where all are in the alphabet
 * of GSM 03.38; else of 70 units of UTF-16, or 67. */
int64_t text_segments(struct kith_text text);

/* Whether it is one of `words`, a list of texts, and nothing else: "Stop it now" is for people to
 * read.  They write "stop", "(Stop).", "ＳＴＯＰ！", "STOP ALL" and "Stop 🛑": the letters count. */
bool text_is_among(struct kith_text text, struct kith_doc words);

#endif
