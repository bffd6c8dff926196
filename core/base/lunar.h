/* lunar.h -- the Chinese calendar, day by day.
 *
 * A lunar year begins at Spring Festival and is numbered here by the Gregorian
 * year in which that falls: year 2026 begins on 2026-02-17.  It has twelve
 * months of 29 or 30 days, or thirteen, in which case one month is a leap month
 * that bears the number of the month before it.
 *
 * Dates are days since 1970-01-01 (civil.h).  Months begin with the new moon and
 * are numbered by the sun as seen from Beijing, whatever the zone of the person
 * asking.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef CORE_BASE_LUNAR_H
#define CORE_BASE_LUNAR_H

#include <stdbool.h>
#include <stdint.h>

struct err;

#define LUNAR_YEAR_MIN 1901
#define LUNAR_YEAR_MAX 2100

struct lunar {
    int year;     /* LUNAR_YEAR_MIN..LUNAR_YEAR_MAX */
    int month;    /* 1..12 */
    bool is_leap; /* the second month of this number */
    int day;      /* 1..30 */
};

/* The lunar date of a date.  Fails with E_LIMIT outside the years above. */
int lunar_from_days(int64_t days, struct lunar *out_lunar, struct err *err);

/* The date of a lunar date; what the year does not have is moved to what it has:
 * a leap month to the ordinary month of its number, day 30 of a month of 29
 * days to its day 29.  Fails with E_LIMIT outside the years above and with
 * E_INVALID for a month or day that no year has. */
int lunar_to_days(const struct lunar *lunar, int64_t *out_days, struct err *err);

#endif
