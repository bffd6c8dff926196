/* segments.h -- how many messages of a telephone a text becomes: of 160 characters, or 153 of
 * several, where all are in the alphabet of GSM 03.38; else of 70 units of UTF-16, or 67. */
#ifndef PLUGINS_SMS_SEGMENTS_H
#define PLUGINS_SMS_SEGMENTS_H

#include "kith.h"

int64_t segments(struct kith_text text);

#endif
