/* record_time.c -- when: what somebody writes into a field of a record that is a time.
 *
 * The words are a reminder's (read.h) and mean the same: whoever promises something "by friday" and
 * makes a reminder "for friday" must not get two moments.  They are counted from the entry's time
 * on, in the company's zone, for customers of other zones too: a record is read by many.
 */
#include "core/base/err.h"
#include "core/engine/read_inside.h"
#include "core/engine/record_inside.h"

#define DAY_MINUTE (9 * 60) /* of a day without a time, as of a reminder */

int record_time(struct record_work *work, const struct kind_field *field, struct text words,
                int64_t *out_ms, struct err *err)
{
    struct engine *engine = work->engine;
    struct read_due how = { .to = work->to, .now = engine->now, .day_minute = DAY_MINUTE };
    struct err why;
    if (work->customer != NULL)
        how.customer =
            arena_printf(&engine->arena, "%llu", (unsigned long long)work->customer->number);
    int rc = read_due_words(engine, &how, words, out_ms, &why);
    if (rc != 0)
        return err_set(err, rc, "\"%.*s\": %s", (int)field->name.size, field->name.data, why.text);
    return 0;
}
