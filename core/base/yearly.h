/* yearly.h -- birthdays, and whatever else comes back every year.
 *
 * The day is given once, as the Gregorian date of the first time (of birth, of
 * the contract), also where people count it by the Chinese calendar.  Each year
 * it then falls on
 *
 *   Gregorian  the same day and month; 29 February on 28 February in years
 *              that lack it
 *   Chinese    the same day and month of the lunar year; day 30 on day 29 where
 *              the month is short.  Born in a leap month: in the leap month in
 *              years that have it, else in the ordinary month of its number.
 *              Born in an ordinary month: in the ordinary month always, also
 *              in years where a leap month follows it.
 *
 * Never earlier than the first time itself, which is its own first return.
 *
 * Pure; from any thread.
 */
#ifndef CORE_BASE_YEARLY_H
#define CORE_BASE_YEARLY_H

#include <stdint.h>

struct err;
struct zone;

enum yearly_calendar { YEARLY_GREGORIAN, YEARLY_CHINESE };

/* The first instant strictly after `after_ms` at which the wall clock in `zone`
 * shows minute `at_minute` (0..1439) of a day on which `date`, in days since
 * 1970-01-01, comes back; gaps and folds are resolved forward (zone.h).
 *
 * Fails with E_INVALID for another at_minute, and with E_LIMIT if the date,
 * after_ms or the result lies outside the years 1..9999 or, for the Chinese
 * calendar, outside those of lunar.h. */
int yearly_next(const struct zone *zone, enum yearly_calendar calendar, int64_t date, int at_minute,
                int64_t after_ms, int64_t *out_ms, struct err *err);

#endif
