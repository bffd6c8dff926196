/* lunar.c -- two hundred years of the Chinese calendar in a table.
 *
 * ICU has a Chinese calendar, too.  Its moon is some minutes late: it begins the
 * year 2027 on 7 February, when the new moon came at 23:56 on the 6th, and so
 * congratulates a day late for a whole month.  A calendar that people hang on
 * the wall is a list of published facts, and so it is kept here as a list.  That
 * is exact, fast, and the same under every release of every library.
 *
 * The facts follow from new moons and from the twelve points of the sun's year,
 * both to the second, by the rule of the calendar (the month of the winter
 * solstice is the eleventh; of thirteen months between two of them the first
 * without such a point is the leap month), at Beijing's own solar time until
 * 1928 and at UTC+8 since.  In April 1906 the calendar as it was issued differs
 * from the moon by a day and is followed.  The new moons of 2057-09-29 and
 * 2097-08-07 come within a minute of midnight; how fast the earth will turn then
 * is not known that well, and they stand as they have been announced.
 *
 * A year is one word:
 *
 *      22       17 16      13 12                     0
 *     +-----------+----------+------------------------+
 *     | first day | leap     | bit i: the i-th month  |
 *     | after 1/1 | month, 0 | in order has 30 days   |
 *     +-----------+----------+------------------------+
 */
#include "core/base/lunar.h"

#include "core/base/civil.h"
#include "core/base/err.h"

static const uint32_t words[LUNAR_YEAR_MAX - LUNAR_YEAR_MIN + 1] = {
    0x620752, 0x4c0ea5, 0x38b64a, 0x5c064b, 0x440a9b, 0x309556, 0x56056a, 0x400b59, /* 1901 */
    0x2a5752, 0x500752, 0x3adb25, 0x600b25, 0x480a4b, 0x32b4ab, 0x5802ad, 0x42056b, /* 1909 */
    0x2c4b69, 0x520da9, 0x3efd92, 0x640e92, 0x4c0d25, 0x36ba4d, 0x5c0a56, 0x4602b6, /* 1917 */
    0x2e95b5, 0x5606d4, 0x400ea9, 0x2c5e92, 0x500e92, 0x3acd26, 0x5e052b, 0x480a57, /* 1925 */
    0x32b2b6, 0x580b5a, 0x4406d4, 0x2e6ec9, 0x520749, 0x3cf693, 0x620a93, 0x4c052b, /* 1933 */
    0x34ca5b, 0x5a0aad, 0x46056a, 0x309b55, 0x560ba4, 0x400b49, 0x2a5a93, 0x500a95, /* 1941 */
    0x38f52d, 0x5e0536, 0x480aad, 0x34b5aa, 0x5805b2, 0x420da5, 0x2e7d4a, 0x540d4a, /* 1949 */
    0x3d0a95, 0x600a97, 0x4c0556, 0x36cab5, 0x5a0ad5, 0x4606d2, 0x308ea5, 0x560ea5, /* 1957 */
    0x40064a, 0x286c97, 0x4e0a9b, 0x3af55a, 0x5e056a, 0x480b69, 0x34b752, 0x5a0b52, /* 1965 */
    0x420b25, 0x2c964b, 0x520a4b, 0x3d14ab, 0x6002ad, 0x4a056d, 0x36cb69, 0x5c0da9, /* 1973 */
    0x460d92, 0x309d25, 0x560d25, 0x415a4d, 0x640a56, 0x4e02b6, 0x38c5b5, 0x5e06d5, /* 1981 */
    0x480ea9, 0x34be92, 0x5a0e92, 0x440d26, 0x2c6a56, 0x500a57, 0x3d14d6, 0x62035a, /* 1989 */
    0x4a06d5, 0x36b6c9, 0x5c0749, 0x460693, 0x2e952b, 0x54052b, 0x3e0a5b, 0x2a555a, /* 1997 */
    0x4e056a, 0x38fb55, 0x600ba4, 0x4a0b49, 0x32ba93, 0x580a95, 0x42052d, 0x2c8aad, /* 2005 */
    0x500ab5, 0x3d35aa, 0x6205d2, 0x4c0da5, 0x36dd4a, 0x5c0d4a, 0x460c95, 0x30952e, /* 2013 */
    0x540556, 0x3e0ab5, 0x2a55b2, 0x5006d2, 0x38cea5, 0x5e0725, 0x48064b, 0x32ac97, /* 2021 */
    0x560cab, 0x42055a, 0x2c6ad6, 0x520b69, 0x3d7752, 0x620b52, 0x4c0b25, 0x36da4b, /* 2029 */
    0x5a0a4b, 0x4404ab, 0x2ea55b, 0x5405ad, 0x3e0b6a, 0x2a5b52, 0x500d92, 0x3afd25, /* 2037 */
    0x5e0d25, 0x480a55, 0x32b4ad, 0x5804b6, 0x4005b5, 0x2c6daa, 0x520ec9, 0x3f1e92, /* 2045 */
    0x620e92, 0x4c0d26, 0x36ca56, 0x5a0a57, 0x4404d6, 0x2e86d5, 0x540755, 0x400749, /* 2053 */
    0x286e93, 0x4e0693, 0x38f52b, 0x5e052b, 0x460a5b, 0x32b55a, 0x58056a, 0x420b65, /* 2061 */
    0x2c974a, 0x520b4a, 0x3d1a95, 0x620a95, 0x4a052d, 0x34caad, 0x5a0ab5, 0x4605aa, /* 2069 */
    0x2e8ba5, 0x540da5, 0x400d4a, 0x2a7c95, 0x4e0c96, 0x38f94e, 0x5e0556, 0x480ab5, /* 2077 */
    0x32b5b2, 0x5806d2, 0x420ea5, 0x2e8e4a, 0x50068b, 0x3b0c97, 0x6004ab, 0x4a055b, /* 2085 */
    0x34cad6, 0x5a0b6a, 0x460752, 0x309725, 0x540b45, 0x3e0a8b, 0x28549b, 0x4e04ab, /* 2093 */
};

struct year {
    int64_t first_day;
    int leap_month;       /* 0: none */
    unsigned long_months; /* bit i: the i-th month in order has 30 days */
};

/* `number` is known to be within the table. */
static struct year get_year(int number)
{
    uint32_t word = words[number - LUNAR_YEAR_MIN];
    return (struct year){
        .first_day = civil_days(number, 1, 1) + (word >> 17),
        .leap_month = (int)(word >> 13 & 0xf),
        .long_months = word & 0x1fff,
    };
}

static int month_days(const struct year *year, int index)
{
    return year->long_months >> index & 1 ? 30 : 29;
}

/* Which month in order, from 0, bears a number. */
static int month_index(const struct year *year, int month, bool is_leap)
{
    bool is_behind_leap = year->leap_month != 0 &&
                          (month > year->leap_month || (month == year->leap_month && is_leap));
    return month - 1 + is_behind_leap;
}

static int refuse_year(struct err *err)
{
    return err_set(err, E_LIMIT, "Chinese calendar: known are the years %d to %d", LUNAR_YEAR_MIN,
                   LUNAR_YEAR_MAX);
}

/* The number of the lunar year in which a date lies; one outside the table if
 * the date does. */
static int year_number(int64_t days)
{
    struct civil civil;
    if (days < civil_days(LUNAR_YEAR_MIN, 1, 1))
        return LUNAR_YEAR_MIN - 1;
    if (days >= civil_days(LUNAR_YEAR_MAX + 1, 1, 1))
        return LUNAR_YEAR_MAX + 1;
    civil_from_local_ms(days * CIVIL_DAY_MS, &civil);
    return days < get_year(civil.year).first_day ? civil.year - 1 : civil.year;
}

int lunar_from_days(int64_t days, struct lunar *out_lunar, struct err *err)
{
    int number = year_number(days);
    if (number < LUNAR_YEAR_MIN || number > LUNAR_YEAR_MAX)
        return refuse_year(err);

    struct year year = get_year(number);
    int64_t day = days - year.first_day;
    int index = 0;
    for (; day >= month_days(&year, index); index++)
        day -= month_days(&year, index);
    bool is_behind_leap = year.leap_month != 0 && index >= year.leap_month;
    *out_lunar = (struct lunar){
        .year = number,
        .month = index + 1 - is_behind_leap,
        .is_leap = is_behind_leap && index == year.leap_month,
        .day = (int)day + 1,
    };
    return 0;
}

int lunar_to_days(const struct lunar *lunar, int64_t *out_days, struct err *err)
{
    if (lunar->year < LUNAR_YEAR_MIN || lunar->year > LUNAR_YEAR_MAX)
        return refuse_year(err);
    if (lunar->month < 1 || lunar->month > 12 || lunar->day < 1 || lunar->day > 30)
        return err_set(err, E_INVALID,
                       "Chinese calendar: no year has a day %d of"
                       " month %d",
                       lunar->day, lunar->month);

    struct year year = get_year(lunar->year);
    int index = month_index(&year, lunar->month, lunar->is_leap);
    int last = month_days(&year, index);
    int64_t days = year.first_day - 1 + (lunar->day < last ? lunar->day : last);
    for (int i = 0; i < index; i++)
        days += month_days(&year, i);
    *out_days = days;
    return 0;
}
