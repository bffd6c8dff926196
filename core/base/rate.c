/* rate.c -- see rate.h. */
#include "core/base/rate.h"

#include "core/base/err.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t ms;
} periods[] = { { "s", 1000 }, { "min", 60000 }, { "h", 3600000 } };

static uint32_t period_ms(const char *text, size_t size)
{
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (size == strlen(periods[i].name) && memcmp(text, periods[i].name, size) == 0)
            return periods[i].ms;
    return 0;
}

int rate_parse(const char *text, size_t size, struct rate *out_rate, struct err *err)
{
    uint32_t count = 0, period = 0;
    size_t i = 0;
    for (; i < size && text[i] >= '0' && text[i] <= '9' && count <= RATE_COUNT_MAX; i++)
        count = 10 * count + (uint32_t)(text[i] - '0');
    if (i + 1 < size && text[i] == '/')
        period = period_ms(text + i + 1, size - i - 1);
    if (count == 0 || count > RATE_COUNT_MAX || period == 0)
        return err_set(err, E_INVALID,
                       "\"%.*s\" is no rate: write 10/s, 600/min or 5000/h, at most %d",
                       (int)(size < 40 ? size : 40), text, RATE_COUNT_MAX);
    *out_rate = (struct rate){ count, period, count };
    return 0;
}
