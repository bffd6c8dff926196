/* civil.c -- dates as numbers and back.
 *
 * Both directions count years from 1 March.  The leap day is then the last day
 * of its year, so that the lengths of the months before it follow one straight
 * line: five months from March (31 30 31 30 31) are 153 days, and the next five
 * repeat them.  The start of month m, counted from March, is (153 m + 2) / 5.
 *
 * The calendar repeats after 400 years, which are 146,097 days.  Dividing that
 * cycle off first, rounding down, leaves only numbers that are not negative,
 * and C's division is then right without special cases.
 *
 * Tables of days per month are the alternative.  They need a loop or a branch
 * for the leap year at every use; this needs neither.
 */
#include "core/base/civil.h"

#include "core/base/mem.h"

#define CYCLE_YEARS 400
#define CYCLE_DAYS 146097   /* 400 years */
#define CENTURY_DAYS 36524  /* a century without the leap day at its end */
#define QUADRENNIUM_DAYS 1460 /* four years without theirs */
#define YEAR_DAYS 365
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */
#define EPOCH_WEEKDAY 4   /* 1970-01-01 was a Thursday */

struct date {
    int64_t year;
    int month;
    int day;
};

static int64_t divide_down(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return quotient - (value % by < 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % CYCLE_YEARS == 0);
}

int civil_month_days(int64_t year, int month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool civil_is_valid(const struct civil *civil)
{
    return civil->year >= 1 && civil->year <= 9999 && civil->month >= 1 && civil->month <= 12 &&
           civil->day >= 1 && civil->day <= civil_month_days(civil->year, civil->month) &&
           civil->hour >= 0 && civil->hour <= 23 && civil->minute >= 0 && civil->minute <= 59 &&
           civil->second >= 0 && civil->second <= 59 && civil->ms >= 0 && civil->ms <= 999;
}

int64_t civil_days(int64_t year, int month, int day)
{
    ASSERT(month >= 1 && month <= 12);
    int64_t march_year = month > 2 ? year : year - 1;
    int from_march = month > 2 ? month - 3 : month + 9;
    int64_t cycle = divide_down(march_year, CYCLE_YEARS);
    int64_t of_cycle = march_year - cycle * CYCLE_YEARS;
    int64_t leap_days = of_cycle / 4 - of_cycle / 100;
    return cycle * CYCLE_DAYS + of_cycle * YEAR_DAYS + leap_days + (153 * from_march + 2) / 5 +
           day - 1 - EPOCH_DAYS;
}

static struct date date_from_days(int64_t days)
{
    int64_t from_epoch = days + EPOCH_DAYS;
    int64_t cycle = divide_down(from_epoch, CYCLE_DAYS);
    int left = (int)(from_epoch - cycle * CYCLE_DAYS);

    /* Take the leap days out, and what remains is years of 365. */
    int year = (left - left / QUADRENNIUM_DAYS + left / CENTURY_DAYS - left / (CYCLE_DAYS - 1)) /
               YEAR_DAYS;
    int of_year = left - (year * YEAR_DAYS + year / 4 - year / 100);
    int from_march = (5 * of_year + 2) / 153;
    int month = from_march < 10 ? from_march + 3 : from_march - 9;

    return (struct date){
        .year = cycle * CYCLE_YEARS + year + (month <= 2),
        .month = month,
        .day = of_year - (153 * from_march + 2) / 5 + 1,
    };
}

int civil_weekday(int64_t days)
{
    int64_t from_monday = days + EPOCH_WEEKDAY - 1;
    return (int)(from_monday - divide_down(from_monday, 7) * 7) + 1;
}

int64_t civil_local_days(int64_t local_ms)
{
    return divide_down(local_ms, CIVIL_DAY_MS);
}

void civil_from_local_ms(int64_t local_ms, struct civil *out_civil)
{
    int64_t days = civil_local_days(local_ms);
    struct date date = date_from_days(days);
    int left = (int)(local_ms - days * CIVIL_DAY_MS);

    *out_civil = (struct civil){
        .year = (int)date.year,
        .month = date.month,
        .day = date.day,
        .hour = left / (int)CIVIL_HOUR_MS,
        .minute = left / (int)CIVIL_MINUTE_MS % 60,
        .second = left / (int)CIVIL_SECOND_MS % 60,
        .ms = left % (int)CIVIL_SECOND_MS,
    };
}

int64_t civil_local_ms(const struct civil *civil)
{
    return civil_days(civil->year, civil->month, civil->day) * CIVIL_DAY_MS +
           civil->hour * CIVIL_HOUR_MS + civil->minute * CIVIL_MINUTE_MS +
           civil->second * CIVIL_SECOND_MS + civil->ms;
}

int64_t civil_days_add_months(int64_t days, int64_t months)
{
    struct date date = date_from_days(days);
    int64_t total = date.year * 12 + (date.month - 1) + months;
    int64_t year = divide_down(total, 12);
    int month = (int)(total - year * 12) + 1;
    int last = civil_month_days(year, month);
    return civil_days(year, month, date.day < last ? date.day : last);
}
