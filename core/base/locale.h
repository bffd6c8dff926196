/* locale.h -- numbers, money and dates as people of a language write them.
 *
 * A table of our own and not a library's: what it gives goes into messages that a replay must
 * make again byte for byte, on a machine with another release of that library.  It knows the
 * languages below and no more; of any other, numbers and dates are written as ISO 8601 has them,
 * which nobody misreads.
 *
 *     de en en-GB es fr it ja nl pt zh
 *
 * Pure; any thread.
 */
#ifndef CORE_BASE_LOCALE_H
#define CORE_BASE_LOCALE_H

#include "core/base/doc.h"

struct zone;

/* The locale of a tag ("de-AT", "zh_Hans_CN"): its own row, else that of its language, else the
 * plain one.  Never NULL. */
struct locale;
const struct locale *locale_find(struct text tag);

/* The tag without its last part, "zh-Hans-CN" to "zh-Hans"; empty: it has only one. */
struct text locale_parent(struct text tag);
/* Whether two tags name the same: case is nothing, "_" is "-". */
bool locale_equal(struct text a, struct text b);
/* Letters, digits, - and _, a letter first, at most LOCALE_TAG_MAX. */
#define LOCALE_TAG_MAX 35
bool locale_is_tag(struct text tag);

enum locale_style {
    LOCALE_NATURAL, /* by type: a moment as LOCALE_DATETIME, {amount, currency} as money, a fraction
                       with the locale's point; whole numbers as they are, for they may be names */
    LOCALE_NUMBER,
    LOCALE_MONEY,
    LOCALE_DATE,
    LOCALE_TIME,
    LOCALE_DATETIME,
};
/* "number", "money", "date", "time", "datetime".  False: no style is called so. */
bool locale_style_find(struct text name, enum locale_style *out_style);
/* What a style may have behind its name: a number's digits behind the point, a currency of three
 * letters.  Empty is good. */
bool locale_style_takes(enum locale_style style, struct text detail);

struct locale_format {
    const struct locale *locale;
    const struct zone *zone; /* of moments */
    enum locale_style style;
    struct text detail;
};
/* Append the value as text.  What the style does not fit is written as LOCALE_NATURAL would;
 * missing and null as nothing, lists and documents as JSON.  A moment is a datetime, milliseconds
 * since 1970, or its text ("2026-12-01", "2026-12-01T10:00Z"). */
void locale_write(const struct locale_format *format, const struct doc_value *value,
                  struct buf *out);

#endif
