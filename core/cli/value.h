/* value.h -- what a cell of a table says, by the type that its column was given.
 *
 * Strict: a cell that is not exactly of its type is refused with the reason.  Guessing would
 * turn 03.04. into the fourth of March for half of the readers.
 *
 *     text              as it stands
 *     number            1234, -0.5, 1e3
 *     number(LOCALE)    as people there write it, grouped by thousands or not: 1.234,50
 *                       a currency sign and blanks around it are dropped
 *     date              ISO 8601
 *     date(FORMAT)      %Y %y %m %d %b (Jan, January) %H %I %p %M %S %z %s %%
 *                       a format without a time of day gives a date
 *     phone(REGION)     E.164
 *     bool              true, yes, y, 1; false, no, n, 0; in any case
 *
 * Pure; any thread.
 */
#ifndef CORE_CLI_VALUE_H
#define CORE_CLI_VALUE_H

#include "core/base/doc.h"

struct err;
struct zone;

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_DATE, VALUE_PHONE, VALUE_BOOL };

#define VALUE_FORMAT_MAX 64

struct value_type {
    enum value_kind kind;
    char format[VALUE_FORMAT_MAX]; /* of a date; empty: ISO 8601 */
    char region[3];                /* of a phone number; empty: international ones only */
    char decimal[8], group[8];     /* of a number */
};

/* Read "date(%d.%m.%Y)".  E_INVALID: no such type, or not with this in brackets. */
int value_type_parse(struct text text, struct value_type *out_type, struct err *err);

/* Append the cell as JSON.  Times without an offset are those of `zone`.  E_INVALID: it is
 * not of this type. */
int value_write(const struct value_type *type, const struct zone *zone, struct text cell,
                struct buf *out, struct err *err);

/* A date cell as an instant: a date alone is its midnight in `zone`. */
int value_instant(const struct value_type *type, const struct zone *zone, struct text cell,
                  int64_t *out_ms, struct err *err);

int value_bool(struct text cell, bool *out_bool, struct err *err);

#endif
